//! The reading of a packed account word: base-4 digits fix all four fields.

use halo2_proofs::halo2curves::bn256::Fr;

use crate::accounts::Fields;
use crate::core::{BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::ranges::{assign_digits, digit_cell, digit_rows, digits_of, weighted, ROW_DIGITS};
use crate::witness::convert::{small, wide};

/// Digits of each field.
const TOKEN: usize = 8;
const NONCE: usize = 16;
const BALANCE: usize = 64;
const FROZEN: usize = 20;
const DIGITS: usize = TOKEN + NONCE + BALANCE + FROZEN;
const MULTIPLICITY: Expr = Expr::cell(1, ROW_DIGITS + 2);

/// A packed word and its fields.
#[derive(Clone, Copy, Debug)]
pub struct Unpacked<T> {
    /// The packed word.
    pub packed: T,
    /// 16 bits.
    pub token: T,
    /// 32 bits.
    pub nonce: T,
    /// 128 bits.
    pub balance: T,
    /// 40 bits.
    pub frozen_until: T,
}

impl Unpacked<Expr> {
    /// The tuple on the bus.
    pub fn tuple(self) -> Tuple {
        Tuple::new(
            Tag::Unpack,
            [self.packed, self.token, self.nonce, self.balance, self.frozen_until],
        )
    }
}

fn cells() -> Unpacked<Expr> {
    let at = |i: usize| Expr::cell((i / 3) as i32, ROW_DIGITS + i % 3);
    Unpacked { packed: at(0), token: at(1), nonce: at(2), balance: at(3), frozen_until: at(4) }
}

/// Constraints of a reading.
pub fn unpack_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Unpack);
    digit_rows(&mut block, DIGITS);
    let c = cells();
    let field = |first: usize, len: usize| weighted((first..first + len).map(digit_cell));
    block.constrain("token", c.token - field(0, TOKEN));
    block.constrain("nonce", c.nonce - field(TOKEN, NONCE));
    block.constrain("balance", c.balance - field(TOKEN + NONCE, BALANCE));
    block.constrain("frozen_until", c.frozen_until - field(TOKEN + NONCE + BALANCE, FROZEN));
    block.constrain(
        "packed",
        c.packed
            - c.token
            - c.nonce * Expr::pow2(16)
            - c.balance * Expr::pow2(48)
            - c.frozen_until * Expr::pow2(176),
    );
    block.bus(0, [Term::produce("produce", MULTIPLICITY, c.tuple())]);
    block
}

/// Assigns the reading of an account's fields, looked up `multiplicity` times.
pub fn assign_unpack(
    writer: &mut BlockWriter<'_>,
    account: Option<&bastion_protocol::account::Account>,
    multiplicity: u64,
) {
    let (token, nonce, balance, frozen) = account.map_or((0, 0, 0, 0), |a| {
        (u128::from(a.token), u128::from(a.nonce), a.balance, u128::from(a.frozen_until))
    });
    let fields = [(token, TOKEN), (nonce, NONCE), (balance, BALANCE), (frozen, FROZEN)];
    let digits: Vec<u64> = fields.into_iter().flat_map(|(v, len)| digits_of(v, len)).collect();
    assign_digits(writer, digits.into_iter());
    let fields: Fields<Fr> = Fields::of(account);
    let c = cells();
    writer.set(&c.packed, fields.packed());
    writer.set(&c.token, wide(token));
    writer.set(&c.nonce, wide(nonce));
    writer.set(&c.balance, wide(balance));
    writer.set(&c.frozen_until, wide(frozen));
    writer.set(&MULTIPLICITY, small(multiplicity));
}
