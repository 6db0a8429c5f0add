//! Executes operations: state + operation -> new state + trace, or a typed rejection that leaves
//! the state as it was (protocol section 5).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::account::{fee_index, limiter_index};
use crate::data::{Section, Word};
use crate::keys::owner;
use crate::ops::{Action, Deposit, ForcedExit, Op, SignedOp};
pub use crate::tree::{Change, NodeTouch};
use crate::{state::State, Account, Address, Fr, Index, Policy, Token, TokenLimits, TIME_BOUND};

/// Largest theoretical arrival time of a limiter.
pub const TAT_CAP: u128 = 1 << 127;

/// What is the same for all operations of a batch.
#[derive(Debug, Clone)]
pub struct BatchContext {
    /// Chain and contract.
    pub domain: Fr,
    /// Time (u40).
    pub time: u64,
    /// Policy in force.
    pub policy: Policy,
}

/// Kinds as they turn out in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedKind {
    /// Deposit to an existing account.
    Deposit,
    /// Deposit that creates.
    DepositNew,
    /// Forced exit that matches.
    ForcedExit,
    /// Forced exit that does not match.
    ForcedExitNoop,
    /// Transfer.
    Transfer,
    /// Transfer that creates.
    TransferNew,
    /// Withdraw.
    Withdraw,
    /// Change of key.
    ChangeKey,
    /// Freeze.
    Freeze,
    /// Unfreeze.
    Unfreeze,
    /// Padding.
    Noop,
}

impl ResolvedKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Deposit,
        Self::DepositNew,
        Self::ForcedExit,
        Self::ForcedExitNoop,
        Self::Transfer,
        Self::TransferNew,
        Self::Withdraw,
        Self::ChangeKey,
        Self::Freeze,
        Self::Unfreeze,
        Self::Noop,
    ];

    /// Whether it comes from the L1 queue.
    #[must_use]
    pub fn is_l1(self) -> bool {
        self <= Self::ForcedExitNoop
    }

    /// Whether it leaves through the limiter.
    #[must_use]
    pub fn exits(self) -> bool {
        matches!(self, Self::Withdraw | Self::ForcedExit)
    }

    /// Whether it writes an owner record.
    #[must_use]
    pub fn writes_owner(self) -> bool {
        matches!(self, Self::TransferNew | Self::ChangeKey)
    }

    /// Whether the guardian signs it.
    #[must_use]
    pub fn by_guardian(self) -> bool {
        matches!(self, Self::Freeze | Self::Unfreeze)
    }
}

