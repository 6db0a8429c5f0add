//! One order: its class by its limit, what of it is filled, what is paid.

use bastion_auction::{Terms, ONE};

use super::{
    beside, flow_tuple, fraction_tuple, limb, limb_rows, of_limbs, posted_tuple, price_tuple,
    set_limb, set_limbs, Posted, Wide, ORDER,
};
use crate::blob;
use crate::core::{pow2, BlockWriter, Expr, RowBlock, Table, Term};
use crate::ranges::range128;
use crate::witness::convert::{inverse_or_zero, small, wide};
use crate::witness::LookupCounts;
use crate::Fr;

/// Limbs that are looked up, in their places.
const LIMBS: [&str; 22] = [
    "amount0",
    "amount1",
    "amount2",
    "amount_top",
    "limit0",
    "limit1",
    "limit_top",
    "rest",
    "rest_top",
    "payment0",
    "payment1",
    "payment2",
    "class0",
    "class1",
    "class2",
    "margin0",
    "margin1",
    "margin2",
    "kept0",
    "kept1",
    "kept2",
    "markets",
];
/// First row without limbs.
const BUS_ROW: usize = 8;
const AMOUNT: usize = 0;
const AMOUNT_TOP: usize = 3;
const LIMIT: usize = 4;
const LIMIT_TOP: usize = 6;
const REST: usize = 7;
const REST_TOP: usize = 8;
const PAYMENT: usize = 9;
const CLASS: Wide = Wide { low: beside(0), first_limb: 12 };
const MARGIN: Wide = Wide { low: beside(1), first_limb: 15 };
const KEPT: Wide = Wide { low: beside(2), first_limb: 18 };
const MARKETS: usize = 21;
const ACTIVE: Expr = beside(3);
const SELL: Expr = beside(4);
const BUY: Expr = beside(5);
const SOLD: Expr = beside(6);
const PAID: Expr = beside(7);
const POSITION: Expr = beside(8);
const MODE: Expr = beside(9);
/// Market, price and whether there is one: of the sold token, and of the bought one.
const SELL_QUOTE: [Expr; 3] = [beside(10), beside(11), beside(12)];
const BUY_QUOTE: [Expr; 3] = [beside(13), beside(14), beside(15)];
const BOTH: Expr = beside(16);
const SAME: Expr = beside(39);
const SAME_INVERSE: Expr = beside(17);
const LIVE: Expr = beside(18);
const INSIDE: Expr = beside(19);
const MARGINAL: Expr = beside(20);
const FRACTION: Expr = beside(21);
const ASKED: Expr = beside(22);
const BID: Expr = beside(23);
const DUE: Expr = beside(24);
const REMAINDER: Expr = beside(25);
const FITS: Expr = beside(26);
const FLOWS: [Expr; 2] = [beside(27), beside(28)];
/// `2^(e mod 8)`, `2^(e mod 32)`, `2^e`.
const POWERS: [Expr; 3] = [beside(29), beside(30), beside(31)];
const EXPONENT: usize = 32;
const EXPONENT_BITS: usize = 7;
/// Bits of the exponent that each power takes in.
const POWER_BITS: [std::ops::Range<usize>; 3] = [0..3, 3..5, 5..7];

fn exponent_bit(i: usize) -> Expr {
    beside(EXPONENT + i)
}

/// `L_m`: 0 in a block that is not used.
fn mantissa() -> Expr {
    ACTIVE * Expr::pow2(63) + limb(LIMIT) + limb(LIMIT + 1) * Expr::pow2(40)
}

/// `1 - fee` and `1 - margin`, in parts of [`ONE`].
fn parts(terms: Terms) -> [u64; 2] {
    [terms.fee(), terms.margin()].map(|part| u64::from(ONE) - u64::from(part))
}

fn one() -> Fr {
    small(u64::from(ONE))
}

/// Constraints of an order.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Order);
    limb_rows(&mut block, &LIMBS);
    block.constrain("active_flag", ACTIVE.boolean());
    for (name, value, top, bits) in [
        ("amount_top", AMOUNT + 2, AMOUNT_TOP, 8),
        ("limit_top", LIMIT + 1, LIMIT_TOP, 17),
        ("rest_top", REST, REST_TOP, 8),
    ] {
        block.constrain(name, limb(top) - limb(value) * Expr::pow2(bits));
    }
    limit(&mut block);
    class(&mut block);
    fill(&mut block);
    block.bus_packed(BUS_ROW, terms());
    block
}

