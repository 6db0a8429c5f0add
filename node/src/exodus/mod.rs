//! Exodus: the way out that asks nobody. The state is rebuilt from what L1 tells, and every account
//! leaves with its path; what the queue still held is given back, what was proven to leave is
//! claimed. [`Dues`] tells what is due, a [`Sender`] takes it out: all of it or a part, in one go or
//! in several.

mod dues;
mod leave;

pub use dues::{Due, Dues, What};
pub use leave::{is_passing, Done, Outcome, Sender};

use alloy_primitives::{Address, U256};
use bastion_audit::chain::{Block, History};
use bastion_audit::Replay;
use bastion_contract::rollup::IRollup;
use bastion_l1::{DevChain, ReadL1};
use bastion_protocol::times::{ALARM_DEADLINE, OPERATOR_DEADLINE};
use bastion_protocol::{field, Account, Index, Policy};
use bastion_prover::progress::Progress;
use bastion_state::state::State;
use serde::Serialize;

use crate::error::NodeError;
pub(crate) use crate::exodus::dues::view;
use crate::settle::{to_u256, RollupClient};

/// Gas of everything that was paid out, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Exodus {
    /// Of the call that began it.
    pub begin: u64,
    /// Of each account that left.
    pub departures: Vec<u64>,
    /// Of each deposit given back.
    pub refunds: Vec<u64>,
    /// Of each exit of a final block that was still to be claimed.
    pub claims: Vec<u64>,
}

/// The final blocks of a history.
fn final_blocks(history: &History) -> impl Iterator<Item = &Block> {
    history.blocks.iter().take_while(|b| b.finalized.is_some())
}

/// The state under the final root, from L1 data alone.
///
/// # Errors
/// [`NodeError::History`] if the data lead to another root, or were made under policies that are
/// not among `policies`; [`NodeError::Data`] if the data of a block cannot be read, its blob among them.
pub fn rebuild(history: &History, policies: &[Policy]) -> Result<State, NodeError> {
    let wrong = |why: String| NodeError::History { contract: history.contract.to_string(), why };
    let mut replay = Replay::new();
    for (i, block) in final_blocks(history).enumerate() {
        let root = block.header.policy_root;
        let policy = policies.iter().find(|p| p.root() == root).ok_or_else(|| {
            wrong(format!("block {}: no given policy has the root {}", i + 1, field::to_hex(&root)))
        })?;
        replay.set_policy(policy);
        let data = block.read(history.domain());
        let data =
            data.map_err(|fault| NodeError::Data { block: i as u64 + 1, fault: Box::new(fault) })?;
        for batch in data.batches {
            replay
                .apply(&batch, block.header.time)
                .map_err(|e| wrong(format!("block {}: {e}", i + 1)))?;
        }
    }
    if replay.root() != history.state_root {
        return Err(wrong("its data lead to another root".into()));
    }
    let accounts = replay.accounts().map(|(i, a)| (i, *a));
    Ok(State::with_accounts(accounts, replay.openings().copied())?)
}

/// Whether exodus has begun or may begin, and else from when on it may if nothing more becomes
/// final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// It has begun.
    Begun,
    /// Anybody may begin it.
    MayBegin,
    /// An alarm runs.
    AlarmRuns {
        /// Number of the block in doubt.
        block: u64,
        /// L1 time from which on anybody may begin exodus, if the council does not answer.
        until: u64,
    },
    /// An entry of the queue waits, and is not overdue yet.
    NotYet {
        /// Number of the entry, from 1.
        entry: u64,
        /// L1 time after which exodus may begin.
        after: u64,
    },
    /// Nothing waits.
    NothingWaits,
}