/// Why an operation is refused. The state is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no such account.
    #[error("account {0} does not exist")]
    NoSuchAccount(Index),
    /// The index is the bridge limiter's.
    #[error("account {0} is a bridge limiter and takes part in no operation")]
    IsLimiter(Index),
    /// The signature is not the key's for this message.
    #[error("signature does not verify for account {0}: it must be over this chain, contract and every field")]
    BadSignature(Index),
    /// The key is not the account's.
    #[error("the key is not the owner of account {0}")]
    NotOwner(Index),
    /// Not the guardian's key.
    #[error("the key is not the policy's guardian")]
    NotGuardian,
    /// Wrong nonce.
    #[error("nonce of account {account} is {expected}, the operation has {got}")]
    WrongNonce {
        /// Account.
        account: Index,
        /// Nonce of the account.
        expected: u32,
        /// Nonce of the operation.
        got: u32,
    },
    /// The nonce cannot grow.
    #[error("account {0} has used all its nonces: withdraw by a forced exit")]
    NonceExhausted(Index),
    /// Balance below amount and fee.
    #[error("account {account} holds {balance}, amount and fee are {needed}")]
    InsufficientBalance {
        /// Account.
        account: Index,
        /// Its balance.
        balance: u128,
        /// What is needed.
        needed: u128,
    },
    /// Tokens differ.
    #[error("account {account} holds token {expected}, the operation names {got}")]
    WrongToken {
        /// Account.
        account: Index,
        /// Its token.
        expected: Token,
        /// Token named.
        got: Token,
    },
    /// Too late.
    #[error("deadline {deadline} has passed at time {time}")]
    PastDeadline {
        /// Deadline.
        deadline: u64,
        /// Time of the batch.
        time: u64,
    },
    /// The account is frozen.
    #[error(
        "account {account} is frozen until {until}: it can only withdraw to its own exit address"
    )]
    Frozen {
        /// Account.
        account: Index,
        /// End of the freeze.
        until: u64,
    },
    /// Sender is receiver.
    #[error("account {0} sends to itself")]
    SelfTransfer(Index),
    /// Nothing to move.
    #[error("amount is 0")]
    ZeroAmount,
    /// A balance would pass 2^128.
    #[error("balance of account {0} would exceed 128 bits")]
    BalanceOverflow(Index),
    /// The freeze is not in (time, time + max_freeze].
    #[error("freeze until {until} is not after {time} and at most {max} later")]
    FreezeOutOfBounds {
        /// End of the freeze.
        until: u64,
        /// Time of the batch.
        time: u64,
        /// Longest freeze.
        max: u64,
    },
    /// Too soon after the last freeze.
    #[error("account {account} may be frozen again from {from} on")]
    Cooldown {
        /// Account.
        account: Index,
        /// First possible time.
        from: u64,
    },
    /// There is no freeze to end, or not this one.
    #[error("account {account} is frozen until {until}, the operation says {got}")]
    WrongFreeze {
        /// Account.
        account: Index,
        /// Its frozen_until.
        until: u64,
        /// What the operation says.
        got: u64,
    },
    /// An amount, fee or time that the wire cannot carry.
    #[error("{0}")]
    Encoding(String),
    /// No free index.
    #[error("the tree is full")]
    TreeFull,
    /// The time leaves no room for delays.
    #[error("time {0} and the policy's delays exceed 40 bits")]
    TimeOutOfRange(u64),
}

/// One access to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Leaf.
    pub index: Index,
    /// Before.
    pub before: Option<Account>,
    /// After.
    pub after: Option<Account>,
}

/// One use of a bridge limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimiterTrace {
    /// Token.
    pub token: Token,
    /// What leaves.
    pub amount: u128,
    /// Theoretical arrival time before.
    pub tat_before: u128,
    /// Theoretical arrival time after.
    pub tat_after: u128,
    /// When L1 releases it.
    pub release_time: u64,
    /// Limits in force.
    pub limits: TokenLimits,
}

/// What an operation did.
#[derive(Debug, Clone)]
pub struct OpTrace {
    /// The operation.
    pub op: Op,
    /// What it turned out to be.
    pub kind: ResolvedKind,
    /// Primary account; receiver or limiter; fee account.
    pub accesses: [Option<Access>; 3],
    /// What moved.
    pub amount: u128,
    /// What was paid.
    pub fee: u128,
    /// Use of the limiter.
    pub limiter: Option<LimiterTrace>,
    /// Key hash and exit address behind the primary account's owner.
    pub opening: Option<(Fr, Address)>,
    /// Message that was signed.
    pub message: Option<Fr>,
}

/// A touched account over a whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountTouch {
    /// Leaf.
    pub index: Index,
    /// Before the batch.
    pub before: Option<Account>,
    /// After the batch.
    pub after: Option<Account>,
}

/// Everything about an executed batch.
#[derive(Debug, Clone)]
pub struct BatchTrace {
    /// Context.
    pub context: BatchContext,
    /// Root before.
    pub old_root: Fr,
    /// Root after.
    pub new_root: Fr,
    /// Operations in order.
    pub ops: Vec<OpTrace>,
    /// Touched accounts by index.
    pub accounts: Vec<AccountTouch>,
    /// Ancestors of touched accounts.
    pub nodes: Vec<NodeTouch>,
}

