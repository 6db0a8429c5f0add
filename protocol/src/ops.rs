//! Operations (protocol section 5).

use crate::field::{self, serde_decimal, serde_fr};
use crate::hash::{compress, TAG_MSG};
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::kinds::{AmountField, Kind};
use crate::limit::Limit;
use crate::quote::Quote;
use crate::records::L2Record;
use crate::{Address, Fr, Index, Opening, ProtocolError, Token};
use ark_ff::AdditiveGroup;
use serde::{Deserialize, Serialize};

/// A decimal float `mantissa x 10^exponent` as the wire carries it: a value of this type has an
/// exponent below 32, so that no encoding stands for two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Float {
    mantissa: u64,
    exponent: u8,
}

/// Mantissa bits of amounts.
pub const AMOUNT_BITS: u32 = 35;
/// Mantissa bits of fees.
pub const FEE_BITS: u32 = 7;
/// Bits of the amount of an order. With prices of 96 bits, the products of an auction's rule stay
/// within what the circuit compares.
pub const ORDER_BITS: u32 = 112;
/// Bits of the exponent.
const EXPONENT_BITS: u32 = 5;
/// Largest exponent.
const MAX_EXPONENT: u8 = (1 << EXPONENT_BITS) - 1;

impl Float {
    /// The largest float of `bits` mantissa bits (at most 59) that is not above `value`, with the
    /// smallest exponent.
    #[must_use]
    pub fn floor(value: u128, bits: u32) -> Self {
        let largest = (1u64 << bits.min(u64::BITS - EXPONENT_BITS)) - 1;
        let mut rest = value;
        for exponent in 0..=MAX_EXPONENT {
            match u64::try_from(rest) {
                Ok(mantissa) if mantissa <= largest => return Self { mantissa, exponent },
                _ if exponent < MAX_EXPONENT => rest /= 10,
                _ => {}
            }
        }
        Self { mantissa: largest, exponent: MAX_EXPONENT }
    }

    /// The float of an exact value.
    ///
    /// # Errors
    /// [`ProtocolError::NotAFloat`] if no mantissa of `bits` bits and exponent below 32 make the value.
    pub fn exact(what: &'static str, value: u128, bits: u32) -> Result<Self, ProtocolError> {
        let float = Self::floor(value, bits);
        match float.value() {
            Some(below) if below == value => Ok(float),
            below => Err(ProtocolError::NotAFloat { what, value, bits, below: below.unwrap_or(0) }),
        }
    }

    /// The mantissa.
    #[must_use]
    pub fn mantissa(&self) -> u64 {
        self.mantissa
    }

    /// The exponent, below 32.
    #[must_use]
    pub fn exponent(&self) -> u8 {
        self.exponent
    }

    /// `mantissa x 10^exponent`, if it fits 128 bits.
    #[must_use]
    pub fn value(&self) -> Option<u128> {
        10u128
            .checked_pow(u32::from(self.exponent))
            .and_then(|p| p.checked_mul(u128::from(self.mantissa)))
            .or((self.mantissa == 0).then_some(0))
    }

    /// `mantissa x 32 + exponent`.
    #[must_use]
    pub fn encoded(&self) -> u64 {
        self.mantissa << EXPONENT_BITS | u64::from(self.exponent)
    }

    /// The float behind an encoding.
    #[must_use]
    pub fn decode(encoded: u64) -> Self {
        Self {
            mantissa: encoded >> EXPONENT_BITS,
            exponent: (encoded & u64::from(MAX_EXPONENT)) as u8,
        }
    }
}

