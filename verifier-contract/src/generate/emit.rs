//! Expressions as Yul. Deep expressions are split into statements, because the compiler's stack
//! reaches only sixteen words.

use super::program::{Node, Operand};
use std::fmt::Write;

/// Stack words that a single expression may take before it is split.
const MAX_STACK: usize = 6;
/// How many times the modulus fits a word.
const ROOM: usize = 5;

enum Leaf {
    Fixed(Operand),
    /// Number of the pointer within the loop's row.
    Pointer(usize),
}

/// Writes the expressions of one constraint.
pub(super) struct Emitter {
    leaves: Vec<Leaf>,
}

impl Emitter {
    /// All operands are known.
    pub(super) fn straight(operands: &[Operand]) -> Self {
        Self { leaves: operands.iter().map(|operand| Leaf::Fixed(*operand)).collect() }
    }

    /// Operands without a value are read through the table at `t`, from pointer `first` on.
    pub(super) fn looped(operands: &[Option<Operand>], first: usize) -> Self {
        let mut pointer = first;
        let leaves = operands
            .iter()
            .map(|operand| {
                operand.map_or_else(
                    || {
                        pointer += 1;
                        Leaf::Pointer(pointer - 1)
                    },
                    Leaf::Fixed,
                )
            })
            .collect();
        Self { leaves }
    }

    /// Whether the stack bears an expression beside what is being combined.
    pub(super) fn fits(&self, node: &Node) -> bool {
        self.stack(node) < MAX_STACK
    }

    /// A single expression, if the stack bears it beside what is being combined. Its value may be a
    /// few times the modulus: it is for products and sums that reduce.
    pub(super) fn expression(&self, node: &Node) -> Option<String> {
        self.fits(node).then(|| self.loose(node).0)
    }

    /// Statements that set `target` to the value of `node`, indented by `level` steps.
    pub(super) fn assign(&self, target: &str, node: &Node, level: usize) -> String {
        let pad = "    ".repeat(level);
        let mut code = String::new();
        if self.stack(node) <= MAX_STACK {
            let _ = writeln!(code, "{pad}{target} := {}", self.reduced(node));
            return code;
        }
        let (operation, mut terms) = match node {
            Node::Negated(a) => {
                code.push_str(&self.assign(target, a, level));
                let _ = writeln!(code, "{pad}{target} := sub(p, {target})");
                return code;
            }
            Node::Sum(..) => ("addmod", flatten(node, true)),
            _ => ("mulmod", flatten(node, false)),
        };
        // The deepest term needs no variable of its own when it comes first.
        terms.sort_by_key(|term| std::cmp::Reverse(self.stack(term)));
        let mut terms = terms.into_iter();
        if let Some(first) = terms.next() {
            code.push_str(&self.assign(target, first, level));
        }
        for term in terms {
            if self.stack(term) < MAX_STACK {
                let value = self.loose(term).0;
                let _ = writeln!(code, "{pad}{target} := {operation}({value}, {target}, p)");
            } else {
                let _ = writeln!(code, "{pad}{{\n{pad}    let v{level}");
                let variable = format!("v{level}");
                code.push_str(&self.assign(&variable, term, level + 1));
                let _ = writeln!(code, "{pad}    {target} := {operation}({target}, {variable}, p)");
                let _ = writeln!(code, "{pad}}}");
            }
        }
        code
    }

    fn leaf(&self, index: usize) -> String {
        match &self.leaves[index] {
            Leaf::Fixed(Operand::Constant(value)) => format!("{value:#x}"),
            Leaf::Fixed(Operand::Memory(address)) => format!("mload({address:#x})"),
            Leaf::Pointer(0) => "mload(and(mload(t), 0xffff))".into(),
            Leaf::Pointer(n) => format!("mload(and(mload(add(t, {})), 0xffff))", 2 * n),
        }
    }

    /// The address of a word.
    fn address(&self, index: usize) -> String {
        match &self.leaves[index] {
            Leaf::Fixed(Operand::Memory(address)) => format!("{address:#x}"),
            // Weighted sums have addresses as operands.
            Leaf::Fixed(Operand::Constant(_)) => "0".into(),
            Leaf::Pointer(0) => "and(mload(t), 0xffff)".into(),
            Leaf::Pointer(n) => format!("and(mload(add(t, {})), 0xffff)", 2 * n),
        }
    }

    /// A value of at most the modulus.
    pub(super) fn reduced(&self, node: &Node) -> String {
        match node {
            Node::Sum(a, b) => {
                let (a, b) = self.ordered(a, b);
                format!("addmod({}, {}, p)", self.loose(a).0, self.loose(b).0)
            }
            _ => self.loose(node).0,
        }
    }

    /// A value, and of how many times the modulus it is at most. Plain sums cost half of those that
    /// reduce; a word has room for five times the modulus.
    fn loose(&self, node: &Node) -> (String, usize) {
        let code = match node {
            Node::Operand(index) => self.leaf(*index),
            Node::Weighted { first, count, weight } => {
                format!("weighted{count}({}, {weight:#x})", self.address(*first))
            }
            Node::Word(address) => format!("mload({address:#x})"),
            Node::Negated(a) => format!("sub(p, {})", self.reduced(a)),
            Node::Product(a, b) => {
                let (a, b) = self.ordered(a, b);
                format!("mulmod({}, {}, p)", self.loose(a).0, self.loose(b).0)
            }
            Node::Sum(a, b) => {
                let (first, second) = self.ordered(a, b);
                let ((a, of_a), (b, of_b)) = (self.loose(first), self.loose(second));
                if of_a + of_b <= ROOM {
                    return (format!("add({a}, {b})"), of_a + of_b);
                }
                format!("addmod({a}, {b}, p)")
            }
        };
        (code, 1)
    }

    /// Arguments are evaluated from the right: the deeper one goes there.
    fn ordered<'n>(&self, a: &'n Node, b: &'n Node) -> (&'n Node, &'n Node) {
        match self.stack(a) > self.stack(b) {
            true => (b, a),
            false => (a, b),
        }
    }

    /// Stack words that the inline form takes.
    fn stack(&self, node: &Node) -> usize {
        match node {
            Node::Operand(index) => match self.leaves[*index] {
                Leaf::Fixed(_) => 1,
                Leaf::Pointer(_) => 3,
            },
            Node::Word(_) => 1,
            Node::Weighted { .. } => 3,
            Node::Negated(a) => self.stack(a).max(2),
            Node::Sum(a, b) | Node::Product(a, b) => {
                let (a, b) = (self.stack(a), self.stack(b));
                (1 + a.max(b)).max(2 + a.min(b))
            }
        }
    }
}

/// The terms of a chain of sums, or of products.
fn flatten(node: &Node, sums: bool) -> Vec<&Node> {
    match node {
        Node::Sum(a, b) if sums => [flatten(a, sums), flatten(b, sums)].concat(),
        Node::Product(a, b) if !sums => [flatten(a, sums), flatten(b, sums)].concat(),
        _ => vec![node],
    }
}