/// The limiter's rule (GCRA): new arrival time and release time.
#[must_use]
pub fn limit(tat: u128, amount: u128, time: u64, limits: &TokenLimits) -> (u128, u64) {
    let now = u128::from(time);
    let quotient = amount.div_ceil(u128::from(limits.rate.max(1)));
    let tat = tat.max(now).saturating_add(quotient).min(TAT_CAP);
    let earliest = tat
        .saturating_sub(u128::from(limits.burst_seconds))
        .max(now);
    let latest = now + u128::from(limits.max_delay);
    (tat, earliest.min(latest) as u64)
}

/// Builds a batch operation by operation over a state.
pub struct BatchBuilder<'s> {
    state: &'s mut State,
    context: BatchContext,
    old_root: Fr,
    ops: Vec<OpTrace>,
    before: BTreeMap<Index, Option<Account>>,
    /// Touched indices of each level, leaves last.
    nodes: BTreeSet<(u8, Index)>,
    tokens: BTreeSet<Token>,
}

/// Shared tables that a batch would use with one more operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// What the operation turned out to be.
    pub kind: ResolvedKind,
    /// Touched accounts.
    pub accounts: usize,
    /// Changed nodes.
    pub nodes: usize,
    /// Tokens that use the limiter.
    pub tokens: usize,
}

impl<'s> BatchBuilder<'s> {
    /// An empty batch.
    ///
    /// # Errors
    /// [`Rejection::TimeOutOfRange`].
    pub fn new(state: &'s mut State, context: BatchContext) -> Result<Self, Rejection> {
        state.learn_policy(&context.policy);
        if context.time + context.policy.longest_delay() >= TIME_BOUND
            || context.time + context.policy.max_freeze >= TIME_BOUND
        {
            return Err(Rejection::TimeOutOfRange(context.time));
        }
        Ok(Self {
            old_root: state.root(),
            state,
            context,
            ops: Vec::new(),
            before: BTreeMap::new(),
            nodes: BTreeSet::new(),
            tokens: BTreeSet::new(),
        })
    }

    /// The state with the batch so far (its root is not updated yet).
    #[must_use]
    pub fn state(&self) -> &State {
        self.state
    }

    /// Executes an operation if `fits` accepts what the batch would use with it. `Ok(false)`: it
    /// did not fit, and nothing changed.
    ///
    /// # Errors
    /// A [`Rejection`]; nothing changed.
    pub fn push(
        &mut self,
        op: &Op,
        fits: impl FnOnce(&Footprint) -> bool,
    ) -> Result<bool, Rejection> {
        let trace = execute(self.state, &self.context, op)?;
        let mut fresh_nodes = BTreeSet::new();
        let mut fresh = 0;
        let mut seen = BTreeSet::new();
        for access in trace.accesses.iter().flatten() {
            if self.before.contains_key(&access.index) || !seen.insert(access.index) {
                continue;
            }
            fresh += 1;
            for height in 1..=crate::tree::DEPTH as u8 {
                let level = crate::tree::DEPTH as u8 - height;
                let index = (u64::from(access.index) >> height) as Index;
                if self.nodes.contains(&(level, index)) || !fresh_nodes.insert((level, index)) {
                    break;
                }
            }
        }
        let new_token = trace
            .limiter
            .filter(|l| !self.tokens.contains(&l.token))
            .map(|l| l.token);
        let footprint = Footprint {
            kind: trace.kind,
            accounts: self.before.len() + fresh,
            nodes: self.nodes.len() + fresh_nodes.len(),
            tokens: self.tokens.len() + usize::from(new_token.is_some()),
        };
        if !fits(&footprint) {
            return Ok(false);
        }
        for access in trace.accesses.iter().flatten() {
            self.before.entry(access.index).or_insert(access.before);
        }
        self.nodes.append(&mut fresh_nodes);
        self.tokens.extend(new_token);
        self.state.apply(&trace);
        self.ops.push(trace);
        Ok(true)
    }

