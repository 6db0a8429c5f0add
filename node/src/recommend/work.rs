//! The work of a proof, counted on its constraint system.

use std::sync::OnceLock;

use bastion_aggregator::circuit::BlockCircuit;
use bastion_aggregator::shape::BlockParams;
use bastion_aggregator::BlockShape;
use bastion_circuits::{BatchCircuit, Shape};
use bastion_prover::schedule::ProofCost;
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Expression};
use serde::Serialize;

use super::units::{rows, UnitCosts};
use super::BATCHES;

/// What the evaluation of gates costs more than the multiplications that are written in them: their
/// additions and the traffic, less the common parts that are computed once. Fitted so that the
/// prediction meets the core-seconds that docs/performance.md records; to be fitted again whenever
/// a prover's evaluation of gates changes, and here alone.
fn gate_factor(prover: Prover) -> f64 {
    match prover {
        Prover::Batch => 1.26,
        Prover::Block => 1.02,
    }
}

/// Cells of scalar arithmetic that a block circuit has for each batch (the aggregator's test of all
/// numbers of batches prints them).
const SCALAR_CELLS: usize = 55_850;

/// Who evaluates the gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prover {
    Batch,
    Block,
}

/// The proofs there are: counted once, the same on every machine.
pub(super) struct Works {
    /// The named shapes, with the transfers in a batch.
    pub(super) batches: Vec<(Shape, usize, Work)>,
    /// Block proofs by number of batches, all of [`BATCHES`].
    pub(super) blocks: Vec<(usize, Work)>,
}

/// Counts them.
pub(super) fn works() -> &'static Works {
    static WORKS: OnceLock<Works> = OnceLock::new();
    WORKS.get_or_init(|| Works {
        batches: Shape::all()
            .into_iter()
            .map(|shape| {
                let (transfers, work) = (shape.transfers_in_batch(), Work::batch(&shape));
                (shape, transfers, work)
            })
            .collect(),
        blocks: BATCHES
            .map(|n| (n, Work::block(BlockShape::for_batches(n))))
            .collect(),
    })
}

/// A proof.
#[derive(Clone, Debug)]
pub(super) struct Work {
    prover: Prover,
    /// log2 of the rows.
    k: u32,
    /// Multi-scalar multiplications of `2^k` terms.
    msms: usize,
    /// Transforms of size `2^k`.
    transforms: usize,
    /// Multiplications that the constraints of one row take.
    multiplications: usize,
    /// Cosets on whose rows the constraints are evaluated.
    cosets: usize,
    /// Memory that it takes.
    pub(super) memory: ProofCost,
}

/// Core-seconds of a proof by what they are spent on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CoreSeconds {
    /// Multi-scalar multiplications.
    pub msms: f64,
    /// Transforms.
    pub transforms: f64,
    /// Gates.
    pub gates: f64,
}

impl CoreSeconds {
    /// All of them.
    pub fn total(&self) -> f64 {
        self.msms + self.transforms + self.gates
    }
}

impl Work {
    /// A batch proof.
    fn batch(shape: &Shape) -> Self {
        let mut system = ConstraintSystem::default();
        BatchCircuit::configure_with_params(&mut system, shape.clone());
        Self::count(Prover::Batch, shape.k, &system)
    }

    /// A block proof.
    fn block(shape: BlockShape) -> Self {
        let mut system = ConstraintSystem::default();
        let params = BlockParams {
            k: shape.k,
            columns: (SCALAR_CELLS * shape.batches).div_ceil(1 << shape.k),
        };
        BlockCircuit::configure_with_params(&mut system, params);
        Self::count(Prover::Block, shape.k, &system)
    }

    /// The same counts as those of the floor (`bench`), and the gates.
    fn count(prover: Prover, k: u32, system: &ConstraintSystem<Fr>) -> Self {
        let degree = system.degree();
        let permuted = system.permutation().get_columns().len();
        let products = permuted.div_ceil(degree.saturating_sub(2).max(1));
        let committed = system.num_advice_columns() + products + 3 * system.lookups().len();
        let other = system.num_fixed_columns() + permuted + system.num_instance_columns();
        let pieces = degree.saturating_sub(1);
        let polynomials = system.gates().iter().flat_map(|g| g.polynomials());
        Self {
            prover,
            k,
            msms: committed + pieces + 3,
            transforms: committed + pieces + pieces * (committed + other),
            // One more for each constraint, to combine them; two for each copied column.
            multiplications: polynomials.map(|p| multiplications(p) + 1).sum::<usize>()
                + 2 * permuted,
            cosets: pieces,
            memory: ProofCost::of_system(k, system),
        }
    }

    /// What it costs.
    pub(super) fn core_seconds(&self, units: &UnitCosts) -> CoreSeconds {
        let evaluated = rows(self.k) * self.cosets as f64 * self.multiplications as f64;
        CoreSeconds {
            msms: self.msms as f64 * units.msm(self.k),
            transforms: self.transforms as f64 * units.transform(self.k),
            gates: gate_factor(self.prover) * evaluated * units.multiplication,
        }
    }
}

/// Multiplications written in an expression.
fn multiplications(expression: &Expression<Fr>) -> usize {
    let sum = |a: usize, b: usize| a + b;
    expression.evaluate(
        &|_| 0,
        &|_| 0,
        &|_| 0,
        &|_| 0,
        &|_| 0,
        &|_| 0,
        &|a| a,
        &sum,
        &|a, b| a + b + 1,
        &|a, _| a + 1,
    )
}
