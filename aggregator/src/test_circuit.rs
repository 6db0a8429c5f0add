//! The least circuit that looks like the batch circuit from outside: two phases with a challenge,
//! an instance column that a gate queries, no copy constraints. It proves nothing: all
//! public inputs have a proof, so that tests can try what links them.

use bastion_prover::ProvableCircuit;
use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::{
    Advice, Challenge, Circuit, Column, ConstraintSystem, Error, FirstPhase, Fixed, Instance,
    SecondPhase,
};
use halo2_proofs::poly::Rotation;
use serde::Serialize;

pub(crate) const INPUTS: usize = bastion_protocol::inputs::COUNT;
pub(crate) const K: u32 = 6;

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ToyShape {
    /// Value of a fixed cell: toys of different marks are different circuits.
    pub(crate) mark: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct ToyCircuit {
    shape: ToyShape,
    inputs: [Value<Fr>; INPUTS],
}

impl ToyCircuit {
    pub(crate) fn new(inputs: [Fr; INPUTS]) -> Self {
        Self { shape: ToyShape::default(), inputs: inputs.map(Value::known) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ToyConfig {
    active: Column<Fixed>,
    value: Column<Advice>,
    scaled: Column<Advice>,
    gamma: Challenge,
    public: Column<Instance>,
}

impl Circuit<Fr> for ToyCircuit {
    type Config = ToyConfig;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ToyShape;

    fn params(&self) -> ToyShape {
        self.shape.clone()
    }

    fn without_witnesses(&self) -> Self {
        Self::for_keygen(&self.shape)
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> ToyConfig {
        let config = ToyConfig {
            active: meta.fixed_column(),
            value: meta.advice_column_in(FirstPhase),
            scaled: meta.advice_column_in(SecondPhase),
            gamma: meta.challenge_usable_after(FirstPhase),
            public: meta.instance_column(),
        };
        meta.create_gate("public", |meta| {
            let active = meta.query_fixed(config.active, Rotation::cur());
            let value = meta.query_advice(config.value, Rotation::cur());
            let public = meta.query_instance(config.public, Rotation::cur());
            vec![active * (value - public)]
        });
        meta.create_gate("scaled", |meta| {
            let active = meta.query_fixed(config.active, Rotation::cur());
            let value = meta.query_advice(config.value, Rotation::cur());
            let scaled = meta.query_advice(config.scaled, Rotation::cur());
            let gamma = meta.query_challenge(config.gamma);
            vec![active * (scaled - gamma * value.clone() * value)]
        });
        config
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, _: ToyShape) -> ToyConfig {
        Self::configure(meta)
    }

    fn synthesize(&self, config: ToyConfig, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "all",
            |mut region| {
                for (row, value) in self.inputs.iter().enumerate() {
                    region.assign_fixed(config.active, row, Fr::ONE);
                    region.assign_advice(config.value, row, *value);
                }
                region.assign_fixed(config.active, INPUTS, Fr::from(self.shape.mark));
                region.next_phase();
                let gamma = region.get_challenge(config.gamma);
                for (row, value) in self.inputs.iter().enumerate() {
                    let scaled = value.zip(gamma).map(|(value, gamma)| gamma * value.square());
                    region.assign_advice(config.scaled, row, scaled);
                }
                Ok(())
            },
        )
    }
}

impl ProvableCircuit for ToyCircuit {
    const KIND: &'static str = "toy-batch";
    const CODE_VERSION: u32 = 1;

    fn shape_name(shape: &ToyShape) -> String {
        format!("toy-{}", shape.mark)
    }

    fn k(_: &ToyShape) -> u32 {
        K
    }

    fn num_instances(_: &ToyShape) -> usize {
        INPUTS
    }

    fn for_keygen(shape: &ToyShape) -> Self {
        Self { shape: shape.clone(), inputs: [Value::unknown(); INPUTS] }
    }

    fn public_inputs(&self) -> Vec<Fr> {
        let mut inputs = Vec::new();
        for value in self.inputs {
            value.map(|value| inputs.push(value));
        }
        inputs
    }
}
