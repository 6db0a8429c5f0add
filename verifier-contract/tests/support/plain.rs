//! A small circuit with everything that a block circuit has (vertical gates, copies between columns of
//! several sets, two phases) and more: gates query the instance column at two rotations.

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    halo2curves::{bn256::Fr, ff::Field},
    plonk::{
        Advice, Challenge, Circuit, Column, ConstraintSystem, Error, FirstPhase, Fixed, Instance,
        SecondPhase,
    },
    poly::Rotation,
};

/// Advice columns with the gate `a + b * c = d` over four rows.
const GATES: usize = 4;

/// What is wrong with a witness, if anything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The output of the gate of this number does not follow from its inputs.
    Gate(usize),
    /// It is not the public input that it is equal to.
    Copy(usize),
    /// A value of the second phase that does not follow from the challenge.
    SecondPhase,
    /// A public input that is not the value that a gate compares it with.
    Public,
}

#[derive(Clone)]
pub struct PlainCircuit {
    pub seed: u64,
    pub fault: Fault,
}

#[derive(Clone, Debug)]
pub struct PlainConfig {
    gates: [(Column<Fixed>, Column<Advice>); GATES],
    flagged: Column<Advice>,
    /// The challenge times the flagged cell.
    scaled: Column<Advice>,
    challenge: Challenge,
    flag: Column<Fixed>,
    public: Column<Instance>,
}

impl PlainCircuit {
    fn output(&self, gate: usize) -> Fr {
        let seed = Fr::from(self.seed);
        let wrong = Fr::from(u64::from(self.fault == Fault::Gate(gate)));
        seed + (seed + Fr::from(gate as u64)) * Fr::from(7) + wrong
    }
}

impl Circuit<Fr> for PlainCircuit {
    type Config = PlainConfig;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ();

    fn params(&self) {}

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> PlainConfig {
        // That of block circuits, with three columns in a set of the permutation argument.
        meta.set_minimum_degree(5);
        let gates = std::array::from_fn(|_| (meta.fixed_column(), meta.advice_column()));
        let flagged = meta.advice_column();
        let scaled = meta.advice_column_in(SecondPhase);
        let challenge = meta.challenge_usable_after(FirstPhase);
        let flag = meta.fixed_column();
        let public = meta.instance_column();
        meta.enable_equality(public);
        for (selector, column) in gates {
            meta.enable_equality(column);
            meta.create_gate("vertical", |meta| {
                let q = meta.query_fixed(selector, Rotation::cur());
                let [a, b, c, d] = [0, 1, 2, 3].map(|row| meta.query_advice(column, Rotation(row)));
                vec![q * (a + b * c - d)]
            });
        }
        meta.create_gate("queried instances", |meta| {
            let flag = meta.query_fixed(flag, Rotation::cur());
            let value = meta.query_advice(flagged, Rotation::cur());
            let here = meta.query_instance(public, Rotation::cur());
            let next = meta.query_instance(public, Rotation::next());
            vec![flag.clone() * (value - here.clone()), flag * (next - here * Fr::from(2))]
        });
        meta.create_gate("scaled", |meta| {
            let flag = meta.query_fixed(flag, Rotation::cur());
            let value = meta.query_advice(flagged, Rotation::cur());
            let scaled = meta.query_advice(scaled, Rotation::prev());
            vec![flag * (scaled - meta.query_challenge(challenge) * value)]
        });
        meta.enable_equality(flagged);
        PlainConfig { gates, flagged, scaled, challenge, flag, public }
    }

    fn synthesize(&self, c: PlainConfig, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let outputs = layouter.assign_region(
            || "main",
            |mut region| {
                let seed = Fr::from(self.seed);
                let mut outputs = Vec::new();
                for (index, (selector, column)) in c.gates.into_iter().enumerate() {
                    region.assign_fixed(selector, 0, Fr::ONE);
                    let values =
                        [seed, seed + Fr::from(index as u64), Fr::from(7), self.output(index)];
                    for (row, value) in values.into_iter().enumerate() {
                        let cell = region.assign_advice(column, row, Value::known(value));
                        if row == 3 {
                            outputs.push(cell.cell());
                        }
                    }
                }
                region.assign_fixed(c.flag, GATES, Fr::ONE);
                region.assign_advice(c.flagged, GATES, Value::known(seed));
                region.next_phase();
                let wrong = Fr::from(u64::from(self.fault == Fault::SecondPhase));
                let scaled = region.get_challenge(c.challenge).map(|x| x * seed + wrong);
                region.assign_advice(c.scaled, GATES - 1, scaled);
                Ok(outputs)
            },
        )?;
        for (row, cell) in outputs.into_iter().enumerate() {
            layouter.constrain_instance(cell, c.public, row);
        }
        Ok(())
    }
}

impl PlainCircuit {
    /// The outputs, which copies reach, and behind them two values that a gate reads.
    pub fn instances(&self) -> Vec<Fr> {
        let outputs = (0..GATES).map(|gate| {
            let wrong = Fr::from(u64::from(self.fault == Fault::Copy(gate)));
            self.output(gate) + wrong
        });
        let wrong = u64::from(self.fault == Fault::Public);
        outputs.chain([Fr::from(self.seed), Fr::from(2 * self.seed + wrong)]).collect()
    }
}
