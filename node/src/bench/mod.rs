//! `bastion bench`: one full block of transfers, stage by stage, and the floor of its proofs; and what
//! the sequencer accepts ([`Load`]).

mod floor;
mod load;
mod ready;
mod usage;
mod workload;

use std::collections::BTreeMap;

pub use floor::Floor;
pub(crate) use floor::{scalars, SMALL_OF_BATCH, SMALL_OF_BLOCK};
pub use load::{Latency, Load, LoadReport};
pub use ready::{ready, ReadyReport};
pub use usage::Stage;

use bastion_circuits::cost;
use bastion_circuits::{BatchCircuit, Shape};
use bastion_protocol::data::DataMode;
use bastion_protocol::Fr;
use bastion_prover::plonk::{Timings, Work};
use bastion_prover::progress::Progress;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::Arithmetic;
use bastion_state::executor::BatchContext;
use halo2_proofs::halo2curves::bn256::Fr as Scalar;
use halo2_proofs::plonk::{Circuit, ConstraintSystem};
use serde::{Deserialize, Serialize};

use crate::block::next_block;
use crate::devnet::dev_policy;
use crate::error::NodeError;
use crate::pipeline::BlockProver;
use crate::recommend::MemoryPlan;
use workload::Transfers;

/// The figures of a run.
#[derive(Debug, Serialize)]
pub struct BenchReport {
    /// Shape of the batches.
    pub shape: String,
    /// Batches of the block.
    pub batches: usize,
    /// Arithmetic of the prover: the class of processor, unless it was forced.
    pub arithmetic: &'static str,
    /// Cores that rayon uses.
    pub threads: usize,
    /// Transfers in the block.
    pub transfers: usize,
    /// The stages in order.
    pub stages: Vec<Stage>,
    /// Parts of the proofs.
    pub parts: Vec<Part>,
    /// Transfers per second, all stages together.
    pub transfers_per_second: f64,
    /// Core-seconds of all stages over the transfers.
    pub core_seconds_per_transfer: f64,
    /// Floor of one batch proof.
    pub batch_floor: Floor,
    /// Time of the batch proofs over their floor.
    pub batch_ratio: f64,
    /// Floor of the block proof.
    pub block_floor: Floor,
    /// Time of the aggregation over its floor.
    pub block_ratio: f64,
    /// Advice cells of a transfer.
    pub cells_per_transfer: usize,
    /// Commitments that a verifier of a batch proof handles.
    pub commitments: usize,
}

/// A part of the proofs of a stage.
#[derive(Debug, Serialize)]
pub struct Part {
    /// The stage: "prove" or "aggregate".
    pub stage: &'static str,
    /// The part.
    pub name: &'static str,
    /// Seconds on the clock; those of proofs that are made side by side are added up.
    pub seconds: f64,
}

