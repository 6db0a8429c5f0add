//! What an owner hands in, and how an order is made that nobody guesses from its leaf.

use ark_ff::AdditiveGroup;
use serde::{Deserialize, Serialize};

use super::terms::{body_leaf, posted_word, Opening};
use super::{BlindError, Entry};
use crate::keys::{owner, PublicKey, SecretKey, Signature};
use crate::limit::Limit;
use crate::ops::{Action, Body, Float, SignedOp, AMOUNT_BITS};
use crate::{field, Address, Fr, Index, Kind};

/// Key hash of the accounts that forfeits are paid to: no key is known that has it.
pub const BURNED_KEYHASH: Fr = Fr::ZERO;
/// Exit address of these accounts: nobody can send from it, so they never leave.
pub const BURNED_EXIT: Address =
    Address([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xde, 0xad]);

/// Bits of a limit's mantissa that are drawn at random. The limit rises by less than `2^-16` of itself, which is
/// half of the auction's fee.
pub const HIDDEN_BITS: u32 = 47;
/// The amount falls by a random part below this one of itself.
const AMOUNT_PART: u128 = 1 << 20;

/// Seconds that an owner needs for an opening on L1, if the operator does not hear him: nothing is revealed later than
/// so long before [`Terms::reveal_by`](super::Terms::reveal_by).
pub const REVEAL_MARGIN: u64 = 300;

/// Whether an account with this owner can never be spent from.
#[must_use]
pub fn is_burned(account_owner: Fr) -> bool {
    account_owner == owner(BURNED_KEYHASH, BURNED_EXIT)
}

/// What an owner hands in for a hidden order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The account that sells.
    pub account: Index,
    /// Its nonce.
    pub nonce: u32,
    /// The accounts that may be paid, in ascending order; the order names one of them.
    pub paid: Vec<Index>,
    /// Leaf of the order.
    #[serde(with = "field::serde_fr")]
    pub leaf: Fr,
    /// The message that is signed.
    #[serde(with = "field::serde_fr")]
    pub message: Fr,
    /// Who signed.
    pub key: PublicKey,
    /// The order's signature.
    pub signature: Signature,
    /// The transfer that takes the place if the order is not revealed. It has the order's nonce.
    pub forfeit: SignedOp,
}

/// A hidden order, as its owner keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// What the operator gets at once.
    pub request: Request,
    /// What it gets when the batch is closed.
    pub opening: Opening,
}

impl Hidden {
    /// Hides an order, which should come from [`conceal`]. If it is not revealed, `bond` is paid to the account
    /// `burned`, which nobody can spend from ([`is_burned`]).
    ///
    /// # Errors
    /// [`BlindError::NotAnOrder`]; [`BlindError::Protocol`] if a field does not fit.
    pub fn new(
        order: Body,
        paid: Vec<Index>,
        (burned, bond): (Index, u128),
        key: &SecretKey,
        domain: Fr,
    ) -> Result<Self, BlindError> {
        let opening = Opening::of(&order)?;
        // Neither an order nor a transfer names its own exit address.
        let exit = Address([0; 20]);
        let message = order.message(domain, exit)?;
        let Body { account, nonce, .. } = order;
        let action = Action::Transfer { to: burned, amount: bond };
        let forfeit = Body { action, ..order }.sign(key, domain, exit)?;
        let request = Request {
            account,
            nonce,
            paid,
            leaf: body_leaf(&order)?,
            message,
            key: key.public(),
            signature: key.sign(message),
            forfeit,
        };
        Ok(Self { request, opening })
    }
}

impl Request {
    /// Leaf of the forfeit.
    ///
    /// # Errors
    /// [`BlindError::Forfeit`] if it is no transfer of the same account and nonce by the same key.
    pub fn forfeit_leaf(&self) -> Result<Fr, BlindError> {
        let Self { account, nonce, ref forfeit, .. } = *self;
        let Body { account: of, nonce: at, action, .. } = forfeit.body;
        let transfers = matches!(action, Action::Transfer { .. });
        match transfers && (of, at, forfeit.key) == (account, nonce, self.key) {
            true => body_leaf(&forfeit.body),
            false => Err(BlindError::Forfeit { account, nonce }),
        }
    }

    /// The order, once its opening is known.
    #[must_use]
    pub fn signed(&self, body: Body) -> SignedOp {
        SignedOp { body, key: self.key, signature: self.signature }
    }
}

/// An order with the same meaning that nobody finds by trying: the low bits of its limit are replaced by
/// `random` ones such that the limit does not fall, and its amount falls by less than a millionth if it has so
/// many units.
///
/// # Errors
/// [`BlindError::NotAnOrder`]; [`BlindError::Protocol`] for a limit at the end of its range.
pub fn conceal(order: Body, random: [u64; 2]) -> Result<Body, BlindError> {
    let Action::Order { to, buy, amount, limit } = order.action else {
        return Err(BlindError::NotAnOrder);
    };
    let less = u128::from(random[1]) % (amount / AMOUNT_PART).max(1);
    let amount = Float::floor(amount.saturating_sub(less), AMOUNT_BITS).value().unwrap_or(amount);
    let action = Action::Order { to, buy, amount, limit: raised(limit, random[0])? };
    Ok(Body { action, ..order })
}

/// The least limit with these low bits that is not below `limit`.
fn raised(limit: Limit, random: u64) -> Result<Limit, BlindError> {
    let low = (1u64 << HIDDEN_BITS) - 1;
    let hidden = random & low;
    let mantissa = limit.mantissa() & !low | hidden;
    let exponent = limit.exponent();
    let step = if hidden < limit.mantissa() & low { low + 1 } else { 0 };
    match mantissa.checked_add(step) {
        Some(mantissa) => Ok(Limit::new(mantissa, exponent)?),
        // The next power of two: its mantissa begins anew.
        None => {
            let exponent = exponent.checked_sub(1).unwrap_or(u8::MAX);
            Ok(Limit::new(1 << 63 | hidden, exponent)?)
        }
    }
}

/// What is lost if the order of an entry is not revealed: token and amount are those of the transfer from `from`
/// to `to`. None if its forfeit is no transfer.
#[must_use]
pub fn bond_of(entry: &Entry) -> Option<Bond> {
    let record = posted_word(&entry.forfeit?)?;
    if record.kind != Kind::Transfer.description().number {
        return None;
    }
    let amount = record.amount()?;
    Some(Bond { from: record.from, to: record.to, amount })
}

/// What a forfeit moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bond {
    /// The account that sells.
    pub from: Index,
    /// The account that gets it.
    pub to: Index,
    /// How much, in the token of both.
    pub amount: u128,
}
