//! What a market demands at given prices, smoothed, in fixed point. It only guides the search for prices.

use super::log::{log2, Exp2, FRACTION, OCTAVE};
use super::markets::Market;
use crate::{Terms, ONE};
use std::collections::BTreeMap;

/// Bits of all that is offered of a token, in the search's own units.
const UNIT_BITS: u32 = 63;
/// Bits of the part by which an order is filled.
const PART_BITS: u32 = 16;

/// The orders of a pair by their limits.
pub(super) struct Book {
    sell: usize,
    buy: usize,
    /// Logarithms of the limits in the search's units, ascending, with the amounts.
    orders: Vec<(i64, u128)>,
    /// Sums of the first amounts.
    sums: Vec<u128>,
}

/// A market in the search's units: of each token about `2^63` are offered, and prices are logarithms.
pub(super) struct Demand {
    books: Vec<Book>,
    /// Logarithm of the search's unit of each token, in the token's smallest units.
    pub units: Vec<i64>,
    exp: Exp2,
    /// `-log2(1 - fee)`.
    fee: i64,
}

impl Demand {
    pub fn new(market: &Market, terms: Terms) -> Self {
        let tokens = market.tokens.len();
        let mut offered = vec![0_u128; tokens];
        for order in &market.orders {
            offered[order.sell] += order.amount;
        }
        // A shift to the left for small sums, to the right for large ones.
        let bits = |sum: &u128| i64::from(128 - sum.leading_zeros()) - i64::from(UNIT_BITS);
        let shift: Vec<i64> = offered.iter().map(bits).collect();
        let mut demand = Self {
            books: Vec::new(),
            units: shift.iter().map(|bits| bits * OCTAVE).collect(),
            exp: Exp2::new(),
            fee: (i64::from(FRACTION) << FRACTION)
                - log2((1 << FRACTION) / u128::from(ONE) * u128::from(terms.net())),
        };
        for pair in market.pairs() {
            let Some(first) = pair.first() else { continue };
            let (sell, buy) = (first.sell, first.buy);
            let mut orders: Vec<(i64, u128)> = pair
                .iter()
                .map(|order| {
                    let limit = log2(order.limit.mantissa().into())
                        - (i64::from(order.limit.exponent()) << FRACTION);
                    let bits = shift[sell].unsigned_abs();
                    let amount =
                        if shift[sell] < 0 { order.amount << bits } else { order.amount >> bits };
                    // A unit of the sold token asks for as many of the bought one.
                    (limit + demand.units[sell] - demand.units[buy], amount)
                })
                .collect();
            orders.sort_unstable();
            let mut sums = vec![0];
            sums.extend(orders.iter().scan(0, |sum, (_, amount)| {
                *sum += amount;
                Some(*sum)
            }));
            demand.books.push(Book { sell, buy, orders, sums });
        }
        demand
    }

    /// The width of the margin as a logarithm.
    pub fn band(terms: Terms) -> i64 {
        let of = |part: u64| log2(u128::from(part) << FRACTION);
        of(terms.net()) - of(terms.clear())
    }

    /// What a pair sells when the logarithm of its ratio of prices is `ratio`, in `2^-16` units: orders that
    /// are better than the price by fee and `width` whole, those between in proportion.
    fn sold(&self, book: &Book, ratio: i64, width: i64) -> u128 {
        let outer = ratio - self.fee;
        let whole = book.orders.partition_point(|(limit, _)| *limit <= outer - width);
        let mut sold = book.sums[whole] << PART_BITS;
        for (limit, amount) in &book.orders[whole..] {
            if *limit >= outer {
                break;
            }
            let part = (i128::from(outer - limit) << PART_BITS) / i128::from(width.max(1));
            sold += amount * part.unsigned_abs();
        }
        sold
    }

    /// `quantity x 2^(price - reference)`, rounded down.
    fn worth(&self, quantity: u128, price: i64, reference: i64) -> u128 {
        let (mantissa, exponent) = self.exp.of(price);
        let down = (reference >> FRACTION) - exponent + 31;
        // 80 + 32 bits.
        let product = quantity * u128::from(mantissa >> 32);
        match u32::try_from(down) {
            Ok(down) => product.checked_shr(down).unwrap_or(0),
            Err(_) => product << down.unsigned_abs().min(15),
        }
    }

    /// The pairs with one token in a group and the other outside.
    pub fn border<'a>(&'a self, group: &[bool]) -> Vec<&'a Book> {
        self.books.iter().filter(|book| group[book.sell] != group[book.buy]).collect()
    }

    /// Worth of what a group of tokens offers to the others and demands of them, when the logarithms of its
    /// prices are moved by `shift`.
    pub fn balance(
        &self,
        group: &[bool],
        border: &[&Book],
        shift: i64,
        prices: &[i64],
        width: i64,
    ) -> (u128, u128) {
        let moved = |token: usize| prices[token] + if group[token] { shift } else { 0 };
        let reference = (0..prices.len()).map(moved).max().unwrap_or(0);
        let (mut offered, mut demanded) = (0, 0);
        for book in border {
            let price = moved(book.sell);
            let sold = self.sold(book, price - moved(book.buy), width);
            let worth = self.worth(sold, price, reference);
            if group[book.sell] {
                offered += worth;
            } else {
                demanded += worth;
            }
        }
        (offered, demanded)
    }

    /// Logarithm of the worth of what each pair sells; those that sell nothing are not in it.
    pub fn trade(&self, prices: &[i64], width: i64) -> BTreeMap<(usize, usize), i64> {
        let of = |book: &Book| {
            let sold = self.sold(book, prices[book.sell] - prices[book.buy], width);
            (sold > 0).then(|| ((book.sell, book.buy), log2(sold) + prices[book.sell]))
        };
        self.books.iter().filter_map(of).collect()
    }

    /// Pairs of tokens with orders at the margin, those with the largest worth of them first.
    pub fn links(&self, prices: &[i64], width: i64) -> Vec<(usize, usize)> {
        let reference = prices.iter().copied().max().unwrap_or(0);
        let worth = |book: &Book| {
            let outer = prices[book.sell] - prices[book.buy] - self.fee;
            let [inner, outer] = [outer - width, outer]
                .map(|bound| book.orders.partition_point(|(limit, _)| *limit <= bound));
            let amount = book.sums[outer] - book.sums[inner];
            self.worth(amount << PART_BITS, prices[book.sell], reference)
        };
        let mut links: Vec<(u128, usize, usize)> = self
            .books
            .iter()
            .map(|book| (worth(book), book.sell.min(book.buy), book.sell.max(book.buy)))
            .filter(|(worth, _, _)| *worth > 0)
            .collect();
        links.sort_unstable();
        links.into_iter().rev().map(|(_, a, b)| (a, b)).collect()
    }
}
