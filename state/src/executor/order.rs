//! Orders: what the quotes of the batch give them.

use bastion_auction::{rule, Fill, Order, Ruling, Terms, TokenQuote};
use bastion_protocol::account::is_limiter;
use bastion_protocol::{Account, Index, Limit, Token};

use super::auction::Book;
use super::{Flow, OrderTrace, Rejection};
use crate::state::State;

/// The account that is paid: another one of the same owner, in the token that the order names.
pub(super) fn bought(
    state: &State,
    seller: &Account,
    index: Index,
    (to, buy): (Index, Token),
) -> Result<Account, Rejection> {
    let account = *state.account(to).ok_or(Rejection::NoSuchAccount(to))?;
    if is_limiter(to) {
        return Err(Rejection::IsLimiter(to));
    }
    if account.owner != seller.owner {
        return Err(Rejection::OtherOwner { account: index, to });
    }
    if account.token == seller.token {
        return Err(Rejection::SameToken(to));
    }
    if account.token != buy {
        return Err(Rejection::WrongToken { account: to, expected: account.token, got: buy });
    }
    Ok(account)
}

/// How an order of an amount is filled that sells and buys tokens.
pub(super) fn order(
    book: &Book,
    (sell, buy): (Token, Token),
    amount: u128,
    limit: Limit,
) -> Result<OrderTrace, Rejection> {
    let (quotes, ruling, fill) = match book.quotes() {
        Some(known) if known.is_empty() => return Err(Rejection::NoAuction),
        Some(known) => {
            let price = |token| known.price(token).ok_or(Rejection::NoPrice(token));
            let quotes = [price(sell)?, price(buy)?];
            let order = Order { sell, buy, amount, limit };
            let fraction = known.fraction(sell, buy);
            let ruling = rule(&order, quotes[0], quotes[1], fraction, Terms::default());
            let ruling = ruling.map_err(Rejection::Quotes)?;
            (quotes, ruling, ruling.fill())
        }
        None => ([UNKNOWN; 2], UNRULED, Fill { sold: amount, bought: 0 }),
    };
    let Fill { sold, bought: paid } = fill;
    let before = [book.flow(sell), book.flow(buy)];
    let add = |sum: u128, x, token| sum.checked_add(x).ok_or(Rejection::FlowOverflow(token));
    let after = [
        Flow { sold: add(before[0].sold, sold, sell)?, ..before[0] },
        Flow { paid: add(before[1].paid, paid, buy)?, ..before[1] },
    ];
    Ok(OrderTrace { sell, buy, amount, limit, quotes, ruling, sold, paid, before, after })
}

/// What stands in the trace of an order in a batch that only finds out what fits. Such a batch is taken
/// back.
const UNKNOWN: TokenQuote = TokenQuote { market: 0, price: 0 };
const UNRULED: Ruling =
    Ruling { class: None, part: 0, due: 0, due_rest: 0, payment: 0, payment_rest: 0, fits: false };
