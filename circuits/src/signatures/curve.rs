//! BabyJubJub (`x^2 + y^2 = 1 + d x^2 y^2`) as polynomials.
//!
//! `1` is a square and `d` is not, so the denominators `1 +- d x1 x2 y1 y2` never vanish on the
//! curve: each formula has exactly one solution, also for doublings, the identity and inverses.

use ark_ec::twisted_edwards::TECurveConfig;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::Expr;
use crate::witness::convert::to_halo2;

/// An affine point.
#[derive(Clone, Copy, Debug)]
pub struct Point<T> {
    /// First coordinate.
    pub x: T,
    /// Second coordinate.
    pub y: T,
}

/// The curve constant `d`.
pub fn d() -> Fr {
    to_halo2(ark_ed_on_bn254::EdwardsConfig::COEFF_D)
}

impl Point<Expr> {
    /// The point in the cells `n` and `n + 1` of the block.
    pub fn nth(n: usize) -> Self {
        Self { x: Expr::nth(n), y: Expr::nth(n + 1) }
    }

    /// The point in two neighbouring columns.
    pub fn at(row: i32, col: usize) -> Self {
        Self { x: Expr::cell(row, col), y: Expr::cell(row, col + 1) }
    }

    /// `-P`.
    pub fn negate(self) -> Self {
        Self { x: -self.x, y: self.y }
    }

    /// Zero exactly on the curve (degree 4).
    pub fn on_curve(&self) -> Expr {
        let (xx, yy) = (self.x.square(), self.y.square());
        xx + yy - Expr::one() - xx * yy * d()
    }
}

/// `out = 2 P`, for `P` on the curve (degree 3): `1 + d x^2 y^2` is replaced by `x^2 + y^2`.
pub fn double(p: &Point<Expr>, out: &Point<Expr>) -> [Expr; 2] {
    let (xx, yy) = (p.x.square(), p.y.square());
    let sum = xx + yy;
    [out.x * sum - p.x * p.y * Expr::from(2), out.y * (Expr::from(2) - sum) - yy + xx]
}

/// `out = P + Q` (degree 5).
pub fn add(p: &Point<Expr>, q: &Point<Expr>, out: &Point<Expr>) -> [Expr; 2] {
    let (xy, yx) = (p.x * q.y, p.y * q.x);
    let (xx, yy) = (p.x * q.x, p.y * q.y);
    let product = xx * yy * d();
    [out.x * (Expr::one() + product) - xy - yx, out.y * (Expr::one() - product) - yy + xx]
}
