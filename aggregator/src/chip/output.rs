//! The result of a sum as public limbs of 88 bits, which the contract decodes.

use bastion_circuits::core::Expr;
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};

use super::columns::{chunk, word, Limbs, Link, CHUNK_BITS, NUMBER};
use super::gate::{Gate, Kind};
use super::grid::{to_integer, BlockWriter};

/// Public limbs of a coordinate.
pub const PUBLIC_LIMBS: usize = 3;
/// Chunk 5 is cut in two: 88 bits are five and a half chunks.
const CUT: usize = 5;
/// Chunks of a coordinate: the number, the halves of the cut chunk, and both times `2^8`.
const COORDINATE: usize = NUMBER + 4;

/// The public limb `n`: of x, then of y, lowest first.
pub fn public_limb(n: usize) -> Expr {
    word(n as i32, 0)
}

fn halves(first: usize) -> [[Expr; 2]; 2] {
    let at = first + NUMBER;
    [[chunk(at), chunk(at + 1)], [chunk(at + 2), chunk(at + 3)]]
}

fn public_limbs(first: usize) -> [Expr; PUBLIC_LIMBS] {
    let [[low, _], [high, _]] = halves(first);
    let chunks = |from: usize, to: usize, shift: u32| -> Expr {
        (from..to)
            .map(|i| chunk(first + i) * Expr::pow2(shift + CHUNK_BITS * (i - from) as u32))
            .sum()
    };
    [
        chunks(0, CUT, 0) + low * Expr::pow2(CHUNK_BITS * CUT as u32),
        high + chunks(CUT + 1, 11, 8),
        chunks(11, NUMBER, 0),
    ]
}

/// The constraints.
pub fn gate() -> Gate {
    let mut gate = Gate::new(Kind::Output);
    let before = Link::previous();
    let coordinates: [(&str, Limbs); 2] = [("x", before.x), ("y", before.b)];
    for (n, (name, limbs)) in coordinates.iter().enumerate() {
        let first = n * COORDINATE;
        gate.number(name, first, limbs);
        let [low, high] = halves(first);
        gate.constrain(
            format!("{name}.cut"),
            chunk(first + CUT) - low[0] - high[0] * Expr::from(256),
        );
        for (half, [value, shifted]) in [("low", low), ("high", high)] {
            gate.constrain(format!("{name}.{half}"), shifted - value * Expr::from(256));
        }
        for (k, limb) in public_limbs(first).into_iter().enumerate() {
            gate.constrain(format!("{name}.public{k}"), public_limb(n * PUBLIC_LIMBS + k) - limb);
        }
    }
    gate
}

/// Assigns the result.
pub fn assign(writer: &mut BlockWriter<'_>, point: &G1Affine) {
    for (n, value) in [point.x, point.y].iter().enumerate() {
        let first = n * COORDINATE;
        let value = to_integer(value);
        writer.number(first, &value);
        let cut = writer.read(&chunk(first + CUT)).to_bytes();
        for (half, byte) in cut.iter().take(2).enumerate() {
            let byte = u64::from(*byte);
            writer.set(&chunk(first + NUMBER + 2 * half), Fr::from(byte));
            writer.set(&chunk(first + NUMBER + 2 * half + 1), Fr::from(byte << 8));
        }
        for (k, limb) in public_limbs(first).iter().enumerate() {
            let value = writer.read(limb);
            writer.set(&public_limb(n * PUBLIC_LIMBS + k), value);
        }
    }
}

/// The value of a coordinate from its public limbs, for tests.
#[cfg(test)]
pub fn recomposed(limbs: &[Fr]) -> Fr {
    use bastion_circuits::core::pow2;
    limbs.iter().enumerate().map(|(k, limb)| *limb * pow2(88 * k as u32)).sum()
}

const _: () = assert!(2 * COORDINATE <= super::columns::CHUNKS * 7);
