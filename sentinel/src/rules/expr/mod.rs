//! Conditions of rules: comparisons of features and integers, joined by `and`, `or`, `not`.
//!
//! ```text
//! condition  = conjunction { "or" conjunction }
//! conjunction = negation { "and" negation }
//! negation   = "not" negation | "(" condition ")" | comparison
//! comparison = operand ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) operand
//!            | operand "in" "(" operand { "," operand } ")"
//! operand    = feature | kind | [ "-" ] digits
//! ```
//!
//! A kind's name stands for its number. Digits may be grouped by `_`. There are no loops, no functions
//! and no arithmetic: evaluating costs at most one step for each node.

mod lexer;
mod parser;

use crate::features::Feature;
use crate::SentinelError;

/// Most bytes of a condition.
pub const MAX_BYTES: usize = 1024;
/// Most comparisons and connectives.
pub const MAX_NODES: usize = 64;
/// Most levels of brackets and negations.
pub const MAX_DEPTH: usize = 16;

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// A feature's value.
    Feature(Feature),
    /// An integer.
    Int(i128),
}

/// How two operands compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Differs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Compare(Operand, Comparison, Operand),
    In(Operand, Vec<Operand>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// A condition that parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    root: Node,
    features: Vec<Feature>,
}

impl Condition {
    /// Parses a condition.
    ///
    /// # Errors
    /// [`SentinelError::Condition`] with the place: an unknown name, a wrong form, or more than
    /// [`MAX_BYTES`], [`MAX_NODES`] or [`MAX_DEPTH`].
    pub fn parse(text: &str) -> Result<Self, SentinelError> {
        if text.len() > MAX_BYTES {
            return Err(SentinelError::Condition {
                at: MAX_BYTES,
                why: format!("it has {} bytes, and {MAX_BYTES} are allowed", text.len()),
            });
        }
        let root = parser::parse(text, &lexer::tokens(text)?)?;
        let mut features = Vec::new();
        root.collect(&mut features);
        Ok(Self { root, features })
    }

    /// The features that it names, each once, in the order of the text.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Whether it holds with values.
    #[must_use]
    pub fn holds_with(&self, value: &impl Fn(Feature) -> i128) -> bool {
        self.root.eval(value)
    }
}

impl Comparison {
    fn holds(self, a: i128, b: i128) -> bool {
        match self {
            Self::Less => a < b,
            Self::AtMost => a <= b,
            Self::More => a > b,
            Self::AtLeast => a >= b,
            Self::Equal => a == b,
            Self::Differs => a != b,
        }
    }
}

impl Node {
    fn eval(&self, value: &impl Fn(Feature) -> i128) -> bool {
        let operand = |o: &Operand| match o {
            Operand::Feature(feature) => value(*feature),
            Operand::Int(x) => *x,
        };
        match self {
            Self::Compare(a, how, b) => how.holds(operand(a), operand(b)),
            Self::In(a, set) => {
                let a = operand(a);
                set.iter().any(|b| operand(b) == a)
            }
            Self::Not(node) => !node.eval(value),
            Self::And(nodes) => nodes.iter().all(|n| n.eval(value)),
            Self::Or(nodes) => nodes.iter().any(|n| n.eval(value)),
        }
    }

    fn collect(&self, features: &mut Vec<Feature>) {
        let mut add = |operand: &Operand| match operand {
            Operand::Feature(f) if !features.contains(f) => features.push(*f),
            Operand::Feature(_) | Operand::Int(_) => {}
        };
        match self {
            Self::Compare(a, _, b) => [a, b].into_iter().for_each(&mut add),
            Self::In(a, set) => std::iter::once(a).chain(set).for_each(&mut add),
            Self::Not(node) => node.collect(features),
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().for_each(|n| n.collect(features)),
        }
    }
}

#[cfg(test)]
mod tests;
