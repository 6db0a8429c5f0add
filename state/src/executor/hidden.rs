//! Room for orders that nobody knows yet (protocol section 16).
//!
//! A batch that promised a place to a hidden order must take it there when it is revealed, whatever it says within
//! the terms, and its forfeit if it is not. So the forfeit is executed here, and beside it everything is held that
//! the order could need: room in the circuit's tables for an order to any of the accounts that may be paid and for
//! its quotes, and bounds of balances for the most that each account could get. The account that sells does nothing
//! else in the batch, so nothing of it depends on which of the two it was.

use std::collections::BTreeSet;

use bastion_auction::Order;
use bastion_protocol::account::{fee_index, is_limiter, FIRST_USER};
use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::{Account, Index, Kind, Limit};

use super::unpriced::{quotes_for, Pushed, UnpricedBatch, MOST_PAID};
use super::{Checked, Footprint, OpenBatch, Rejection};
use crate::state::State;

/// What is known of an order that is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenOrder {
    /// The accounts of which it pays one.
    pub paid: Vec<Index>,
    /// The transfer of the same account that takes its place otherwise.
    pub forfeit: SignedOp,
}

impl UnpricedBatch {
    /// What an order of an account may cost at most here, with its fee.
    #[must_use]
    pub fn available(&self, state: &State, account: Index) -> u128 {
        let most = MOST_PAID.saturating_sub(1);
        state.account(account).map_or(0, |account| account.balance.min(most))
    }

    /// Takes a hidden order: executes its forfeit, and holds what the order could need. From then on its account
    /// must do nothing else in this batch. If it is not taken, nothing changed.
    ///
    /// # Errors
    /// A [`Rejection`] if the forfeit cannot be executed, an account cannot be paid, or the account is none of a
    /// user.
    pub fn include_hidden(
        &mut self,
        state: &mut State,
        hidden: &HiddenOrder,
        checked: Option<Checked>,
        mut fits: impl FnMut(&Footprint) -> bool,
    ) -> Result<Pushed, Rejection> {
        let op = Op::Signed(hidden.forfeit);
        let account = hidden.forfeit.body.account;
        // An operator could spend a fee account by what the order did not pay.
        if account < FIRST_USER {
            return Err(Rejection::NoSuchAccount(account));
        }
        let trace = self.execute(state, &op, checked.as_ref())?;
        let seller = state.account(account).copied().ok_or(Rejection::NoSuchAccount(account))?;
        let available = self.available(state, account);
        let mut orders = Vec::with_capacity(hidden.paid.len());
        for &to in &hidden.paid {
            let paid = self.payable(state, (account, &seller), to)?;
            // The first one stands for the amount, the others for their tokens.
            let amount = if orders.is_empty() { available.max(1) } else { 1 };
            orders.push(Order { sell: seller.token, buy: paid.token, amount, limit: any_limit()? });
        }
        self.bounded(state, fee_index(seller.token), available)?;
        orders.iter().try_for_each(|order| self.bounded(state, fee_index(order.buy), 0))?;
        let fees = orders.iter().map(|order| fee_index(order.buy));
        let also: Vec<Index> = hidden.paid.iter().copied().chain(fees).collect();
        // Nothing is held before it is clear that all fits.
        let mut auction = self.auction.clone();
        let quotes: BTreeSet<u64> = orders
            .iter()
            .flat_map(|order| quotes_for(*order))
            .filter(|quote| !self.batch.book.posts(quote))
            .map(|quote| quote.key())
            .collect();
        let room = self.batch.footprints(&trace, quotes.len(), also.iter().copied());
        // An order takes at least the room of a transfer.
        let as_order = |(n, f): (usize, Footprint)| match n {
            0 => Footprint { kind: Kind::Order, ..f },
            _ => f,
        };
        let fits =
            room.is_some_and(|all| all.into_iter().enumerate().map(as_order).all(|f| fits(&f)));
        if !fits || orders.iter().any(|order| auction.push(*order).is_err()) {
            return Ok(Pushed::Waits);
        }
        self.auction = auction;
        for order in &orders {
            if !self.make_room(state, *order, &mut |_| true) {
                return Ok(Pushed::Waits);
            }
        }
        self.batch.touch(state, &also);
        if !self.batch.include(state, trace, |_| true) {
            return Ok(Pushed::Waits);
        }
        self.taken.push((op, checked));
        // Without the forfeit its amount and its fee may stay; the order's fee may be all that is available.
        let bond = hidden.forfeit.body.action.amount().unwrap_or_default();
        let bond = bond.saturating_add(hidden.forfeit.body.fee);
        for (index, more) in [(account, bond), (fee_index(seller.token), available)] {
            let held = self.held.entry(index).or_default();
            *held = held.saturating_add(more);
        }
        self.paid.extend(also);
        self.paid.insert(fee_index(seller.token));
        Ok(Pushed::Taken)
    }

    /// An account that an order of `seller` can pay, whatever it is paid.
    fn payable(
        &self,
        state: &State,
        (account, seller): (Index, &Account),
        to: Index,
    ) -> Result<Account, Rejection> {
        let paid = state.account(to).copied().ok_or(Rejection::NoSuchAccount(to))?;
        if is_limiter(to) {
            return Err(Rejection::IsLimiter(to));
        }
        if paid.owner != seller.owner {
            return Err(Rejection::OtherOwner { account, to });
        }
        if paid.token == seller.token {
            return Err(Rejection::SameToken(to));
        }
        self.bounded(state, to, 0)?;
        Ok(paid)
    }

    /// Requires that an account holds no more than 128 bits with all that it may get.
    fn bounded(&self, state: &State, index: Index, more: u128) -> Result<(), Rejection> {
        let balance = state.account(index).map_or(0, |account| account.balance);
        let held = self.held.get(&index).copied().unwrap_or_default();
        let all = [balance, held, more, MOST_PAID];
        let sum = all.into_iter().try_fold(0_u128, u128::checked_add);
        sum.map(drop).ok_or(Rejection::BalanceOverflow(index))
    }
}

impl OpenBatch {
    /// Counts accounts as touched, as they are.
    fn touch(&mut self, state: &State, indices: &[Index]) {
        let (_, nodes) = self.fresh(indices.iter().copied());
        self.nodes.extend(nodes);
        for index in indices {
            self.before.entry(*index).or_insert_with(|| state.account(*index).copied());
        }
    }
}

/// A limit: it does not matter which.
fn any_limit() -> Result<Limit, Rejection> {
    Ok(Limit::new(1 << 63, 63)?)
}
