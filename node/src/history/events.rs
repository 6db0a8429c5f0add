//! Events of a rollup and of its governance, in order.

use std::collections::BTreeMap;

use alloy_primitives::{keccak256, Address, B256, U256};
use alloy_sol_types::{SolEventInterface, SolValue};
use bastion_audit::blob::PostedBlob;
use bastion_audit::chain::{
    Alarm, Announced, Announcement, Block, Claim, Departure, Due, Entry, ExodusBegan, History,
    PolicyChange, Refund, Registration,
};
use bastion_contract::governance::IGovernance::IGovernanceEvents as Decision;
use bastion_contract::rollup::IRollup::{self, IRollupEvents as Told};
use bastion_l1::Event;
use bastion_protocol::ops::{Deposit, ForcedExit, Op};
use bastion_protocol::{Address as L2Address, Fr, Header};

use super::{incomplete, wrong, Reader};
use crate::error::NodeError;
use crate::settle::to_u256;

/// What the events tell. Posted data and proofs stand in the calls that made them.
pub(super) struct Collector {
    pub(super) history: History,
    /// Where each block of the history came from.
    pub(super) origins: Vec<Origin>,
    /// Every verifier that a circuit ever had.
    pub(super) verifiers: BTreeMap<B256, Vec<Address>>,
    /// Tokens that were registered; ETH is not.
    pub(super) tokens: Vec<u16>,
    /// Commits that were taken back.
    pub(super) gone: Vec<Gone>,
    /// A root that was tightened to and is about to be in force.
    tightened: Option<Fr>,
}

/// Where a block came from.
pub(super) struct Origin {
    /// The header as the contract announced it.
    pub(super) header: IRollup::Header,
    /// The transaction that committed it.
    pub(super) committed: B256,
    /// Number of the L1 block with this transaction.
    pub(super) l1_block: u64,
    /// How it was proven.
    pub(super) proven: Option<Proof>,
}

/// A commit that was taken back.
pub(super) struct Gone {
    /// Number of the block.
    pub(super) block: u64,
    /// The transaction.
    pub(super) committed: B256,
    /// L1 time.
    pub(super) committed_at: u64,
}

/// How a block was proven.
#[derive(Clone, Copy)]
pub(super) struct Proof {
    /// The transaction.
    pub(super) transaction: B256,
    /// The circuit.
    pub(super) circuit: B256,
    /// L1 time.
    pub(super) time: u64,
}

impl Collector {
    pub(super) fn new(history: History) -> Self {
        Self {
            history,
            origins: Vec::new(),
            verifiers: BTreeMap::new(),
            tokens: Vec::new(),
            gone: Vec::new(),
            tightened: None,
        }
    }

    /// How many blocks are proven.
    pub(super) fn proven(&self) -> usize {
        self.origins.iter().filter(|o| o.proven.is_some()).count()
    }

