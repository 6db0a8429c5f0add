//! The block proof as an artifact: JSON with one spelling for every proof.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::PrimeField;
use serde::{Deserialize, Serialize};

use crate::error::AggregatorError;
use crate::shape::{LIMBS, PUBLIC_INPUTS};

/// Version of the artifact.
pub const FORMAT: u32 = 1;

/// The final proof of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockProof {
    /// [`FORMAT`].
    pub format_version: u32,
    /// The block circuit.
    pub circuit_id: String,
    /// Accumulator limbs, then the ten public inputs; `0x` and 64 hex digits each, big endian.
    pub instances: Vec<String>,
    /// The proof (SHPLONK, Keccak transcript) in hex.
    pub proof: String,
}

impl BlockProof {
    pub(crate) fn new(circuit_id: &str, instances: &[Fr], proof: &[u8]) -> Self {
        Self {
            format_version: FORMAT,
            circuit_id: circuit_id.into(),
            instances: instances.iter().map(to_hex).collect(),
            proof: format!("0x{}", hex::encode(proof)),
        }
    }

    /// The instances as elements.
    ///
    /// # Errors
    /// [`AggregatorError::Malformed`] for anything but the right number of elements below `p`.
    pub fn instances(&self) -> Result<Vec<Fr>, AggregatorError> {
        if self.instances.len() != PUBLIC_INPUTS {
            return Err(AggregatorError::Malformed(format!(
                "{} instances, expected {PUBLIC_INPUTS}",
                self.instances.len()
            )));
        }
        self.instances.iter().map(|text| from_hex(text)).collect()
    }

    /// The proof's bytes.
    ///
    /// # Errors
    /// [`AggregatorError::Malformed`] if it is not lower-case hex behind `0x`.
    pub fn proof_bytes(&self) -> Result<Vec<u8>, AggregatorError> {
        bytes_of(&self.proof)
    }

    /// The ten public inputs of the block.
    ///
    /// # Errors
    /// Those of [`BlockProof::instances`].
    pub fn public_inputs(&self) -> Result<Vec<Fr>, AggregatorError> {
        Ok(self.instances()?.split_off(LIMBS))
    }

    /// What the contract's `verify` takes: all instances as big-endian words, and the proof.
    ///
    /// # Errors
    /// Those of [`BlockProof::instances`] and [`BlockProof::proof_bytes`].
    pub fn to_contract_input(&self) -> Result<(Vec<[u8; 32]>, Vec<u8>), AggregatorError> {
        let words = self.instances()?.iter().map(big_endian).collect();
        Ok((words, self.proof_bytes()?))
    }

    /// The artifact as JSON, ending in a newline.
    ///
    /// # Errors
    /// [`AggregatorError::Malformed`], which serde_json gives for no value of this type.
    pub fn to_json(&self) -> Result<Vec<u8>, AggregatorError> {
        let mut json = serde_json::to_vec_pretty(self).map_err(malformed)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads an artifact. Whether it proves anything is for [`verify`](crate::verify()) to say.
    ///
    /// # Errors
    /// [`AggregatorError::FormatVersion`] for an artifact of another version,
    /// [`AggregatorError::Malformed`] with place and reason for anything else that is not one.
    pub fn from_json(json: &[u8]) -> Result<Self, AggregatorError> {
        #[derive(Deserialize)]
        struct Versioned {
            format_version: u32,
        }
        // The version first: the fields of another version may differ.
        let versioned: Versioned = serde_json::from_slice(json).map_err(malformed)?;
        check_version(versioned.format_version)?;
        let proof: Self = serde_json::from_slice(json).map_err(malformed)?;
        proof.to_contract_input()?;
        Ok(proof)
    }
}

pub(crate) fn check_version(got: u32) -> Result<(), AggregatorError> {
    if got == FORMAT {
        return Ok(());
    }
    Err(AggregatorError::FormatVersion { what: "block proof", expected: FORMAT, got })
}

fn malformed(error: serde_json::Error) -> AggregatorError {
    AggregatorError::Malformed(error.to_string())
}

fn big_endian(x: &Fr) -> [u8; 32] {
    let mut bytes = x.to_repr();
    bytes.reverse();
    bytes
}

fn to_hex(x: &Fr) -> String {
    format!("0x{}", hex::encode(big_endian(x)))
}

fn bytes_of(text: &str) -> Result<Vec<u8>, AggregatorError> {
    let malformed = || AggregatorError::Malformed("not lower-case hex behind 0x".into());
    let digits = text.strip_prefix("0x").ok_or_else(malformed)?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(malformed());
    }
    hex::decode(digits).map_err(|e| AggregatorError::Malformed(e.to_string()))
}

fn from_hex(text: &str) -> Result<Fr, AggregatorError> {
    let mut bytes: [u8; 32] = bytes_of(text)?
        .try_into()
        .map_err(|_| AggregatorError::Malformed(format!("`{text}` has not 32 bytes")))?;
    bytes.reverse();
    Option::from(Fr::from_repr(bytes))
        .ok_or_else(|| AggregatorError::Malformed(format!("`{text}` is not below the modulus")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bastion_prover::ErrorClass;

    fn proof() -> BlockProof {
        let instances: Vec<Fr> = (0..PUBLIC_INPUTS as u64).map(Fr::from).collect();
        BlockProof::new("id", &instances, &[1, 2, 0xab])
    }

    #[test]
    fn json_round_trip_and_contract_words() {
        let json = proof().to_json().unwrap();
        assert_eq!(BlockProof::from_json(&json).unwrap(), proof());
        let (words, bytes) = proof().to_contract_input().unwrap();
        assert_eq!(words.len(), PUBLIC_INPUTS);
        assert_eq!(words[21][31], 21);
        assert!(words[21][..31].iter().all(|byte| *byte == 0));
        assert_eq!(bytes, [1, 2, 0xab]);
        assert_eq!(proof().public_inputs().unwrap()[0], Fr::from(LIMBS as u64));
    }

    /// Every other spelling is refused: a proof is one artifact, not many.
    #[test]
    fn other_spellings_are_refused() {
        let modulus = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
        let changes: [fn(&mut BlockProof); 6] = [
            |p| p.instances[3] = "0x03".into(),
            |p| p.instances[3] = p.instances[3].replace("0x", ""),
            |p| drop(p.instances.pop()),
            |p| p.instances.push(p.instances[0].clone()),
            |p| p.proof = "0x0102AB".into(),
            |p| p.proof = "0x0".into(),
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut changed = proof();
            change(&mut changed);
            let error = BlockProof::from_json(&changed.to_json().unwrap()).unwrap_err();
            assert_eq!(error.class(), ErrorClass::Invalid, "change {i}: {error}");
        }
        let mut changed = proof();
        changed.instances[0] = modulus.into();
        assert!(changed.instances().is_err());
        changed = proof();
        changed.format_version = 2;
        let error = BlockProof::from_json(&changed.to_json().unwrap()).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Mismatch);
        let text = String::from_utf8(proof().to_json().unwrap()).unwrap();
        let more = text.replacen('{', "{\"more\": 1,", 1);
        assert!(BlockProof::from_json(more.as_bytes()).is_err());
    }
}