    /// Updates the tree and returns the trace.
    #[must_use]
    pub fn finish(self) -> BatchTrace {
        let accounts: Vec<AccountTouch> = self
            .before
            .iter()
            .map(|(index, before)| AccountTouch {
                index: *index,
                before: *before,
                after: self.state.account(*index).copied(),
            })
            .collect();
        let nodes = self.state.update_tree(&accounts);
        BatchTrace {
            context: self.context,
            old_root: self.old_root,
            new_root: self.state.root(),
            ops: self.ops,
            accounts,
            nodes,
        }
    }
}

/// The trace of an operation on a state, which stays as it is.
///
/// # Errors
/// A [`Rejection`].
pub fn execute(state: &State, context: &BatchContext, op: &Op) -> Result<OpTrace, Rejection> {
    let blank = OpTrace {
        op: *op,
        ..OpTrace::noop()
    };
    match op {
        Op::Noop => Ok(blank),
        Op::Deposit(d) => deposit(state, d, blank),
        Op::ForcedExit(f) => Ok(forced_exit(state, context, f, blank)),
        Op::Signed(s) => signed(state, context, s, blank),
    }
}

fn deposit(state: &State, d: &Deposit, mut trace: OpTrace) -> Result<OpTrace, Rejection> {
    let owner = owner(d.keyhash, d.exit);
    trace.amount = d.amount;
    trace.opening = Some((d.keyhash, d.exit));
    let (index, before, after) = match state.find(owner, d.token) {
        Some((index, account)) => {
            trace.kind = ResolvedKind::Deposit;
            let balance = account
                .balance
                .checked_add(d.amount)
                .ok_or(Rejection::BalanceOverflow(index))?;
            (
                index,
                Some(*account),
                Account {
                    balance,
                    ..*account
                },
            )
        }
        None => {
            trace.kind = ResolvedKind::DepositNew;
            let account = Account {
                balance: d.amount,
                ..Account::new(owner, d.token)
            };
            (state.free_index()?, None, account)
        }
    };
    trace.accesses[0] = Some(Access {
        index,
        before,
        after: Some(after),
    });
    Ok(trace)
}

fn forced_exit(
    state: &State,
    context: &BatchContext,
    f: &ForcedExit,
    mut trace: OpTrace,
) -> OpTrace {
    let before = state.account(f.index).copied();
    trace.opening = before.and_then(|a| state.opening(a.owner));
    let matches = before.is_some_and(|a| a.token == f.token)
        && trace.opening.is_some_and(|(_, exit)| exit == f.exit);
    let after = match before {
        Some(account) if matches => {
            trace.kind = ResolvedKind::ForcedExit;
            trace.amount = account.balance;
            leave(state, context, account.token, account.balance, &mut trace);
            Some(Account {
                balance: 0,
                ..account
            })
        }
        _ => {
            trace.kind = ResolvedKind::ForcedExitNoop;
            before
        }
    };
    trace.accesses[0] = Some(Access {
        index: f.index,
        before,
        after,
    });
    trace
}

/// The limiter's part of an exit.
fn leave(state: &State, context: &BatchContext, token: Token, amount: u128, trace: &mut OpTrace) {
    let index = limiter_index(token);
    let before = state.account(index).copied();
    let account = before.unwrap_or_else(|| Account::new(Fr::from(0u64), token));
    let limits = context.policy.limits_tree().limits(token);
    let (tat_after, release_time) = limit(account.balance, amount, context.time, &limits);
    trace.limiter = Some(LimiterTrace {
        token,
        amount,
        tat_before: account.balance,
        tat_after,
        release_time,
        limits,
    });
    trace.accesses[1] = Some(Access {
        index,
        before,
        after: Some(Account {
            balance: tat_after,
            ..account
        }),
    });
}

