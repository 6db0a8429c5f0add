//! Brings proven blocks to a development node, from wherever an earlier attempt stopped.
//!
//! The contracts' addresses follow from the operator's transaction numbers, and the contracts count
//! what they have: nothing else is needed to go on. Everything that can be checked is checked before
//! the first transaction; for a rollup that is not there yet the whole submission is made in memory
//! first.

use alloy_primitives::{Address, Bytes, B256, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_aggregator::verifier::StoredBlockVerifier;
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::IRollup;
use bastion_l1::{DevChain, ReadL1, SendL1, DEV_OPERATOR};
use bastion_protocol::ops::Op;
use bastion_protocol::queue::roll_queue;
use bastion_protocol::Policy;
use bastion_state::state::State;
use serde::Serialize;

use crate::block_store::StoredBlock;
use crate::deploy::{rollup_address, Deployment, Roles, Site};
use crate::error::NodeError;
use crate::settle::{finalize_call, l1_operations, prove_call, to_u256, Record, RollupClient};

/// Transactions of the operator before a deployment, at most: the node says how many there are.
const SEARCHED: u64 = 1_000;
/// Tokens that a contract may have: their numbers have 16 bits.
const TOKENS: usize = 1 << 16;

/// Gas of the steps of one block; none for those that were done before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// Header and data.
    pub commit: Option<u64>,
    /// The proof, which moves the root.
    pub prove: Option<u64>,
    /// Moving the root, if an earlier call has only proven.
    pub finalize: Option<u64>,
}

/// Blocks and what they were made for.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// The contract.
    pub contract: Address,
    /// The verifier of the blocks.
    pub verifier: &'a StoredBlockVerifier,
    /// The policy in force at the start.
    pub policy: &'a Policy,
    /// The blocks, in order from the first.
    pub blocks: &'a [StoredBlock],
}

impl Submission<'_> {
    /// Does what is still to be done: deploys, makes the queue entries that the blocks process,
    /// commits, proves and finalizes. A second call changes nothing.
    ///
    /// # Errors
    /// [`NodeError::Deployed`] if L1 holds something else than these blocks need, or if it refuses.
    pub fn run(&self, l1: &mut dyn DevChain) -> Result<(RollupClient, Vec<Steps>), NodeError> {
        let mut deployment = self.deployment(l1)?;
        if deployment.present(l1)? < 3 {
            let settlement = deployment.settlement().clone();
            self.settle(deployment.memory(), settlement)?;
        }
        l1.fund(DEV_OPERATOR, U256::ZERO)?;
        let settlement = deployment.make(l1)?;
        let steps = self.settle(l1, settlement.clone())?;
        Ok((settlement, steps))
    }

    /// The deployment that makes the contract.
    fn deployment(&self, l1: &mut dyn ReadL1) -> Result<Deployment, NodeError> {
        let sent = l1.nonce(DEV_OPERATOR)?;
        let nonce = nonce_of(self.contract, sent).ok_or_else(|| NodeError::Deployed {
            contract: self.contract.to_string(),
            why: format!(
                "the contract that these blocks are for is none that {DEV_OPERATOR} can deploy \
                 here within its first {SEARCHED} transactions: use the node that they were made for, or a fresh development node"
            ),
        })?;
        let site = Site { chain_id: l1.chain_id(), time: l1.now()?, nonce };
        Deployment::rehearse(
            site,
            &Roles::dev(DEV_OPERATOR),
            self.verifier,
            &State::new().root(),
            self.policy,
        )
    }

    fn settle(
        &self,
        l1: &mut dyn DevChain,
        mut settlement: RollupClient,
    ) -> Result<Vec<Steps>, NodeError> {
        let mut ops = Vec::new();
        for block in self.blocks {
            ops.push(l1_operations(&block.header, block.posted())?);
        }
        let all: Vec<&Op> = ops.iter().flatten().collect();
        let mut queued = settlement.check_queue(l1, &all)?;
        self.check_blocks(l1, &settlement)?;
        settlement.find_tokens(l1)?;
        let mut steps = Vec::new();
        let mut entry = 0;
        for (number, (block, ops)) in (1..).zip(self.blocks.iter().zip(&ops)) {
            for op in ops {
                entry += 1;
                if entry > queued {
                    settlement.enqueue(l1, op)?;
                    queued = entry;
                }
            }
            let commit = |l1: &mut dyn SendL1| settlement.commit(l1, &block.header, block.posted());
            let exits = block.posted().exit_root(block.header.batches)?;
            let prove = prove_call(number, &block.proof, exits);
            let finalize = finalize_call(number);
            let send = |call: Bytes| {
                |l1: &mut dyn SendL1| {
                    Ok(l1.send(settlement.operator, settlement.rollup, U256::ZERO, call)?)
                }
            };
            let done = Steps {
                commit: settlement.step(l1, &IRollup::committedCall {}, number, commit)?,
                prove: settlement.step(l1, &IRollup::provenCall {}, number, send(prove))?,
                finalize: settlement.step(
                    l1,
                    &IRollup::finalizedCall {},
                    number,
                    send(finalize),
                )?,
            };
            steps.push(done);
        }
        self.check_blocks(l1, &settlement)?;
        Ok(steps)
    }

    /// What the contract has of these blocks must be these blocks, and what it lacks it must be able
    /// to take.
    fn check_blocks(
        &self,
        l1: &mut dyn ReadL1,
        settlement: &RollupClient,
    ) -> Result<(), NodeError> {
        let genesis = settlement.view(l1, &IRollup::genesisRootCall {})?;
        if genesis != to_u256(&State::new().root()) {
            return Err(settlement.other("it starts from another state".into()));
        }
        let committed: u64 = settlement.view(l1, &IRollup::committedCall {})?;
        let now = l1.now()?;
        for (number, block) in (1..).zip(self.blocks) {
            if number > committed {
                if block.header.time > now {
                    return Err(settlement.other(format!(
                        "block {number} has the time {}, which is {} seconds ahead of L1's: \
                         submit it later",
                        block.header.time,
                        block.header.time - now
                    )));
                }
                continue;
            }
            let (posted, batches) = (block.posted(), block.header.batches);
            let record = Record::of(&posted.public_inputs(&block.header)?, posted, batches)?;
            let found = settlement.view(l1, &IRollup::blocksCall { number: U256::from(number) })?;
            if found.record != record.hash() {
                return Err(settlement.other(format!("it has another block {number}")));
            }
        }
        if committed < self.blocks.len() as u64 {
            settlement.check_roles(l1)?;
        }
        Ok(())
    }
}

