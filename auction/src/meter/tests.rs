//! The meter over small traces whose harm is known.

use super::*;
use crate::{AuctionError, Fill, Limit, Terms};
use proptest::prelude::*;

const ONE: u128 = 1_000_000_000;
const FAIR: Mark = Mark { quote: 1, base: 1 };

/// A swap that asks for so many hundredths of what it sells.
fn swap(trader: Trader, sell: u16, amount: u128, asked: u128) -> Swap {
    Swap::new(trader, sell, amount, Limit::of(asked, 100).unwrap())
}

fn pool() -> Venue {
    Venue::Pool(Pool { base: 1_000 * ONE, quote: 1_000 * ONE, fee: 0 })
}

fn makers() -> Vec<Swap> {
    (1..20).flat_map(|n| [0, 1].map(|sell| swap(1, sell, 10 * ONE, 100 + n))).collect()
}

fn uniform() -> Venue {
    Venue::Uniform(Uniform { makers: makers(), terms: Terms::default() })
}

/// An attacker buys before the victim, and sells after it what it got.
fn sandwiched(back: Trader) -> Vec<Swap> {
    let front = swap(7, QUOTE, 100 * ONE, 1);
    let bought = pool().replay(&[front]).unwrap()[0].bought;
    vec![front, swap(2, QUOTE, 50 * ONE, 50), swap(back, BASE, bought, 1)]
}

#[test]
fn the_pool_keeps_the_product_and_limits() {
    // 1000 x 1000 / 1100, rounded down: 100 less what the reserve keeps.
    let fills =
        pool().replay(&[swap(2, BASE, 100 * ONE, 90), swap(3, BASE, 100 * ONE, 90)]).unwrap();
    assert_eq!(fills[0], Fill { sold: 100 * ONE, bought: 90_909_090_909 });
    // The next one would get 75.7 for 100.
    assert_eq!(fills[1], Fill::NONE);
    let with_fee = Venue::Pool(Pool { base: 1_000 * ONE, quote: 1_000 * ONE, fee: 30 });
    let fill = with_fee.replay(&[swap(2, BASE, 100 * ONE, 90)]).unwrap()[0];
    assert_eq!(fill.bought, 90_661_089_388);
}

#[test]
fn the_book_has_price_and_time_priority() {
    let makers = vec![swap(1, BASE, 5, 120), swap(2, BASE, 5, 110), swap(3, BASE, 5, 110)];
    let venue = Venue::Book(Book { makers });
    // 5.5 each, rounded up: 12 buy all 10 at 1.10.
    let trace = [swap(8, QUOTE, 12, 50), swap(9, QUOTE, 12, 90), swap(4, BASE, 6, 100)];
    let fills = venue.replay(&trace).unwrap();
    assert_eq!(fills[0], Fill { sold: 12, bought: 10 });
    // 1.20 is above the second one's limit of 1.11, so it rests and pays its own price: 6 for 5.4, rounded up.
    assert_eq!(fills[1], Fill { sold: 6, bought: 6 });
    assert_eq!(fills[2], Fill { sold: 6, bought: 6 });
}

#[test]
fn a_sandwich_is_measured() {
    let trace = sandwiched(7);
    let found = harm(&pool(), &trace, &[0, 2], FAIR).unwrap();
    // The victim gets 39.5 instead of 47.6.
    assert_eq!(found.losses.len(), 1);
    assert_eq!(found.losses[0].0, 1);
    let alone = pool().replay(&trace[1..2]).unwrap()[0].bought;
    let with = pool().replay(&trace).unwrap()[1].bought;
    assert_eq!(found.loss(), i128::try_from(alone - with).unwrap());
    assert!(found.extracts(), "{found:?}");
    // What the attacker has, the victim and the pool lost.
    assert_eq!(found.gain, found.loss() + found.liquidity);
    assert!(found.liquidity * 10 < found.gain, "{found:?}");
}

/// The same orders in an auction: both halves trade at one price, and the victim loses nothing.
#[test]
fn an_auction_leaves_nothing_to_a_sandwich() {
    let trace = sandwiched(7);
    let found = harm(&uniform(), &trace, &[0, 2], FAIR).unwrap();
    assert!(!found.extracts(), "{found:?}");
    assert!(sandwiches(&uniform(), &trace, FAIR).unwrap().is_empty());
}

#[test]
fn two_accounts_deceive_shapes_and_not_replay() {
    for (back, by_shape) in [(7, 1), (8, 0)] {
        let trace = sandwiched(back);
        let fills = pool().replay(&trace).unwrap();
        let shapes = pattern(&trace, &fills);
        assert_eq!(shapes.len(), by_shape);
        for shape in shapes {
            assert_eq!((shape.trader, shape.front, shape.back), (7, 0, 2));
            assert_eq!(shape.victims, vec![1]);
        }
        let found = sandwiches(&pool(), &trace, FAIR).unwrap();
        assert_eq!(found.iter().map(|h| h.suspects.clone()).collect::<Vec<_>>(), vec![vec![0, 2]]);
    }
}

/// A user who comes back has the shape of a sandwich, and gains nothing by it.
#[test]
fn a_round_trip_is_no_sandwich_by_replay() {
    let trace = [swap(5, QUOTE, 2 * ONE, 1), swap(6, QUOTE, 2, 1), swap(5, BASE, ONE, 1)];
    let fills = pool().replay(&trace).unwrap();
    assert_eq!(pattern(&trace, &fills).len(), 1);
    assert!(sandwiches(&pool(), &trace, FAIR).unwrap().is_empty());
}

