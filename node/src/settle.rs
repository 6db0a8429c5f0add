//! Drives the contract: queue, blocks, claims.

use alloy_primitives::{keccak256, Address, Bytes, FixedBytes, B256, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_contract::rollup::{test_token, IRollup, ITestToken};
use bastion_l1::{DevChain, ReadL1, SendL1};
use bastion_protocol::exits::{exit_path, exit_tree};
use bastion_protocol::ops::{Deposit, Op};
use bastion_protocol::records::{L1Record, Section};
use bastion_protocol::BlockProof;
use bastion_protocol::{field, Fr, Header, Memo, ProtocolError, PublicInputs};
use serde::Serialize;

use crate::error::NodeError;
use crate::posted::PostedData;

/// Gas of one block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BlockGas {
    /// Header and data; 0 if they came with the proof.
    pub commit: u64,
    /// The proof, which moves the root.
    pub prove: u64,
}

impl BlockGas {
    /// Both.
    pub fn total(&self) -> u64 {
        self.commit + self.prove
    }
}

/// In how many transactions a block is brought to L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// The data at once; the proof, which moves the root, when there is one.
    Two,
    /// Data, proof and root together: less gas, and L1 learns of the data later.
    One,
}

/// By what the contract remembers a block: two hashes, kept as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// keccak256 of its public inputs.
    pub inputs: B256,
    /// Number and tree of its exits, 0 if nothing leaves.
    pub exits: B256,
}

impl Record {
    /// The record of a block with these public inputs and data.
    ///
    /// # Errors
    /// If the data are not those of so many batches.
    pub fn of(
        inputs: &PublicInputs<Fr>,
        posted: PostedData<'_>,
        batches: u32,
    ) -> Result<Self, NodeError> {
        Ok(Self { inputs: block_hash(inputs), exits: posted.exit_root(batches)? })
    }

    /// What the contract keeps.
    pub fn hash(&self) -> B256 {
        keccak256([self.inputs.0, self.exits.0].concat())
    }
}

/// The deployed contracts.
#[derive(Debug, Clone)]
pub struct RollupClient {
    /// The rollup.
    pub rollup: Address,
    /// Its governance.
    pub governance: Address,
    /// Circuit whose verifier it has.
    pub circuit_id: FixedBytes<32>,
    /// Who deploys and commits.
    pub operator: Address,
    pub(crate) tokens: Vec<Address>,
}

/// An element as the EVM sees it.
pub fn to_u256(x: &Fr) -> U256 {
    U256::from_be_bytes(field::to_bytes(x))
}

impl RollupClient {
    /// A rollup that was deployed, driven from an account.
    pub fn of(
        rollup: Address,
        governance: Address,
        circuit_id: FixedBytes<32>,
        operator: Address,
    ) -> Self {
        Self { rollup, governance, circuit_id, operator, tokens: vec![Address::ZERO] }
    }

    /// Deploys and registers development tokens up to number `count - 1`.
    ///
    /// # Errors
    /// If the L1 refuses.
    pub fn register_tokens(&mut self, l1: &mut dyn SendL1, count: usize) -> Result<(), NodeError> {
        while self.tokens.len() < count {
            let name = format!("Token {}", self.tokens.len());
            let (token, _) =
                l1.deploy(self.operator, test_token()?.with_args(&(name,).abi_encode_params()))?;
            let call = IRollup::registerTokenCall { erc20: token };
            l1.send(self.operator, self.rollup, U256::ZERO, call.abi_encode().into())?;
            self.tokens.push(token);
        }
        Ok(())
    }

    /// Makes a queue entry of an L1 operation; returns the gas used.
    ///
    /// # Errors
    /// If the L1 refuses.
    pub fn enqueue(&mut self, l1: &mut dyn DevChain, op: &Op) -> Result<u64, NodeError> {
        match op {
            Op::Deposit(d) => self.deposit(l1, d),
            Op::ForcedExit(f) => {
                let from = Address::from(f.exit.0);
                let call = IRollup::requestForcedExitCall { index: f.index, token: f.token };
                l1.fund(from, U256::ZERO)?;
                Ok(l1.send(from, self.rollup, U256::ZERO, call.abi_encode().into())?)
            }
            _ => Ok(0),
        }
    }

