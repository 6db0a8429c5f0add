//! Proving one circuit, and verifying the result.
//!
//! Proofs are SHPLONK over KZG with the Poseidon transcript of snark-verifier, so that an
//! aggregation circuit can verify them. A proof leaves [`prove`] only after halo2's verifier and
//! snark-verifier's have both accepted it.

use std::{
    io::Read,
    panic::{catch_unwind, AssertUnwindSafe},
};

use bastion_circuits::witness::convert::{to_halo2, to_state};
use bastion_protocol::BatchProof;
use halo2_proofs::{
    halo2curves::bn256::{Bn256, Fr},
    plonk::{create_proof, verify_proof},
    poly::{
        kzg::{
            commitment::KZGCommitmentScheme,
            multiopen::{ProverSHPLONK, VerifierSHPLONK},
            strategy::AccumulatorStrategy,
        },
        VerificationStrategy,
    },
};
use rand::{CryptoRng, RngCore};
use snark_verifier::{loader::native::NativeLoader, verifier::SnarkVerifier};
use snark_verifier_sdk::{
    halo2::{PoseidonTranscript, POSEIDON_SPEC},
    PlonkVerifier, Snark, SHPLONK,
};

use crate::srs::Params;
use crate::{
    keys::{CircuitKeys, ProofVerifier, VerifierKey},
    plonk, ProvableCircuit, ProverError, Result,
};

/// Bytes of a compressed point and of a scalar in a proof.
const WORD: usize = 32;
/// SHPLONK opens everything with two points.
const SHPLONK_POINTS: usize = 2;

/// Proves `circuit` and verifies the proof.
///
/// `params` must be those of the SRS that `keys` were made under. `rng` blinds the witness: a
/// predictable one gives valid proofs that leak.
///
/// # Errors
/// * [`ProverError::Proving`]: halo2 gave up, or it or the circuit panicked on a witness that
///   does not have the form of the circuit. The panic is caught here.
/// * [`ProverError::SelfCheck`]: a verifier refused the proof. A witness that violates a
///   constraint ends so.
pub fn prove<C: ProvableCircuit>(
    params: &Params,
    keys: &CircuitKeys,
    circuit: C,
    rng: impl RngCore + CryptoRng,
) -> Result<BatchProof> {
    let key = keys.verifier();
    let public_inputs = circuit.public_inputs();
    let failed =
        |reason: String| ProverError::Proving { shape: key.shape_name().to_owned(), reason };
    if public_inputs.len() != key.num_instances() {
        let (got, expected) = (public_inputs.len(), key.num_instances());
        return Err(failed(format!("{got} public inputs, the circuit has {expected}")));
    }

    // Nothing that is shared is left half changed by a panic: all state is local.
    let proof = catch_unwind(AssertUnwindSafe(|| -> Result<_, String> {
        let mut transcript =
            PoseidonTranscript::<NativeLoader, Vec<u8>>::from_spec(vec![], POSEIDON_SPEC.clone());
        let vk = keys.pk().get_vk();
        if plonk::supports(vk.cs(), vk.get_domain().k()) {
            plonk::create_proof(params, keys.pk(), &circuit, &public_inputs, rng, &mut transcript)
                .map_err(|e| e.to_string())?;
            return Ok(transcript.finalize());
        }
        create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
            params.kzg(),
            keys.pk(),
            &[circuit],
            &[&[&public_inputs]],
            rng,
            &mut transcript,
        )
        .map_err(|e| e.to_string())?;
        Ok(transcript.finalize())
    }))
    .unwrap_or_else(|panic| Err(panic_text(panic.as_ref())))
    .map_err(failed)?;

    let proof = BatchProof {
        circuit_id: key.circuit_id(),
        shape: key.shape_name().to_owned(),
        public_inputs: public_inputs.iter().map(to_state).collect(),
        proof,
    };
    let refused = |verifier, reason: String| ProverError::SelfCheck {
        shape: key.shape_name().to_owned(),
        verifier,
        reason,
    };
    verify_with_halo2(&proof, key).map_err(|e| refused("halo2", e.to_string()))?;
    verify(&proof, key.proofs()).map_err(|e| refused("snark-verifier", e.to_string()))?;
    Ok(proof)
}

