//! Gates compiled to straight-line programs over lanes.
//!
//! The numerator of the quotient is `Σ yⁱ·gateᵢ`, summed from the last gate. Here it is written as
//! one program for all of a circuit's gates:
//!
//! - a gate of the form `fixed · e` joins those that have the same factor of fixed columns, which then costs
//!   one multiplication for all of them instead of one for each;
//! - sums of products are reduced once, and the sum over `y` is such a sum;
//! - equal subexpressions are computed once; challenges are numbers by now, so that constants fold;
//! - gates are sorted by degree. A gate of degree `d` adds to the quotient a polynomial of degree
//!   below `(d - 1)·n`, which `d - 1` cosets determine. So each coset has a program of its own, and
//!   gates of low degree stand in the first few alone.
//!
//! The compiler counts bounds of loose values (see [`crate::lanes`]), and inserts a reduction where
//! one would grow too large. Slots of values that are read no more are used again.

use std::collections::HashMap;

use halo2_proofs::plonk::{ConstraintSystem, Expression};

use crate::lanes::{MAX_BOUND, MAX_TERMS, SHRINK};
use crate::Fr;

/// Bound of values that come from transforms.
pub(super) const CELL_BOUND: u32 = 2;
/// Bound up to which sums may grow before they are reduced. A product of two such stays far below
/// what a reduction takes.
const SUM_BOUND: u32 = 24;
/// Largest sum of products of bounds before a reduction.
const WIDE_BOUND: u32 = SHRINK * 20;

/// A column and a rotation of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    /// Among all columns: advice, fixed, instance.
    pub(super) column: usize,
    /// Rows down from the present one.
    pub(super) rotation: i32,
}

/// One instruction. Numbers are slots.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Reads a cell.
    Load(u32, Cell),
    /// Takes a constant.
    Constant(u32, u32),
    /// `to = a + b`.
    Add(u32, u32, u32),
    /// `to = a - b + lift·p`.
    Sub(u32, u32, u32, u32),
    /// `to = Σ aᵢ·bᵢ + Σ aᵢ·cᵢ`: so many of the next products, of the next scaled values.
    Dot(u32, u32, u32),
}

/// A program for one coset.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    /// Pairs of slots, in the order in which the steps use them.
    pub(super) products: Vec<(u32, u32)>,
    /// Slots and constants, in the order in which the steps use them.
    pub(super) scaled: Vec<(u32, u32)>,
    pub(super) constants: Vec<Fr>,
    pub(super) slots: usize,
    /// Slot of the numerator of each class of gates.
    pub(super) outputs: Vec<(Class, u32)>,
}

/// Cosets that determine the quotient of a gate: its degree less one.
pub(super) type Class = usize;

/// Where the columns of each kind begin, after the advice columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) instance: usize,
    /// Fixed columns, and those of the permutation argument behind them.
    pub(super) fixed: usize,
}

impl Columns {
    /// Advice, instance, fixed.
    pub(super) fn of(system: &ConstraintSystem<Fr>) -> Self {
        let instance = system.num_advice_columns();
        let fixed = instance + system.num_instance_columns();
        Self { instance, fixed }
    }
}

/// All that is proven, in the order in which `y` combines it.
#[derive(Debug)]
pub(super) struct Rules<'a> {
    pub(super) system: &'a ConstraintSystem<Fr>,
    pub(super) challenges: &'a [Fr],
    /// Rules of the permutation argument.
    pub(super) permutation: Vec<Expression<Fr>>,
    pub(super) y: Fr,
}

impl Rules<'_> {
    fn iter(&self) -> impl DoubleEndedIterator<Item = &Expression<Fr>> {
        let gates = self.system.gates().iter().flat_map(|g| g.polynomials());
        gates.chain(&self.permutation)
    }
}

/// Gates of one class with a common factor, and their powers of `y`.
struct Group<'a> {
    class: Class,
    factor: Option<&'a Expression<Fr>>,
    terms: Vec<(Fr, &'a Expression<Fr>)>,
}

/// The class of a gate.
fn class_of(gate: &Expression<Fr>) -> Class {
    gate.degree().saturating_sub(1).max(1)
}

/// Whether an expression is made of fixed columns and constants alone, as factors of selectors are.
fn is_fixed(expression: &Expression<Fr>) -> bool {
    match expression {
        Expression::Fixed(_) | Expression::Constant(_) => true,
        Expression::Negated(a) | Expression::Scaled(a, _) => is_fixed(a),
        Expression::Sum(a, b) | Expression::Product(a, b) => is_fixed(a) && is_fixed(b),
        Expression::Selector(_)
        | Expression::Advice(_)
        | Expression::Instance(_)
        | Expression::Challenge(_) => false,
    }
}