    fn deposit(&mut self, l1: &mut dyn DevChain, d: &Deposit) -> Result<u64, NodeError> {
        let amount = U256::from(d.amount);
        self.register_tokens(l1, usize::from(d.token) + 1)?;
        let wei = if d.token == 0 { amount } else { U256::ZERO };
        l1.fund(self.operator, wei)?;
        if d.token != 0 {
            let token = self.tokens[usize::from(d.token)];
            let mint = ITestToken::mintCall { to: self.operator, amount };
            let approve = ITestToken::approveCall { spender: self.rollup, amount };
            l1.send(self.operator, token, U256::ZERO, mint.abi_encode().into())?;
            l1.send(self.operator, token, U256::ZERO, approve.abi_encode().into())?;
        }
        let call = IRollup::depositCall {
            token: d.token,
            amount,
            keyhash: to_u256(&d.keyhash),
            exit: Address::from(d.exit.0),
        };
        Ok(l1.send(self.operator, self.rollup, wei, call.abi_encode().into())?)
    }

    /// Makes the queue entries that posted data process, in order.
    ///
    /// # Errors
    /// If the data cannot be read or the L1 refuses.
    pub fn enqueue_data(
        &mut self,
        l1: &mut dyn DevChain,
        header: &Header,
        posted: PostedData<'_>,
    ) -> Result<(), NodeError> {
        for op in l1_operations(header, posted)? {
            self.enqueue(l1, &op)?;
        }
        Ok(())
    }

    /// Commits, proves and finalizes block `number`, in two transactions.
    ///
    /// # Errors
    /// With the contract's named error.
    pub fn settle(
        &self,
        l1: &mut dyn SendL1,
        number: u64,
        header: &Header,
        posted: PostedData<'_>,
        proof: &BlockProof,
    ) -> Result<BlockGas, NodeError> {
        let commit = self.commit(l1, header, posted)?;
        let prove = prove_call(number, proof, posted.exit_root(header.batches)?);
        Ok(BlockGas { commit, prove: l1.send(self.operator, self.rollup, U256::ZERO, prove)? })
    }

    /// Commits, proves and finalizes the next block in one transaction.
    ///
    /// # Errors
    /// With the contract's named error.
    pub fn settle_in_one(
        &self,
        l1: &mut dyn SendL1,
        header: &Header,
        posted: PostedData<'_>,
        proof: &BlockProof,
    ) -> Result<BlockGas, NodeError> {
        let call = posted.settle_call(header, proof)?;
        Ok(BlockGas { commit: 0, prove: self.send_posted(l1, posted, call)? })
    }

    /// Commits a block, with its blobs if it has some; returns the gas used, without that of the blobs.
    ///
    /// # Errors
    /// With the contract's named error.
    pub fn commit(
        &self,
        l1: &mut dyn SendL1,
        header: &Header,
        posted: PostedData<'_>,
    ) -> Result<u64, NodeError> {
        let call = posted.commit_call(header)?;
        self.send_posted(l1, posted, call)
    }

    /// Sends a call with the block's blobs, if it has some.
    fn send_posted(
        &self,
        l1: &mut dyn SendL1,
        posted: PostedData<'_>,
        call: Bytes,
    ) -> Result<u64, NodeError> {
        Ok(match posted.blobs {
            [] => l1.send(self.operator, self.rollup, U256::ZERO, call)?,
            blobs => l1.send_blobs(self.operator, self.rollup, call, blobs)?,
        })
    }

