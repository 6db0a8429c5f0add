//! The settler: brings sealed and proven blocks to L1, in order, and notes when they are final.
//!
//! The contract's counters are the truth. In every step the settler looks at them and asks for the one
//! transaction of each kind that comes next: `commit n`, `prove n`, which finalizes too, and `finalize n`
//! if somebody else has only proven; or `settle n` for all of it at once, if it is so configured. What was
//! taken back on L1, or vanished in a reorganization, is asked for again under a new name (`commit n again 1`).

mod judge;
mod senders;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::{Address, Bytes, B256, U256};
use alloy_sol_types::SolCall;
use bastion_contract::rollup::IRollup;
use bastion_l1::blob::Sidecar;
use bastion_l1::txmgr::{Intent, Request, State, TxManager, TxOptions, Wallet};
use bastion_l1::{At, Failover, Finality, L1Error, ReadL1, ReadLogs};
use bastion_protocol::data::DataMode;
use bastion_protocol::times::{MAX_CLOCK_LAG, QUEUE_DEADLINE};
use tracing::{info, warn};

use senders::Senders;

use super::policies::{root_on_l1, Policies};
use super::run::Order;
use super::view::{L1View, TxInfo};
use super::Control;
use crate::coordinator::blocks::BlockInfo;
use crate::coordinator::Coordinator;
use crate::error::NodeError;
use crate::posted::{exit_root_of, PostedData};
use crate::sentinel::{lock, Watch};
use crate::settle::{finalize_call, prove_call, to_u256, with_memo, Record};

/// Blocks of which the transactions are shown.
const SHOWN: u64 = 256;
/// A part of the queue's deadline after which a waiting entry is an alarm.
const LATE: u64 = QUEUE_DEADLINE / 8;
/// Age of a block from which on it does not wait for its proof any more: the contract takes no commit that
/// is `MAX_CLOCK_LAG` late.
const LONGEST_WAIT: u64 = MAX_CLOCK_LAG / 4;

/// Steps of a block on L1, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Commit,
    Prove,
    Finalize,
    /// In the place of the three.
    Settle,
}

impl Step {
    /// What is looked at in each step, and shown of each block. A block that is settled at once is shown as
    /// committed by that transaction.
    const ALL: [Self; 3] = [Self::Commit, Self::Prove, Self::Finalize];

    fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Prove => "prove",
            Self::Finalize => "finalize",
            Self::Settle => "settle",
        }
    }
}

/// The contract's counters as of one L1 block.
#[derive(Debug, Clone, Copy)]
struct Counters {
    /// The L1 block.
    block: u64,
    committed: u64,
    proven: u64,
    finalized: u64,
}

impl Counters {
    fn of(&self, step: Step) -> u64 {
        match step {
            Step::Commit | Step::Settle => self.committed,
            Step::Prove => self.proven,
            Step::Finalize => self.finalized,
        }
    }
}

/// The settler.
pub struct Settler {
    senders: Senders,
    contract: Address,
    coordinator: Arc<Coordinator>,
    control: Control,
    view: L1View,
    finality: Finality,
    tagged: bool,
    /// Blocks that were final on L1 when a final L1 block was looked at last.
    settled: u64,
    /// Blocks of the contract that were compared with our own.
    compared: u64,
    /// Where governance says which policy is in force, the policies that the operator has as files, and
    /// the root of the one that was set last.
    policies: Policies,
    /// Cancelled transactions that the operator wants after all.
    again: BTreeSet<String>,
    /// The clock of L1, as the last block told it.
    clock: super::clock::L1Clock,
    /// Whose claims are posted with each block.
    sentinel: Option<Watch>,
    /// Whether a block waits for its proof, and all of it goes in one transaction.
    in_one: bool,
}

impl Settler {
    /// A settler with the transaction manager's database at `path`.
    ///
    /// # Errors
    /// If L1 does not answer or the database cannot be opened.
    #[allow(clippy::too_many_arguments, reason = "the parts that it connects")]
    pub fn open(
        path: &Path,
        l1: Failover,
        wallet: Wallet,
        options: TxOptions,
        contract: Address,
        coordinator: Arc<Coordinator>,
        control: Control,
        view: L1View,
        policies: Policies,
        clock: super::clock::L1Clock,
        sentinel: Option<Watch>,
    ) -> Result<Self, NodeError> {
        let finality = options.finality;
        // What is final was compared before.
        let known = coordinator.last_final()?;
        let manager = TxManager::open(path, l1, wallet, options, judge::judge(contract))?;
        Ok(Self {
            senders: Senders::new(manager),
            contract,
            coordinator,
            control,
            view,
            finality,
            tagged: false,
            settled: known,
            compared: known,
            policies,
            again: BTreeSet::new(),
            clock,
            sentinel,
            in_one: false,
        })
    }

