//! What everybody can still take out, from L1 data alone.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bastion_audit::chain::History;
use bastion_contract::rollup::IRollup;
use bastion_l1::ReadL1;
use bastion_protocol::account::is_limiter;
use bastion_protocol::ops::Op;
use bastion_protocol::records::ExitRecord;
use bastion_protocol::times::{MAX_CLOCK_LAG, MAX_RELEASE_DELAY};
use bastion_protocol::{field, Fr, Index, Token};
use bastion_state::state::State;
use serde::Serialize;

use crate::error::NodeError;
use crate::exodus::{departure, final_blocks};
use crate::settle::{claim_call, to_u256};

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// The balance of an account; in exodus.
    Account {
        /// Its index.
        index: Index,
    },
    /// A deposit that waits in the queue; in exodus.
    Deposit {
        /// Number of the entry, from 1.
        entry: u64,
    },
    /// An exit of a final block; at any time from its release on.
    Exit {
        /// Number of the block, from 1.
        block: u64,
        /// Position among the block's exits.
        position: u64,
    },
    /// A payment that its receiver refused; at any time.
    Owed,
}

/// Something that somebody can take out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// What it is.
    #[serde(flatten)]
    pub what: What,
    /// Who is paid, whoever sends the call.
    pub to: Address,
    /// Token.
    pub token: Token,
    /// Amount.
    #[serde(with = "field::serde_decimal")]
    pub amount: u128,
    /// L1 time from which on it can be paid; 0 if time does not matter.
    pub payable_at: u64,
}

impl Due {
    /// Whether it takes exodus.
    pub fn needs_exodus(&self) -> bool {
        match self.what {
            What::Account { .. } | What::Deposit { .. } => true,
            What::Exit { .. } | What::Owed => false,
        }
    }

    /// Whether the contract says that it was paid, whatever events told.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn is_paid(&self, l1: &mut dyn ReadL1, contract: Address) -> Result<bool, NodeError> {
        let bit = |word: U256, at: u64| word.bit((at % 256) as usize);
        Ok(match self.what {
            What::Account { index } => {
                let word = U256::from(index >> 8);
                let word = view(l1, contract, &IRollup::departedCall { word })?;
                bit(word, u64::from(index))
            }
            What::Deposit { entry } => {
                let entry = U256::from(entry);
                view(l1, contract, &IRollup::refundedCall { entry })?
            }
            What::Exit { block, position } => {
                let (number, word) = (U256::from(block), U256::from(position >> 8));
                let word = view(l1, contract, &IRollup::claimedCall { number, word })?;
                bit(word, position)
            }
            What::Owed => {
                let (account, token) = (self.to, self.token);
                let owed = view(l1, contract, &IRollup::owedCall { account, token })?;
                owed.is_zero()
            }
        })
    }
}

/// Everything that is due, and what it takes to call for it.
pub struct Dues<'a> {
    history: &'a History,
    state: &'a State,
    /// Exit records of each final block.
    exits: Vec<Vec<Vec<u8>>>,
    /// What is due, in the order of accounts, deposits, exits, debts.
    pub all: Vec<Due>,
}

impl<'a> Dues<'a> {
    /// What a history and the state under its final root leave due; what events say was paid is
    /// left out.
    ///
    /// # Errors
    /// If posted data cannot be read, or the owner of an account is not known.
    pub fn of(history: &'a History, state: &'a State) -> Result<Self, NodeError> {
        let mut exits = Vec::new();
        for (number, block) in (1..).zip(final_blocks(history)) {
            let records = block.exits();
            exits.push(
                records
                    .map_err(|fault| NodeError::Data { block: number, fault: Box::new(fault) })?,
            );
        }
        let mut dues = Self { history, state, exits, all: Vec::new() };
        dues.accounts()?;
        dues.deposits();
        dues.claims()?;
        dues.debts();
        Ok(dues)
    }

    /// The root under which accounts leave.
    pub fn root(&self) -> Fr {
        self.state.root()
    }

    fn accounts(&mut self) -> Result<(), NodeError> {
        // In exodus an alarm may take the root back until then.
        let last = final_blocks(self.history).last();
        let finalized_at = last
            .map_or(self.history.genesis_time.saturating_add(MAX_CLOCK_LAG), |b| {
                b.finalized_at.unwrap_or_default()
            });
        let payable_at = finalized_at.saturating_add(MAX_RELEASE_DELAY);
        let departures = self.history.departures.iter();
        let left: BTreeSet<Index> = departures.map(|d| d.index).collect();
        for (index, account) in self.state.accounts() {
            if is_limiter(index) || account.balance == 0 || left.contains(&index) {
                continue;
            }
            let (_, exit) =
                self.state.opening(account.owner).ok_or(NodeError::UnknownOwner { index })?;
            self.all.push(Due {
                what: What::Account { index },
                to: Address::from(exit.0),
                token: account.token,
                amount: account.balance,
                payable_at,
            });
        }
        Ok(())
    }

