//! The last movements of an account.

use std::collections::VecDeque;

use bastion_protocol::{Address, Index};
use serde::{Deserialize, Serialize};

use super::{DAY_MS, HOUR_MS};

/// Movements that are kept for each account and direction. Counts over windows end here.
pub const RING: usize = 32;

/// One movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds by the screener's clock.
    pub at_ms: u64,
    /// How much, in the token's smallest unit.
    pub amount: u128,
    /// The other account; `None` for L1.
    pub peer: Option<Index>,
    /// Exit address of the other account, or the address on L1; zeros if unknown.
    pub exit: Address,
}

impl Event {
    /// Whether its other side is an acquaintance when an amount moves now: it is a day old, or an hour old
    /// and at least a hundredth of the amount. Dust that goes ahead makes nobody known.
    #[must_use]
    pub fn acquaints(&self, now_ms: u64, amount: u128) -> bool {
        let age = now_ms.saturating_sub(self.at_ms);
        age >= DAY_MS || (age >= HOUR_MS && self.amount.saturating_mul(100) >= amount)
    }
}

/// The last [`RING`] movements, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ring(VecDeque<Event>);

impl Ring {
    /// Adds the newest.
    pub fn push(&mut self, event: Event) {
        if self.0.len() >= RING {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    /// All that are kept, the newest first.
    pub fn all(&self) -> impl Iterator<Item = &Event> {
        self.0.iter().rev()
    }

    /// Those since a time, the newest first.
    pub fn since(&self, from_ms: u64) -> impl Iterator<Item = &Event> {
        self.all().take_while(move |e| e.at_ms >= from_ms)
    }

    /// Number of distinct accounts among `self` since a time, and `more`; L1 is none.
    #[must_use]
    pub fn senders(&self, from_ms: u64, more: Option<Event>) -> usize {
        let mut seen: Vec<Index> = Vec::with_capacity(RING);
        for peer in self.since(from_ms).chain(more.iter()).filter_map(|e| e.peer) {
            if !seen.contains(&peer) {
                seen.push(peer);
            }
        }
        seen.len()
    }

    /// Number of distinct other sides among `self` since a time, and `more`.
    #[must_use]
    pub fn peers(&self, from_ms: u64, more: Option<Event>) -> usize {
        let mut seen: Vec<(Option<Index>, Address)> = Vec::with_capacity(RING);
        for event in self.since(from_ms).chain(more.iter()) {
            // An account is told by its index, L1 by its address.
            let side = match event.peer {
                Some(index) => (Some(index), Address::default()),
                None => (None, event.exit),
            };
            if !seen.contains(&side) {
                seen.push(side);
            }
        }
        seen.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acquaintances_are_old_or_no_dust() {
        let of = |amount, age| {
            let event = Event { at_ms: 5, amount, peer: None, exit: Address::default() };
            event.acquaints(5 + age, 1000)
        };
        assert!(of(10, HOUR_MS) && of(1, DAY_MS) && of(u128::MAX, HOUR_MS));
        assert!(!of(9, HOUR_MS) && !of(1, DAY_MS - 1) && !of(1000, HOUR_MS - 1));
    }

    #[test]
    fn the_ring_is_bounded_and_windows_are_exact() {
        let mut ring = Ring::default();
        for i in 0..40u32 {
            ring.push(Event {
                at_ms: u64::from(i),
                amount: 1,
                peer: Some(i % 4),
                exit: Address::default(),
            });
        }
        assert_eq!((ring.all().count(), ring.since(35).count()), (RING, 5));
        assert_eq!((ring.peers(38, None), ring.peers(0, None), ring.peers(40, None)), (2, 4, 0));
        let l1 = Event { at_ms: 41, amount: 1, peer: None, exit: Address([1; 20]) };
        assert_eq!((ring.peers(38, Some(l1)), ring.senders(38, Some(l1))), (3, 2));
    }
}
