//! The check of a clearing: the rule of each order, and the sums of each token. It shares no formula with
//! the solver.

use crate::posted::add;
use crate::{rule, Auction, AuctionError, Class, Clearing, Fill, Order, Terms, TokenQuote};
use crate::{PRICE_BITS, WHOLE};
use bastion_protocol::Token;
use std::cmp::Ordering;
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
    for (&token, &TokenQuote { market, price }) in &clearing.quotes {
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
    let (Some(&sell), Some(&buy)) = quotes else {
        return none(fill, AuctionError::NoPrice { place, sold, bought });
    };
    let fraction = clearing.fractions.get(&(order.sell, order.buy)).copied().unwrap_or(0);
    let ruling = rule(order, sell, buy, Some(fraction), terms);
    let ruling = ruling.map_err(|why| AuctionError::Rule { place, why })?;
    let due = ruling.due;
    let other_amount = match ruling.class {
        None => return none(fill, AuctionError::NoPrice { place, sold, bought }),
        Some(Class::Outside) => return none(fill, AuctionError::Outside { place, sold, bought }),
        Some(Class::Inside) => AuctionError::NotWhole { place, sold, due },
        Some(Class::Marginal) => AuctionError::Unequal { place, sold, due },
    };
    if ruling.fill() == Fill::NONE {
        let least = order.limit.least(due).to_string();
        return none(fill, AuctionError::BelowLimit { place, sold, bought, least });
    }
    if sold != due {
        return Err(other_amount);
    }
    match bought.cmp(&ruling.payment) {
        Ordering::Greater => Err(AuctionError::Overpaid { place, sold, bought }),
        Ordering::Less => Err(AuctionError::Underpaid { place, sold, bought }),
        Ordering::Equal => Ok(()),
    }
}

fn none(fill: &Fill, error: AuctionError) -> Result<(), AuctionError> {
    match *fill == Fill::NONE {
        true => Ok(()),
        false => Err(error),
    }
}
