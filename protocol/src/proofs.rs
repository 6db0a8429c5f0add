//! Proofs as they are stored and sent: JSON that says what is proven and for which circuit.
//!
//! A batch proof:
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
//! A block proof has `instances` instead of `shape` and `public_inputs`: twelve limbs of the
//! accumulator, then the sixteen public inputs.
//!
//! Every proof has one spelling: lower-case hex, canonical field elements, no further fields.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::inputs::{PublicInputs, COUNT};
use crate::{field, Fr};

/// Version of both formats.
pub const FORMAT: u32 = 1;
/// Limbs of the accumulator, in front of the public inputs of a block proof.
pub const ACCUMULATOR: usize = 12;
/// Instances of a block proof.
pub const INSTANCES: usize = ACCUMULATOR + COUNT;

/// Why bytes are no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Written by another release.
    #[error("{what} has format version {got}, this build reads {FORMAT}: use the release that made it, or prove again")]
    FormatVersion {
        /// What was read.
        what: &'static str,
        /// Version found.
        got: u32,
    },
    /// Not a proof.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// Place and reason.
        why: String,
    },
}

/// Names one circuit: its shape, its constraints and fixed columns, and the reference string under
/// which it is proven. Stands in every proof, stored job, version page and in the contract.
///
/// Text form: 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CircuitId([u8; 32]);

impl CircuitId {
    /// The identity with these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The first 16 hex digits: for file names and logs, not for comparisons.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..8])
    }
}

impl fmt::Display for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CircuitId {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        let read = hex::decode_to_slice(text, &mut bytes);
        match read.is_ok() && text.bytes().all(|byte| !byte.is_ascii_uppercase()) {
            true => Ok(Self(bytes)),
            false => Err(ProofError::Malformed {
                what: "circuit id",
                why: format!("expected 64 lower-case hex digits, got {text:?}"),
            }),
        }
    }
}

impl Serialize for CircuitId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CircuitId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A proof of one batch with what it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchProof {
    /// The circuit that the proof is for.
    pub circuit_id: CircuitId,
    /// Name of its shape. Informative: `circuit_id` fixes the circuit.
    pub shape: String,
    /// Public inputs, in the order of the instance column.
    pub public_inputs: Vec<Fr>,
    /// halo2's proof: SHPLONK, Poseidon transcript.
    pub proof: Vec<u8>,
}

/// The proof of a block with what it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockProof {
    /// The block circuit.
    pub circuit_id: CircuitId,
    /// Limbs of the accumulator: two points, two coordinates each, three limbs of 88 bits each.
    pub accumulator: [Fr; ACCUMULATOR],
    /// What is proven of the block.
    pub inputs: PublicInputs<Fr>,
    /// The proof: SHPLONK, Keccak transcript.
    pub proof: Vec<u8>,
}

impl BatchProof {
    const WHAT: &'static str = "batch proof";

    /// The artifact as JSON, ending in a newline.
    ///
    /// # Errors
    /// [`ProofError::Malformed`], which serde_json gives for no value of this type.
    pub fn to_json(&self) -> Result<Vec<u8>, ProofError> {
        to_json(Self::WHAT, self)
    }

    /// Reads an artifact. Whether it proves anything is for a verifier to say.
    ///
    /// # Errors
    /// [`ProofError::FormatVersion`] for an artifact of another version, [`ProofError::Malformed`]
    /// with place and reason for anything else that is not one.
    pub fn from_json(json: &[u8]) -> Result<Self, ProofError> {
        from_json(Self::WHAT, json)
    }
}

impl BlockProof {
    const WHAT: &'static str = "block proof";

    /// All instances: the limbs of the accumulator, then the public inputs.
    #[must_use]
    pub fn instances(&self) -> [Fr; INSTANCES] {
        let inputs = self.inputs.into_array();
        std::array::from_fn(|i| match i.checked_sub(ACCUMULATOR) {
            None => self.accumulator[i],
            Some(i) => inputs[i],
        })
    }

    /// The proof with these instances.
    #[must_use]
    pub fn new(circuit_id: CircuitId, instances: [Fr; INSTANCES], proof: Vec<u8>) -> Self {
        Self {
            circuit_id,
            accumulator: std::array::from_fn(|i| instances[i]),
            inputs: PublicInputs::from_array(std::array::from_fn(|i| instances[ACCUMULATOR + i])),
            proof,
        }
    }

    /// The artifact as JSON, ending in a newline.
    ///
    /// # Errors
    /// [`ProofError::Malformed`], which serde_json gives for no value of this type.
    pub fn to_json(&self) -> Result<Vec<u8>, ProofError> {
        to_json(Self::WHAT, self)
    }

    /// Reads an artifact. Whether it proves anything is for a verifier to say.
    ///
    /// # Errors
    /// As [`BatchProof::from_json`].
    pub fn from_json(json: &[u8]) -> Result<Self, ProofError> {
        from_json(Self::WHAT, json)
    }
}

fn malformed(what: &'static str, error: impl fmt::Display) -> ProofError {
    ProofError::Malformed { what, why: error.to_string() }
}

fn to_json(what: &'static str, proof: &impl Serialize) -> Result<Vec<u8>, ProofError> {
    let mut json = serde_json::to_vec_pretty(proof).map_err(|e| malformed(what, e))?;
    json.push(b'\n');
    Ok(json)
}

fn from_json<'a, T: Deserialize<'a>>(what: &'static str, json: &'a [u8]) -> Result<T, ProofError> {
    #[derive(Deserialize)]
    struct Versioned {
        format_version: u32,
    }
    // The version first: the fields of another version may differ.
    let Versioned { format_version: got } =
        serde_json::from_slice(json).map_err(|e| malformed(what, e))?;
    if got != FORMAT {
        return Err(ProofError::FormatVersion { what, got });
    }
    serde_json::from_slice(json).map_err(|e| malformed(what, e))
}

