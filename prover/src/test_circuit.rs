//! A small two-phase circuit for the tests of this crate: it has what the batch circuit has
//! (two phases with a challenge, a running product as a bus, an instance column, no copy
//! constraints) and little else; a lookup, if wanted, so that halo2's prover serves it.
//!
//! Statement: the columns `a` and `b` hold the same multiset of values (below 2^6, says the lookup),
//! and a[0] = instance[0], a[1] = instance[1].

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    halo2curves::{bn256::Fr, ff::Field},
    plonk::{
        Advice, Challenge, Circuit, Column, ConstraintSystem, Error, Expression, FirstPhase, Fixed,
        Instance, SecondPhase, Selector, TableColumn,
    },
    poly::Rotation,
};
use serde::{Deserialize, Serialize};

use crate::ProvableCircuit;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ToyShape {
    pub(crate) name: String,
    pub(crate) k: u32,
    pub(crate) rows: usize,
    /// Further advice columns, equal to a^4: they make the circuit wide, and one of them makes
    /// its natural degree 5.
    pub(crate) padding: usize,
    /// What `configure` declares as the degree.
    pub(crate) declared_degree: usize,
    /// Whether values are looked up.
    pub(crate) lookup: bool,
}

impl ToyShape {
    pub(crate) fn tiny() -> Self {
        Self { name: "toy".into(), k: 8, rows: 20, padding: 1, declared_degree: 5, lookup: true }
    }
}

/// The columns `a` and `b`.
type Columns = (Vec<u64>, Vec<u64>);

#[derive(Clone, Debug)]
pub(crate) struct ToyCircuit {
    pub(crate) shape: ToyShape,
    /// `None` for key generation.
    pub(crate) columns: Option<Columns>,
}

impl ToyCircuit {
    pub(crate) fn new(shape: &ToyShape, seed: u64) -> Self {
        let a: Vec<u64> = (0..shape.rows as u64).map(|i| (i * 7 + seed) % 64).collect();
        let b = a.iter().rev().copied().collect();
        Self { shape: shape.clone(), columns: Some((a, b)) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ToyConfig {
    a: Column<Advice>,
    b: Column<Advice>,
    padding: Vec<Column<Advice>>,
    /// Running product of (a + gamma) / (b + gamma).
    z: Column<Advice>,
    gamma: Challenge,
    step: Selector,
    first: Selector,
    last: Column<Fixed>,
    public: Selector,
    table: TableColumn,
    instance: Column<Instance>,
}

impl Circuit<Fr> for ToyCircuit {
    type Config = ToyConfig;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ToyShape;

    fn without_witnesses(&self) -> Self {
        Self::for_keygen(&self.shape)
    }

    fn params(&self) -> ToyShape {
        self.shape.clone()
    }

    fn configure(_: &mut ConstraintSystem<Fr>) -> ToyConfig {
        unreachable!("the shape is always given")
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, shape: ToyShape) -> ToyConfig {
        let config = ToyConfig {
            a: meta.advice_column_in(FirstPhase),
            b: meta.advice_column_in(FirstPhase),
            padding: (0..shape.padding).map(|_| meta.advice_column_in(FirstPhase)).collect(),
            z: meta.advice_column_in(SecondPhase),
            gamma: meta.challenge_usable_after(FirstPhase),
            step: meta.selector(),
            first: meta.selector(),
            last: meta.fixed_column(),
            public: meta.selector(),
            table: meta.lookup_table_column(),
            instance: meta.instance_column(),
        };
        let ToyConfig { a, b, z, gamma, step, first, last, public, table, instance, .. } =
            config.clone();
        let one = Expression::Constant(Fr::ONE);
        meta.create_gate("bus", |meta| {
            let gamma = meta.query_challenge(gamma);
            let (z_now, z_next) =
                (meta.query_advice(z, Rotation::cur()), meta.query_advice(z, Rotation::next()));
            let a = meta.query_advice(a, Rotation::cur());
            let b = meta.query_advice(b, Rotation::cur());
            let step = meta.query_selector(step);
            let first = meta.query_selector(first);
            let last = meta.query_fixed(last, Rotation::cur());
            vec![
                first * (z_now.clone() - one.clone()),
                step * (z_next * (b + gamma.clone()) - z_now.clone() * (a + gamma)),
                last * (z_now - one),
            ]
        });
        for column in config.padding.clone() {
            meta.create_gate("padding", |meta| {
                let value = meta.query_advice(column, Rotation::cur());
                let a = meta.query_advice(a, Rotation::cur());
                vec![meta.query_selector(step) * (value - a.clone().square() * a.square())]
            });
        }
        meta.create_gate("public", |meta| {
            let value = meta.query_advice(a, Rotation::cur());
            let claimed = meta.query_instance(instance, Rotation::cur());
            vec![meta.query_selector(public) * (value - claimed)]
        });
        if shape.lookup {
            meta.lookup("range", |meta| vec![(meta.query_advice(a, Rotation::cur()), table)]);
        }
        meta.set_minimum_degree(shape.declared_degree);
        config
    }

    fn synthesize(&self, config: ToyConfig, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_table(
            || "range",
            |mut table| {
                (0..64).try_for_each(|i| {
                    let value = || Value::known(Fr::from(i as u64));
                    table.assign_cell(|| "range", config.table, i, value)
                })
            },
        )?;
        let rows = self.shape.rows;
        let value = |column: fn(&Columns) -> &Vec<u64>, i: usize| match &self.columns {
            Some(columns) => Value::known(Fr::from(column(columns)[i])),
            None => Value::unknown(),
        };
        layouter.assign_region(
            || "all",
            |mut region| {
                config.first.enable(&mut region, 0)?;
                for i in 0..rows {
                    config.step.enable(&mut region, i)?;
                    region.assign_advice(config.a, i, value(|c| &c.0, i));
                    region.assign_advice(config.b, i, value(|c| &c.1, i));
                    for column in &config.padding {
                        region.assign_advice(
                            *column,
                            i,
                            value(|c| &c.0, i).map(|v| v.square().square()),
                        );
                    }
                }
                for i in 0..2 {
                    config.public.enable(&mut region, i)?;
                }
                region.assign_fixed(config.last, rows, Fr::ONE);
                region.next_phase();
                let gamma = region.get_challenge(config.gamma);
                let mut z = Value::known(Fr::ONE);
                for i in 0..=rows {
                    region.assign_advice(config.z, i, z);
                    if i < rows {
                        let factor = value(|c| &c.0, i).zip(value(|c| &c.1, i)).zip(gamma).map(
                            |((a, b), gamma)| {
                                (a + gamma) * (b + gamma).invert().unwrap_or(Fr::ZERO)
                            },
                        );
                        z = z * factor;
                    }
                }
                Ok(())
            },
        )
    }
}

impl ProvableCircuit for ToyCircuit {
    const KIND: &'static str = "toy";
    const CODE_VERSION: u32 = 1;

    fn shape_name(params: &ToyShape) -> String {
        params.name.clone()
    }

    fn k(params: &ToyShape) -> u32 {
        params.k
    }

    fn num_instances(_: &ToyShape) -> usize {
        2
    }

    fn for_keygen(params: &ToyShape) -> Self {
        Self { shape: params.clone(), columns: None }
    }

    fn public_inputs(&self) -> Vec<Fr> {
        let first_two = |(a, _): &Columns| vec![Fr::from(a[0]), Fr::from(a[1])];
        self.columns.as_ref().map(first_two).unwrap_or_default()
    }
}
