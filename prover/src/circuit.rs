//! What this crate asks of a circuit.

use bastion_circuits::{BatchCircuit, Shape};
use bastion_protocol::inputs;
use halo2_proofs::{halo2curves::bn256::Fr, plonk::Circuit};
use serde::Serialize;

/// A circuit with one instance column that can be keyed, proven and named.
///
/// Everything that fixes the circuit is in its `Params` (its shape): nothing comes from the
/// environment, and two circuits with equal params have equal keys.
pub trait ProvableCircuit: Circuit<Fr, Params: Clone + Serialize> {
    /// What the circuit is, in file names and as a domain of identities: "batch".
    const KIND: &'static str;

    /// Raised with every change of the constraints or of the fixed columns, so that cached keys
    /// of an older build are not taken for keys of this one.
    const CODE_VERSION: u32;

    /// Short name of a shape, for people and for file names.
    fn shape_name(params: &Self::Params) -> String;

    /// log2 of the number of rows.
    fn k(params: &Self::Params) -> u32;

    /// Number of public inputs.
    fn num_instances(params: &Self::Params) -> usize;

    /// The circuit without a witness, for key generation.
    fn for_keygen(params: &Self::Params) -> Self;

    /// The public inputs that the witness leads to.
    fn public_inputs(&self) -> Vec<Fr>;

    /// Positions (column, row) of the limbs of an accumulator among the public inputs, if the
    /// circuit verifies proofs itself.
    fn accumulator_indices() -> Option<Vec<(usize, usize)>> {
        None
    }
}

impl ProvableCircuit for BatchCircuit {
    const KIND: &'static str = "batch";
    const CODE_VERSION: u32 = 4;

    fn shape_name(shape: &Shape) -> String {
        shape.name.clone()
    }

    fn k(shape: &Shape) -> u32 {
        shape.k
    }

    fn num_instances(_: &Shape) -> usize {
        inputs::COUNT
    }

    fn for_keygen(shape: &Shape) -> Self {
        Self::without_witness(shape)
    }

    fn public_inputs(&self) -> Vec<Fr> {
        self.instances()
    }
}