/// Nobody is between: no victim, no sandwich.
#[test]
fn who_trades_alone_sandwiches_nobody() {
    let trace = [swap(5, QUOTE, 9, 1), swap(5, QUOTE, 9, 1), swap(5, BASE, 9, 1)];
    let fills = [Fill { sold: 9, bought: 9 }; 3];
    assert!(pattern(&trace, &fills).is_empty());
    // What is not filled is not there.
    let trace = [swap(5, QUOTE, 9, 1), swap(6, QUOTE, 9, 1), swap(5, BASE, 9, 1)];
    assert_eq!(pattern(&trace, &fills).len(), 1);
    assert!(pattern(&trace, &[fills[0], Fill::NONE, fills[2]]).is_empty());
}

/// Who sells much more than it bought before has another business than a sandwich.
#[test]
fn a_pair_that_does_not_end_where_it_began_is_no_sandwich() {
    let mut trace = sandwiched(7);
    trace[2].order.amount *= 2;
    assert!(harm(&pool(), &trace, &[0, 2], Mark { quote: 3, base: 4 }).unwrap().extracts());
    assert!(sandwiches(&pool(), &trace, Mark { quote: 3, base: 4 }).unwrap().is_empty());
}

#[test]
fn harm_of_each_operation() {
    let trace = [swap(2, BASE, 100 * ONE, 1), swap(3, BASE, 100 * ONE, 1)];
    let all = each(&pool(), &trace, FAIR).unwrap();
    // Who comes first takes the better price, and loses nothing by who comes later.
    assert!(all[0].loss() > 0 && all[1].loss() == 0);
    // Nobody gains at the mark but the pool.
    assert!(all.iter().all(|h| h.gain < 0 && h.liquidity < 0));
}

#[test]
fn what_a_venue_cannot_compute_with_is_an_error() {
    let mut other = swap(2, BASE, 5, 1);
    other.order.buy = 9;
    let refused = pool().replay(&[swap(2, BASE, 5, 1), other]);
    assert!(matches!(refused, Err(AuctionError::Swap { place: 1, .. })));
    let full = Venue::Pool(Pool { base: u128::MAX, quote: u128::MAX, fee: 0 });
    let refused = full.replay(&[swap(2, BASE, u128::MAX >> 16, 1)]);
    assert!(matches!(refused, Err(AuctionError::Overflow { .. })));
    let large = Fill { sold: u128::MAX, bought: 0 };
    assert!(matches!(FAIR.gain(&other, &large), Err(AuctionError::Overflow { .. })));
}

#[test]
fn the_simulation_is_the_same_each_time_and_keeps_as_json() {
    let scenario = Scenario { seed: 3, blocks: 4, users: 8 };
    let report = simulate(scenario).unwrap();
    assert_eq!(report, simulate(scenario).unwrap());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    assert_eq!(report.to_string().lines().count(), 2 + report.outcomes.len());
}

/// On the same flow the auction leaves less than a twentieth of what a cheap pool does.
#[test]
fn the_auction_leaves_least() {
    let report = simulate(Scenario { seed: 5, blocks: 20, users: 12 }).unwrap();
    let lost = |name: &str| {
        let of = report.outcomes.iter().find(|o| o.venue.starts_with(name)).unwrap();
        of.lost * 1_000_000 / of.volume
    };
    assert!(lost("auction") * 20 < lost("pool, fee 0.05"), "{report}");
    assert!(lost("auction") * 20 < lost("order book"), "{report}");
}

proptest! {
    /// On every venue limits hold, nothing is sold that was not for sale, and what the meter says adds up.
    #[test]
    fn venues_keep_limits(orders in prop::collection::vec((0_u16..2, 1..50 * ONE, 80_u128..120), 1..12),
                          suspect in 0_usize..12) {
        let trace: Vec<Swap> = (2..).zip(&orders).map(|(t, &(s, a, l))| swap(t, s, a, l)).collect();
        for venue in [pool(), uniform(), Venue::Book(Book { makers: makers() })] {
            let fills = venue.replay(&trace).unwrap();
            for (swap, fill) in trace.iter().zip(&fills) {
                prop_assert!(fill.sold <= swap.order.amount);
                let least = swap.order.limit.least(fill.sold);
                prop_assert!(ruint::aliases::U256::from(fill.bought) >= least);
                prop_assert!(FAIR.surplus(swap, fill).unwrap() >= 0);
            }
            let found = harm(&venue, &trace, &[suspect], FAIR).unwrap();
            let known = usize::from(suspect < trace.len());
            prop_assert_eq!(found.losses.len(), trace.len() - known);
            prop_assert!(known == 1 || (found.loss() == 0 && found.liquidity == 0));
        }
    }

    /// Absurd amounts are an error or a result, and never a panic.
    #[test]
    fn absurd_amounts_do_not_panic(swaps in prop::collection::vec((0_u16..2, 1_u128.., 1_u128..1 << 70), 1..6),
                                   base in 1_u128.., quote in 1_u128.., price: u64) {
        let all = (2..).zip(&swaps);
        let all = all.map(|(t, &(s, a, l))| Swap::new(t, s, a, Limit::of(l, 1 << 10).unwrap_or(Limit::of(1, 1).unwrap())));
        let trace: Vec<Swap> = all.collect();
        let makers = trace.clone();
        let mark = Mark { quote: price, base: 1 };
        let terms = Terms::default();
        for venue in [Venue::Pool(Pool { base, quote, fee: 30 }), Venue::Book(Book { makers: makers.clone() }),
                      Venue::Uniform(Uniform { makers, terms })] {
            drop(each(&venue, &trace, mark));
            drop(sandwiches(&venue, &trace, mark));
            drop(attacks(&venue, &trace, mark, Accounts { front: 1, back: 1 }));
        }
    }
}
