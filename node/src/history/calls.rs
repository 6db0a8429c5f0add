//! Posted data and proofs, from the calls that brought them.
//!
//! Anybody may prove, and an operator may be a contract: what the transaction calls need not be the
//! rollup. So the call is searched for, first in the calldata of the transaction, where a wallet or
//! a batcher passes it on as it is, then among the calls in the node's trace. What is found counts
//! only if it gives what the contract recorded, and a proof only if the contract's verifier accepts
//! it: anybody can write into his calldata what looks like a call.

use std::collections::BTreeMap;

use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_audit::chain::{History, OldMemo, Proving};
use bastion_contract::bindings::verify_calldata;
use bastion_contract::rollup::IRollup;
use bastion_l1::Called;
use bastion_protocol::blob::{combine, point, Scalar};
use bastion_protocol::inputs::COUNT;
use bastion_protocol::Fr;

use super::events::{Collector, Gone, Origin, Proof};
use super::Reader;
use crate::blobs::{self, Blobs};
use crate::error::NodeError;
use crate::settle::{to_u256, Record};
use bastion_protocol::{Header, Memo, PublicInputs};

/// Bytes of the opening of a blob: value, commitment, proof.
const OPENING: usize = 128;

/// Finds the calls of one rollup.
pub(super) struct Calls<'r, 'p> {
    reader: &'r mut Reader<'p>,
    verifiers: BTreeMap<B256, Vec<Address>>,
    /// The transaction that was read last: one call may commit and prove.
    last: Option<(B256, Called)>,
}

/// A block whose calls are searched for.
struct Wanted<'a> {
    number: usize,
    origin: &'a Origin,
    header: Header,
    /// What the contract recorded: the public inputs, and the root of the exits.
    record: B256,
    /// That root, as it was announced.
    exit_root: B256,
    /// Versioned hashes of its blobs, if it has some.
    blobs: Vec<[u8; 32]>,
}

/// A call that may have proved a block.
#[derive(PartialEq)]
struct Candidate {
    accumulator: [U256; 12],
    /// The public inputs.
    inputs: [U256; COUNT],
    /// Whether they stand in the call.
    given: bool,
    proof: Vec<u8>,
}

/// The memo of a commit. These are calls of operators alone; what stands behind another one may be
/// anybody's.
fn memo(input: &[u8], direct: bool) -> Option<Memo> {
    let commits = [
        IRollup::commitCall::SELECTOR,
        IRollup::commitInBlobsCall::SELECTOR,
        IRollup::settleInBlobsCall::SELECTOR,
    ];
    let by_operator = direct && commits.iter().any(|selector| input.starts_with(selector));
    by_operator.then(|| Memo::at_end_of(input)).flatten()
}

impl<'r, 'p> Calls<'r, 'p> {
    pub(super) fn new(reader: &'r mut Reader<'p>) -> Self {
        Self { reader, verifiers: BTreeMap::new(), last: None }
    }

    /// Completes the blocks of a history. Blocks that were taken back need no data, but what was claimed with
    /// them was claimed.
    pub(super) fn fill(
        &mut self,
        collector: Collector,
        sources: &mut Blobs,
    ) -> Result<History, NodeError> {
        let Collector { mut history, origins, verifiers, gone, .. } = collector;
        for Gone { block, committed, committed_at } in gone {
            let called = self.reader.l1.called(committed)?;
            let direct = called.to == Some(self.reader.contract);
            if let Some(memo) = memo(&called.input, direct) {
                history.old_memos.push(OldMemo { block, committed_at, memo });
            }
        }
        self.verifiers = verifiers;
        let domain = history.domain();
        for (i, (block, origin)) in history.blocks.iter_mut().zip(&origins).enumerate() {
            let h = &block.header;
            let record = IRollup::blocksCall { number: U256::from(i + 1) };
            let wanted = Wanted {
                number: i + 1,
                origin,
                header: Header {
                    old_root: h.old_root,
                    new_root: h.new_root,
                    policy_root: h.policy_root,
                    domain,
                    time: h.time,
                    c_out: h.c_out,
                    batches: h.batches,
                },
                record: self.reader.view(&record)?.record,
                exit_root: block.exit_root.into(),
                blobs: block.versioned_hashes(),
            };
            let ((data, inputs), memo) =
                self.search(&wanted, "commit", origin.committed, |_, input, direct| {
                    Ok(wanted.data(input).map(|data| (data, memo(input, direct))))
                })?;
            (block.data, block.memo) = (data, memo);
            block.inputs_hash = keccak256(inputs.abi_encode()).0;
            for blob in &mut block.blobs {
                blob.bytes = sources.fetch(&blobs::Wanted {
                    versioned_hash: blob.versioned_hash,
                    l1_block: origin.l1_block,
                    time: block.committed_at,
                });
            }
            if let Some(proof) = origin.proven {
                block.proving = Some(self.search(
                    &wanted,
                    "prove",
                    proof.transaction,
                    |calls, input, direct| {
                        let candidates = wanted.candidates(proof.circuit, inputs, input);
                        calls.proving(proof, candidates, direct)
                    },
                )?);
            }
        }
        Ok(history)
    }

