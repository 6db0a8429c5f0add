//! Cells of an operation.

use bastion_protocol::Kind;

use crate::accounts::Fields;
use crate::core::Expr;

/// One account access: consumes the account as it was, produces it as it is.
#[derive(Clone, Copy, Debug)]
pub struct AccessCells {
    /// Leaf index.
    pub index: Expr,
    /// Fields before.
    pub before: Fields<Expr>,
    /// Time stamp of the access before this one (0: the opening).
    pub t_before: Expr,
    /// Fields after.
    pub after: Fields<Expr>,
}

/// A decimal float: `mantissa x 10^e`, `e` in five bits.
#[derive(Clone, Copy, Debug)]
pub struct FloatCells {
    /// The mantissa (a cell, or the sum of its bits).
    pub mantissa: Expr,
    /// Bits of the exponent, lowest first.
    pub exponent: [Expr; 5],
    /// `10^(e mod 8)`.
    pub low_power: Expr,
    /// `10^e`.
    pub power: Expr,
}

/// Constants of the batch.
#[derive(Clone, Copy, Debug)]
pub struct ContextCells {
    /// Time of the batch.
    pub time: Expr,
    /// Evaluation point of the word polynomial.
    pub r: Expr,
    /// Start of the message chain: tag and domain.
    pub m_domain: Expr,
    /// Key hash of the guardian.
    pub guardian: Expr,
    /// Longest freeze.
    pub max_freeze: Expr,
    /// Time between freezes.
    pub cooldown: Expr,
    /// Owner of new fee accounts.
    pub fee_owner: Expr,
    /// 1 if L2 and owner records are in a blob.
    pub mode: Expr,
    /// Operations of the batch, padding aside.
    pub operations: Expr,
}

impl ContextCells {
    /// The entries of the context tuple.
    pub fn entries(&self) -> [Expr; 9] {
        [
            self.time,
            self.r,
            self.m_domain,
            self.guardian,
            self.max_freeze,
            self.cooldown,
            self.fee_owner,
            self.mode,
            self.operations,
        ]
    }
}

/// All cells of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Cells {
    /// One-hot kind, in the order of [`Kind::ALL`].
    pub kind: [Expr; Kind::ALL.len()],
    /// Number of the operation in the batch.
    pub number: Expr,
    /// Primary account; receiver or limiter; fee account.
    pub access: [AccessCells; 3],
    /// Constants of the batch.
    pub context: ContextCells,
    /// Amount that moves.
    pub amount: Expr,
    /// Fee that is paid.
    pub fee: Expr,
    /// Float of the amount.
    pub amount_float: FloatCells,
    /// Bits of the fee's mantissa.
    pub fee_bits: [Expr; 7],
    /// Float of the fee.
    pub fee_float: FloatCells,
    /// The 40 bits of the amount field in the posted word.
    pub amount40: Expr,
    /// The `to` field in the posted word.
    pub to: Expr,
    /// Opening of the primary account's owner (key hash of the guardian for a freeze).
    pub keyhash: Expr,
    /// Exit address of the primary account's owner.
    pub exit: Expr,
    /// The owner that `keyhash` and `exit` open.
    pub opened: Expr,
    /// Token that an L1 operation names.
    pub requested_token: Expr,
    /// Exit address that a forced exit names.
    pub requested_exit: Expr,
    /// First extra field of the message.
    pub x1: Expr,
    /// Second extra field of the message.
    pub x2: Expr,
    /// `compress(x1, x2)` where that is an owner.
    pub new_owner: Expr,
    /// First word of the message.
    pub message_word: Expr,
    /// The message chain after the word, `x1`, `x2`.
    pub message_chain: [Expr; 3],
    /// The message.
    pub message: Expr,
    /// Posted words: main; key hash and exit (of a Withdraw: its exit record again); exit record.
    pub words: [Expr; 5],
    /// The leaf after the second and the third word.
    pub leaf_chain: [Expr; 2],
    /// The leaf of the order tree.
    pub leaf: Expr,
    /// Children of the node of the order tree that this operation computes.
    pub children: [Expr; 2],
    /// That node.
    pub node: Expr,
    /// Word polynomials of the four sections before.
    pub y_before: [Expr; 4],
    /// Word polynomials of the four sections after.
    pub y_after: [Expr; 4],
    /// L1 after one word, L1 after two, exits after one, owners after one.
    pub y_partial: [Expr; 4],
    /// Records of the four sections before.
    pub counts: [Expr; 4],
    /// When L1 releases an exit.
    pub release: Expr,
    /// Where an exit goes.
    pub exit_to: Expr,
    /// 1 if the primary account is frozen.
    pub frozen: Expr,
    /// 40-bit values: mantissa, amount field, time to the deadline, comparison of times, new index.
    pub small: [Expr; 5],
    /// 128-bit value of the second access, or the amount of a deposit.
    pub second_range: Expr,
    /// Weights that show that a forced exit does not match.
    pub mismatch: [Expr; 2],
    /// `1 / amount`.
    pub amount_inverse: Expr,
    /// `1 / (to - from)`.
    pub distinct_inverse: Expr,
    /// `1 / owner` of a receiver or of the target of a freeze.
    pub owner_inverse: Expr,
    /// Operations before this one, padding aside: its place in the order tree.
    pub position: Expr,
}

