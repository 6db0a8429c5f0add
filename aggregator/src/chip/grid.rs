//! The witness of the curve table: cells, and conversions between its number systems.

use std::sync::LazyLock;

use bastion_circuits::core::{Challenges, Expr};
use halo2_proofs::halo2curves::bn256::{Fq, Fr};
use halo2_proofs::halo2curves::ff::PrimeField;
use num_bigint::{BigInt, BigUint, Sign};

use super::columns::{
    Limbs, Number, CHUNK_BITS, COLUMNS, LIMB, LIMBS, LIMB_BITS, LIMB_CHUNKS, NUMBER, SIDE, WIDE_TOP,
};

static BASE: LazyLock<BigUint> =
    LazyLock::new(|| BigUint::from_bytes_le((-Fq::one()).to_repr().as_ref()) + 1u8);
static SCALAR: LazyLock<BigUint> =
    LazyLock::new(|| BigUint::from_bytes_le((-Fr::one()).to_repr().as_ref()) + 1u8);

/// The order of the base field.
pub fn base_modulus() -> &'static BigUint {
    &BASE
}

/// The order of the scalar field, which is that of the group.
pub fn scalar_modulus() -> &'static BigUint {
    &SCALAR
}

/// An integer in the scalar field.
pub fn to_fr(x: &BigInt) -> Fr {
    let reduced = x.magnitude() % &*SCALAR;
    let mut repr = [0u8; 32];
    let bytes = reduced.to_bytes_le();
    repr[..bytes.len()].copy_from_slice(&bytes);
    let value = Option::<Fr>::from(Fr::from_repr(repr)).unwrap_or(Fr::zero());
    if x.sign() == Sign::Minus {
        -value
    } else {
        value
    }
}

/// The integer of least magnitude that an element stands for.
pub fn signed(x: &Fr) -> BigInt {
    let value = BigUint::from_bytes_le(x.to_repr().as_ref());
    if value.bit(253) || value > (&*SCALAR >> 1) {
        BigInt::from(value) - BigInt::from(SCALAR.clone())
    } else {
        BigInt::from(value)
    }
}

/// The canonical integer of an element of the base field.
pub fn to_integer(x: &Fq) -> BigUint {
    BigUint::from_bytes_le(x.to_repr().as_ref())
}

/// An element of the base field in the scalar field, as it enters the transcript.
pub fn to_native(x: &Fq) -> Fr {
    to_fr(&BigInt::from(to_integer(x)))
}

/// The limbs of an element of the base field.
pub fn limbs_of(x: &Fq) -> [Fr; LIMBS] {
    let value = to_integer(x);
    let mask = (BigUint::from(1u8) << LIMB_BITS) - 1u8;
    std::array::from_fn(|k| {
        let limb = (&value >> (LIMB_BITS * k as u32)) & &mask;
        to_fr(&BigInt::from(limb))
    })
}

/// All cells, column by column: advice of the first phase, then the fixed columns of blocks.
#[derive(Clone, Debug)]
pub struct Grid {
    columns: Vec<Vec<Fr>>,
}

impl Grid {
    /// A grid of zeros.
    pub fn new(rows: usize) -> Self {
        Self { columns: vec![vec![Fr::zero(); rows]; COLUMNS] }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.columns[0].len()
    }

    /// A column.
    pub fn column(&self, column: usize) -> &[Fr] {
        &self.columns[column]
    }

    /// The cell; 0 outside of the grid.
    pub fn get(&self, row: usize, column: usize) -> Fr {
        self.columns[column].get(row).copied().unwrap_or(Fr::zero())
    }

    /// Sets a cell.
    pub fn set(&mut self, row: usize, column: usize, value: Fr) {
        self.columns[column][row] = value;
    }

    /// The value of an expression over the block at `row`.
    pub fn evaluate(&self, expr: &Expr, row: usize, challenges: &Challenges) -> Fr {
        expr.evaluate(&|leaf| match leaf {
            Expr::Cell { row: at, col } => usize::try_from(row as i64 + i64::from(*at))
                .map_or(Fr::zero(), |r| self.get(r, *col)),
            Expr::Beta => challenges.beta,
            Expr::Gamma => challenges.gamma,
            // Blocks read neither sums nor public inputs.
            _ => Fr::zero(),
        })
    }

    /// A writer for the block at `row`.
    pub fn block(&mut self, row: usize) -> BlockWriter<'_> {
        BlockWriter { grid: self, row }
    }
}

/// Writes the cells of one block.
pub struct BlockWriter<'g> {
    grid: &'g mut Grid,
    row: usize,
}

impl BlockWriter<'_> {
    /// The value of an expression over cells.
    pub fn read(&self, expr: &Expr) -> Fr {
        let none = Challenges { beta: Fr::zero(), gamma: Fr::zero() };
        self.grid.evaluate(expr, self.row, &none)
    }

    /// Sets the cell that `cell` names.
    ///
    /// # Panics
    /// If the expression is not a cell: the block's description is wrong, whatever the witness.
    pub fn set(&mut self, cell: &Expr, value: Fr) {
        let Expr::Cell { row, col } = *cell else {
            unreachable!("{cell:?} is not a cell");
        };
        let at = self.row as i64 + i64::from(row);
        self.grid.set(at as usize, col, value);
    }

    /// Sets limbs.
    pub fn limbs(&mut self, cells: &Limbs, values: &[Fr; LIMBS]) {
        for (cell, value) in cells.iter().zip(values) {
            self.set(cell, *value);
        }
    }

    /// Sets the limb of a row and its chunks; what does not fit is dropped.
    pub fn narrow(&mut self, row: usize, value: &BigUint) {
        let row = self.row + row;
        let mut limb = Fr::zero();
        for n in (0..LIMB_CHUNKS).rev() {
            let digit: BigUint = (value >> (CHUNK_BITS as usize * n)) & BigUint::from(0xffff_u32);
            let digit = to_fr(&BigInt::from(digit));
            self.grid.set(row, n, digit);
            limb = limb * Fr::from(1 << CHUNK_BITS) + digit;
        }
        self.grid.set(row, LIMB, limb);
    }

    /// The same of a row whose limb is wide, with the side chunk.
    pub fn wide(&mut self, row: usize, value: &BigUint) {
        let top = (value >> WIDE_TOP) & BigUint::from(0xffff_u32);
        self.narrow(row, &(value - (&top << WIDE_TOP)));
        let top = BigInt::from(top);
        let at = self.row + row;
        self.grid.set(at, SIDE, to_fr(&top));
        let limb = self.grid.get(at, LIMB) + to_fr(&(top << WIDE_TOP));
        self.grid.set(at, LIMB, limb);
    }

    /// Sets a number; what does not fit is dropped.
    pub fn number(&mut self, number: Number, value: &BigUint) {
        for n in 0..NUMBER {
            self.narrow(number.row + n, &(value >> (LIMB_BITS as usize * n)));
        }
        let top = (value >> (LIMB_BITS as usize * NUMBER)) & BigUint::from(0xffff_u32);
        self.grid.set(self.row + number.top, SIDE, to_fr(&BigInt::from(top)));
    }

    /// Sets a number to an element, and the words that hold its limbs.
    pub fn element(&mut self, number: Number, words: &Limbs, value: &Fq) {
        self.number(number, &to_integer(value));
        self.limbs(words, &limbs_of(value));
    }
}
