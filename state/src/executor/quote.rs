//! Quotes: what an auction leaves goes to the fee accounts.

use bastion_protocol::{Kind, Quote};

use super::auction::Book;
use super::signed::fee_access;
use super::{BatchContext, OpTrace, QuoteTrace, Rejection};
use crate::state::State;

pub(super) fn quote(
    state: &State,
    context: &BatchContext,
    book: &Book,
    quote: &Quote,
    mut trace: OpTrace,
) -> Result<OpTrace, Rejection> {
    quote.content()?;
    let surplus = book.surplus(quote)?;
    trace.kind = Kind::Quote;
    trace.accesses[2] = Some(fee_access(state, context, &trace, quote.a, surplus)?);
    trace.quote = Some(QuoteTrace { quote: *quote, previous: None, surplus, uses: 0 });
    Ok(trace)
}
