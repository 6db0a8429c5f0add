//! The check against the rule in numbers without bounds, and each of its errors by name.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use bastion_auction::sample::{book, Rng, Shape};
use bastion_auction::{
    solve, verify, Auction, AuctionError as E, Clearing, Fill, RuleError, Terms, TokenQuote, WHOLE,
};
use proptest::prelude::*;
use support::{keeps, order};

/// Tokens 1 and 2 trade; orders 0 and 1 are better than the price, 2 and 3 at the margin, 4 is worse.
/// Token 3 is sold for token 1 and bought by nobody, so it is suspended.
fn auction() -> Auction {
    let million = 1_000_000_000;
    let orders = vec![
        order(1, 2, 3 * million, 9, 10),
        order(2, 1, 9 * million, 9, 10),
        order(1, 2, 4 * million, 65_500, 65_536),
        order(1, 2, 8 * million, 65_500, 65_536),
        order(1, 2, 5 * million, 11, 10),
        order(3, 1, 5 * million, 1, 10),
    ];
    Auction::new(orders, Terms::default()).unwrap()
}

/// Half of the orders at the margin are filled.
fn clearing() -> Clearing {
    let mut clearing = Clearing::none(6);
    let quote = TokenQuote { market: 0, price: 1 << 95 };
    clearing.quotes.extend([(1, quote), (2, quote)]);
    clearing.fractions.insert((1, 2), WHOLE / 2);
    let paid = |sold: u128| Fill { sold, bought: sold * 65_534 / 65_536 };
    let million = 1_000_000_000;
    let sold = [3, 9, 2, 4].map(|n| paid(n * million));
    clearing.fills[..4].copy_from_slice(&sold);
    let [a, b, c, d] = sold.map(|fill| fill.bought);
    clearing.surplus.extend([(1, 9 * million - b), (2, 9 * million - a - c - d)]);
    clearing
}

#[test]
fn the_example_keeps_the_rule() {
    assert_eq!(verify(&auction(), &clearing()), Ok(()));
    assert!(keeps(&auction(), &clearing()));
}

#[test]
fn no_trade_keeps_the_rule() {
    assert_eq!(verify(&auction(), &Clearing::none(6)), Ok(()));
}

/// Each way to cheat is refused, by its name.
#[test]
fn cheats_are_named() {
    type Cheat = fn(&mut Clearing);
    type Named = fn(&E) -> bool;
    let cheats: [(Cheat, Named); 21] = [
        (
            |c| {
                c.fills.pop();
            },
            |e| matches!(e, E::Count { fills: 5, orders: 6 }),
        ),
        (|c| c.quotes.get_mut(&1).unwrap().price = 0, |e| matches!(e, E::Price { token: 1, .. })),
        (|c| c.quotes.get_mut(&1).unwrap().price = 1 << 96, |e| matches!(e, E::Price { .. })),
        (|c| c.quotes.values_mut().for_each(|q| q.price >>= 1), |e| matches!(e, E::Scale { .. })),
        (
            |c| {
                c.quotes.insert(9, TokenQuote { market: 0, price: 5 });
            },
            |e| matches!(e, E::Stray { token: 9 }),
        ),
        (
            |c| {
                c.fractions.insert((1, 2), WHOLE + 1);
            },
            |e| matches!(e, E::Fraction { fraction: 0x1_0000_0001, .. }),
        ),
        // The price is not shared: the pair is cut into two markets.
        (
            |c| c.quotes.get_mut(&1).unwrap().market = 1,
            |e| matches!(e, E::Rule { place: 0, why: RuleError::Descends { from: 1, to: 0 } }),
        ),
        (
            |c| c.quotes.get_mut(&2).unwrap().market = 1,
            |e| matches!(e, E::NoPrice { place: 0, .. }),
        ),
        // A suspended token is sold.
        (
            |c| c.fills[5] = Fill { sold: 10, bought: 1 },
            |e| matches!(e, E::NoPrice { place: 5, .. }),
        ),
        // Worse than the price.
        (
            |c| c.fills[4] = Fill { sold: 10, bought: 11 },
            |e| matches!(e, E::Outside { place: 4, .. }),
        ),
        // A good order is not filled, or not whole.
        (|c| c.fills[0] = Fill::NONE, |e| matches!(e, E::NotWhole { place: 0, sold: 0, .. })),
        (|c| c.fills[0].sold -= 1, |e| matches!(e, E::NotWhole { place: 0, .. })),
        // Fractions of a pair differ.
        (|c| c.fills[2] = Fill::NONE, |e| matches!(e, E::Unequal { place: 2, .. })),
        (|c| c.fills[3].sold += 1, |e| matches!(e, E::Unequal { place: 3, .. })),
        (
            |c| {
                c.fractions.remove(&(1, 2));
            },
            |e| matches!(e, E::BelowLimit { place: 2, .. }),
        ),
        // Rounded up, and paid short.
        (|c| c.fills[0].bought += 1, |e| matches!(e, E::Overpaid { place: 0, .. })),
        (|c| c.fills[0].bought -= 1, |e| matches!(e, E::Underpaid { place: 0, .. })),
        // Surplus is kept, invented, or left out.
        (|c| *c.surplus.get_mut(&1).unwrap() -= 1, |e| matches!(e, E::Surplus { token: 1, .. })),
        (|c| *c.surplus.get_mut(&2).unwrap() += 1, |e| matches!(e, E::Surplus { token: 2, .. })),
        (
            |c| {
                c.surplus.remove(&1);
            },
            |e| matches!(e, E::Surplus { claimed: 0, .. }),
        ),
        (
            |c| {
                c.surplus.insert(3, 0);
            },
            |e| matches!(e, E::StraySurplus { token: 3 }),
        ),
    ];
    for (number, (cheat, named)) in cheats.into_iter().enumerate() {
        let mut forged = clearing();
        cheat(&mut forged);
        let error = verify(&auction(), &forged).unwrap_err();
        assert!(named(&error), "cheat {number}: {error:?}");
        assert!(!keeps(&auction(), &forged), "cheat {number}");
    }
}

