//! The proof artifact: JSON that says what it proves and for which circuit.
//!
//! ```json
//! {
//!   "format_version": 1,
//!   "circuit_id": "64 hex digits",
//!   "shape": "standard",
//!   "public_inputs": ["0x... 64 hex digits, big endian", "..."],
//!   "proof": "0x..."
//! }
//! ```
//!
//! There is one spelling of every proof: lower-case hex, canonical field elements, no further
//! fields.

use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use serde::{Deserialize, Serialize};

use crate::{
    keys::{CircuitId, VerifierKey},
    ProverError, Result,
};

/// Version of the envelope and of the proof in it.
pub const PROOF_FORMAT: u32 = 1;

/// A proof of one circuit with what it proves. The name is that of its main use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchProof {
    /// [`PROOF_FORMAT`].
    pub format_version: u32,
    /// The circuit that the proof is for.
    pub circuit_id: CircuitId,
    /// Name of its shape. Informative: the circuit is fixed by `circuit_id`.
    pub shape: String,
    /// Public inputs, in the order of the instance column.
    #[serde(with = "hex_fields")]
    pub public_inputs: Vec<Fr>,
    /// halo2's proof: SHPLONK, Poseidon transcript.
    #[serde(with = "hex_bytes")]
    pub proof: Vec<u8>,
}

impl BatchProof {
    pub(super) fn new(key: &VerifierKey, public_inputs: Vec<Fr>, proof: Vec<u8>) -> Self {
        Self {
            format_version: PROOF_FORMAT,
            circuit_id: key.circuit_id(),
            shape: key.shape_name().to_owned(),
            public_inputs,
            proof,
        }
    }

    /// The artifact as JSON, ending in a newline.
    ///
    /// # Errors
    /// [`ProverError::Malformed`], which serde_json gives for no value of this type.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self).map_err(malformed)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads an artifact. Whether it proves anything is for [`verify`](super::verify) to say.
    ///
    /// # Errors
    /// [`ProverError::FormatVersion`] for an artifact of another version,
    /// [`ProverError::Malformed`] with place and reason for anything else that is not one.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            format_version: u32,
        }
        // The version first: the fields of another version may differ.
        let Versioned { format_version } = serde_json::from_slice(json).map_err(malformed)?;
        check_version(format_version)?;
        serde_json::from_slice(json).map_err(malformed)
    }
}

pub(super) fn check_version(got: u32) -> Result<()> {
    if got == PROOF_FORMAT {
        return Ok(());
    }
    Err(ProverError::FormatVersion { what: "proof", expected: PROOF_FORMAT, got })
}

fn malformed(error: serde_json::Error) -> ProverError {
    ProverError::Malformed { reason: error.to_string() }
}

/// Bytes of `0x` and lower-case hex digits.
fn decode_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.strip_prefix("0x").ok_or("hex without 0x")?;
    if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
        return Err("upper-case hex digits".into());
    }
    hex::decode(digits).map_err(|e| e.to_string())
}

mod hex_bytes {
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("0x{}", hex::encode(bytes)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        super::decode_hex(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

mod hex_fields {
    use super::{Fr, PrimeField};
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(fields: &[Fr], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(fields.iter().map(|field| {
            let mut bytes = field.to_repr();
            bytes.reverse();
            format!("0x{}", hex::encode(bytes))
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Fr>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| field(text).map_err(D::Error::custom)).collect()
    }

    fn field(text: &str) -> Result<Fr, String> {
        let mut bytes: [u8; 32] = super::decode_hex(text)?
            .try_into()
            .map_err(|bytes: Vec<u8>| format!("field element of {} bytes", bytes.len()))?;
        bytes.reverse();
        Option::from(Fr::from_repr(bytes))
            .ok_or_else(|| format!("{text} is not below the modulus of BN254"))
    }
}
