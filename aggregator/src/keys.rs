//! Keys of a block circuit: made from the batch circuit's verifying key and the SRS alone.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

use bastion_contract::protocol::{G1Point, SrsPoints};
use bastion_contract::{ContractError, PackedDescription};
use bastion_protocol::CircuitId;
use bastion_prover::artifact::{Digest, Making, Storing};
use bastion_prover::keys::VerifierKey;
use bastion_prover::plonk::packed;
use bastion_prover::progress::Progress;
use bastion_prover::srs::{Srs, SrsOrigin};
use halo2_base::gates::circuit::CircuitBuilderStage;
use halo2_base::gates::flex_gate::ThreadBreakPoints;
use halo2_proofs::halo2curves::bn256::{Bn256, Fr, G1Affine};
use halo2_proofs::plonk::{keygen_pk, keygen_vk, ConstraintSystem, ProvingKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use snark_verifier::pcs::kzg::KzgDecidingKey;
use snark_verifier_sdk::halo2::gen_dummy_snark_from_protocol;
use snark_verifier_sdk::SHPLONK;
use tracing::{info, warn};

use crate::circuit::BlockCircuit;
use crate::description::describe;
use crate::error::{panic_text, AggregatorError};
use crate::shape::{BlockParams, BlockShape, LIMBS, PUBLIC_INPUTS};
use crate::store;

/// What a verifier of block proofs needs; small enough to be sent around.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockVerifier {
    /// Identity of the block circuit.
    pub circuit_id: CircuitId,
    /// Identity of the batch circuit whose proofs it verifies.
    pub batch_circuit_id: CircuitId,
    /// Name of the batch circuit's shape.
    pub batch_shape: String,
    /// Batches in a block.
    pub batches: usize,
    /// log2 of the rows of the block circuit.
    pub k: u32,
    /// Identity of the SRS.
    pub srs_id: Digest,
    /// Whether the SRS is from a ceremony, or its secret may be known.
    pub srs_origin: SrsOrigin,
    /// The verifier as data.
    pub description: PackedDescription,
}

/// Everything that proving blocks needs.
pub struct BlockKeys {
    pub(crate) pk: ProvingKey<G1Affine>,
    pub(crate) config: BlockParams,
    /// Where halo2-base goes on in the next column: found when the keys are made, and needed to
    /// lay out the witness in the same way.
    pub(crate) break_points: ThreadBreakPoints,
    pub(crate) deciding_key: KzgDecidingKey<Bn256>,
    /// The public half.
    pub verifier: BlockVerifier,
}

/// The part of the keys that takes minutes: halo2's.
pub(crate) struct Made {
    pub(crate) pk: ProvingKey<G1Affine>,
    pub(crate) config: BlockParams,
    pub(crate) break_points: ThreadBreakPoints,
    /// Commitments to the packs of the key.
    pub(crate) commitments: Vec<G1Point>,
}

impl Made {
    /// The verifier as data.
    pub(crate) fn description(&self, srs: &Srs) -> Result<PackedDescription, AggregatorError> {
        let accumulator = (0..LIMBS).map(|row| (0, row)).collect();
        let (vk, rows) = (self.pk.get_vk(), vec![PUBLIC_INPUTS]);
        let points = SrsPoints::of(&deciding_key(srs))?;
        describe(vk, &self.commitments, rows, Some(accumulator), points)
            .map_err(|reason| ContractError::InvalidDescription(reason).into())
    }
}

impl BlockKeys {
    /// The keys for blocks of `shape.batches` proofs under `batch`: from the cache in `dir`, or
    /// made and stored there. If another process makes them, this one waits for them. A cache that
    /// is damaged is reported as a warning and replaced.
    ///
    /// # Errors
    /// If the shape cannot exist, the SRS is too small, keys cannot be made, or the keys have to be stored and cannot be.
    pub fn load_or_generate(
        dir: &Path,
        shape: BlockShape,
        batch: &VerifierKey,
        srs: &Srs,
        storing: Storing,
        progress: &Progress,
    ) -> Result<Self, AggregatorError> {
        let stage = progress.stage("block keys", shape.name(), 1);
        let path = store::path(dir, shape, batch, srs);
        let made = match store::read(&path, shape, batch, srs) {
            Ok(Some(made)) => made,
            Ok(None) | Err(_) => Self::make(&path, shape, batch, srs, storing, progress)?,
        };
        let keys = Self::finish(made, shape, batch, srs)?;
        stage.advance();
        Ok(keys)
    }

