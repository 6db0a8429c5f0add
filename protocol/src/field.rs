//! `Fr` to and from bytes, text and serde. The encoding is 32 bytes, big-endian, below `p`.

use crate::{Fr, ProtocolError};
use ark_ff::{BigInt, BigInteger, PrimeField};

/// Canonical 32 bytes, big-endian.
#[must_use]
pub fn to_bytes(x: &Fr) -> [u8; 32] {
    limbs_to_bytes(x.into_bigint())
}

/// Big-endian bytes of a 256-bit integer.
#[must_use]
pub(crate) fn limbs_to_bytes(x: BigInt<4>) -> [u8; 32] {
    let mut out = [0; 32];
    for (chunk, limb) in out.chunks_exact_mut(8).zip(x.0.iter().rev()) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    out
}

/// The integer behind 32 big-endian bytes.
pub(crate) fn bytes_to_limbs(bytes: &[u8; 32]) -> BigInt<4> {
    let mut limbs = [0_u64; 4];
    for (i, byte) in bytes.iter().enumerate() {
        let limb = &mut limbs[3 - i / 8];
        *limb = (*limb << 8) | u64::from(*byte);
    }
    BigInt::new(limbs)
}

/// Reads 32 big-endian bytes.
///
/// # Errors
/// [`ProtocolError::NotCanonical`] for values of at least `p`, so that each element has one encoding.
pub fn from_bytes(what: &'static str, bytes: &[u8; 32]) -> Result<Fr, ProtocolError> {
    Fr::from_bigint(bytes_to_limbs(bytes)).ok_or_else(|| ProtocolError::NotCanonical {
        what,
        value: format!("0x{}", hex::encode(bytes)),
    })
}

/// A 256-bit big-endian integer modulo `p` (for keccak outputs).
#[must_use]
pub fn reduce(bytes: &[u8; 32]) -> Fr {
    Fr::from_be_bytes_mod_order(bytes)
}

/// `0x` and 64 hex digits.
#[must_use]
pub fn to_hex(x: &Fr) -> String {
    format!("0x{}", hex::encode(to_bytes(x)))
}

/// Reads what [`to_hex`] wrote.
///
/// # Errors
/// If the text is not `0x` and 64 hex digits, or not below `p`.
pub fn from_hex(what: &'static str, text: &str) -> Result<Fr, ProtocolError> {
    from_bytes(what, &fixed_hex::<32>(what, text)?)
}

/// Reads `0x` and exactly `2 N` hex digits.
pub(crate) fn fixed_hex<const N: usize>(
    what: &'static str,
    text: &str,
) -> Result<[u8; N], ProtocolError> {
    let digits = text.strip_prefix("0x").ok_or_else(|| ProtocolError::Malformed {
        what,
        why: format!("expected 0x and {} hex digits", 2 * N),
    })?;
    let mut out = [0; N];
    hex::decode_to_slice(digits, &mut out).map_err(|e| ProtocolError::Malformed {
        what,
        why: format!("expected 0x and {} hex digits: {e}", 2 * N),
    })?;
    Ok(out)
}

/// Bit `i` of the canonical integer.
#[must_use]
pub fn bit(x: &Fr, i: usize) -> bool {
    x.into_bigint().get_bit(i)
}

/// Bytes as hex text where the format is for humans, as bytes elsewhere.
pub(crate) fn serialize_bytes<S: serde::Serializer, const N: usize>(
    bytes: &[u8; N],
    s: S,
) -> Result<S::Ok, S::Error> {
    if s.is_human_readable() {
        s.serialize_str(&format!("0x{}", hex::encode(bytes)))
    } else {
        s.serialize_bytes(bytes)
    }
}

/// The reverse of [`serialize_bytes`].
pub(crate) fn deserialize_bytes<'de, D: serde::Deserializer<'de>, const N: usize>(
    what: &'static str,
    d: D,
) -> Result<[u8; N], D::Error> {
    use serde::{de::Error, Deserialize};
    if d.is_human_readable() {
        let text = String::deserialize(d)?;
        fixed_hex(what, &text).map_err(D::Error::custom)
    } else {
        let bytes = <std::borrow::Cow<'de, [u8]>>::deserialize(d)?;
        <[u8; N]>::try_from(bytes.as_ref())
            .map_err(|_| D::Error::invalid_length(bytes.len(), &what))
    }
}

