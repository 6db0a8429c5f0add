//! Which tokens to keep when not all of a market clear: by what is traded of them at the prices found, not by
//! how many they are. Tokens cost nothing to make, and a hundred of them with orders of a few units must not
//! outweigh two that are traded.

use super::demand::Demand;
use std::collections::{BTreeMap, BTreeSet};

/// Logarithms of worth: of what is sold in both directions, and in the direction in which it is more. Nothing
/// is less than everything.
type Logs = (Option<i64>, Option<i64>);

/// What is traded in a market at some prices.
pub(super) struct Worth {
    tokens: usize,
    /// Of pairs, both ways round.
    pairs: BTreeMap<(usize, usize), Logs>,
    /// The less of what the tokens' largest pairs offer and demand of each.
    each: Vec<Option<i64>>,
}

impl Worth {
    pub fn new(demand: &Demand, prices: &[i64], width: i64) -> Self {
        let sold = demand.trade(prices, width);
        let of = |(a, b)| {
            let (there, back) = (sold.get(&(a, b)).copied(), sold.get(&(b, a)).copied());
            ((a, b), (there.min(back), there.max(back)))
        };
        let pairs = sold.keys().flat_map(|&(a, b)| [of((a, b)), of((b, a))]).collect();
        let each = |token| {
            let most = |end: fn(&(usize, usize)) -> usize| {
                let own = sold.iter().filter(|(pair, _)| end(pair) == token);
                own.map(|(_, worth)| *worth).max()
            };
            most(|pair| pair.0).min(most(|pair| pair.1))
        };
        Self { tokens: prices.len(), pairs, each: (0..prices.len()).map(each).collect() }
    }

    /// The tokens to leave out so that what is left spans less than `most`: of the cheapest and the dearest
    /// one that with less worth, again and again. At least one.
    pub fn outliers(&self, logs: &[i64], most: i64) -> Vec<usize> {
        let mut sorted: Vec<usize> = (0..logs.len()).collect();
        sorted.sort_by_key(|&token| logs[token]);
        let mut left = sorted.as_slice();
        let mut out = Vec::new();
        while let &[low, .., high] = left {
            if !out.is_empty() && logs[high] - logs[low] < most {
                break;
            }
            let dear = self.each[high] <= self.each[low];
            out.push(if dear { high } else { low });
            left = if dear { &left[..left.len() - 1] } else { &left[1..] };
        }
        out
    }

    /// `count` tokens that trade with each other: the pair with the most trade in both directions, then, one
    /// by one, the token with the most trade with one of those.
    pub fn richest(&self, count: usize) -> BTreeSet<usize> {
        let mut kept = BTreeSet::new();
        // The tokens of the largest pair are found first.
        let by = |pair: &(&(usize, usize), &Logs)| (*pair.1, std::cmp::Reverse(*pair.0));
        if let Some((&(a, b), _)) = self.pairs.iter().max_by_key(by) {
            kept.extend([a, b]);
        }
        while kept.len() < count.min(self.tokens) {
            let border =
                self.pairs.iter().filter(|((a, b), _)| kept.contains(a) && !kept.contains(b));
            let Some((&(_, next), _)) = border.max_by_key(by) else { break };
            kept.insert(next);
        }
        kept
    }
}