/// What a signed operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Moves an amount to an account.
    Transfer {
        /// Receiver.
        to: Index,
        /// Amount.
        #[serde(with = "serde_decimal")]
        amount: u128,
    },
    /// Moves an amount to a new account.
    TransferNew {
        /// Key hash of the new owner.
        #[serde(with = "serde_fr")]
        keyhash: Fr,
        /// Exit address of the new owner.
        exit: Address,
        /// Amount.
        #[serde(with = "serde_decimal")]
        amount: u128,
    },
    /// Moves an amount to L1.
    Withdraw {
        /// L1 address.
        to: Address,
        /// Amount.
        #[serde(with = "serde_decimal")]
        amount: u128,
    },
    /// Replaces the key.
    ChangeKey {
        /// Hash of the new key.
        #[serde(with = "serde_fr")]
        keyhash: Fr,
    },
    /// Freezes the account (guardian).
    Freeze {
        /// End of the freeze.
        until: u64,
        /// The account's frozen_until so far.
        old_until: u64,
    },
    /// Ends a freeze (guardian).
    Unfreeze {
        /// The account's frozen_until so far.
        old_until: u64,
    },
    /// Sells at most an amount for another token, in the auction of one batch.
    Order {
        /// Account of the same owner that receives what is bought.
        to: Index,
        /// Token that is bought. It is signed and not posted: `to` holds it, or the order is refused.
        buy: Token,
        /// Most that is sold, below `2^112`.
        #[serde(with = "serde_decimal")]
        amount: u128,
        /// Least that is paid for a unit that is sold.
        limit: Limit,
    },
}

impl Action {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Transfer { .. } => Kind::Transfer,
            Self::TransferNew { .. } => Kind::TransferNew,
            Self::Withdraw { .. } => Kind::Withdraw,
            Self::ChangeKey { .. } => Kind::ChangeKey,
            Self::Freeze { .. } => Kind::Freeze,
            Self::Unfreeze { .. } => Kind::Unfreeze,
            Self::Order { .. } => Kind::Order,
        }
    }

    /// The amount that it moves, if it is of a kind that moves one; the most that an order sells.
    #[must_use]
    pub fn amount(&self) -> Option<u128> {
        match *self {
            Self::Transfer { amount, .. }
            | Self::TransferNew { amount, .. }
            | Self::Withdraw { amount, .. }
            | Self::Order { amount, .. } => Some(amount),
            Self::ChangeKey { .. } | Self::Freeze { .. } | Self::Unfreeze { .. } => None,
        }
    }

    /// The account that exists and receives something, if there is one.
    #[must_use]
    pub fn receiver(&self) -> Option<Index> {
        match *self {
            Self::Transfer { to, .. } | Self::Order { to, .. } => Some(to),
            Self::TransferNew { .. }
            | Self::Withdraw { .. }
            | Self::ChangeKey { .. }
            | Self::Freeze { .. }
            | Self::Unfreeze { .. } => None,
        }
    }

    /// The L1 address to which it moves an amount, if it does.
    #[must_use]
    pub fn leaves_to(&self) -> Option<Address> {
        match *self {
            Self::Withdraw { to, .. } => Some(to),
            Self::Transfer { .. }
            | Self::TransferNew { .. }
            | Self::ChangeKey { .. }
            | Self::Freeze { .. }
            | Self::Unfreeze { .. }
            | Self::Order { .. } => None,
        }
    }
}

/// The signed fields of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The account that acts, or the target of a freeze.
    pub account: Index,
    /// Its token.
    pub token: Token,
    /// Its nonce; 0 for the guardian's.
    pub nonce: u32,
    /// Last time (u40) at which the operation is valid.
    pub deadline: u64,
    /// Fee.
    #[serde(with = "serde_decimal")]
    pub fee: u128,
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
}

/// An operation with its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOp {
    /// What was signed.
    #[serde(flatten)]
    pub body: Body,
    /// Who signed.
    pub key: PublicKey,
    /// The signature.
    pub signature: Signature,
}

/// An operation.
#[allow(clippy::large_enum_variant)] // Signed operations are the common case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// From the L1 queue: credit or create.
    Deposit(Deposit),
    /// From the L1 queue: the whole balance leaves.
    ForcedExit(ForcedExit),
    /// Signed.
    Signed(SignedOp),
    /// A quote of the batch's auction, which the operator posts.
    Quote(Quote),
    /// Padding.
    Noop,
}

