//! From proofs to one pair of points.

use halo2_base::gates::flex_gate::threads::SinglePhaseCoreManager;
use halo2_base::AssignedValue;
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use snark_verifier::loader::{EcPointLoader, LoadedScalar};
use snark_verifier::pcs::kzg::KzgSuccinctVerifyingKey;
use snark_verifier::util::transcript::Transcript;
use snark_verifier::verifier::plonk::PlonkSuccinctVerifier;
use snark_verifier::verifier::SnarkVerifier;
use snark_verifier_sdk::{Snark, SHPLONK};

use super::points::{Combination, Loader, PointChip, Record};
use super::transcript::ChipTranscript;

/// Proofs, reduced.
pub struct Combined {
    /// Cells of scalars and their constraints.
    pub core: SinglePhaseCoreManager<Fr>,
    /// Public inputs of each proof.
    pub instances: Vec<Vec<AssignedValue<Fr>>>,
    /// The pair's points: `e(left, g2) = e(right, s_g2)`.
    pub pair: [Combination; 2],
    /// Points and permutations.
    pub record: Record,
}

/// Reads and reduces all proofs.
///
/// The pairs of the proofs are combined with powers of a challenge that is drawn from the last
/// state of every proof's transcript: each pair is a function of what that transcript absorbed.
///
/// # Errors
/// If a proof cannot be parsed. That a proof parses but does not hold shows only in the pair.
pub fn combine(
    core: SinglePhaseCoreManager<Fr>,
    g1: G1Affine,
    snarks: &[Snark],
) -> Result<Combined, String> {
    let text = |e: snark_verifier::Error| format!("{e:?}");
    let chip = PointChip::default();
    let record = chip.record.clone();
    let loader: Loader = snark_verifier::loader::halo2::Halo2Loader::new(chip, core);
    let svk: KzgSuccinctVerifyingKey<G1Affine> = g1.into();

    let mut instances = Vec::with_capacity(snarks.len());
    let mut pairs = Vec::with_capacity(snarks.len());
    let mut summary = ChipTranscript::new(&loader, &[]);
    for snark in snarks {
        let protocol = snark.protocol.loaded(&loader);
        let loaded: Vec<Vec<_>> = snark
            .instances
            .iter()
            .map(|column| column.iter().map(|x| loader.assign_scalar(*x)).collect())
            .collect();
        let mut transcript = ChipTranscript::new(&loader, snark.proof());
        let proof =
            PlonkSuccinctVerifier::<SHPLONK>::read_proof(&svk, &protocol, &loaded, &mut transcript)
                .map_err(text)?;
        if transcript.unread() > 0 {
            return Err(format!("{} bytes too many in a proof", transcript.unread()));
        }
        let accumulators =
            PlonkSuccinctVerifier::<SHPLONK>::verify(&svk, &protocol, &loaded, &proof)
                .map_err(text)?;
        summary.common_scalar(&transcript.squeeze_challenge()).map_err(text)?;
        pairs.extend(accumulators);
        instances.push(loaded.into_iter().flatten().map(|x| x.into_assigned()).collect());
    }
    let powers = summary.squeeze_challenge().powers(pairs.len());
    let side = |points: Vec<_>| {
        let terms: Vec<_> = powers.iter().zip(&points).collect();
        Loader::multi_scalar_multiplication(&terms).into_assigned()
    };
    let left = side(pairs.iter().map(|pair| pair.lhs.clone()).collect());
    let right = side(pairs.iter().map(|pair| pair.rhs.clone()).collect());
    drop((pairs, summary, powers));

    if let Some(what) = record.borrow().unsupported {
        return Err(format!("the verifier asked for {what}"));
    }
    let record = record.take();
    Ok(Combined { core: loader.take_ctx(), instances, pair: [left, right], record })
}
