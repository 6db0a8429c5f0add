//! A batch that takes orders before their prices are known.
//!
//! Whoever fills it may have promised what it took: it must be possible to close it, whatever comes after. That
//! is so because every operation is taken with both ends in mind. Let an account hold `x` after some operation of
//! the batch when no order is filled at all. Nothing but orders and quotes moves an amount that prices decide, and
//! what they move is added and subtracted: so at any prices that clear, the account then holds
//!
//! ```text
//! x - (part of what its orders hold back) + (part of what orders sold of its token)
//! ```
//!
//! - **At least** `x` less all that its orders hold back. That is the balance here: an order takes its whole amount
//!   off and pays nothing. So what an operation spends is there at any prices.
//! - **At most** `x` if no order and no quote pays the account. If one may, it gets no more than all orders of the
//!   auction sell of the token, which is below [`MOST_PAID`]. An operation is refused if an account that it touches
//!   could pass 128 bits by that ([`Rejection::BalanceOverflow`]).
//!
//! Everything else that an operation is refused for (owners, nonces, freezes, free places) does not depend on
//! balances, and no price changes it. A fee account that only a quote makes is not there before the quotes, which
//! come last. Operations of L1 come before all orders, so what a forced exit takes is known. Room for the quotes is
//! taken with the order, for more of them than can be posted.
//!
//! So the batch executes at all prices that clear. [`Posted::none`], at which nothing is filled, always clears:
//! whatever a solver does, there is a way to end the batch.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{catch_unwind, AssertUnwindSafe};

use bastion_auction::{post, rule, solve, Auction, Fill, Order, Posted, Terms, AMOUNT_BITS};
use bastion_protocol::account::{fee_index, is_limiter};
use bastion_protocol::ops::{Action, Op};
use bastion_protocol::{Index, Quote};

use super::{
    check_signatures, Access, BatchContext, Checked, ClosedBatch, Footprint, OpTrace, OpenBatch,
    OrderTrace, Quotes, Rejection,
};
use crate::state::State;

/// All orders of an auction together sell less than this of one token, so no account is paid more of it.
pub const MOST_PAID: u128 = 1 << AMOUNT_BITS;

/// A batch that is filled before its prices are known. Every call takes the same state.
///
/// What it takes will execute at any prices. At its end the orders are cleared, the quotes are appended, and the
/// batch is executed with them.
#[derive(Debug)]
pub struct UnpricedBatch {
    /// Orders sell all and are paid nothing; quotes hold room and have no effect.
    pub(super) batch: OpenBatch,
    pub(super) auction: Auction,
    /// What it took, quotes aside, with evidence about signatures.
    pub(super) taken: Vec<(Op, Option<Checked>)>,
    /// What an account may have besides: what its orders hold back, and fees of hidden orders.
    pub(super) held: BTreeMap<Index, u128>,
    /// Accounts that orders or quotes may pay.
    pub(super) paid: BTreeSet<Index>,
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

impl UnpricedBatch {
    /// An empty batch.
    ///
    /// # Errors
    /// Those of [`OpenBatch::new`].
    pub fn new(state: &mut State, context: BatchContext) -> Result<Self, Rejection> {
        Ok(Self {
            batch: OpenBatch::reserving(state, context)?,
            auction: Auction::empty(Terms::default()),
            taken: Vec::new(),
            held: BTreeMap::new(),
            paid: BTreeSet::new(),
        })
    }

    /// What is the same for all its operations.
    #[must_use]
    pub fn context(&self) -> &BatchContext {
        self.batch.context()
    }

    /// Number of its operations so far, quotes aside.
    #[must_use]
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// The operations so far, quotes aside.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.taken.iter().map(|(op, _)| op)
    }

    /// What they did when they were taken: orders sold all and were paid nothing. Their leaves are those that they
    /// will have when the batch is closed.
    pub fn traces(&self) -> impl Iterator<Item = &OpTrace> {
        self.batch.ops().iter().filter(|trace| trace.quote.is_none())
    }

    /// What an operation would do. Nothing changes, so that somebody can look at it before it is included.
    ///
    /// # Errors
    /// A [`Rejection`]. Quotes are made at the end and none are taken: [`Rejection::NotQuoted`].
    pub fn execute(
        &self,
        state: &State,
        op: &Op,
        checked: Option<&Checked>,
    ) -> Result<OpTrace, Rejection> {
        if let &Op::Quote(Quote { a, b, .. }) = op {
            return Err(Rejection::NotQuoted { a, b });
        }
        let trace = self.batch.execute(state, op, checked)?;
        self.check_most(state, &trace)?;
        Ok(trace)
    }

