//! Random numbers that are the same on every machine: integers alone.

use bastion_protocol::Address;

/// A SplitMix64 generator. It is fast and passes the usual tests; it keeps no secret.
#[derive(Debug, Clone)]
pub struct Random(u64);

/// `2^(i/16)` in 16-bit fixed point.
const POWERS: [u128; 16] = [
    65_536, 68_438, 71_468, 74_632, 77_936, 81_386, 84_990, 88_752, 92_682, 96_785, 101_070,
    105_545, 110_218, 115_098, 120_194, 125_515,
];

impl Random {
    /// The generator of a seed for one purpose. Purposes do not disturb one another: one more draw for
    /// one of them leaves the others as they were.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        let start = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mix = |h: u64, byte: u8| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut random = Self(purpose.bytes().fold(start, mix));
        random.bits();
        random
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, or 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A number of a range, both ends included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// Whether something happens that does so `per_mille` times of a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A number below `n` that is small more often than not: `1/(1+k)` or so.
    pub fn skewed(&mut self, n: u64) -> u64 {
        let first = self.below(n);
        self.below(first + 1)
    }

    /// One of several.
    pub fn pick<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        of.get(self.below(of.len() as u64) as usize)
    }

    /// The amount times `2^x`, `x` evenly between `-octaves` and `octaves`. At least 1.
    pub fn stretch(&mut self, amount: u128, octaves: u64) -> u128 {
        let sixteenths = self.below(32 * octaves + 1);
        let up = (amount >> octaves).max(1);
        let whole = u32::try_from(sixteenths / 16).unwrap_or(0);
        let times = POWERS[(sixteenths % 16) as usize];
        // Where the product would not fit, the low bits are worth nothing.
        let product = if up >> 100 == 0 { (up * times) >> 16 } else { (up >> 16) * times };
        product.checked_shl(whole).filter(|v| v >> whole == product).unwrap_or(amount).max(1)
    }

    /// 20 bytes.
    pub fn address(&mut self) -> Address {
        let mut bytes = [0; 20];
        for chunk in bytes.chunks_mut(8) {
            let part = self.bits().to_be_bytes();
            let n = chunk.len();
            chunk.copy_from_slice(&part[..n]);
        }
        Address(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_pinned_even_and_in_their_range() {
        let mut random = Random::new(7, "test");
        let first: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        let mut again = Random::new(7, "test");
        assert_eq!(first, (0..3).map(|_| again.bits()).collect::<Vec<_>>());
        assert_ne!(first[0], Random::new(7, "other").bits());
        assert_ne!(first[0], Random::new(8, "test").bits());
        let mut seen = [0u32; 10];
        (0..10_000).for_each(|_| seen[random.below(10) as usize] += 1);
        assert!(seen.iter().all(|n| (900..1100).contains(n)), "{seen:?}");
        assert_eq!(random.below(0), 0);
        assert!((0..100).all(|_| (3..=5).contains(&random.between(3, 5))));
    }

    #[test]
    fn stretching_stays_within_its_octaves() {
        let mut random = Random::new(1, "stretch");
        for amount in [1u128 << 20, 10u128.pow(18), 1 << 110, 1 << 126] {
            for _ in 0..1000 {
                let got = random.stretch(amount, 1);
                assert!(got >= amount / 2 - amount / 100 && got <= 2 * amount, "{amount} {got}");
            }
        }
        assert!((0..100).all(|_| random.stretch(0, 3) >= 1));
    }
}
