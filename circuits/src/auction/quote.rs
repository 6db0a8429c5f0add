//! One quote: the price of a token with the sum of its auction, or the fraction of a pair.

use super::{
    beside, flow_tuple, fraction_tuple, key_tuple, limb, limb_rows, of_limbs, posted_tuple,
    price_tuple, set_limb, set_limbs, Posted, QUOTE,
};
use crate::blob;
use crate::core::{pow2, BlockWriter, Expr, RowBlock, Table, Term};
use crate::ranges::range128;
use crate::witness::convert::{inverse_or_zero, small, wide};
use crate::witness::LookupCounts;
use crate::Fr;

/// Limbs that are looked up, in their places.
const LIMBS: [&str; 12] = [
    "key_step",
    "sell",
    "sell_top",
    "buy",
    "buy_top",
    "price0",
    "price1",
    "price2",
    "price_top",
    "market",
    "market_top",
    "fraction",
];
/// First row without limbs.
const BUS_ROW: usize = 4;
const KEY_STEP: usize = 0;
const SELL: usize = 1;
const BUY: usize = 3;
const PRICE: usize = 5;
const MARKET: usize = 9;
const FRACTION_REST: usize = 11;
/// `n` and `2^24 n` follow each other.
const TOPS: [(&str, usize); 4] =
    [("sell_top", SELL), ("buy_top", BUY), ("price_top", PRICE + 2), ("market_top", MARKET)];
const TOP_BITS: u32 = 24;
const ACTIVE: Expr = beside(0);
const PAIR: Expr = beside(1);
const SURPLUS: Expr = beside(2);
const POSITION: Expr = beside(3);
const MODE: Expr = beside(4);
const LAST_KEY: Expr = beside(5);
const USES: Expr = beside(6);
const OPEN: Expr = beside(7);
const PRICE_INVERSE: Expr = beside(8);
const PAIR_INVERSE: Expr = beside(9);
/// Bits of a price: the market stands behind them.
const PRICE_BITS: u32 = 96;
/// `2^32`: the fraction that fills an order whole.
const WHOLE_BITS: u32 = 32;

fn key() -> Expr {
    limb(SELL) * Expr::pow2(17) + limb(BUY) * Expr::from(2) + Expr::one()
}

fn value() -> Expr {
    of_limbs(PRICE) + limb(MARKET) * Expr::pow2(PRICE_BITS)
}

/// Constraints of a quote.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Quote);
    limb_rows(&mut block, &LIMBS);
    block.constrain("active_flag", ACTIVE.boolean());
    block.constrain("pair_flag", PAIR.boolean());
    block.constrain("unused_is_no_quote", !ACTIVE * USES);
    block.constrain("unused_is_no_pair", !ACTIVE * PAIR);
    let apart = limb(SELL) - limb(BUY);
    block.constrain("price_names_one_token", !PAIR * apart);
    block.constrain("pair_names_two_tokens", PAIR - apart * PAIR_INVERSE);
    block.constrain("price_has_no_distance", !PAIR * PAIR_INVERSE);
    for (name, limb_of) in TOPS {
        block.constrain(name, limb(limb_of + 1) - limb(limb_of) * Expr::pow2(TOP_BITS));
    }
    let step = key() - LAST_KEY - Expr::one();
    block.constrain("keys_ascend", limb(KEY_STEP) - ACTIVE * step);
    let rest = Expr::pow2(WHOLE_BITS) - value();
    block.constrain("fraction_at_most_whole", limb(FRACTION_REST) - PAIR * rest);
    let price = of_limbs(PRICE);
    block.constrain("open", OPEN - price * PRICE_INVERSE);
    block.constrain("priced_is_open", price * !OPEN);
    block.constrain("suspended_has_no_inverse", !OPEN * PRICE_INVERSE);
    block.constrain("pair_has_no_surplus", PAIR * SURPLUS);

    let (sell, buy) = (limb(SELL), limb(BUY));
    let posted = Posted {
        sell,
        buy,
        amount: Expr::zero(),
        sold: SURPLUS,
        paid: Expr::zero(),
        word: value(),
        position: POSITION,
        mode: MODE,
    };
    let of_token = ACTIVE - PAIR;
    let terms = vec![
        Term::consume("quote", ACTIVE, posted_tuple(Expr::from(QUOTE), posted)),
        Term::consume("key_before", ACTIVE, key_tuple(LAST_KEY)),
        Term::produce("key_after", ACTIVE, key_tuple(key())),
        Term::produce("price", USES * !PAIR, price_tuple(sell, limb(MARKET), price, OPEN)),
        Term::produce("fraction", USES * PAIR, fraction_tuple(sell, buy, value())),
        Term::produce("first_sum", of_token, flow_tuple(sell, Expr::zero())),
        Term::consume("last_sum", of_token, flow_tuple(sell, SURPLUS)),
        Term::consume("surplus_range", ACTIVE, range128(SURPLUS)),
        Term::produce(
            "value_record",
            ACTIVE * MODE,
            blob::word_tuple(POSITION + Expr::one(), value()),
        ),
    ];
    block.bus_packed(BUS_ROW, terms);
    block
}

