//! The block circuit: verifies N batch proofs (SHPLONK, verifying key as constants), links their
//! public inputs, and exposes the accumulator, the first inputs and the last outputs.

use halo2_base::gates::circuit::CircuitBuilderStage;
use halo2_proofs::halo2curves::bn256::Bn256;
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use serde::{Deserialize, Serialize};
use snark_verifier_sdk::halo2::aggregation::{
    AggregationCircuit, AggregationConfigParams, VerifierUniversality,
};
use snark_verifier_sdk::{Snark, SHPLONK};

use crate::error::AggregatorError;

/// Limbs of the accumulator, which come first among the public inputs.
pub const LIMBS: usize = 12;
/// Public inputs of a block proof: the limbs and the ten of the protocol, section 7.
pub const PUBLIC_INPUTS: usize = LIMBS + bastion_circuits::head::PUBLIC_INPUTS;

/// Least size: with fewer rows even one small proof takes more columns than the L1 verifier bears.
pub(crate) const MIN_K: u32 = 14;
/// Largest size: the order of the field's group of roots of unity is `2^28`.
pub(crate) const MAX_K: u32 = 28;

/// Names of a batch's public inputs.
pub(crate) const NAMES: [&str; bastion_circuits::head::PUBLIC_INPUTS] = [
    "old_root",
    "new_root",
    "c_in",
    "c_out",
    "y_in",
    "y_out",
    "policy_root",
    "domain",
    "time",
    "r",
];

/// Pairs (output of a batch, input of the next) that must be equal.
pub const LINKS: [(usize, usize); 3] = [(1, 0), (3, 2), (5, 4)];
/// First public input that is the same in all batches.
pub(crate) const SHARED: usize = 6;
/// Outputs: exposed of the last batch. All others are exposed of the first.
const OUTPUTS: [usize; 3] = [1, 3, 5];

/// Size of a block circuit.
///
/// The columns follow: halo2-base is asked for as few as the rows allow. Lookups take one bit less
/// than the rows, which leaves the table just enough room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockShape {
    /// Batch proofs that it verifies.
    pub batches: usize,
    /// log2 of the number of rows.
    pub k: u32,
}

impl BlockShape {
    /// The shape for a number of batches: rows grow with them, so that the columns, which the L1
    /// verifier pays for, do not. The same for every batch shape: the circuit sees the batch
    /// circuit's columns, of which all shapes have the same number, and not its rows.
    pub fn for_batches(batches: usize) -> Self {
        let k = match batches {
            0 | 1 => 20,
            2 => 21,
            3 | 4 => 22,
            _ => 23,
        };
        Self { batches, k }
    }

    /// Short name, for people and for file names.
    pub fn name(self) -> String {
        format!("block-{}x-k{}", self.batches, self.k)
    }

    /// halo2-base's parameters, with the columns still to be counted.
    ///
    /// # Errors
    /// [`AggregatorError::BadShape`], where halo2-base would panic.
    pub(crate) fn config(self) -> Result<AggregationConfigParams, AggregatorError> {
        let Self { batches, k } = self;
        if batches == 0 || !(MIN_K..=MAX_K).contains(&k) {
            return Err(AggregatorError::BadShape { batches, k });
        }
        Ok(AggregationConfigParams {
            degree: self.k,
            lookup_bits: self.k as usize - 1,
            ..Default::default()
        })
    }
}

/// Builds the circuit over batch proofs (or dummies, for keys).
///
/// `snarks` must not be empty. snark-verifier panics on proofs that it cannot parse; that a proof
/// parses but does not hold shows only in the accumulator.
pub(crate) fn build(
    stage: CircuitBuilderStage,
    config: AggregationConfigParams,
    params: &ParamsKZG<Bn256>,
    snarks: Vec<Snark>,
) -> AggregationCircuit {
    let mut circuit = AggregationCircuit::new::<SHPLONK>(
        stage,
        config,
        params,
        snarks,
        VerifierUniversality::None,
    );
    let batches = circuit.previous_instances().clone();
    let ctx = circuit.builder.main(0);
    for pair in batches.windows(2) {
        let [before, after] = [&pair[0], &pair[1]];
        for (output, input) in LINKS {
            ctx.constrain_equal(&before[output], &after[input]);
        }
        for (a, b) in before[SHARED..].iter().zip(&after[SHARED..]) {
            ctx.constrain_equal(a, b);
        }
    }
    if let (Some(first), Some(last)) = (batches.first(), batches.last()) {
        let exposed = (0..NAMES.len()).map(|i| {
            let batch = if OUTPUTS.contains(&i) { last } else { first };
            batch[i]
        });
        circuit.builder.assigned_instances[0].extend(exposed);
    }
    circuit
}
