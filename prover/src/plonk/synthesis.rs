//! The witness of any circuit, phase by phase.
//!
//! A circuit is synthesised once. When it announces the next phase, the columns of the phase that
//! ends are handed on, and the challenges that come back are what it continues with.

use halo2_proofs::circuit::Value;
use halo2_proofs::plonk::{
    Advice, Any, Assigned, Assignment, Challenge, Circuit, Column, ConstraintSystem, Error, Fixed,
    FloorPlanner, Instance, Selector,
};

use crate::Fr;

/// Takes a phase's columns (their indices and values), and returns the challenges after it.
pub(super) type EndPhase<'a> =
    dyn FnMut(Vec<(usize, Vec<Fr>)>) -> std::io::Result<Vec<(usize, Fr)>> + 'a;

/// Collects what a circuit assigns.
struct Collector<'a, 'b> {
    columns: Vec<Vec<Fr>>,
    /// Of each column.
    phases: Vec<u8>,
    usable: usize,
    challenges: Vec<Option<Fr>>,
    public: &'a [Fr],
    phase: u8,
    end_phase: &'a mut EndPhase<'b>,
    failure: Option<std::io::Error>,
}

/// Synthesises `circuit` with columns of `n` rows, of which the first `usable` may be assigned.
/// Returns the challenges.
pub(super) fn synthesize<C: Circuit<Fr>>(
    circuit: &C,
    system: &ConstraintSystem<Fr>,
    (usable, n): (usize, usize),
    public: &[Fr],
    end_phase: &mut EndPhase<'_>,
) -> std::io::Result<Vec<Fr>> {
    let phases = system.advice_column_phase();
    let last = phases.iter().max().copied().unwrap_or(0);
    let mut collector = Collector {
        columns: vec![vec![Fr::zero(); n]; phases.len()],
        phases,
        usable,
        challenges: vec![None; system.num_challenges()],
        public,
        phase: 0,
        end_phase,
        failure: None,
    };
    // Column numbers of the configuration come out as in key generation.
    let config = C::configure_with_params(&mut ConstraintSystem::default(), circuit.params());
    let constants = system.constants().clone();
    C::FloorPlanner::synthesize(&mut collector, circuit, config, constants)
        .map_err(|e| std::io::Error::other(e.to_string()))?;
    while collector.phase <= last && collector.failure.is_none() {
        collector.next_phase();
    }
    match collector.failure {
        Some(failure) => Err(failure),
        None => Ok(collector.challenges.into_iter().map(Option::unwrap_or_default).collect()),
    }
}

impl Collector<'_, '_> {
    fn fail(&mut self, reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) {
        self.failure.get_or_insert_with(|| std::io::Error::other(reason));
    }
}

impl Assignment<Fr> for Collector<'_, '_> {
    fn assign_advice<'v>(
        &mut self,
        column: Column<Advice>,
        row: usize,
        to: Value<Assigned<Fr>>,
    ) -> Value<&'v Assigned<Fr>> {
        if row >= self.usable {
            self.fail(format!("row {row} is assigned, of {} that may be", self.usable));
            return Value::unknown();
        }
        let mut known = false;
        to.map(|value| {
            known = true;
            // Columns of a phase that has ended are handed on, and have no rows here.
            match (self.columns[column.index()].get_mut(row), value) {
                (None, _) => self.fail(format!("{column:?}, row {row} comes after its phase")),
                (Some(cell), Assigned::Trivial(x)) => *cell = x,
                (Some(cell), other) => *cell = other.evaluate(),
            }
        });
        if !known {
            self.fail(format!("{column:?}, row {row} has no value"));
        }
        Value::unknown()
    }

    fn next_phase(&mut self) {
        let ends = self.phase;
        self.phase += 1;
        let columns = self.columns.iter_mut().enumerate();
        let columns = columns.filter(|(i, _)| self.phases[*i] == ends);
        let columns = columns.map(|(i, column)| (i, std::mem::take(column)));
        let columns: Vec<_> = columns.collect();
        match (self.end_phase)(columns) {
            Ok(challenges) => {
                for (i, challenge) in challenges {
                    self.challenges[i] = Some(challenge);
                }
            }
            Err(e) => self.failure = self.failure.take().or(Some(e)),
        }
    }

    fn get_challenge(&self, challenge: Challenge) -> Value<Fr> {
        let known = self.challenges.get(challenge.index()).copied().flatten();
        known.map_or(Value::unknown(), Value::known)
    }

    fn query_instance(&self, _: Column<Instance>, row: usize) -> Result<Value<Fr>, Error> {
        let value = self.public.get(row).copied();
        Ok(Value::known(value.unwrap_or_default()))
    }

    // What follows concerns keys or names, and no witness.

    fn enter_region<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn exit_region(&mut self) {}

    fn annotate_column<A: FnOnce() -> AR, AR: Into<String>>(&mut self, _: A, _: Column<Any>) {}

    fn enable_selector<A: FnOnce() -> AR, AR: Into<String>>(
        &mut self,
        _: A,
        _: &Selector,
        _: usize,
    ) -> Result<(), Error> {
        Ok(())
    }

    fn assign_fixed(&mut self, _: Column<Fixed>, _: usize, _: Assigned<Fr>) {}

    fn copy(&mut self, _: Column<Any>, _: usize, _: Column<Any>, _: usize) {}

    fn fill_from_row(
        &mut self,
        _: Column<Fixed>,
        _: usize,
        _: Value<Assigned<Fr>>,
    ) -> Result<(), Error> {
        Ok(())
    }

    fn push_namespace<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn pop_namespace(&mut self, _: Option<String>) {}
}