    /// What the batch would use with an operation that [`UnpricedBatch::execute`] gave, and with the quotes that it
    /// may need: one for each of them, all with the totals at the end. `None` if it takes no such operation any
    /// more. Where all of them fit, [`UnpricedBatch::include`] takes the operation.
    #[must_use]
    pub fn footprints(&self, trace: &OpTrace) -> Option<Vec<Footprint>> {
        let Some(order) = order_of(trace) else {
            return self.batch.footprints(trace, 0, std::iter::empty());
        };
        self.auction.check(order).ok()?;
        let quotes = quotes_for(order).into_iter().filter(|quote| !self.batch.book.posts(quote));
        let fees = [order.sell, order.buy].map(fee_index);
        self.batch.footprints(trace, quotes.count(), fees.into_iter())
    }

    /// Takes what [`UnpricedBatch::execute`] gave for the state as it is, and makes room for the quotes that it may
    /// need. `fits` is asked for each of them and for the operation; where it says yes, that is in. If the
    /// operation is not taken, room for quotes may be.
    ///
    /// `checked` is evidence that spares a check of the signature when the batch is executed again.
    pub fn include(
        &mut self,
        state: &mut State,
        trace: OpTrace,
        checked: Option<Checked>,
        mut fits: impl FnMut(&Footprint) -> bool,
    ) -> Pushed {
        let op = trace.op;
        let paid = trace.order.and_then(|_| trace.accesses[1]).map(|access| access.index);
        let Some((order, to)) = order_of(&trace).zip(paid) else {
            let taken = self.batch.include(state, trace, fits);
            self.taken.extend(taken.then_some((op, checked)));
            return if taken { Pushed::Taken } else { Pushed::Full };
        };
        if self.auction.check(order).is_err() || !self.make_room(state, order, &mut fits) {
            return Pushed::Waits;
        }
        let seller = trace.accesses[0].map(|access| access.index);
        // Quotes that only hold room change no account, so the trace is still right.
        if !self.batch.include(state, trace, fits) || self.auction.push(order).is_err() {
            return Pushed::Waits;
        }
        self.taken.push((op, checked));
        let Order { sell, buy, amount, .. } = order;
        if let Some(seller) = seller {
            let held = self.held.entry(seller).or_default();
            // Below MOST_PAID: the auction took all of them together.
            *held = held.saturating_add(amount);
        }
        self.paid.extend([to, fee_index(sell), fee_index(buy)]);
        Pushed::Taken
    }

    /// Holds room for the quotes of an order's tokens and of its pair.
    pub(super) fn make_room(
        &mut self,
        state: &mut State,
        order: Order,
        fits: &mut impl FnMut(&Footprint) -> bool,
    ) -> bool {
        quotes_for(order).into_iter().all(|quote| {
            self.batch.book.posts(&quote)
                || self.batch.push(state, &Op::Quote(quote), None, &mut *fits) == Ok(true)
        })
    }

    /// Refuses what could take an account that it touches over 128 bits, at some prices. What is held back may
    /// come back, and whoever is paid may be paid the most.
    fn check_most(&self, state: &State, trace: &OpTrace) -> Result<(), Rejection> {
        // L1 operations belong before all orders. Nothing may refuse them.
        if trace.kind.is_l1() || self.auction.orders().is_empty() && trace.order.is_none() {
            return Ok(());
        }
        let order = order_of(trace);
        let index = |place: usize| trace.accesses[place].map(|access| access.index);
        let fees = order.map(|order| [order.sell, order.buy].map(fee_index));
        let most = |account: Index, balance: u128| {
            let mut sum = Some(balance);
            let mut add = |amount| sum = sum.and_then(|sum| sum.checked_add(amount));
            add(self.held.get(&account).copied().unwrap_or_default());
            if let Some(order) = order.filter(|_| index(0) == Some(account)) {
                add(order.amount);
            }
            let pays = order.is_some()
                && (index(1) == Some(account) || fees.is_some_and(|fees| fees.contains(&account)));
            if pays || self.paid.contains(&account) {
                add(MOST_PAID);
            }
            sum.map(drop).ok_or(Rejection::BalanceOverflow(account))
        };
        // The sold token's fee account is among the accesses, the bought one's need not be.
        for account in fees.into_iter().flatten() {
            let balance = state.account(account).map_or(0, |account| account.balance);
            most(account, balance)?;
        }
        let after = |access: &Access| Some((access.index, access.after?.balance));
        let touched = trace.accesses.iter().flatten().filter(|access| !is_limiter(access.index));
        touched.filter_map(after).try_for_each(|(account, balance)| most(account, balance))
    }

    /// Takes the batch back: the accounts of the state are as before it.
    pub fn abandon(self, state: &mut State) {
        self.batch.abandon(state);
    }

    /// Ends the batch: clears the orders, and executes it with their quotes behind all other operations. If no
    /// prices are found, nothing is traded. The tree is as before.
    ///
    /// # Errors
    /// None that an operation could cause, as this module argues. If there is a fault all the same, the
    /// [`Rejection`]; the accounts of the state are as before the batch.
    pub fn close(self, state: &mut State) -> Result<ClosedBatch, Rejection> {
        self.close_at(state, |auction| post(auction, &solve(auction)))
    }