/// The power of two of the limit.
fn limit(block: &mut RowBlock) {
    for i in 0..EXPONENT_BITS {
        block.constrain(format!("exponent_bit{i}"), exponent_bit(i).boolean());
    }
    let mut power = Expr::one();
    for (n, range) in POWER_BITS.into_iter().enumerate() {
        let factor = |i: usize| Expr::one() + exponent_bit(i) * (pow2(1 << i) - Fr::one());
        let next = range.map(factor).fold(power, |power, factor| power * factor);
        block.constrain(format!("power{n}"), POWERS[n] - next);
        power = POWERS[n];
    }
}

/// Whether the order trades at all, and where its limit lies.
fn class(block: &mut RowBlock) {
    let [sell_market, sell_price, sell_open] = SELL_QUOTE;
    let [buy_market, buy_price, buy_open] = BUY_QUOTE;
    let apart = limb(MARKETS);
    block.constrain("both_priced", BOTH - sell_open * buy_open);
    block.constrain("markets_ascend", apart - BOTH * (buy_market - sell_market));
    block.constrain("same_market", SAME - Expr::one() + apart * SAME_INVERSE);
    block.constrain("same_market_is_zero_apart", apart * SAME);
    block.constrain("same_market_inverse", SAME * SAME_INVERSE);
    block.constrain("live", LIVE - BOTH * SAME);
    block.constrain("asked", ASKED - mantissa() * buy_price * one());
    block.constrain("bid", BID - sell_price * POWERS[2]);
    block.constrain("inside_flag", INSIDE.boolean());
    block.constrain("marginal_flag", MARGINAL.boolean());
    block.constrain("one_class", INSIDE * MARGINAL);
    block.constrain("only_live_is_filled", (INSIDE + MARGINAL) * !LIVE);
    let outside = LIVE - INSIDE - MARGINAL;
    let [net, clear] = parts(Terms::default());
    let to_net = BID * Expr::from(net) - ASKED;
    let to_clear = BID * Expr::from(clear) - ASKED;
    let below = |distance: Expr| -distance - Expr::one();
    let bound = INSIDE * to_clear + MARGINAL * below(to_clear) + outside * below(to_net);
    block.constrain("class_bound", CLASS.value() - bound);
    block.constrain("margin_bound", MARGIN.value() - MARGINAL * to_net);
    block.constrain("fraction_of_the_margin", !MARGINAL * FRACTION);
}

/// What is due, paid for it, and whether the limit is kept.
fn fill(block: &mut RowBlock) {
    let [_, sell_price, _] = SELL_QUOTE;
    let [_, buy_price, _] = BUY_QUOTE;
    let part = INSIDE * Expr::pow2(32) + FRACTION;
    block.constrain("due", of_limbs(AMOUNT) * part - DUE * Expr::pow2(32) - limb(REST));
    let [net, _] = parts(Terms::default());
    let payment = of_limbs(PAYMENT);
    let worth = DUE * sell_price * Expr::from(net);
    block.constrain("payment", worth - payment * buy_price * one() - REMAINDER);
    block.constrain("only_live_is_paid", !LIVE * payment);
    block.constrain("fits_flag", FITS.boolean());
    let above = payment * POWERS[2] - DUE * mantissa();
    let kept = FITS * (above + above + Expr::one()) - above - Expr::one();
    block.constrain("limit_is_kept", KEPT.value() - kept);
    block.constrain("sold", SOLD - FITS * DUE);
    block.constrain("paid", PAID - FITS * payment);
}

