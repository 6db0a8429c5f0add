//! A two-phase circuit with a hand-made LogUp bus, no permutation argument and an instance
//! column that a gate queries directly: the shape that Bastion's batch circuit has.

use halo2_base::halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    halo2curves::{bn256::Fr, ff::Field},
    plonk::{
        Advice, Challenge, Circuit, Column, ConstraintSystem, Error, FirstPhase, Fixed, Instance,
        SecondPhase,
    },
    poly::Rotation,
};
use snark_verifier_sdk::CircuitExt;

/// Rows that carry bus tuples, and the number of public inputs.
pub const ROWS: usize = 5;

/// Proves that the public inputs, paired with their positions, are a permutation of a witness.
#[derive(Clone)]
pub struct BusCircuit {
    /// Values on the consuming side, which are the public inputs.
    pub consumed: [Fr; ROWS],
    /// `produced[i]` is the position in `consumed` that row `i` produces.
    pub order: [usize; ROWS],
}

#[derive(Clone, Debug)]
pub struct BusConfig {
    position: Column<Fixed>,
    active: Column<Fixed>,
    edge: Column<Fixed>,
    consumed: Column<Advice>,
    produced: Column<Advice>,
    produced_position: Column<Advice>,
    sum: Column<Advice>,
    public: Column<Instance>,
    tuple: Challenge,
    bus: Challenge,
}

impl Circuit<Fr> for BusCircuit {
    type Config = BusConfig;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ();

    fn params(&self) {}

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> BusConfig {
        meta.set_minimum_degree(5);
        let config = BusConfig {
            position: meta.fixed_column(),
            active: meta.fixed_column(),
            edge: meta.fixed_column(),
            consumed: meta.advice_column(),
            produced: meta.advice_column(),
            produced_position: meta.advice_column(),
            sum: meta.advice_column_in(SecondPhase),
            public: meta.instance_column(),
            tuple: meta.challenge_usable_after(FirstPhase),
            bus: meta.challenge_usable_after(FirstPhase),
        };
        let c = config.clone();
        meta.create_gate("public", |meta| {
            let active = meta.query_fixed(c.active, Rotation::cur());
            let consumed = meta.query_advice(c.consumed, Rotation::cur());
            let public = meta.query_instance(c.public, Rotation::cur());
            vec![active * (consumed - public)]
        });
        meta.create_gate("bus", |meta| {
            let active = meta.query_fixed(c.active, Rotation::cur());
            let [tuple, bus] = [c.tuple, c.bus].map(|c| meta.query_challenge(c));
            let consumed = bus.clone()
                + meta.query_advice(c.consumed, Rotation::cur())
                + tuple.clone() * meta.query_fixed(c.position, Rotation::cur());
            let produced = bus
                + meta.query_advice(c.produced, Rotation::cur())
                + tuple * meta.query_advice(c.produced_position, Rotation::cur());
            let sum = meta.query_advice(c.sum, Rotation::cur());
            let next = meta.query_advice(c.sum, Rotation::next());
            // 1/consumed - 1/produced, cleared of denominators; the square of the flag only lifts
            // the degree to five.
            let step = (next - sum) * consumed.clone() * produced.clone() - (produced - consumed);
            vec![active.clone() * active * step]
        });
        meta.create_gate("edges", |meta| {
            let edge = meta.query_fixed(c.edge, Rotation::cur());
            vec![edge * meta.query_advice(c.sum, Rotation::cur())]
        });
        config
    }

    fn synthesize(&self, c: BusConfig, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "bus",
            |mut region| {
                for row in 0..ROWS {
                    let from = self.order[row];
                    region.assign_fixed(c.position, row, Fr::from(row as u64 + 1));
                    region.assign_fixed(c.active, row, Fr::ONE);
                    region.assign_advice(c.consumed, row, Value::known(self.consumed[row]));
                    region.assign_advice(c.produced, row, Value::known(self.consumed[from]));
                    region.assign_advice(
                        c.produced_position,
                        row,
                        Value::known(Fr::from(from as u64 + 1)),
                    );
                }
                region.assign_fixed(c.edge, 0, Fr::ONE);
                region.assign_fixed(c.edge, ROWS, Fr::ONE);
                region.next_phase();
                let challenges = region.get_challenge(c.tuple).zip(region.get_challenge(c.bus));
                let mut sum = Value::known(Fr::ZERO);
                region.assign_advice(c.sum, 0, sum);
                for row in 0..ROWS {
                    let denominator = |position: usize| {
                        challenges.map(|(tuple, bus)| {
                            bus + self.consumed[position] + tuple * Fr::from(position as u64 + 1)
                        })
                    };
                    let inverse =
                        |position| denominator(position).map(|d| d.invert().unwrap_or(Fr::ZERO));
                    sum = sum + inverse(row) - inverse(self.order[row]);
                    region.assign_advice(c.sum, row + 1, sum);
                }
                Ok(())
            },
        )
    }
}

impl CircuitExt<Fr> for BusCircuit {
    fn num_instance(&self) -> Vec<usize> {
        vec![ROWS]
    }

    fn instances(&self) -> Vec<Vec<Fr>> {
        vec![self.consumed.to_vec()]
    }
}
