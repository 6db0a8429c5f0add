//! The result of a sum as public limbs of 88 bits, which the contract decodes.

use bastion_circuits::core::Expr;
#[cfg(test)]
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::bn256::{Fq, G1Affine};
use num_bigint::BigUint;

use super::columns::{limb, word, Limbs, Link, LIMB_BITS};
use super::gate::{Gate, Kind};
use super::grid::{to_integer, BlockWriter};

/// Public limbs of a coordinate.
pub const PUBLIC_LIMBS: usize = 3;
/// Their bits, but for the last one's.
const PUBLIC_BITS: u32 = 88;
/// Rows of a coordinate: both pieces of two limbs.
const PIECES: usize = 4;
/// Bits of the lower pieces: of limb 1, of limb 2.
const CUTS: [u32; 2] = [PUBLIC_BITS - LIMB_BITS, 2 * (PUBLIC_BITS - LIMB_BITS)];

/// The public limb `n`: of x, then of y, lowest first.
pub fn public_limb(n: usize) -> Expr {
    word(n as i32, 0)
}

/// The pieces of limbs 1 and 2 of coordinate `n`, each lower one first.
fn pieces(n: usize) -> [[Expr; 2]; 2] {
    let at = n * PIECES;
    [[limb(at), limb(at + 1)], [limb(at + 2), limb(at + 3)]]
}

fn coordinates() -> [(&'static str, Limbs); 2] {
    let before = Link::previous();
    [("x", before.x), ("y", before.y)]
}

fn public_limbs(n: usize) -> [Expr; PUBLIC_LIMBS] {
    let (_, limbs) = coordinates()[n];
    let [[low, middle], [further, high]] = pieces(n);
    [
        limbs[0] + low * Expr::pow2(LIMB_BITS),
        middle + further * Expr::pow2(LIMB_BITS - CUTS[0]),
        high + limbs[3] * Expr::pow2(LIMB_BITS - CUTS[1]),
    ]
}

/// The constraints.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Output);
    for (n, (name, limbs)) in coordinates().into_iter().enumerate() {
        for (k, [low, high]) in pieces(n).into_iter().enumerate() {
            let whole = low + high * Expr::pow2(CUTS[k]);
            gate.constrain(format!("{name}.cut{k}"), limbs[k + 1] - whole);
        }
        for (k, value) in public_limbs(n).into_iter().enumerate() {
            gate.constrain(format!("{name}.public{k}"), public_limb(n * PUBLIC_LIMBS + k) - value);
        }
    }
    gate
}

/// Assigns the result.
pub fn assign(writer: &mut BlockWriter<'_>, point: &G1Affine) {
    for n in 0..2 {
        let value = to_integer([&point.x as &Fq, &point.y][n]);
        for (k, cut) in CUTS.into_iter().enumerate() {
            let limb = &value >> (LIMB_BITS as usize * (k + 1));
            let limb = limb & ((BigUint::from(1u8) << LIMB_BITS) - 1u8);
            let low = &limb & ((BigUint::from(1u8) << cut) - 1u8);
            writer.narrow(n * PIECES + 2 * k, &low);
            writer.narrow(n * PIECES + 2 * k + 1, &(limb >> cut));
        }
        for (k, limb) in public_limbs(n).iter().enumerate() {
            let value = writer.read(limb);
            writer.set(&public_limb(n * PUBLIC_LIMBS + k), value);
        }
    }
}

/// The value of a coordinate from its public limbs, for tests.
#[cfg(test)]
pub fn recomposed(limbs: &[Fr]) -> Fr {
    use bastion_circuits::core::pow2;
    limbs.iter().enumerate().map(|(k, limb)| *limb * pow2(PUBLIC_BITS * k as u32)).sum()
}
