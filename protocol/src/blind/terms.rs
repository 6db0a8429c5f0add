//! Terms of a blind receipt, and openings.

use serde::{Deserialize, Serialize};

use super::{paid_word, BlindError, BlindReceipt};
use crate::field::serde_decimal;
use crate::hash::keccak;
use crate::limit::Limit;
use crate::ops::{Action, Body, Float, AMOUNT_BITS, FEE_BITS};
use crate::order::leaf;
use crate::receipt::word;
use crate::records::L2Record;
use crate::{field, Address, Fr, Index, Token};

/// Most accounts of one order that may be paid.
pub const MAX_PAID: usize = 16;

/// An account that a hidden order may be paid to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// The account.
    pub account: Index,
    /// Its token.
    pub token: Token,
}

/// What operator and owner agree on about a hidden order. By signing the receipt the operator says that an
/// order with this account, nonce and message that pays to one of these accounts and costs no more than is
/// available can be executed at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The message that the owner has signed.
    #[serde(with = "field::serde_fr")]
    pub message: Fr,
    /// The account that sells.
    pub account: Index,
    /// Its token.
    pub token: Token,
    /// Its nonce, which order and forfeit share.
    pub nonce: u32,
    /// What it holds at the place, whatever the prices of the batch.
    #[serde(with = "serde_decimal")]
    pub available: u128,
    /// The accounts that may be paid, in ascending order.
    pub paid: Vec<Paid>,
    /// Until when L1 takes the opening, in seconds.
    pub reveal_by: u64,
}

/// The content of a hidden order, as far as the terms do not have it. With the signature that was handed
/// in it is the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The account that is paid.
    pub to: Index,
    /// Its token.
    pub buy: Token,
    /// Most that is sold.
    #[serde(with = "serde_decimal")]
    pub amount: u128,
    /// Fee.
    #[serde(with = "serde_decimal")]
    pub fee: u128,
    /// Least that is paid for a unit.
    pub limit: Limit,
    /// Last time at which the order is valid.
    pub deadline: u64,
}

impl Opening {
    /// The opening of an order.
    ///
    /// # Errors
    /// [`BlindError::NotAnOrder`] for another operation.
    pub fn of(body: &Body) -> Result<Self, BlindError> {
        let &Body { fee, deadline, action: Action::Order { to, buy, amount, limit }, .. } = body
        else {
            return Err(BlindError::NotAnOrder);
        };
        Ok(Self { to, buy, amount, fee, limit, deadline })
    }

    /// Amount and fee as they are posted.
    ///
    /// # Errors
    /// [`BlindError::Protocol`] if one of them is no float.
    pub fn encoded(&self) -> Result<(u64, u64), BlindError> {
        let amount = Float::exact("amount", self.amount, AMOUNT_BITS)?;
        Ok((amount.encoded(), Float::exact("fee", self.fee, FEE_BITS)?.encoded()))
    }
}

impl Terms {
    /// Checks what can be checked without an opening.
    ///
    /// # Errors
    /// [`BlindError::PaidAccounts`].
    pub fn check(&self) -> Result<(), BlindError> {
        let got = self.paid.len();
        let ascending = self.paid.windows(2).all(|two| two[0].account < two[1].account);
        match ascending && (1..=MAX_PAID).contains(&got) {
            true => Ok(()),
            false => Err(BlindError::PaidAccounts { most: MAX_PAID, got }),
        }
    }

    /// What the receipt has in place of an operation's hash: keccak256 of the ABI encoding.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let packed: Vec<u8> = self.paid.iter().flat_map(|paid| packed(*paid)).collect();
        let mut available = [0; 32];
        available[16..].copy_from_slice(&self.available.to_be_bytes());
        keccak(&[
            &field::to_bytes(&self.message),
            &word(self.account.into()),
            &word(self.token.into()),
            &word(self.nonce.into()),
            &available,
            &keccak(&[&packed]),
            &word(self.reveal_by),
        ])
    }

    /// The order that an opening makes of the terms; it has the nonce and the account that were agreed on.
    #[must_use]
    pub fn body(&self, opening: &Opening) -> Body {
        let &Opening { to, buy, amount, fee, limit, deadline } = opening;
        let action = Action::Order { to, buy, amount, limit };
        let Self { account, token, nonce, .. } = *self;
        Body { account, token, nonce, deadline, fee, action }
    }

    /// Requires that an opening is that of a receipt's order, and that the order can be executed at its place.
    /// The contract decides by the same rules.
    ///
    /// # Errors
    /// [`BlindError::OtherOrder`], [`BlindError::NotExecutable`].
    pub fn check_opening(
        &self,
        blind: &BlindReceipt,
        opening: &Opening,
        domain: Fr,
    ) -> Result<(), BlindError> {
        let refused = |why: String| Err(BlindError::NotExecutable { why });
        if blind.receipt.operation != self.hash() {
            return Err(BlindError::OtherOrder { what: "the terms" });
        }
        let body = self.body(opening);
        if body_leaf(&body)? != blind.receipt.leaf {
            return Err(BlindError::OtherOrder { what: "the leaf" });
        }
        // An order does not name its own exit address.
        if body.message(domain, Address([0; 20]))? != self.message {
            return Err(BlindError::OtherOrder { what: "the signed message" });
        }
        let paid = Paid { account: opening.to, token: opening.buy };
        if !self.paid.contains(&paid) {
            return refused(format!("account {} is none that may be paid", opening.to));
        }
        if opening.amount == 0 {
            return refused("it sells nothing".into());
        }
        let shown = posted_word(&blind.forfeit).and_then(|forfeit| forfeit.fee());
        if shown != Some(opening.fee) {
            let fee = opening.fee;
            return refused(format!("its fee is {fee}, and its forfeit shows another one"));
        }
        let cost = opening.amount.checked_add(opening.fee);
        if cost.is_none_or(|cost| cost > self.available) {
            return refused(format!(
                "it sells {} for a fee of {}, and its account holds {}",
                opening.amount, opening.fee, self.available
            ));
        }
        if opening.deadline < blind.receipt.time {
            return refused(format!(
                "its deadline {} is before the block's time {}",
                opening.deadline, blind.receipt.time
            ));
        }
        Ok(())
    }
}

/// The record of a leaf that is the only word of an operation.
pub(super) fn posted_word(leaf: &Fr) -> Option<L2Record> {
    let bytes = field::to_bytes(leaf);
    let (above, word) = bytes.split_last_chunk::<16>()?;
    let word = u128::from_be_bytes(*word);
    let fits = above.iter().all(|byte| *byte == 0) && word >> 120 == 0;
    fits.then(|| L2Record::of_word(word))
}

/// The leaf of an order or a transfer, which post no owner and no exit.
///
/// # Errors
/// [`BlindError::Protocol`] if a field does not fit.
pub(super) fn body_leaf(body: &Body) -> Result<Fr, BlindError> {
    let wire = body.wire(Address([0; 20]))?;
    let first = wire.l2word(body.account, body.posted_to(0));
    let words = std::iter::once(first).chain(body.value_word().map(Fr::from));
    leaf(words).ok_or(BlindError::NotAnOrder)
}

fn packed(Paid { account, token }: Paid) -> [u8; 6] {
    let mut bytes = [0; 6];
    bytes.copy_from_slice(&paid_word(account, token).to_be_bytes()[2..]);
    bytes
}