/// The program for the coset of this number: gates of the classes above it.
pub(super) fn compile(rules: &Rules<'_>, coset: usize) -> Program {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: HashMap<(Class, Option<String>), usize> = HashMap::new();
    let mut power = Fr::one();
    // The last gate has power 0.
    for gate in rules.iter().rev() {
        let class = class_of(gate);
        if class > coset {
            let (factor, rest) = match gate {
                Expression::Product(a, b) if is_fixed(a) => (Some(a.as_ref()), b.as_ref()),
                other => (None, other),
            };
            let key = (class, factor.map(|f| format!("{f:?}")));
            let place = *places.entry(key).or_insert_with(|| {
                groups.push(Group { class, factor, terms: Vec::new() });
                groups.len() - 1
            });
            groups[place].terms.push((power, rest));
        }
        power *= rules.y;
    }
    let mut builder = Builder {
        columns: Columns::of(rules.system),
        challenges: rules.challenges,
        nodes: Vec::new(),
        known: HashMap::new(),
    };
    let mut sums: Vec<(Class, Sum)> = Vec::new();
    for group in groups {
        let mut sum = Sum::default();
        for (power, gate) in group.terms {
            let value = builder.value(gate);
            sum.linear(power, value);
        }
        let factor = group.factor.map(|f| builder.value(f));
        let inner = builder.finish(sum);
        let entry = match sums.iter_mut().find(|(class, _)| *class == group.class) {
            Some((_, sum)) => sum,
            None => {
                sums.push((group.class, Sum::default()));
                let last = sums.len() - 1;
                &mut sums[last].1
            }
        };
        match factor {
            Some(factor) => entry.product(Fr::one(), factor, inner),
            None => entry.linear(Fr::one(), inner),
        }
    }
    let outputs = sums.into_iter().map(|(class, sum)| {
        let value = builder.finish(sum);
        (class, builder.number(value))
    });
    let outputs: Vec<_> = outputs.collect();
    allocate(builder.nodes, outputs)
}

/// A value: a number, or what a node computes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Number(Fr),
    Node(usize),
}

/// What a node computes. Equal nodes are made once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Work {
    Load(Cell),
    Constant(Fr),
    Add(usize, usize),
    /// With the lift.
    Sub(usize, usize, u32),
    Dot(Vec<(usize, usize)>, Vec<(usize, Fr)>),
}

struct Node {
    work: Work,
    bound: u32,
}

/// `constant + Σ c·x + Σ c·x·y`.
#[derive(Default)]
struct Sum {
    constant: Fr,
    linear: Vec<(Fr, usize)>,
    products: Vec<(Fr, usize, usize)>,
}

impl Sum {
    fn linear(&mut self, scale: Fr, value: Value) {
        match value {
            Value::Number(x) => self.constant += scale * x,
            Value::Node(n) => match self.linear.iter_mut().find(|(_, m)| *m == n) {
                Some((c, _)) => *c += scale,
                None => self.linear.push((scale, n)),
            },
        }
    }

    fn product(&mut self, scale: Fr, a: Value, b: Value) {
        match (a, b) {
            (Value::Number(x), other) | (other, Value::Number(x)) => self.linear(scale * x, other),
            (Value::Node(a), Value::Node(b)) => {
                let (a, b) = (a.min(b), a.max(b));
                match self.products.iter_mut().find(|(_, c, d)| (*c, *d) == (a, b)) {
                    Some((c, ..)) => *c += scale,
                    None => self.products.push((scale, a, b)),
                }
            }
        }
    }
}

struct Builder<'a> {
    columns: Columns,
    challenges: &'a [Fr],
    nodes: Vec<Node>,
    known: HashMap<Work, usize>,
}

