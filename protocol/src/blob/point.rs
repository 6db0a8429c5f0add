//! The point at which blobs and circuit are compared, and the value there.

use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};

use super::{BlobError, Scalar, ELEMENTS};
use crate::field;
use crate::hash::keccak;
use crate::Fr;

/// Bits of the low limb of a value.
pub const LOW_BITS: u32 = 127;

/// What is fixed before the point of evaluation is known.
///
/// `c_out` binds every word and every count of the block, the versioned hashes bind the polynomials
/// that the commitments of the blobs are for. If the point were known before any of them, a second
/// polynomial with the same value there is easily found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'h> {
    /// Chain and contract (`header::domain`).
    pub domain: Fr,
    /// Word chain over the block: the data commitment.
    pub c_out: Fr,
    /// Versioned hashes of the blobs in order, as the opcode BLOBHASH gives them.
    pub versioned_hashes: &'h [[u8; 32]],
    /// Batches of the block, empty ones included.
    pub batches: u32,
    /// Elements that the batches take in the blobs.
    pub elements: u32,
}

impl Claim<'_> {
    /// The low 128 bits of `keccak256("bastion.z.v1" || domain || c_out || versioned hashes ||
    /// batches || elements)`, numbers in 32 bytes. The length tells how many hashes there are.
    ///
    /// Two polynomials of degree below `6 x 4096` agree in fewer than `6 x 4096` points. So a false claim
    /// holds at a random point with probability below `6 x 4096 / 2^128 < 2^-113`.
    #[must_use]
    pub fn point(&self) -> u128 {
        let wide = |x: u32| field::to_bytes(&Fr::from(x));
        let hash = keccak(&[
            b"bastion.z.v1",
            &field::to_bytes(&self.domain),
            &field::to_bytes(&self.c_out),
            self.versioned_hashes.as_flattened(),
            &wide(self.batches),
            &wide(self.elements),
        ]);
        hash[16..].iter().fold(0, |x, b| x << 8 | u128::from(*b))
    }
}

/// The value at `z` of the polynomial with these coefficients, from the lowest power up.
#[must_use]
pub fn evaluate(coefficients: &[Scalar], z: u128) -> Scalar {
    let z = Scalar::from(z);
    coefficients.iter().rev().fold(Scalar::ZERO, |y, c| y * z + c)
}

/// The value at `z` of the block's polynomial, from those of its blobs in order: each has the coefficients
/// of the next 4096 powers.
#[must_use]
pub fn combine(values: &[Scalar], z: u128) -> Scalar {
    let step = Scalar::from(z).pow([ELEMENTS as u64]);
    values.iter().rev().fold(Scalar::ZERO, |y, value| y * step + value)
}

/// The low 127 bits and the high 128 bits of a value: the circuit's limbs and public inputs.
#[must_use]
pub fn limbs(value: &Scalar) -> [u128; 2] {
    let BigInt([a, b, c, d]) = value.into_bigint();
    let low = u128::from(a) | u128::from(b) << 64;
    let high = u128::from(c) | u128::from(d) << 64;
    [low & ((1 << LOW_BITS) - 1), low >> LOW_BITS | high << 1]
}

/// A value from its 32 bytes, big-endian, as the precompile of L1 has it; `None` if it is not below the
/// modulus.
#[must_use]
pub fn from_bytes(bytes: &[u8; 32]) -> Option<Scalar> {
    Scalar::from_bigint(field::bytes_to_limbs(bytes))
}

/// The 32 bytes of a value, big-endian.
#[must_use]
pub fn to_bytes(value: &Scalar) -> [u8; 32] {
    field::limbs_to_bytes(value.into_bigint())
}

/// The value of two limbs. The circuit fixes a value modulo the modulus alone; the precompile of L1
/// takes none but the canonical one, and so does this.
///
/// # Errors
/// [`BlobError::Limbs`].
pub fn from_limbs([low, high]: [u128; 2]) -> Result<Scalar, BlobError> {
    let words = [low | high << LOW_BITS, high >> 1];
    let halves = words.map(|w| [w as u64, (w >> 64) as u64]);
    let value = BigInt([halves[0][0], halves[0][1], halves[1][0], halves[1][1]]);
    let value = Scalar::from_bigint(value).filter(|_| low >> LOW_BITS == 0);
    value.ok_or(BlobError::Limbs { low, high })
}

