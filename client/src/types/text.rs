//! Values that JSON has no form of its own for.

use std::fmt;
use std::str::FromStr;

use bastion_protocol::field::{self, serde_decimal, serde_fr};
use bastion_protocol::receipt::hash;
use bastion_protocol::{Fr, ProtocolError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 32 bytes: `0x` and 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(#[serde(with = "hash")] pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl FromStr for Hash {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        let bytes = read_hex(text)?;
        let length = |got| ProtocolError::Length { what: "hash", expected: 32, got };
        Ok(Self(bytes.try_into().map_err(|bytes: Vec<u8>| length(bytes.len()))?))
    }
}

/// A field element: `0x` and 64 hex digits, below the modulus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Element(#[serde(with = "serde_fr")] pub Fr);

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&field::to_hex(&self.0))
    }
}

impl FromStr for Element {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        field::from_hex("field element", text).map(Self)
    }
}

/// An amount below 2^128 in the smallest unit, as decimal digits.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Amount(#[serde(with = "serde_decimal")] pub u128);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes: `0x` and hex digits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(&self.0))
    }
}

impl FromStr for Bytes {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        read_hex(text).map(Self)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn read_hex(text: &str) -> Result<Vec<u8>, ProtocolError> {
    let malformed = |why: String| ProtocolError::Malformed { what: "bytes", why };
    let digits = text.strip_prefix("0x").ok_or_else(|| malformed("expected 0x first".into()))?;
    hex::decode(digits).map_err(|e| malformed(e.to_string()))
}

#[cfg(feature = "schema")]
mod schemas {
    use std::borrow::Cow;

    use utoipa::openapi::schema::{ObjectBuilder, Type};
    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{Amount, Bytes, Element, Hash};

    macro_rules! text {
        ($($name:ident: $pattern:literal, $example:expr, $description:literal;)*) => {$(
            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let object = ObjectBuilder::new()
                        .schema_type(Type::String)
                        .pattern(Some($pattern))
                        .description(Some($description))
                        .examples([serde_json::Value::from($example)]);
                    object.build().into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*};
    }

    text! {
        Hash: "^0x[0-9a-f]{64}$", format!("0x{}", "1a".repeat(32)), "32 bytes.";
        Element: "^0x[0-9a-f]{64}$", format!("0x{}", "01".repeat(32)), "A field element of BN254, big-endian and below the modulus.";
        Amount: "^(0|[1-9][0-9]{0,38})$", "1000000000000000000", "An amount below 2^128 in the smallest unit.";
        Bytes: "^0x([0-9a-f]{2})*$", "0x0102", "Bytes.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_as_it_is_written() {
        let hash = Hash([0xab; 32]);
        assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
        assert_eq!(serde_json::to_value(hash).unwrap(), hash.to_string());
        let bytes = Bytes(vec![1, 2, 255]);
        assert_eq!(serde_json::to_value(&bytes).unwrap(), "0x0102ff");
        assert_eq!("0x0102ff".parse::<Bytes>().unwrap(), bytes);
        assert_eq!(serde_json::to_value(Amount(7)).unwrap(), "7");
        let element = Element(Fr::from(5_u64));
        assert_eq!(element.to_string().parse::<Element>().unwrap(), element);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "ab", "0xa", "0xzz", "0X00"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
        assert!("0x00".parse::<Hash>().is_err());
        assert!(serde_json::from_str::<Amount>("7").is_err());
        assert!(serde_json::from_str::<Amount>("\"07\"").is_err());
        assert!(format!("0x{}", "ff".repeat(32)).parse::<Element>().is_err());
    }
}
