#![doc = include_str!("README.md")]

mod unpack;

pub use unpack::{assign_unpack, unpack_block, Unpacked};

use bastion_protocol::account::Account;
use bastion_state::executor::AccountTouch;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::hash;
use crate::nodes;
use crate::witness::convert::{small, to_halo2, wide};

/// Rows from the leaf before to the leaf after.
const AFTER: i32 = 3;
/// Level of the leaves.
pub const LEAF_LEVEL: u64 = 32;

const ACTIVE: Expr = Expr::cell(6, 0);
const INDEX: Expr = Expr::cell(6, 1);
const LAST_ACCESS: Expr = Expr::cell(6, 2);
const BEFORE_EXISTS: Expr = Expr::cell(6, 3);
const AFTER_EXISTS: Expr = Expr::cell(6, 8);

/// Fields of an account, in the order of the account tuple.
#[derive(Clone, Copy, Debug)]
pub struct Fields<T> {
    /// 1 if the leaf is not empty.
    pub exists: T,
    /// Owner commitment.
    pub owner: T,
    /// Token.
    pub token: T,
    /// Nonce.
    pub nonce: T,
    /// Balance.
    pub balance: T,
    /// End of the freeze.
    pub frozen_until: T,
}

impl Fields<Fr> {
    /// The fields of an account; all zero for an empty leaf.
    pub fn of(account: Option<&Account>) -> Self {
        account.map_or_else(Self::empty, |a| Self {
            exists: Fr::one(),
            owner: to_halo2(a.owner),
            token: small(u64::from(a.token)),
            nonce: small(u64::from(a.nonce)),
            balance: wide(a.balance),
            frozen_until: small(a.frozen_until),
        })
    }

    fn empty() -> Self {
        let z = Fr::zero();
        Self { exists: z, owner: z, token: z, nonce: z, balance: z, frozen_until: z }
    }

    /// Second input of the leaf hash.
    pub fn packed(&self) -> Fr {
        let at = crate::core::pow2;
        self.token + self.nonce * at(16) + self.balance * at(48) + self.frozen_until * at(176)
    }
}

fn before() -> Fields<Expr> {
    Fields {
        exists: BEFORE_EXISTS,
        owner: hash::input_a(0),
        token: Expr::cell(6, 4),
        nonce: Expr::cell(6, 5),
        balance: Expr::cell(6, 6),
        frozen_until: Expr::cell(6, 7),
    }
}

fn after() -> Fields<Expr> {
    Fields {
        exists: AFTER_EXISTS,
        owner: hash::input_a(AFTER),
        token: Expr::cell(6, 9),
        nonce: Expr::cell(6, 10),
        balance: Expr::cell(6, 11),
        frozen_until: Expr::cell(6, 12),
    }
}

/// The tuple of account memory.
pub fn tuple(index: Expr, fields: Fields<Expr>, t: Expr) -> Tuple {
    Tuple::new(
        Tag::Account,
        [
            index,
            fields.exists,
            fields.owner,
            fields.token,
            fields.nonce,
            fields.balance,
            fields.frozen_until,
            t,
        ],
    )
}

/// Constraints of a touched account.
pub fn account_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Account);
    let (old, new) = (before(), after());
    let packed_old = hash::input_b(0);
    block.constrain("active_flag", ACTIVE.boolean());
    block.constrain("before_exists_flag", old.exists.boolean());
    block.constrain("after_exists_flag", new.exists.boolean());
    block.constrain("empty_has_no_owner", !old.exists * old.owner);
    block.constrain("empty_has_no_fields", !old.exists * packed_old);
    block.constrain(
        "after_packed",
        hash::input_b(AFTER)
            - new.token
            - new.nonce * Expr::pow2(16)
            - new.balance * Expr::pow2(48)
            - new.frozen_until * Expr::pow2(176),
    );

    let leaf_old = old.exists * hash::output(0);
    let leaf_new = new.exists * hash::output(AFTER);
    let unpacked = Unpacked {
        packed: packed_old,
        token: old.token,
        nonce: old.nonce,
        balance: old.balance,
        frozen_until: old.frozen_until,
    };
    block.bus(
        0,
        [
            Term::produce("open", ACTIVE, tuple(INDEX, old, Expr::zero())),
            Term::consume("close", ACTIVE, tuple(INDEX, new, LAST_ACCESS)),
        ],
    );
    block.bus(
        1,
        [
            Term::produce(
                "leaf",
                ACTIVE,
                nodes::tuple(Expr::from(LEAF_LEVEL), INDEX, leaf_old, leaf_new),
            ),
            Term::consume("unpack_before", ACTIVE, unpacked.tuple()),
        ],
    );
    block
}

/// Assigns a touched account (or an unused block) outside of its two compressions.
pub fn assign(writer: &mut BlockWriter<'_>, touch: Option<(&AccountTouch, u64)>) {
    let (active, index, last) = touch.map_or((0, 0, 0), |(t, last)| (1, u64::from(t.index), last));
    writer.set(&ACTIVE, small(active));
    writer.set(&INDEX, small(index));
    writer.set(&LAST_ACCESS, small(last));
    let [old, new] = states(touch.map(|(t, _)| t));
    for (cells, values) in [(before(), old), (after(), new)] {
        writer.set(&cells.exists, values.exists);
        writer.set(&cells.token, values.token);
        writer.set(&cells.nonce, values.nonce);
        writer.set(&cells.balance, values.balance);
        writer.set(&cells.frozen_until, values.frozen_until);
    }
}

/// Fields before and after the batch.
pub fn states(touch: Option<&AccountTouch>) -> [Fields<Fr>; 2] {
    [
        Fields::of(touch.and_then(|t| t.before.as_ref())),
        Fields::of(touch.and_then(|t| t.after.as_ref())),
    ]
}