/// A deposit, as the L1 queue holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deposit {
    /// Token.
    pub token: Token,
    /// Amount.
    #[serde(with = "serde_decimal")]
    pub amount: u128,
    /// Hash of the owner's key.
    #[serde(with = "serde_fr")]
    pub keyhash: Fr,
    /// Exit address of the owner.
    pub exit: Address,
}

/// A request to leave, as the L1 queue holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForcedExit {
    /// Account.
    pub index: Index,
    /// Its token.
    pub token: Token,
    /// Who asked.
    pub exit: Address,
}

/// Everything of an operation that stands in its posted word and its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    /// Kind.
    pub kind: Kind,
    /// Fee.
    pub fee: Float,
    /// Amount as a float; zero where there is none.
    pub amount: Float,
    /// The 40-bit amount field.
    pub amount40: u64,
    /// Extra fields of the message.
    pub x: [Fr; 2],
}

impl Body {
    /// The encoding of the fields.
    ///
    /// # Errors
    /// If an amount or fee is no float, a time no u40, or the amount of an order too large. `exit` is the account's own exit address
    /// (only ChangeKey names it).
    pub fn wire(&self, own_exit: Address) -> Result<Wire, ProtocolError> {
        let fee = Float::exact("fee", self.fee, FEE_BITS)?;
        crate::account::check_u40("deadline", self.deadline)?;
        let kind = self.action.kind();
        let (time, x) = match self.action {
            Action::Transfer { .. } => (0, [Fr::ZERO; 2]),
            Action::TransferNew { keyhash, exit, .. } => (0, [keyhash, exit.to_fr()]),
            Action::Withdraw { to, .. } => (0, [to.to_fr(), Fr::ZERO]),
            Action::ChangeKey { keyhash } => (0, [keyhash, own_exit.to_fr()]),
            Action::Freeze { until, old_until } => (until, [Fr::from(old_until), Fr::ZERO]),
            Action::Unfreeze { old_until } => (0, [Fr::from(old_until), Fr::ZERO]),
            Action::Order { buy, limit, .. } => (0, [Fr::from(limit.word()), Fr::from(buy)]),
        };
        let amount = self.action.amount().unwrap_or_default();
        if kind == Kind::Order && amount >> ORDER_BITS != 0 {
            return Err(ProtocolError::Range {
                what: "amount of the order",
                value: amount.to_string(),
                range: "1 to 2^112 - 1",
            });
        }
        let amount = Float::exact("amount", amount, AMOUNT_BITS)?;
        let amount40 = match kind.description().amount {
            AmountField::None => 0,
            AmountField::Float => amount.encoded(),
            AmountField::Time => {
                crate::account::check_u40("until", time)?;
                time
            }
        };
        Ok(Wire { kind, fee, amount, amount40, x })
    }

    /// The `to` field of the posted word: receiver, created index, or 0.
    #[must_use]
    pub fn posted_to(&self, created: Index) -> Index {
        match self.action {
            Action::Transfer { to, .. } | Action::Order { to, .. } => to,
            Action::TransferNew { .. } => created,
            Action::Withdraw { .. }
            | Action::ChangeKey { .. }
            | Action::Freeze { .. }
            | Action::Unfreeze { .. } => 0,
        }
    }

    /// Key hash and exit address of the owner that it posts; `own_exit` is the account's.
    #[must_use]
    pub fn new_owner(&self, own_exit: Address) -> Option<Opening> {
        match self.action {
            Action::TransferNew { keyhash, exit, .. } => Some((keyhash, exit)),
            Action::ChangeKey { keyhash } => Some((keyhash, own_exit)),
            Action::Transfer { .. }
            | Action::Withdraw { .. }
            | Action::Freeze { .. }
            | Action::Unfreeze { .. }
            | Action::Order { .. } => None,
        }
    }

    /// The word that it posts after its first one: the limit of an order.
    #[must_use]
    pub fn value_word(&self) -> Option<u128> {
        match self.action {
            Action::Order { limit, .. } => Some(limit.word()),
            Action::Transfer { .. }
            | Action::TransferNew { .. }
            | Action::Withdraw { .. }
            | Action::ChangeKey { .. }
            | Action::Freeze { .. }
            | Action::Unfreeze { .. } => None,
        }
    }