    /// Whether blocks wait for their proofs and go to L1 in one transaction each.
    pub fn settle_in_one(&mut self, in_one: bool) {
        self.in_one = in_one;
    }

    /// Gives blobs an account of their own, with the transaction manager's database at `path`.
    ///
    /// # Errors
    /// [`NodeError::Key`] if it is the account of all other transactions; otherwise as [`Settler::open`].
    pub fn sending_blobs(
        mut self,
        path: &Path,
        l1: Failover,
        wallet: Wallet,
        options: TxOptions,
    ) -> Result<Self, NodeError> {
        self.senders.add_blobs(path, l1, wallet, options, judge::judge(self.contract))?;
        Ok(self)
    }

    /// Looks at L1, and does what comes next. `now` is the time in seconds.
    ///
    /// # Errors
    /// If L1 does not answer: the next call tries again. [`NodeError::Deployed`] if the contract has other
    /// blocks than this node made: no call helps.
    pub fn step(&mut self, now: u64) -> Result<(), NodeError> {
        let outcome = self.look();
        self.write_view(|view| view.synced = outcome.is_ok());
        let counters = outcome?;
        self.compare(&counters)?;
        for step in Step::ALL {
            self.next(step, &counters, now)?;
        }
        for notice in self.senders.step(now)? {
            use bastion_l1::txmgr::Notice as N;
            match &notice {
                N::Sent { .. } | N::Mined { .. } | N::Over { .. } | N::Waiting { .. } => {
                    info!("{notice}");
                }
                N::Reorged { .. }
                | N::Refused { .. }
                | N::ForeignNonce { .. }
                | N::Gap { .. }
                | N::LowBalance { .. }
                | N::Trouble { .. } => warn!("{notice}"),
            }
        }
        self.show();
        self.settle()
    }

    /// Looks at L1 once, and whether the contract's blocks are this node's.
    ///
    /// # Errors
    /// As [`Settler::step`].
    pub fn check(&mut self) -> Result<(), NodeError> {
        let counters = self.look()?;
        self.compare(&counters)
    }

    /// Does what the operator asked for.
    pub fn obey(&mut self, orders: &Receiver<Order>, now: u64) {
        let outcome = |done: Result<_, L1Error>| done.map(drop).map_err(|e| e.to_string());
        // Whoever asked may be gone.
        for order in orders.try_iter() {
            match order {
                Order::Resend(name, reply) => {
                    let cancelled = self
                        .senders
                        .get(&name)
                        .is_some_and(|intent| matches!(intent.state, State::Cancelled(_)));
                    let done = match cancelled {
                        // The next step asks for it under a new name.
                        true => {
                            self.again.insert(name);
                            Ok(())
                        }
                        false => outcome(self.senders.of(&name).resend(&name, now)),
                    };
                    let _ = reply.send(done);
                }
                Order::Cancel(name, reply) => {
                    let _ = reply.send(outcome(self.senders.of(&name).cancel(&name, now)));
                }
                Order::List(reply) => {
                    let _ = reply.send(self.senders.intents());
                }
            }
        }
    }

