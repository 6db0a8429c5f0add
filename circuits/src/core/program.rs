//! Expressions of a block as a list of steps, each distinct one once: natively they are evaluated on
//! every block of a table, and an S-box alone repeats its input sixteen times.

use std::collections::HashMap;

use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{Challenges, Expr, Grid};

/// A step; operands are numbers of earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Const([u8; 32]),
    Cell { row: i32, col: usize },
    Public(i32),
    Beta,
    Gamma,
    Add(usize, usize),
    Mul(usize, usize),
}

/// The steps of some expressions.
#[derive(Clone, Debug, Default)]
pub struct Program {
    steps: Vec<(Step, Fr)>,
    known: HashMap<Step, usize>,
}

impl Program {
    /// Takes an expression in; its value is that of the step whose number is returned. A running
    /// sum, which a grid does not have, reads as 0.
    pub fn add(&mut self, expr: &Expr) -> usize {
        let (step, constant) = match expr {
            Expr::Const(c) => (Step::Const(c.to_bytes()), *c),
            Expr::Sum(_) => (Step::Const([0; 32]), Fr::zero()),
            Expr::Cell { row, col } => (Step::Cell { row: *row, col: *col }, Fr::zero()),
            Expr::Public(i) => (Step::Public(*i), Fr::zero()),
            Expr::Beta => (Step::Beta, Fr::zero()),
            Expr::Gamma => (Step::Gamma, Fr::zero()),
            Expr::Add(a, b) => (Step::Add(self.add(a), self.add(b)), Fr::zero()),
            Expr::Mul(a, b) => (Step::Mul(self.add(a), self.add(b)), Fr::zero()),
        };
        let next = self.steps.len();
        let number = *self.known.entry(step).or_insert(next);
        if number == next {
            self.steps.push((step, constant));
        }
        number
    }

    /// The values of all steps on the block at `row`, in place of what `values` held. Cells outside
    /// of the grid read as 0.
    pub fn run(&self, grid: &Grid, row: usize, challenges: &Challenges, values: &mut Vec<Fr>) {
        values.clear();
        for (step, constant) in &self.steps {
            let value = match *step {
                Step::Const(_) => *constant,
                Step::Cell { row: offset, col } => {
                    match usize::try_from(row as i64 + i64::from(offset)) {
                        Ok(row) => grid.get(row, col),
                        Err(_) => Fr::zero(),
                    }
                }
                Step::Public(i) => {
                    let i = usize::try_from(i).ok();
                    let public = i.and_then(|i| grid.public().get(i).copied());
                    public.unwrap_or(Fr::zero())
                }
                Step::Beta => challenges.beta,
                Step::Gamma => challenges.gamma,
                Step::Add(a, b) => values[a] + values[b],
                Step::Mul(a, b) => values[a] * values[b],
            };
            values.push(value);
        }
    }
}