/// What stands in the file of a batch proof.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchFile {
    format_version: u32,
    circuit_id: CircuitId,
    shape: String,
    public_inputs: Vec<Element>,
    proof: Bytes,
}

/// What stands in the file of a block proof.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockFile {
    format_version: u32,
    circuit_id: CircuitId,
    instances: Vec<Element>,
    proof: Bytes,
}

/// A field element as text, in the one spelling that is read.
#[derive(Clone, Copy)]
struct Element(Fr);

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&field::to_hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let element = field::from_hex("field element", &text).map_err(serde::de::Error::custom)?;
        match field::to_hex(&element) == text {
            true => Ok(Self(element)),
            false => Err(serde::de::Error::custom(format!("{text}: upper-case hex digits"))),
        }
    }
}

/// Bytes as `0x` and lower-case hex digits.
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("0x{}", hex::encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("hex without 0x"))?;
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return Err(D::Error::custom("upper-case hex digits"));
        }
        hex::decode(digits).map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for BatchProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = BatchFile {
            format_version: FORMAT,
            circuit_id: self.circuit_id,
            shape: self.shape.clone(),
            public_inputs: self.public_inputs.iter().copied().map(Element).collect(),
            proof: Bytes(self.proof.clone()),
        };
        file.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BatchProof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = BatchFile::deserialize(deserializer)?;
        check_version(file.format_version)?;
        Ok(Self {
            circuit_id: file.circuit_id,
            shape: file.shape,
            public_inputs: file.public_inputs.into_iter().map(|e| e.0).collect(),
            proof: file.proof.0,
        })
    }
}

impl Serialize for BlockProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = BlockFile {
            format_version: FORMAT,
            circuit_id: self.circuit_id,
            instances: self.instances().map(Element).to_vec(),
            proof: Bytes(self.proof.clone()),
        };
        file.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BlockProof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = BlockFile::deserialize(deserializer)?;
        check_version(file.format_version)?;
        let instances: Vec<Fr> = file.instances.into_iter().map(|e| e.0).collect();
        let instances = <[Fr; INSTANCES]>::try_from(instances).map_err(|got| {
            serde::de::Error::custom(format!("{} instances, expected {INSTANCES}", got.len()))
        })?;
        Ok(Self::new(file.circuit_id, instances, file.proof.0))
    }
}

fn check_version<E: serde::de::Error>(got: u32) -> Result<(), E> {
    match got == FORMAT {
        true => Ok(()),
        false => Err(E::custom(format!("format version {got}, this build reads {FORMAT}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> BlockProof {
        let instances = std::array::from_fn(|i| Fr::from(i as u64));
        BlockProof::new(CircuitId::new([0xab; 32]), instances, vec![1, 2, 0xab])
    }

    fn batch() -> BatchProof {
        BatchProof {
            circuit_id: CircuitId::new([1; 32]),
            shape: "tiny".into(),
            public_inputs: vec![Fr::from(7u64), -Fr::from(1u64)],
            proof: vec![0, 0xcd],
        }
    }

    #[test]
    fn json_is_read_back_and_its_form_is_fixed() {
        assert_eq!(BlockProof::from_json(&block().to_json().unwrap()).unwrap(), block());
        assert_eq!(BatchProof::from_json(&batch().to_json().unwrap()).unwrap(), batch());
        assert_eq!(block().instances()[ACCUMULATOR], block().inputs.old_root);
        let json = String::from_utf8(batch().to_json().unwrap()).unwrap();
        let expected = format!(
            "{{\n  \"format_version\": 1,\n  \"circuit_id\": \"{}\",\n  \"shape\": \"tiny\",\n  \
             \"public_inputs\": [\n    \"0x{:064x}\",\n    \"{}\"\n  ],\n  \"proof\": \"0x00cd\"\n}}\n",
            "01".repeat(32),
            7,
            field::to_hex(&-Fr::from(1u64)),
        );
        assert_eq!(json, expected);
    }

    /// Every other spelling is refused: a proof is one artifact, not many.
    #[test]
    fn other_spellings_are_refused() {
        let json = String::from_utf8(block().to_json().unwrap()).unwrap();
        let three = format!("0x{:064x}", 3);
        let modulus = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
        let eleven = format!("0x{:064x}", 0xb);
        for (from, to) in [
            (three.as_str(), "0x03"),
            (three.as_str(), &three[2..]),
            (three.as_str(), modulus),
            (eleven.as_str(), &eleven.replace('b', "B")),
            (&format!("\"{three}\",\n"), ""),
            (&format!("\"{three}\""), &format!("\"{three}\", \"{three}\"")),
            ("0x0102ab", "0x0102AB"),
            ("0x0102ab", "0102ab"),
            ("0x0102ab", "0x0102a"),
            ("abab", "ABAB"),
            ("abab", "ab"),
            ("{\n", "{\"more\": 1,"),
        ] {
            assert!(json.contains(from), "{from}");
            let error = BlockProof::from_json(json.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(matches!(error, ProofError::Malformed { .. }), "{from}: {error}");
        }
        let other = json.replacen("\"format_version\": 1", "\"format_version\": 2", 1);
        let error = BlockProof::from_json(other.as_bytes()).unwrap_err();
        assert_eq!(error, ProofError::FormatVersion { what: "block proof", got: 2 });
        assert!(serde_json::from_str::<BlockProof>(&other).is_err());
        assert!(BatchProof::from_json(json.as_bytes()).is_err());
    }
}