    /// Reads the contract's counters, and what else is shown of L1.
    fn look(&mut self) -> Result<Counters, NodeError> {
        let l1 = self.senders.plain().l1();
        let asked = Instant::now();
        let pin = l1.block(At::Latest)?.ok_or(L1Error::NoNamed { name: "latest" })?;
        self.clock.observe(pin.time, asked);
        let contract = self.contract;
        let counters = Counters {
            block: pin.number,
            committed: view(l1, contract, &IRollup::committedCall {})?,
            proven: view(l1, contract, &IRollup::provenCall {})?,
            finalized: view(l1, contract, &IRollup::finalizedCall {})?,
        };
        let length: U256 = view(l1, contract, &IRollup::queueLengthCall {})?;
        let last =
            view(l1, contract, &IRollup::blocksCall { number: U256::from(counters.finalized) })?;
        let queue: u64 = length.saturating_to();
        let oldest = match last.processed < queue {
            false => 0,
            true => {
                let next = U256::from(last.processed + 1);
                let entry = view(l1, contract, &IRollup::entriesCall(next))?;
                pin.time.saturating_sub(entry.queuedAt)
            }
        };
        if oldest > LATE {
            warn!(seconds = oldest, "an entry of the L1 queue waits long: after {QUEUE_DEADLINE} s anybody may begin exodus");
        }
        self.follow_policy()?;
        let policy = self.policies.current().cloned();
        let account = self.senders.plain().account();
        let l1 = self.senders.plain().l1();
        let balance = l1.balance(account)?.saturating_to();
        let gas_price = l1.market().map_or(0, |market| market.base_fee + market.tip);
        self.write_view(|view| {
            (view.block, view.time) = (pin.number, pin.time);
            view.committed = counters.committed;
            view.proven = counters.proven;
            view.finalized = counters.finalized;
            (view.queue_on_l1, view.oldest_queue_seconds) = (queue, oldest);
            (view.balance_wei, view.gas_price) = (balance, gas_price);
            view.policy = policy;
        });
        Ok(counters)
    }

    /// Blocks take the policy that governance has put in force. The one before is good for a while, so that
    /// a new one that the operator has no file of is an alarm before it is a halt.
    fn follow_policy(&mut self) -> Result<(), NodeError> {
        let governance = self.policies.governance;
        let Some(root) = root_on_l1(self.senders.plain().l1(), governance)? else { return Ok(()) };
        if root == to_u256(&self.policies.root) {
            // Whatever another root was, which a reorganization took away.
            self.control.set_trouble("policy", None);
            return Ok(());
        }
        let Some(policy) = self.policies.find(root).cloned() else {
            self.control.set_trouble("policy", Some(format!(
                "governance has put a policy with root {root:#066x} in force, of which this node has no file: \
                 put it into a file or folder that rollup.policies names"
            )));
            return Ok(());
        };
        let own = policy.root();
        if let Ok(answer) = self.policies.service.set_policy(policy) {
            if matches!(answer.blocking_recv(), Ok(Ok(()))) {
                info!(root = %format!("{root:#066x}"), "a new policy is in force");
                self.policies.root = own;
                self.control.set_trouble("policy", None);
            }
        }
        Ok(())
    }

    /// The blocks that the contract has must be ours: it must never happen that they are not, and if it
    /// does, whatever is sequenced would be lost.
    fn compare(&mut self, counters: &Counters) -> Result<(), NodeError> {
        self.compared = self.compared.min(counters.committed);
        while self.compared < counters.committed {
            let number = self.compared + 1;
            let Some(block) = self.coordinator.block(number)? else {
                return Err(self.other(format!(
                    "it has a block {number}, which this node has not made: its data folder is older than \
                     the contract; restore the newest backup"
                )));
            };
            let found = view(
                self.senders.plain().l1(),
                self.contract,
                &IRollup::blocksCall { number: U256::from(number) },
            )?;
            let record = Record { inputs: block.hash.into(), exits: self.exit_root(&block)? };
            if found.record != record.hash() {
                return Err(
                    self.other(format!("it has another block {number} than this node made"))
                );
            }
            self.compared = number;
        }
        Ok(())
    }

