//! The halo2 circuit over the table descriptions.

use std::collections::HashMap;

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{
        Advice, Challenge, Circuit, Column, ConstraintSystem, Error, Expression, FirstPhase, Fixed,
        Instance, SecondPhase,
    },
    poly::Rotation,
};

use crate::core::{Challenges, Constraint, Expr, Grid, Layout, RowBlock, RowKind, Selector, WIDTH};
use crate::{tables, Fr, Shape};

/// Degree of the constraints, with the selector: that of an S-box (see `hash`).
pub const DEGREE: usize = 6;

/// Columns of the circuit.
#[derive(Clone, Debug)]
pub struct Columns {
    advice: [Column<Advice>; WIDTH],
    sum: Column<Advice>,
    /// Of tables and kinds of rows ([`Selector::columns`]).
    selectors: Vec<Column<Fixed>>,
    /// 1 on the rows on which no block steps the running sum.
    carry: Column<Fixed>,
    /// 1 on the row of the final sum.
    last: Column<Fixed>,
    instance: Column<Instance>,
    beta: Challenge,
    gamma: Challenge,
    shape: Shape,
}

/// The batch circuit with its witness.
#[derive(Clone, Debug)]
pub struct BatchCircuit {
    shape: Shape,
    grid: Option<Grid>,
}

impl BatchCircuit {
    /// The circuit with a filled grid (see [`crate::witness::generate_witness`]).
    pub fn new(shape: Shape, grid: Grid) -> Self {
        Self { shape, grid: Some(grid) }
    }

    /// The circuit without a witness, for key generation.
    pub fn without_witness(shape: &Shape) -> Self {
        Self { shape: shape.clone(), grid: None }
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The witness.
    pub fn grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    /// The instance column; zeros without a witness.
    pub fn instances(&self) -> Vec<Fr> {
        self.grid.as_ref().map_or_else(
            || vec![Fr::zero(); bastion_protocol::inputs::COUNT],
            |g| g.public().to_vec(),
        )
    }
}

impl Columns {
    fn lower(&self, expr: &Expr) -> Expression<Fr> {
        match expr {
            Expr::Const(c) => Expression::Constant(*c),
            Expr::Cell { row, col } => self.advice[*col].query_cell(Rotation(*row)),
            Expr::Sum(row) => self.sum.query_cell(Rotation(*row)),
            Expr::Public(i) => self.instance.query_cell(Rotation(*i)),
            Expr::Beta => self.beta.expr(),
            Expr::Gamma => self.gamma.expr(),
            Expr::Add(a, b) => self.lower(a) + self.lower(b),
            Expr::Mul(a, b) => match (*a, *b) {
                (Expr::Const(c), x) | (x, Expr::Const(c)) => self.lower(x) * *c,
                (a, b) => self.lower(a) * self.lower(b),
            },
        }
    }

    /// Rules that hold on the rows of a selector.
    fn gate(
        &self,
        meta: &mut ConstraintSystem<Fr>,
        name: &'static str,
        selector: Selector,
        rules: Vec<Constraint>,
    ) {
        if rules.is_empty() {
            return;
        }
        let place = selector.place();
        meta.create_gate(name, |cells| {
            let held = cells.query_fixed(self.selectors[place.column], Rotation::cur());
            let others = (1..=place.members).filter(|value| *value != place.value);
            let selector = others.fold(held.clone(), |factor, value| {
                factor * (held.clone() - Expression::Constant(Fr::from(value)))
            });
            let rule = |c: Constraint| (c.name, selector.clone() * self.lower(&c.poly));
            rules.into_iter().map(rule).collect::<Vec<_>>()
        });
    }

