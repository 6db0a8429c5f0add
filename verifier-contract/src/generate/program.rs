//! Constraints as code: runs of constraints of equal shape become loops over tables of operand
//! addresses, the rest becomes straight-line code. Shared parts are computed once, and weighted
//! sums of words that lie side by side, such as the chunks of a number, are calls of one function.

use super::{cse, emit::Emitter, layout::Layout, opening::raised, tables::Tables};
use crate::{
    error::Result,
    field::{invert, SCALAR_MODULUS},
    protocol::{Expression, PackedDescription, Query},
};
use alloy_primitives::U256;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// Longest sequence of constraints that is tried as the body of a loop.
const MAX_PERIOD: usize = 8;
/// A loop's reads through the table cost more gas than short constraints themselves. Constraints
/// of at most this many operands, such as vertical gates, are written out...
const MAX_UNROLLED_OPERANDS: usize = 5;
/// ...unless there are so many that the code would become large.
const MAX_UNROLLED_ROUNDS: usize = 32;

/// Fewest constraints whose common factor is multiplied once.
const SMALLEST_GROUP: usize = 3;

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
    /// Words side by side, from the operand's address on, weighted with powers of `weight`.
    Weighted { first: usize, count: usize, weight: U256 },
}

struct Lowered {
    node: Node,
    operands: Vec<Operand>,
    shape: String,
}

/// The body of the function that combines all constraints into the variable `acc`.
pub(super) fn constraints(
    d: &PackedDescription,
    layout: &mut Layout,
    tables: &mut Tables,
) -> Result<String> {
    let mut code = String::new();
    let (shared, pooled) = cse::shared(&d.constraints);
    let constants =
        pooled.into_iter().map(|value| (value, tables.constant(value, layout))).collect();
    let stored = store(&shared, &constants, layout, &mut code)?;
    let lowering = |layout: &Layout, expression: &Expression| {
        Lowering { layout, constants: &constants, stored: &stored }.lower(expression)
    };
    let mut at = 0;
    for (common, group) in groups(&d.constraints) {
        let lowered = group
            .iter()
            .map(|constraint| match factor(constraint) {
                Some((_, rest)) if common.is_some() => lowering(layout, rest),
                _ => lowering(layout, constraint),
            })
            .collect::<Result<Vec<_>>>()?;
        match common {
            None => combine(&mut code, &lowered, at, layout, tables),
            Some(common) => {
                let common = layout.evaluation(&common)?;
                let mut inner = String::new();
                combine(&mut inner, &lowered, at, layout, tables);
                let _ = writeln!(code, "{{\n    let outer := acc\n    acc := 0");
                for line in inner.lines() {
                    let _ = writeln!(code, "    {line}");
                }
                code.push_str("    let power := alpha\n");
                for line in raised("power", "alpha", lowered.len()).lines() {
                    let _ = writeln!(code, "    {line}");
                }
                let _ = writeln!(
                    code,
                    "    acc := addmod(mulmod(outer, power, p), mulmod(mload({common:#x}), acc, p), \
                     p)\n}}"
                );
            }
        }
        at += lowered.len();
    }
    Ok(code)
}

/// The functions behind the weighted sums of `code`, one for each number of words.
pub(super) fn weighted(code: &str) -> String {
    let counts: BTreeSet<usize> = code
        .split("weighted")
        .skip(1)
        .filter_map(|rest| rest.split_once('(')?.0.parse().ok())
        .collect();
    let mut functions = String::new();
    for count in counts {
        let read = |word: usize| match word {
            0 => "mload(first)".to_owned(),
            _ => format!("mload(add(first, {:#x}))", 32 * word),
        };
        let _ = writeln!(functions, "function weighted{count}(first, weight) -> sum {{");
        let _ = writeln!(functions, "    let m := {SCALAR_MODULUS:#066x}");
        let _ = writeln!(functions, "    sum := {}", read(count - 1));
        for word in (0..count - 1).rev() {
            // What is stored must be reduced.
            let (add, end) = if word == 0 { ("addmod", ", m") } else { ("add", "") };
            let _ = writeln!(
                functions,
                "    sum := {add}(mulmod(sum, weight, m), {}{end})",
                read(word)
            );
        }
        functions.push_str("}\n");
    }
    functions
}

/// Runs of constraints with a common factor, where they are enough, and what lies between them.
fn groups(constraints: &[Expression]) -> Vec<(Option<Query>, &[Expression])> {
    let mut groups = Vec::new();
    let (mut start, mut at) = (0, 0);
    for run in constraints.chunk_by(|a, b| match (factor(a), factor(b)) {
        (Some((a, _)), Some((b, _))) => a == b,
        _ => false,
    }) {
        let common = factor(&run[0]).filter(|_| run.len() >= SMALLEST_GROUP);
        if let Some((common, _)) = common {
            groups.push((None, &constraints[start..at]));
            groups.push((Some(common), run));
            start = at + run.len();
        }
        at += run.len();
    }
    groups.push((None, &constraints[start..]));
    groups.retain(|(_, group)| !group.is_empty());
    groups
}