fn terms() -> Vec<Term> {
    let word = mantissa() * Expr::pow2(EXPONENT_BITS as u32)
        + (0..EXPONENT_BITS).map(|i| exponent_bit(i) * Expr::pow2(i as u32)).sum::<Expr>();
    let amount = of_limbs(AMOUNT);
    let posted = Posted {
        sell: SELL,
        buy: BUY,
        amount,
        sold: SOLD,
        paid: PAID,
        word,
        position: POSITION,
        mode: MODE,
    };
    let price = |token, [market, price, open]: [Expr; 3]| price_tuple(token, market, price, open);
    let [sell_flow, buy_flow] = FLOWS;
    let unit = BUY_QUOTE[1] * one();
    vec![
        Term::consume("order", ACTIVE, posted_tuple(Expr::from(ORDER), posted)),
        Term::consume("sell_price", ACTIVE, price(SELL, SELL_QUOTE)),
        Term::consume("buy_price", ACTIVE, price(BUY, BUY_QUOTE)),
        Term::consume("shared_fraction", MARGINAL, fraction_tuple(SELL, BUY, FRACTION)),
        Term::consume("sold_before", ACTIVE, flow_tuple(SELL, sell_flow)),
        Term::produce("sold_after", ACTIVE, flow_tuple(SELL, sell_flow + SOLD)),
        Term::consume("paid_before", ACTIVE, flow_tuple(BUY, buy_flow)),
        Term::produce("paid_after", ACTIVE, flow_tuple(BUY, buy_flow - PAID)),
        Term::produce(
            "limit_record",
            ACTIVE * MODE,
            blob::word_tuple(POSITION + Expr::one(), word),
        ),
        Term::consume("due_range", ACTIVE, range128(DUE)),
        Term::consume("remainder_range", ACTIVE, range128(REMAINDER)),
        Term::consume("rounded_down", LIVE, range128(unit - Expr::one() - REMAINDER)),
        Term::consume("class_range", ACTIVE, range128(CLASS.low)),
        Term::consume("margin_range", ACTIVE, range128(MARGIN.low)),
        Term::consume("kept_range", ACTIVE, range128(KEPT.low)),
    ]
}

/// The sum of a token before the order: the cell that tests know as free where nothing is added.
#[cfg(test)]
pub(super) fn tests_flow(i: usize) -> Expr {
    FLOWS[i]
}

/// A token's price in its market; 0 where it is suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Priced {
    /// The market.
    pub market: u16,
    /// The price.
    pub price: u128,
}

/// An order that was cleared, with what the executor found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// What its operation says.
    pub posted: Posted<Fr>,
    /// Mantissa and exponent of the limit.
    pub limit: (u64, u8),
    /// Prices of the sold token and of the bought one.
    pub prices: [Priced; 2],
    /// Whether it is better than the price by the margin.
    pub inside: bool,
    /// Whether it is at the margin.
    pub marginal: bool,
    /// The part by which its pair is filled at the margin, if it is there.
    pub fraction: u64,
    /// `x` of the rule: what is sold if the limit is kept.
    pub due: u128,
    /// `y` of the rule: what is paid if the limit is kept.
    pub payment: u128,
    /// Whether it is.
    pub fits: bool,
    /// What was sold of both tokens before, less what was paid of them.
    pub flows: [Fr; 2],
}

impl PartialEq for Posted<Fr> {
    fn eq(&self, other: &Self) -> bool {
        self.into_array() == other.into_array()
    }
}

impl Eq for Posted<Fr> {}

impl OrderRow {
    /// What an unused block holds: no order, nothing filled.
    fn unused() -> Self {
        Self {
            posted: Posted {
                sell: Fr::zero(),
                buy: Fr::zero(),
                amount: Fr::zero(),
                sold: Fr::zero(),
                paid: Fr::zero(),
                word: Fr::zero(),
                position: Fr::zero(),
                mode: Fr::zero(),
            },
            limit: (0, 0),
            prices: [Priced::default(); 2],
            inside: false,
            marginal: false,
            fraction: 0,
            due: 0,
            payment: 0,
            fits: true,
            flows: [Fr::zero(); 2],
        }
    }
}

