//! What can be wrong with an auction or its result, with values and what to do about it.

use crate::RuleError;
use bastion_protocol::{ProtocolError, Token};
use thiserror::Error;

/// An error of this crate. Those from [`AuctionError::Count`] on name the rule that a clearing breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuctionError {
    /// Fee and margin contradict each other.
    #[error("fee {fee} and margin {margin}: set 0 < fee < margin <= 8192, in parts of 65536")]
    Terms {
        /// The fee.
        fee: u16,
        /// The margin.
        margin: u16,
    },
    /// A limit price is not in its form or out of its range.
    #[error(transparent)]
    Limit(#[from] ProtocolError),
    /// Too many orders.
    #[error("{count} orders in one auction: leave at least {} for the next one", count - most)]
    Orders {
        /// How many.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// Too many tokens.
    #[error("{count} tokens in one auction, and {most} are allowed: leave orders of the others for another auction")]
    Tokens {
        /// How many.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// An order sells and buys one token.
    #[error("order {place} sells and buys token {token}: name two tokens")]
    SameToken {
        /// Place of the order.
        place: usize,
        /// The token.
        token: Token,
    },
    /// An amount is out of range.
    #[error("order {place} sells {amount}: sell at least 1 and less than 2^{bits} units")]
    Amount {
        /// Place of the order.
        place: usize,
        /// The amount.
        amount: u128,
        /// Bits that it may have.
        bits: u32,
    },
    /// All orders together sell too much of a token.
    #[error("{supply} of token {token} are for sale, and must be below 2^{bits}: leave orders for the next auction")]
    Supply {
        /// The token.
        token: Token,
        /// What is for sale up to the order that is too much.
        supply: u128,
        /// Bits that it may have.
        bits: u32,
    },
    /// There is not one fill for each order.
    #[error("{fills} fills for {orders} orders: give one for each order, in their order")]
    Count {
        /// How many fills.
        fills: usize,
        /// How many orders.
        orders: usize,
    },
    /// A price is out of range.
    #[error("price {price} of token {token}: it must be at least 1 and below 2^96")]
    Price {
        /// The token.
        token: Token,
        /// Its price.
        price: u128,
    },
    /// The prices of a market are not scaled.
    #[error("the largest price of market {market} is {largest}: scale all its prices until it is at least 2^95")]
    Scale {
        /// The market.
        market: u16,
        /// Its largest price.
        largest: u128,
    },
    /// A token has a price, and no order names it.
    #[error("token {token} has a price and no orders: leave it out")]
    Stray {
        /// The token.
        token: Token,
    },
    /// A fraction is above 1.
    #[error("fraction {fraction} of the pair {sell} to {buy}: it is at most 2^32")]
    Fraction {
        /// The token that the pair sells.
        sell: Token,
        /// The token that the pair buys.
        buy: Token,
        /// The fraction.
        fraction: u64,
    },
    /// A token of an order has no quote.
    #[error(
        "orders name token {token}, and it has no quote: give it one, with price 0 to suspend it"
    )]
    NoQuote {
        /// The token.
        token: Token,
    },
    /// The rule has no result for an order at these quotes.
    #[error("order {place}: {why}")]
    Rule {
        /// Place of the order.
        place: usize,
        /// Why.
        why: RuleError,
    },
    /// An order has a fill without a price that it could be filled at.
    #[error("order {place} sold {sold} for {bought}, and its tokens have no price in one market: fill nothing")]
    NoPrice {
        /// Place of the order.
        place: usize,
        /// Sold.
        sold: u128,
        /// Paid.
        bought: u128,
    },
    /// An order that is worse than the price has a fill.
    #[error("order {place} sold {sold} for {bought}, and is worse than the price: fill nothing")]
    Outside {
        /// Place of the order.
        place: usize,
        /// Sold.
        sold: u128,
        /// Paid.
        bought: u128,
    },
    /// An order that is better than the price by the margin is not filled whole.
    #[error(
        "order {place} sold {sold}, and is better than the price by the margin: fill all {due}"
    )]
    NotWhole {
        /// Place of the order.
        place: usize,
        /// Sold.
        sold: u128,
        /// What it sells by the rule.
        due: u128,
    },
    /// An order at the margin is filled by another fraction than its pair.
    #[error("order {place} sold {sold}, and the fraction of its pair gives {due}: fill that")]
    Unequal {
        /// Place of the order.
        place: usize,
        /// Sold.
        sold: u128,
        /// What it sells by the rule.
        due: u128,
    },
    /// A payment would be below the limit after fee and rounding.
    #[error(
        "order {place} sold {sold} for {bought}, and its limit asks for {least}: fill nothing"
    )]
    BelowLimit {
        /// Place of the order.
        place: usize,
        /// Sold.
        sold: u128,
        /// Paid.
        bought: u128,
        /// The least payment that keeps the limit, in decimal.
        least: String,
    },
    /// More is paid than the price less the fee, rounded down.
    #[error("order {place} sold {sold} for {bought}: that is above the price less the fee, rounded down; pay less")]
    Overpaid {
        /// Place of the order.
        place: usize,
        /// Sold.
        sold: u128,
        /// Paid.
        bought: u128,
    },
    /// Less is paid than the price less the fee, rounded down.
    #[error("order {place} sold {sold} for {bought}: that is below the price less the fee, rounded down; pay more")]
    Underpaid {
        /// Place of the order.
        place: usize,
        /// Sold.
        sold: u128,
        /// Paid.
        bought: u128,
    },
    /// More of a token goes out than came in.
    #[error(
        "{paid} of token {token} are paid, and {sold} came in: find other prices or fractions"
    )]
    Short {
        /// The token.
        token: Token,
        /// What orders sold of it.
        sold: u128,
        /// What orders were paid of it.
        paid: u128,
    },
    /// The surplus is not what is left.
    #[error(
        "{claimed} of token {token} are named as surplus, and {left} are left: name what is left"
    )]
    Surplus {
        /// The token.
        token: Token,
        /// What the clearing says; 0 if it does not name the token.
        claimed: u128,
        /// What came in and did not go out.
        left: u128,
    },
    /// A surplus is named for a token without a price.
    #[error("a surplus is named for token {token}, which has no price: leave it out")]
    StraySurplus {
        /// The token.
        token: Token,
    },
    /// A swap of a trace does not fit the market that it is replayed on.
    #[error("swap {place} of the trace: {why}")]
    Swap {
        /// Place of the swap.
        place: usize,
        /// What is wrong with it, and what to do.
        why: &'static str,
    },
    /// A sum of a simulated market does not fit its type.
    #[error("{what} overflows: use smaller amounts")]
    Overflow {
        /// Which.
        what: &'static str,
    },
}
