//! Keys of a block circuit, cached on disk.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use bastion_contract::{VerifierArtifact, VerifierDescription};
use bastion_prover::artifact::{write_atomic, write_bytes_atomic, Digest};
use bastion_prover::keys::VerifierKey;
use bastion_prover::progress::Progress;
use bastion_prover::srs::Srs;
use halo2_base::gates::circuit::CircuitBuilderStage;
use halo2_base::gates::flex_gate::MultiPhaseThreadBreakPoints;
use halo2_proofs::halo2curves::bn256::{Bn256, G1Affine};
use halo2_proofs::plonk::{keygen_pk, keygen_vk, ProvingKey};
use halo2_proofs::poly::commitment::ParamsProver;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use halo2_proofs::SerdeFormat;
use serde::{Deserialize, Serialize};
use snark_verifier::pcs::kzg::KzgDecidingKey;
use snark_verifier::system::halo2::{compile, Config};
use snark_verifier::verifier::plonk::PlonkProtocol;
use snark_verifier_sdk::halo2::aggregation::{AggregationCircuit, AggregationConfigParams};
use snark_verifier_sdk::halo2::gen_dummy_snark_from_protocol;
use snark_verifier_sdk::{CircuitExt, SHPLONK};
use tracing::{info, warn};

use crate::circuit::{build, BlockShape, PUBLIC_INPUTS};
use crate::error::AggregatorError;

/// Raised with every change of the block circuit.
const CODE_VERSION: u32 = 1;

/// What a verifier of block proofs needs; small enough to be sent around.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockVerifier {
    /// Identity of the block circuit.
    pub circuit_id: String,
    /// Identity of the batch circuit whose proofs it verifies.
    pub batch_circuit_id: String,
    /// Batches in a block.
    pub batches: usize,
    /// The protocol as snark-verifier knows it.
    pub protocol: PlonkProtocol<G1Affine>,
    /// The contract.
    pub contract: VerifierArtifact,
}

/// Everything that proving blocks needs.
pub struct BlockKeys {
    pub(crate) pk: ProvingKey<G1Affine>,
    pub(crate) config: AggregationConfigParams,
    pub(crate) break_points: MultiPhaseThreadBreakPoints,
    pub(crate) deciding_key: KzgDecidingKey<Bn256>,
    /// The public half.
    pub verifier: BlockVerifier,
}

/// Side file of a cached proving key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    config: AggregationConfigParams,
    break_points: MultiPhaseThreadBreakPoints,
    verifier: BlockVerifier,
}

impl BlockKeys {
    /// The keys for blocks of `shape.batches` proofs under `batch`: from the cache in `dir`, or
    /// made and stored there.
    ///
    /// # Errors
    /// If the SRS is too small, keys cannot be made, or the contract does not compile.
    pub fn load_or_generate(
        dir: &Path,
        shape: BlockShape,
        batch: &VerifierKey,
        srs: &Srs,
        progress: &Progress,
    ) -> Result<Self, AggregatorError> {
        let stage = progress.stage("block keys", format!("{} batches", shape.batches), 1);
        let path = cache_path(dir, shape, batch, srs);
        let deciding_key = deciding_key(&*srs.params(shape.k)?);
        let keys = match read(&path, deciding_key) {
            Some(keys) => keys,
            None => {
                let keys = generate(shape, batch, srs)?;
                if let Err(error) = keys.write(&path) {
                    warn!(%error, "the block keys cannot be cached; the next start makes them again");
                }
                keys
            }
        };
        stage.advance();
        Ok(keys)
    }

    /// The deciding key: the points of the SRS that a verifier needs.
    pub fn deciding_key(&self) -> &KzgDecidingKey<Bn256> {
        &self.deciding_key
    }