struct Allocator(usize);

impl Allocator {
    fn one(&mut self) -> Expr {
        self.0 += 1;
        Expr::nth(self.0 - 1)
    }

    fn many<const N: usize>(&mut self) -> [Expr; N] {
        std::array::from_fn(|_| self.one())
    }

    fn fields(&mut self) -> Fields<Expr> {
        Fields {
            exists: self.one(),
            owner: self.one(),
            token: self.one(),
            nonce: self.one(),
            balance: self.one(),
            frozen_until: self.one(),
        }
    }

    fn access(&mut self) -> AccessCells {
        AccessCells {
            index: self.one(),
            before: self.fields(),
            t_before: self.one(),
            after: self.fields(),
        }
    }

    fn float(&mut self, mantissa: Expr) -> FloatCells {
        FloatCells { mantissa, exponent: self.many(), low_power: self.one(), power: self.one() }
    }
}

/// The cells, allocated one after the other.
pub fn cells() -> Cells {
    let mut a = Allocator(0);
    let mantissa = a.one();
    let fee_bits: [Expr; 7] = a.many();
    let fee_mantissa = fee_bits.iter().enumerate().map(|(i, b)| *b * Expr::pow2(i as u32)).sum();
    let mut cells = Cells {
        kind: a.many(),
        number: a.one(),
        access: [a.access(), a.access(), a.access()],
        context: ContextCells {
            time: a.one(),
            r: a.one(),
            m_domain: a.one(),
            guardian: a.one(),
            max_freeze: a.one(),
            cooldown: a.one(),
            fee_owner: a.one(),
            // Allocated last.
            mode: Expr::zero(),
            operations: Expr::zero(),
        },
        amount: a.one(),
        fee: a.one(),
        amount_float: a.float(mantissa),
        fee_bits,
        fee_float: a.float(fee_mantissa),
        amount40: a.one(),
        to: a.one(),
        keyhash: a.one(),
        exit: a.one(),
        opened: a.one(),
        requested_token: a.one(),
        requested_exit: a.one(),
        x1: a.one(),
        x2: a.one(),
        new_owner: a.one(),
        message_word: a.one(),
        message_chain: a.many(),
        message: a.one(),
        words: a.many(),
        leaf_chain: a.many(),
        leaf: a.one(),
        children: a.many(),
        node: a.one(),
        y_before: a.many(),
        y_after: a.many(),
        y_partial: a.many(),
        counts: a.many(),
        release: a.one(),
        exit_to: a.one(),
        frozen: a.one(),
        small: a.many(),
        second_range: a.one(),
        mismatch: a.many(),
        amount_inverse: a.one(),
        distinct_inverse: a.one(),
        owner_inverse: a.one(),
        position: Expr::zero(),
    };
    cells.context.mode = a.one();
    cells.context.operations = a.one();
    cells.position = a.one();
    cells
}

impl FloatCells {
    /// The exponent as a number.
    pub fn exponent_value(&self) -> Expr {
        self.exponent.iter().enumerate().map(|(i, b)| *b * Expr::pow2(i as u32)).sum()
    }

    /// `mantissa x 32 + e`.
    pub fn encoded(&self) -> Expr {
        self.mantissa * Expr::from(32) + self.exponent_value()
    }
}
