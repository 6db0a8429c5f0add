//! The solver: against brute force over two tokens, and what holds of all that it finds.
#![allow(clippy::unwrap_used)]

mod support;

use bastion_auction::sample::{book, Rng, Shape};
use bastion_auction::{solve, verify, Auction, Class, Fill, Order, Terms, WHOLE};
use bastion_protocol::Token;
use proptest::prelude::*;
use support::{big, fill, order};

/// Units of token 0 that are sold.
fn volume(auction: &Auction, fills: &[Fill]) -> u128 {
    auction.orders().iter().zip(fills).filter(|(o, _)| o.sell == 0).map(|(_, f)| f.sold).sum()
}

/// Prices with about a ratio, in floating point: brute force may choose any.
fn prices(ratio: f64) -> [u128; 2] {
    let top = (1_u128 << 95) as f64;
    if ratio > 1.0 {
        [top as u128, (top / ratio) as u128]
    } else {
        [(top * ratio) as u128, top as u128]
    }
}

/// The largest volume over many ratios of prices, and over all fractions by sixteenths and those that
/// balance the two sides.
fn brute(auction: &Auction) -> u128 {
    let orders = auction.orders();
    let limit = |o: &Order| o.limit.mantissa() as f64 / (o.limit.exponent() as f64).exp2();
    let mut ratios: Vec<f64> = Vec::new();
    for o in orders {
        for edge in [1.0 - 2.0 / 65_536.0, 1.0 - 64.0 / 65_536.0] {
            let ratio = if o.sell == 0 { limit(o) / edge } else { edge / limit(o) };
            ratios.extend([-1e-4, -1e-6, -1e-9, 1e-9, 1e-6, 1e-4].map(|part| ratio * (1.0 + part)));
        }
    }
    // Both sides whole: any of one side's orders for any of the other's.
    for set in 1_u32..1 << orders.len() {
        let of = |side| -> f64 {
            let set = (0..orders.len()).filter(|i| set >> i & 1 == 1).map(|i| &orders[i]);
            set.filter(|o| o.sell == side).map(|o| o.amount as f64).sum()
        };
        if of(0) > 0.0 && of(1) > 0.0 {
            ratios.push(of(1) / of(0));
        }
    }
    ratios.sort_by(f64::total_cmp);
    let middles: Vec<f64> = ratios.windows(2).map(|w| (w[0] + w[1]) / 2.0).collect();
    let all = ratios.into_iter().chain(middles).map(prices);
    all.map(|prices| best_fractions(auction, prices)).max().unwrap_or(0)
}

fn best_fractions(auction: &Auction, prices: [u128; 2]) -> u128 {
    let fills = |side: Token, fraction: u64| -> (u128, u128) {
        let own = auction.orders().iter().filter(|o| o.sell == side);
        let fills = own.map(|o| {
            fill(o, prices[o.sell as usize], prices[o.buy as usize], fraction, auction.terms())
        });
        fills.fold((0, 0), |(s, b), f| (s + f.sold, b + f.bought))
    };
    let sides: Vec<Vec<(u128, u128)>> = [0, 1]
        .map(|side| (0..=64).map(|n| fills(side, WHOLE / 64 * n)).collect())
        .into_iter()
        .collect();
    let mut best = 0;
    for first in &sides[0] {
        for second in &sides[1] {
            if first.0 >= second.1 && second.0 >= first.1 {
                best = best.max(first.0);
            }
        }
    }
    best
}

