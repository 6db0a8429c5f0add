//! Random numbers that are the same everywhere for the same seed.

/// `SplitMix64`.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// The stream of a seed and two labels.
    pub(super) fn new(seed: u64, a: u64, b: u64) -> Self {
        let mut rng = Self(seed);
        for label in [a, b] {
            rng.0 = rng.next() ^ label.wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
        rng
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// From 0 to below `n`; 0 if `n` is 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// A waiting time with a mean.
    pub(super) fn wait(&mut self, mean: f64) -> u64 {
        (-mean * (1.0 - self.unit()).ln()).round() as u64
    }
}
