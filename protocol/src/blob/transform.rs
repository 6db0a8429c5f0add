//! Coefficients to the bytes of blobs, and back.
//!
//! EIP-4844 takes a blob as the values of a polynomial at the 4096 roots of unity in bit-reversed
//! order, 32 bytes each, big-endian. So the coefficients of a blob are its inverse FFT.

use ark_ff::{AdditiveGroup, FftField, Field, PrimeField};

use super::{BlobError, Scalar, ELEMENTS, MAX_ELEMENTS};
use crate::field;

/// Bytes of a blob.
pub const BLOB_BYTES: usize = 32 * ELEMENTS;

/// `log2` of the elements of a blob.
const LOG_ELEMENTS: u32 = ELEMENTS.trailing_zeros();

/// The bytes of the blob with these coefficients, from the lowest power up.
///
/// # Errors
/// [`BlobError::Full`] for more than 4096 coefficients.
pub fn to_blob(coefficients: &[Scalar]) -> Result<Vec<u8>, BlobError> {
    if coefficients.len() > ELEMENTS {
        return Err(BlobError::Full { elements: coefficients.len(), most: ELEMENTS });
    }
    let mut values = coefficients.to_vec();
    values.resize(ELEMENTS, Scalar::ZERO);
    reverse(&mut values);
    transform(&mut values, root());
    reverse(&mut values);
    Ok(values.iter().flat_map(|v| field::limbs_to_bytes(v.into_bigint())).collect())
}

/// The bytes of the blobs of a block with these coefficients: 4096 for each, in order, and one blob even
/// if there are none.
///
/// # Errors
/// [`BlobError::Full`] for more coefficients than the blobs of a block have.
pub fn to_blobs(coefficients: &[Scalar]) -> Result<Vec<Vec<u8>>, BlobError> {
    let elements = coefficients.len();
    if elements > MAX_ELEMENTS {
        return Err(BlobError::Full { elements, most: MAX_ELEMENTS });
    }
    match coefficients {
        [] => Ok(vec![to_blob(&[])?]),
        some => some.chunks(ELEMENTS).map(to_blob).collect(),
    }
}

/// The coefficients of the polynomial of a block with these blobs, 4096 of each.
///
/// # Errors
/// As [`from_blob`]; the number of a value counts in its own blob.
pub fn from_blobs<'b>(blobs: impl IntoIterator<Item = &'b [u8]>) -> Result<Vec<Scalar>, BlobError> {
    let blobs: Vec<Vec<Scalar>> = blobs.into_iter().map(from_blob).collect::<Result<_, _>>()?;
    Ok(blobs.concat())
}

/// The 4096 coefficients of a blob.
///
/// # Errors
/// [`BlobError::Length`] and [`BlobError::NotCanonical`].
pub fn from_blob(blob: &[u8]) -> Result<Vec<Scalar>, BlobError> {
    if blob.len() != BLOB_BYTES {
        return Err(BlobError::Length { expected: BLOB_BYTES, got: blob.len() });
    }
    let mut values = Vec::with_capacity(ELEMENTS);
    for (index, bytes) in blob.as_chunks::<32>().0.iter().enumerate() {
        let value = Scalar::from_bigint(field::bytes_to_limbs(bytes));
        values.push(value.ok_or(BlobError::NotCanonical { index })?);
    }
    // The values stand in the order that the transform starts from.
    transform(&mut values, root().inverse().unwrap_or(Scalar::ONE));
    let share = Scalar::from(ELEMENTS as u64).inverse().unwrap_or(Scalar::ONE);
    values.iter_mut().for_each(|v| *v *= share);
    Ok(values)
}

/// A root of unity of order 4096: `7^((modulus - 1) / 4096)`, as EIP-4844 has it.
fn root() -> Scalar {
    // The modulus minus 1 is a multiple of 2^32, so there is one.
    Scalar::get_root_of_unity(ELEMENTS as u64).unwrap_or(Scalar::ONE)
}

