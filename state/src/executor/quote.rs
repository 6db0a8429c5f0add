//! Quotes: what an auction leaves goes to the fee accounts.

use bastion_protocol::{Kind, Quote};

use super::auction::Book;
use super::signed::fee_access;
use super::{Access, BatchContext, OpTrace, QuoteTrace, Rejection};
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
    let access = fee_access(state, context, &trace, quote.a, surplus)?;
    // A batch that only finds out what fits counts the account and makes none: quotes come last in the end,
    // and an operation before them must not find an account there that only they make.
    let after = if book.quotes().is_some() { access.after } else { access.before };
    trace.accesses[2] = Some(Access { after, ..access });
    trace.quote = Some(QuoteTrace { quote: *quote, previous: None, surplus, uses: 0 });
    Ok(trace)
}
