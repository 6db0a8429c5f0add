//! Packs a batch with orders: it takes operations while they fit, then finds prices for the orders among
//! them, and adds the quotes.

use bastion_auction::{post, solve, Auction, Order, Posted, Terms};
use bastion_protocol::ops::{Action, Op};
use bastion_protocol::Quote;

use super::{
    check_signatures, BatchContext, BatchTrace, Checked, ClosedBatch, Footprint, OpTrace,
    OpenBatch, OrderTrace, Quotes, Rejection,
};
use crate::state::State;
use std::collections::BTreeMap;

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

/// What became of an operation that a batch was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It is in.
    Taken,
    /// An order that the auction of this batch cannot take together with those in it: there are too many
    /// tokens, or too much of one is for sale, or there is no room for it and its quotes. It belongs into a later
    /// batch. Other operations may still fit into this one.
    Waits,
    /// It belongs into the next batch, and no other operation may overtake it.
    Full,
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
    /// and for the operation; where it says yes, that is in.
    ///
    /// # Errors
    /// A [`Rejection`]; nothing changed. Quotes are made here and none are taken:
    /// [`Rejection::NotQuoted`].
    pub fn push(
        &mut self,
        op: &Op,
        mut fits: impl FnMut(&Footprint) -> bool,
    ) -> Result<Pushed, Rejection> {
        if let &Op::Quote(Quote { a, b, .. }) = op {
            return Err(Rejection::NotQuoted { a, b });
        }
        let domain = self.batch.context().domain;
        let checked = check_signatures(self.state, domain, &[*op]).pop().flatten();
        let pushed = self.take(op, checked.as_ref(), &mut fits)?;
        if pushed == Pushed::Taken {
            self.taken.push((*op, checked));
        }
        Ok(pushed)
    }

    fn take(
        &mut self,
        op: &Op,
        checked: Option<&Checked>,
        fits: &mut impl FnMut(&Footprint) -> bool,
    ) -> Result<Pushed, Rejection> {
        let trace = self.batch.execute(self.state, op, checked)?;
        let Some(order) = order_of(&trace) else {
            let taken = self.batch.include(self.state, trace, fits);
            return Ok(if taken { Pushed::Taken } else { Pushed::Full });
        };
        if self.auction.check(order).is_err() {
            return Ok(Pushed::Waits);
        }
        let Order { sell, buy, .. } = order;
        for (a, b) in [(sell, sell), (buy, buy), (sell, buy)] {
            let quote = Quote { a, b, value: 0 };
            let known = self.batch.book.posts(&quote);
            if !known && !self.batch.push(self.state, &Op::Quote(quote), None, &mut *fits)? {
                return Ok(Pushed::Waits);
            }
        }
        // Quotes that only hold room change no account, so the trace is still right.
        if !self.batch.include(self.state, trace, fits) {
            return Ok(Pushed::Waits);
        }
        let added = self.auction.push(order);
        added.map(|()| Pushed::Taken).map_err(|_| Rejection::NotCleared)
    }

    /// Clears the orders, and executes the batch with their quotes behind all other operations. If no prices
    /// are found, nothing is traded.
    ///
    /// # Errors
    /// [`Unfinished`] if operations cannot be executed with what orders are paid: a balance overflows.
    pub fn finish(self) -> Result<(BatchTrace, &'s mut State), Box<Unfinished<'s>>> {
        let Self { state, batch, auction, taken } = self;
        let none = batch.ops.iter().all(|trace| trace.order.is_none() && trace.quote.is_none());
        let closed = if none {
            let why = |why| Faults { at: Vec::new(), why };
            batch.close_or_abandon(state).map_err(why)
        } else {
            let context = batch.context().clone();
            batch.abandon(state);
            let mut run = |posted: &Posted| run(state, &context, &taken, &auction, posted);
            match run(&post(&auction, &solve(&auction))) {
                // Nobody is to blame: the prices are.
                Err(faults) if faults.at.is_empty() => run(&Posted::none(&auction)),
                other => other,
            }
        };
        match closed {
            Ok(closed) => {
                let trace = closed.seal(state.tree_mut());
                Ok((trace, state))
            }
            Err(Faults { at, why }) => {
                let ops = taken.into_iter().map(|(op, _)| op).collect();
                Err(Box::new(Unfinished { state, ops, faults: at, why }))
            }
        }
    }
}

/// A batch that is not possible with all that was taken. The accounts of the state are as before it.
pub struct Unfinished<'s> {
    /// The state.
    pub state: &'s mut State,
    /// What was taken, in order.
    pub ops: Vec<Op>,
    /// Places of the operations to leave out, each with the reason, in ascending order. None if none is to
    /// blame.
    pub faults: Vec<(usize, Rejection)>,
    /// Why there is no batch.
    pub why: Rejection,
}

impl std::fmt::Debug for Unfinished<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { state: _, ops, faults, why } = self;
        let mut shown = f.debug_struct("Unfinished");
        shown.field("ops", &ops.len()).field("faults", faults).field("why", why).finish()
    }
}

/// What does not execute, and the first reason.
struct Faults {
    at: Vec<(usize, Rejection)>,
    why: Rejection,
}

/// Executes what was taken with quotes behind it. The accounts are as before if that is not possible.
fn run(
    state: &mut State,
    context: &BatchContext,
    taken: &[(Op, Option<Checked>)],
    auction: &Auction,
    posted: &Posted,
) -> Result<ClosedBatch, Faults> {
    let blameless = |why| Faults { at: Vec::new(), why };
    let quotes = Quotes::of(posted).map_err(|e| blameless(e.into()))?;
    let appended: Vec<Op> = quotes.ops().collect();
    let batch = OpenBatch::with_quotes(state, context.clone(), quotes);
    let mut batch = batch.map_err(blameless)?;
    let mut at = BTreeMap::new();
    let mut first = None;
    let others = taken.iter().map(|(op, checked)| (op, checked.as_ref()));
    let quoted = appended.iter().map(|op| (op, None));
    // It goes on behind a fault, to find all of them at once.
    for (place, (op, checked)) in others.chain(quoted).enumerate() {
        // It had its room before, behind more quotes than now.
        let why = match batch.push(state, op, checked, |_| true) {
            Ok(true) => continue,
            Ok(false) => Rejection::NotCleared,
            Err(rejection) => rejection,
        };
        first.get_or_insert(why.clone());
        if place < taken.len() {
            at.insert(place, why);
        } else if let &Op::Quote(Quote { a, .. }) = op {
            // A fee account that holds no more: no order of the token can be filled.
            let orders = auction.orders().iter().zip(places(taken));
            let of_token = orders.filter(|(order, _)| order.sell == a || order.buy == a);
            at.extend(of_token.map(|(_, place)| (place, why.clone())));
        }
    }
    match first {
        None => batch.close_or_abandon(state).map_err(blameless),
        Some(why) => {
            batch.abandon(state);
            Err(Faults { at: at.into_iter().collect(), why })
        }
    }
}

/// Places of the orders among what was taken.
fn places(taken: &[(Op, Option<Checked>)]) -> impl Iterator<Item = usize> + '_ {
    let order =
        |op: &Op| matches!(op, Op::Signed(s) if matches!(s.body.action, Action::Order { .. }));
    taken.iter().enumerate().filter(move |(_, (op, _))| order(op)).map(|(place, _)| place)
}

/// The order that an operation is, as the auction sees it.
fn order_of(trace: &OpTrace) -> Option<Order> {
    let OrderTrace { sell, buy, amount, limit, .. } = trace.order?;
    Some(Order { sell, buy, amount, limit })
}