/// All orders at the margin are filled whole, by the rule: more is paid of token 2 than came in.
#[test]
fn a_token_may_not_be_short() {
    let mut forged = clearing();
    forged.fractions.insert((1, 2), WHOLE);
    for fill in &mut forged.fills[2..4] {
        fill.sold *= 2;
        fill.bought = fill.sold * 65_534 / 65_536;
    }
    *forged.surplus.get_mut(&1).unwrap() += 6_000_000_000;
    let error = verify(&auction(), &forged).unwrap_err();
    assert!(matches!(error, E::Short { token: 2, .. }), "{error:?}");
}

/// What rounding takes may break a limit: such an order is not filled although it is better than the price.
#[test]
fn rounding_never_breaks_a_limit() {
    let orders = vec![order(1, 2, 1, 9, 10), order(2, 1, 1_000, 9, 10)];
    let auction = Auction::new(orders, Terms::default()).unwrap();
    let quote = TokenQuote { market: 0, price: 1 << 95 };
    let mut clearing = Clearing::none(2);
    clearing.quotes.extend([(1, quote), (2, quote)]);
    for bought in [0, 1] {
        clearing.fills[0] = Fill { sold: 1, bought };
        let error = verify(&auction, &clearing).unwrap_err();
        assert!(matches!(error, E::BelowLimit { place: 0, .. }), "{error:?}");
    }
}

/// Where nothing is rounded, the bounds themselves: an order that asks for exactly what the fee leaves is
/// filled, and one unit less is too little.
#[test]
fn exact_bounds() {
    let orders = vec![order(1, 2, 65_536, 65_534, 65_536), order(2, 1, 70_000, 1, 10)];
    let auction = Auction::new(orders, Terms::default()).unwrap();
    let quote = TokenQuote { market: 0, price: 1 << 95 };
    let mut clearing = Clearing::none(2);
    clearing.quotes.extend([(1, quote), (2, quote)]);
    clearing.fractions.insert((1, 2), WHOLE);
    clearing.fills =
        vec![Fill { sold: 65_536, bought: 65_534 }, Fill { sold: 70_000, bought: 69_997 }];
    let short = verify(&auction, &clearing);
    assert_eq!(short, Err(E::Short { token: 1, sold: 65_536, paid: 69_997 }));
    clearing.fills[0].bought -= 1;
    let under = verify(&auction, &clearing);
    assert_eq!(under, Err(E::Underpaid { place: 0, sold: 65_536, bought: 65_533 }));
}

fn mutate(clearing: &mut Clearing, rng: &mut Rng) {
    let place = rng.below(clearing.fills.len() as u64) as usize;
    let by = |rng: &mut Rng, x: u128| match rng.below(4) {
        0 => x + 1,
        1 => x.saturating_sub(1),
        2 => x / 2,
        _ => x.saturating_add(x >> rng.below(64)),
    };
    let nth = rng.below(clearing.quotes.len().max(1) as u64) as usize;
    match rng.below(7) {
        0 => clearing.fills[place].sold = by(rng, clearing.fills[place].sold),
        1 => clearing.fills[place].bought = by(rng, clearing.fills[place].bought),
        2 => clearing.fills[place] = Fill::NONE,
        3 => {
            clearing.quotes.values_mut().skip(nth).take(1).for_each(|q| q.price = by(rng, q.price))
        }
        4 => clearing.quotes.values_mut().skip(nth).take(1).for_each(|q| q.market ^= 1),
        5 => clearing.surplus.values_mut().skip(nth).take(1).for_each(|s| *s = by(rng, *s)),
        _ => clearing.fractions.values_mut().take(1).for_each(|f| *f = by(rng, (*f).into()) as u64),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    /// The check and the plain rule agree about every clearing, sound and forged.
    #[test]
    fn as_the_plain_rule(seed: u64, tokens in 2_u16..5, orders in 2_usize..24,
                         spread in 50_u32..20_000, changes in 0_usize..3) {
        let shape = Shape { tokens, orders, spread, hub: 2 };
        let auction = Auction::new(book(seed, shape), Terms::default()).unwrap();
        let mut clearing = solve(&auction);
        let mut rng = Rng::new(seed);
        for _ in 0..changes {
            mutate(&mut clearing, &mut rng);
        }
        let checked = verify(&auction, &clearing);
        prop_assert_eq!(checked.is_ok(), keeps(&auction, &clearing), "{:?}", checked);
        prop_assert!(changes > 0 || checked.is_ok());
    }
}