/// `#[serde(with = "field::serde_fr")]`: a field element as hex text or 32 bytes.
pub mod serde_fr {
    use crate::Fr;
    use serde::{de::Error, Deserializer, Serializer};

    /// Writes the element.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(x: &Fr, s: S) -> Result<S::Ok, S::Error> {
        super::serialize_bytes(&super::to_bytes(x), s)
    }

    /// Reads the element.
    ///
    /// # Errors
    /// Those of the format, and values of at least `p`.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Fr, D::Error> {
        let bytes = super::deserialize_bytes("field element", d)?;
        super::from_bytes("field element", &bytes).map_err(D::Error::custom)
    }
}

/// A field element that writes and reads itself as [`serde_fr`] does.
#[derive(serde::Serialize, serde::Deserialize)]
struct Element(#[serde(with = "serde_fr")] Fr);

/// `#[serde(with = "field::serde_frs")]`: field elements in a list or an array, each as hex text or 32
/// bytes.
pub mod serde_frs {
    use super::Element;
    use crate::Fr;
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    /// Writes the elements.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(list: &[Fr], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(list.iter().map(|x| Element(*x)))
    }

    /// Reads the elements.
    ///
    /// # Errors
    /// Those of the format, values of at least `p`, and for an array another number of elements.
    pub fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<Fr>>>(
        d: D,
    ) -> Result<T, D::Error> {
        let list: Vec<Fr> =
            Vec::<Element>::deserialize(d)?.into_iter().map(|Element(x)| x).collect();
        let got = list.len();
        T::try_from(list)
            .map_err(|_| D::Error::custom(format!("{got} field elements are too many or too few")))
    }
}

/// `#[serde(with = "field::serde_option_fr")]`: a field element that may be missing.
pub mod serde_option_fr {
    use super::Element;
    use crate::Fr;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes the element.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(x: &Option<Fr>, s: S) -> Result<S::Ok, S::Error> {
        x.map(Element).serialize(s)
    }

    /// Reads the element.
    ///
    /// # Errors
    /// Those of the format, and values of at least `p`.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Fr>, D::Error> {
        Ok(Option::<Element>::deserialize(d)?.map(|Element(x)| x))
    }
}

/// `#[serde(with = "field::serde_decimal")]`: u128 as a decimal string (JSON numbers lose digits).
pub mod serde_decimal {
    use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};

    /// Writes the number.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(x: &u128, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.serialize_str(&x.to_string())
        } else {
            x.serialize(s)
        }
    }

    /// Reads the number.
    ///
    /// # Errors
    /// Those of the format, and text that is not the canonical decimal of a u128.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<u128, D::Error> {
        if !d.is_human_readable() {
            return u128::deserialize(d);
        }
        let text = String::deserialize(d)?;
        let canonical = |x: &u128| x.to_string() == text;
        text.parse()
            .ok()
            .filter(canonical)
            .ok_or_else(|| D::Error::custom(format!("amount: {text:?} is no decimal below 2^128")))
    }
}

/// `2^n`.
#[must_use]
pub fn pow2(n: u64) -> Fr {
    use ark_ff::Field;
    Fr::from(2_u64).pow([n])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{One, Zero};

    #[test]
    fn bytes_round_trip_and_the_modulus_is_refused() {
        for x in [Fr::zero(), Fr::one(), -Fr::one()] {
            assert_eq!(from_bytes("x", &to_bytes(&x)).unwrap(), x);
            assert_eq!(from_hex("x", &to_hex(&x)).unwrap(), x);
        }
        let p = limbs_to_bytes(Fr::MODULUS);
        assert!(from_bytes("x", &p).is_err());
        assert_eq!(reduce(&p), Fr::zero());
        assert!(from_bytes("x", &[0xff; 32]).is_err());
    }

    #[test]
    fn text_of_another_shape_is_refused() {
        for text in ["", "0x", "00", "0x00", &format!("0x{}", "0g".repeat(32))] {
            assert!(from_hex("x", text).is_err(), "{text}");
        }
    }
}
