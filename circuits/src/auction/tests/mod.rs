//! Tests of the tables for auctions. Operations, head and range checks, which are not there, stand as
//! terms on the bus that they would put there.

mod cheats;
mod mutation;

use std::collections::{BTreeMap, BTreeSet};

use bastion_auction::{sample, solve, Auction, Class, Clearing, Limit, Order, Terms, ONE, WHOLE};
use num_bigint::BigUint;
use num_traits::ToPrimitive;

use super::order::{OrderRow, Priced};
use super::quote::QuoteRow;
use super::*;
use crate::check::{check_blocks, names};
use crate::core::{Grid, Placement, Table};
use crate::ranges::{range128, range40};
use crate::tables;
use crate::witness::convert::{small, wide};
use crate::Shape;

const TABLES: [Table; 2] = [Table::Order, Table::Quote];

/// A batch's orders and quotes, and what the rest of the circuit says of them.
#[derive(Clone)]
struct Case {
    orders: Vec<OrderRow>,
    quotes: Vec<QuoteRow>,
    /// What operations say.
    posted: Vec<(u64, Posted<Fr>)>,
}

/// The rule of an order in numbers without bounds: class, due, payment, whether the limit is kept.
fn rule(order: &Order, prices: [Priced; 2], fraction: u64) -> (Option<Class>, u128, u128, bool) {
    let [sell, buy] = prices;
    if sell.price == 0 || buy.price == 0 || sell.market != buy.market {
        return (None, 0, 0, true);
    }
    let class = Class::of(order.limit, sell.price, buy.price, Terms::default());
    let part = match class {
        Class::Inside => WHOLE,
        Class::Marginal => fraction,
        Class::Outside => 0,
    };
    let big = |x: u128| BigUint::from(x);
    let due = big(order.amount) * part / WHOLE;
    let net = ONE - u32::from(Terms::default().fee());
    let payment = &due * sell.price * net / (big(buy.price) * ONE);
    let exponent = u64::from(order.limit.exponent());
    let fits = (&payment << exponent) >= &due * order.limit.mantissa();
    (Some(class), due.to_u128().unwrap(), payment.to_u128().unwrap(), fits)
}

impl Case {
    /// An auction as it was cleared: each token that an order names has a price, 0 if none was found, and
    /// each pair at the margin a fraction.
    fn of(auction: &Auction, clearing: &Clearing, mode: u64) -> Self {
        let mut prices: BTreeMap<u16, Priced> = BTreeMap::new();
        for order in auction.orders() {
            for token in [order.sell, order.buy] {
                let quote = clearing.quotes.get(&token);
                let priced =
                    |q: &bastion_auction::TokenQuote| Priced { market: q.market, price: q.price };
                prices.insert(token, quote.map_or(Priced::default(), priced));
            }
        }
        let mut fractions: BTreeMap<(u16, u16), u64> = BTreeMap::new();
        let mut orders = Vec::new();
        let mut position = 3;
        for (order, fill) in auction.orders().iter().zip(&clearing.fills) {
            let pair = (order.sell, order.buy);
            let of_pair = clearing.fractions.get(&pair).copied().unwrap_or(0);
            let both = [order.sell, order.buy].map(|token| prices[&token]);
            let (class, due, payment, fits) = rule(order, both, of_pair);
            let marginal = class == Some(Class::Marginal);
            if marginal {
                fractions.insert(pair, of_pair);
            }
            let (mantissa, exponent) = (order.limit.mantissa(), order.limit.exponent());
            let row = OrderRow {
                posted: Posted {
                    sell: small(order.sell.into()),
                    buy: small(order.buy.into()),
                    amount: wide(order.amount),
                    sold: Fr::zero(),
                    paid: Fr::zero(),
                    word: wide(u128::from(mantissa) << 7 | u128::from(exponent)),
                    position: small(position),
                    mode: small(mode),
                },
                limit: (mantissa, exponent),
                prices: both,
                inside: class == Some(Class::Inside),
                marginal,
                fraction: if marginal { of_pair } else { 0 },
                due,
                payment,
                fits,
                flows: [Fr::zero(); 2],
            };
            let found = if fits { [due, payment] } else { [0, 0] };
            assert_eq!([fill.sold, fill.bought], found);
            orders.push(row);
            position += 2;
        }
        let of_tokens = prices.iter().map(|(token, priced)| {
            ((*token, *token), priced.price | u128::from(priced.market) << 96)
        });
        let of_pairs = fractions.iter().map(|(pair, n)| (*pair, u128::from(*n)));
        let all: BTreeMap<(u16, u16), u128> = of_tokens.chain(of_pairs).collect();
        let quotes = all.into_iter().map(|((sell, buy), value)| {
            position += 2;
            let surplus = Fr::zero();
            QuoteRow { sell, buy, value, surplus, position, mode, last_key: 0, uses: 0 }
        });
        let quotes = quotes.collect();
        let mut case = Self { orders, quotes, posted: Vec::new() };
        case.settle();
        case
    }