    fn write(&self, path: &Path) -> Result<(), AggregatorError> {
        write_atomic(path, |out| {
            let mut out = BufWriter::with_capacity(1 << 20, out);
            self.pk.write(&mut out, SerdeFormat::RawBytesUnchecked)?;
            out.flush()
        })?;
        let side = Side {
            config: self.config,
            break_points: self.break_points.clone(),
            verifier: self.verifier.clone(),
        };
        let json = serde_json::to_vec(&side).map_err(|e| AggregatorError::Malformed(e.to_string()))?;
        Ok(write_bytes_atomic(&path.with_extension("json"), &json)?)
    }
}

fn cache_path(dir: &Path, shape: BlockShape, batch: &VerifierKey, srs: &Srs) -> PathBuf {
    let id = Digest::of_parts(
        "bastion.block.cache",
        &[
            &CODE_VERSION.to_be_bytes(),
            &(shape.batches as u64).to_be_bytes(),
            &shape.k.to_be_bytes(),
            &batch.circuit_id().to_bytes(),
            srs.id().0.as_slice(),
        ],
    );
    dir.join(format!("block-{}.pk", id.short()))
}

/// A cached key; `None` if there is none or it does not read.
fn read(path: &Path, deciding_key: KzgDecidingKey<Bn256>) -> Option<BlockKeys> {
    let side: Side = serde_json::from_slice(&std::fs::read(path.with_extension("json")).ok()?).ok()?;
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).ok()?);
    match ProvingKey::read::<_, AggregationCircuit>(
        &mut file,
        SerdeFormat::RawBytesUnchecked,
        side.config,
    ) {
        Ok(pk) => {
            info!(path = %path.display(), "block proving key read");
            Some(BlockKeys {
                pk,
                config: side.config,
                break_points: side.break_points,
                deciding_key,
                verifier: side.verifier,
            })
        }
        Err(error) => {
            warn!(%error, "the cached block key is replaced");
            None
        }
    }
}

fn generate(
    shape: BlockShape,
    batch: &VerifierKey,
    srs: &Srs,
) -> Result<BlockKeys, AggregatorError> {
    let params = srs.params(shape.k)?;
    let dummies = (0..shape.batches)
        .map(|_| gen_dummy_snark_from_protocol::<SHPLONK>(batch.protocol().clone()))
        .collect();
    let mut circuit = build(CircuitBuilderStage::Keygen, shape.config(), &params, dummies);
    let config = circuit.calculate_params(Some(20));
    info!(?config, "block circuit");
    let failed = |e: halo2_proofs::plonk::Error| AggregatorError::Proving(e.to_string());
    let vk = keygen_vk(&*params, &circuit).map_err(failed)?;
    let pk = keygen_pk(&*params, vk, &circuit).map_err(failed)?;
    let break_points = circuit.break_points();

    let protocol = compile(
        &*params,
        pk.get_vk(),
        Config::kzg()
            .with_num_instance(vec![PUBLIC_INPUTS])
            .with_accumulator_indices(AggregationCircuit::accumulator_indices()),
    );
    let deciding_key = deciding_key(&params);
    let description = VerifierDescription::from_protocol(&protocol, &deciding_key)?;
    let contract = VerifierArtifact::build(&description)?;
    let circuit_id = Digest::of_parts(
        "bastion-block-v1",
        &[
            &batch.circuit_id().to_bytes(),
            &(shape.batches as u64).to_be_bytes(),
            format!("{:?}", pk.get_vk().pinned()).as_bytes(),
            srs.id().0.as_slice(),
        ],
    );
    Ok(BlockKeys {
        pk,
        config,
        break_points,
        deciding_key,
        verifier: BlockVerifier {
            circuit_id: circuit_id.to_string(),
            batch_circuit_id: batch.circuit_id().to_string(),
            batches: shape.batches,
            protocol,
            contract,
        },
    })
}

pub(crate) fn deciding_key(params: &ParamsKZG<Bn256>) -> KzgDecidingKey<Bn256> {
    (params.get_g()[0], params.g2(), params.s_g2()).into()
}
