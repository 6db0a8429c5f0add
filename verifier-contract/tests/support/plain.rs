//! A small one-phase circuit with everything that an aggregation circuit has (vertical gates,
//! permutation over several chunks, lookups) and more: a lookup of pairs, a second instance
//! column that gates query at two rotations, and a fixed table.

use halo2_base::halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    halo2curves::{bn256::Fr, ff::Field},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Fixed, Instance, TableColumn},
    poly::Rotation,
};
use snark_verifier_sdk::CircuitExt;

/// Advice columns with the gate `a + b * c = d` over four rows.
const GATES: usize = 4;
/// Values in the table.
const TABLE: u64 = 16;

#[derive(Clone)]
pub struct PlainCircuit {
    /// Below [`TABLE`].
    pub seed: u64,
}

#[derive(Clone, Debug)]
pub struct PlainConfig {
    gates: [(Column<Fixed>, Column<Advice>); GATES],
    looked_up: [Column<Advice>; 2],
    flag: Column<Fixed>,
    table: [TableColumn; 2],
    copied: Column<Instance>,
    queried: Column<Instance>,
}

impl PlainCircuit {
    fn output(&self, gate: usize) -> Fr {
        let seed = Fr::from(self.seed);
        seed + (seed + Fr::from(gate as u64)) * Fr::from(7)
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
        let gates = std::array::from_fn(|_| (meta.fixed_column(), meta.advice_column()));
        let looked_up = std::array::from_fn(|_| meta.advice_column());
        let flag = meta.fixed_column();
        let table = std::array::from_fn(|_| meta.lookup_table_column());
        let [copied, queried] = std::array::from_fn(|_| meta.instance_column());
        meta.enable_equality(copied);
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
            let value = meta.query_advice(looked_up[0], Rotation::cur());
            let here = meta.query_instance(queried, Rotation::cur());
            let next = meta.query_instance(queried, Rotation::next());
            vec![flag.clone() * (value - here.clone()), flag * (next - here * Fr::from(2))]
        });
        meta.lookup("pair", |meta| {
            let [a, b] = looked_up.map(|column| meta.query_advice(column, Rotation::cur()));
            vec![(a, table[0]), (b, table[1])]
        });
        for column in looked_up {
            meta.enable_equality(column);
            meta.lookup("single", |meta| {
                vec![(meta.query_advice(column, Rotation::cur()), table[0])]
            });
        }
        PlainConfig { gates, looked_up, flag, table, copied, queried }
    }

    fn synthesize(&self, c: PlainConfig, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_table(
            || "doubles",
            |mut table| {
                for i in 0..TABLE {
                    let row = i as usize;
                    table.assign_cell(|| "", c.table[0], row, || Value::known(Fr::from(i)))?;
                    let double = Fr::from(2 * i % TABLE);
                    table.assign_cell(|| "", c.table[1], row, || Value::known(double))?;
                }
                Ok(())
            },
        )?;
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
                region.assign_fixed(c.flag, 0, Fr::ONE);
                region.assign_advice(c.looked_up[0], 0, Value::known(seed));
                let double = Fr::from(2 * self.seed % TABLE);
                region.assign_advice(c.looked_up[1], 0, Value::known(double));
                Ok(outputs)
            },
        )?;
        for (row, cell) in outputs.into_iter().enumerate() {
            layouter.constrain_instance(cell, c.copied, row);
        }
        Ok(())
    }
}

impl CircuitExt<Fr> for PlainCircuit {
    fn num_instance(&self) -> Vec<usize> {
        vec![GATES, 2]
    }

    fn instances(&self) -> Vec<Vec<Fr>> {
        let queried = vec![Fr::from(self.seed), Fr::from(2 * self.seed)];
        vec![(0..GATES).map(|gate| self.output(gate)).collect(), queried]
    }
}
