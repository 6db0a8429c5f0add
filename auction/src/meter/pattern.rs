//! Sandwiches by their shape, as mev-inspect-py finds them: a baseline that looks at no price.

use super::{Swap, Trader};
use crate::Fill;

/// A front swap, swaps of others in its direction, and a swap back by the same trader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandwich {
    /// Who.
    pub trader: Trader,
    /// Place of the front swap.
    pub front: usize,
    /// Places of the swaps between in the front swap's direction.
    pub victims: Vec<usize>,
    /// Place of the swap back.
    pub back: usize,
}

/// Sandwiches by shape among the swaps that were filled: for each swap, the first swap back by its trader, if
/// somebody else swapped in its direction before that (`get_sandwiches` of mev-inspect-py).
#[must_use]
pub fn pattern(trace: &[Swap], fills: &[Fill]) -> Vec<Sandwich> {
    let filled: Vec<(usize, &Swap)> = trace
        .iter()
        .enumerate()
        .filter(|(place, _)| fills.get(*place).is_some_and(|fill| *fill != Fill::NONE))
        .collect();
    let mut found = Vec::new();
    for (i, &(front, first)) in filled.iter().enumerate() {
        let mut victims = Vec::new();
        for &(place, swap) in filled.iter().skip(i + 1) {
            let same = swap.order.sell == first.order.sell;
            if same && swap.trader != first.trader {
                victims.push(place);
            } else if !same && swap.trader == first.trader && !victims.is_empty() {
                found.push(Sandwich { trader: first.trader, front, victims, back: place });
                break;
            }
        }
    }
    found
}
