//! Payments and their nonces.

use std::collections::VecDeque;

use bastion_protocol::ops::{Float, AMOUNT_BITS};

use super::{Pay, Payment, Treasury, TreasuryError};

impl Treasury {
    /// Gives a payment its nonce. What a transfer cannot carry of it, less than a part in 10^10, stays.
    pub(super) fn owe(&mut self, payment: Payment) -> Option<Pay> {
        let amount = Float::floor(payment.amount, AMOUNT_BITS).value().unwrap_or(0);
        self.rounded = self.rounded.saturating_add(payment.amount.saturating_sub(amount));
        if amount == 0 {
            return None;
        }
        let pay = Pay { nonce: self.nonce, to: payment.to, amount, cause: payment.cause };
        // An account signs 2^32 operations at most; a payment beyond them could not be signed at all.
        self.nonce = self.nonce.saturating_add(1);
        self.waiting.push_back(pay);
        Some(pay)
    }

    /// Payments that are not sequenced, in order.
    #[must_use]
    pub fn waiting(&self) -> &VecDeque<Pay> {
        &self.waiting
    }

    /// The nonce that the account has, once everything is sequenced that was.
    #[must_use]
    pub fn sequenced(&self) -> u32 {
        self.waiting.front().map_or(self.nonce, |pay| pay.nonce)
    }

    pub(super) fn is_next(&self, got: u32) -> Result<(), TreasuryError> {
        let expected = self.sequenced();
        match self.waiting.front().is_some_and(|pay| pay.nonce == got) {
            true => Ok(()),
            false => Err(TreasuryError::Nonce { expected, got }),
        }
    }

    /// The key signed something else: its nonce is used, so the payments that wait take the next ones.
    pub(super) fn is_foreign(&mut self, nonce: Option<u32>) -> Result<(), TreasuryError> {
        let Some(got) = nonce else { return Ok(()) };
        let expected = self.sequenced();
        if got != expected {
            return Err(TreasuryError::Nonce { expected, got });
        }
        self.nonce = self.nonce.checked_add(1).ok_or(TreasuryError::NoNonce)?;
        for pay in &mut self.waiting {
            pay.nonce = pay.nonce.saturating_add(1);
        }
        Ok(())
    }

    /// What the account holds, if nothing was lost: pool, stakes, what is burned, and what waits.
    #[must_use]
    pub fn holds(&self) -> u128 {
        let books = self.registry.books();
        let waiting: u128 = self.waiting.iter().fold(0, |sum, pay| sum.saturating_add(pay.amount));
        let parts = [books.pool, books.stakes, books.burned, self.free, self.rounded, waiting];
        parts
            .iter()
            .fold(0_u128, |sum, part| sum.saturating_add(*part))
            .saturating_sub(self.foreign)
    }
}
