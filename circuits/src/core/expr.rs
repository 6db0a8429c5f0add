//! Polynomial expressions over the cells of a row-block.

use std::collections::HashMap;
use std::ops::{Add, Mul, Neg, Not, Sub};
use std::sync::{LazyLock, Mutex, PoisonError};

use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::WIDTH;

/// An expression over the cells around the first row of a block.
///
/// It is a handle that copies. Sums and products are interned: those that were built once are shared
/// and never freed, which is as much as the circuits' descriptions take and does not grow with what
/// is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A constant.
    Const(Fr),
    /// The advice cell `(row, col)`, `row` relative to the block's first row.
    Cell {
        /// Relative row; negative for cells of the rows before the block.
        row: i32,
        /// Advice column, below [`WIDTH`].
        col: usize,
    },
    /// The bus column at a relative row.
    Sum(i32),
    /// The public input number `i`; only the head block, which stands at row 0, reads it.
    Public(i32),
    /// Bus challenge `beta` (offset of every fingerprint).
    Beta,
    /// Bus challenge `gamma` (separates the entries of a tuple).
    Gamma,
    /// Sum of two expressions.
    Add(&'static Expr, &'static Expr),
    /// Product of two expressions.
    Mul(&'static Expr, &'static Expr),
}

/// What tells interned expressions apart: operands by their address, as they are interned too.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Const([u8; 32]),
    Cell(i32, usize),
    Sum(i32),
    Public(i32),
    Beta,
    Gamma,
    Add(usize, usize),
    Mul(usize, usize),
}

fn key(expr: &Expr) -> Key {
    let address = |e: &'static Expr| std::ptr::from_ref(e).addr();
    match *expr {
        Expr::Const(c) => Key::Const(c.to_bytes()),
        Expr::Cell { row, col } => Key::Cell(row, col),
        Expr::Sum(row) => Key::Sum(row),
        Expr::Public(i) => Key::Public(i),
        Expr::Beta => Key::Beta,
        Expr::Gamma => Key::Gamma,
        Expr::Add(a, b) => Key::Add(address(a), address(b)),
        Expr::Mul(a, b) => Key::Mul(address(a), address(b)),
    }
}

/// The one copy of an expression.
fn intern(expr: Expr) -> &'static Expr {
    static KNOWN: LazyLock<Mutex<HashMap<Key, &'static Expr>>> = LazyLock::new(Mutex::default);
    // A panic elsewhere leaves the map as good as it was.
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(key(&expr)).or_insert_with(|| Box::leak(Box::new(expr)))
}

/// Values of the two bus challenges, drawn after the first phase is committed.
#[derive(Clone, Copy, Debug)]
pub struct Challenges {
    /// Offset of every fingerprint.
    pub beta: Fr,
    /// Separates the entries of a tuple.
    pub gamma: Fr,
}

impl Expr {
    /// The constant 0.
    pub fn zero() -> Self {
        Self::Const(Fr::zero())
    }

    /// The constant 1.
    pub fn one() -> Self {
        Self::Const(Fr::one())
    }

    /// The advice cell at `(row, col)`.
    pub const fn cell(row: i32, col: usize) -> Self {
        Self::Cell { row, col }
    }

    /// The advice cell with running number `n`, counted row by row from the block's first row.
    pub const fn nth(n: usize) -> Self {
        Self::Cell { row: (n / WIDTH) as i32, col: n % WIDTH }
    }

    /// `2^n`.
    pub fn pow2(n: u32) -> Self {
        Self::Const(pow2(n))
    }

    /// `self * self`.
    pub fn square(self) -> Self {
        self * self
    }

    /// Zero exactly for 0 and 1.
    pub fn boolean(self) -> Self {
        self * (self - Self::one())
    }

    /// Degree in the cells (challenges count 0).
    pub fn degree(&self) -> usize {
        match self {
            Self::Const(_) | Self::Beta | Self::Gamma => 0,
            Self::Cell { .. } | Self::Sum(_) | Self::Public(_) => 1,
            Self::Add(a, b) => a.degree().max(b.degree()),
            Self::Mul(a, b) => a.degree() + b.degree(),
        }
    }

    /// The same expression `rows` rows further down.
    #[must_use]
    pub fn shifted(self, rows: i32) -> Self {
        match self {
            Self::Cell { row, col } => Self::Cell { row: row + rows, col },
            Self::Sum(row) => Self::Sum(row + rows),
            Self::Public(row) => Self::Public(row + rows),
            Self::Const(_) | Self::Beta | Self::Gamma => self,
            Self::Add(a, b) => Self::Add(intern(a.shifted(rows)), intern(b.shifted(rows))),
            Self::Mul(a, b) => Self::Mul(intern(a.shifted(rows)), intern(b.shifted(rows))),
        }
    }

    /// Calls `f(row, col)` for every advice cell of the expression.
    pub fn visit_cells(&self, f: &mut impl FnMut(i32, usize)) {
        match self {
            Self::Cell { row, col } => f(*row, *col),
            Self::Add(a, b) | Self::Mul(a, b) => {
                a.visit_cells(f);
                b.visit_cells(f);
            }
            _ => {}
        }
    }

    /// The value, given how to read a leaf (everything but constants, sums and products).
    pub fn evaluate(&self, leaf: &impl Fn(&Expr) -> Fr) -> Fr {
        match self {
            Self::Const(c) => *c,
            Self::Add(a, b) => a.evaluate(leaf) + b.evaluate(leaf),
            Self::Mul(a, b) => a.evaluate(leaf) * b.evaluate(leaf),
            _ => leaf(self),
        }
    }
}

/// `2^n` in the field.
pub fn pow2(n: u32) -> Fr {
    let mut x = Fr::one();
    for _ in 0..n {
        x = x.double();
    }
    x
}

impl From<u64> for Expr {
    fn from(x: u64) -> Self {
        Self::Const(Fr::from(x))
    }
}

impl From<Fr> for Expr {
    fn from(x: Fr) -> Self {
        Self::Const(x)
    }
}

impl Add for Expr {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        match (self, other) {
            (Self::Const(a), Self::Const(b)) => Self::Const(a + b),
            (Self::Const(z), x) | (x, Self::Const(z)) if z == Fr::zero() => x,
            (a, b) => Self::Add(intern(a), intern(b)),
        }
    }
}

/// `1 - self`: the negation of a boolean.
impl Not for Expr {
    type Output = Self;
    fn not(self) -> Self {
        Self::one() - self
    }
}

impl Neg for Expr {
    type Output = Self;
    fn neg(self) -> Self {
        self * Self::Const(-Fr::one())
    }
}

impl Sub for Expr {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Expr {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        match (self, other) {
            (Self::Const(a), Self::Const(b)) => Self::Const(a * b),
            (Self::Const(z), _) | (_, Self::Const(z)) if z == Fr::zero() => Self::zero(),
            (Self::Const(o), x) | (x, Self::Const(o)) if o == Fr::one() => x,
            (a, b) => Self::Mul(intern(a), intern(b)),
        }
    }
}

impl Mul<Fr> for Expr {
    type Output = Self;
    fn mul(self, k: Fr) -> Self {
        self * Self::Const(k)
    }
}

impl std::iter::Sum for Expr {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::zero(), |a, b| a + b)
    }
}
