//! What L1 tells about a rollup, collected for an audit: events of the contract, calldata of the
//! transactions that made them, and a few of its values.

use std::collections::BTreeMap;

use alloy_primitives::{keccak256, Address, LogData, U256};
use alloy_sol_types::{SolCall, SolEventInterface};
use bastion_audit::chain::{element, Block, Claim, Departure, Header, History, Proving, Refund};
use bastion_contract::governance::IGovernance::IGovernanceEvents as Decision;
use bastion_contract::rollup::IRollup::{self, IRollupEvents as Event};
use bastion_state::ops::{Deposit, ForcedExit, Op};
use bastion_state::{Address as L2Address, Fr};

use crate::error::NodeError;
use crate::l1::{Transaction, L1};

/// Reads the history of the rollup at `contract`.
///
/// # Errors
/// If the L1 does not answer, or [`NodeError::History`] if what it tells is no rollup's history.
pub fn collect(l1: &mut dyn L1, contract: Address) -> Result<History, NodeError> {
    if l1.code(contract)?.is_empty() {
        return Err(wrong(contract, "there is no contract"));
    }
    let genesis = IRollup::blocksCall(U256::ZERO);
    let governance = view(l1, contract, &IRollup::governanceCall {})?;
    let mut collector = Collector {
        contract,
        history: History {
            chain_id: l1.chain_id(),
            contract: L2Address(contract.into_array()),
            genesis: from_u256(contract, view(l1, contract, &genesis)?.newRoot)?,
            policy_roots: Vec::new(),
            state_root: from_u256(contract, view(l1, contract, &IRollup::stateRootCall {})?)?,
            verifiers: BTreeMap::new(),
            queue: Vec::new(),
            blocks: Vec::new(),
            claims: Vec::new(),
            exodus: None,
            departures: Vec::new(),
            refunds: Vec::new(),
        },
    };
    for transaction in l1.transactions(governance)? {
        for log in &transaction.logs {
            collector.decision(l1, log)?;
        }
    }
    for transaction in l1.transactions(contract)? {
        for log in &transaction.logs {
            collector.event(&transaction, log)?;
        }
    }
    Ok(collector.history)
}

fn view<C: SolCall>(l1: &mut dyn L1, contract: Address, call: &C) -> Result<C::Return, NodeError> {
    let failed = |e: String| wrong(contract, format!("{}: {e}", C::SIGNATURE));
    let output = l1
        .view(contract, call.abi_encode().into())
        .map_err(|e| failed(e.to_string()))?;
    C::abi_decode_returns(&output).map_err(|e| failed(e.to_string()))
}

fn wrong(contract: Address, why: impl Into<String>) -> NodeError {
    NodeError::History {
        contract: contract.to_string(),
        why: why.into(),
    }
}

fn from_u256(contract: Address, x: U256) -> Result<Fr, NodeError> {
    element(&x.to_be_bytes()).ok_or_else(|| wrong(contract, format!("{x:#x} is no field element")))
}

struct Collector {
    contract: Address,
    history: History,
}

impl Collector {
    fn wrong(&self, why: impl Into<String>) -> NodeError {
        wrong(self.contract, why)
    }

    fn event(&mut self, transaction: &Transaction, log: &LogData) -> Result<(), NodeError> {
        let event = Event::decode_raw_log(log.topics(), &log.data)
            .map_err(|e| self.wrong(format!("an event: {e}")))?;
        match event {
            // What is owed was paid by a claim or in exodus, as far as L2 is concerned.
            Event::TokenRegistered(_) | Event::Owed(_) | Event::Collected(_) => {}
            // What an alarm takes back `Reverted` tells.
            Event::Alarmed(_) | Event::Resumed(_) => {}
            Event::Deposited(e) => {
                let keyhash = from_u256(self.contract, e.keyhash.into())?;
                self.enqueue(
                    e.entry,
                    Op::Deposit(Deposit {
                        token: e.token,
                        amount: e.amount,
                        keyhash,
                        exit: L2Address(e.exit.into_array()),
                    }),
                )?;
            }
            Event::ForcedExitRequested(e) => self.enqueue(
                e.entry,
                Op::ForcedExit(ForcedExit {
                    index: e.index,
                    token: e.token,
                    exit: L2Address(e.exit.into_array()),
                }),
            )?,
            Event::Committed(e) => self.committed(transaction, &e)?,
            Event::Proven(e) => {
                let proving = self.proving(transaction, &e)?;
                self.block(e.number)?.proving = Some(proving);
            }
            Event::Finalized(e) => {
                let root = from_u256(self.contract, e.newRoot)?;
                self.block(e.number)?.finalized = Some(root);
            }
            Event::Reverted(e) => {
                let kept = usize::try_from(e.to).unwrap_or(usize::MAX);
                self.history.blocks.truncate(kept);
            }
            Event::Claimed(e) => self.history.claims.push(Claim {
                block: e.number.saturating_to(),
                position: e.position.saturating_to(),
                to: L2Address(e.to.into_array()),
                token: e.token,
                amount: e.amount.saturating_to(),
                time: transaction.time,
            }),
            Event::ExodusBegan(e) => self.history.exodus = Some(e.number.saturating_to()),
            Event::Departed(e) => self.history.departures.push(Departure {
                index: e.index,
                to: L2Address(e.exit.into_array()),
                token: e.token,
                amount: e.amount.saturating_to(),
            }),
            Event::Refunded(e) => self.history.refunds.push(Refund {
                entry: e.entry.saturating_to(),
                to: L2Address(e.exit.into_array()),
                token: e.token,
                amount: e.amount.saturating_to(),
            }),
        }
        Ok(())
    }