#[cfg(test)]
mod tests {
    use ark_ff::{Field, UniformRand};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn claim() -> Claim<'static> {
        Claim {
            domain: Fr::from(1u64),
            c_out: Fr::from(2u64),
            versioned_hashes: &[[3; 32]],
            batches: 4,
            elements: 5,
        }
    }

    #[test]
    fn every_part_of_a_claim_moves_the_point() {
        let honest = claim();
        let others = [
            Claim { domain: Fr::from(9u64), ..honest },
            Claim { c_out: Fr::from(9u64), ..honest },
            Claim { versioned_hashes: &[[9; 32]], ..honest },
            Claim { versioned_hashes: &[], ..honest },
            Claim { versioned_hashes: &[[3; 32], [3; 32]], ..honest },
            Claim { batches: 9, ..honest },
            Claim { elements: 9, ..honest },
        ];
        for other in others {
            assert_ne!(other.point(), honest.point(), "{other:?}");
        }
        // Bytes put together by hand.
        let mut bytes = b"bastion.z.v1".to_vec();
        for (fill, last) in [(0, 1), (0, 2), (3, 3), (0, 4), (0, 5)] {
            bytes.extend([fill; 31]);
            bytes.push(last);
        }
        let hash = keccak(&[&bytes]);
        assert_eq!(honest.point().to_be_bytes(), hash[16..]);
        let [one, other] = [[[3; 32], [4; 32]], [[4; 32], [3; 32]]];
        let [one, other] =
            [&one, &other].map(|hashes| Claim { versioned_hashes: hashes, ..honest });
        assert_ne!(one.point(), other.point());
        bytes.splice(108..108, [4; 32]);
        assert_eq!(one.point().to_be_bytes(), keccak(&[&bytes])[16..]);
    }

    /// Why `z` comes after the commitments: at a known point another polynomial has the same value.
    #[test]
    fn a_point_known_before_binds_nothing() {
        let z = claim().point();
        let honest: Vec<Scalar> = (1..40u64).map(Scalar::from).collect();
        let mut forged = honest.clone();
        // Add `5 (X - z)`.
        forged[0] -= Scalar::from(5u64) * Scalar::from(z);
        forged[1] += Scalar::from(5u64);
        assert_eq!(evaluate(&forged, z), evaluate(&honest, z));
        // The forged polynomial has another commitment, so another point, and there they differ.
        let z = Claim { versioned_hashes: &[[4; 32]], ..claim() }.point();
        assert_ne!(evaluate(&forged, z), evaluate(&honest, z));
    }

    #[test]
    fn a_coefficient_behind_the_last_one_shows() {
        let z = claim().point();
        let honest: Vec<Scalar> = (1..40u64).map(Scalar::from).collect();
        let mut longer = honest.clone();
        longer.resize(100, Scalar::ZERO);
        assert_eq!(evaluate(&longer, z), evaluate(&honest, z));
        longer[99] = Scalar::ONE;
        assert_ne!(evaluate(&longer, z), evaluate(&honest, z));
    }

    #[test]
    fn only_canonical_limbs_are_a_value() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for value in [Scalar::ZERO, -Scalar::ONE, Scalar::rand(&mut rng)] {
            assert_eq!(from_limbs(limbs(&value)), Ok(value));
            assert_eq!(from_bytes(&to_bytes(&value)), Some(value));
        }
        assert_eq!(from_bytes(&field::limbs_to_bytes(Scalar::MODULUS)), None);
        // The modulus, and a value plus the modulus.
        let BigInt([a, b, c, d]) = Scalar::MODULUS;
        let (low, high) =
            (u128::from(a) | u128::from(b) << 64, u128::from(c) | u128::from(d) << 64);
        let raised = [low & ((1 << 127) - 1), low >> 127 | high << 1];
        let [low, high] = raised;
        assert_eq!(from_limbs(raised), Err(BlobError::Limbs { low, high }));
        assert!(from_limbs([low + 3, high]).is_err());
        assert!(from_limbs([low - 1, high]).is_ok());
        assert!(from_limbs([1 << 127, 0]).is_err());
        assert!(from_limbs([0, u128::MAX]).is_err());
    }

    proptest! {
        #![proptest_config(crate::seed::config(32))]
        #[test]
        fn horner_is_the_sum_of_powers(words in prop::collection::vec(any::<u128>(), 0..50), z: u128) {
            let coefficients: Vec<Scalar> = words.into_iter().map(Scalar::from).collect();
            let powers = coefficients.iter().enumerate();
            let sum: Scalar = powers.map(|(i, c)| *c * Scalar::from(z).pow([i as u64])).sum();
            prop_assert_eq!(evaluate(&coefficients, z), sum);
        }

        /// Blobs opened one by one give the value of the polynomial of all coefficients.
        #[test]
        fn values_of_blobs_make_that_of_the_block(elements in 1usize..=6 * ELEMENTS, seed: u64, z: u128) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let coefficients: Vec<Scalar> = (0..elements).map(|_| Scalar::rand(&mut rng)).collect();
            let values: Vec<Scalar> =
                coefficients.chunks(ELEMENTS).map(|own| evaluate(own, z)).collect();
            prop_assert_eq!(combine(&values, z), evaluate(&coefficients, z));
            // In another order they give another.
            let reversed: Vec<Scalar> = values.iter().rev().copied().collect();
            if values.len() > 1 && z > 1 {
                prop_assert_ne!(combine(&reversed, z), evaluate(&coefficients, z));
            }
        }
    }
}