    /// Asks for the next transaction of a kind, if its block is ready.
    fn next(&mut self, step: Step, counters: &Counters, now: u64) -> Result<(), NodeError> {
        let number = counters.of(step) + 1;
        let Some(block) = self.coordinator.block(number)? else {
            return Ok(());
        };
        let step = match step {
            Step::Commit if self.goes_in_one(number, &block, counters, now) => Step::Settle,
            Step::Commit | Step::Prove | Step::Finalize | Step::Settle => step,
        };
        let mut sidecars = Vec::new();
        let input = match step {
            Step::Settle => {
                let Some(proof) = self.coordinator.proof(number)? else { return Ok(()) };
                self.control.set_trouble(step.name(), None);
                if self.name(step, number, counters).is_none() {
                    return Ok(());
                }
                let call = self
                    .posted(number, &block, |posted| posted.settle_call(&block.header, &proof))?;
                let Some((call, blobs)) = call else { return Ok(()) };
                sidecars = blobs;
                call
            }
            Step::Commit => {
                self.control.set_trouble(step.name(), None);
                // Proofs of blobs take a while: they are made once.
                if self.name(step, number, counters).is_none() {
                    return Ok(());
                }
                let call =
                    self.posted(number, &block, |posted| posted.commit_call(&block.header))?;
                let Some((call, blobs)) = call else { return Ok(()) };
                sidecars = blobs;
                call
            }
            Step::Prove if number > counters.committed => return Ok(()),
            Step::Prove => match self.coordinator.proof(number)? {
                Some(proof) => prove_call(number, &proof, self.exit_root(&block)?),
                None if block.final_at.is_some() => {
                    let why = format!(
                        "L1 has gone back behind block {number}, which was final: its proof is gone. Prove it \
                         again from the data folder's last backup in which it was not final"
                    );
                    self.control.set_trouble("prove", Some(why));
                    return Ok(());
                }
                None => return Ok(()),
            },
            Step::Finalize if number > counters.proven => return Ok(()),
            Step::Finalize => finalize_call(number),
        };
        self.control.set_trouble(step.name(), None);
        let Some(name) = self.name(step, number, counters) else {
            return Ok(());
        };
        let input = match (&self.sentinel, step) {
            (Some(watch), Step::Commit | Step::Settle) => {
                let claims = lock(watch).claims()?;
                with_memo(&input, &claims.memo())
            }
            (Some(_), Step::Prove | Step::Finalize) | (None, _) => input,
        };
        let request = Request::call(name, self.contract, input).with_blobs(&sidecars);
        Ok(self.senders.submit(request, now)?)
    }

    /// Whether a block that comes next goes to L1 in one transaction. One that is old does not wait for its
    /// proof. The claims of a sentinel are believed behind calls of operators alone, which `settle`, with
    /// all data in calldata, is not.
    fn goes_in_one(&self, number: u64, block: &BlockInfo, counters: &Counters, now: u64) -> bool {
        let sent = |step: Step| {
            let intent = self.senders.get(&format!("{} {number}", step.name()));
            intent.is_some_and(|intent| matches!(intent.state, State::Pending | State::Sent))
        };
        // What was asked for already is neither doubled nor overtaken.
        if sent(Step::Settle) {
            return true;
        }
        self.in_one
            && !sent(Step::Commit)
            && counters.committed == counters.proven
            && now < block.header.time.saturating_add(LONGEST_WAIT)
            && (self.sentinel.is_none() || !block.blobs.is_empty())
    }

    /// What the contract keeps of a block's exits.
    fn exit_root(&self, block: &BlockInfo) -> Result<B256, NodeError> {
        let mode = match block.blobs.is_empty() {
            true => DataMode::Calldata,
            false => DataMode::Blob,
        };
        exit_root_of(&self.coordinator.data(block)?, mode, block.header.batches)
    }

