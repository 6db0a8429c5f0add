//! The time that blocks have: L1's, which goes on between its blocks by this machine's monotonic clock.
//!
//! The contract refuses blocks from the future, and blocks that lie too far back. A machine whose clock
//! jumps, or is wrong, must not make blocks that can never be committed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::warn;

use super::run::wall_clock;

/// Seconds that L1's time may be ahead of this machine's clock. Development chains are set ahead by hours.
const AHEAD: u64 = 86_400;

/// The clock. Cheap to clone.
#[derive(Debug, Clone)]
pub struct L1Clock(Arc<Mutex<Anchor>>);

/// A moment at which L1's time was known.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    time: u64,
    seen: Instant,
}

impl Anchor {
    fn at(&self, instant: Instant) -> u64 {
        self.time.saturating_add(instant.saturating_duration_since(self.seen).as_secs())
    }
}

impl L1Clock {
    /// Begins with the time of L1's latest block. One that is far ahead of this machine's clock is not
    /// believed: a block of such a time could not be committed for as long, and neither could any after it.
    pub fn new(time: u64) -> Self {
        let time = time.min(wall_clock().saturating_add(AHEAD));
        Self(Arc::new(Mutex::new(Anchor { time, seen: Instant::now() })))
    }

    /// Takes the time of L1's latest block, as it was at an instant. Time never goes back.
    pub fn observe(&self, time: u64, at: Instant) {
        let most = wall_clock().saturating_add(AHEAD);
        if time > most {
            warn!(time, most, "L1's latest block is far ahead of this machine's clock: is the clock right, and the node honest?");
        }
        let time = time.min(most);
        let mut anchor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if time > anchor.at(at) {
            *anchor = Anchor { time, seen: at };
        }
    }

    /// The time, in seconds.
    pub fn now(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).at(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn time_is_that_of_l1_and_goes_on() {
        let clock = L1Clock::new(1_000);
        let now = Instant::now();
        assert!(clock.now() >= 1_000 && clock.now() < 1_100);
        clock.observe(5_000, now);
        assert!(clock.now() >= 5_000);
        // A block that is older than what was told does not take the time back.
        clock.observe(4_000, now);
        assert!(clock.now() >= 5_000);
        clock.observe(u64::MAX, now);
        assert!(clock.now() <= wall_clock() + AHEAD + 1);
        assert!(L1Clock::new(u64::MAX).now() <= wall_clock() + AHEAD + 1);
        assert_eq!(Anchor { time: 10, seen: now }.at(now + Duration::from_secs(7)), 17);
    }
}
