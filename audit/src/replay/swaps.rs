//! What the quotes of a batch give its orders, written anew from the protocol in numbers without bounds.
//!
//! Quotes and orders may stand in any order, and a quote pays out what all orders of the batch leave. So
//! this is computed before the batch is applied. It needs no balance: fills depend on posted words and on
//! the tokens of accounts, which never change.

use std::collections::{BTreeMap, HashMap};

use bastion_protocol::data::BatchData;
use bastion_protocol::quote::Quoted;
use bastion_protocol::records::{L1Record, L2Posted, Section};
use bastion_protocol::{Account, Index, Kind, Token};
use num_bigint::BigUint;

use super::{Broken, Place, ReplayError};

/// Denominator of fee and margin, and these themselves.
const ONE: u32 = 1 << 16;
const FEE: u32 = 2;
const MARGIN: u32 = 64;
/// Denominator of fractions, as a power of 2.
const WHOLE_BITS: u32 = 32;
/// Bits of what an order may sell, and of what it may be paid.
const AMOUNT_BITS: u64 = 112;
const PAYMENT_BITS: u64 = 120;

/// What an order gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fill {
    pub sold: u128,
    pub paid: u128,
}

/// The result of a batch's orders and quotes.
#[derive(Debug, Default)]
pub(super) struct Swaps {
    /// By the place of the order's first record.
    fills: HashMap<usize, Fill>,
    /// By token with a price.
    surplus: BTreeMap<Token, u128>,
    /// The first token that is short. Whatever else is wrong with the batch says more.
    short: Option<Broken>,
}

/// An order, as far as its fill depends on it.
struct Order {
    place: usize,
    sell: Token,
    buy: Token,
    amount: BigUint,
    mantissa: u64,
    exponent: u8,
}

#[derive(Clone, Copy)]
struct Price {
    market: u16,
    price: u128,
}

/// The quotes of a batch.
#[derive(Default)]
struct Quotes {
    prices: BTreeMap<Token, Price>,
    fractions: BTreeMap<(Token, Token), u64>,
}

impl Swaps {
    pub(super) fn of(
        data: &BatchData,
        accounts: &BTreeMap<Index, Account>,
    ) -> Result<Self, ReplayError> {
        let (orders, quotes) = read(data, accounts)?;
        let mut sums: BTreeMap<Token, (BigUint, BigUint)> = BTreeMap::new();
        let mut fills = HashMap::with_capacity(orders.len());
        for order in &orders {
            let fill = fill(order, &quotes);
            let fill = fill.map_err(|broken| ReplayError { at: Place::L2(order.place), broken })?;
            sums.entry(order.sell).or_default().0 += fill.sold;
            sums.entry(order.buy).or_default().1 += fill.paid;
            fills.insert(order.place, fill);
        }
        let (mut surplus, mut short) = (BTreeMap::new(), None);
        for token in quotes.prices.into_keys() {
            let (sold, paid) = sums.remove(&token).unwrap_or_default();
            let broken = Broken::Short { token, sold: sold.to_string(), paid: paid.to_string() };
            let left = if sold < paid { None } else { u128::try_from(sold - paid).ok() };
            match left {
                Some(left) => drop(surplus.insert(token, left)),
                None => drop(short.get_or_insert(broken)),
            }
        }
        Ok(Self { fills, surplus, short })
    }

    /// Whether what orders are paid was sold.
    pub(super) fn check(self) -> Result<(), Broken> {
        self.short.map_or(Ok(()), Err)
    }

    /// What the order gets whose first record stands at a place; `None` if its accounts are not there or
    /// hold one token.
    pub(super) fn fill(&self, place: usize) -> Option<Fill> {
        self.fills.get(&place).copied()
    }

    /// What goes to the fee account of a token.
    pub(super) fn surplus(&self, token: Token) -> u128 {
        self.surplus.get(&token).copied().unwrap_or(0)
    }
}

