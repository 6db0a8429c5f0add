//! Cheating operators, each with everything else made to fit, stopped by the rule of that name.

use super::*;
use crate::core::Expr;

impl Case {
    /// The rules that are broken after a change from which all else follows.
    fn after(&self, change: impl FnOnce(&mut Self)) -> BTreeSet<String> {
        let mut case = self.clone();
        change(&mut case);
        case.settle();
        case.violated()
    }

    /// The same without what follows.
    fn after_alone(&self, change: impl FnOnce(&mut Self)) -> BTreeSet<String> {
        let mut case = self.clone();
        change(&mut case);
        case.say();
        case.violated()
    }

    /// The number of the first order of which something holds.
    fn order(&self, which: impl Fn(&OrderRow) -> bool) -> usize {
        self.orders.iter().position(which).unwrap()
    }

    fn quote(&self, which: impl Fn(&QuoteRow) -> bool) -> usize {
        self.quotes.iter().position(which).unwrap()
    }

    fn inside(&self) -> usize {
        self.order(|o| o.inside && o.fits)
    }

    fn outside_at(&self) -> usize {
        let live = |o: &OrderRow| o.prices.iter().all(|p| p.price != 0);
        self.order(|o| {
            !o.inside && !o.marginal && live(o) && o.prices[0].market == o.prices[1].market
        })
    }

    /// With a cell of a block overwritten.
    fn with_cell(&self, table: Table, n: usize, cell: Expr, value: Fr) -> BTreeSet<String> {
        let (mut grid, pools) = self.grid();
        let Expr::Cell { row, col } = cell else { unreachable!() };
        grid.overwrite(self.row(table, n) + row as usize, col, value);
        self.check(&grid, &pools)
    }
}

fn refill(order: &mut OrderRow, due: u128) {
    let [sell, buy] = order.prices;
    let net = ONE - u32::from(Terms::default().fee());
    let worth = BigUint::from(due) * sell.price * net;
    order.due = due;
    order.payment = (worth / (BigUint::from(buy.price) * ONE)).to_u128().unwrap();
    let (mantissa, exponent) = order.limit;
    order.fits = BigUint::from(order.payment) << exponent >= BigUint::from(due) * mantissa;
}

#[test]
fn a_good_order_is_filled_whole() {
    let case = Case::sample();
    let n = case.inside();
    // Not filled, as if it were worse than the price.
    let names = case.after(|case| {
        case.orders[n].inside = false;
        refill(&mut case.orders[n], 0);
    });
    // What it does not sell is missing where others were paid.
    assert_eq!(names, set(&["order.class2_range", "quote.surplus_range"]));
    // Filled by a part, as if it were at the margin.
    let names = case.after(|case| {
        let order = &mut case.orders[n];
        (order.inside, order.marginal, order.fraction) = (false, true, WHOLE / 2);
        let due = order.due / 2;
        refill(order, due);
        let [sell, buy] = [1, 2];
        if case.quotes.iter().all(|q| (q.sell, q.buy) != (sell, buy)) {
            let value = u128::from(WHOLE / 2);
            let quote = QuoteRow { sell, buy, value, ..case.quotes[0] };
            case.quotes.insert(1, quote);
        }
    });
    assert!(names.contains("order.class2_range"), "{names:?}");
    // Less is due than its whole amount.
    let names = case.after(|case| {
        let due = case.orders[n].due - 1;
        refill(&mut case.orders[n], due);
    });
    assert_eq!(names, set(&["order.rest_top_range"]));
}

#[test]
fn a_bad_order_is_not_filled() {
    let case = Case::sample();
    let n = case.outside_at();
    let names = case.after(|case| {
        let order = &mut case.orders[n];
        order.inside = true;
        refill(order, 1);
        order.due = 5_000;
        refill(order, 5_000);
    });
    assert!(names.contains("order.class2_range"), "{names:?}");
    let names = case.after(|case| refill(&mut case.orders[n], 1));
    assert!(names.contains("order.rest_range"), "{names:?}");
}