/// The polynomial that a constraint is a multiple of, such as its selector, and the rest.
fn factor(constraint: &Expression) -> Option<(Query, &Expression)> {
    match constraint {
        Expression::Product(a, b) => match &**a {
            Expression::Polynomial(query) => Some((*query, b)),
            _ => None,
        },
        _ => None,
    }
}

/// Combines constraints, the first of which has number `first`, into `acc`.
fn combine(
    code: &mut String,
    lowered: &[Lowered],
    first: usize,
    layout: &mut Layout,
    tables: &mut Tables,
) {
    let mut at = 0;
    while at < lowered.len() {
        let (period, repeats) = best_run(&lowered[at..]);
        let run = &lowered[at..at + period * repeats];
        let short = period == 1
            && run[0].operands.len() <= MAX_UNROLLED_OPERANDS
            && repeats <= MAX_UNROLLED_ROUNDS;
        if repeats == 1 || short {
            for (index, constraint) in run.iter().enumerate() {
                let _ = writeln!(code, "// Constraint {}.", first + at + index);
                let emitter = Emitter::straight(&constraint.operands);
                accumulate(code, &emitter, &constraint.node);
            }
        } else {
            let last = first + at + run.len() - 1;
            let _ = writeln!(
                code,
                "// Constraints {} to {last}: {repeats} times {period}.",
                first + at
            );
            emit_loop(code, run, period, layout, tables);
        }
        at += run.len();
    }
}

/// Computes what several constraints share, such as the sum of the Lagrange polynomials of the
/// active rows, and returns where it is kept.
fn store(
    shared: &[(Expression, usize)],
    constants: &BTreeMap<U256, usize>,
    layout: &mut Layout,
    code: &mut String,
) -> Result<BTreeMap<Expression, usize>> {
    let mut stored = BTreeMap::new();
    for (expression, uses) in shared {
        let address = layout.reserve(1);
        let lowered = Lowering { layout, constants, stored: &stored }.lower(expression)?;
        let emitter = Emitter::straight(&lowered.operands);
        let _ = writeln!(code, "// Used {uses} times.");
        if emitter.fits(&lowered.node) {
            let value = emitter.reduced(&lowered.node);
            let _ = writeln!(code, "mstore({address:#x}, {value})");
        } else {
            code.push_str("{\n    let v0\n");
            code.push_str(&emitter.assign("v0", &lowered.node, 1));
            let _ = writeln!(code, "    mstore({address:#x}, v0)\n}}");
        }
        stored.insert(expression.clone(), address);
    }
    Ok(stored)
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
            let same = rounds.iter().all(|round| round[index].operands[j] == *operand);
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
    if let Some(value) = emitter.expression(node) {
        let _ = writeln!(code, "acc := addmod(mulmod(acc, alpha, p), {value}, p)");
        return;
    }
    code.push_str("{\n    let v0\n");
    code.push_str(&emitter.assign("v0", node, 1));
    code.push_str("    acc := addmod(mulmod(acc, alpha, p), v0, p)\n}\n");
}

struct Lowering<'a> {
    layout: &'a Layout,
    constants: &'a BTreeMap<U256, usize>,
    stored: &'a BTreeMap<Expression, usize>,
}

/// Fewest words that are worth a call.
const SHORTEST_RUN: usize = 3;