    /// The finalized root, read back from the contract.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn state_root(&self, l1: &mut dyn ReadL1) -> Result<U256, NodeError> {
        self.view(l1, &IRollup::stateRootCall {})
    }

    /// Seconds after a block became final when nothing delays its exits any more.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn longest_delay(&self, l1: &mut dyn ReadL1) -> Result<u64, NodeError> {
        let seconds: U256 = self.view(l1, &IRollup::MAX_RELEASE_DELAYCall {})?;
        Ok(seconds.saturating_to())
    }

    /// Claims the exit at `position` of block `number`, whose public inputs have the hash `inputs`, as
    /// the operator; returns the gas used.
    ///
    /// # Errors
    /// With the contract's named error.
    pub fn claim(
        &self,
        l1: &mut dyn SendL1,
        number: u64,
        inputs: B256,
        position: usize,
        exits: &[Vec<u8>],
    ) -> Result<u64, NodeError> {
        let call = claim_call(number, inputs, position as u64, exits)?;
        Ok(l1.send(self.operator, self.rollup, U256::ZERO, call.abi_encode().into())?)
    }
}

/// A header as the contract takes it.
pub fn header_of(header: &Header) -> IRollup::Header {
    IRollup::Header {
        oldRoot: to_u256(&header.old_root),
        newRoot: to_u256(&header.new_root),
        policyRoot: to_u256(&header.policy_root),
        time: header.time,
        cOut: to_u256(&header.c_out),
        batches: header.batches,
    }
}

/// The same calldata with a memo behind it, which the contract ignores.
pub fn with_memo(calldata: &Bytes, memo: &Memo) -> Bytes {
    [calldata, &memo.to_bytes()[..]].concat().into()
}

/// Calldata that proves the committed block `number`, and makes it final: what may be proven may.
pub fn prove_call(number: u64, proof: &BlockProof, exit_root: B256) -> Bytes {
    let call = IRollup::proveAndFinalizeCall {
        number: U256::from(number),
        circuitId: proof.circuit_id.to_bytes().into(),
        accumulator: proof.accumulator.map(|limb| to_u256(&limb)),
        inputs: proof.inputs.into_array().map(|input| to_u256(&input)),
        exitRoot: exit_root,
        proof: proof.proof.clone().into(),
    };
    call.abi_encode().into()
}

/// Calldata that finalizes block `number`, which somebody has proven and not finalized.
pub fn finalize_call(number: u64) -> Bytes {
    IRollup::finalizeCall { number: U256::from(number) }.abi_encode().into()
}

/// keccak256 of a block's public inputs, which the contract's record of it binds.
pub fn block_hash(inputs: &PublicInputs<Fr>) -> B256 {
    keccak256(inputs.into_array().map(|x| to_u256(&x)).abi_encode())
}

/// The call that claims the exit at `position` of block `number`, whose public inputs have the hash
/// `inputs`.
///
/// # Errors
/// [`NodeError::NoSuchExit`] if the block's exits have no such position.
pub fn claim_call(
    number: u64,
    inputs: B256,
    position: u64,
    exits: &[Vec<u8>],
) -> Result<IRollup::claimCall, NodeError> {
    let missing = || NodeError::NoSuchExit { block: number, position };
    let place = u32::try_from(position).map_err(|_| missing())?;
    let at = place as usize;
    let record = exits.get(at).ok_or_else(missing)?;
    // Each exit takes 47 bytes of posted data: there are fewer than 2^32.
    let count = u32::try_from(exits.len()).map_err(|_| missing())?;
    Ok(IRollup::claimCall {
        number: U256::from(number),
        inputsHash: inputs,
        position: place,
        count,
        record: record.clone().into(),
        path: exit_path(&exit_tree(exits), at).into_iter().map(FixedBytes::from).collect(),
    })
}

/// The L1 operations that posted data process.
///
/// # Errors
/// If the data cannot be read.
pub fn l1_operations(header: &Header, posted: PostedData<'_>) -> Result<Vec<Op>, NodeError> {
    let batches = posted.batches(header.batches)?;
    let records = batches.iter().flat_map(|b| b.section(Section::L1));
    let ops = records.map(|record| Ok(L1Record::read(record)?.op()));
    let ops: Result<_, ProtocolError> = ops.collect();
    Ok(ops?)
}