/// A quote of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteRow {
    /// The token, or what orders of the pair sell.
    pub sell: u16,
    /// The token again, or what orders of the pair buy.
    pub buy: u16,
    /// The second posted word: price and market, or fraction.
    pub value: u128,
    /// What goes to the token's fee account; 0 for a pair.
    pub surplus: Fr,
    /// L2 records of the batch before the quote.
    pub position: u64,
    /// Where L2 records are: 1 for a blob.
    pub mode: u64,
    /// Key of the quote before this one in the order of keys, 0 for the first.
    pub last_key: u64,
    /// Orders that look it up.
    pub uses: u64,
}

impl QuoteRow {
    /// Its place in the order of quotes.
    pub fn key(&self) -> u64 {
        u64::from(self.sell) << 17 | u64::from(self.buy) << 1 | 1
    }
}

/// Assigns a quote (or an unused block).
pub fn assign(writer: &mut BlockWriter<'_>, quote: Option<&QuoteRow>, pools: &mut LookupCounts) {
    let unused = QuoteRow {
        sell: 0,
        buy: 0,
        value: 0,
        surplus: Fr::zero(),
        position: 0,
        mode: 0,
        last_key: 0,
        uses: 0,
    };
    let (row, active) = (quote.unwrap_or(&unused), u64::from(quote.is_some()));
    let pair = u64::from(row.sell != row.buy);
    let price = row.value & ((1 << PRICE_BITS) - 1);
    let apart = small(row.sell.into()) - small(row.buy.into());
    let open = u64::from(price != 0);
    for (cell, value) in [
        (ACTIVE, small(active)),
        (PAIR, small(pair)),
        (SURPLUS, row.surplus),
        (POSITION, small(row.position)),
        (MODE, small(row.mode)),
        (LAST_KEY, small(row.last_key)),
        (USES, small(row.uses)),
        (OPEN, small(open)),
        (PRICE_INVERSE, inverse_or_zero(wide(price))),
        (PAIR_INVERSE, inverse_or_zero(apart)),
    ] {
        writer.set(&cell, value);
    }
    let step = small(row.key()) - small(row.last_key) - Fr::one();
    set_limb(writer, KEY_STEP, small(active) * step, pools);
    set_limb(writer, SELL, small(row.sell.into()), pools);
    set_limb(writer, BUY, small(row.buy.into()), pools);
    set_limbs(writer, PRICE, wide(price), pools);
    let market = row.value >> PRICE_BITS;
    set_limb(writer, MARKET, wide(market), pools);
    let tops = [u128::from(row.sell), u128::from(row.buy), price >> 80, market];
    for ((_, limb_of), value) in TOPS.into_iter().zip(tops) {
        set_limb(writer, limb_of + 1, wide(value) * pow2(TOP_BITS), pools);
    }
    let rest = pow2(WHOLE_BITS) - wide(row.value);
    set_limb(writer, FRACTION_REST, small(pair) * rest, pools);
    if active == 1 {
        pools.range128(row.surplus);
    }
}

/// Whether the token has a price: the cell that tests overwrite.
#[cfg(test)]
pub(super) const fn tests_open() -> Expr {
    OPEN
}