    /// Two tokens with all classes, a token that is suspended, a market that another one sells into.
    fn sample() -> Self {
        let one = |n: u128, d: u128| Limit::of(n, d).unwrap();
        let order = |sell, buy, amount, limit| Order { sell, buy, amount, limit };
        let orders = vec![
            order(1, 2, 1_000_000, one(9, 10)),
            order(2, 1, 600_000, one(9, 10)),
            order(2, 1, 700_000, one(999_999, 1_000_000)),
            order(1, 2, 5_000, one(2, 1)),
            order(3, 1, 77, one(1, 1)),
            order(2, 4, 1_000, one(1, 2)),
            order(4, 5, 800, one(1, 2)),
            order(5, 4, 900, one(1, 2)),
            order(1, 2, 3, one(91, 100)),
        ];
        let auction = Auction::new(orders, Terms::default()).unwrap();
        let clearing = solve(&auction);
        bastion_auction::verify(&auction, &clearing).unwrap();
        Self::of(&auction, &clearing, 1)
    }

    /// What follows from fills and prices: sums, surpluses, keys, uses, and what operations say.
    fn settle(&mut self) {
        let mut flows: BTreeMap<[u8; 32], Fr> = BTreeMap::new();
        for order in &mut self.orders {
            let fits = small(u64::from(order.fits));
            order.posted.sold = fits * wide(order.due);
            order.posted.paid = fits * wide(order.payment);
            let moved =
                [(order.posted.sell, order.posted.sold), (order.posted.buy, -order.posted.paid)];
            for (before, (token, by)) in order.flows.iter_mut().zip(moved) {
                let sum = flows.entry(token.to_bytes()).or_insert(Fr::zero());
                *before = *sum;
                *sum += by;
            }
        }
        let mut last_key = 0;
        for quote in &mut self.quotes {
            let sum = flows.get(&small(quote.sell.into()).to_bytes()).copied();
            let pair = quote.sell != quote.buy;
            quote.surplus = sum.filter(|_| !pair).unwrap_or(Fr::zero());
            quote.last_key = last_key;
            last_key = quote.key();
            let [sell, buy] = [quote.sell, quote.buy].map(|token| small(token.into()));
            let uses = self.orders.iter().map(|order| match pair {
                true => order.marginal && [order.posted.sell, order.posted.buy] == [sell, buy],
                false => [order.posted.sell, order.posted.buy].contains(&sell),
            });
            quote.uses = uses.filter(|used| *used).count() as u64;
        }
        self.say();
    }

    /// Operations say what the rows do.
    fn say(&mut self) {
        let orders = self.orders.iter().map(|order| (ORDER, order.posted));
        let quotes = self.quotes.iter().map(|quote| {
            let posted = Posted {
                sell: small(quote.sell.into()),
                buy: small(quote.buy.into()),
                amount: Fr::zero(),
                sold: quote.surplus,
                paid: Fr::zero(),
                word: wide(quote.value),
                position: small(quote.position),
                mode: small(quote.mode),
            };
            (QUOTE, posted)
        });
        self.posted = orders.chain(quotes).collect();
    }

    fn placements(&self) -> Vec<Placement> {
        // One block more of each table than there are rows.
        let counts = [self.orders.len() + 1, self.quotes.len() + 1];
        let mut row = 0;
        let mut out = Vec::new();
        for (table, count) in TABLES.into_iter().zip(counts) {
            for _ in 0..count {
                out.push(Placement { table, row });
                row += table.rows();
            }
        }
        out
    }

    fn row(&self, table: Table, n: usize) -> usize {
        let placements = self.placements();
        let mut of_table = placements.iter().filter(|p| p.table == table);
        of_table.nth(n).unwrap().row
    }

    fn grid(&self) -> (Grid, LookupCounts) {
        let placements = self.placements();
        let rows = placements.last().map_or(0, |p| p.row + p.table.rows());
        let (mut grid, mut pools) = (Grid::new(rows), LookupCounts::default());
        for n in 0..=self.orders.len() {
            let row = self.row(Table::Order, n);
            order::assign(&mut grid.block(row), self.orders.get(n), &mut pools);
        }
        for n in 0..=self.quotes.len() {
            let row = self.row(Table::Quote, n);
            quote::assign(&mut grid.block(row), self.quotes.get(n), &mut pools);
        }
        assert!(grid.conflicts().is_empty());
        (grid, pools)
    }

