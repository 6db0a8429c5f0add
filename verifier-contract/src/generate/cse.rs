//! Subexpressions that are computed once, and constants that are stored once.

use crate::{field::SCALAR_MODULUS, protocol::Expression};
use alloy_primitives::U256;
use std::collections::BTreeMap;

/// Bytes of code that read a word of memory.
const READ: usize = 4;
/// Bytes of code, beyond the constant itself, that store it.
const STORE: usize = 5;

/// Uses of every distinct subexpression: by how many distinct others, and by constraints.
#[derive(Default)]
struct Uses<'e> {
    counts: BTreeMap<&'e Expression, usize>,
    /// Parts before the whole.
    order: Vec<&'e Expression>,
    constants: BTreeMap<U256, usize>,
}

impl<'e> Uses<'e> {
    fn visit(&mut self, expression: &'e Expression) {
        if let Some(count) = self.counts.get_mut(expression) {
            *count += 1;
            if let Expression::Constant(value) = expression {
                *self.constants.entry(*value).or_default() += 1;
            }
            return;
        }
        match expression {
            Expression::Negated(a) => self.visit(a),
            Expression::Sum(a, b) | Expression::Product(a, b) => {
                self.visit(a);
                self.visit(b);
            }
            Expression::Powers { terms, base } => {
                terms.iter().for_each(|term| self.visit(term));
                self.visit(base);
            }
            Expression::Constant(value) => *self.constants.entry(*value).or_default() += 1,
            _ => {}
        }
        self.counts.insert(expression, 1);
        self.order.push(expression);
    }
}

fn is_leaf(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Constant(_)
            | Expression::Identity
            | Expression::Lagrange(_)
            | Expression::Polynomial(_)
            | Expression::Challenge(_)
    )
}

fn is_minus_one(expression: &Expression) -> bool {
    matches!(expression, Expression::Constant(c) if *c + U256::from(1) == SCALAR_MODULUS)
}

/// Whether storing the value takes less code than writing the expression out at each use.
fn is_worth_storing(expression: &Expression, uses: usize) -> bool {
    match expression {
        Expression::Negated(a) => !is_leaf(a) && uses > 1,
        Expression::Sum(a, b) | Expression::Product(a, b) => {
            let negation = is_minus_one(a) || is_minus_one(b);
            let leaves = is_leaf(a) && is_leaf(b);
            !(negation && leaves) && uses > if leaves { 2 } else { 1 }
        }
        Expression::Powers { .. } => uses > 1,
        _ => false,
    }
}

/// What several constraints share, parts before the whole, with the number of uses; and the
/// constants that are better read from memory.
pub(super) fn shared(constraints: &[Expression]) -> (Vec<(Expression, usize)>, Vec<U256>) {
    let mut uses = Uses::default();
    for constraint in constraints {
        uses.visit(constraint);
    }
    let expressions = uses
        .order
        .iter()
        .map(|e| (*e, uses.counts[e]))
        .filter(|(e, count)| is_worth_storing(e, *count))
        .map(|(e, count)| (e.clone(), count))
        .collect();
    let constants = uses
        .constants
        .into_iter()
        .filter(|(value, count)| {
            let size = value.byte_len() + 1;
            // Factors of -1 are subtractions.
            *value + U256::from(1) != SCALAR_MODULUS && size * count > size + STORE + READ * count
        })
        .map(|(value, _)| value)
        .collect();
    (expressions, constants)
}
