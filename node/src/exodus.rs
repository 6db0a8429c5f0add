//! Exodus: the way out that asks nobody. The state is rebuilt from what L1 tells, and every account
//! leaves with its path; what the queue still held is given back, what was proven to leave is
//! claimed.

use std::collections::BTreeSet;

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bastion_audit::chain::{Block, History};
use bastion_audit::Replay;
use bastion_contract::rollup::IRollup;
use bastion_state::account::is_limiter;
use bastion_state::data::{BatchData, Section};
use bastion_state::ops::Op;
use bastion_state::state::State;
use bastion_state::{field, Account, Index, Policy};
use serde::Serialize;

use crate::error::NodeError;
use crate::l1::L1;
use crate::settle::{to_u256, Settlement};

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

fn batches(block: &Block) -> Result<Vec<BatchData>, NodeError> {
    let mut rest = block.data.as_slice();
    (0..block.header.batches)
        .map(|_| Ok(BatchData::read(&mut rest)?))
        .collect()
}

/// The state under the final root, from L1 data alone.
///
/// # Errors
/// [`NodeError::History`] if the data lead to another root, or were made under policies that are
/// not among `policies`.
pub fn rebuild(history: &History, policies: &[Policy]) -> Result<State, NodeError> {
    let wrong = |why: String| NodeError::History {
        contract: history.contract.to_string(),
        why,
    };
    let mut replay = Replay::new();
    for (i, block) in final_blocks(history).enumerate() {
        let root = block.header.policy_root;
        let policy = policies.iter().find(|p| p.root() == root).ok_or_else(|| {
            wrong(format!(
                "block {}: no given policy has the root {}",
                i + 1,
                field::to_hex(&root)
            ))
        })?;
        replay.set_policy(policy);
        for batch in batches(block)? {
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

impl Settlement {
    /// Begins exodus and takes everybody out: accounts, waiting deposits, exits whose time has come.
    /// Every call is sent by `sender`, who needs no role.
    ///
    /// # Errors
    /// [`NodeError::L1`] with the contract's named error.
    pub fn exodus(
        &self,
        l1: &mut dyn L1,
        sender: Address,
        history: &History,
        state: &State,
    ) -> Result<Exodus, NodeError> {
        l1.fund(sender, U256::ZERO)?;
        let send =
            |l1: &mut dyn L1, data: Vec<u8>| l1.send(sender, self.rollup, U256::ZERO, data.into());
        let mut done = Exodus {
            begin: send(l1, IRollup::beginExodusCall {}.abi_encode())?,
            ..Exodus::default()
        };
        for (index, account) in state.accounts() {
            if is_limiter(index) || account.balance == 0 {
                continue;
            }
            let call = departure(state, index, account)?;
            done.departures.push(send(l1, call.abi_encode())?);
        }
        let processed = final_blocks(history).last().map_or(0, |b| b.processed);
        let entries = (1..).zip(&history.queue);
        for (entry, queued) in entries.skip_while(|(entry, _)| *entry <= processed) {
            if let Op::Deposit(d) = queued.op {
                let call = IRollup::refundCall {
                    entry: U256::from(entry),
                    token: d.token,
                    amount: d.amount,
                    keyhash: to_u256(&d.keyhash),
                    exit: Address::from(d.exit.0),
                };
                done.refunds.push(send(l1, call.abi_encode())?);
            }
        }
        let claimed: BTreeSet<(u64, u64)> = history
            .claims
            .iter()
            .map(|c| (c.block, c.position))
            .collect();
        for (number, block) in (1..).zip(final_blocks(history)) {
            let exits: Vec<Vec<u8>> = batches(block)?
                .into_iter()
                .flat_map(|mut b| std::mem::take(&mut b.records[Section::Exits as usize]))
                .collect();
            for position in 0..exits.len() {
                if !claimed.contains(&(number, position as u64)) {
                    done.claims.push(self.claim(l1, number, position, &exits)?);
                }
            }
        }
        Ok(done)
    }

    /// Seconds after which an entry of the queue that no final block holds lets exodus begin.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn queue_deadline(&self, l1: &mut dyn L1) -> Result<u64, NodeError> {
        let seconds: U256 = self.view(l1, &IRollup::QUEUE_DEADLINECall {})?;
        Ok(seconds.saturating_to())
    }

    /// What the rollup holds of a token by its books.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn held(&self, l1: &mut dyn L1, token: u16) -> Result<U256, NodeError> {
        self.view(l1, &IRollup::heldCall { token })
    }
}

/// The call by which an account leaves.
///
/// # Errors
/// [`NodeError::L1`] if the state does not know who owns the account.
pub fn departure(
    state: &State,
    index: Index,
    account: &Account,
) -> Result<IRollup::departCall, NodeError> {
    let (keyhash, exit) = state
        .opening(account.owner)
        .ok_or_else(|| NodeError::L1(format!("the owner of account {index} is not known")))?;
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
