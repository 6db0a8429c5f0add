//! The chip's columns and gates in halo2.

use bastion_circuits::core::{step, Challenges, Expr};
use halo2_proofs::circuit::{Cell, Region, Value};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::plonk::{
    Advice, Challenge, Column, ConstraintSystem, Expression, FirstPhase, Fixed, SecondPhase,
};
use halo2_proofs::poly::Rotation;

use super::columns::{limb_rule, ADVICE, CONSTANT, FIXED, IO};
use super::grid::Grid;
use super::layout::Layout;
use super::sums::{self, CHUNK_SUMS, STEPS, SUMS, TABLE_SUM};
use super::{gates, Kind};

/// Columns of the chip.
#[derive(Clone, Debug)]
pub struct ChipConfig {
    advice: [Column<Advice>; ADVICE],
    sums: [Column<Advice>; SUMS],
    fixed: [Column<Fixed>; FIXED],
    selectors: Vec<Column<Fixed>>,
    /// 1 on the rows of the bus.
    bus: Column<Fixed>,
    /// 1 on the first row of the bus and on the one behind it.
    ends: Column<Fixed>,
    beta: Challenge,
    gamma: Challenge,
}

impl ChipConfig {
    /// Columns and gates.
    pub fn configure(meta: &mut ConstraintSystem<Fr>) -> Self {
        let config = Self {
            advice: std::array::from_fn(|_| meta.advice_column_in(FirstPhase)),
            sums: std::array::from_fn(|_| meta.advice_column_in(SecondPhase)),
            fixed: std::array::from_fn(|_| meta.fixed_column()),
            selectors: Kind::ALL.iter().map(|_| meta.fixed_column()).collect(),
            bus: meta.fixed_column(),
            ends: meta.fixed_column(),
            beta: meta.challenge_usable_after(FirstPhase),
            gamma: meta.challenge_usable_after(FirstPhase),
        };
        meta.enable_equality(config.advice[IO]);
        let gates = gates();
        let stepping: Vec<Kind> = gates.iter().filter(|g| g.steps()).map(|g| g.kind).collect();
        for gate in gates {
            meta.create_gate(gate.kind.name(), |cells| {
                let selector =
                    cells.query_fixed(config.selectors[gate.kind as usize], Rotation::cur());
                let constraints = gate.constraints.iter().map(|c| (c.name.clone(), c.poly, 0));
                let steps = sums::steps(&gate)
                    .map(|(n, poly)| (STEPS[n].to_owned(), poly, TABLE_SUM + 1 + n));
                constraints
                    .chain(steps)
                    .map(|(name, poly, sum)| (name, selector.clone() * config.lower(&poly, sum)))
                    .collect::<Vec<_>>()
            });
        }
        meta.create_gate("bus", |cells| {
            let bus = cells.query_fixed(config.bus, Rotation::cur());
            let ends = cells.query_fixed(config.ends, Rotation::cur());
            // 1 on the rows of the bus on which no block steps the sums over relations.
            let idle = stepping.iter().fold(bus.clone(), |idle, kind| {
                idle - cells.query_fixed(config.selectors[*kind as usize], Rotation::cur())
            });
            let total = config
                .sums
                .iter()
                .map(|sum| cells.query_advice(*sum, Rotation::cur()))
                .reduce(|a, b| a + b)
                .unwrap_or(Expression::Constant(Fr::zero()));
            let mut rules = vec![("limb".to_owned(), limb_rule(), 0)];
            let chunks = (0..CHUNK_SUMS).map(|n| (n, sums::chunk_terms(n)));
            for (n, terms) in chunks.chain([(TABLE_SUM, vec![sums::table_term()])]) {
                rules.push((format!("range{n}"), step(0, &terms), n));
            }
            let rules = rules.into_iter();
            let mut constraints: Vec<(String, Expression<Fr>)> = rules
                .map(|(name, poly, sum)| (name, bus.clone() * config.lower(&poly, sum)))
                .collect();
            for (n, name) in STEPS.into_iter().enumerate() {
                let idles = config.lower(&step(0, &[]), TABLE_SUM + 1 + n);
                constraints.push((name.into(), idle.clone() * idles));
            }
            constraints.push(("ends_at_zero".into(), ends * total));
            constraints
        });
        config
    }

    fn lower(&self, expr: &Expr, sum: usize) -> Expression<Fr> {
        match expr {
            Expr::Const(c) => Expression::Constant(*c),
            Expr::Cell { row, col } if *col >= CONSTANT => {
                self.fixed[*col - CONSTANT].query_cell(Rotation(*row))
            }
            Expr::Cell { row, col } => self.advice[*col].query_cell(Rotation(*row)),
            Expr::Sum(row) => self.sums[sum].query_cell(Rotation(*row)),
            // No block of the chip reads public inputs: they are copied.
            Expr::Public(_) => Expression::Constant(Fr::zero()),
            Expr::Beta => self.beta.expr(),
            Expr::Gamma => self.gamma.expr(),
            Expr::Add(a, b) => self.lower(a, sum) + self.lower(b, sum),
            Expr::Mul(a, b) => match (*a, *b) {
                (Expr::Const(c), x) | (x, Expr::Const(c)) => self.lower(x, sum) * *c,
                (a, b) => self.lower(a, sum) * self.lower(b, sum),
            },
        }
    }

    /// Assigns constants and selectors.
    pub fn assign_fixed(&self, region: &mut Region<'_, Fr>, layout: &Layout) {
        let grid = layout.fixed();
        for (n, column) in self.fixed.iter().enumerate() {
            for (row, value) in grid.column(CONSTANT + n).iter().enumerate() {
                if *value != Fr::zero() {
                    region.assign_fixed(*column, row, *value);
                }
            }
        }
        for (kind, row) in layout.blocks() {
            region.assign_fixed(self.selectors[kind as usize], row, Fr::one());
        }
        for row in 0..layout.bus_rows() {
            region.assign_fixed(self.bus, row, Fr::one());
        }
        for row in [0, layout.bus_rows()] {
            region.assign_fixed(self.ends, row, Fr::one());
        }
    }

    /// Assigns the first phase.
    pub fn assign_witness(&self, region: &mut Region<'_, Fr>, grid: &Grid) {
        for (n, column) in self.advice.iter().enumerate() {
            for (row, value) in grid.column(n).iter().enumerate() {
                region.assign_advice(*column, row, Value::known(*value));
            }
        }
    }

    /// Ends the first phase and assigns the sums, if there is a witness.
    pub fn assign_sums(&self, region: &mut Region<'_, Fr>, layout: &Layout, grid: &Grid) {
        region.next_phase();
        let sums = region
            .get_challenge(self.beta)
            .zip(region.get_challenge(self.gamma))
            .map(|(beta, gamma)| sums::assign(layout, grid, &Challenges { beta, gamma }));
        for (n, column) in self.sums.iter().enumerate() {
            for row in 0..=layout.bus_rows() {
                let value = sums.as_ref().map(|sums| sums[n][row]);
                region.assign_advice(*column, row, value);
            }
        }
    }

    /// The cell of the column that copy constraints reach.
    pub fn io(&self, region: &mut Region<'_, Fr>, row: usize, value: Value<Fr>) -> Cell {
        region.assign_advice(self.advice[IO], row, value).cell()
    }
}
