#![doc = include_str!("README.md")]

mod curve;
mod header;
mod trace;
mod window;

pub use header::{header_block, tuple, MULTIPLES};
pub use trace::{assign, Check};
pub use window::{base_multiple, columns as window_columns, half_block, window_block};

use ark_ec::{AffineRepr, CurveGroup};
use ark_ed_on_bn254::EdwardsAffine;

use crate::core::Expr;
use crate::witness::convert::to_halo2;

/// The constant tuple entries of the multiple `j B` of the base point.
pub fn base_point_multiple(j: usize) -> (Expr, Expr) {
    let point = (EdwardsAffine::generator() * ark_ed_on_bn254::Fr::from(j as u64)).into_affine();
    (to_halo2(point.x).into(), to_halo2(point.y).into())
}

/// The tuple of `digit B` with constant entries.
pub fn base_multiple_constant(j: usize) -> crate::core::Tuple {
    let (x, y) = base_point_multiple(j);
    base_multiple(Expr::from(j as u64), curve::Point { x, y })
}

#[cfg(test)]
mod tests;