#[test]
fn an_order_outside_is_not_at_the_margin() {
    let case = Case::sample();
    let n = case.outside_at();
    let pair = case.orders[n].posted;
    let names = case.after(|case| {
        case.orders[n].marginal = true;
        let [sell, buy] = [1, 2];
        assert_eq!([pair.sell, pair.buy], [small(1), small(2)]);
        if case.quotes.iter().all(|q| (q.sell, q.buy) != (sell, buy)) {
            let quote = QuoteRow { sell, buy, value: 0, ..case.quotes[0] };
            case.quotes.insert(1, quote);
        }
        let of_pair = case.quotes.iter().find(|q| (q.sell, q.buy) == (sell, buy)).unwrap();
        case.orders[n].fraction = of_pair.value as u64;
        let due = BigUint::from(5_000u64) * of_pair.value / WHOLE;
        refill(&mut case.orders[n], due.to_u128().unwrap());
    });
    assert!(names.contains("order.margin2_range"), "{names:?}");
}

#[test]
fn fractions_of_a_pair_are_equal() {
    let case = Case::sample();
    let n = case.order(|o| o.marginal);
    let names = case.after(|case| {
        let order = &mut case.orders[n];
        order.fraction -= 1 << 20;
        let amount = BigUint::from_bytes_le(&order.posted.amount.to_bytes());
        let due = amount * order.fraction / WHOLE;
        refill(order, due.to_u128().unwrap());
    });
    assert!(names.is_superset(&set(&["order.shared_fraction", "quote.fraction"])), "{names:?}");
    let rest =
        |name: &&String| !matches!(name.as_str(), "order.shared_fraction" | "quote.fraction");
    // What is sold less is missing in the surplus at most.
    assert!(names.iter().filter(rest).all(|name| name == "quote.surplus_range"), "{names:?}");
}

#[test]
fn everybody_has_the_same_prices() {
    let case = Case::sample();
    let n = case.inside();
    let names = case.after(|case| {
        let order = &mut case.orders[n];
        order.prices[0].price -= order.prices[0].price >> 40;
        let due = order.due;
        refill(order, due);
    });
    assert!(names.is_superset(&set(&["order.sell_price", "quote.price"])), "{names:?}");
    assert!(names.iter().all(|name| name.ends_with("price")), "{names:?}");
    // A second price of a token needs a second quote, and its key is not above the first one's.
    let quote = case.quote(|q| q.sell == q.buy && q.value != 0);
    let names = case.after(|case| {
        let again = case.quotes[quote];
        case.quotes.insert(quote + 1, again);
    });
    assert!(names.contains("quote.key_step_range"), "{names:?}");
    // The order of another market claims to be in this one.
    let n = case.order(|o| {
        o.prices.iter().all(|p| p.price != 0) && o.prices[0].market != o.prices[1].market
    });
    let names =
        case.after(|case| case.orders[n].prices[1].market = case.orders[n].prices[0].market);
    assert!(names.contains("order.buy_price"), "{names:?}");
}

#[test]
fn payments_are_rounded_down() {
    let case = Case::sample();
    let n = case.inside();
    let up = case.after(|case| case.orders[n].payment += 1);
    assert_eq!(up, set(&["order.remainder_range"]));
    let down = case.after(|case| case.orders[n].payment -= 1);
    assert_eq!(down, set(&["order.rounded_down"]));
}

#[test]
fn limits_hold_after_fee_and_rounding() {
    let case = Case::sample();
    let n = case.order(|o| !o.fits);
    let names = case.after(|case| case.orders[n].fits = true);
    assert!(names.contains("order.kept2_range"), "{names:?}");
    // And nobody is left out for a limit that is kept.
    let n = case.inside();
    let names = case.after(|case| case.orders[n].fits = false);
    assert!(names.contains("order.kept2_range"), "{names:?}");
    // Another limit than the signed one.
    let names = case.after_alone(|case| case.orders[n].limit.0 -= 1);
    assert!(names.contains("order.order"), "{names:?}");
    // A limit that has no form: its top bit is not set.
    let names = case.after(|case| {
        let order = &mut case.orders[n];
        order.limit = ((1 << 63) - 1, order.limit.1);
    });
    assert!(names.contains("order.order"), "{names:?}");
}