fn signed(
    state: &State,
    context: &BatchContext,
    op: &SignedOp,
    mut trace: OpTrace,
) -> Result<OpTrace, Rejection> {
    let body = &op.body;
    let index = body.account;
    let account = *state
        .account(index)
        .ok_or(Rejection::NoSuchAccount(index))?;
    if crate::account::is_limiter(index) {
        return Err(Rejection::IsLimiter(index));
    }
    if account.token != body.token {
        return Err(Rejection::WrongToken {
            account: index,
            expected: account.token,
            got: body.token,
        });
    }
    if body.deadline < context.time {
        return Err(Rejection::PastDeadline {
            deadline: body.deadline,
            time: context.time,
        });
    }
    let opening = state.opening(account.owner);
    let (_, exit) = opening.ok_or(Rejection::NotOwner(index))?;
    let message = body
        .message(context.domain, exit)
        .map_err(|e| Rejection::Encoding(e.to_string()))?;
    trace.message = Some(message);
    trace.opening = opening;
    match body.action {
        Action::Freeze { .. } | Action::Unfreeze { .. } => {
            guardian(context, op, &account, message, &mut trace)?;
        }
        _ => by_owner(state, context, op, account, exit, message, &mut trace)?,
    }
    Ok(trace)
}

fn guardian(
    context: &BatchContext,
    op: &SignedOp,
    account: &Account,
    message: Fr,
    trace: &mut OpTrace,
) -> Result<(), Rejection> {
    let (index, time, policy) = (op.body.account, context.time, &context.policy);
    if op.key.keyhash() != policy.guardian_keyhash {
        return Err(Rejection::NotGuardian);
    }
    if op.body.nonce != 0 {
        return Err(Rejection::WrongNonce {
            account: index,
            expected: 0,
            got: op.body.nonce,
        });
    }
    if op.body.fee != 0 {
        return Err(Rejection::Encoding("the guardian pays no fee".into()));
    }
    let mut after = *account;
    let old = match op.body.action {
        Action::Freeze { until, old_until } => {
            if until <= time || until > time + policy.max_freeze {
                return Err(Rejection::FreezeOutOfBounds {
                    until,
                    time,
                    max: policy.max_freeze,
                });
            }
            let from = account.frozen_until + policy.cooldown;
            if time < from {
                return Err(Rejection::Cooldown {
                    account: index,
                    from,
                });
            }
            trace.kind = ResolvedKind::Freeze;
            after.frozen_until = until;
            old_until
        }
        Action::Unfreeze { old_until } => {
            trace.kind = ResolvedKind::Unfreeze;
            after.frozen_until = time;
            old_until
        }
        _ => return Err(Rejection::NotGuardian),
    };
    let wrong = Rejection::WrongFreeze {
        account: index,
        until: account.frozen_until,
        got: old,
    };
    if old != account.frozen_until {
        return Err(wrong);
    }
    if trace.kind == ResolvedKind::Unfreeze && !account.is_frozen(time) {
        return Err(wrong);
    }
    if !op.key.verify(message, &op.signature) {
        return Err(Rejection::BadSignature(index));
    }
    trace.accesses[0] = Some(Access {
        index,
        before: Some(*account),
        after: Some(after),
    });
    Ok(())
}

