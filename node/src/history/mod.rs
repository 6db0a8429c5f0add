//! What L1 tells about a rollup, collected for an audit: events of the contract, calldata of the
//! calls that made them, and a few of its values, all as of one L1 block.
//!
//! A node that tells less than there is must not make a rollup look other than it is: what the
//! contract counts is compared with the events found, and posted data with what the contract
//! recorded of them.

mod calls;
mod events;

use std::collections::BTreeMap;

use alloy_primitives::{keccak256, Address, Bytes, U256};
use alloy_sol_types::SolCall;
use bastion_audit::chain::{element, Code, Counters, History};
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::IRollup;
use bastion_l1::{Pin, ReadL1};
use bastion_protocol::queue::roll_queue;
use bastion_protocol::{field, Address as L2Address, Fr};

use crate::blobs::{Blobs, Wanted};
use crate::error::NodeError;
use calls::Calls;
use events::Collector;

/// Reads the history of the rollup at `contract`, without blobs: it tells what happened, and the exits and
/// L1 records of each block, which are in calldata always.
///
/// # Errors
/// As [`collect_pinned`].
pub fn collect(l1: &mut dyn ReadL1, contract: Address) -> Result<History, NodeError> {
    Ok(collect_pinned(l1, contract, &mut Blobs::none())?.0)
}

/// Reads the history of the rollup at `contract`, and names the L1 block as of which it is. A blob that
/// nobody has is left out: [`Blobs::require`] tells whether one is missing.
///
/// # Errors
/// If the L1 does not answer, [`NodeError::History`] if what it tells is no rollup's history,
/// [`NodeError::Incomplete`] if it tells less than the contract counts, and
/// [`bastion_l1::L1Error::Reorg`] if L1 was reorganized meanwhile.
pub fn collect_pinned(
    l1: &mut dyn ReadL1,
    contract: Address,
    blobs: &mut Blobs,
) -> Result<(History, Pin), NodeError> {
    let mut reader = Reader::new(l1, contract)?;
    let collector = reader.collector()?;
    let pin = reader.pin;
    let history = Calls::new(&mut reader).fill(collector, blobs)?;
    reader.l1.hold(&pin)?;
    Ok((history, pin))
}

/// The blobs of the blocks that stand, by number of the block, and the L1 block as of which they are. Events
/// tell of them, so this does not depend on calls that a node may not be able to show.
///
/// # Errors
/// As [`collect_pinned`].
pub fn blobs_of(
    l1: &mut dyn ReadL1,
    contract: Address,
) -> Result<(Vec<(u64, Wanted)>, Pin), NodeError> {
    let mut reader = Reader::new(l1, contract)?;
    let Collector { history, origins, .. } = reader.collector()?;
    let blocks = (1..).zip(history.blocks.iter().zip(&origins));
    let wanted = blocks.flat_map(|(number, (block, origin))| {
        let (l1_block, time) = (origin.l1_block, block.committed_at);
        let wanted = move |versioned_hash| Wanted { versioned_hash, l1_block, time };
        block.versioned_hashes().into_iter().map(move |hash| (number, wanted(hash)))
    });
    let wanted = wanted.collect();
    let pin = reader.pin;
    reader.l1.hold(&pin)?;
    Ok((wanted, pin))
}

/// Reads as of one block.
struct Reader<'a> {
    l1: &'a mut dyn ReadL1,
    pin: Pin,
    contract: Address,
}

