//! Constraints as code: runs of constraints of equal shape become loops over tables of operand
//! addresses, the rest becomes straight-line code.

use super::{emit::Emitter, layout::Layout, tables::Tables};
use crate::{
    error::Result,
    protocol::{Expression, VerifierDescription},
};
use alloy_primitives::U256;
use std::{collections::BTreeMap, fmt::Write};

/// Longest sequence of constraints that is tried as the body of a loop.
const MAX_PERIOD: usize = 8;
/// A loop's reads through the table cost more gas than short constraints themselves. Constraints
/// of at most this many operands, such as vertical gates, are written out...
const MAX_UNROLLED_OPERANDS: usize = 5;
/// ...unless there are so many that the code would become large.
const MAX_UNROLLED_ROUNDS: usize = 32;

/// What differs between constraints of one shape.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// A field element.
    Constant(U256),
    /// The word at an address.
    Memory(usize),
}

/// An expression whose leaves are addresses.
#[derive(Clone)]
pub(super) enum Node {
    /// The operand of this number.
    Operand(usize),
    /// A word at the same address in all constraints of the shape.
    Word(usize),
    /// Additive inverse.
    Negated(Box<Node>),
    /// Sum of two.
    Sum(Box<Node>, Box<Node>),
    /// Product of two.
    Product(Box<Node>, Box<Node>),
}

struct Lowered {
    node: Node,
    operands: Vec<Operand>,
    shape: String,
}

/// The body of the function that combines all constraints into the variable `acc`.
pub(super) fn constraints(
    d: &VerifierDescription,
    layout: &mut Layout,
    tables: &mut Tables,
) -> Result<String> {
    let mut code = String::new();
    let hoisted = hoist(d, layout, &mut code)?;
    let lowered = d
        .constraints
        .iter()
        .map(|constraint| {
            Lowering {
                layout,
                hoisted: &hoisted,
            }
            .lower(constraint)
        })
        .collect::<Result<Vec<_>>>()?;
    let mut at = 0;
    while at < lowered.len() {
        let (period, repeats) = best_run(&lowered[at..]);
        let run = &lowered[at..at + period * repeats];
        let short = period == 1
            && run[0].operands.len() <= MAX_UNROLLED_OPERANDS
            && repeats <= MAX_UNROLLED_ROUNDS;
        if repeats == 1 || short {
            for (index, constraint) in run.iter().enumerate() {
                let _ = writeln!(code, "// Constraint {}.", at + index);
                let emitter = Emitter::straight(&constraint.operands);
                accumulate(&mut code, &emitter, &constraint.node);
            }
        } else {
            let last = at + run.len() - 1;
            let _ = writeln!(
                code,
                "// Constraints {at} to {last}: {repeats} times {period}."
            );
            emit_loop(&mut code, run, period, layout, tables);
        }
        at += run.len();
    }
    Ok(code)
}

/// Computes once what several constraints share and no polynomial enters, such as the sum of the
/// Lagrange polynomials of the active rows.
fn hoist(
    d: &VerifierDescription,
    layout: &mut Layout,
    code: &mut String,
) -> Result<BTreeMap<Expression, usize>> {
    let mut counts = BTreeMap::new();
    for constraint in &d.constraints {
        count_common(constraint, &mut counts);
    }
    let mut hoisted = BTreeMap::new();
    for (expression, count) in counts {
        if count < 2 {
            continue;
        }
        let address = layout.reserve(1);
        let lowered = Lowering {
            layout,
            hoisted: &BTreeMap::new(),
        }
        .lower(&expression)?;
        let emitter = Emitter::straight(&lowered.operands);
        let _ = writeln!(code, "// Shared by {count} constraints.\n{{\n    let v0");
        code.push_str(&emitter.assign("v0", &lowered.node, 1));
        let _ = writeln!(code, "    mstore({address:#x}, v0)\n}}");
        hoisted.insert(expression, address);
    }
    Ok(hoisted)
}

/// Counts the largest subexpressions, beyond single leaves, that use no polynomial.
fn count_common(expression: &Expression, counts: &mut BTreeMap<Expression, usize>) {
    let leaf = matches!(
        expression,
        Expression::Constant(_)
            | Expression::Identity
            | Expression::Lagrange(_)
            | Expression::Challenge(_)
            | Expression::Polynomial(_)
    );
    if leaf {
        return;
    }
    if expression.queries().is_empty() {
        *counts.entry(expression.clone()).or_default() += 1;
        return;
    }
    match expression {
        Expression::Negated(a) => count_common(a, counts),
        Expression::Sum(a, b) | Expression::Product(a, b) => {
            count_common(a, counts);
            count_common(b, counts);
        }
        Expression::Powers { terms, base } => {
            terms.iter().for_each(|term| count_common(term, counts));
            count_common(base, counts);
        }
        _ => {}
    }
}

