//! Tokens cost nothing to make: orders of a few units in many of them must not keep those from trading who
//! trade in earnest.
#![allow(clippy::unwrap_used)]

mod support;

use bastion_auction::sample::Rng;
use bastion_auction::{solve, verify, Auction, Order, Terms};
use bastion_protocol::Token;
use proptest::prelude::*;
use support::order;

const ETHER: u128 = 1_000_000_000_000_000_000;
/// A thousand of a token with six decimals.
const GRAND: u128 = 1_000_000_000;
/// The first token of the attacker.
const JUNK: Token = 10;

/// Ether is token 0, worth three grand of token 1: orders around that, in both directions.
fn honest(count: u128) -> Vec<Order> {
    let both = |i: u128| {
        let asked = 980 + i * 40 / count;
        [
            order(0, 1, ETHER * (1 + i % 5) + i * 7_919, 3 * GRAND * asked / 1_000, ETHER),
            order(1, 0, 3 * GRAND * (1 + i % 5) + i * 31, ETHER * asked / 1_000, 3 * GRAND),
        ]
    };
    (0..count).flat_map(both).collect()
}

/// Orders among the first that are filled, whatever comes behind them.
fn filled(orders: &[Order], junk: &[Order]) -> usize {
    let auction = Auction::new([orders, junk].concat(), Terms::default()).unwrap();
    let clearing = solve(&auction);
    verify(&auction, &clearing).unwrap();
    clearing.fills[..orders.len()].iter().filter(|fill| fill.sold > 0).count()
}

/// Who sells `a` for `b` and the other way round; a unit of `a` is worth `2^bits` of `b`.
fn swaps(a: Token, b: Token, amount: u128, bits: u32) -> [Order; 2] {
    [order(a, b, amount, 97 << bits, 100), order(b, a, amount << bits, 97, 100 << bits)]
}

/// A chain of tokens, each `2^60` times as cheap as the one before, and more of them at its end than there
/// are others.
fn chain(amount: u128, end: Token) -> Vec<Order> {
    let mut orders = [swaps(0, JUNK, amount, 60), swaps(JUNK, JUNK + 1, 1_000, 60)].concat();
    orders.extend((0..end).flat_map(|n| swaps(JUNK + 1, JUNK + 2 + n, 1 << 40, 0)));
    orders
}

#[test]
fn many_worthless_tokens_do_not_make_up_the_prices() {
    let orders = honest(20);
    let alone = filled(&orders, &[]);
    assert!(alone >= 20, "{alone}");
    for end in [1, 2, 4, 8] {
        for amount in [4, 1 << 30] {
            let with = filled(&orders, &chain(amount, end));
            assert!(with + 1 >= alone, "{end} tokens, {amount}: {with} of {alone}");
        }
    }
}

/// Orders of so few units that no prices clear them: rounding breaks limits or leaves a token short.
fn rough(rng: &mut Rng, tokens: u64) -> Vec<Order> {
    let mut orders = Vec::new();
    for n in 0..tokens {
        let junk = JUNK + n as Token;
        for _ in 0..2 + rng.below(3) {
            let (with, unit) = if rng.below(2) == 0 { (0, 1 << 40) } else { (1, 1_000) };
            let asked = u128::from(970 + rng.below(60));
            let amount = u128::from(1 + rng.below(3));
            orders.push(match rng.below(2) {
                0 => order(junk, with, amount, unit * asked / 1_000, 1),
                _ => order(with, junk, unit * amount, 1_000, unit * asked),
            });
        }
        orders.push(order(junk, 0, 1, (1 << 40) * 97 / 100, 1));
        orders.push(order(1, junk, 1_000, 97, 100_000));
    }
    orders
}

#[test]
fn tokens_that_cannot_clear_do_not_use_the_search_up() {
    let orders = honest(20);
    let alone = filled(&orders, &[]);
    for seed in 0..12 {
        for tokens in [1, 2, 8, 32] {
            let junk = rough(&mut Rng::new(seed), tokens);
            let with = filled(&orders, &junk);
            assert!(with + 2 >= alone, "{seed}, {tokens} tokens: {with} of {alone}");
        }
    }
}

/// Up to a hundred orders in eight tokens, with any limits, that offer of the traded tokens no more than dust.
fn dust() -> impl Strategy<Value = Vec<Order>> {
    let token = prop_oneof![0_u16..2, JUNK..JUNK + 8];
    let one = (token.clone(), token, 0_u32..50, any::<u32>(), 0_u32..100, 1_u128..1 << 20);
    let one = one.prop_filter_map("an order", |(sell, buy, bits, mantissa, ratio, asked)| {
        let most = [1 << 40, 1_000].get(usize::from(sell)).copied().unwrap_or(u128::MAX);
        let amount = (u128::from(mantissa | 1) << bits >> 16).clamp(1, most);
        let limit = bastion_auction::Limit::of(asked << 20, 1 << ratio).ok()?;
        let traded = sell < JUNK && buy < JUNK;
        (sell != buy && !traded).then_some(Order { sell, buy, amount, limit })
    });
    prop::collection::vec(one, 1..100)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn dust_stops_nobody(junk in dust(), seed: u64) {
        let orders = honest(20);
        let alone = filled(&orders, &[]);
        for junk in [junk, rough(&mut Rng::new(seed), 8)] {
            let with = filled(&orders, &junk);
            prop_assert!(with + 2 >= alone, "{} of {}", with, alone);
        }
    }
}
