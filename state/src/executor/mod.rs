//! Executes operations: state + operation -> new state + trace, or a typed rejection that leaves
//! the state as it was (protocol section 5).

mod auction;
mod deposit;
mod forced_exit;
mod freeze;
mod hidden;
mod limiter;
mod order;
mod packer;
mod posted;
mod quote;
mod rejection;
mod signed;
mod trace;
mod transfer;
mod unpriced;

use std::collections::{BTreeMap, BTreeSet};

pub use crate::tree::{Change, NodeTouch};
pub use auction::Quotes;
pub use hidden::HiddenOrder;
pub use packer::Packer;
pub use posted::{order_chain, order_tree, posted_data};
pub use rejection::Rejection;
pub use signed::{check_signatures, Checked};
pub use trace::{
    Access, AccountTouch, BatchTrace, Flow, LimiterTrace, OpTrace, OrderTrace, QuoteTrace,
};
pub use unpriced::{execute_again, filled, Pushed, UnpricedBatch, MOST_PAID};

use auction::Book;

use crate::state::State;
use crate::tree::Tree;
use bastion_protocol::account::leaf;
use bastion_protocol::field::serde_fr;
use bastion_protocol::ops::Op;
use bastion_protocol::Kind;
use bastion_protocol::{Account, Fr, Index, Policy, Token, TIME_BOUND};
use serde::{Deserialize, Serialize};

/// What is the same for all operations of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchContext {
    /// Chain and contract.
    #[serde(with = "serde_fr")]
    pub domain: Fr,
    /// Time (u40).
    pub time: u64,
    /// Policy in force.
    pub policy: Policy,
}

/// The trace of an operation on a state, which stays as it is. It is as if the operation were the first of
/// a batch without quotes.
///
/// # Errors
/// A [`Rejection`].
pub fn execute(state: &State, context: &BatchContext, op: &Op) -> Result<OpTrace, Rejection> {
    execute_checked(state, context, &Book::default(), op, None)
}

/// As [`execute`], with evidence about the operation's signature. If it is none for the message that
/// the state asks for by now, the signature is checked here.
fn execute_checked(
    state: &State,
    context: &BatchContext,
    book: &Book,
    op: &Op,
    checked: Option<&Checked>,
) -> Result<OpTrace, Rejection> {
    let blank = OpTrace { op: *op, ..OpTrace::noop() };
    match op {
        Op::Noop => Ok(blank),
        Op::Deposit(d) => deposit::deposit(state, d, blank),
        Op::ForcedExit(f) => forced_exit::forced_exit(state, context, f, blank),
        Op::Signed(s) => signed::signed(state, context, book, s, checked, blank),
        Op::Quote(q) => quote::quote(state, context, book, q, blank),
    }
}

/// Most operations of a batch: each posts at most three words of a section, and a section holds
/// 65,535 (protocol section 6).
pub const MAX_OPS: usize = u16::MAX as usize / 3;

/// A batch that is being filled. Every call takes the same state: whoever keeps both together for
/// long (a sequencer) needs no borrow between calls. [`BatchBuilder`] is the shorter form.
#[derive(Debug)]
pub struct OpenBatch {
    context: BatchContext,
    ops: Vec<OpTrace>,
    before: BTreeMap<Index, Option<Account>>,
    /// Touched indices of each level, leaves last.
    nodes: BTreeSet<(u8, Index)>,
    tokens: BTreeSet<Token>,
    /// Whether it has an L2 operation: then it takes no L1 operation any more.
    has_l2: bool,
    /// Its auction.
    book: Book,
}

/// Builds a batch operation by operation over a state.
pub struct BatchBuilder<'s> {
    state: &'s mut State,
    batch: OpenBatch,
}

/// Shared tables that a batch would use with one more operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// What the operation turned out to be.
    pub kind: Kind,
    /// Touched accounts.
    pub accounts: usize,
    /// Changed nodes.
    pub nodes: usize,
    /// Tokens that use the limiter.
    pub tokens: usize,
}

impl OpenBatch {
    /// An empty batch.
    ///
    /// # Errors
    /// [`Rejection::TimeOutOfRange`] and [`Rejection::BadPolicy`].
    pub fn new(state: &mut State, context: BatchContext) -> Result<Self, Rejection> {
        let checked = context.policy.check();
        checked.map_err(|e| Rejection::BadPolicy(e.to_string()))?;
        let longest = context.policy.longest_delay().max(context.policy.max_freeze);
        let last = context.time.checked_add(longest);
        if last.is_none_or(|last| last >= TIME_BOUND) {
            return Err(Rejection::TimeOutOfRange(context.time));
        }
        state.learn_policy(&context.policy);
        Ok(Self {
            context,
            ops: Vec::new(),
            before: BTreeMap::new(),
            nodes: BTreeSet::new(),
            tokens: BTreeSet::new(),
            has_l2: false,
            book: Book::default(),
        })
    }

