//! Accounts and their leaves (protocol §3).

use crate::{
    field::{serde_decimal, serde_fr},
    hash::compress,
    Fr, Index, ProtocolError, Token, TIME_BOUND,
};
use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use serde::{Deserialize, Serialize};

/// First index of the limiters; below are the fee accounts.
pub const FIRST_LIMITER: Index = 1 << 16;
/// First index of users' accounts.
pub const FIRST_USER: Index = 1 << 17;

/// Index of the account that collects the fees of a token.
#[must_use]
pub fn fee_index(token: Token) -> Index {
    Index::from(token)
}

/// Index of the bridge limiter of a token.
#[must_use]
pub fn limiter_index(token: Token) -> Index {
    FIRST_LIMITER + Index::from(token)
}

/// Whether the index is a limiter's: such an account has no owner and takes part in no operation
/// except as a limiter.
#[must_use]
pub fn is_limiter(index: Index) -> bool {
    (FIRST_LIMITER..FIRST_USER).contains(&index)
}

/// The content of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// `compress(keyhash, exit_address)`, 0 for a limiter.
    #[serde(with = "serde_fr")]
    pub owner: Fr,
    /// The token it holds.
    pub token: Token,
    /// Number of operations its key has signed.
    pub nonce: u32,
    /// Amount in the token's smallest unit; the TAT of a limiter, in seconds.
    #[serde(with = "serde_decimal")]
    pub balance: u128,
    /// Unix time in seconds (u40) until which it is frozen; 0 if it never was.
    pub frozen_until: u64,
}

impl Account {
    /// A fresh account: nonce 0, balance 0, never frozen.
    #[must_use]
    pub fn new(owner: Fr, token: Token) -> Self {
        Self { owner, token, nonce: 0, balance: 0, frozen_until: 0 }
    }

    /// `token + nonce 2^16 + balance 2^48 + frozen_until 2^176`.
    #[must_use]
    pub fn packed(&self) -> Fr {
        let low = u128::from(self.token) | u128::from(self.nonce) << 16 | self.balance << 48;
        let high = self.balance >> 80 | u128::from(self.frozen_until) << 48;
        let limb = |x: u128| x as u64;
        // Below 2^216, so the integer is always an element.
        Fr::from_bigint(BigInt::new([limb(low), limb(low >> 64), limb(high), limb(high >> 64)]))
            .unwrap_or(Fr::ZERO)
    }

    /// `compress(owner, packed)`.
    #[must_use]
    pub fn leaf(&self) -> Fr {
        compress(self.owner, self.packed())
    }

    /// Whether the account is frozen at the time.
    #[must_use]
    pub fn is_frozen(&self, time: u64) -> bool {
        time < self.frozen_until
    }

    /// Checks the one field whose type is wider than its range.
    ///
    /// # Errors
    /// [`ProtocolError::Range`] if `frozen_until` is not a u40.
    pub fn check(&self) -> Result<(), ProtocolError> {
        check_u40("frozen_until", self.frozen_until)
    }
}

/// The leaf of a possibly empty place: 0 if there is no account.
#[must_use]
pub fn leaf(account: Option<&Account>) -> Fr {
    account.map_or(Fr::ZERO, Account::leaf)
}

/// Refuses values that are not u40.
pub(crate) fn check_u40(what: &'static str, value: u64) -> Result<(), ProtocolError> {
    if value < TIME_BOUND {
        return Ok(());
    }
    Err(ProtocolError::Range { what, value: value.to_string(), range: "0..2^40" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::Field;

    #[test]
    fn packing_is_the_sum_of_the_protocol() {
        let two = Fr::from(2_u64);
        for (token, nonce, balance, frozen_until) in [
            (1, 2, 3, 4),
            (u16::MAX, u32::MAX, u128::MAX, TIME_BOUND - 1),
            (0, 0, u128::MAX, 0),
            (0, 0, 0, TIME_BOUND - 1),
        ] {
            let account = Account { owner: two, token, nonce, balance, frozen_until };
            let sum = Fr::from(token)
                + Fr::from(nonce) * two.pow([16])
                + Fr::from(balance) * two.pow([48])
                + Fr::from(frozen_until) * two.pow([176]);
            assert_eq!(account.packed(), sum);
        }
    }
}