/// Where a rollup stands with exodus.
///
/// # Errors
/// If the L1 does not answer.
pub fn standing(l1: &mut dyn ReadL1, history: &History) -> Result<Standing, NodeError> {
    let contract = Address::from(history.contract.0);
    if view(l1, contract, &IRollup::exodusCall {})? {
        return Ok(Standing::Begun);
    }
    if view(l1, contract, &IRollup::exodusDueCall {})? {
        return Ok(Standing::MayBegin);
    }
    let block = view(l1, contract, &IRollup::doubtedCall {})?;
    if block != 0 {
        let rung = view(l1, contract, &IRollup::alarmedAtCall {})?;
        let until = rung.saturating_add(ALARM_DEADLINE);
        return Ok(Standing::AlarmRuns { block, until });
    }
    let resumed = view(l1, contract, &IRollup::resumedAtCall {})?;
    // Proven blocks count: to begin exodus makes them final.
    let proven = history.blocks.iter().take_while(|b| b.proving.is_some());
    let processed = proven.last().map_or(0, |b| b.processed);
    let next = usize::try_from(processed).ok();
    let deadline = view(l1, contract, &IRollup::QUEUE_DEADLINECall {})?;
    Ok(match next.and_then(|at| history.queue.get(at)) {
        Some(waiting) => Standing::NotYet {
            entry: processed.saturating_add(1),
            // After an alarm operators get time to process again what was taken back.
            after: (waiting.time.saturating_add(deadline.saturating_to()))
                .max(resumed.saturating_add(OPERATOR_DEADLINE)),
        },
        None => Standing::NothingWaits,
    })
}

impl RollupClient {
    /// Begins exodus and takes everybody out: accounts, waiting deposits, exits whose time has come.
    /// Every call is sent by `sender`, who needs no role.
    ///
    /// # Errors
    /// [`NodeError::L1`] with the contract's named error.
    pub fn exodus(
        &self,
        l1: &mut dyn DevChain,
        sender: Address,
        history: &History,
        state: &State,
    ) -> Result<Exodus, NodeError> {
        l1.fund(sender, U256::ZERO)?;
        let sender = Sender { contract: self.rollup, from: sender, dry_run: false };
        let mut gas = Exodus { begin: sender.begin(l1)?, ..Exodus::default() };
        let dues = Dues::of(history, state)?;
        for done in sender.leave(l1, &dues, |_| true, &Progress::silent())? {
            match (done.outcome, done.due.what) {
                (Outcome::Paid { gas: g }, What::Account { .. }) => gas.departures.push(g),
                (Outcome::Paid { gas: g }, What::Deposit { .. }) => gas.refunds.push(g),
                (Outcome::Paid { gas: g }, What::Exit { .. }) => gas.claims.push(g),
                (Outcome::Paid { .. }, What::Owed) => {}
                (Outcome::PaidBefore | Outcome::WouldPay | Outcome::Waits { .. }, _) => {}
                (Outcome::Refused { why }, what) => {
                    return Err(NodeError::NotPaid { what: format!("{what:?}"), why })
                }
            }
        }
        Ok(gas)
    }

    /// Seconds after which an entry of the queue that no final block holds lets exodus begin.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn queue_deadline(&self, l1: &mut dyn ReadL1) -> Result<u64, NodeError> {
        let seconds: U256 = self.view(l1, &IRollup::QUEUE_DEADLINECall {})?;
        Ok(seconds.saturating_to())
    }

    /// What the rollup holds of a token by its books.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn held(&self, l1: &mut dyn ReadL1, token: u16) -> Result<U256, NodeError> {
        self.view(l1, &IRollup::heldCall { token })
    }
}

/// The call by which an account leaves.
///
/// # Errors
/// [`NodeError::UnknownOwner`] if the state does not know who owns the account.
pub fn departure(
    state: &State,
    index: Index,
    account: &Account,
) -> Result<IRollup::departCall, NodeError> {
    let (keyhash, exit) = state.opening(account.owner).ok_or(NodeError::UnknownOwner { index })?;
    Ok(IRollup::departCall {
        index,
        account: IRollup::Account {
            keyhash: to_u256(&keyhash),
            exit: Address::from(exit.0),
            token: account.token,
            nonce: account.nonce,
            balance: account.balance,
            frozenUntil: alloy_primitives::aliases::U40::from(account.frozen_until),
        },
        path: state.tree().path(index).map(|node| to_u256(&node)),
    })
}