    /// An empty batch whose orders are cleared by quotes. Each of them that an order uses must be pushed as
    /// an operation, wherever in the batch.
    ///
    /// # Errors
    /// Those of [`OpenBatch::new`].
    pub fn with_quotes(
        state: &mut State,
        context: BatchContext,
        quotes: Quotes,
    ) -> Result<Self, Rejection> {
        let batch = Self::new(state, context)?;
        Ok(Self { book: Book::planned(quotes), ..batch })
    }

    /// An empty batch that finds out what fits before there are prices: an order sells its whole amount and
    /// is paid nothing, a quote has no surplus. At any prices, each account holds at least what it holds
    /// here.
    fn reserving(state: &mut State, context: BatchContext) -> Result<Self, Rejection> {
        let batch = Self::new(state, context)?;
        Ok(Self { book: Book::reserving(), ..batch })
    }

    /// What is the same for all its operations.
    #[must_use]
    pub fn context(&self) -> &BatchContext {
        &self.context
    }

    /// The operations so far, in order.
    #[must_use]
    pub fn ops(&self) -> &[OpTrace] {
        &self.ops
    }

    /// Executes an operation if `fits` accepts what the batch would use with it. `Ok(false)`: it
    /// belongs into the next batch, and nothing changed. That is so too for an L1 operation after an
    /// L2 operation, whatever `fits` says: posted data tell the order of a batch only if its L1
    /// operations come first (protocol section 6). In an empty batch `fits` alone decides.
    ///
    /// `checked` is evidence that spares the executor a check of the signature
    /// ([`check_signatures`]).
    ///
    /// # Errors
    /// A [`Rejection`]; nothing changed.
    pub fn push(
        &mut self,
        state: &mut State,
        op: &Op,
        checked: Option<&Checked>,
        fits: impl FnOnce(&Footprint) -> bool,
    ) -> Result<bool, Rejection> {
        let trace = self.execute(state, op, checked)?;
        Ok(self.include(state, trace, fits))
    }

    /// The first half of [`OpenBatch::push`]: what an operation would do. Nothing changes, so that
    /// somebody can look at it before it is included.
    ///
    /// # Errors
    /// A [`Rejection`].
    pub fn execute(
        &self,
        state: &State,
        op: &Op,
        checked: Option<&Checked>,
    ) -> Result<OpTrace, Rejection> {
        execute_checked(state, &self.context, &self.book, op, checked)
    }

    /// The second half of [`OpenBatch::push`]: takes what [`OpenBatch::execute`] gave for the state as it
    /// is. `false`: it belongs into the next batch, and nothing changed.
    pub fn include(
        &mut self,
        state: &mut State,
        trace: OpTrace,
        fits: impl FnOnce(&Footprint) -> bool,
    ) -> bool {
        if self.ops.len() >= MAX_OPS || (trace.kind.is_l1() && self.has_l2) {
            return false;
        }
        let (fresh, fresh_nodes) = self.fresh(touched(&trace));
        let new_token = self.new_token(&trace);
        let footprint = Footprint {
            kind: trace.kind,
            accounts: self.before.len() + fresh,
            nodes: self.nodes.len() + fresh_nodes.len(),
            tokens: self.tokens.len() + usize::from(new_token.is_some()),
        };
        if !fits(&footprint) {
            return false;
        }
        for access in trace.accesses.iter().flatten() {
            self.before.entry(access.index).or_insert(access.before);
        }
        // `append` would rebuild the whole set.
        self.nodes.extend(fresh_nodes);
        self.tokens.extend(new_token);
        state.apply(&trace);
        self.has_l2 |= trace.kind.is_l2();
        self.book.include(&trace);
        self.ops.push(trace);
        true
    }

    /// Accounts that it does not touch so far, and the nodes above them that do not change so far.
    fn fresh(&self, indices: impl Iterator<Item = Index>) -> (usize, BTreeSet<(u8, Index)>) {
        let mut nodes = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for index in indices {
            if self.before.contains_key(&index) || !seen.insert(index) {
                continue;
            }
            for height in 1..=bastion_protocol::path::DEPTH as u8 {
                let level = bastion_protocol::path::DEPTH as u8 - height;
                let node = (level, (u64::from(index) >> height) as Index);
                if self.nodes.contains(&node) || !nodes.insert(node) {
                    break;
                }
            }
        }
        (seen.len(), nodes)
    }

    /// The token with which an operation uses the limiter first.
    fn new_token(&self, trace: &OpTrace) -> Option<Token> {
        trace.limiter.filter(|limiter| !self.tokens.contains(&limiter.token)).map(|l| l.token)
    }

    /// What the batch would use with an operation and quotes behind it, which touch the accounts `also`: one for
    /// each of them, all with the totals at the end. `None` if it takes no such operation any more.
    fn footprints(
        &self,
        trace: &OpTrace,
        quotes: usize,
        also: impl Iterator<Item = Index>,
    ) -> Option<Vec<Footprint>> {
        if self.ops.len() + quotes >= MAX_OPS || (trace.kind.is_l1() && self.has_l2) {
            return None;
        }
        let (accounts, nodes) = self.fresh(touched(trace).chain(also));
        let of = |kind| Footprint {
            kind,
            accounts: self.before.len() + accounts,
            nodes: self.nodes.len() + nodes.len(),
            tokens: self.tokens.len() + usize::from(self.new_token(trace).is_some()),
        };
        let kinds = std::iter::once(trace.kind).chain(std::iter::repeat_n(Kind::Quote, quotes));
        Some(kinds.map(of).collect())
    }