    /// What governance decided, as far as proofs depend on it.
    fn decision(&mut self, l1: &mut dyn L1, log: &LogData) -> Result<(), NodeError> {
        let event = Decision::decode_raw_log(log.topics(), &log.data)
            .map_err(|e| self.wrong(format!("an event of its governance: {e}")))?;
        match event {
            Decision::PolicyChanged(e) => {
                let root = from_u256(self.contract, e.root)?;
                self.history.policy_roots.push(root);
            }
            Decision::VerifierAdded(e) => {
                let code = keccak256(l1.code(e.verifier)?).0;
                self.history.verifiers.insert(e.circuitId.0, code);
            }
            _ => {}
        }
        Ok(())
    }

    fn enqueue(&mut self, entry: U256, op: Op) -> Result<(), NodeError> {
        self.history.queue.push(op);
        let expected = self.history.queue.len();
        if entry != U256::from(expected) {
            return Err(self.wrong(format!("queue entry {entry} follows {}", expected - 1)));
        }
        Ok(())
    }

    fn block(&mut self, number: U256) -> Result<&mut Block, NodeError> {
        let error = self.wrong(format!("block {number} was never committed"));
        let at = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        at.and_then(|at| self.history.blocks.get_mut(at))
            .ok_or(error)
    }

    /// The arguments of the transaction's call, if it called the rollup itself.
    fn calldata<C: SolCall>(&self, transaction: &Transaction) -> Result<C, NodeError> {
        if transaction.to != Some(self.contract) {
            return Err(self.wrong(format!(
                "{} was called through another contract, so that its data stand in no calldata",
                C::SIGNATURE
            )));
        }
        C::abi_decode(&transaction.input)
            .map_err(|e| self.wrong(format!("calldata of {}: {e}", C::SIGNATURE)))
    }

    fn committed(
        &mut self,
        transaction: &Transaction,
        event: &IRollup::Committed,
    ) -> Result<(), NodeError> {
        let data = if transaction
            .input
            .starts_with(&IRollup::settleCall::SELECTOR)
        {
            self.calldata::<IRollup::settleCall>(transaction)?.data
        } else {
            self.calldata::<IRollup::commitCall>(transaction)?.data
        };
        let h = &event.header;
        let element = |x| from_u256(self.contract, x);
        let header = Header {
            old_root: element(h.oldRoot)?,
            new_root: element(h.newRoot)?,
            policy_root: element(h.policyRoot)?,
            time: h.time,
            c_out: element(h.cOut)?,
            batches: h.batches,
        };
        let number = self.history.blocks.len() + 1;
        if event.number != U256::from(number) {
            return Err(self.wrong(format!("block {} follows {}", event.number, number - 1)));
        }
        self.history.blocks.push(Block {
            header,
            data: data.to_vec(),
            exit_root: event.exitRoot.0,
            processed: event.processed.saturating_to(),
            proving: None,
            finalized: None,
        });
        Ok(())
    }

    /// Arguments of the call that proved a block. A block that was settled in one call has no public
    /// inputs of its own in the calldata: the contract computed them from header and data.
    fn proving(
        &self,
        transaction: &Transaction,
        event: &IRollup::Proven,
    ) -> Result<Proving, NodeError> {
        let elements = |words: &[U256]| {
            words
                .iter()
                .map(|x| from_u256(self.contract, *x))
                .collect::<Result<Vec<_>, _>>()
        };
        let (accumulator, inputs, proof) = if transaction
            .input
            .starts_with(&IRollup::settleCall::SELECTOR)
        {
            let call: IRollup::settleCall = self.calldata(transaction)?;
            (call.accumulator, None, call.proof)
        } else {
            let call: IRollup::proveCall = self.calldata(transaction)?;
            (call.accumulator, Some(elements(&call.inputs)?), call.proof)
        };
        Ok(Proving {
            circuit_id: event.circuitId.0,
            accumulator: elements(&accumulator)?,
            inputs,
            proof: proof.to_vec(),
        })
    }
}
