//! Blobs (EIP-4844) as an auditor reads them: held against the hash that L1 has of them, and turned back
//! into the coefficients of protocol section 6.6.
//!
//! Written over arkworks. It has nothing of what makes and sends blobs.

mod posted;
mod setup;

use ark_bls12_381::Fr;
use ark_ff::PrimeField;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use bastion_protocol::blob::{Scalar, ELEMENTS};
use sha2::{Digest, Sha256};

use crate::points::element;

pub use posted::{Data, DataFault, PostedBlob};

/// Bytes of a blob.
pub const BLOB_BYTES: usize = 32 * ELEMENTS;

/// First byte of a hash that is of a KZG commitment (EIP-4844, `VERSIONED_HASH_VERSION_KZG`).
const VERSION: u8 = 1;

/// Why bytes are not the blob that L1 has the hash of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobFault {
    /// Bytes of another length than a blob's.
    #[error("{got} bytes, a blob has {BLOB_BYTES}: it was cut off, or is no blob")]
    Length {
        /// Bytes that were given.
        got: usize,
    },
    /// A value that is not below the modulus: L1 takes no such blob.
    #[error("value {index} is not below the BLS12-381 scalar modulus: it is no blob")]
    NotCanonical {
        /// Its number in the blob.
        index: usize,
    },
    /// The blob of another hash.
    #[error(
        "its versioned hash is 0x{}, not the 0x{} that L1 has: it is another blob",
        hex::encode(found),
        hex::encode(expected)
    )]
    Other {
        /// Its own.
        found: [u8; 32],
        /// The one that L1 has.
        expected: [u8; 32],
    },
}

/// The values of a blob at the powers of the root of unity, in their order.
fn values(blob: &[u8]) -> Result<Vec<Fr>, BlobFault> {
    if blob.len() != BLOB_BYTES {
        return Err(BlobFault::Length { got: blob.len() });
    }
    let (words, _) = blob.as_chunks::<32>();
    let shift = usize::BITS - ELEMENTS.trailing_zeros();
    // Values stand in the places whose bits are those of the power, reversed.
    let values = (0..ELEMENTS).map(|power| power.reverse_bits() >> shift);
    values.map(|index| element(&words[index]).ok_or(BlobFault::NotCanonical { index })).collect()
}

fn hash_of(values: &[Fr]) -> Option<[u8; 32]> {
    let mut hash: [u8; 32] = Sha256::digest(setup::commit(values)?).into();
    hash[0] = VERSION;
    Some(hash)
}

/// The versioned hash of a blob. It takes a commitment, some hundredths of a second.
///
/// # Errors
/// [`BlobFault::Length`] and [`BlobFault::NotCanonical`].
pub fn versioned_hash(blob: &[u8]) -> Result<[u8; 32], BlobFault> {
    // All 4096 values are there, so there is a commitment.
    Ok(hash_of(&values(blob)?).unwrap_or_default())
}

/// The coefficients of a blob, from the lowest power up, after it was held against its versioned hash.
///
/// # Errors
/// [`BlobFault`].
pub fn read(blob: &[u8], expected: &[u8; 32]) -> Result<Vec<Scalar>, BlobFault> {
    let values = values(blob)?;
    let found = hash_of(&values).unwrap_or_default();
    if found != *expected {
        return Err(BlobFault::Other { found, expected: *expected });
    }
    let coefficients = match Radix2EvaluationDomain::<Fr>::new(ELEMENTS) {
        Some(domain) => domain.ifft(&values),
        // The field has roots of unity up to 2^32.
        None => values,
    };
    // Both fields are the scalar field of BLS12-381: what is below the modulus of one is in the other.
    Ok(coefficients.iter().filter_map(|c| Scalar::from_bigint(c.into_bigint())).collect())
}

#[cfg(test)]
mod tests {
    use ark_ff::{BigInteger, Field};
    use bastion_protocol::blob::{decode, from_blob, to_blob, BlobError};

    use super::*;

    fn fixed(text: &str) -> [u8; 32] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// A blob of the published test vectors of EIP-4844: value `i` is `base^(i + 256)`.
    fn powers(base: u64) -> Vec<u8> {
        let base = Fr::from(base);
        let value = |i: u64| base.pow([i + 256]).into_bigint().to_bytes_be();
        (0..ELEMENTS as u64).flat_map(value).collect()
    }

    /// `blob_to_kzg_commitment_case_valid_blob_2` to `_4` of the consensus specification, and a blob of
    /// zeros.
    #[test]
    fn versioned_hashes_are_those_of_the_published_vectors() {
        for (base, hash) in [
            (2, "014edfed8547661f6cb416eba53061a2f6dce872c0497e6dd485a876fe2567f1"),
            (3, "01228461eb9cfa5aecb883d64f7434b6c092be63e8599fa9da8473a13f8b804e"),
            (5, "01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b"),
        ] {
            assert_eq!(versioned_hash(&powers(base)), Ok(fixed(hash)), "{base}");
        }
        let zeros = fixed("010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014");
        assert_eq!(versioned_hash(&[0; BLOB_BYTES]), Ok(zeros));
    }

    #[test]
    fn coefficients_are_those_of_the_protocol() {
        let blob = powers(3);
        let hash = versioned_hash(&blob).unwrap();
        let coefficients = read(&blob, &hash).unwrap();
        assert_eq!(coefficients, from_blob(&blob).unwrap());
        assert_eq!(to_blob(&coefficients).unwrap(), blob);
    }

    #[test]
    fn what_is_not_the_blob_of_the_hash_is_refused() {
        let blob = powers(3);
        let hash = versioned_hash(&blob).unwrap();
        let short = BlobFault::Length { got: BLOB_BYTES - 32 };
        assert_eq!(read(&blob[32..], &hash), Err(short));
        let other = powers(5);
        let found = versioned_hash(&other).unwrap();
        assert_eq!(read(&other, &hash), Err(BlobFault::Other { found, expected: hash }));
        let mut flipped = blob.clone();
        flipped[100_000] ^= 1;
        assert!(matches!(read(&flipped, &hash), Err(BlobFault::Other { .. })));
        let mut wide = blob;
        wide[64..96].fill(0xff);
        assert_eq!(read(&wide, &hash), Err(BlobFault::NotCanonical { index: 2 }));
        // The hash of another kind of commitment.
        let mut version = hash;
        version[0] = 2;
        assert!(matches!(read(&powers(3), &version), Err(BlobFault::Other { .. })));
    }

    /// L1 has the hash of such blobs, but no block was proven with one.
    #[test]
    fn a_blob_of_no_block_is_refused() {
        let counts = [[0, 3, 0, 0]];
        let refused = |coefficients: &[Scalar]| {
            let blob = to_blob(coefficients).unwrap();
            let read = read(&blob, &versioned_hash(&blob).unwrap()).unwrap();
            decode(&read, &counts).unwrap_err()
        };
        let one = Scalar::from(1u64);
        let mut behind = vec![one; 2];
        behind.resize(17, Scalar::from(0u64));
        behind[16] = one;
        assert_eq!(refused(&behind), BlobError::Trailing { element: 16 });
        let wide = Scalar::from(2u64).pow([240]);
        assert_eq!(refused(&[one, wide]), BlobError::Wide { element: 1 });
        assert_eq!(refused(&[one; 3]), BlobError::Padding { batch: 0, slot: 4 });
    }
}