    /// Takes the batch back: the accounts of the state are as before it.
    pub fn abandon(self, state: &mut State) {
        state.restore(self.before);
    }

    /// Ends the batch: what it did to the accounts of the state. The tree is as before.
    ///
    /// # Errors
    /// A [`Rejection`] if its orders and quotes are not one auction that clears. The state keeps what the
    /// batch did.
    pub fn close(mut self, state: &State) -> Result<ClosedBatch, Rejection> {
        self.book.close(&mut self.ops)?;
        Ok(self.closed(state))
    }

    /// As [`OpenBatch::close`]; a batch that is refused is taken back.
    fn close_or_abandon(mut self, state: &mut State) -> Result<ClosedBatch, Rejection> {
        match self.book.close(&mut self.ops) {
            Ok(()) => Ok(self.closed(state)),
            Err(rejection) => {
                self.abandon(state);
                Err(rejection)
            }
        }
    }

    /// Without quotes that only held room: they changed nothing.
    fn without_quotes(mut self) -> Self {
        let all = self.ops.len();
        self.ops.retain(|trace| trace.quote.is_none());
        if self.ops.len() < all {
            let kept: BTreeSet<Index> = self.ops.iter().flat_map(touched).collect();
            self.before.retain(|index, _| kept.contains(index));
        }
        self
    }

    fn closed(self, state: &State) -> ClosedBatch {
        let touch = |(index, before): (&Index, &Option<Account>)| AccountTouch {
            index: *index,
            before: *before,
            after: state.account(*index).copied(),
        };
        let accounts = self.before.iter().map(touch).collect();
        ClosedBatch { context: self.context, ops: self.ops, accounts }
    }
}

/// The accounts that an operation touches.
fn touched(trace: &OpTrace) -> impl Iterator<Item = Index> + '_ {
    trace.accesses.iter().flatten().map(|access| access.index)
}

/// A batch that is full, and that the tree does not know yet.
///
/// Hashing the tree is most of the work of a batch. Whoever must answer in the meantime takes the
/// tree out of the state ([`State::take_tree`]) and updates it in another thread.
#[derive(Debug, Clone)]
pub struct ClosedBatch {
    context: BatchContext,
    ops: Vec<OpTrace>,
    accounts: Vec<AccountTouch>,
}

impl ClosedBatch {
    /// Its operations, in order.
    #[must_use]
    pub fn ops(&self) -> &[OpTrace] {
        &self.ops
    }

    /// Updates the tree, which must be as of the batch before, and returns the trace.
    #[must_use]
    pub fn seal(self, tree: &mut Tree) -> BatchTrace {
        let Self { context, ops, accounts } = self;
        let old_root = tree.root();
        let leaves: Vec<_> = accounts.iter().map(|t| (t.index, leaf(t.after.as_ref()))).collect();
        let nodes = tree.update_traced(&leaves);
        BatchTrace { context, old_root, new_root: tree.root(), ops, accounts, nodes }
    }
}

impl<'s> BatchBuilder<'s> {
    /// An empty batch.
    ///
    /// # Errors
    /// Those of [`OpenBatch::new`].
    pub fn new(state: &'s mut State, context: BatchContext) -> Result<Self, Rejection> {
        let batch = OpenBatch::new(state, context)?;
        Ok(Self { state, batch })
    }

    /// An empty batch whose orders are cleared by quotes, as [`OpenBatch::with_quotes`].
    ///
    /// # Errors
    /// Those of [`OpenBatch::new`].
    pub fn with_quotes(
        state: &'s mut State,
        context: BatchContext,
        quotes: Quotes,
    ) -> Result<Self, Rejection> {
        let batch = OpenBatch::with_quotes(state, context, quotes)?;
        Ok(Self { state, batch })
    }

    /// The state with the batch so far (its root is not updated yet).
    #[must_use]
    pub fn state(&self) -> &State {
        self.state
    }

    /// As [`OpenBatch::push`], which checks the signature.
    ///
    /// # Errors
    /// A [`Rejection`]; nothing changed.
    pub fn push(
        &mut self,
        op: &Op,
        fits: impl FnOnce(&Footprint) -> bool,
    ) -> Result<bool, Rejection> {
        self.batch.push(self.state, op, None, fits)
    }

    /// Updates the tree and returns the trace.
    ///
    /// # Errors
    /// A [`Rejection`] if its orders and quotes are not one auction that clears. The accounts of the state
    /// are as before the batch then.
    pub fn finish(self) -> Result<BatchTrace, Rejection> {
        let closed = self.batch.close_or_abandon(self.state)?;
        Ok(closed.seal(self.state.tree_mut()))
    }
}

#[cfg(test)]
mod tests;