    /// Looks into the calldata of a transaction, then into its trace. `look` is also told whether
    /// the rollup itself was called with this calldata.
    fn search<T>(
        &mut self,
        wanted: &Wanted<'_>,
        call: &'static str,
        transaction: B256,
        mut look: impl FnMut(&mut Self, &[u8], bool) -> Result<Option<T>, NodeError>,
    ) -> Result<T, NodeError> {
        let called = match self.last.take() {
            Some((last, called)) if last == transaction => called,
            _ => self.reader.l1.called(transaction)?,
        };
        let contract = self.reader.contract;
        let found = look(self, &called.input, called.to == Some(contract))?;
        self.last = Some((transaction, called));
        if let Some(found) = found {
            return Ok(found);
        }
        let why = match self.reader.l1.inner_calls(transaction, contract) {
            Ok(inputs) => {
                for input in &inputs {
                    if let Some(found) = look(self, input, false)? {
                        return Ok(found);
                    }
                }
                format!("{} calls of the contract, none of which fits", inputs.len())
            }
            Err(why) => why.to_string(),
        };
        Err(NodeError::NoCall {
            block: wanted.number,
            call,
            transaction: transaction.to_string(),
            why,
        })
    }

    /// The candidate that proved the block.
    fn proving(
        &mut self,
        proven: Proof,
        candidates: Vec<(usize, Candidate)>,
        direct: bool,
    ) -> Result<Option<Proving>, NodeError> {
        let mut refused: Vec<Candidate> = Vec::new();
        for (at, candidate) in candidates {
            if refused.contains(&candidate) {
                continue;
            }
            // Calldata with which the rollup itself was called need no further check.
            if (direct && at == 0) || self.accepts(proven.circuit, &candidate)? {
                let elements = |words: &[U256]| -> Result<Vec<Fr>, NodeError> {
                    words.iter().map(|x| self.reader.element(*x)).collect()
                };
                return Ok(Some(Proving {
                    circuit_id: proven.circuit.0,
                    accumulator: elements(&candidate.accumulator)?,
                    inputs: match candidate.given {
                        true => Some(elements(&candidate.inputs)?),
                        false => None,
                    },
                    proof: candidate.proof,
                    time: proven.time,
                }));
            }
            refused.push(candidate);
        }
        Ok(None)
    }