    /// An event of the rollup.
    pub(super) fn event(&mut self, reader: &Reader<'_>, event: &Event) -> Result<(), NodeError> {
        let told = Told::decode_raw_log(event.data.topics(), &event.data.data)
            .map_err(|e| wrong(reader.contract, format!("an event: {e}")))?;
        match told {
            Told::TokenRegistered(e) => self.tokens.push(e.token),
            Told::Owed(e) => self.history.owed.push(Due {
                account: L2Address(e.account.into_array()),
                token: e.token,
                amount: e.amount.saturating_to(),
            }),
            Told::Collected(e) => self.history.collected.push(Due {
                account: L2Address(e.account.into_array()),
                token: e.token,
                amount: e.amount.saturating_to(),
            }),
            Told::Deposited(e) => {
                let op = Op::Deposit(Deposit {
                    token: e.token,
                    amount: e.amount,
                    keyhash: reader.element(e.keyhash.into())?,
                    exit: L2Address(e.exit.into_array()),
                });
                self.enqueue(reader, event, e.entry, op)?;
            }
            Told::ForcedExitRequested(e) => {
                let op = Op::ForcedExit(ForcedExit {
                    index: e.index,
                    token: e.token,
                    exit: L2Address(e.exit.into_array()),
                });
                self.enqueue(reader, event, e.entry, op)?;
            }
            Told::Committed(e) => self.committed(reader, event, e)?,
            Told::Proven(e) => {
                let at = self.place(reader, e.number)?;
                if let Some(origin) = self.origins.get_mut(at) {
                    origin.proven = Some(Proof {
                        transaction: event.transaction,
                        circuit: e.circuitId,
                        time: event.block.time,
                    });
                }
            }
            Told::Finalized(e) => {
                let root = reader.element(e.newRoot)?;
                let at = self.place(reader, e.number)?;
                if let Some(block) = self.history.blocks.get_mut(at) {
                    (block.finalized, block.finalized_at) = (Some(root), Some(event.block.time));
                }
            }
            Told::Reverted(e) => {
                self.history.reverts = self.history.reverts.saturating_add(1);
                let kept = usize::try_from(e.to).unwrap_or(usize::MAX);
                let from = kept.min(self.history.blocks.len());
                let blocks = self.history.blocks.drain(from..);
                let origins = self.origins.drain(kept.min(self.origins.len())..);
                let gone = (from as u64 + 1..).zip(blocks.zip(origins));
                let gone = gone.map(|(number, (block, origin))| Gone {
                    block: number,
                    committed: origin.committed,
                    committed_at: block.committed_at,
                });
                self.gone.extend(gone);
            }
            Told::Claimed(e) => {
                let block: u64 = e.number.saturating_to();
                let at = block.checked_sub(1).and_then(|i| usize::try_from(i).ok());
                let of = at.and_then(|at| self.history.blocks.get(at));
                self.history.claims.push(Claim {
                    block,
                    header: of.map(|b| b.header),
                    position: e.position.saturating_to(),
                    to: L2Address(e.to.into_array()),
                    token: e.token,
                    amount: e.amount.saturating_to(),
                    time: event.block.time,
                });
            }
            Told::Alarmed(e) => self
                .history
                .alarms
                .push(Alarm { block: e.number.saturating_to(), time: event.block.time }),
            // What it takes back is reverted.
            Told::Resumed(_) => {}
            Told::ExodusBegan(e) => {
                self.history.exodus = Some(ExodusBegan {
                    block: e.number.saturating_to(),
                    root: reader.element(e.root)?,
                    time: event.block.time,
                });
            }
            Told::Departed(e) => self.history.departures.push(Departure {
                index: e.index,
                to: L2Address(e.exit.into_array()),
                token: e.token,
                amount: e.amount.saturating_to(),
                time: event.block.time,
            }),
            Told::Refunded(e) => self.history.refunds.push(Refund {
                entry: e.entry.saturating_to(),
                to: L2Address(e.exit.into_array()),
                token: e.token,
                amount: e.amount.saturating_to(),
            }),
        }
        Ok(())
    }

