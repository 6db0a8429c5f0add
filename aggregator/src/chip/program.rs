//! Which block follows which: tables of multiples, then one chain of additions for each sum.
//!
//! The order is part of the circuit: it depends on the number of bases and terms alone.

use halo2_proofs::halo2curves::bn256::{Fq, Fr, G1Affine, G1};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::{Curve, Group};
use halo2_proofs::halo2curves::CurveAffine;

use super::add;
use super::columns::CONSTANT;
use super::gate::Kind;
use super::grid::Grid;
use super::scalar::{first_place, WINDOWS, WINDOW_BITS};

/// Largest odd digit.
const LAST_DIGIT: u64 = 31;

/// A base of the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// A point that the prover gives; its number among these.
    Witness(usize),
    /// A point of the verifying key, not the identity.
    Constant(G1Affine),
}

/// The work of a circuit: sums over bases, each term with a scalar of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// The bases.
    pub bases: Vec<Base>,
    /// For each sum the numbers of its bases. Terms are numbered through.
    pub sums: Vec<Vec<usize>>,
}

/// What a block does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Adds multiple `digit` of a base; the sum is on offer as another one.
    AddMultiple {
        /// The base.
        base: usize,
        /// The digit.
        digit: u64,
        /// The digit of the sum, 0 if it is not on offer.
        offered: u64,
    },
    /// Adds what a scalar's digit says.
    AddWindow {
        /// The base.
        base: usize,
        /// The term.
        term: usize,
        /// The window.
        window: usize,
    },
    /// Doubles; the double of a base is on offer.
    Double(Option<usize>),
    /// Writes the ordinate out.
    Entry,
    /// A point of the prover.
    Point(usize),
    /// It lies on the curve.
    Curve,
    /// A constant.
    Constant {
        /// The base.
        base: usize,
        /// The point.
        point: G1Affine,
        /// Whether it is on offer, as multiple 1.
        offered: bool,
    },
    /// The result of a sum.
    Output(usize),
    /// The scalar of a term.
    Scalar(usize),
}

impl Step {
    /// The kind of its block.
    pub fn kind(&self) -> Kind {
        match self {
            Self::AddMultiple { .. } | Self::AddWindow { .. } => Kind::Add,
            Self::Double(_) => Kind::Double,
            Self::Entry => Kind::Entry,
            Self::Point(_) => Kind::Point,
            Self::Curve => Kind::Curve,
            Self::Constant { .. } => Kind::Constant,
            Self::Output(_) => Kind::Output,
            Self::Scalar(_) => Kind::Scalar,
        }
    }
}

/// Blocks with their rows.
#[derive(Clone, Debug)]
pub struct Program {
    /// The blocks in order.
    pub blocks: Vec<(Step, usize)>,
    /// Rows in use.
    pub rows: usize,
}

/// Half of where sums start. Its discrete logarithm does not matter: it is subtracted at the end, and an
/// addition that meets its own summand is refused, never miscounted.
pub fn offset() -> G1Affine {
    let mut x = Fq::from(0x62_61_73_74_69_6f_6e); // "bastion"
    loop {
        let square = x.square() * x + G1Affine::b();
        if let Some(y) = Option::<Fq>::from(square.sqrt()) {
            return G1Affine { x, y };
        }
        x += Fq::one();
    }
}

/// What the offset became by the end of a sum, negated.
pub fn offset_end() -> G1Affine {
    let mut point = G1::from(offset());
    for _ in 0..WINDOW_BITS * (WINDOWS - 1) + 1 {
        point = point.double();
    }
    -point.to_affine()
}

impl Program {
    /// The blocks of `sums`.
    pub fn new(sums: &Sums) -> Self {
        let mut program = Self { blocks: Vec::new(), rows: 0 };
        let (start, end) = (sums.bases.len(), sums.bases.len() + 1);
        let terms: usize = sums.sums.iter().map(Vec::len).sum();
        for term in 0..terms {
            program.push(Step::Scalar(term));
        }
        for (number, base) in sums.bases.iter().enumerate() {
            program.multiples(number, base);
        }
        program.push(Step::Constant { base: end, point: offset_end(), offered: true });
        let mut first_term = 0;
        for (number, bases) in sums.sums.iter().enumerate() {
            program.push(Step::Constant { base: start, point: offset(), offered: false });
            // Additions follow doublings and additions alone.
            program.push(Step::Double(None));
            for window in 0..WINDOWS {
                if window > 0 {
                    for _ in 0..WINDOW_BITS {
                        program.push(Step::Entry);
                        program.push(Step::Double(None));
                    }
                }
                for (i, base) in bases.iter().enumerate() {
                    program.push(Step::AddWindow { base: *base, term: first_term + i, window });
                }
            }
            first_term += bases.len();
            program.push(Step::AddMultiple { base: end, digit: 1, offered: 0 });
            program.push(Step::Entry);
            program.push(Step::Output(number));
        }
        program
    }

    fn push(&mut self, step: Step) {
        self.blocks.push((step, self.rows));
        self.rows += step.kind().rows();
    }

    /// `P, 2P, 3P, 5P, .., 31P`.
    fn multiples(&mut self, number: usize, base: &Base) {
        match base {
            Base::Witness(_) => {
                self.push(Step::Point(number));
                self.push(Step::Curve);
            }
            Base::Constant(point) => {
                self.push(Step::Constant { base: number, point: *point, offered: true });
            }
        }
        self.push(Step::Double(Some(number)));
        for offered in (3..=LAST_DIGIT).step_by(2) {
            let digit = if offered == 3 { 1 } else { 2 };
            self.push(Step::AddMultiple { base: number, digit, offered });
        }
    }

    /// Rows of the blocks of a kind.
    pub fn rows_of(&self, kind: Kind) -> impl Iterator<Item = usize> + '_ {
        self.blocks.iter().filter(move |(step, _)| step.kind() == kind).map(|(_, row)| *row)
    }

    /// Writes the constants of all blocks.
    pub fn constants(&self, grid: &mut Grid) {
        let number = |n: usize| Fr::from(n as u64);
        for (step, row) in &self.blocks {
            let mut set = |n: usize, value: Fr| grid.set(*row, CONSTANT + n, value);
            match step {
                Step::AddMultiple { base, digit, offered } => {
                    set(add::BASE, number(*base));
                    set(add::DIGIT, Fr::from(*digit));
                    set(add::OFFERED, Fr::from(*offered));
                }
                Step::AddWindow { base, term, window } => {
                    set(add::BASE, number(*base));
                    set(add::DRIVEN, Fr::one());
                    set(add::PLACE, Fr::from(first_place(*term) + *window as u64));
                }
                Step::Double(Some(base)) => {
                    set(add::BASE, number(*base));
                    set(add::OFFERED, Fr::from(2));
                }
                Step::Point(base) | Step::Constant { base, offered: true, .. } => {
                    set(add::BASE, number(*base));
                    set(add::OFFERED, Fr::one());
                }
                Step::Scalar(term) => set(add::PLACE, Fr::from(first_place(*term))),
                Step::Double(None)
                | Step::Constant { offered: false, .. }
                | Step::Entry
                | Step::Curve
                | Step::Output(_) => {}
            }
        }
    }
}
