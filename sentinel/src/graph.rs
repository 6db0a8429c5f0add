//! Taint: how much of what an account holds came from flagged accounts and addresses.
//!
//! A transfer mixes: the receiver's taint is the average of what it held and of what came, weighted by
//! amounts, and what came loses a part at each hop. So dust from a thief taints nobody, and a thief's
//! own account stays tainted. Taint fades with time.

use std::collections::{BTreeMap, BTreeSet};

use bastion_protocol::Index;
use serde::{Deserialize, Serialize};

use crate::fixed::PPM;

/// How taint spreads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaintConfig {
    /// Hops that it goes at most.
    pub hops: u8,
    /// What is left of it at each hop, in parts per million.
    pub decay: u32,
    /// Time in seconds in which it halves.
    pub half_life: u64,
    /// Below this many parts per million it is forgotten.
    pub floor: u32,
    /// Accounts that are remembered. The least tainted goes first, of those the oldest.
    pub capacity: usize,
}

impl Default for TaintConfig {
    fn default() -> Self {
        Self { hops: 6, decay: 850_000, half_life: 30 * 86_400, floor: 10_000, capacity: 32_768 }
    }
}

/// The taint of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// Parts per million.
    pub ppm: u32,
    /// When it was computed, in milliseconds.
    pub at_ms: u64,
    /// Hops from the flagged source, 0 for the source itself.
    pub hops: u8,
}

/// The taint of all accounts that have some; bounded by [`TaintConfig::capacity`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taint {
    config: TaintConfig,
    marks: BTreeMap<Index, Mark>,
    order: BTreeSet<(Mark, Index)>,
}

impl Taint {
    /// No taint yet.
    #[must_use]
    pub fn new(config: TaintConfig) -> Self {
        Self { config, marks: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// The taint of an account at a time; `flagged` if it is a source itself.
    #[must_use]
    pub fn of(&self, account: Index, flagged: bool, now_ms: u64) -> Option<Mark> {
        if flagged {
            return Some(Mark { ppm: PPM as u32, at_ms: now_ms, hops: 0 });
        }
        let mark = self.marks.get(&account)?;
        let half_lives = now_ms.saturating_sub(mark.at_ms) / self.half_life_ms();
        let ppm = mark.ppm.checked_shr(u32::try_from(half_lives).unwrap_or(u32::MAX)).unwrap_or(0);
        (ppm >= self.config.floor).then_some(Mark { ppm, ..*mark })
    }

    fn half_life_ms(&self) -> u64 {
        self.config.half_life.saturating_mul(1000).max(1)
    }

    /// Number of marks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether no account has any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// What the receiver's taint is after it got `amount` upon `held` from an account with a mark.
    #[must_use]
    pub fn mixed(
        &self,
        from: Option<Mark>,
        to: Option<Mark>,
        held: u128,
        amount: u128,
        now_ms: u64,
    ) -> Option<Mark> {
        let coming = from.filter(|m| m.hops < self.config.hops);
        // Weights of at most 60 bits, so that the products fit.
        let shift = (128 - held.max(amount).leading_zeros()).saturating_sub(60);
        let (held, amount) = (held >> shift, amount >> shift);
        let spread =
            |m: Mark| u64::from(m.ppm) * u64::from(self.config.decay.min(PPM as u32)) / PPM;
        let came = u128::from(coming.map_or(0, spread));
        let had = u128::from(to.map_or(0, |m| m.ppm));
        // Below 2^128, and the quotient is at most a million.
        let ppm = ((had * held + came * amount) / (held + amount).max(1)) as u32;
        let through = coming.map(|m| m.hops + 1);
        let hops = match (to.map(|m| m.hops), through) {
            (Some(a), Some(b)) => a.min(b),
            (Some(hops), None) | (None, Some(hops)) => hops,
            (None, None) => return None,
        };
        // Within a half-life the old time stays: a trickle of small receipts does not keep taint young.
        let at_ms = match (to, coming) {
            (Some(mark), None) => mark.at_ms,
            (Some(mark), Some(_)) if came * amount <= had * held => mark.at_ms,
            _ => now_ms,
        };
        (ppm >= self.config.floor).then_some(Mark { ppm, at_ms, hops })
    }

    /// Sets the taint of an account.
    pub(crate) fn set(&mut self, account: Index, mark: Option<Mark>) {
        if let Some(old) = self.marks.remove(&account) {
            self.order.remove(&(old, account));
        }
        let Some(mark) = mark else { return };
        self.marks.insert(account, mark);
        self.order.insert((mark, account));
        while self.marks.len() > self.config.capacity.max(1) {
            if let Some((_, least)) = self.order.pop_first() {
                self.marks.remove(&least);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOURCE: Mark = Mark { ppm: 1_000_000, at_ms: 0, hops: 0 };

    #[test]
    fn taint_decays_by_hop_and_ends() {
        let taint = Taint::new(TaintConfig::default());
        let mut mark = Some(SOURCE);
        for hop in 1..=6 {
            mark = taint.mixed(mark, None, 0, 100, 1);
            assert_eq!(mark.unwrap().hops, hop);
        }
        assert_eq!(mark.unwrap().ppm, 377_149);
        assert_eq!(taint.mixed(mark, None, 0, 100, 1), None);
    }

    #[test]
    fn dust_taints_nobody_and_does_not_wash() {
        let taint = Taint::new(TaintConfig::default());
        assert_eq!(taint.mixed(Some(SOURCE), None, 1_000_000, 1, 1), None);
        let thief = Mark { ppm: 800_000, at_ms: 1, hops: 1 };
        let after = taint.mixed(None, Some(thief), 1_000_000, 1, 1).unwrap();
        assert!(after.ppm > 799_000);
    }

    #[test]
    fn taint_halves_with_time() {
        let mut taint = Taint::new(TaintConfig::default());
        taint.set(5, Some(SOURCE));
        let month = 30 * 86_400_000;
        assert_eq!(taint.of(5, false, month).unwrap().ppm, 500_000);
        assert_eq!(taint.of(5, false, 200 * month), None);
        assert_eq!(taint.of(5, true, 200 * month).unwrap().ppm, 1_000_000);
        assert_eq!(taint.of(6, false, 0), None);
    }

    proptest! {
        #[test]
        fn mixing_stays_between(
            a in 0u32..=1_000_000, b in 0u32..=1_000_000, held in 0u128.., amount in 0u128..,
        ) {
            let taint = Taint::new(TaintConfig { floor: 0, ..TaintConfig::default() });
            let mark = |ppm| Some(Mark { ppm, at_ms: 0, hops: 1 });
            let mixed = taint.mixed(mark(a), mark(b), held, amount, 1).unwrap();
            prop_assert!(mixed.ppm <= a.max(b));
        }

        #[test]
        fn the_bound_holds(marks in prop::collection::vec((0u32..50, 0u32..=1_000_000), 0..200)) {
            let mut taint = Taint::new(TaintConfig { capacity: 10, ..TaintConfig::default() });
            let mut most = 0;
            for (account, ppm) in marks {
                taint.set(account, Some(Mark { ppm, at_ms: 0, hops: 1 }));
                prop_assert!(taint.len() <= 10 && taint.order.len() == taint.len());
                most = taint.marks.values().map(|m| m.ppm).max().unwrap_or(0).max(most);
            }
        }
    }
}