/// The operator's nonce before the deployment that makes a rollup, if it has sent so many transactions.
fn nonce_of(rollup: Address, sent: u64) -> Option<u64> {
    (0..=sent.min(SEARCHED)).find(|nonce| rollup_address(DEV_OPERATOR, *nonce) == rollup)
}

impl RollupClient {
    fn other(&self, why: String) -> NodeError {
        NodeError::Deployed { contract: self.rollup.to_string(), why }
    }

    /// How many entries the queue has; those that the blocks process must be the blocks'.
    fn check_queue(&self, l1: &mut dyn ReadL1, ops: &[&Op]) -> Result<usize, NodeError> {
        let length: U256 = self.view(l1, &IRollup::queueLengthCall {})?;
        let length = length.saturating_to::<usize>();
        let shared = length.min(ops.len());
        let roll = ops.iter().take(shared).fold([0; 32], |roll, op| roll_queue(roll, op));
        let found = self.view(l1, &IRollup::entriesCall(U256::from(shared)))?;
        if found.roll != B256::from(roll) {
            return Err(self.other(format!(
                "its queue of {length} entries begins otherwise than these blocks process it: \
                 use a fresh development node"
            )));
        }
        Ok(length)
    }

    /// The operator must be one, and the blocks' verifier must be in force.
    fn check_roles(&self, l1: &mut dyn ReadL1) -> Result<(), NodeError> {
        let mut ask = |call: Vec<u8>| l1.view(self.governance, call.into());
        let may = ask(IGovernance::operatorsCall { account: self.operator }.abi_encode())?;
        if bool::abi_decode(&may) != Ok(true) {
            return Err(self.other(format!("{} is no operator of it", self.operator)));
        }
        let circuit = IGovernance::verifiersCall { circuitId: self.circuit_id };
        let verifier = ask(circuit.abi_encode())?;
        if Address::abi_decode(&verifier).map_or(true, |v| v == Address::ZERO) {
            return Err(self.other(format!("it has no verifier of circuit {}", self.circuit_id)));
        }
        Ok(())
    }

    /// Learns the tokens that the contract knows already.
    pub(crate) fn find_tokens(&mut self, l1: &mut dyn ReadL1) -> Result<(), NodeError> {
        // One more than there may be is asked for: there is none.
        while self.tokens.len() <= TOKENS {
            let number = U256::from(self.tokens.len());
            match self.view(l1, &IRollup::tokensCall(number)) {
                Ok(token) => self.tokens.push(token),
                // There is no token of this number.
                Err(e) if e.is_refused_call() => return Ok(()),
                Err(e) => return Err(e),
            }
        }
        Err(self.other(format!("it tells of more than {TOKENS} tokens")))
    }

    /// Sends a call unless the contract's counter says that block `number` is past it, be it by
    /// somebody else meanwhile.
    fn step<C: SolCall<Return = u64>>(
        &self,
        l1: &mut dyn SendL1,
        counter: &C,
        number: u64,
        send: impl FnOnce(&mut dyn SendL1) -> Result<u64, NodeError>,
    ) -> Result<Option<u64>, NodeError> {
        if self.view(l1, counter)? >= number {
            return Ok(None);
        }
        match send(l1) {
            Ok(gas) => Ok(Some(gas)),
            Err(_) if self.view(l1, counter)? >= number => Ok(None),
            Err(e) => Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use bastion_l1::EmbeddedL1;

    use super::*;

    #[test]
    fn a_deployment_is_sought_among_the_first_transactions() {
        let rollup = rollup_address(DEV_OPERATOR, 7);
        assert_eq!(nonce_of(rollup, 7), Some(7));
        assert_eq!(nonce_of(rollup, 6), None);
        assert_eq!(nonce_of(Address::ZERO, u64::MAX), None);
        assert_eq!(nonce_of(rollup_address(DEV_OPERATOR, u64::MAX), u64::MAX), None);
    }

    #[test]
    fn a_contract_that_tells_of_tokens_without_end_is_refused() {
        let mut l1 = EmbeddedL1::new(1_800_000_000);
        // Leaves a contract that answers any call with a word.
        let code: &[u8] = &[0x64, 0x60, 32, 0x60, 0, 0xf3, 0x60, 0, 0x52, 0x60, 5, 0x60, 27, 0xf3];
        let (rollup, _) = l1.deploy(DEV_OPERATOR, Bytes::copy_from_slice(code)).unwrap();
        let mut client = RollupClient {
            rollup,
            governance: Address::ZERO,
            circuit_id: [0; 32].into(),
            operator: DEV_OPERATOR,
            tokens: vec![Address::ZERO],
        };
        let error = client.find_tokens(&mut l1).unwrap_err();
        assert!(error.to_string().contains("more than 65536 tokens"), "{error}");
    }
}
