//! The check of a clearing. It multiplies, compares and adds, and never divides: so a circuit can do the
//! same, and so it shares no formula with the solver, which divides.

use crate::clearing::{PRICE_BITS, WHOLE};
use crate::{Auction, AuctionError, Class, Clearing, Fill, Order, Quote, Terms, ONE};
use bastion_protocol::Token;
use ruint::aliases::U256;
use std::collections::{BTreeMap, BTreeSet};

/// Checks a clearing of an auction against every rule. Anybody can run it: it needs the orders, the terms
/// and what was published.
///
/// No trade passes: see the README for what that leaves to the operator.
///
/// # Errors
/// The first rule that is broken, with the order, token, pair or market.
pub fn verify(auction: &Auction, clearing: &Clearing) -> Result<(), AuctionError> {
    let orders = auction.orders();
    if clearing.fills.len() != orders.len() {
        return Err(AuctionError::Count { fills: clearing.fills.len(), orders: orders.len() });
    }
    check_quotes(orders, clearing)?;
    for (&(sell, buy), &fraction) in &clearing.fractions {
        if fraction > WHOLE {
            return Err(AuctionError::Fraction { sell, buy, fraction });
        }
    }
    let mut sums: BTreeMap<Token, (u128, u128)> = BTreeMap::new();
    for (place, (order, fill)) in orders.iter().zip(&clearing.fills).enumerate() {
        check_order(place, order, fill, clearing, auction.terms())?;
        add(&mut sums.entry(order.sell).or_default().0, fill.sold)?;
        add(&mut sums.entry(order.buy).or_default().1, fill.bought)?;
    }
    for &token in clearing.quotes.keys() {
        let (sold, paid) = sums.get(&token).copied().unwrap_or_default();
        let left = sold.checked_sub(paid).ok_or(AuctionError::Short { token, sold, paid })?;
        let claimed = clearing.surplus.get(&token).copied().unwrap_or_default();
        if claimed != left {
            return Err(AuctionError::Surplus { token, claimed, left });
        }
    }
    match clearing.surplus.keys().find(|token| !clearing.quotes.contains_key(token)) {
        Some(&token) => Err(AuctionError::StraySurplus { token }),
        None => Ok(()),
    }
}

/// Each price is in range, belongs to a token with orders, and each market is scaled.
fn check_quotes(orders: &[Order], clearing: &Clearing) -> Result<(), AuctionError> {
    let named: BTreeSet<Token> = orders.iter().flat_map(|o| [o.sell, o.buy]).collect();
    let mut largest: BTreeMap<u16, u128> = BTreeMap::new();
    for (&token, &Quote { market, price }) in &clearing.quotes {
        if price == 0 || price >> PRICE_BITS != 0 {
            return Err(AuctionError::Price { token, price });
        }
        if !named.contains(&token) {
            return Err(AuctionError::Stray { token });
        }
        let most = largest.entry(market).or_default();
        *most = price.max(*most);
    }
    match largest.into_iter().find(|(_, price)| price >> (PRICE_BITS - 1) == 0) {
        Some((market, largest)) => Err(AuctionError::Scale { market, largest }),
        None => Ok(()),
    }
}

/// The rule of one order.
fn check_order(
    place: usize,
    order: &Order,
    fill: &Fill,
    clearing: &Clearing,
    terms: Terms,
) -> Result<(), AuctionError> {
    let &Fill { sold, bought } = fill;
    let quotes = (clearing.quotes.get(&order.sell), clearing.quotes.get(&order.buy));
    let (Some(sell), Some(buy)) = quotes else {
        return none(fill, AuctionError::NoPrice { place, sold, bought });
    };
    if sell.market != buy.market {
        if sell.market > buy.market {
            let (from, to) = (sell.market, buy.market);
            return Err(AuctionError::Descends { place, from, to });
        }
        return none(fill, AuctionError::NoPrice { place, sold, bought });
    }

    let fraction = match Class::of(order.limit, sell.price, buy.price, terms) {
        Class::Outside => return none(fill, AuctionError::Outside { place, sold, bought }),
        Class::Inside => None,
        Class::Marginal => Some(clearing.fractions.get(&(order.sell, order.buy)).unwrap_or(&0)),
    };
    // WHOLE is a power of two: in a circuit, the low limbs are cut off.
    let due = match fraction {
        None => order.amount,
        Some(&fraction) => due(order.amount, fraction),
    };
    // What `due` units are worth after the fee, and what one unit of the bought token is worth, both in
    // parts of ONE: 112 + 96 + 16 bits, 96 + 17 bits.
    let worth = U256::from(due) * U256::from(sell.price) * U256::from(terms.net());
    let unit = U256::from(buy.price) * U256::from(ONE);
    let least = order.limit.least(due);
    // A product that does not fit 256 bits is above `worth`.
    let fits = least.checked_mul(unit).is_some_and(|least| least <= worth);
    if due == 0 || !fits {
        let least = least.to_string();
        return none(fill, AuctionError::BelowLimit { place, sold, bought, least });
    }
    if sold != due {
        return Err(match fraction {
            None => AuctionError::NotWhole { place, sold, due },
            Some(_) => AuctionError::Unequal { place, sold, due },
        });
    }
    // Rounded down: bought x unit <= worth < (bought + 1) x unit. 128 + 113 bits.
    let paid = U256::from(bought) * unit;
    if paid > worth {
        return Err(AuctionError::Overpaid { place, sold, bought });
    }
    if worth - paid >= unit {
        return Err(AuctionError::Underpaid { place, sold, bought });
    }
    Ok(())
}

/// `amount x fraction / WHOLE`, rounded down, for a fraction up to `WHOLE`: it is at most `amount`.
fn due(amount: u128, fraction: u64) -> u128 {
    let product: U256 =
        (U256::from(amount) * U256::from(fraction)) >> WHOLE.trailing_zeros() as usize;
    product.saturating_to()
}

fn none(fill: &Fill, error: AuctionError) -> Result<(), AuctionError> {
    match *fill == Fill::NONE {
        true => Ok(()),
        false => Err(error),
    }
}

fn add(sum: &mut u128, amount: u128) -> Result<(), AuctionError> {
    *sum = sum.checked_add(amount).ok_or(AuctionError::Overflow { what: "the sum of fills" })?;
    Ok(())
}