/// Proves one block full of transfers between random pairs out of 2^20 accounts.
///
/// # Errors
/// If the proving fails.
pub fn run(
    shape: &Shape,
    prover: &BlockProver,
    budget: MemoryBudget,
    progress: &Progress,
) -> Result<BenchReport, NodeError> {
    let batches = prover.block.verifier.batches;
    let context =
        BatchContext { domain: Fr::from(1u64), time: 1_800_000_000, policy: dev_policy() };
    let mut stages = Vec::new();
    let (mut state, mut source) =
        Transfers::new(batches * shape.slots.ops, context.domain, context.time)?;
    let mut refused = Vec::new();
    let block = usage::measure("execute", &mut stages, || {
        next_block(
            &mut state,
            &context,
            shape,
            batches,
            DataMode::Calldata,
            &mut source,
            &mut refused,
        )
    })?
    .ok_or(NodeError::DoesNotFit { place: "a transfer".into(), shape: shape.name.clone() })?;
    let transfers = block.operations().count();
    let circuits = usage::measure("witness", &mut stages, || prover.batches.witnesses(&block))?;
    let mut parts = Vec::new();
    let budget = MemoryPlan::new(shape, batches).for_proofs(budget);
    Timings::take();
    let proofs = usage::measure("prove", &mut stages, || {
        prover.batches.prove(circuits, &prover.srs, budget, progress)
    })?;
    parts.extend(Part::all("prove", Timings::take()));
    usage::measure("aggregate", &mut stages, || {
        let key = prover.batches.keys().verifier();
        bastion_aggregator::aggregate(&prover.block, key, &proofs, &prover.srs)
    })?;
    parts.extend(Part::all("aggregate", Timings::take()));

    let seconds = |name: &str| stages.iter().filter(|s| s.name == name).map(|s| s.seconds).sum();
    let (prove, aggregate): (f64, f64) = (seconds("prove"), seconds("aggregate"));
    let total: f64 = stages.iter().map(|s| s.seconds).sum();
    let of_batch = Work::of(&system_of(shape));
    let batch_floor = Floor::measure(of_batch, shape.k, SMALL_OF_BATCH, &prover.srs)?;
    let block_floor = Floor::measure(
        Work::of_packed(prover.block.constraint_system()),
        prover.block.verifier.k,
        SMALL_OF_BLOCK,
        &prover.srs,
    )?;
    let cost = cost::report(shape)?;
    Ok(BenchReport {
        shape: shape.name.clone(),
        batches,
        arithmetic: Arithmetic::active().name(),
        threads: rayon::current_num_threads(),
        transfers,
        core_seconds_per_transfer: stages.iter().map(|s| s.core_seconds).sum::<f64>()
            / transfers as f64,
        transfers_per_second: transfers as f64 / total,
        batch_ratio: prove / (batches as f64 * batch_floor.seconds()),
        batch_floor,
        block_ratio: aggregate / block_floor.seconds(),
        block_floor,
        cells_per_transfer: cost.transfer_batch.advice_cells_per_transfer,
        commitments: cost.commitments,
        stages,
        parts,
    })
}

impl Part {
    fn all(stage: &'static str, timings: Timings) -> [Self; 4] {
        [
            ("synthesis", timings.synthesis),
            ("commit", timings.commit),
            ("quotient", timings.quotient),
            ("open", timings.open),
        ]
        .map(|(name, time)| Self { stage, name, seconds: time.as_secs_f64() })
    }
}

fn system_of(shape: &Shape) -> ConstraintSystem<Scalar> {
    let mut system = ConstraintSystem::default();
    BatchCircuit::configure_with_params(&mut system, shape.clone());
    system
}

/// What a change may not make worse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Shape that it is of.
    pub shape: String,
    /// Advice cells of a transfer in a full batch.
    pub cells_per_transfer: usize,
    /// Commitments of a batch proof.
    pub commitments: usize,
    /// Ratios by the name of the arithmetic: one path's say nothing about another's.
    pub ratios: BTreeMap<String, Ratios>,
}

/// Times over the floor of the same run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratios {
    /// Of the batch proofs.
    pub batch: f64,
    /// Of the aggregation.
    pub block: f64,
}

/// Part by which a ratio of times may exceed the baseline's: machines are never quite quiet.
const TOLERANCE: f64 = 0.2;

impl BenchReport {
    /// What is worse than the baseline, one line each.
    pub fn worse_than(&self, baseline: &Baseline) -> Vec<String> {
        let mut worse = Vec::new();
        let mut more = |what: &str, now: f64, before: f64, tolerance: f64| {
            if now > before * (1.0 + tolerance) {
                worse.push(format!("{what}: {now:.2}, the baseline is {before:.2}"));
            }
        };
        let (now, before) = (self.cells_per_transfer, baseline.cells_per_transfer);
        more("cells per transfer", now as f64, before as f64, 0.0);
        let (now, before) = (self.commitments, baseline.commitments);
        more("commitments", now as f64, before as f64, 0.0);
        if let Some(ratios) = baseline.ratios.get(self.arithmetic) {
            let (now, before) = (self.batch_ratio, ratios.batch);
            more("batch proofs over their floor", now, before, TOLERANCE);
            let (now, before) = (self.block_ratio, ratios.block);
            more("aggregation over its floor", now, before, TOLERANCE);
        }
        worse
    }
}
