//! A row-block, and its kinds.

use bastion_circuits::core::{Constraint, Expr, Term};

use super::columns::{number, Limbs};

/// The kinds of blocks, in the order of their selectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Adds a multiple of a base to the running point.
    Add,
    /// Doubles the running point.
    Double,
    /// Writes the running point's ordinate out; may offer the point as a multiple.
    Entry,
    /// A point that the prover gives, by its least coordinates.
    Point,
    /// It lies on the curve; its coordinates as they enter the transcript.
    Curve,
    /// A point of the verifying key.
    Constant,
    /// The result, as public limbs.
    Output,
    /// A scalar: where its digits start and what they must add up to.
    Scalar,
    /// A full round of the transcript's permutation.
    Full,
    /// Two partial rounds.
    Pair,
    /// One partial round.
    Single,
    /// Where a permutation starts and the one before ends: input and output.
    Load,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Add,
        Self::Double,
        Self::Entry,
        Self::Point,
        Self::Curve,
        Self::Constant,
        Self::Output,
        Self::Scalar,
        Self::Full,
        Self::Pair,
        Self::Single,
        Self::Load,
    ];

    /// Name in failures and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Double => "double",
            Self::Entry => "entry",
            Self::Point => "point",
            Self::Curve => "curve",
            Self::Constant => "constant",
            Self::Output => "output",
            Self::Scalar => "scalar",
            Self::Full => "full",
            Self::Pair => "pair",
            Self::Single => "single",
            Self::Load => "load",
        }
    }

    /// Rows of a block.
    pub fn rows(self) -> usize {
        match self {
            Self::Add | Self::Double => 15,
            Self::Entry => 8,
            Self::Curve => 12,
            Self::Point | Self::Constant => 11,
            Self::Output => 7,
            Self::Scalar | Self::Full | Self::Pair | Self::Single | Self::Load => 1,
        }
    }
}

/// Constraints of a kind of blocks, and its terms on the bus by row.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The kind.
    pub kind: Kind,
    /// Constraints.
    pub constraints: Vec<Constraint>,
    /// Terms on the bus by row; the range table's term, which every row has, is not among them.
    pub bus: Vec<Vec<Term>>,
}

impl Gate {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, constraints: Vec::new(), bus: vec![Vec::new(); kind.rows()] }
    }

    /// Adds the constraint `poly = 0`.
    pub(super) fn constrain(&mut self, name: impl Into<String>, poly: Expr) {
        self.constraints.push(Constraint::new(name, poly));
    }

    /// The words `limbs` are the number in the chunks from `first` on.
    pub(super) fn number(&mut self, name: &str, first: usize, limbs: &Limbs) {
        for (k, (word, chunks)) in limbs.iter().zip(number(first)).enumerate() {
            self.constrain(format!("{name}.limb{k}"), *word - chunks);
        }
    }

    /// `a = b`, limb by limb.
    pub(super) fn equal(&mut self, name: &str, a: &Limbs, b: &Limbs) {
        for k in 0..a.len() {
            self.constrain(format!("{name}.limb{k}"), a[k] - b[k]);
        }
    }

    /// `a = -b`, limb by limb.
    pub(super) fn opposite(&mut self, name: &str, a: &Limbs, b: &Limbs) {
        for k in 0..a.len() {
            self.constrain(format!("{name}.limb{k}"), a[k] + b[k]);
        }
    }

    /// Puts a term on the bus.
    pub(super) fn bus(&mut self, row: usize, term: Term) {
        self.bus[row].push(term);
    }
}
