//! Operations (protocol section 5).

use crate::field::{self, serde_decimal, serde_fr};
use crate::hash::{compress, TAG_MSG};
use crate::keys::{PublicKey, SecretKey, Signature};
use crate::{Address, Fr, Index, StateError, Token};
use ark_ff::AdditiveGroup;
use serde::{Deserialize, Serialize};

/// A decimal float `mantissa x 10^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Float {
    /// Mantissa.
    pub mantissa: u64,
    /// Exponent, below 32.
    pub exponent: u8,
}

/// Mantissa bits of amounts.
pub const AMOUNT_BITS: u32 = 35;
/// Mantissa bits of fees.
pub const FEE_BITS: u32 = 7;

impl Float {
    /// The largest float of `bits` mantissa bits that is not above `value`, with the smallest
    /// exponent.
    #[must_use]
    pub fn floor(value: u128, bits: u32) -> Self {
        let mut mantissa = value;
        let mut exponent = 0;
        while mantissa >> bits != 0 {
            mantissa /= 10;
            exponent += 1;
        }
        Self {
            mantissa: mantissa as u64,
            exponent,
        }
    }

    /// The float of an exact value.
    ///
    /// # Errors
    /// [`StateError::Range`] if the value has more digits than the mantissa carries.
    pub fn exact(what: &'static str, value: u128, bits: u32) -> Result<Self, StateError> {
        let float = Self::floor(value, bits);
        if float.value() == Some(value) {
            return Ok(float);
        }
        Err(StateError::Range {
            what,
            value: value.to_string(),
            range: "the float's values: round it down",
        })
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
        self.mantissa << 5 | u64::from(self.exponent)
    }

    /// The float behind an encoding.
    #[must_use]
    pub fn decode(encoded: u64) -> Self {
        Self {
            mantissa: encoded >> 5,
            exponent: (encoded & 31) as u8,
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
    /// Kind, 1 to 6.
    pub kind: u8,
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
    /// If an amount or fee is no float, or a time no u40. `exit` is the account's own exit address
    /// (only ChangeKey names it).
    pub fn wire(&self, own_exit: Address) -> Result<Wire, StateError> {
        let fee = Float::exact("fee", self.fee, FEE_BITS)?;
        crate::account::check_u40("deadline", self.deadline)?;
        let amount = match self.action {
            Action::Transfer { amount, .. }
            | Action::TransferNew { amount, .. }
            | Action::Withdraw { amount, .. } => Float::exact("amount", amount, AMOUNT_BITS)?,
            _ => Float::default(),
        };
        let (kind, amount40, x) = match self.action {
            Action::Transfer { .. } => (1, amount.encoded(), [Fr::ZERO; 2]),
            Action::TransferNew { keyhash, exit, .. } => {
                (2, amount.encoded(), [keyhash, exit.to_fr()])
            }
            Action::Withdraw { to, .. } => (3, amount.encoded(), [to.to_fr(), Fr::ZERO]),
            Action::ChangeKey { keyhash } => (4, 0, [keyhash, own_exit.to_fr()]),
            Action::Freeze { until, old_until } => {
                crate::account::check_u40("until", until)?;
                (5, until, [Fr::from(old_until), Fr::ZERO])
            }
            Action::Unfreeze { old_until } => (6, 0, [Fr::from(old_until), Fr::ZERO]),
        };
        Ok(Wire {
            kind,
            fee,
            amount,
            amount40,
            x,
        })
    }

    /// The `to` field of the posted word: receiver, created index, or 0.
    #[must_use]
    pub fn posted_to(&self, created: Index) -> Index {
        match self.action {
            Action::Transfer { to, .. } => to,
            Action::TransferNew { .. } => created,
            _ => 0,
        }
    }

    /// The message that is signed.
    ///
    /// # Errors
    /// Those of [`Body::wire`].
    pub fn message(&self, domain: Fr, own_exit: Address) -> Result<Fr, StateError> {
        let wire = self.wire(own_exit)?;
        let word = wire.l2word(self.account, self.posted_to(0))
            + Fr::from(self.nonce) * field::pow2(120)
            + Fr::from(self.token) * field::pow2(152)
            + Fr::from(self.deadline) * field::pow2(168);
        let start = compress(compress(Fr::from(TAG_MSG), Fr::from(4u64)), domain);
        let short = compress(start, word);
        if wire.kind == 1 {
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
    ) -> Result<SignedOp, StateError> {
        Ok(SignedOp {
            signature: key.sign(self.message(domain, own_exit)?),
            key: key.public(),
            body: self,
        })
    }
}

impl Wire {
    /// The posted 120-bit word.
    #[must_use]
    pub fn l2word_int(&self, from: Index, to: Index) -> u128 {
        u128::from(self.kind) << 116
            | u128::from(self.fee.encoded()) << 104
            | u128::from(from) << 72
            | u128::from(to) << 40
            | u128::from(self.amount40)
    }

    /// The posted word as an element.
    #[must_use]
    pub fn l2word(&self, from: Index, to: Index) -> Fr {
        Fr::from(self.l2word_int(from, to))
    }
}