fn two_sided(unit: u64) -> impl Strategy<Value = Vec<Order>> {
    let one = (0_u16..2, 1..unit, 50_000_u128..80_000)
        .prop_map(|(side, amount, asked)| order(side, 1 - side, amount.into(), asked, 65_536));
    prop::collection::vec(one, 2..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// With amounts that rounding does not matter for, no price and no fractions trade more, up to the
    /// width of the margin.
    #[test]
    fn two_tokens_trade_as_much_as_can_be(orders in two_sided(1 << 40)) {
        let auction = Auction::new(orders, Terms::default()).unwrap();
        let clearing = solve(&auction);
        verify(&auction, &clearing).unwrap();
        let (found, best) = (volume(&auction, &clearing.fills), brute(&auction));
        prop_assert!(found + found / 512 + (1 << 20) >= best, "{} of {}", found, best);
    }

    /// With amounts of a few units, rounding decides: what is found is sound.
    #[test]
    fn tiny_amounts_are_sound(orders in two_sided(12)) {
        let auction = Auction::new(orders, Terms::default()).unwrap();
        verify(&auction, &solve(&auction)).unwrap();
    }

    /// Whatever the orders, terms and amounts: what is found is sound.
    #[test]
    fn any_orders_are_sound(seed: u64, count in 0_usize..40, tokens in 2_u64..8, bits in 1_u32..111,
                            fee in 1_u16..100, band in 1_u16..4_000) {
        let mut rng = Rng::new(seed);
        let mut orders = Vec::new();
        for _ in 0..count {
            let sell = rng.below(tokens);
            let buy = (sell + 1 + rng.below(tokens - 1)) % tokens;
            let mut amount = |bits: u32| (u128::from(rng.bits()) << 64 | u128::from(rng.bits())) >> (128 - bits) | 1;
            let (amount, bought, sold) = (amount(bits.min(106)), amount(60), amount(60));
            orders.push(order(sell as Token, buy as Token, amount, bought, sold));
        }
        let auction = Auction::new(orders, Terms::new(fee, fee + band).unwrap()).unwrap();
        verify(&auction, &solve(&auction)).unwrap();
    }

    /// What is left over is worth the fees and what rounding took, and no more: so no token is out of
    /// balance by more than that.
    #[test]
    fn the_surplus_is_worth_the_fees(seed: u64, tokens in 2_u16..7, count in 2_usize..80) {
        let orders = book(seed, Shape { tokens, orders: count, spread: 3_000, hub: 2 });
        let auction = Auction::new(orders, Terms::default()).unwrap();
        let clearing = solve(&auction);
        verify(&auction, &clearing).unwrap();
        let mut markets = std::collections::BTreeMap::new();
        for (token, quote) in &clearing.quotes {
            let entry = markets.entry(quote.market).or_insert([(); 3].map(|()| big(0_u8)));
            entry[0] += big(clearing.surplus[token]) * quote.price;
        }
        for (o, f) in auction.orders().iter().zip(&clearing.fills).filter(|(_, f)| f.sold > 0) {
            let (sell, buy) = (clearing.quotes[&o.sell], clearing.quotes[&o.buy]);
            let entry = markets.get_mut(&sell.market).unwrap();
            entry[1] += big(f.sold) * sell.price;
            entry[2] += big(buy.price);
        }
        for [surplus, volume, rounded] in markets.values() {
            let fees = volume * auction.terms().fee();
            let (surplus, rounded) = (surplus * 65_536_u32, rounded * 65_536_u32);
            prop_assert!(surplus >= fees && surplus <= fees + rounded);
        }
    }

    /// Nobody gains by a place: the orders in another order get the same prices and the same fills.
    #[test]
    fn the_order_of_orders_does_not_matter(seed: u64, tokens in 2_u16..7, count in 2_usize..60) {
        let orders = book(seed, Shape { tokens, orders: count, spread: 3_000, hub: 2 });
        let mut shuffled: Vec<(usize, Order)> = orders.iter().copied().enumerate().collect();
        let mut rng = Rng::new(seed);
        for i in (1..count).rev() {
            shuffled.swap(i, rng.below(i as u64 + 1) as usize);
        }
        let plain = solve(&Auction::new(orders, Terms::default()).unwrap());
        let moved: Vec<Order> = shuffled.iter().map(|(_, o)| *o).collect();
        let moved = solve(&Auction::new(moved, Terms::default()).unwrap());
        prop_assert_eq!(&plain.quotes, &moved.quotes);
        prop_assert_eq!(&plain.surplus, &moved.surplus);
        for ((place, _), fill) in shuffled.iter().zip(&moved.fills) {
            prop_assert_eq!(plain.fills[*place], *fill);
        }
    }
}

/// Books with enough orders clear without a token that is suspended, and everybody who is better than the
/// price by the margin is filled.
#[test]
fn full_books_clear() {
    for seed in 0..20 {
        for (tokens, orders, spread, hub) in
            [(2, 50, 1_300, 1), (5, 200, 1_300, 1), (8, 400, 20_000, 2), (20, 800, 300, 1 << 20)]
        {
            let orders = book(seed, Shape { tokens, orders, spread, hub });
            let auction = Auction::new(orders, Terms::default()).unwrap();
            let clearing = solve(&auction);
            verify(&auction, &clearing).unwrap();
            assert_eq!(clearing.quotes.len(), usize::from(tokens), "{seed} {tokens}");
            assert!(clearing.trades());
            let price = |t| clearing.quotes[&t].price;
            for (o, f) in auction.orders().iter().zip(&clearing.fills) {
                let class = Class::of(o.limit, price(o.sell), price(o.buy), auction.terms());
                assert!(class != Class::Inside || f.sold == o.amount);
            }
        }
    }
}

/// Three tokens in a circle: nobody has a partner for a swap of two, and all three trade.
#[test]
fn a_circle_trades() {
    let n = 1 << 40;
    let orders = vec![order(1, 2, n, 9, 10), order(2, 3, n, 9, 10), order(3, 1, n, 9, 10)];
    let auction = Auction::new(orders, Terms::default()).unwrap();
    let clearing = solve(&auction);
    verify(&auction, &clearing).unwrap();
    assert!(clearing.fills.iter().all(|f| f.sold == n), "{:?}", clearing.fills);
}

/// An order that cannot trade does not keep others from trading, however absurd its limit.
#[test]
fn absurd_orders_hinder_nobody() {
    let n = 1 << 40;
    let mut orders = vec![order(1, 2, n, 9, 10), order(2, 1, n, 9, 10)];
    // Sells for nearly nothing what nobody wants; a token of its own in a circle; a bid beyond all.
    orders.push(order(7, 1, n, 1, 1 << 63));
    orders.push(order(8, 2, n, 1, 1 << 63));
    orders.push(order(2, 8, 5, 1 << 63, 1));
    orders.push(order(1, 2, n, 1 << 63, 1));
    let auction = Auction::new(orders, Terms::default()).unwrap();
    let clearing = solve(&auction);
    verify(&auction, &clearing).unwrap();
    assert!(clearing.fills[..2].iter().all(|f| f.sold == n), "{clearing:?}");
}

/// Both sides lie at the margin, so nothing must be filled: and still they trade.
#[test]
fn the_margin_trades() {
    let n = 1 << 40;
    for amounts in [[n, n], [n, n / 3]] {
        let asks = |sell, buy, amount| order(sell, buy, amount, 65_500, 65_536);
        let orders = vec![asks(1, 2, amounts[0]), asks(2, 1, amounts[1])];
        let auction = Auction::new(orders, Terms::default()).unwrap();
        let clearing = solve(&auction);
        verify(&auction, &clearing).unwrap();
        assert!(clearing.fills[1].sold + n / 512 > amounts[1], "{:?}", clearing.fills);
    }
}

/// Two tokens trade, and the bids for a third one are below its offers: it has a price, and no trade.
#[test]
fn a_token_without_trade_hinders_nobody() {
    let n = 1 << 40;
    let mut orders = vec![order(1, 2, n, 9, 10), order(2, 1, n, 9, 10)];
    orders.extend([order(3, 1, n, 2, 1), order(1, 3, n, 2, 1)]);
    let auction = Auction::new(orders, Terms::default()).unwrap();
    let clearing = solve(&auction);
    verify(&auction, &clearing).unwrap();
    assert_eq!(clearing.quotes.len(), 3);
    assert_eq!(clearing.fills.iter().map(|f| f.sold).collect::<Vec<_>>(), [n, n, 0, 0]);
}

/// Prices that differ by more than 96 bits: the token furthest from the others is suspended, and those trade.
#[test]
fn a_token_out_of_range_is_suspended() {
    let (near, far) = (1 << 40, 1 << 100);
    let mut orders = vec![order(1, 2, near, 9, 10), order(2, 1, near, 9, 10)];
    orders.extend([order(3, 1, far, 9 << 40, 10 << 100), order(1, 3, near, 9 << 60, 10)]);
    orders.extend([order(4, 1, 1 << 30, 9 << 60, 10), order(1, 4, 1 << 90, 9, 10 << 60)]);
    let auction = Auction::new(orders, Terms::default()).unwrap();
    let clearing = solve(&auction);
    verify(&auction, &clearing).unwrap();
    assert_eq!(clearing.quotes.len(), 3, "{:?}", clearing.quotes);
    assert!(clearing.quotes.contains_key(&2));
    assert!(clearing.fills[..2].iter().all(|f| f.sold == near), "{:?}", clearing.fills);
}

#[test]
fn nothing_to_trade() {
    let apart = vec![order(1, 2, 99, 2, 1), order(2, 1, 99, 2, 1)];
    for orders in [vec![], vec![order(1, 2, 5, 1, 1)], apart] {
        let auction = Auction::new(orders, Terms::default()).unwrap();
        let clearing = solve(&auction);
        assert_eq!(verify(&auction, &clearing), Ok(()));
        assert!(!clearing.trades());
    }
}
