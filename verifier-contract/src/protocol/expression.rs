//! Constraint expressions.

use super::Query;
use alloy_primitives::U256;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An arithmetic expression over the scalar field of BN254.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// A field element.
    Constant(U256),
    /// The evaluation point `z`.
    Identity,
    /// Lagrange polynomial of row `i` (negative: from the end) at `z`.
    Lagrange(i32),
    /// A polynomial's evaluation.
    Polynomial(Query),
    /// A challenge, numbered in the order of squeezing.
    Challenge(usize),
    /// Additive inverse.
    Negated(Box<Expression>),
    /// Sum of two.
    Sum(Box<Expression>, Box<Expression>),
    /// Product of two.
    Product(Box<Expression>, Box<Expression>),
    /// Horner's rule: the first term has the highest power of the base.
    Powers {
        /// At least one term.
        terms: Vec<Expression>,
        /// What is raised.
        base: Box<Expression>,
    },
}

impl Expression {
    /// Calls `visit` on this node and everything below it.
    pub fn walk(&self, visit: &mut impl FnMut(&Expression)) {
        visit(self);
        match self {
            Self::Constant(_)
            | Self::Identity
            | Self::Lagrange(_)
            | Self::Polynomial(_)
            | Self::Challenge(_) => {}
            Self::Negated(a) => a.walk(visit),
            Self::Sum(a, b) | Self::Product(a, b) => {
                a.walk(visit);
                b.walk(visit);
            }
            Self::Powers { terms, base } => {
                terms.iter().for_each(|term| term.walk(visit));
                base.walk(visit);
            }
        }
    }

    /// The queries it uses.
    pub fn queries(&self) -> BTreeSet<Query> {
        let mut queries = BTreeSet::new();
        self.walk(&mut |node| {
            if let Self::Polynomial(query) = node {
                queries.insert(*query);
            }
        });
        queries
    }

    /// The Lagrange polynomials it uses.
    pub fn lagranges(&self) -> BTreeSet<i32> {
        let mut rows = BTreeSet::new();
        self.walk(&mut |node| {
            if let Self::Lagrange(row) = node {
                rows.insert(*row);
            }
        });
        rows
    }
}