    /// Whether a verifier that the circuit had accepts a candidate.
    fn accepts(&mut self, circuit: B256, candidate: &Candidate) -> Result<bool, NodeError> {
        let instances = [&candidate.accumulator[..], &candidate.inputs[..]].concat();
        let calldata = verify_calldata(&instances, &candidate.proof);
        let reader = &mut self.reader;
        for verifier in self.verifiers.get(&circuit).into_iter().flatten() {
            match reader.l1.view_at(&reader.pin, *verifier, calldata.clone()) {
                Ok(output) if bool::abi_decode(&output) == Ok(true) => return Ok(true),
                Ok(_) => {}
                Err(e) if e.is_refused_call() => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(false)
    }
}

impl Wanted<'_> {
    /// The public inputs for posted data, if the contract recorded these.
    fn inputs(&self, data: &[u8]) -> Option<[U256; COUNT]> {
        self.recorded(self.header.public_inputs(data).ok()?)
    }

    /// The same for data of which blobs hold a part, and what the call says of each: its value first.
    fn inputs_in_blobs(&self, data: &[u8], openings: &[u8]) -> Option<[U256; COUNT]> {
        if openings.len() != OPENING * self.blobs.len() {
            return None;
        }
        let values = openings.chunks(OPENING).map(|one| point::from_bytes(one.first_chunk()?));
        let values: Vec<Scalar> = values.collect::<Option<_>>()?;
        let value_at = |z| combine(&values, z);
        self.recorded(self.header.public_inputs_posted(data, &self.blobs, value_at).ok()?)
    }

    fn recorded(&self, inputs: PublicInputs<Fr>) -> Option<[U256; COUNT]> {
        let inputs = inputs.into_array().map(|x| to_u256(&x));
        self.is_record(&inputs).then_some(inputs)
    }

    /// Whether the contract recorded these public inputs.
    fn is_record(&self, inputs: &[U256; COUNT]) -> bool {
        let record = Record { inputs: keccak256(inputs.abi_encode()), exits: self.exit_root };
        record.hash() == self.record
    }

    /// The posted data in calldata, with the public inputs that they give.
    fn data(&self, input: &[u8]) -> Option<(Vec<u8>, [U256; COUNT])> {
        let header = self.origin.header.abi_encode();
        let commits = places(input, IRollup::commitCall::SELECTOR, &header)
            .filter_map(|(_, call)| IRollup::commitCall::abi_decode(call).ok())
            .map(|call| call.data);
        let settles = places(input, IRollup::settleCall::SELECTOR, &header)
            .filter_map(|(_, call)| IRollup::settleCall::abi_decode(call).ok())
            .map(|call| call.data);
        let mut found = commits.chain(settles);
        if self.blobs.is_empty() {
            return found.find_map(|data| Some((data.to_vec(), self.inputs(&data)?)));
        }
        let commits = places(input, IRollup::commitInBlobsCall::SELECTOR, &header)
            .filter_map(|(_, call)| IRollup::commitInBlobsCall::abi_decode(call).ok())
            .map(|call| (call.data, call.openings));
        let settles = places(input, IRollup::settleInBlobsCall::SELECTOR, &header)
            .filter_map(|(_, call)| IRollup::settleInBlobsCall::abi_decode(call).ok())
            .map(|call| (call.data, call.openings));
        commits.chain(settles).find_map(|(data, openings)| {
            Some((data.to_vec(), self.inputs_in_blobs(&data, &openings)?))
        })
    }

    /// The calls in calldata that may have proved the block, with their places.
    fn candidates(
        &self,
        circuit: B256,
        inputs: [U256; COUNT],
        input: &[u8],
    ) -> Vec<(usize, Candidate)> {
        let head = [U256::from(self.number).to_be_bytes(), circuit.0].concat();
        let proves = places(input, IRollup::proveCall::SELECTOR, &head).filter_map(|(at, call)| {
            let call = IRollup::proveCall::abi_decode(call).ok()?;
            Some((at, call.accumulator, call.inputs, call.proof))
        });
        let selector = IRollup::proveAndFinalizeCall::SELECTOR;
        let both = places(input, selector, &head).filter_map(|(at, call)| {
            let call = IRollup::proveAndFinalizeCall::abi_decode(call).ok()?;
            Some((at, call.accumulator, call.inputs, call.proof))
        });
        let proves = proves.chain(both).filter_map(|(at, accumulator, inputs, proof)| {
            let candidate = Candidate { accumulator, inputs, given: true, proof: proof.to_vec() };
            self.is_record(&inputs).then_some((at, candidate))
        });
        let head = self.origin.header.abi_encode();
        let settled = |accumulator, proof: Bytes| Candidate {
            accumulator,
            inputs,
            given: false,
            proof: proof.to_vec(),
        };
        let settles =
            places(input, IRollup::settleCall::SELECTOR, &head).filter_map(|(at, call)| {
                let call = IRollup::settleCall::abi_decode(call).ok()?;
                let same = call.circuitId == circuit && self.inputs(&call.data) == Some(inputs);
                same.then_some((at, settled(call.accumulator, call.proof)))
            });
        let in_blobs =
            places(input, IRollup::settleInBlobsCall::SELECTOR, &head).filter_map(|(at, call)| {
                let call = IRollup::settleInBlobsCall::abi_decode(call).ok()?;
                let found = self.inputs_in_blobs(&call.data, &call.openings);
                let same = call.circuitId == circuit && found == Some(inputs);
                same.then_some((at, settled(call.accumulator, call.proof)))
            });
        proves.chain(settles).chain(in_blobs).collect()
    }
}

/// Where calldata holds a call that begins in a certain way, and what stands from there on.
fn places<'a>(
    input: &'a [u8],
    selector: [u8; 4],
    head: &[u8],
) -> impl Iterator<Item = (usize, &'a [u8])> {
    let start = [&selector[..], head].concat();
    (0..input.len()).map(|at| (at, &input[at..])).filter(move |(_, rest)| rest.starts_with(&start))
}