impl Builder<'_> {
    fn node(&mut self, work: Work, bound: u32) -> usize {
        debug_assert!(bound <= MAX_BOUND);
        if let Some(known) = self.known.get(&work) {
            return *known;
        }
        self.nodes.push(Node { work: work.clone(), bound });
        self.known.insert(work, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    fn cell(&mut self, column: usize, rotation: i32) -> Value {
        let cell = Cell { column, rotation };
        Value::Node(self.node(Work::Load(cell), CELL_BOUND))
    }

    /// The node of a value.
    fn number(&mut self, value: Value) -> usize {
        match value {
            Value::Node(n) => n,
            Value::Number(x) => self.node(Work::Constant(x), 1),
        }
    }

    fn value(&mut self, expression: &Expression<Fr>) -> Value {
        let mut sum = Sum::default();
        self.collect(expression, Fr::one(), &mut sum);
        self.finish(sum)
    }

    /// A value and what it is multiplied by.
    fn scaled(&mut self, expression: &Expression<Fr>) -> (Fr, Value) {
        let mut sum = Sum::default();
        self.collect(expression, Fr::one(), &mut sum);
        if let ([(scale, n)], true, true) =
            (sum.linear.as_slice(), sum.products.is_empty(), sum.constant == Fr::zero())
        {
            return (*scale, Value::Node(*n));
        }
        (Fr::one(), self.finish(sum))
    }

    /// Adds `scale · expression` to a sum.
    fn collect(&mut self, expression: &Expression<Fr>, scale: Fr, sum: &mut Sum) {
        match expression {
            Expression::Constant(c) => sum.constant += scale * c,
            Expression::Challenge(c) => sum.constant += scale * self.challenges[c.index()],
            // Keys have no selectors any more: keygen has made them fixed columns.
            Expression::Selector(_) => {}
            Expression::Fixed(q) => {
                let value = self.cell(self.columns.fixed + q.column_index(), q.rotation().0);
                sum.linear(scale, value);
            }
            Expression::Advice(q) => {
                let value = self.cell(q.column_index(), q.rotation().0);
                sum.linear(scale, value);
            }
            Expression::Instance(q) => {
                let value = self.cell(self.columns.instance + q.column_index(), q.rotation().0);
                sum.linear(scale, value);
            }
            Expression::Negated(a) => self.collect(a, -scale, sum),
            // A sum that grows from rule to rule, each time scaled: its terms are not written out again.
            Expression::Scaled(a, c) if matches!(**a, Expression::Sum(..)) => {
                let value = self.value(a);
                sum.linear(scale * c, value);
            }
            Expression::Scaled(a, c) => self.collect(a, scale * c, sum),
            Expression::Sum(a, b) => {
                self.collect(a, scale, sum);
                self.collect(b, scale, sum);
            }
            Expression::Product(a, b) => {
                let (c, a) = self.scaled(a);
                let (d, b) = self.scaled(b);
                sum.product(scale * c * d, a, b);
            }
        }
    }

    /// The node of a sum.
    fn finish(&mut self, sum: Sum) -> Value {
        let mut products = Vec::new();
        let mut scaled = Vec::new();
        let (mut plus, mut minus) = (Vec::new(), Vec::new());
        for (scale, a, b) in sum.products {
            if scale == Fr::one() {
                products.push((a, b));
            } else if scale == -Fr::one() {
                // A cell's negative serves again; a value's that is used once does not.
                let negative = self.negated(a);
                products.push((negative, b));
            } else if scale != Fr::zero() {
                let product = self.dot(vec![(a, b)], Vec::new());
                scaled.push((product, scale));
            }
        }
        for (scale, n) in sum.linear {
            if scale == Fr::one() {
                plus.push(n);
            } else if scale == -Fr::one() {
                minus.push(n);
            } else if scale == Fr::from(2) {
                plus.extend([n, n]);
            } else if scale != Fr::zero() {
                scaled.push((n, scale));
            }
        }
        if products.is_empty() && scaled.is_empty() && plus.is_empty() && minus.is_empty() {
            return Value::Number(sum.constant);
        }
        let mut total = match (products.is_empty(), scaled.is_empty()) {
            (true, true) => None,
            _ => Some(self.dot(products, scaled)),
        };
        if sum.constant != Fr::zero() {
            plus.push(self.node(Work::Constant(sum.constant), 1));
        }
        for n in plus {
            total = Some(match total {
                None => n,
                Some(t) => self.add(t, n),
            });
        }
        for n in minus {
            total = Some(match total {
                None => self.negated(n),
                Some(t) => self.sub(t, n),
            });
        }
        total.map_or(Value::Number(Fr::zero()), Value::Node)
    }

    fn negated(&mut self, n: usize) -> usize {
        let zero = self.node(Work::Constant(Fr::zero()), 1);
        self.sub(zero, n)
    }

    fn add(&mut self, a: usize, b: usize) -> usize {
        let (a, b) = (self.small(a), self.small(b));
        let bound = self.nodes[a].bound + self.nodes[b].bound;
        self.node(Work::Add(a.min(b), a.max(b)), bound)
    }

    fn sub(&mut self, a: usize, b: usize) -> usize {
        let (a, b) = (self.small(a), self.small(b));
        let lift = self.nodes[b].bound;
        let bound = self.nodes[a].bound + lift;
        self.node(Work::Sub(a, b, lift), bound)
    }

    /// The value with a bound that sums can take.
    fn small(&mut self, n: usize) -> usize {
        if self.nodes[n].bound <= SUM_BOUND {
            return n;
        }
        self.dot(Vec::new(), vec![(n, Fr::one())])
    }

    /// A sum of products, in parts if it is too large for one reduction.
    fn dot(&mut self, products: Vec<(usize, usize)>, scaled: Vec<(usize, Fr)>) -> usize {
        let mut parts = Vec::new();
        let (mut now, mut wide) = ((Vec::new(), Vec::new()), 0);
        let terms = products.into_iter().map(|(a, b)| (a, Err(b)));
        let terms = terms.chain(scaled.into_iter().map(|(a, c)| (a, Ok(c))));
        for (a, b) in terms {
            let bound = self.nodes[a].bound * b.map_or_else(|b| self.nodes[b].bound, |_| 1);
            let full = now.0.len() + now.1.len() == MAX_TERMS;
            if full || (wide > 0 && wide + bound > WIDE_BOUND) {
                parts.push((std::mem::take(&mut now), wide));
                wide = 0;
            }
            wide += bound;
            match b {
                Err(b) => now.0.push((a, b)),
                Ok(c) => now.1.push((a, c)),
            }
        }
        parts.push((now, wide));
        let mut total = None;
        for ((products, scaled), wide) in parts {
            let bound = wide.div_ceil(SHRINK) + 1;
            let part = self.node(Work::Dot(products, scaled), bound);
            total = Some(total.map_or(part, |t| self.add(t, part)));
        }
        total.unwrap_or_default()
    }
}

/// Gives slots to nodes: a slot is free again after the last use of what it holds.
fn allocate(nodes: Vec<Node>, outputs: Vec<(Class, usize)>) -> Program {
    let mut last_use: Vec<usize> = (0..nodes.len()).collect();
    for (i, node) in nodes.iter().enumerate() {
        operands(&node.work, |n| last_use[n] = i);
    }
    for (_, n) in &outputs {
        last_use[*n] = nodes.len();
    }
    let mut program = Program::default();
    let mut slots = vec![0_u32; nodes.len()];
    let mut free: Vec<u32> = Vec::new();
    let mut constants: HashMap<Fr, u32> = HashMap::new();
    let mut constant = |program: &mut Program, x: Fr| {
        *constants.entry(x).or_insert_with(|| {
            program.constants.push(x);
            program.constants.len() as u32 - 1
        })
    };
    for (i, node) in nodes.iter().enumerate() {
        // The result may take the place of an operand: an instruction reads before it writes.
        operands(&node.work, |n| {
            if last_use[n] == i {
                last_use[n] = usize::MAX;
                free.push(slots[n]);
            }
        });
        let to = free.pop().unwrap_or_else(|| {
            program.slots += 1;
            program.slots as u32 - 1
        });
        slots[i] = to;
        let step = match &node.work {
            Work::Load(cell) => Step::Load(to, *cell),
            Work::Constant(x) => Step::Constant(to, constant(&mut program, *x)),
            Work::Add(a, b) => Step::Add(to, slots[*a], slots[*b]),
            Work::Sub(a, b, lift) => Step::Sub(to, slots[*a], slots[*b], *lift),
            Work::Dot(products, scaled) => {
                for (a, b) in products {
                    program.products.push((slots[*a], slots[*b]));
                }
                for (a, c) in scaled {
                    let c = constant(&mut program, *c);
                    program.scaled.push((slots[*a], c));
                }
                Step::Dot(to, products.len() as u32, scaled.len() as u32)
            }
        };
        program.steps.push(step);
    }
    program.outputs = outputs.iter().map(|(c, n)| (*c, slots[*n])).collect();
    program
}

fn operands(work: &Work, mut f: impl FnMut(usize)) {
    match work {
        Work::Load(_) | Work::Constant(_) => {}
        Work::Add(a, b) | Work::Sub(a, b, _) => {
            f(*a);
            f(*b);
        }
        Work::Dot(products, scaled) => {
            for (a, b) in products {
                f(*a);
                f(*b);
            }
            for (a, _) in scaled {
                f(*a);
            }
        }
    }
}

#[cfg(test)]
mod tests;