fn by_owner(
    state: &State,
    context: &BatchContext,
    op: &SignedOp,
    account: Account,
    exit: Address,
    message: Fr,
    trace: &mut OpTrace,
) -> Result<(), Rejection> {
    let body = &op.body;
    let index = body.account;
    if owner(op.key.keyhash(), exit) != account.owner {
        return Err(Rejection::NotOwner(index));
    }
    if body.nonce != account.nonce {
        return Err(Rejection::WrongNonce {
            account: index,
            expected: account.nonce,
            got: body.nonce,
        });
    }
    let nonce = account
        .nonce
        .checked_add(1)
        .ok_or(Rejection::NonceExhausted(index))?;
    let (kind, amount) = match body.action {
        Action::Transfer { to, amount } => {
            if to == index {
                return Err(Rejection::SelfTransfer(index));
            }
            (ResolvedKind::Transfer, amount)
        }
        Action::TransferNew { amount, .. } => (ResolvedKind::TransferNew, amount),
        Action::Withdraw { amount, .. } => (ResolvedKind::Withdraw, amount),
        _ => (ResolvedKind::ChangeKey, 0),
    };
    if kind != ResolvedKind::ChangeKey && amount == 0 {
        return Err(Rejection::ZeroAmount);
    }
    let to_exit = matches!(body.action, Action::Withdraw { to, .. } if to == exit);
    if account.is_frozen(context.time) && !to_exit {
        return Err(Rejection::Frozen {
            account: index,
            until: account.frozen_until,
        });
    }
    let needed = amount.saturating_add(body.fee);
    let balance = account
        .balance
        .checked_sub(needed)
        .ok_or(Rejection::InsufficientBalance {
            account: index,
            balance: account.balance,
            needed,
        })?;
    if !op.key.verify(message, &op.signature) {
        return Err(Rejection::BadSignature(index));
    }
    trace.kind = kind;
    trace.amount = amount;
    trace.fee = body.fee;
    let mut sender = Account {
        nonce,
        balance,
        ..account
    };
    match body.action {
        Action::Transfer { to, amount } => {
            let before = *state.account(to).ok_or(Rejection::NoSuchAccount(to))?;
            if crate::account::is_limiter(to) {
                return Err(Rejection::IsLimiter(to));
            }
            if before.token != account.token {
                return Err(Rejection::WrongToken {
                    account: to,
                    expected: before.token,
                    got: account.token,
                });
            }
            let balance = before
                .balance
                .checked_add(amount)
                .ok_or(Rejection::BalanceOverflow(to))?;
            trace.accesses[1] = Some(Access {
                index: to,
                before: Some(before),
                after: Some(Account { balance, ..before }),
            });
        }
        Action::TransferNew {
            keyhash,
            exit,
            amount,
        } => {
            let created = Account {
                balance: amount,
                ..Account::new(owner(keyhash, exit), account.token)
            };
            trace.accesses[1] = Some(Access {
                index: state.free_index()?,
                before: None,
                after: Some(created),
            });
        }
        Action::Withdraw { amount, .. } => leave(state, context, account.token, amount, trace),
        Action::ChangeKey { keyhash } => sender.owner = owner(keyhash, exit),
        _ => {}
    }
    trace.accesses[0] = Some(Access {
        index,
        before: Some(account),
        after: Some(sender),
    });
    trace.accesses[2] = Some(fee_access(state, context, trace, account.token, body.fee)?);
    Ok(())
}

/// The fee account after the accesses so far (it may be sender or receiver itself).
fn fee_access(
    state: &State,
    context: &BatchContext,
    trace: &OpTrace,
    token: Token,
    fee: u128,
) -> Result<Access, Rejection> {
    let index = fee_index(token);
    let before = trace.accesses[..2]
        .iter()
        .flatten()
        .rev()
        .find(|a| a.index == index)
        .map_or_else(|| state.account(index).copied(), |a| a.after);
    let account = before.unwrap_or_else(|| Account::new(context.policy.fee_owner(), token));
    let balance = account
        .balance
        .checked_add(fee)
        .ok_or(Rejection::BalanceOverflow(index))?;
    Ok(Access {
        index,
        before,
        after: Some(Account { balance, ..account }),
    })
}

impl OpTrace {
    /// Padding.
    #[must_use]
    pub fn noop() -> Self {
        Self {
            op: Op::Noop,
            kind: ResolvedKind::Noop,
            accesses: [None; 3],
            amount: 0,
            fee: 0,
            limiter: None,
            opening: None,
            message: None,
        }
    }

    /// The signed operation, if it is one.
    #[must_use]
    pub fn signed(&self) -> Option<&SignedOp> {
        match &self.op {
            Op::Signed(s) => Some(s),
            _ => None,
        }
    }

    /// The posted words, in the order of the word chain (protocol section 6).
    #[must_use]
    pub fn words(&self) -> Vec<(Section, Word)> {
        crate::data::words(self)
    }
}