impl Reader<'_> {
    /// A reader of the rollup at `contract`, as of now.
    fn new(l1: &mut dyn ReadL1, contract: Address) -> Result<Reader<'_>, NodeError> {
        let pin = l1.pin()?;
        let mut reader = Reader { l1, pin, contract };
        if reader.code(contract)?.is_empty() {
            let why = format!("there is no contract as of L1 block {}", pin.number);
            return Err(wrong(contract, why));
        }
        Ok(reader)
    }

    /// What its events and values tell.
    fn collector(&mut self) -> Result<Collector, NodeError> {
        let (pin, contract) = (self.pin, self.contract);
        let governance = self.view(&IRollup::governanceCall {})?;
        let code = Code {
            rollup: keccak256(self.code(contract)?).0,
            governance: keccak256(self.code(governance)?).0,
        };
        let genesis = self.view(&IRollup::blocksCall { number: U256::ZERO })?;
        let genesis_root = self.view(&IRollup::genesisRootCall {})?;
        let state_root = self.view(&IRollup::stateRootCall {})?;
        let mut collector = Collector::new(History {
            chain_id: self.l1.chain_id(),
            contract: L2Address(contract.into_array()),
            governance: L2Address(governance.into_array()),
            time: pin.time,
            code,
            genesis: self.element(genesis_root)?,
            genesis_time: genesis.time,
            policies: Vec::new(),
            announcements: Vec::new(),
            verifiers: Vec::new(),
            state_root: self.element(state_root)?,
            counters: self.counters()?,
            queue: Vec::new(),
            blocks: Vec::new(),
            reverts: 0,
            old_memos: Vec::new(),
            claims: Vec::new(),
            alarms: Vec::new(),
            exodus: None,
            departures: Vec::new(),
            refunds: Vec::new(),
            owed: Vec::new(),
            collected: Vec::new(),
            held: BTreeMap::new(),
        });
        for event in self.l1.events(&pin, &[contract, governance])? {
            if event.address == governance {
                collector.decision(self, &event)?;
            } else {
                collector.event(self, &event)?;
            }
        }
        self.compare(governance, &collector)?;
        for token in std::iter::once(0).chain(collector.tokens.clone()) {
            let held = self.view(&IRollup::heldCall { token })?;
            collector.history.held.insert(token, held.saturating_to());
        }
        Ok(collector)
    }

    fn code(&mut self, account: Address) -> Result<Bytes, NodeError> {
        Ok(self.l1.code_at(&self.pin, account)?)
    }

    /// A value of the rollup.
    fn view<C: SolCall>(&mut self, call: &C) -> Result<C::Return, NodeError> {
        self.view_of(self.contract, call)
    }

    /// A value of a contract.
    fn view_of<C: SolCall>(&mut self, of: Address, call: &C) -> Result<C::Return, NodeError> {
        let output = self.l1.view_at(&self.pin, of, call.abi_encode().into());
        let failed = |e: String| wrong(self.contract, format!("{}: {e}", C::SIGNATURE));
        let output = output.map_err(|e| match e.is_refused_call() {
            true => failed(e.to_string()),
            false => e.into(),
        })?;
        C::abi_decode_returns(&output).map_err(|e| failed(e.to_string()))
    }

    fn element(&self, x: U256) -> Result<Fr, NodeError> {
        element(&x.to_be_bytes())
            .ok_or_else(|| wrong(self.contract, format!("{x:#x} is no field element")))
    }

    fn counters(&mut self) -> Result<Counters, NodeError> {
        Ok(Counters {
            committed: self.view(&IRollup::committedCall {})?,
            proven: self.view(&IRollup::provenCall {})?,
            finalized: self.view(&IRollup::finalizedCall {})?,
            queue: self.view(&IRollup::queueLengthCall {})?.saturating_to(),
            exodus: self.view(&IRollup::exodusCall {})?,
        })
    }

    /// What the contract counts and what its events tell must be the same.
    fn compare(&mut self, governance: Address, found: &Collector) -> Result<(), NodeError> {
        let history = &found.history;
        let blocks = history.blocks.len() as u64;
        let proven = found.proven() as u64;
        let finalized = history.blocks.iter().filter(|b| b.finalized.is_some()).count() as u64;
        let queued = history.queue.len() as u64;
        let counted = history.counters;
        for (what, counted, found) in [
            ("queue entries", counted.queue, queued),
            ("committed blocks", counted.committed, blocks),
            ("proven blocks", counted.proven, proven),
            ("final blocks", counted.finalized, finalized),
        ] {
            self.same(what, counted, found)?;
        }
        let roll = history.queue.iter().fold([0; 32], |roll, entry| roll_queue(roll, &entry.op));
        let recorded = self.view(&IRollup::entriesCall(U256::from(counted.queue)))?.roll;
        if recorded != roll {
            return Err(wrong(
                self.contract,
                "the entries of the queue in the logs are others than the contract recorded",
            ));
        }
        self.same("beginnings of exodus", counted.exodus.into(), history.exodus.is_some().into())?;
        let policy = self.view_of(governance, &IGovernance::policyRootCall {})?;
        let policy = self.element(policy)?;
        let last = history.policies.last().map(|change| change.root);
        if last != Some(policy) {
            return Err(incomplete(
                self.contract,
                "policies up to",
                field::to_hex(&policy),
                last.map_or_else(|| "none".into(), |root| field::to_hex(&root)),
            ));
        }
        Ok(())
    }

    fn same(&self, what: &'static str, counted: u64, found: u64) -> Result<(), NodeError> {
        if found > counted {
            return Err(wrong(
                self.contract,
                format!("it counts {counted} {what}, but the logs show {found}"),
            ));
        }
        if found < counted {
            let (counted, found) = (counted.to_string(), found.to_string());
            return Err(incomplete(self.contract, what, counted, found));
        }
        Ok(())
    }
}

fn wrong(contract: Address, why: impl Into<String>) -> NodeError {
    NodeError::History { contract: contract.to_string(), why: why.into() }
}

fn incomplete(contract: Address, what: &'static str, counted: String, found: String) -> NodeError {
    NodeError::Incomplete { contract: contract.to_string(), what, counted, found }
}
