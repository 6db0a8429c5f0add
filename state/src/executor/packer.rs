//! Packs a batch with orders: it takes operations while they fit, then finds prices for the orders among
//! them, and adds the quotes.

use bastion_auction::{post, solve, Auction, Order, Posted, Terms};
use bastion_protocol::ops::Op;
use bastion_protocol::Quote;

use super::{
    check_signatures, BatchContext, BatchTrace, Checked, Footprint, OpTrace, OpenBatch, OrderTrace,
    Quotes, Rejection,
};
use crate::state::State;

/// A batch that is filled before its prices are known.
///
/// What it takes will execute at any prices: it holds an order's whole amount back, and pays it nothing. At
/// its end the orders are cleared, the quotes are appended, and the batch is executed with them.
pub struct Packer<'s> {
    state: &'s mut State,
    batch: OpenBatch,
    auction: Auction,
    /// What it took, quotes aside, with evidence about signatures.
    taken: Vec<(Op, Option<Checked>)>,
}

impl<'s> Packer<'s> {
    /// An empty batch.
    ///
    /// # Errors
    /// Those of [`OpenBatch::new`].
    pub fn new(state: &'s mut State, context: BatchContext) -> Result<Self, Rejection> {
        let batch = OpenBatch::reserving(state, context)?;
        let auction = Auction::empty(Terms::default());
        Ok(Self { state, batch, auction, taken: Vec::new() })
    }

    /// The state with the batch so far, orders having sold all and bought nothing.
    #[must_use]
    pub fn state(&self) -> &State {
        self.state
    }

    /// The operations so far, quotes aside.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.taken.iter().map(|(op, _)| op)
    }

    /// Takes an operation, and makes room for the quotes that it may need. `fits` is asked for each of them
    /// and for the operation; where it says yes, that is in. `Ok(false)`: the operation belongs into the next
    /// batch.
    ///
    /// # Errors
    /// A [`Rejection`]; nothing changed. Quotes are made here and none are taken:
    /// [`Rejection::NotQuoted`].
    pub fn push(
        &mut self,
        op: &Op,
        mut fits: impl FnMut(&Footprint) -> bool,
    ) -> Result<bool, Rejection> {
        if let &Op::Quote(Quote { a, b, .. }) = op {
            return Err(Rejection::NotQuoted { a, b });
        }
        let domain = self.batch.context().domain;
        let checked = check_signatures(self.state, domain, &[*op]).pop().flatten();
        let taken = self.take(op, checked.as_ref(), &mut fits)?;
        if taken {
            self.taken.push((*op, checked));
        }
        Ok(taken)
    }

    fn take(
        &mut self,
        op: &Op,
        checked: Option<&Checked>,
        fits: &mut impl FnMut(&Footprint) -> bool,
    ) -> Result<bool, Rejection> {
        let trace = self.batch.execute(self.state, op, checked)?;
        let Some(order) = order_of(&trace) else {
            return Ok(self.batch.include(self.state, trace, fits));
        };
        if self.auction.check(order).is_err() {
            return Ok(false);
        }
        let Order { sell, buy, .. } = order;
        for (a, b) in [(sell, sell), (buy, buy), (sell, buy)] {
            let quote = Quote { a, b, value: 0 };
            let known = self.batch.book.posts(&quote);
            if !known && !self.batch.push(self.state, &Op::Quote(quote), None, &mut *fits)? {
                return Ok(false);
            }
        }
        // The quotes may have made the fee account that the order pays to.
        let trace = self.batch.execute(self.state, op, checked)?;
        let taken = self.batch.include(self.state, trace, fits);
        if taken && self.auction.push(order).is_err() {
            return Err(Rejection::NotCleared);
        }
        Ok(taken)
    }

    /// Clears the orders, and executes the batch with their quotes behind all other operations. If no prices
    /// are found, nothing is traded.
    ///
    /// # Errors
    /// A [`Rejection`] by an operation which paying more than nothing makes invalid: it overflows a balance.
    /// The accounts of the state are as before the batch.
    pub fn finish(self) -> Result<(BatchTrace, &'s mut State), Rejection> {
        let Self { state, batch, auction, taken } = self;
        if batch.ops.iter().all(|trace| trace.order.is_none() && trace.quote.is_none()) {
            let trace = batch.close(state)?.seal(state.tree_mut());
            return Ok((trace, state));
        }
        let context = batch.context().clone();
        batch.abandon(state);
        let mut run = |posted: &Posted| {
            let quotes = Quotes::of(posted)?;
            let appended: Vec<Op> = quotes.ops().collect();
            let mut batch = OpenBatch::with_quotes(state, context.clone(), quotes)?;
            let others = taken.iter().map(|(op, checked)| (op, checked.as_ref()));
            let quoted = appended.iter().map(|op| (op, None));
            for (op, checked) in others.chain(quoted) {
                // It had its room before, behind more quotes than now.
                let why = match batch.push(state, op, checked, |_| true) {
                    Ok(true) => continue,
                    Ok(false) => Rejection::NotCleared,
                    Err(rejection) => rejection,
                };
                batch.abandon(state);
                return Err(why);
            }
            batch.close_or_abandon(state)
        };
        let closed = match run(&post(&auction, &solve(&auction))) {
            Ok(closed) => closed,
            Err(_) => run(&Posted::none(&auction))?,
        };
        let trace = closed.seal(state.tree_mut());
        Ok((trace, state))
    }
}

/// The order that an operation is, as the auction sees it.
fn order_of(trace: &OpTrace) -> Option<Order> {
    let OrderTrace { sell, buy, amount, limit, .. } = trace.order?;
    Some(Order { sell, buy, amount, limit })
}
