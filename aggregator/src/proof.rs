//! Proving blocks, and verifying block proofs natively.

use std::panic::{catch_unwind, AssertUnwindSafe};

use bastion_audit::{Description, Verifier};
use bastion_circuits::witness::convert::to_state;
use bastion_contract::PackedDescription;
use bastion_protocol::inputs::broken_link;
use bastion_protocol::proofs::INSTANCES;
use bastion_protocol::{BatchProof, BlockProof, CircuitId};
use bastion_prover::keys::VerifierKey;
use bastion_prover::plonk::packed;
use bastion_prover::proof::to_snark;
use bastion_prover::srs::Srs;
use halo2_base::gates::circuit::CircuitBuilderStage;
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::transcript::TranscriptWriterBuffer;
use rand::rngs::OsRng;
use snark_verifier::system::halo2::transcript::evm::EvmTranscript;
use snark_verifier_sdk::Snark;

use crate::circuit::BlockCircuit;
use crate::error::{panic_text, AggregatorError};
use crate::keys::{BlockKeys, BlockVerifier};

/// Proves a block from the proofs of its batches, and verifies the result.
///
/// `batch` is the key that `keys` were made for, and `srs` the SRS.
///
/// # Errors
/// * [`AggregatorError::WrongNumber`], [`AggregatorError::BrokenChain`],
///   [`AggregatorError::Child`]: the proofs are not as many as the circuit takes, do not continue
///   one another, or do not hold. Checked before any time is spent on proving.
/// * [`AggregatorError::CircuitMismatch`]: `keys` are for another batch circuit.
/// * [`AggregatorError::Proving`], [`AggregatorError::SelfCheck`]: halo2 gave up, or made a proof
///   that does not verify.
pub fn aggregate(
    keys: &BlockKeys,
    batch: &VerifierKey,
    proofs: &[BatchProof],
    srs: &Srs,
) -> Result<BlockProof, AggregatorError> {
    let (expected, got) = (keys.verifier.batch_circuit_id, batch.circuit_id());
    if expected != got {
        return Err(AggregatorError::CircuitMismatch { what: "batch", expected, got });
    }
    check_chain(keys.verifier.batches, proofs)?;
    let mut snarks = Vec::with_capacity(proofs.len());
    for (i, proof) in proofs.iter().enumerate() {
        let snark = bastion_prover::proof::verify(proof, batch.proofs())
            .and_then(|()| to_snark(proof, batch))
            .map_err(|source| AggregatorError::Child { batch: i, source })?;
        snarks.push(snark);
    }
    let proof = prove(keys, snarks, srs)?;
    verify(&proof, &keys.verifier).map_err(|e| AggregatorError::SelfCheck(e.to_string()))?;
    Ok(proof)
}

/// Proves whatever snarks it is given: that they hold and are linked is left to the circuit and
/// to the accumulator. The result is not verified here.
pub(crate) fn prove(
    keys: &BlockKeys,
    snarks: Vec<Snark>,
    srs: &Srs,
) -> Result<BlockProof, AggregatorError> {
    let params = srs.packed(keys.config.k)?;
    let digest = keys.verifier.description.digest.to_le_bytes();
    let digest = Option::from(Fr::from_repr(digest))
        .ok_or_else(|| AggregatorError::Proving("the digest is no element".into()))?;
    let (instances, bytes) = catch_unwind(AssertUnwindSafe(|| {
        let g1 = params.generator();
        let circuit = BlockCircuit::new(CircuitBuilderStage::Prover, keys.config.k, g1, &snarks)?
            .use_break_points(keys.config, keys.break_points.clone());
        let instances = circuit.instances();
        let mut transcript = TranscriptWriterBuffer::<_, G1Affine, _>::init(Vec::new());
        packed::create_proof::<_, _, EvmTranscript<G1Affine, _, _, _>>(
            &params,
            &keys.pk,
            digest,
            &circuit,
            &instances,
            OsRng,
            &mut transcript,
        )
        .map_err(|e| e.to_string())?;
        Ok((instances, transcript.finalize()))
    }))
    .unwrap_or_else(|panic| Err(panic_text(panic.as_ref())))
    .map_err(AggregatorError::Proving)?;
    envelope(keys.verifier.circuit_id, &instances, bytes)
        .ok_or_else(|| AggregatorError::Proving(format!("{} instances", instances.len())))
}

/// The proof with halo2's instances, if they are as many as a block proof has.
pub(crate) fn envelope(
    circuit_id: CircuitId,
    instances: &[Fr],
    proof: Vec<u8>,
) -> Option<BlockProof> {
    let instances: Vec<_> = instances.iter().map(to_state).collect();
    let instances = <[_; INSTANCES]>::try_from(instances).ok()?;
    Some(BlockProof::new(circuit_id, instances, proof))
}

/// Names what does not link before a prover's time is spent on it.
fn check_chain(batches: usize, proofs: &[BatchProof]) -> Result<(), AggregatorError> {
    if proofs.len() != batches {
        return Err(AggregatorError::WrongNumber { expected: batches, got: proofs.len() });
    }
    for (i, pair) in proofs.windows(2).enumerate() {
        let [before, after] = [&pair[0].public_inputs, &pair[1].public_inputs];
        if let Some(input) = broken_link(before, after) {
            return Err(AggregatorError::BrokenChain { batch: i + 1, input });
        }
    }
    Ok(())
}

/// Verifies a block proof natively, the accumulated pairing included, with the auditors' verifier: it
/// shares no code with the prover.
///
/// # Errors
/// [`AggregatorError::CircuitMismatch`] or [`AggregatorError::Invalid`]; never a panic.
pub fn verify(proof: &BlockProof, verifier: &BlockVerifier) -> Result<(), AggregatorError> {
    let (expected, got) = (verifier.circuit_id, proof.circuit_id);
    if expected != got {
        return Err(AggregatorError::CircuitMismatch { what: "block", expected, got });
    }
    verify_under(&verifier.description, proof).map_err(AggregatorError::Invalid)
}

/// Verifies under a description; where it has an accumulator, this is decided too.
pub(crate) fn verify_under(
    description: &PackedDescription,
    proof: &BlockProof,
) -> Result<(), String> {
    let document = description.to_document().to_string();
    let document = Description::from_json(document.as_bytes()).map_err(|e| e.to_string())?;
    let verifier = Verifier::new(document).map_err(|e| e.to_string())?;
    verifier.verify(&[proof.instances().to_vec()], &proof.proof).map_err(|e| e.to_string())
}