    /// What the rest of the circuit puts on the bus.
    fn outside(&self, pools: &LookupCounts) -> Vec<(Table, Term)> {
        let mut out = Vec::new();
        let last = self.quotes.iter().map(QuoteRow::key).max().unwrap_or(0);
        for (number, posted) in &self.posted {
            let Posted { sell, buy, amount, sold, paid, word, position, mode } = *posted;
            let tuple = posted_tuple(
                Expr::from(*number),
                Posted {
                    sell: sell.into(),
                    buy: buy.into(),
                    amount: amount.into(),
                    sold: sold.into(),
                    paid: paid.into(),
                    word: word.into(),
                    position: position.into(),
                    mode: mode.into(),
                },
            );
            out.push((Table::Op, Term::produce("posted", Expr::one(), tuple)));
            let slot = crate::blob::word_tuple((position + Fr::one()).into(), word.into());
            out.push((Table::Slots, Term::consume("slot", mode.into(), slot)));
        }
        out.push((Table::Head, Term::produce("first_key", Expr::one(), key_tuple(Expr::zero()))));
        out.push((Table::Head, Term::consume("last_key", Expr::one(), key_tuple(last.into()))));
        for (value, count) in &pools.ranges40.entries {
            let tuple = range40(wide(*value).into());
            out.push((Table::Range40, Term::produce("range", (*count).into(), tuple)));
        }
        for (value, count) in &pools.ranges128.entries {
            let tuple = range128(wide(*value).into());
            out.push((Table::Range128, Term::produce("range", (*count).into(), tuple)));
        }
        out
    }

    fn check(&self, grid: &Grid, pools: &LookupCounts) -> BTreeSet<String> {
        let blocks: Vec<_> =
            TABLES.into_iter().map(|table| tables::block(table, &Shape::tiny())).collect();
        names(&check_blocks(&blocks, &self.placements(), grid, &self.outside(pools)))
    }

    /// The rules that are broken.
    fn violated(&self) -> BTreeSet<String> {
        let (grid, pools) = self.grid();
        self.check(&grid, &pools)
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_string()).collect()
}

#[test]
fn an_honest_auction_violates_nothing() {
    let case = Case::sample();
    assert_eq!(case.violated(), set(&[]));
    let classes = |f: fn(&OrderRow) -> bool| case.orders.iter().filter(|o| f(o)).count();
    // The sample shows what there is to show.
    assert!(classes(|o| o.inside) >= 2 && classes(|o| o.marginal) >= 1);
    assert!(classes(|o| o.prices[0].price == 0) >= 1, "a suspended token");
    assert!(classes(|o| o.prices[0].market != o.prices[1].market) >= 1, "two markets");
    assert!(classes(|o| !o.fits) >= 1, "a limit that rounding breaks");
}

#[test]
fn random_auctions_violate_nothing() {
    for (seed, tokens, hub) in [(1, 2, 2), (2, 5, 2), (3, 20, 1), (4, 8, 0)] {
        let shape = sample::Shape { tokens, orders: 60, spread: 1_300, hub };
        let auction = Auction::new(sample::book(seed, shape), Terms::default()).unwrap();
        let clearing = solve(&auction);
        let case = Case::of(&auction, &clearing, seed % 2);
        assert_eq!(case.violated(), set(&[]), "book {seed}");
    }
}

#[test]
fn products_at_the_ends_of_their_ranges() {
    // The largest amounts, prices and limits that the rule takes.
    let most = (1 << 112) - 1;
    let steep = Limit::new(u64::MAX, 0).unwrap();
    let flat = Limit::new(1 << 63, 127).unwrap();
    for (amount, limit, sell, buy) in [
        (most, flat, 1, (1 << 96) - 1),
        (most, flat, (1 << 96) - 1, (1 << 96) - 1),
        (1, steep, (1 << 96) - 1, 1 << 30),
        (most, steep, 1, (1 << 96) - 1),
        (1, flat, (1 << 96) - 1, 1),
    ] {
        let order = Order { sell: 1, buy: 2, amount, limit };
        let priced = |price| Priced { market: 7, price };
        let prices = [priced(sell), priced(buy)];
        let (class, due, payment, fits) = rule(&order, prices, WHOLE / 3);
        let mut case = Case::sample();
        case.orders.truncate(1);
        let row = &mut case.orders[0];
        row.posted.amount = wide(amount);
        row.posted.word = wide(u128::from(limit.mantissa()) << 7 | u128::from(limit.exponent()));
        row.limit = (limit.mantissa(), limit.exponent());
        row.prices = prices;
        row.inside = class == Some(Class::Inside);
        row.marginal = class == Some(Class::Marginal);
        row.fraction = if row.marginal { WHOLE / 3 } else { 0 };
        (row.due, row.payment, row.fits) = (due, payment, fits);
        case.quotes.truncate(2);
        for (quote, (token, price)) in case.quotes.iter_mut().zip([(1, sell), (2, buy)]) {
            (quote.sell, quote.buy, quote.value) = (token, token, price | 7 << 96);
        }
        if case.orders[0].marginal {
            let value = u128::from(WHOLE / 3);
            case.quotes.insert(1, QuoteRow { sell: 1, buy: 2, value, ..case.quotes[0] });
        }
        case.settle();
        // Nobody sells what it buys: only the bought token's sum is short.
        let names = case.violated();
        let short = set(&["quote.surplus_range"]);
        let paid = case.orders[0].posted.paid != Fr::zero();
        assert_eq!(names, if paid { short } else { set(&[]) }, "{class:?} {amount} {sell} {buy}");
    }
}
