//! When things happen.

use super::Random;

/// A second, in milliseconds.
pub const SECOND: u64 = 1000;
/// A minute.
pub const MINUTE: u64 = 60 * SECOND;
/// An hour.
pub const HOUR: u64 = 60 * MINUTE;
/// A day.
pub const DAY: u64 = 24 * HOUR;

/// How busy each hour of a day is.
const HOURS: [u64; 24] = [
    38, 32, 28, 26, 27, 31, 38, 47, 56, 63, 68, 72, 76, 82, 88, 92, 94, 92, 86, 78, 70, 62, 54, 45,
];

/// A span of simulated time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First millisecond.
    pub start: u64,
    /// First millisecond after it.
    pub end: u64,
}

impl Span {
    /// A time in the span, at busy hours more often than at quiet ones.
    pub fn busy(&self, random: &mut Random) -> u64 {
        loop {
            let at = self.even(random);
            let hour = (at / HOUR % 24) as usize;
            if random.below(94) < HOURS[hour] {
                return at;
            }
        }
    }

    /// A time in the span, each as likely as another.
    pub fn even(&self, random: &mut Random) -> u64 {
        self.start + random.below(self.end.saturating_sub(self.start))
    }

    /// The span without its last part of this length, so that what begins in it can end in time. Half of
    /// it is always left.
    #[must_use]
    pub fn but_last(&self, length: u64) -> Self {
        let half = (self.end - self.start) / 2;
        Self { end: self.end - length.min(half), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn afternoons_are_busier_than_nights() {
        let mut random = Random::new(3, "clock");
        let span = Span { start: 0, end: 3 * DAY };
        let mut hours = [0u32; 24];
        for _ in 0..20_000 {
            let at = span.busy(&mut random);
            assert!(at < span.end);
            hours[(at / HOUR % 24) as usize] += 1;
        }
        assert!(hours[16] > 2 * hours[3], "{hours:?}");
        assert_eq!(span.but_last(DAY).end, 2 * DAY);
        assert_eq!(span.but_last(10 * DAY).end, 3 * DAY / 2);
    }
}