    fn deposits(&mut self) {
        let processed = final_blocks(self.history).last().map_or(0, |b| b.processed);
        let refunds = self.history.refunds.iter();
        let refunded: BTreeSet<u64> = refunds.map(|r| r.entry).collect();
        for (entry, queued) in (1..).zip(&self.history.queue) {
            let Op::Deposit(d) = queued.op else {
                continue;
            };
            if entry > processed && !refunded.contains(&entry) {
                self.all.push(Due {
                    what: What::Deposit { entry },
                    to: Address::from(d.exit.0),
                    token: d.token,
                    amount: d.amount,
                    payable_at: 0,
                });
            }
        }
    }

    fn claims(&mut self) -> Result<(), NodeError> {
        // A claim counts for the block that it was of: an alarm may have put another in its place.
        let blocks = &self.history.blocks;
        let claims = self.history.claims.iter().filter(|c| {
            let at = c.block.checked_sub(1).and_then(|i| usize::try_from(i).ok());
            let block = at.and_then(|at| blocks.get(at));
            block.is_some_and(|b| c.header == Some(b.header))
        });
        let claimed: BTreeSet<_> = claims.map(|c| (c.block, c.position)).collect();
        let blocks = final_blocks(self.history).zip(&self.exits);
        for (number, (block, records)) in (1..).zip(blocks) {
            for (position, record) in (0..).zip(records) {
                if claimed.contains(&(number, position)) {
                    continue;
                }
                let exit = ExitRecord::read(record)
                    .map_err(|_| NodeError::NoSuchExit { block: number, position })?;
                // What is left to wait counts from the commit.
                let wait = exit.release_time.saturating_sub(block.header.time);
                self.all.push(Due {
                    what: What::Exit { block: number, position },
                    to: Address::from(exit.to.0),
                    token: exit.token,
                    amount: exit.amount,
                    payable_at: block.committed_at.saturating_add(wait),
                });
            }
        }
        Ok(())
    }

    fn debts(&mut self) {
        let mut owed: BTreeMap<(bastion_protocol::Address, Token), u128> = BTreeMap::new();
        for due in &self.history.owed {
            let sum = owed.entry((due.account, due.token)).or_default();
            *sum = sum.saturating_add(due.amount);
        }
        for due in &self.history.collected {
            let sum = owed.entry((due.account, due.token)).or_default();
            *sum = sum.saturating_sub(due.amount);
        }
        for ((account, token), amount) in owed.into_iter().filter(|(_, sum)| *sum > 0) {
            self.all.push(Due {
                what: What::Owed,
                to: Address::from(account.0),
                token,
                amount,
                payable_at: 0,
            });
        }
    }

    /// The call by which it is paid. Anybody may send it.
    ///
    /// # Errors
    /// [`NodeError::NoSuchExit`] or [`NodeError::UnknownOwner`] for what is not due here.
    pub fn call(&self, due: &Due) -> Result<Vec<u8>, NodeError> {
        match due.what {
            What::Account { index } => {
                let account = self.state.account(index);
                let account = account.ok_or(NodeError::UnknownOwner { index })?;
                Ok(departure(self.state, index, account)?.abi_encode())
            }
            What::Deposit { entry } => {
                let at = entry.checked_sub(1).and_then(|i| usize::try_from(i).ok());
                let queued = at.and_then(|i| self.history.queue.get(i));
                let Some(Op::Deposit(d)) = queued.map(|q| q.op) else {
                    return Err(NodeError::NoSuchDeposit { entry });
                };
                let call = IRollup::refundCall {
                    entry: U256::from(entry),
                    token: d.token,
                    amount: d.amount,
                    keyhash: to_u256(&d.keyhash),
                    exit: Address::from(d.exit.0),
                };
                Ok(call.abi_encode())
            }
            What::Exit { block, position } => {
                let at = block.checked_sub(1).and_then(|i| usize::try_from(i).ok());
                let missing = || NodeError::NoSuchExit { block, position };
                let exits = at.and_then(|i| self.exits.get(i)).ok_or_else(missing)?;
                let of = at.and_then(|i| self.history.blocks.get(i)).ok_or_else(missing)?;
                Ok(claim_call(block, of.inputs_hash.into(), position, exits)?.abi_encode())
            }
            What::Owed => {
                let (account, token) = (due.to, due.token);
                let to = account;
                Ok(IRollup::collectCall { account, token, to }.abi_encode())
            }
        }
    }
}

/// A value of the contract.
pub(crate) fn view<C: SolCall>(
    l1: &mut dyn ReadL1,
    contract: Address,
    call: &C,
) -> Result<C::Return, NodeError> {
    let output = l1.view(contract, call.abi_encode().into())?;
    C::abi_decode_returns(&output).map_err(|e| NodeError::Answer {
        contract: contract.to_string(),
        call: C::SIGNATURE,
        why: e.to_string(),
    })
}