/// Assigns an order (or an unused block).
pub fn assign(writer: &mut BlockWriter<'_>, order: Option<&OrderRow>, pools: &mut LookupCounts) {
    let unused = OrderRow::unused();
    let (row, active) = (order.unwrap_or(&unused), order.is_some());
    let flag = |on: bool| small(u64::from(on));
    let [sell, buy] = row.prices;
    let (mantissa, exponent) = row.limit;
    let shown = [
        (ACTIVE, flag(active)),
        (SELL, row.posted.sell),
        (BUY, row.posted.buy),
        (SOLD, row.posted.sold),
        (PAID, row.posted.paid),
        (POSITION, row.posted.position),
        (MODE, row.posted.mode),
        (INSIDE, flag(row.inside)),
        (MARGINAL, flag(row.marginal)),
        (FRACTION, small(row.fraction)),
        (DUE, wide(row.due)),
        (FITS, flag(row.fits)),
        (FLOWS[0], row.flows[0]),
        (FLOWS[1], row.flows[1]),
    ];
    shown.iter().for_each(|(cell, value)| writer.set(cell, *value));
    for (cells, quote) in [(SELL_QUOTE, sell), (BUY_QUOTE, buy)] {
        let values = [small(quote.market.into()), wide(quote.price), flag(quote.price != 0)];
        cells.iter().zip(values).for_each(|(cell, value)| writer.set(cell, value));
    }
    let both = flag(sell.price != 0 && buy.price != 0);
    let apart = both * (small(buy.market.into()) - small(sell.market.into()));
    let same = apart == Fr::zero();
    let live = both * flag(same);
    writer.set(&BOTH, both);
    writer.set(&SAME, flag(same));
    writer.set(&SAME_INVERSE, inverse_or_zero(apart));
    writer.set(&LIVE, live);

    set_limbs(writer, AMOUNT, row.posted.amount, pools);
    let top = super::bits(&row.posted.amount, 80, 128);
    set_limb(writer, AMOUNT_TOP, wide(top) * pow2(8), pools);
    let below = mantissa & (u64::MAX >> 1);
    set_limb(writer, LIMIT, small(below & ((1 << 40) - 1)), pools);
    set_limb(writer, LIMIT + 1, small(below >> 40), pools);
    set_limb(writer, LIMIT_TOP, small(below >> 40) * pow2(17), pools);
    let mut power = Fr::one();
    for (n, range) in POWER_BITS.into_iter().enumerate() {
        for i in range {
            let bit = exponent >> i & 1 == 1;
            writer.set(&exponent_bit(i), flag(bit));
            power *= if bit { pow2(1 << i) } else { Fr::one() };
        }
        writer.set(&POWERS[n], power);
    }
    set_limb(writer, MARKETS, apart, pools);
    (LIMBS.len()..super::ROW_LIMBS * BUS_ROW).for_each(|i| set_limb(writer, i, Fr::zero(), pools));

    let [net, clear] = parts(Terms::default());
    let asked = small(mantissa) * wide(buy.price) * one();
    let bid = wide(sell.price) * power;
    writer.set(&ASKED, asked);
    writer.set(&BID, bid);
    let (to_net, to_clear) = (bid * small(net) - asked, bid * small(clear) - asked);
    let below = |distance: Fr| -distance - Fr::one();
    let (inside, marginal) = (flag(row.inside), flag(row.marginal));
    let outside = live - inside - marginal;
    let bound = inside * to_clear + marginal * below(to_clear) + outside * below(to_net);
    CLASS.assign(writer, bound, pools);
    MARGIN.assign(writer, marginal * to_net, pools);

    let part = inside * pow2(32) + small(row.fraction);
    let rest = row.posted.amount * part - wide(row.due) * pow2(32);
    set_limb(writer, REST, rest, pools);
    set_limb(writer, REST_TOP, rest * pow2(8), pools);
    let (due, payment, unit) = (wide(row.due), wide(row.payment), wide(buy.price) * one());
    set_limbs(writer, PAYMENT, payment, pools);
    let remainder = due * wide(sell.price) * small(net) - payment * unit;
    writer.set(&REMAINDER, remainder);
    let above = payment * power - due * small(mantissa);
    KEPT.assign(writer, if row.fits { above } else { below(above) }, pools);
    if active {
        [due, remainder].iter().for_each(|value| pools.range128(*value));
        for low in [bound, marginal * to_net, if row.fits { above } else { below(above) }] {
            pools.range128(wide(super::bits(&low, 0, 128)));
        }
    }
    if live == Fr::one() {
        pools.range128(unit - Fr::one() - remainder);
    }
}
