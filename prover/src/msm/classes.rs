//! Scalars by size.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::PrimeField;

use super::Point;
use crate::lanes::Modulus;

/// Bits up to which a scalar is small.
const SMALL: u32 = 20;

/// A scalar's magnitude, lowest limb first, and which base it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) magnitude: [u64; 4],
    /// Twice the number of the base, and 1 if the scalar is negative.
    pub(super) base: u32,
}

/// Scalars that are summed together.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) entries: Vec<Entry>,
    /// Bits of the largest.
    pub(super) bits: u32,
}

/// The scalars that are not zero, for the bases from `first` on: the small ones and the large ones.
pub(super) fn classes(scalars: &[Fr], first: usize, bases: &[Point]) -> Vec<Class> {
    let (mut small, mut large) = (Class::default(), Class::default());
    large.entries.reserve(scalars.len());
    for (i, scalar) in scalars.iter().enumerate() {
        if *scalar == Fr::zero() || bases[first + i].is_identity() {
            continue;
        }
        let (magnitude, negative) = signed(scalar);
        let entry = Entry { magnitude, base: ((first + i) as u32) << 1 | u32::from(negative) };
        let bits = bits(&magnitude);
        let class = if bits <= SMALL { &mut small } else { &mut large };
        class.bits = class.bits.max(bits);
        class.entries.push(entry);
    }
    // A few small ones are not worth buckets of their own.
    if small.entries.len() < scalars.len() / 16 && !large.entries.is_empty() {
        large.entries.append(&mut small.entries);
    }
    let classes = [small, large].into_iter();
    classes.filter(|c| !c.entries.is_empty()).collect()
}

fn bits(x: &[u64; 4]) -> u32 {
    let highest = (0..4).rev().find(|i| x[*i] != 0);
    highest.map_or(0, |i| 64 * i as u32 + 64 - x[i].leading_zeros())
}

/// The scalar or its negative, whichever is smaller, and whether it is the latter.
fn signed(scalar: &Fr) -> ([u64; 4], bool) {
    let bytes = scalar.to_repr();
    let mut x = [0; 4];
    for (limb, bytes) in x.iter_mut().zip(bytes.as_ref().chunks_exact(8)) {
        // Chunks have eight bytes.
        *limb = bytes.iter().rev().fold(0, |x, b| x << 8 | u64::from(*b));
    }
    let (mut negative, mut borrow) = ([0; 4], false);
    for i in 0..4 {
        let (difference, first) = Fr::ORDER[i].overflowing_sub(x[i]);
        let second;
        (negative[i], second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first | second;
    }
    let smaller = negative.iter().rev().lt(x.iter().rev());
    match smaller {
        true => (negative, true),
        false => (x, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_of_a_scalar_and_its_negative_is_taken() {
        let cases = [
            (Fr::from(5), [5, 0, 0, 0], false),
            (-Fr::from(5), [5, 0, 0, 0], true),
            (Fr::from_raw([1, 2, 3, 4]), [1, 2, 3, 4], false),
            (-Fr::from_raw([1, 2, 3, 4]), [1, 2, 3, 4], true),
        ];
        for (scalar, magnitude, negative) in cases {
            assert_eq!(signed(&scalar), (magnitude, negative));
        }
        // Half of the order, rounded down and up.
        let half = Fr::from(2).invert().unwrap();
        let (up, down) = (signed(&half), signed(&(half - Fr::one())));
        assert_eq!((up.0, up.1, down.1), (down.0, true, false));
        assert_eq!(bits(&[0, 0, 0, 0]), 0);
        assert_eq!(bits(&[1, 0, 0, 0]), 1);
        assert_eq!(bits(&[7, 0, 3, 0]), 130);
    }

    #[test]
    fn zeros_and_identities_are_left_out_and_sizes_told_apart() {
        let one = Point { x: crate::msm::Fq::from(1), y: crate::msm::Fq::from(2) };
        let bases = [one, one, Point::IDENTITY, one, one];
        let scalars = [Fr::zero(), -Fr::from(3), Fr::one(), Fr::from_raw([0, 1, 0, 0])];
        let found = classes(&scalars, 1, &bases);
        let shown: Vec<(u32, Vec<u32>)> =
            found.iter().map(|c| (c.bits, c.entries.iter().map(|e| e.base).collect())).collect();
        // Scalar 0 is for base 1, and so on; base 2 is the identity.
        assert_eq!(shown, [(1, vec![6]), (65, vec![8])]);
    }
}
