//! Shows that the order of orders changes nothing: the same orders are cleared again in other orders.

use std::collections::BTreeMap;

use bastion_auction::sample::Rng;
use bastion_auction::{post, solve, Auction, Fill, Order, Posted, Terms, TokenQuote};
use bastion_protocol::quote::Quoted;
use bastion_protocol::Token;
use bastion_state::executor::BatchTrace;
use serde::Serialize;

/// What clearing in other orders gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reordered {
    /// How many other orders were tried.
    pub tried: usize,
    /// In how many of them every price, fraction, surplus and fill was that of the batch.
    pub same: usize,
}

/// A cleared auction, with the fills by the places that the orders have in the batch.
#[derive(PartialEq, Eq)]
struct Outcome {
    quotes: BTreeMap<Token, TokenQuote>,
    fractions: BTreeMap<(Token, Token), u64>,
    surplus: BTreeMap<Token, u128>,
    fills: Vec<Fill>,
}

impl Outcome {
    /// What the executor gave and the circuit proves.
    fn of(batch: &BatchTrace) -> Self {
        let (mut quotes, mut fractions) = (BTreeMap::new(), BTreeMap::new());
        let mut surplus = BTreeMap::new();
        for quoted in batch.ops.iter().filter_map(|op| op.quote) {
            let quote = quoted.quote;
            match quote.content() {
                Ok(Quoted::Price { market, price }) => {
                    quotes.insert(quote.a, TokenQuote { market, price });
                    surplus.insert(quote.a, quoted.surplus);
                }
                Ok(Quoted::Fraction(fraction)) => {
                    fractions.insert((quote.a, quote.b), fraction);
                }
                // The executor took it, so it says something.
                Err(_) => {}
            }
        }
        let fills = batch.ops.iter().filter_map(|op| op.order);
        let fills = fills.map(|order| Fill { sold: order.sold, bought: order.paid }).collect();
        Self { quotes, fractions, surplus, fills }
    }

    /// What a solver gives for orders of which place `i` was `places[i]` in the batch.
    fn cleared(orders: Vec<Order>, places: &[usize]) -> Option<Self> {
        let auction = Auction::new(orders, Terms::default()).ok()?;
        let Posted { quotes, fractions, fills, surplus } = post(&auction, &solve(&auction));
        let mut sorted = vec![Fill::NONE; fills.len()];
        for (place, fill) in places.iter().zip(fills) {
            *sorted.get_mut(*place)? = fill;
        }
        Some(Self { quotes, fractions, surplus, fills: sorted })
    }
}

/// Clears the orders of a batch in `times` random orders, and compares each with the batch.
pub fn reorder(batch: &BatchTrace, times: usize, seed: u64) -> Reordered {
    let outcome = Outcome::of(batch);
    let orders: Vec<Order> = batch
        .ops
        .iter()
        .filter_map(|op| op.order)
        .map(|o| Order { sell: o.sell, buy: o.buy, amount: o.amount, limit: o.limit })
        .collect();
    let mut rng = Rng::new(seed);
    let mut places: Vec<usize> = (0..orders.len()).collect();
    let mut same = 0;
    for _ in 0..times {
        for i in (1..places.len()).rev() {
            places.swap(i, rng.below(i as u64 + 1) as usize);
        }
        let shuffled = places.iter().map(|place| orders[*place]).collect();
        same += usize::from(Outcome::cleared(shuffled, &places).as_ref() == Some(&outcome));
    }
    Reordered { tried: times, same }
}
