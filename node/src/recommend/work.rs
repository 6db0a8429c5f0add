//! The work of a proof, counted on its constraint system.

use std::sync::OnceLock;

use bastion_aggregator::circuit::BlockCircuit;
use bastion_aggregator::shape::BlockParams;
use bastion_aggregator::BlockShape;
use bastion_circuits::{BatchCircuit, Shape};
use bastion_prover::{plonk, schedule::ProofCost};
use halo2_proofs::plonk::{Circuit, ConstraintSystem};
use serde::Serialize;

use super::units::{rows, UnitCosts};
use super::BATCHES;
use crate::bench::{SMALL_OF_BATCH, SMALL_OF_BLOCK};

/// What all of a batch proof takes longer than its multi-scalar multiplications, transforms and
/// gates: filling columns, openings, verification (recorded: 1.03 to 1.2).
const OTHER_OF_BATCH: f64 = 1.1;
/// The same of a block proof, which has running products besides.
const OTHER_OF_BLOCK: f64 = 1.2;

/// Cells of scalar arithmetic that a block circuit has for each batch (the aggregator's test of all
/// numbers of batches prints them).
const SCALAR_CELLS: usize = 98_000;

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
        blocks: BATCHES.map(|n| (n, Work::block(BlockShape::for_batches(n)))).collect(),
    })
}

/// A proof.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// log2 of the rows.
    k: u32,
    /// Commitments, transforms, gates.
    counts: plonk::Work,
    /// Part of the witness that is below `2^16`.
    small: f64,
    /// What all of it takes over the work that is counted.
    other: f64,
    /// Memory that it takes.
    pub(super) memory: ProofCost,
}

/// Core-seconds of a proof by what they are spent on, each with its part of all else.
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
    pub(super) fn batch(shape: &Shape) -> Self {
        let mut system = ConstraintSystem::default();
        BatchCircuit::configure_with_params(&mut system, shape.clone());
        let counts = plonk::Work::of(&system);
        let memory = ProofCost::of_system(shape.k, &system);
        Self { k: shape.k, counts, small: SMALL_OF_BATCH, other: OTHER_OF_BATCH, memory }
    }

    /// A block proof.
    pub(super) fn block(shape: BlockShape) -> Self {
        let mut system = ConstraintSystem::default();
        let params = BlockParams {
            k: shape.k,
            columns: (SCALAR_CELLS * shape.batches).div_ceil(1 << shape.k),
        };
        BlockCircuit::configure_with_params(&mut system, params);
        let counts = plonk::Work::of_packed(&system);
        let memory = ProofCost::of_packed_system(shape.k, &system);
        Self { k: shape.k, counts, small: SMALL_OF_BLOCK, other: OTHER_OF_BLOCK, memory }
    }

    /// What it costs.
    pub(super) fn core_seconds(&self, units: &UnitCosts) -> CoreSeconds {
        let plonk::Work { witness, further, transforms, multiplications } = self.counts;
        let of_witness = witness as f64 * units.msm(self.k, self.small);
        CoreSeconds {
            msms: self.other * (of_witness + further as f64 * units.msm(self.k, 0.0)),
            transforms: self.other * transforms as f64 * units.transform(self.k),
            gates: self.other * rows(self.k) * multiplications as f64 * units.multiplication,
        }
    }
}