#[test]
fn markets_ascend() {
    let case = Case::sample();
    let n = case.order(|o| {
        o.prices.iter().all(|p| p.price != 0) && o.prices[0].market < o.prices[1].market
    });
    // The markets' numbers are turned round.
    let names = case.after(|case| {
        let turned = |market: u16| 9 - market;
        for order in &mut case.orders {
            order
                .prices
                .iter_mut()
                .filter(|p| p.price != 0)
                .for_each(|p| p.market = turned(p.market));
        }
        for quote in case.quotes.iter_mut().filter(|q| q.sell == q.buy && q.value != 0) {
            let market = (quote.value >> 96) as u16;
            quote.value = quote.value & ((1 << 96) - 1) | u128::from(turned(market)) << 96;
        }
    });
    assert_eq!(names, set(&["order.markets_range"]), "order {n}");
}

#[test]
fn what_is_left_goes_to_the_fee_account() {
    let case = Case::sample();
    let quote = case.quote(|q| q.sell == 1 && q.buy == 1);
    let names = case.after_alone(|case| case.quotes[quote].surplus -= Fr::one());
    assert!(names.contains("quote.last_sum"), "{names:?}");
    let names = case.after_alone(|case| case.quotes[quote].surplus += Fr::one());
    assert!(names.contains("quote.last_sum"), "{names:?}");
    // A pair has none.
    let pair = case.quote(|q| q.sell != q.buy);
    let names = case.after_alone(|case| case.quotes[pair].surplus = Fr::one());
    assert_eq!(names, set(&["quote.pair_has_no_surplus"]));
}

#[test]
fn nothing_is_paid_that_nobody_sold() {
    let case = Case::sample();
    // Nobody sells token 2 any more.
    let names = case.after(|case| case.orders.retain(|o| o.posted.sell != small(2)));
    assert!(names.contains("quote.surplus_range"), "{names:?}");
}

#[test]
fn quotes_are_as_they_are_posted() {
    let case = Case::sample();
    let names = case.after(|case| {
        let quote = case.quote(|q| q.sell != q.buy);
        case.quotes[quote].value = u128::from(WHOLE) + 1;
        let pair =
            [case.quotes[quote].sell, case.quotes[quote].buy].map(|token| small(token.into()));
        let of_pair = |o: &&mut OrderRow| o.marginal && [o.posted.sell, o.posted.buy] == pair;
        for order in case.orders.iter_mut().filter(of_pair) {
            order.fraction = WHOLE + 1;
            let amount = BigUint::from_bytes_le(&order.posted.amount.to_bytes());
            let due = (amount * (WHOLE + 1) / WHOLE).to_u128().unwrap();
            refill(order, due);
        }
    });
    assert!(names.contains("quote.fraction_range"), "{names:?}");
    // An order of which the operations say nothing, and one that they say and nobody clears.
    let n = case.inside();
    let mut lost = case.clone();
    lost.posted.remove(n);
    assert!(lost.violated().contains("order.order"));
    let mut left_out = case.clone();
    left_out.orders.remove(n);
    left_out.settle();
    left_out.posted.push((ORDER, case.orders[n].posted));
    assert!(left_out.violated().contains("op.posted"));
    // A suspended token is said to have a price, and one with a price to be suspended.
    let suspended = case.quote(|q| q.sell == q.buy && q.value == 0);
    let names = case.with_cell(Table::Quote, suspended, quote::tests_open(), Fr::one());
    assert!(names.contains("quote.open"), "{names:?}");
    let priced = case.quote(|q| q.sell == q.buy && q.value != 0);
    let names = case.with_cell(Table::Quote, priced, quote::tests_open(), Fr::zero());
    assert!(names.contains("quote.priced_is_open"), "{names:?}");
}