impl Lowering<'_> {
    fn lower(&self, expression: &Expression) -> Result<Lowered> {
        let mut operands = Vec::new();
        let node = self.parts(expression, &mut operands)?;
        let mut shape = String::new();
        write_shape(&node, &mut shape);
        Ok(Lowered { node, operands, shape })
    }

    /// An expression that is stored is read, not computed.
    fn node(&self, expression: &Expression, operands: &mut Vec<Operand>) -> Result<Node> {
        match self.stored.get(expression) {
            Some(address) => Ok(operand(operands, Operand::Memory(*address))),
            None => self.parts(expression, operands),
        }
    }

    fn parts(&self, expression: &Expression, operands: &mut Vec<Operand>) -> Result<Node> {
        Ok(match expression {
            Expression::Constant(value) => {
                let constant = match self.constants.get(value) {
                    Some(address) => Operand::Memory(*address),
                    None => Operand::Constant(*value),
                };
                operand(operands, constant)
            }
            Expression::Polynomial(query) => {
                operand(operands, Operand::Memory(self.layout.evaluation(query)?))
            }
            Expression::Identity => Node::Word(self.layout.z()),
            Expression::Lagrange(row) => Node::Word(self.layout.lagrange(*row)),
            Expression::Challenge(index) => Node::Word(self.layout.challenges + 32 * index),
            Expression::Negated(a) => Node::Negated(Box::new(self.node(a, operands)?)),
            Expression::Sum(a, b) => {
                let mut terms = Vec::new();
                self.flatten(a, &mut terms);
                self.flatten(b, &mut terms);
                self.sum(&terms, operands)?
            }
            Expression::Product(a, b) => match (&**a, &**b) {
                (x, Expression::Constant(c)) | (Expression::Constant(c), x)
                    if *c + U256::from(1) == SCALAR_MODULUS =>
                {
                    Node::Negated(Box::new(self.node(x, operands)?))
                }
                _ => Node::Product(self.node(a, operands)?.into(), self.node(b, operands)?.into()),
            },
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

    fn flatten<'e>(&self, expression: &'e Expression, terms: &mut Vec<&'e Expression>) {
        match expression {
            Expression::Sum(a, b) if !self.stored.contains_key(expression) => {
                self.flatten(a, terms);
                self.flatten(b, terms);
            }
            _ => terms.push(expression),
        }
    }

    /// A sum, whose runs of words side by side become weighted sums.
    fn sum(&self, terms: &[&Expression], operands: &mut Vec<Operand>) -> Result<Node> {
        let mut nodes = Vec::new();
        let mut at = 0;
        while at < terms.len() {
            let (count, weight) = self.run(&terms[at..])?;
            if count < SHORTEST_RUN {
                nodes.push(self.node(terms[at], operands)?);
                at += 1;
                continue;
            }
            if let Some((address, factor)) = self.weighted_word(terms[at])? {
                operands.push(Operand::Memory(address));
                let run = Node::Weighted { first: operands.len() - 1, count, weight };
                nodes.push(if factor == U256::from(1) {
                    run
                } else {
                    let factor = self.parts(&Expression::Constant(factor), operands)?;
                    Node::Product(run.into(), factor.into())
                });
            }
            at += count;
        }
        let mut nodes = nodes.into_iter();
        let first = nodes.next().unwrap_or(Node::Word(0));
        Ok(nodes.fold(first, |sum, node| Node::Sum(sum.into(), node.into())))
    }

    /// Length of the run at the start of `terms`, and its weight.
    fn run(&self, terms: &[&Expression]) -> Result<(usize, U256)> {
        let one = U256::from(1);
        let Some((first, factor)) = self.weighted_word(terms[0])? else {
            return Ok((1, one));
        };
        let Some(next) = terms.get(1) else {
            return Ok((1, one));
        };
        let weight = match self.weighted_word(next)? {
            Some((_, next)) => next.mul_mod(invert(factor), SCALAR_MODULUS),
            None => return Ok((1, one)),
        };
        let (mut count, mut power) = (1, factor);
        while let Some(term) = terms.get(count) {
            power = power.mul_mod(weight, SCALAR_MODULUS);
            if self.weighted_word(term)? != Some((first + 32 * count, power)) {
                break;
            }
            count += 1;
        }
        Ok((count, weight))
    }

    /// A word times a constant.
    fn weighted_word(&self, term: &Expression) -> Result<Option<(usize, U256)>> {
        let address = |e: &Expression| match (self.stored.get(e), e) {
            (Some(address), _) => Ok(Some(*address)),
            (None, Expression::Polynomial(query)) => self.layout.evaluation(query).map(Some),
            _ => Ok(None),
        };
        let whole = address(term)?.map(|at| (at, U256::from(1)));
        Ok(match term {
            Expression::Product(a, b) if whole.is_none() => match (&**a, &**b) {
                (x, Expression::Constant(c)) | (Expression::Constant(c), x) if !c.is_zero() => {
                    address(x)?.map(|at| (at, *c))
                }
                _ => None,
            },
            _ => whole,
        })
    }
}

fn operand(operands: &mut Vec<Operand>, operand: Operand) -> Node {
    operands.push(operand);
    Node::Operand(operands.len() - 1)
}

fn write_shape(node: &Node, shape: &mut String) {
    match node {
        Node::Operand(_) => shape.push('?'),
        Node::Word(address) => {
            let _ = write!(shape, "[{address:x}]");
        }
        Node::Weighted { count, weight, .. } => {
            let _ = write!(shape, "({count}:{weight:x})");
        }
        Node::Negated(a) => {
            shape.push('-');
            write_shape(a, shape);
        }
        Node::Sum(a, b) | Node::Product(a, b) => {
            shape.push(if matches!(node, Node::Sum(..)) { '+' } else { '*' });
            write_shape(a, shape);
            write_shape(b, shape);
        }
    }
}