    /// A call that brings a block's data, with its blobs; none if blobs cannot be sent.
    fn posted(
        &self,
        number: u64,
        block: &BlockInfo,
        call: impl FnOnce(PostedData<'_>) -> Result<Bytes, NodeError>,
    ) -> Result<Option<(Bytes, Vec<Sidecar>)>, NodeError> {
        let data = self.coordinator.data(block)?;
        let blobs = self.coordinator.blobs_of(block)?;
        if !blobs.is_empty() && !self.senders.has_blobs() {
            let why = format!(
                "block {number} was sealed with its data in blobs, and there is no account for blobs: set \
                 l1.blob-keystore, or l1.blob-key-env and its variable"
            );
            self.control.set_trouble(Step::Commit.name(), Some(why));
            return Ok(None);
        }
        let sidecars = blobs.iter().map(|bytes| Sidecar::new(bytes).map_err(L1Error::from));
        let sidecars: Vec<Sidecar> = sidecars.collect::<Result<_, _>>()?;
        let posted = PostedData { data: &data, blobs: &sidecars };
        Ok(Some((call(posted)?, sidecars)))
    }

    /// The name of the transaction to ask for; none while the last one that had its effect may only not
    /// be visible yet.
    fn name(&self, step: Step, number: u64, counters: &Counters) -> Option<String> {
        let stuck = |name: &str, why: &str| {
            let why = format!(
                "transaction `{name}` {why}: nothing is accepted until it succeeds; mend the cause, then \
                 `bastion l1 resend \"{name}\"`"
            );
            self.control.set_trouble(step.name(), Some(why));
        };
        for again in 0_u32.. {
            let name = match again {
                0 => format!("{} {number}", step.name()),
                n => format!("{} {number} again {n}", step.name()),
            };
            match self.senders.get(&name).map(|intent| &intent.state) {
                None => return Some(name),
                // It was mined, and the contract has gone back since.
                Some(State::Final(inclusion)) if inclusion.block < counters.block => {}
                Some(State::Superseded) => {}
                Some(State::Pending | State::Sent | State::Mined(_) | State::Final(_)) => {
                    return None
                }
                // The operator decides: `bastion l1 resend`.
                Some(State::Failed { cause }) => {
                    stuck(&name, &format!("has failed ({cause})"));
                    return None;
                }
                Some(State::Cancelled(_)) if self.again.contains(&name) => {}
                Some(State::Cancelled(_)) => {
                    stuck(&name, "was cancelled");
                    return None;
                }
            }
        }
        None
    }

    /// Tells the coordinator of blocks that are final in a final L1 block.
    fn settle(&mut self) -> Result<(), NodeError> {
        let (contract, finality) = (self.contract, self.finality);
        let Some(pin) = finality.last(self.senders.plain().l1(), &mut self.tagged)? else {
            return Ok(());
        };
        let call = IRollup::finalizedCall {};
        let answer = self.senders.plain().l1().view_at(&pin, contract, call.abi_encode().into());
        let answer = match answer {
            Ok(answer) => answer,
            // Before the deployment there is no such contract.
            Err(error) if error.is_refused_call() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let Ok(finalized) = IRollup::finalizedCall::abi_decode_returns(&answer) else {
            return Ok(());
        };
        // No answer of a node is believed beyond what was seen at the latest block, or made here.
        let seen = self.view.read().map_or(0, |view| view.finalized);
        let finalized = finalized.min(seen).min(self.coordinator.last_block()?);
        while self.settled < finalized {
            self.coordinator.finalized(self.settled + 1)?;
            self.settled += 1;
        }
        Ok(())
    }

    /// Shows the transactions of the last blocks.
    fn show(&self) {
        let last = self.view.read().map_or(0, |view| view.committed + 1);
        let first = last.saturating_sub(SHOWN).max(1);
        let mut shown = std::collections::BTreeMap::new();
        for number in first..=last {
            let of = |step: Step| {
                let name = format!("{} {number}", step.name());
                let again = (1..).map(|n| format!("{name} again {n}"));
                let names = [name.clone()].into_iter().chain(again);
                let intents = names.map_while(|name| self.senders.get(&name));
                intents.filter_map(info_of).last()
            };
            let mut steps = Step::ALL.map(of);
            steps[0] = of(Step::Settle).or(steps[0].take());
            if steps.iter().any(Option::is_some) {
                shown.insert(number, steps);
            }
        }
        self.write_view(|view| view.transactions = shown);
    }

    fn write_view(&self, write: impl FnOnce(&mut super::view::L1Status)) {
        write(&mut self.view.write().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    fn other(&self, why: String) -> NodeError {
        self.control.set_trouble("L1", Some(why.clone()));
        NodeError::Deployed { contract: self.contract.to_string(), why }
    }
}

/// What was mined for an intent.
fn info_of(intent: &Intent) -> Option<TxInfo> {
    match &intent.state {
        State::Mined(inclusion) | State::Final(inclusion) => Some(TxInfo {
            hash: inclusion.transaction.0,
            block: inclusion.block,
            gas: inclusion.gas_used,
            wei: inclusion.cost.saturating_to(),
            attempts: intent.attempts.len() as u32,
        }),
        State::Pending
        | State::Sent
        | State::Failed { .. }
        | State::Superseded
        | State::Cancelled(_) => None,
    }
}

/// A value of the rollup.
fn view<C: SolCall>(
    l1: &mut Failover,
    contract: Address,
    call: &C,
) -> Result<C::Return, NodeError> {
    let output = l1.view(contract, call.abi_encode().into())?;
    C::abi_decode_returns(&output).map_err(|e| NodeError::History {
        contract: contract.to_string(),
        why: format!("{}: {e}", C::SIGNATURE),
    })
}