/// Period and number of repetitions of the longest run of equal shapes at the start.
fn best_run(lowered: &[Lowered]) -> (usize, usize) {
    let mut best = (1, 1);
    for period in 1..=MAX_PERIOD.min(lowered.len() / 2) {
        let matching = lowered[period..]
            .iter()
            .zip(lowered)
            .take_while(|(later, earlier)| later.shape == earlier.shape)
            .count();
        let repeats = 1 + matching / period;
        if repeats > 1 && period * repeats > best.0 * best.1 {
            best = (period, repeats);
        }
    }
    best
}

fn emit_loop(
    code: &mut String,
    run: &[Lowered],
    period: usize,
    layout: &mut Layout,
    tables: &mut Tables,
) {
    let rounds: Vec<&[Lowered]> = run.chunks(period).collect();
    // Operands that are the same in every round stay in the code, the others go to the table.
    let mut columns = Vec::new();
    let mut fixed: Vec<Vec<Option<Operand>>> = Vec::new();
    for (index, first) in rounds[0].iter().enumerate() {
        let mut known = Vec::new();
        for (j, operand) in first.operands.iter().enumerate() {
            let same = rounds
                .iter()
                .all(|round| round[index].operands[j] == *operand);
            known.push(same.then_some(*operand));
            if !same {
                columns.push((index, j));
            }
        }
        fixed.push(known);
    }
    let offset = tables.position();
    for round in &rounds {
        for &(index, j) in &columns {
            let address = match round[index].operands[j] {
                Operand::Memory(address) => address,
                Operand::Constant(value) => tables.constant(value, layout),
            };
            tables.push(address);
        }
    }
    let width = 2 * columns.len();
    // A word read 30 bytes early has its pointer in the lowest two bytes.
    let _ = writeln!(code, "{{\n    let t := sub(add(TABLES, {offset}), 30)");
    let _ = writeln!(
        code,
        "    for {{ let end := add(t, {}) }} lt(t, end) {{ t := add(t, {width}) }} {{",
        width * rounds.len()
    );
    for (index, constraint) in rounds[0].iter().enumerate() {
        let first = columns.partition_point(|column| column.0 < index);
        let emitter = Emitter::looped(&fixed[index], first);
        let mut body = String::new();
        accumulate(&mut body, &emitter, &constraint.node);
        for line in body.lines() {
            let _ = writeln!(code, "        {line}");
        }
    }
    code.push_str("    }\n}\n");
}

/// `acc := acc * alpha + constraint`.
fn accumulate(code: &mut String, emitter: &Emitter, node: &Node) {
    code.push_str("{\n    let v0\n");
    code.push_str(&emitter.assign("v0", node, 1));
    code.push_str("    acc := addmod(mulmod(acc, alpha, p), v0, p)\n}\n");
}

struct Lowering<'a> {
    layout: &'a Layout,
    hoisted: &'a BTreeMap<Expression, usize>,
}

impl Lowering<'_> {
    fn lower(&self, expression: &Expression) -> Result<Lowered> {
        let mut operands = Vec::new();
        let node = self.node(expression, &mut operands)?;
        let mut shape = String::new();
        write_shape(&node, &mut shape);
        Ok(Lowered {
            node,
            operands,
            shape,
        })
    }

    fn node(&self, expression: &Expression, operands: &mut Vec<Operand>) -> Result<Node> {
        if let Some(address) = self.hoisted.get(expression) {
            return Ok(Node::Word(*address));
        }
        let mut operand = |operand| {
            operands.push(operand);
            Node::Operand(operands.len() - 1)
        };
        Ok(match expression {
            Expression::Constant(value) => operand(Operand::Constant(*value)),
            Expression::Polynomial(query) => {
                operand(Operand::Memory(self.layout.evaluation(query)?))
            }
            Expression::Identity => Node::Word(self.layout.z()),
            Expression::Lagrange(row) => Node::Word(self.layout.lagrange(*row)),
            Expression::Challenge(index) => Node::Word(self.layout.challenges + 32 * index),
            Expression::Negated(a) => Node::Negated(Box::new(self.node(a, operands)?)),
            Expression::Sum(a, b) => Node::Sum(
                self.node(a, operands)?.into(),
                self.node(b, operands)?.into(),
            ),
            Expression::Product(a, b) => Node::Product(
                self.node(a, operands)?.into(),
                self.node(b, operands)?.into(),
            ),
            Expression::Powers { terms, base } => {
                let mut sum = self.node(&terms[0], operands)?;
                for term in &terms[1..] {
                    let raised = Node::Product(sum.into(), self.node(base, operands)?.into());
                    sum = Node::Sum(raised.into(), self.node(term, operands)?.into());
                }
                sum
            }
        })
    }
}

fn write_shape(node: &Node, shape: &mut String) {
    match node {
        Node::Operand(_) => shape.push('?'),
        Node::Word(address) => {
            let _ = write!(shape, "[{address:x}]");
        }
        Node::Negated(a) => {
            shape.push('-');
            write_shape(a, shape);
        }
        Node::Sum(a, b) | Node::Product(a, b) => {
            shape.push(if matches!(node, Node::Sum(..)) {
                '+'
            } else {
                '*'
            });
            write_shape(a, shape);
            write_shape(b, shape);
        }
    }
}