    fn make(
        path: &Path,
        shape: BlockShape,
        batch: &VerifierKey,
        srs: &Srs,
        storing: Storing,
        progress: &Progress,
    ) -> Result<Made, AggregatorError> {
        let what = format!("the keys of {}", shape.name());
        let (_turn, writable) = match Making::begin(path, &what, progress) {
            Ok(turn) => (Some(turn), Ok(())),
            Err(error) => (None, Err(error)),
        };
        storing.outcome(&what, writable)?;
        let found = store::read(path, shape, batch, srs);
        if let Ok(Some(made)) = found {
            return Ok(made);
        }
        if let Err(error) = found {
            warn!(%error, "the cached block keys are replaced");
        }
        let made = generate(shape, batch, srs)?;
        let description = made.description(srs)?;
        let id = circuit_id(shape, batch, srs, made.pk.get_vk(), &description);
        storing.outcome(&what, store::write(path, &made, &id))?;
        Ok(made)
    }

    /// Makes the keys.
    ///
    /// # Errors
    /// As [`BlockKeys::load_or_generate`].
    pub fn generate(
        shape: BlockShape,
        batch: &VerifierKey,
        srs: &Srs,
    ) -> Result<Self, AggregatorError> {
        Self::finish(generate(shape, batch, srs)?, shape, batch, srs)
    }

    /// Adds what follows from halo2's keys.
    fn finish(
        made: Made,
        shape: BlockShape,
        batch: &VerifierKey,
        srs: &Srs,
    ) -> Result<Self, AggregatorError> {
        let description = made.description(srs)?;
        let verifier = BlockVerifier {
            circuit_id: circuit_id(shape, batch, srs, made.pk.get_vk(), &description).into(),
            batch_circuit_id: batch.circuit_id(),
            batch_shape: batch.shape_name().to_owned(),
            batches: shape.batches,
            k: shape.k,
            srs_id: srs.id(),
            srs_origin: srs.origin(),
            description,
        };
        Ok(Self {
            pk: made.pk,
            config: made.config,
            break_points: made.break_points,
            deciding_key: deciding_key(srs),
            verifier,
        })
    }

    /// The verifier of block proofs as data, from which the contract is generated.
    pub fn description(&self) -> &PackedDescription {
        &self.verifier.description
    }

    /// The constraint system of the block circuit.
    pub fn constraint_system(&self) -> &ConstraintSystem<Fr> {
        self.pk.get_vk().cs()
    }

    /// The deciding key: the points of the SRS that a verifier needs.
    pub fn deciding_key(&self) -> &KzgDecidingKey<Bn256> {
        &self.deciding_key
    }

    /// Rows and columns of the circuit.
    pub fn config(&self) -> &BlockParams {
        &self.config
    }
}

fn generate(shape: BlockShape, batch: &VerifierKey, srs: &Srs) -> Result<Made, AggregatorError> {
    shape.check()?;
    // First: it takes the larger SRS, and a basis that is made in vain takes minutes.
    let packed = srs.packed(shape.k)?;
    let params = srs.params(shape.k)?;
    let failed = |reason: String| AggregatorError::Keygen { shape: shape.name(), reason };
    // halo2-base asserts, for instance that its cells fit in the rows.
    catch_unwind(AssertUnwindSafe(|| {
        let dummies: Vec<_> = (0..shape.batches)
            .map(|_| gen_dummy_snark_from_protocol::<SHPLONK>(batch.protocol().clone()))
            .collect();
        let g1 = packed.generator();
        let circuit = BlockCircuit::new(CircuitBuilderStage::Keygen, shape.k, g1, &dummies)?;
        let config = circuit.block_params();
        info!(?config, cells = ?circuit.cells(), "block circuit");
        let vk = keygen_vk(params.kzg(), &circuit).map_err(|e| e.to_string())?;
        let pk = keygen_pk(params.kzg(), vk, &circuit).map_err(|e| e.to_string())?;
        let break_points = circuit.break_points().unwrap_or_default();
        let commitments = packed::key_commitments(&packed, &pk);
        let commitments = commitments.iter().enumerate();
        let commitments = commitments
            .map(|(i, point)| G1Point::of(point, "pack of the key", i).map_err(|e| e.to_string()))
            .collect::<Result<_, _>>()?;
        Ok(Made { pk, config, break_points, commitments })
    }))
    .unwrap_or_else(|panic| Err(panic_text(panic.as_ref())))
    .map_err(failed)
}

/// Names one block circuit: the batch circuit, the number of batches, halo2's pinned verifying key,
/// and the verifier, under one SRS.
pub(crate) fn circuit_id(
    shape: BlockShape,
    batch: &VerifierKey,
    srs: &Srs,
    vk: &VerifyingKey<G1Affine>,
    description: &PackedDescription,
) -> Digest {
    Digest::of_parts(
        "bastion-block-v2",
        &[
            &batch.circuit_id().to_bytes(),
            &(shape.batches as u64).to_be_bytes(),
            format!("{:?}", vk.pinned()).as_bytes(),
            &description.digest.to_be_bytes::<32>(),
            srs.id().0.as_slice(),
        ],
    )
}

pub(crate) fn deciding_key(srs: &Srs) -> KzgDecidingKey<Bn256> {
    let (g2, s_g2) = srs.g2();
    (srs.generator(), g2, s_g2).into()
}
