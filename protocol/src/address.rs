//! L1 addresses.

use crate::{field, Fr, ProtocolError};
use ark_ff::PrimeField;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A 20-byte L1 address. In the field it is its integer value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// The address as an integer below `2^160`.
    #[must_use]
    pub fn to_fr(self) -> Fr {
        Fr::from_be_bytes_mod_order(&self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = ProtocolError;

    /// Reads `0x` and 40 hex digits of any case; an EIP-55 checksum is not checked.
    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        field::fixed_hex("address", text).map(Self)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        field::serialize_bytes(&self.0, s)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        field::deserialize_bytes("address", d).map(Self)
    }
}