    fn configure(meta: &mut ConstraintSystem<Fr>, shape: Shape) -> Self {
        let advice = std::array::from_fn(|_| meta.advice_column_in(FirstPhase));
        let sum = meta.advice_column_in(SecondPhase);
        let columns = Self {
            advice,
            sum,
            selectors: Selector::columns().iter().map(|_| meta.fixed_column()).collect(),
            carry: meta.fixed_column(),
            last: meta.fixed_column(),
            instance: meta.instance_column(),
            beta: meta.challenge_usable_after(FirstPhase),
            gamma: meta.challenge_usable_after(FirstPhase),
            shape,
        };
        let blocks = tables::blocks(&columns.shape);
        for block in &blocks {
            let own = block.polynomials().into_iter().filter(|c| c.of_row.is_none()).collect();
            columns.gate(meta, block.table.name(), Selector::Table(block.table), own);
        }
        for (kind, rules) in RowKind::rules(&blocks) {
            columns.gate(meta, kind.name(), Selector::Kind(kind), rules);
        }
        meta.create_gate("bus", |cells| {
            let carry = cells.query_fixed(columns.carry, Rotation::cur());
            let last = cells.query_fixed(columns.last, Rotation::cur());
            let sum = cells.query_advice(columns.sum, Rotation::cur());
            let next = cells.query_advice(columns.sum, Rotation::next());
            [("carry", carry * (next - sum.clone())), ("sum_ends_at_zero", last * sum)]
        });
        // halo2 takes no higher degree than 5 unless it is told.
        meta.set_minimum_degree(DEGREE);
        columns
    }
}

/// Rows on which some block steps the running sum.
fn stepping_rows(layout: &Layout, blocks: &[RowBlock]) -> Vec<bool> {
    let mut steps = vec![false; layout.rows];
    for placement in &layout.blocks {
        for (offset, terms) in blocks[placement.table as usize].bus.iter().enumerate() {
            if !terms.is_empty() {
                steps[placement.row + offset] = true;
            }
        }
    }
    steps
}

impl Circuit<Fr> for BatchCircuit {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Shape;

    fn without_witnesses(&self) -> Self {
        Self::without_witness(&self.shape)
    }

    fn params(&self) -> Shape {
        self.shape.clone()
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, shape: Shape) -> Columns {
        Columns::configure(meta, shape)
    }

    fn configure(meta: &mut ConstraintSystem<Fr>) -> Columns {
        Columns::configure(meta, Shape::default())
    }

    /// One region: in this halo2 every region starts at row 0.
    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let layout = Layout::new(&self.shape);
        let blocks = tables::blocks(&self.shape);
        let places: HashMap<Selector, (Column<Fixed>, Fr)> = Selector::all()
            .map(|selector| (selector, selector.place()))
            .map(|(s, place)| (s, (columns.selectors[place.column], Fr::from(place.value))))
            .collect();
        layouter.assign_region(
            || "batch",
            |mut region| {
                for placement in &layout.blocks {
                    let kinds = &blocks[placement.table as usize].kinds;
                    let of_rows = kinds.iter().map(|(row, kind)| (Selector::Kind(*kind), *row));
                    for (selector, row) in of_rows.chain([(Selector::Table(placement.table), 0)]) {
                        let (column, value) = places[&selector];
                        region.assign_fixed(column, placement.row + row, value);
                    }
                }
                for (row, steps) in stepping_rows(&layout, &blocks).into_iter().enumerate() {
                    if !steps {
                        region.assign_fixed(columns.carry, row, Fr::one());
                    }
                }
                region.assign_fixed(columns.last, layout.rows, Fr::one());

                let Some(grid) = &self.grid else {
                    return Ok(());
                };
                for (col, column) in columns.advice.iter().enumerate() {
                    for row in 0..grid.rows() {
                        if grid.is_assigned(row, col) {
                            let value = Value::known(grid.get(row, col));
                            region.assign_advice(*column, row, value);
                        }
                    }
                }
                region.next_phase();
                let challenges = region
                    .get_challenge(columns.beta)
                    .zip(region.get_challenge(columns.gamma))
                    .map(|(beta, gamma)| Challenges { beta, gamma });
                let sums = challenges.map(|c| grid.bus_sums(&layout, &blocks, &c));
                for row in 0..=layout.rows {
                    let value = sums.as_ref().map(|s| s[row]);
                    region.assign_advice(columns.sum, row, value);
                }
                Ok(())
            },
        )
    }
}
