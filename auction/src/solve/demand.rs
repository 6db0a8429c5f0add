//! What a market demands at given prices, smoothed, in fixed point. It only guides the search for prices.

use super::log::{log2, Exp2, FRACTION, OCTAVE};
use super::markets::Market;
use crate::{Terms, ONE};

/// Bits of all that is offered of a token, in the search's own units.
const UNIT_BITS: u32 = 63;
/// Bits of the part by which an order is filled.
const PART_BITS: u32 = 16;

/// The orders of a pair by their limits.
struct Book {
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
    selling: Vec<Vec<usize>>,
    buying: Vec<Vec<usize>>,
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
            selling: vec![Vec::new(); tokens],
            buying: vec![Vec::new(); tokens],
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
            demand.selling[sell].push(demand.books.len());
            demand.buying[buy].push(demand.books.len());
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

    /// Offered and demanded worth of a token at a trial price, the other prices as they are.
    pub fn balance(&self, token: usize, trial: i64, prices: &[i64], width: i64) -> (u128, u128) {
        let reference = prices.iter().copied().fold(trial, i64::max);
        let offered = self.selling[token].iter().map(|&b| &self.books[b]);
        let offered: u128 =
            offered.map(|book| self.sold(book, trial - prices[book.buy], width)).sum();
        let demanded = self.buying[token].iter().map(|&b| &self.books[b]).map(|book| {
            let sold = self.sold(book, prices[book.sell] - trial, width);
            self.worth(sold, prices[book.sell], reference)
        });
        (self.worth(offered, trial, reference), demanded.sum())
    }
}