/// Puts what stands at each place to the place with the reversed bits.
fn reverse(values: &mut [Scalar]) {
    for i in 0..values.len() {
        let j = i.reverse_bits() >> (usize::BITS - LOG_ELEMENTS);
        if i < j {
            values.swap(i, j);
        }
    }
}

/// The radix-2 FFT of coefficients in bit-reversed order; the values come out in order.
fn transform(values: &mut [Scalar], root: Scalar) {
    for log in 1..=LOG_ELEMENTS {
        let size = 1 << log;
        let step = root.pow([(ELEMENTS / size) as u64]);
        for block in values.chunks_exact_mut(size) {
            let (low, high) = block.split_at_mut(size / 2);
            let mut twiddle = Scalar::ONE;
            for (a, b) in low.iter_mut().zip(high) {
                let product = *b * twiddle;
                *b = *a - product;
                *a += product;
                twiddle *= step;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    /// EIP-4844 as its text has it: the root from the generator 7, the order by bits as text.
    #[test]
    fn a_blob_is_the_values_at_the_roots_of_unity() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let coefficients: Vec<Scalar> = (0..40).map(|_| Scalar::rand(&mut rng)).collect();
        let blob = to_blob(&coefficients).unwrap();
        assert_eq!(blob.len(), 131_072);
        let mut exponent = Scalar::MODULUS;
        exponent.0[0] -= 1;
        let exponent: Vec<u64> = (0..4)
            .map(|i| exponent.0[i] >> 12 | exponent.0.get(i + 1).map_or(0, |next| next << 52))
            .collect();
        let root = Scalar::from(7u64).pow(exponent);
        for place in [0usize, 1, 2, 5, 1000, 4095] {
            let bits: String = format!("{place:012b}").chars().rev().collect();
            let x = root.pow([u64::from_str_radix(&bits, 2).unwrap()]);
            let value = coefficients.iter().rev().fold(Scalar::ZERO, |y, c| y * x + c);
            let bytes = field::limbs_to_bytes(value.into_bigint());
            assert_eq!(blob[32 * place..][..32], bytes, "place {place}");
        }
        let mut padded = coefficients;
        padded.resize(ELEMENTS, Scalar::ZERO);
        assert_eq!(from_blob(&blob).unwrap(), padded);
    }

    #[test]
    fn other_bytes_are_refused() {
        let mut blob = to_blob(&[]).unwrap();
        let error = BlobError::Length { expected: BLOB_BYTES, got: BLOB_BYTES - 1 };
        assert_eq!(from_blob(&blob[1..]), Err(error));
        blob[64..96].copy_from_slice(&field::limbs_to_bytes(Scalar::MODULUS));
        assert_eq!(from_blob(&blob), Err(BlobError::NotCanonical { index: 2 }));
        let error = BlobError::Full { elements: 4097, most: 4096 };
        assert_eq!(to_blob(&vec![Scalar::ZERO; 4097]), Err(error));
        let error = BlobError::Full { elements: 24_577, most: 24_576 };
        assert_eq!(to_blobs(&vec![Scalar::ZERO; 24_577]), Err(error));
    }

    #[test]
    fn coefficients_fill_blob_after_blob() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        assert_eq!(to_blobs(&[]).unwrap(), [vec![0; BLOB_BYTES]]);
        for (elements, blobs) in [(1, 1), (4096, 1), (4097, 2), (8192, 2), (8193, 3)] {
            let mut coefficients: Vec<Scalar> =
                (0..elements).map(|_| Scalar::rand(&mut rng)).collect();
            let made = to_blobs(&coefficients).unwrap();
            assert_eq!(made.len(), blobs, "{elements}");
            for (blob, own) in made.iter().zip(coefficients.chunks(ELEMENTS)) {
                assert_eq!(*blob, to_blob(own).unwrap());
            }
            coefficients.resize(blobs * ELEMENTS, Scalar::ZERO);
            let slices: Vec<&[u8]> = made.iter().map(Vec::as_slice).collect();
            assert_eq!(from_blobs(slices).unwrap(), coefficients);
        }
    }
}
