//! Random orders that are the same everywhere for the same seed: for tests, benches and simulations.

use crate::{Limit, Order};
use bastion_protocol::Token;

/// `SplitMix64`.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // The high half of the product: even up to n / 2^64.
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// A size that is small mostly and large at times: from `unit` to `64 x unit`, each doubling as likely.
    pub fn size(&mut self, unit: u64) -> u128 {
        let doublings = self.below(6) as u32;
        (u128::from(unit) << doublings) + u128::from(self.below(unit) << doublings)
    }
}

/// How a random book is made.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Tokens, at least 2.
    pub tokens: Token,
    /// Orders.
    pub orders: usize,
    /// Orders ask for a price up to so much better or worse than the fair one, in parts of 65,536; less than that.
    pub spread: u32,
    /// Every how many orders trade against token 0; the others trade any pair. 1 makes a star.
    pub hub: u64,
}

/// Orders around fair prices that differ by up to `2^40`, as those of tokens with 6 and with 18 decimals do.
#[must_use]
pub fn book(seed: u64, shape: Shape) -> Vec<Order> {
    let mut rng = Rng::new(seed);
    let tokens = u64::from(shape.tokens.max(2));
    // Units of each token that are worth the same.
    let worth: Vec<u64> = (0..tokens)
        .map(|_| {
            let bits = 20 + rng.below(40);
            (1 << bits) + rng.below(1 << bits)
        })
        .collect();
    let mut orders = Vec::with_capacity(shape.orders);
    while orders.len() < shape.orders {
        let first = rng.below(tokens);
        let mut second = (first + 1 + rng.below(tokens - 1)) % tokens;
        if rng.below(shape.hub.max(1)) == 0 && first != 0 {
            second = 0;
        }
        let (sell, buy) = if rng.below(2) == 0 { (first, second) } else { (second, first) };
        let (sold, bought) = (worth[sell as usize], worth[buy as usize]);
        let spread = u64::from(shape.spread.min(65_535));
        let asked = 65_536 - spread + rng.below(2 * spread + 1);
        let limit = Limit::of(u128::from(bought) * u128::from(asked), u128::from(sold) << 16);
        if let Ok(limit) = limit {
            let amount = rng.size(sold);
            orders.push(Order { sell: sell as Token, buy: buy as Token, amount, limit });
        }
    }
    orders
}
