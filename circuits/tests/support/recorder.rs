//! What a circuit assigns, cell by cell: an `Assignment` of halo2 that forgets nothing.
//!
//! halo2's own provers accept a cell that is assigned twice (the second value wins) and read a cell
//! that was never assigned as 0. Here the first is a panic and the second is listed.

use std::collections::{BTreeMap, BTreeSet};

use halo2_proofs::circuit::Value;
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::plonk::{
    Advice, Any, Assigned, Assignment, Challenge, Circuit, Column, ConstraintSystem, Error,
    Expression, Fixed, FloorPlanner, Instance, Selector,
};

/// A column's index and a row.
pub type Cell = (usize, usize);

/// Everything that a circuit assigned.
pub struct Recorder {
    pub advice: BTreeMap<Cell, Fr>,
    pub fixed: BTreeMap<Cell, Fr>,
    pub regions: usize,
    pub copies: usize,
    challenges: Vec<Fr>,
    instance: Vec<Fr>,
}

impl Recorder {
    /// Runs a circuit under given challenges.
    pub fn run<C: Circuit<Fr>>(
        circuit: &C,
        instance: Vec<Fr>,
        challenges: Vec<Fr>,
    ) -> (Self, ConstraintSystem<Fr>) {
        let mut system = ConstraintSystem::default();
        let config = C::configure_with_params(&mut system, circuit.params());
        let mut recorder = Self {
            advice: BTreeMap::new(),
            fixed: BTreeMap::new(),
            regions: 0,
            copies: 0,
            challenges,
            instance,
        };
        let constants = system.constants().clone();
        C::FloorPlanner::synthesize(&mut recorder, circuit, config, constants).unwrap();
        (recorder, system)
    }

    /// The constraints that do not hold, and the advice cells that one of them needs but nobody
    /// assigned. A gate whose fixed factor is 0 on a row says nothing there and needs nothing.
    pub fn check(
        &self,
        system: &ConstraintSystem<Fr>,
        challenges: &[Fr],
    ) -> (BTreeSet<String>, BTreeSet<Cell>) {
        let rows = self.fixed.keys().map(|(_, row)| row + 1).max().unwrap_or(0);
        let (mut failed, mut unassigned) = (BTreeSet::new(), BTreeSet::new());
        for gate in system.gates() {
            for (i, poly) in gate.polynomials().iter().enumerate() {
                let Expression::Product(selector, rest) = poly else {
                    panic!("{}: not of the form selector x rule", gate.name());
                };
                assert!(
                    is_fixed(selector),
                    "{}: the selector is not of fixed columns",
                    gate.name()
                );
                for row in 0..rows {
                    if self.value(selector, row, challenges, &mut unassigned) == Fr::zero() {
                        continue;
                    }
                    if self.value(rest, row, challenges, &mut unassigned) != Fr::zero() {
                        let rule = gate.constraint_name(i);
                        failed.insert(format!("{}.{rule}", gate.name()));
                    }
                }
            }
        }
        (failed, unassigned)
    }

    fn value(
        &self,
        expr: &Expression<Fr>,
        row: usize,
        challenges: &[Fr],
        unassigned: &mut BTreeSet<Cell>,
    ) -> Fr {
        let mut value = |e: &Expression<Fr>| self.value(e, row, challenges, unassigned);
        let at = |rotation: i32| row.checked_add_signed(rotation as isize);
        match expr {
            Expression::Constant(c) => *c,
            Expression::Selector(_) => panic!("halo2 selectors are not used"),
            Expression::Fixed(q) => at(q.rotation().0)
                .and_then(|row| self.fixed.get(&(q.column_index(), row)).copied())
                .unwrap_or(Fr::zero()),
            Expression::Advice(q) => {
                let row = at(q.rotation().0).expect("a rule reads above the first row");
                let cell = (q.column_index(), row);
                self.advice.get(&cell).copied().unwrap_or_else(|| {
                    unassigned.insert(cell);
                    Fr::zero()
                })
            }
            Expression::Instance(q) => at(q.rotation().0)
                .and_then(|row| self.instance.get(row).copied())
                .unwrap_or(Fr::zero()),
            Expression::Challenge(c) => challenges[c.index()],
            Expression::Negated(a) => -value(a),
            Expression::Sum(a, b) => value(a) + value(b),
            Expression::Product(a, b) => value(a) * value(b),
            Expression::Scaled(a, by) => value(a) * by,
        }
    }
}

/// Whether an expression is a fixed column on its own row, or made of such and of constants.
fn is_fixed(expression: &Expression<Fr>) -> bool {
    match expression {
        Expression::Fixed(query) => query.rotation().0 == 0,
        Expression::Constant(_) => true,
        Expression::Negated(a) | Expression::Scaled(a, _) => is_fixed(a),
        Expression::Sum(a, b) | Expression::Product(a, b) => is_fixed(a) && is_fixed(b),
        _ => false,
    }
}

impl Assignment<Fr> for Recorder {
    fn enter_region<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {
        self.regions += 1;
    }

    fn exit_region(&mut self) {}

    fn annotate_column<A: FnOnce() -> AR, AR: Into<String>>(&mut self, _: A, _: Column<Any>) {}

    fn enable_selector<A: FnOnce() -> AR, AR: Into<String>>(
        &mut self,
        _: A,
        _: &Selector,
        _: usize,
    ) -> Result<(), Error> {
        panic!("halo2 selectors are not used")
    }

    fn query_instance(&self, _: Column<Instance>, row: usize) -> Result<Value<Fr>, Error> {
        Ok(Value::known(self.instance[row]))
    }

    fn assign_advice<'v>(
        &mut self,
        column: Column<Advice>,
        row: usize,
        to: Value<Assigned<Fr>>,
    ) -> Value<&'v Assigned<Fr>> {
        to.map(|value| {
            let old = self.advice.insert((column.index(), row), value.evaluate());
            assert!(old.is_none(), "{column:?}, row {row} is assigned twice");
        });
        Value::unknown()
    }

    fn assign_fixed(&mut self, column: Column<Fixed>, row: usize, to: Assigned<Fr>) {
        let old = self.fixed.insert((column.index(), row), to.evaluate());
        assert!(old.is_none(), "{column:?}, row {row} is assigned twice");
    }

    fn copy(&mut self, _: Column<Any>, _: usize, _: Column<Any>, _: usize) {
        self.copies += 1;
    }

    fn fill_from_row(
        &mut self,
        _: Column<Fixed>,
        _: usize,
        _: Value<Assigned<Fr>>,
    ) -> Result<(), Error> {
        panic!("lookup tables are not used")
    }

    fn get_challenge(&self, challenge: Challenge) -> Value<Fr> {
        Value::known(self.challenges[challenge.index()])
    }

    fn push_namespace<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn pop_namespace(&mut self, _: Option<String>) {}
}