    /// The message that is signed.
    ///
    /// # Errors
    /// Those of [`Body::wire`].
    pub fn message(&self, domain: Fr, own_exit: Address) -> Result<Fr, ProtocolError> {
        let wire = self.wire(own_exit)?;
        let word = wire.l2word(self.account, self.posted_to(0))
            + Fr::from(self.nonce) * field::pow2(120)
            + Fr::from(self.token) * field::pow2(152)
            + Fr::from(self.deadline) * field::pow2(168);
        let start = compress(compress(Fr::from(TAG_MSG), Fr::from(4u64)), domain);
        let short = compress(start, word);
        if wire.kind.description().extra == 0 {
            return Ok(short);
        }
        Ok(compress(compress(short, wire.x[0]), wire.x[1]))
    }

    /// Signs the operation.
    ///
    /// # Errors
    /// Those of [`Body::wire`].
    pub fn sign(
        self,
        key: &SecretKey,
        domain: Fr,
        own_exit: Address,
    ) -> Result<SignedOp, ProtocolError> {
        Ok(SignedOp {
            signature: key.sign(self.message(domain, own_exit)?),
            key: key.public(),
            body: self,
        })
    }
}

impl Wire {
    /// The posted record.
    #[must_use]
    pub fn record(&self, from: Index, to: Index) -> L2Record {
        L2Record {
            kind: self.kind.description().number,
            fee12: self.fee.encoded(),
            from,
            to,
            amount40: self.amount40,
        }
    }

    /// The posted word as an element.
    #[must_use]
    pub fn l2word(&self, from: Index, to: Index) -> Fr {
        Fr::from(self.record(from, to).word())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The largest value of each float, and what stands around it.
    #[test]
    fn an_exponent_of_32_is_no_float() {
        let ten = |e: u32| 10u128.pow(e);
        for (value, bits) in [
            (127 * ten(31), FEE_BITS),
            (ten(33), FEE_BITS),
            (34_028_236_692 * ten(28), AMOUNT_BITS),
            ((1 << 35) - 1, AMOUNT_BITS),
            (0, FEE_BITS),
        ] {
            let float = Float::exact("value", value, bits).unwrap();
            assert_eq!(float.value(), Some(value));
            assert!(float.encoded() >> (bits + 5) == 0);
            assert_eq!(Float::decode(float.encoded()), float);
        }
        for (value, bits, fits) in [
            (ten(34), FEE_BITS, 127 * ten(31)),
            (101 * ten(32), FEE_BITS, 127 * ten(31)),
            (13 * ten(34), FEE_BITS, 127 * ten(31)),
            (128 * ten(31), FEE_BITS, 127 * ten(31)),
            (127 * ten(31) + 1, FEE_BITS, 127 * ten(31)),
            (129, FEE_BITS, 120),
            (u128::MAX, FEE_BITS, 127 * ten(31)),
            ((1 << 35) + 1, AMOUNT_BITS, 34_359_738_360),
            (u128::MAX, AMOUNT_BITS, 34_028_236_692 * ten(28)),
        ] {
            let error = Float::exact("value", value, bits).unwrap_err();
            let ProtocolError::NotAFloat { below, .. } = error else {
                panic!("{error}");
            };
            assert_eq!(below, fits, "{value}");
            assert_eq!(Float::floor(value, bits).value(), Some(fits));
            assert!(Float::exact("value", below, bits).is_ok());
        }
    }

    /// No two values share a wire: what was signed for one is no signature of the other.
    #[test]
    fn the_wire_tells_fees_apart() {
        let mut seen = std::collections::BTreeMap::new();
        for mantissa in 0..128u128 {
            for exponent in 0..=38 {
                let value = 10u128.pow(exponent).checked_mul(mantissa);
                let Some(value) = value else { continue };
                let Ok(float) = Float::exact("fee", value, FEE_BITS) else {
                    continue;
                };
                assert_eq!(*seen.entry(float.encoded()).or_insert(value), value);
            }
        }
        assert!(seen.len() > 3_000, "{}", seen.len());
    }
}