/// Verifies a proof with snark-verifier's native verifier, which follows the same protocol as
/// the aggregation circuit and the contract.
///
/// # Errors
/// [`ProverError::CircuitMismatch`], [`ProverError::Malformed`] (wrong number of public inputs or of bytes) or [`ProverError::Invalid`]. Never a panic.
pub fn verify(proof: &BatchProof, key: &ProofVerifier) -> Result<()> {
    check_form(proof, key)?;
    let invalid = |e: snark_verifier::Error| ProverError::Invalid { reason: format!("{e:?}") };
    let instances = [instances(proof)];
    let mut bytes = proof.proof.as_slice();
    let mut transcript = reader(&mut bytes);
    let deciding_key = key.deciding_key();
    let protocol = &key.protocol;
    let parsed =
        PlonkVerifier::<SHPLONK>::read_proof(&deciding_key, protocol, &instances, &mut transcript)
            .map_err(invalid)?;
    PlonkVerifier::<SHPLONK>::verify(&deciding_key, protocol, &instances, &parsed).map_err(invalid)
}

/// Verifies a proof with halo2's own verifier.
///
/// # Errors
/// As [`verify`].
pub fn verify_with_halo2(proof: &BatchProof, key: &VerifierKey) -> Result<()> {
    check_form(proof, key.proofs())?;
    let mut bytes = proof.proof.as_slice();
    let mut transcript = reader(&mut bytes);
    let params = key.verifier_params();
    let strategy = verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
        params,
        key.vk(),
        AccumulatorStrategy::new(params),
        &[&[&instances(proof)]],
        &mut transcript,
    )
    .map_err(|e| ProverError::Invalid { reason: e.to_string() })?;
    let accepted = VerificationStrategy::<_, VerifierSHPLONK<'_, Bn256>>::finalize(strategy);
    accepted
        .then_some(())
        .ok_or(ProverError::Invalid { reason: "the pairing equation does not hold".into() })
}

/// Length in bytes of every proof of a circuit. Checked before verification: both verifiers stop
/// reading when they have what they need, and a proof with bytes appended must not be a second
/// valid proof.
pub fn proof_len(key: &ProofVerifier) -> usize {
    let protocol = &key.protocol;
    let points = protocol.num_witness.iter().sum::<usize>() + protocol.quotient.num_chunk();
    (points + protocol.evaluations.len() + SHPLONK_POINTS) * WORD
}

/// The proof in the form that the aggregation circuit takes.
///
/// # Errors
/// As [`verify`], up to and without the verification itself.
pub fn to_snark(proof: &BatchProof, key: &VerifierKey) -> Result<Snark> {
    check_form(proof, key.proofs())?;
    Ok(Snark::new(key.protocol().clone(), vec![instances(proof)], proof.proof.clone()))
}

/// The public inputs as halo2's elements.
fn instances(proof: &BatchProof) -> Vec<Fr> {
    proof.public_inputs.iter().copied().map(to_halo2).collect()
}

fn check_form(proof: &BatchProof, key: &ProofVerifier) -> Result<()> {
    if proof.circuit_id != key.circuit_id {
        return Err(ProverError::CircuitMismatch {
            expected: key.circuit_id,
            got: proof.circuit_id,
        });
    }
    let malformed = |what: &str, got: usize, expected: usize| {
        let reason = format!("{got} {what}, circuit {} has {expected}", key.shape_name);
        Err(ProverError::Malformed { reason })
    };
    match (proof.public_inputs.len(), proof.proof.len()) {
        (got, _) if got != key.num_instances() => {
            malformed("public inputs", got, key.num_instances())
        }
        (_, got) if got != proof_len(key) => malformed("bytes of proof", got, proof_len(key)),
        _ => check_points(proof, key),
    }
}

/// Refuses points with the top bit set. halo2curves reads it as "identity" if x is 0 and ignores it
/// otherwise, so that each point would have a second encoding, and each proof many; the identity
/// itself is no commitment that an honest prover makes (every polynomial is blinded).
fn check_points(proof: &BatchProof, key: &ProofVerifier) -> Result<()> {
    let protocol = &key.protocol;
    let commitments = protocol.num_witness.iter().sum::<usize>() + protocol.quotient.num_chunk();
    let openings = commitments + protocol.evaluations.len();
    let words = proof.proof.chunks_exact(WORD).enumerate();
    let mut points = words.filter(|(i, _)| *i < commitments || *i >= openings);
    match points.find(|(_, word)| word.last().is_some_and(|top| top >> 7 == 1)) {
        None => Ok(()),
        Some((i, _)) => Err(ProverError::Malformed {
            reason: format!("the point at byte {} is not in canonical form", i * WORD),
        }),
    }
}

fn reader<R: Read>(bytes: R) -> PoseidonTranscript<NativeLoader, R> {
    PoseidonTranscript::<NativeLoader, R>::from_spec(bytes, POSEIDON_SPEC.clone())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("halo2 panicked: {}", text.unwrap_or("no message"))
}

#[cfg(test)]
mod tests;