    /// As [`UnpricedBatch::close`], at the prices that `find` gives. If it panics, or its prices do not clear, nothing
    /// is traded: no fault of a solver may keep what was promised from being executed.
    pub(super) fn close_at(
        self,
        state: &mut State,
        find: impl FnOnce(&Auction) -> Posted,
    ) -> Result<ClosedBatch, Rejection> {
        let Self { batch, auction, mut taken, .. } = self;
        if auction.orders().is_empty() {
            // Room that was held for quotes of an order that was not taken is not used.
            return batch.without_quotes().close_or_abandon(state);
        }
        let context = batch.context().clone();
        // Here every account is known that acted; before the batch some are not.
        let unchecked: Vec<_> = taken.iter_mut().filter(|(_, checked)| checked.is_none()).collect();
        let ops: Vec<Op> = unchecked.iter().map(|(op, _)| *op).collect();
        let checked = check_signatures(state, context.domain, &ops);
        unchecked.into_iter().zip(checked).for_each(|((_, known), checked)| *known = checked);
        batch.abandon(state);
        let found = catch_unwind(AssertUnwindSafe(|| find(&auction)));
        let closed = found.ok().and_then(|posted| run(state, &context, &taken, &posted).ok());
        match closed {
            Some(closed) => Ok(closed),
            None => run(state, &context, &taken, &Posted::none(&auction)),
        }
    }
}

/// Executes a batch again that was closed: its operations, then its quotes. The accounts are as before if that is
/// not possible.
///
/// # Errors
/// A [`Rejection`] if the quotes are not those of an auction of these orders that clears, or an operation cannot be
/// executed.
pub fn execute_again(
    state: &mut State,
    context: &BatchContext,
    ops: &[Op],
    quotes: &[Quote],
) -> Result<ClosedBatch, Rejection> {
    let planned = Quotes::known(ops.iter().filter_map(order_in), quotes)?;
    let quoted = quotes.iter().map(|quote| (Op::Quote(*quote), None));
    let all: Vec<_> = ops.iter().map(|op| (*op, None)).chain(quoted).collect();
    run_with(state, context, planned, all.iter().map(|(op, checked)| (op, *checked)))
}

/// What an order gets by the quotes of its batch: sold and paid. `None` for other operations.
///
/// # Errors
/// [`Rejection::NoPrice`] or [`Rejection::Quotes`] if they are not the quotes of its batch.
pub fn filled(op: &Op, quotes: &[Quote]) -> Result<Option<Fill>, Rejection> {
    let Some(order) = order_in(op) else {
        return Ok(None);
    };
    let mut known = Quotes::default();
    quotes.iter().for_each(|quote| known.insert(*quote, 0));
    let Order { sell, buy, .. } = order;
    let price = |token| known.price(token).ok_or(Rejection::NoPrice(token));
    let fraction = known.fraction(sell, buy);
    let ruling = rule(&order, price(sell)?, price(buy)?, fraction, Terms::default());
    Ok(Some(ruling.map_err(Rejection::Quotes)?.fill()))
}

/// Executes what was taken with quotes behind it. The accounts are as before if that is not possible.
fn run(
    state: &mut State,
    context: &BatchContext,
    taken: &[(Op, Option<Checked>)],
    posted: &Posted,
) -> Result<ClosedBatch, Rejection> {
    let quotes = Quotes::of(posted)?;
    let appended: Vec<Op> = quotes.ops().collect();
    let others = taken.iter().map(|(op, checked)| (op, checked.as_ref()));
    run_with(state, context, quotes, others.chain(appended.iter().map(|op| (op, None))))
}

fn run_with<'a>(
    state: &mut State,
    context: &BatchContext,
    quotes: Quotes,
    ops: impl Iterator<Item = (&'a Op, Option<&'a Checked>)>,
) -> Result<ClosedBatch, Rejection> {
    let mut batch = OpenBatch::with_quotes(state, context.clone(), quotes)?;
    for (op, checked) in ops {
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
}

/// What holds room for the quotes that an order may need: of both its tokens and of its pair.
pub(super) fn quotes_for(Order { sell, buy, .. }: Order) -> [Quote; 3] {
    [(sell, sell), (buy, buy), (sell, buy)].map(|(a, b)| Quote { a, b, value: 0 })
}

/// The order that an operation is, as the auction sees it.
fn order_of(trace: &OpTrace) -> Option<Order> {
    let OrderTrace { sell, buy, amount, limit, .. } = trace.order?;
    Some(Order { sell, buy, amount, limit })
}

/// The same, before it is executed.
fn order_in(op: &Op) -> Option<Order> {
    let Op::Signed(signed) = op else {
        return None;
    };
    let sell = signed.body.token;
    let Action::Order { buy, amount, limit, .. } = signed.body.action else {
        return None;
    };
    Some(Order { sell, buy, amount, limit })
}
