//! Proving blocks, and verifying block proofs natively.

use std::panic::{catch_unwind, AssertUnwindSafe};

use bastion_prover::keys::VerifierKey;
use bastion_prover::proof::BatchProof;
use bastion_prover::srs::Srs;
use halo2_base::gates::circuit::CircuitBuilderStage;
use halo2_proofs::halo2curves::bn256::{Bn256, Fr, G1Affine};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::plonk::create_proof;
use halo2_proofs::poly::kzg::commitment::KZGCommitmentScheme;
use halo2_proofs::poly::kzg::multiopen::ProverSHPLONK;
use halo2_proofs::transcript::TranscriptWriterBuffer;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use snark_verifier::loader::native::NativeLoader;
use snark_verifier::pcs::kzg::KzgDecidingKey;
use snark_verifier::system::halo2::transcript::evm::EvmTranscript;
use snark_verifier::verifier::SnarkVerifier;
use snark_verifier_sdk::{CircuitExt, PlonkVerifier, Snark, SHPLONK};

use crate::circuit::{build, LIMBS, LINKS, NAMES, PUBLIC_INPUTS, SHARED};
use crate::error::AggregatorError;
use crate::keys::{BlockKeys, BlockVerifier};

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
    /// Accumulator limbs, then the ten public inputs; `0x` and 64 hex digits each.
    pub instances: Vec<String>,
    /// The proof (SHPLONK, Keccak transcript) in hex.
    pub proof: String,
}

impl BlockProof {
    fn new(circuit_id: &str, instances: &[Fr], proof: &[u8]) -> Self {
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
        let bytes = bytes_of(&self.proof)?;
        Ok(bytes)
    }

    /// The ten public inputs of the block.
    ///
    /// # Errors
    /// Those of [`BlockProof::instances`].
    pub fn public_inputs(&self) -> Result<Vec<Fr>, AggregatorError> {
        Ok(self.instances()?.split_off(LIMBS))
    }
}

fn to_hex(x: &Fr) -> String {
    let mut bytes = x.to_repr();
    bytes.as_mut().reverse();
    format!("0x{}", hex::encode(bytes))
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
        .map_err(|_| AggregatorError::Malformed(format!("{text} has not 32 bytes")))?;
    bytes.reverse();
    Option::from(Fr::from_bytes(&bytes))
        .ok_or_else(|| AggregatorError::Malformed(format!("{text} is not below the modulus")))
}

/// Proves a block from the proofs of its batches, and verifies the result.
///
/// # Errors
/// If the proofs are not as many as the circuit takes, do not continue one another, or are invalid.
pub fn aggregate(
    keys: &BlockKeys,
    batch: &VerifierKey,
    proofs: &[BatchProof],
    srs: &Srs,
) -> Result<BlockProof, AggregatorError> {
    check_chain(keys.verifier.batches, proofs)?;
    for proof in proofs {
        bastion_prover::proof::verify(proof, batch)?;
    }
    let snarks = proofs
        .iter()
        .map(|p| p.to_snark(batch))
        .collect::<Result<Vec<_>, _>>()?;
    prove(keys, snarks, srs)
}

/// Proves whatever snarks it is given: that they are linked is left to the circuit.
fn prove(
    keys: &BlockKeys,
    snarks: Vec<Snark>,
    srs: &Srs,
) -> Result<BlockProof, AggregatorError> {
    let params = srs.params(keys.config.degree)?;
    let proven = catch_unwind(AssertUnwindSafe(|| {
        let circuit = build(CircuitBuilderStage::Prover, keys.config, &params, snarks)
            .use_break_points(keys.break_points.clone());
        let instances = circuit.instances();
        let mut transcript = TranscriptWriterBuffer::<_, G1Affine, _>::init(Vec::new());
        create_proof::<
            KZGCommitmentScheme<Bn256>,
            ProverSHPLONK<'_, Bn256>,
            _,
            _,
            EvmTranscript<G1Affine, _, _, _>,
            _,
        >(
            &*params,
            &keys.pk,
            &[circuit],
            &[&[&instances[0]]],
            OsRng,
            &mut transcript,
        )
        .map_err(|e| AggregatorError::Proving(e.to_string()))?;
        Ok((instances, transcript.finalize()))
    }));
    let (instances, bytes) = proven
        .unwrap_or_else(|_| Err(AggregatorError::Proving("the circuit panicked".into())))?;
    let proof = BlockProof::new(&keys.verifier.circuit_id, &instances[0], &bytes);
    verify(&proof, &keys.verifier, &keys.deciding_key)?;
    Ok(proof)
}

/// Names what does not link before a prover's time is spent on it.
fn check_chain(batches: usize, proofs: &[BatchProof]) -> Result<(), AggregatorError> {
    if proofs.len() != batches {
        return Err(AggregatorError::WrongNumber {
            expected: batches,
            got: proofs.len(),
        });
    }
    for (i, pair) in proofs.windows(2).enumerate() {
        let [before, after] = [&pair[0].public_inputs, &pair[1].public_inputs];
        let shared = (SHARED..NAMES.len()).map(|n| (n, n));
        for (output, input) in LINKS.into_iter().chain(shared) {
            if before.get(output) != after.get(input) {
                return Err(AggregatorError::BrokenChain {
                    batch: i + 1,
                    input: NAMES[input],
                });
            }
        }
    }
    Ok(())
}

/// Verifies a block proof natively, the accumulated pairing included.
///
/// # Errors
/// [`AggregatorError::CircuitMismatch`], [`AggregatorError::Malformed`] or
/// [`AggregatorError::Invalid`]; never a panic.
pub fn verify(
    proof: &BlockProof,
    verifier: &BlockVerifier,
    deciding_key: &KzgDecidingKey<Bn256>,
) -> Result<(), AggregatorError> {
    if proof.format_version != FORMAT {
        return Err(AggregatorError::Malformed(format!(
            "format {}, expected {FORMAT}",
            proof.format_version
        )));
    }
    if proof.circuit_id != verifier.circuit_id {
        return Err(AggregatorError::CircuitMismatch {
            expected: verifier.circuit_id.clone(),
            got: proof.circuit_id.clone(),
        });
    }
    let instances = [proof.instances()?];
    let bytes = proof.proof_bytes()?;
    // snark-verifier panics where a challenge hits a root of unity; the claim is refused then.
    let accepted = catch_unwind(AssertUnwindSafe(|| {
        let mut stream = bytes.as_slice();
        let mut transcript = EvmTranscript::<G1Affine, NativeLoader, _, _>::new(&mut stream);
        let protocol = &verifier.protocol;
        let parsed = PlonkVerifier::<SHPLONK>::read_proof(
            deciding_key,
            protocol,
            &instances,
            &mut transcript,
        )
        .map_err(|e| format!("{e:?}"))?;
        drop(transcript);
        if !stream.is_empty() {
            return Err(format!("{} bytes too many", stream.len()));
        }
        PlonkVerifier::<SHPLONK>::verify(deciding_key, protocol, &instances, &parsed)
            .map_err(|e| format!("{e:?}"))
    }));
    accepted
        .unwrap_or_else(|_| Err("degenerate challenge".into()))
        .map_err(AggregatorError::Invalid)
}