/// The orders and quotes of a batch. Orders whose accounts are not there are left out: applying the batch
/// refuses them.
fn read(
    data: &BatchData,
    accounts: &BTreeMap<Index, Account>,
) -> Result<(Vec<Order>, Quotes), ReplayError> {
    let mut made: HashMap<Index, Token> = HashMap::new();
    for record in data.section(Section::L1) {
        if let Ok(L1Record::Deposit { token, index, .. }) = L1Record::read(record) {
            made.insert(index, token);
        }
    }
    let (mut orders, mut quotes) = (Vec::new(), Quotes::default());
    let section = data.section(Section::L2);
    let mut rest = section;
    loop {
        let place = section.len() - rest.len();
        let wrong = |broken: Broken| ReplayError { at: Place::L2(place), broken };
        let Some(posted) = L2Posted::take(&mut rest).map_err(|e| wrong(e.into()))? else {
            return Ok((orders, quotes));
        };
        // A fee account may be made in the batch too, by the first fee in its token or by its quote.
        let token_of = |index: Index| {
            let known = accounts.get(&index).map(|account| account.token);
            let known = known.or_else(|| made.get(&index).copied());
            known.or_else(|| Token::try_from(index).ok())
        };
        let token = token_of(posted.main.from);
        if posted.kind == Kind::Quote {
            quotes.add(&posted).map_err(wrong)?;
        } else if posted.kind == Kind::TransferNew {
            made.extend(token.map(|token| (posted.main.to, token)));
        } else if posted.kind == Kind::Order {
            let limit = posted.limit().map_err(|e| wrong(e.into()))?;
            let amount = posted.main.amount().map(BigUint::from);
            let amount = amount.filter(|amount| amount.bits() <= AMOUNT_BITS);
            let amount = amount.ok_or_else(|| wrong(Broken::OrderAmount))?;
            let (Some(sell), Some(buy)) = (token, token_of(posted.main.to)) else { continue };
            if sell != buy {
                let (mantissa, exponent) = (limit.mantissa(), limit.exponent());
                orders.push(Order { place, sell, buy, amount, mantissa, exponent });
            }
        }
    }
}

impl Quotes {
    fn add(&mut self, posted: &L2Posted) -> Result<(), Broken> {
        let (quote, content) = posted.quote()?;
        let (a, b) = (quote.a, quote.b);
        let again = match content {
            Quoted::Price { market, price } => {
                self.prices.insert(a, Price { market, price }).is_some()
            }
            Quoted::Fraction(fraction) => self.fractions.insert((a, b), fraction).is_some(),
        };
        match again {
            true => Err(Broken::QuotedTwice { a, b }),
            false => Ok(()),
        }
    }

    fn price(&self, token: Token) -> Result<Price, Broken> {
        self.prices.get(&token).copied().ok_or(Broken::NoPrice(token))
    }
}

fn fill(order: &Order, quotes: &Quotes) -> Result<Fill, Broken> {
    let (sell, buy) = (quotes.price(order.sell)?, quotes.price(order.buy)?);
    let nothing = Fill { sold: 0, paid: 0 };
    if sell.price == 0 || buy.price == 0 {
        return Ok(nothing);
    }
    if sell.market > buy.market {
        return Err(Broken::Descends { from: sell.market, to: buy.market });
    }
    if sell.market != buy.market {
        return Ok(nothing);
    }
    // What is asked for a unit against what it is worth, both times p_b ONE 2^e.
    let asked = BigUint::from(order.mantissa) * buy.price * ONE;
    let worth = |part: u32| (BigUint::from(sell.price) << order.exponent) * (ONE - part);
    let sold = if asked <= worth(MARGIN) {
        order.amount.clone()
    } else if asked <= worth(FEE) {
        let (a, b) = (order.sell, order.buy);
        let fraction = quotes.fractions.get(&(a, b)).ok_or(Broken::NoFraction { a, b })?;
        (&order.amount * *fraction) >> WHOLE_BITS
    } else {
        return Ok(nothing);
    };
    let paid = &sold * sell.price * (ONE - FEE) / (BigUint::from(buy.price) * ONE);
    if paid.bits() > PAYMENT_BITS {
        return Err(Broken::Payment);
    }
    if (&paid << order.exponent) < &sold * order.mantissa {
        return Ok(nothing);
    }
    // Both were measured: they have at most 112 and 120 bits.
    let small = |x: BigUint| u128::try_from(x).map_err(|_| Broken::Payment);
    Ok(Fill { sold: small(sold)?, paid: small(paid)? })
}
