//! A row-block, and its kinds.

use bastion_circuits::core::{Constraint, Expr, Term};

use super::columns::{constant, word, Limbs, Number, Parts, WORDS};

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
    /// Both words of the row are constants.
    Words,
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
    pub const ALL: [Self; 13] = [
        Self::Add,
        Self::Double,
        Self::Entry,
        Self::Point,
        Self::Curve,
        Self::Constant,
        Self::Words,
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
            Self::Words => "words",
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
            // Points and their curve checks take fewer, but so their links stand where an addition's do.
            Self::Add | Self::Double | Self::Point | Self::Curve => 16,
            Self::Entry | Self::Constant | Self::Output => 8,
            Self::Words | Self::Scalar | Self::Full | Self::Pair | Self::Single | Self::Load => 1,
        }
    }
}

/// Sums that blocks step, all on their first rows.
pub const RELATIONS: usize = 2;
/// The sum of multiples of bases.
pub const MULTIPLES: usize = 0;
/// The sum of scalars' digits.
pub const DIGITS: usize = 1;

/// Constraints of a kind of blocks, and its terms on the bus by sum.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The kind.
    pub kind: Kind,
    /// Constraints.
    pub constraints: Vec<Constraint>,
    /// Terms on the bus by sum, all on the block's first row.
    pub bus: [Vec<Term>; RELATIONS],
    /// Rows whose limbs are wide.
    pub wide: Vec<usize>,
}

impl Gate {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, constraints: Vec::new(), bus: Default::default(), wide: Vec::new() }
    }

    /// Adds the constraint `poly = 0`.
    pub(super) fn constrain(&mut self, name: impl Into<String>, poly: Expr) {
        self.constraints.push(Constraint::new(name, poly));
    }

    /// The words `limbs` are a number.
    pub(super) fn number(&mut self, name: &str, number: Number, limbs: &Limbs) {
        self.equal(name, limbs, &number.limbs());
    }

    /// `a = b`, limb by limb.
    pub(super) fn equal(&mut self, name: &str, a: &Limbs, b: &Limbs) {
        for k in 0..a.len() {
            self.constrain(format!("{name}.limb{k}"), a[k] - b[k]);
        }
    }

    /// `a = b`, part by part.
    pub(super) fn parts(&mut self, name: &str, a: &Parts, b: &Parts) {
        let difference = a.with(b, |a, b| a - b);
        for (part, poly) in ["low", "high", "native"].into_iter().zip(difference.all()) {
            self.constrain(format!("{name}.{part}"), poly);
        }
    }

    /// The words of the row are its first two constants.
    pub(super) fn constants(&mut self) {
        for n in 0..WORDS {
            self.constrain(format!("word{n}"), word(0, n) - constant(n));
        }
    }

    /// Puts a term on a sum of the bus.
    pub(super) fn bus(&mut self, sum: usize, term: Term) {
        self.bus[sum].push(term);
    }

    /// Whether its blocks step the sums of the bus over relations.
    pub fn steps(&self) -> bool {
        self.bus.iter().any(|terms| !terms.is_empty())
    }
}