    /// What governance decided, as far as proofs depend on it.
    pub(super) fn decision(
        &mut self,
        reader: &mut Reader<'_>,
        event: &Event,
    ) -> Result<(), NodeError> {
        let decision = Decision::decode_raw_log(event.data.topics(), &event.data.data);
        let why = |e| wrong(reader.contract, format!("an event of its governance: {e}"));
        match decision.map_err(why)? {
            Decision::PolicyChanged(e) => {
                let root = reader.element(e.root)?;
                self.history.policies.push(PolicyChange {
                    root,
                    time: event.block.time,
                    tightened: self.tightened.take() == Some(root),
                });
            }
            Decision::PolicyTightened(e) => self.tightened = Some(reader.element(e.root)?),
            Decision::PolicyAnnounced(e) => self.history.announcements.push(Announcement {
                what: Announced::Policy(reader.element(e.root)?),
                time: event.block.time,
                ready_at: e.readyAt.saturating_to(),
            }),
            Decision::VerifierAnnounced(e) => self.history.announcements.push(Announcement {
                what: Announced::Verifier {
                    circuit_id: e.circuitId.0,
                    verifier: L2Address(e.verifier.into_array()),
                },
                time: event.block.time,
                ready_at: e.readyAt.saturating_to(),
            }),
            Decision::ChangeCancelled(e) => {
                let removed = |circuit| {
                    let verifiers = self.history.verifiers.iter();
                    let of_circuit = verifiers.filter(|r| r.circuit_id == circuit);
                    of_circuit.filter(|r| r.removed.is_some()).count()
                };
                let cancelled = |what: &Announced| match *what {
                    Announced::Policy(root) => policy_change(root) == e.change,
                    // It may have been announced before a verifier of the circuit was removed.
                    Announced::Verifier { circuit_id, verifier } => (0..=removed(circuit_id))
                        .any(|n| verifier_change(circuit_id, verifier, n) == e.change),
                };
                let kept = self.history.announcements.iter().copied();
                self.history.announcements = kept.filter(|a| !cancelled(&a.what)).collect();
            }
            Decision::VerifierAdded(e) => {
                self.history.verifiers.push(Registration {
                    circuit_id: e.circuitId.0,
                    verifier: L2Address(e.verifier.into_array()),
                    code: keccak256(reader.code(e.verifier)?).0,
                    time: event.block.time,
                    removed: None,
                });
                self.verifiers.entry(e.circuitId).or_default().push(e.verifier);
            }
            Decision::VerifierRemoved(e) => {
                let registered = self.history.verifiers.iter_mut();
                let of_circuit = registered.filter(|r| r.circuit_id == e.circuitId.0);
                if let Some(last) = of_circuit.last() {
                    last.removed = Some(event.block.time);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn enqueue(
        &mut self,
        reader: &Reader<'_>,
        event: &Event,
        entry: U256,
        op: Op,
    ) -> Result<(), NodeError> {
        let known = self.history.queue.len();
        next(reader, "queue entries", entry, known)?;
        let time = event.block.time;
        self.history.queue.push(Entry { op, time });
        Ok(())
    }

    /// Place of a block that an event names.
    fn place(&self, reader: &Reader<'_>, number: U256) -> Result<usize, NodeError> {
        let known = self.history.blocks.len();
        let at = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        at.filter(|at| *at < known).ok_or_else(|| {
            let (number, known) = (number.to_string(), known.to_string());
            incomplete(reader.contract, "committed blocks", number, known)
        })
    }

    fn committed(
        &mut self,
        reader: &Reader<'_>,
        event: &Event,
        e: IRollup::Committed,
    ) -> Result<(), NodeError> {
        next(reader, "committed blocks", e.number, self.history.blocks.len())?;
        let h = &e.header;
        let header = Header {
            old_root: reader.element(h.oldRoot)?,
            new_root: reader.element(h.newRoot)?,
            policy_root: reader.element(h.policyRoot)?,
            domain: self.history.domain(),
            time: h.time,
            c_out: reader.element(h.cOut)?,
            batches: h.batches,
        };
        self.history.blocks.push(Block {
            header,
            data: Vec::new(),
            blobs: e
                .versionedHashes
                .iter()
                .map(|hash| PostedBlob { versioned_hash: hash.0, bytes: None })
                .collect(),
            committed_at: event.block.time,
            exit_root: e.exitRoot.0,
            inputs_hash: [0; 32],
            processed: e.processed.saturating_to(),
            memo: None,
            proving: None,
            finalized: None,
            finalized_at: None,
        });
        self.origins.push(Origin {
            header: e.header,
            committed: event.transaction,
            l1_block: event.block.number,
            proven: None,
        });
        Ok(())
    }
}

/// How governance names the change to a policy.
fn policy_change(root: Fr) -> B256 {
    keccak256(("policy", to_u256(&root)).abi_encode_params())
}

/// How governance names the change to a verifier that was announced after `removals` removals of
/// verifiers of its circuit.
fn verifier_change(circuit_id: [u8; 32], verifier: L2Address, removals: usize) -> B256 {
    let (circuit, verifier) = (B256::from(circuit_id), Address::from(verifier.0));
    keccak256(("verifier", circuit, verifier, U256::from(removals)).abi_encode_params())
}

/// Numbers follow one another; where one is skipped an event is missing.
fn next(
    reader: &Reader<'_>,
    what: &'static str,
    number: U256,
    known: usize,
) -> Result<(), NodeError> {
    let expected = U256::from(known) + U256::from(1);
    if number > expected {
        let (number, known) = (number.to_string(), known.to_string());
        return Err(incomplete(reader.contract, what, number, known));
    }
    if number < expected {
        return Err(wrong(
            reader.contract,
            format!("number {number} of the {what} comes after number {known}"),
        ));
    }
    Ok(())
}
