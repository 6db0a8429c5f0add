//! Drives the contract: queue, blocks, claims.

use alloy_primitives::{Address, FixedBytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use bastion_aggregator::BlockProof;
use bastion_contract::rollup::{test_token, IRollup, ITestToken};
use bastion_state::data::{exit_path, exit_tree, BatchData, Section};
use bastion_state::ops::{Deposit, ForcedExit, Op};
use bastion_state::{field, Fr};
use serde::Serialize;

use crate::block::Header;
use crate::error::NodeError;
use crate::l1::L1;

/// Gas of one block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct BlockGas {
    /// Header and data.
    pub commit: u64,
    /// The proof.
    pub prove: u64,
    /// Moving the root.
    pub finalize: u64,
}

impl BlockGas {
    /// All three.
    pub fn total(&self) -> u64 {
        self.commit + self.prove + self.finalize
    }
}

/// The deployed contracts.
#[derive(Debug, Clone)]
pub struct Settlement {
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

impl Settlement {
    /// Deploys and registers development tokens up to number `count - 1`.
    ///
    /// # Errors
    /// If the L1 refuses.
    pub fn register_tokens(&mut self, l1: &mut dyn L1, count: usize) -> Result<(), NodeError> {
        while self.tokens.len() < count {
            let name = format!("Token {}", self.tokens.len());
            let (token, _) = l1.deploy(
                self.operator,
                test_token()?.with_args(&(name,).abi_encode_params()),
            )?;
            let call = IRollup::registerTokenCall { erc20: token };
            l1.send(
                self.operator,
                self.rollup,
                U256::ZERO,
                call.abi_encode().into(),
            )?;
            self.tokens.push(token);
        }
        Ok(())
    }

    /// Makes a queue entry of an L1 operation; returns the gas used.
    ///
    /// # Errors
    /// If the L1 refuses.
    pub fn enqueue(&mut self, l1: &mut dyn L1, op: &Op) -> Result<u64, NodeError> {
        match op {
            Op::Deposit(d) => self.deposit(l1, d),
            Op::ForcedExit(f) => {
                let from = Address::from(f.exit.0);
                let call = IRollup::requestForcedExitCall {
                    index: f.index,
                    token: f.token,
                };
                l1.fund(from, U256::ZERO)?;
                l1.send(from, self.rollup, U256::ZERO, call.abi_encode().into())
            }
            _ => Ok(0),
        }
    }

    fn deposit(&mut self, l1: &mut dyn L1, d: &Deposit) -> Result<u64, NodeError> {
        let amount = U256::from(d.amount);
        self.register_tokens(l1, usize::from(d.token) + 1)?;
        let wei = if d.token == 0 { amount } else { U256::ZERO };
        l1.fund(self.operator, wei)?;
        if d.token != 0 {
            let token = self.tokens[usize::from(d.token)];
            let mint = ITestToken::mintCall {
                to: self.operator,
                amount,
            };
            let approve = ITestToken::approveCall {
                spender: self.rollup,
                amount,
            };
            l1.send(self.operator, token, U256::ZERO, mint.abi_encode().into())?;
            l1.send(
                self.operator,
                token,
                U256::ZERO,
                approve.abi_encode().into(),
            )?;
        }
        let call = IRollup::depositCall {
            token: d.token,
            amount,
            keyhash: to_u256(&d.keyhash),
            exit: Address::from(d.exit.0),
        };
        l1.send(self.operator, self.rollup, wei, call.abi_encode().into())
    }

    /// Makes the queue entries that posted data process, in order.
    ///
    /// # Errors
    /// If the data cannot be read or the L1 refuses.
    pub fn enqueue_data(
        &mut self,
        l1: &mut dyn L1,
        header: &Header,
        data: &[u8],
    ) -> Result<(), NodeError> {
        for op in l1_operations(header, data)? {
            self.enqueue(l1, &op)?;
        }
        Ok(())
    }

    /// Commits, proves and finalizes block `number`.
    ///
    /// # Errors
    /// [`NodeError::L1`] with the contract's named error.
    pub fn settle(
        &self,
        l1: &mut dyn L1,
        number: u64,
        header: &Header,
        data: &[u8],
        proof: &BlockProof,
    ) -> Result<BlockGas, NodeError> {
        let commit = IRollup::commitCall {
            header: IRollup::Header {
                oldRoot: to_u256(&header.old_root),
                newRoot: to_u256(&header.new_root),
                policyRoot: to_u256(&header.policy_root),
                time: header.time,
                cOut: to_u256(&header.c_out),
                batches: header.batches,
            },
            data: data.to_vec().into(),
        };
        let words = proof
            .instances
            .iter()
            .map(|text| text.parse::<U256>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| NodeError::L1(format!("instances of the proof: {e}")))?;
        let (Ok(accumulator), Ok(inputs)) = (
            <[U256; 12]>::try_from(words.get(..12).unwrap_or(&[])),
            <[U256; 10]>::try_from(words.get(12..).unwrap_or(&[])),
        ) else {
            return Err(NodeError::L1(format!("{} instances", words.len())));
        };
        let number = U256::from(number);
        let prove = IRollup::proveCall {
            number,
            circuitId: self.circuit_id,
            accumulator,
            inputs,
            proof: proof.proof_bytes()?.into(),
        };
        let finalize = IRollup::finalizeCall { number };
        let mut send = |data: Vec<u8>| l1.send(self.operator, self.rollup, U256::ZERO, data.into());
        Ok(BlockGas {
            commit: send(commit.abi_encode())?,
            prove: send(prove.abi_encode())?,
            finalize: send(finalize.abi_encode())?,
        })
    }

    /// The finalized root, read back from the contract.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn state_root(&self, l1: &mut dyn L1) -> Result<U256, NodeError> {
        let output = l1.view(self.rollup, IRollup::stateRootCall {}.abi_encode().into())?;
        U256::abi_decode(&output).map_err(|e| NodeError::L1(e.to_string()))
    }

    /// Seconds after a block became final when nothing delays its exits any more.
    ///
    /// # Errors
    /// If the L1 does not answer.
    pub fn longest_delay(&self, l1: &mut dyn L1) -> Result<u64, NodeError> {
        let seconds: U256 = self.view(l1, &IRollup::MAX_RELEASE_DELAYCall {})?;
        Ok(seconds.saturating_to())
    }

    /// Claims the exit at `position` of block `number`; returns the gas used.
    ///
    /// # Errors
    /// [`NodeError::L1`] with the contract's named error.
    pub fn claim(
        &self,
        l1: &mut dyn L1,
        number: u64,
        position: usize,
        exits: &[Vec<u8>],
    ) -> Result<u64, NodeError> {
        let levels = exit_tree(exits);
        let record = exits
            .get(position)
            .ok_or_else(|| NodeError::L1(format!("block {number} has no exit {position}")))?;
        let narrow = |n: usize| {
            u32::try_from(n)
                .map_err(|_| NodeError::L1(format!("{n} exits are too many for a block")))
        };
        let call = IRollup::claimCall {
            number: U256::from(number),
            position: narrow(position)?,
            count: narrow(exits.len())?,
            record: record.clone().into(),
            path: exit_path(&levels, position)
                .into_iter()
                .map(FixedBytes::from)
                .collect(),
        };
        l1.send(
            self.operator,
            self.rollup,
            U256::ZERO,
            call.abi_encode().into(),
        )
    }
}

/// The L1 operations that posted data process.
///
/// # Errors
/// If the data cannot be read.
pub fn l1_operations(header: &Header, mut data: &[u8]) -> Result<Vec<Op>, NodeError> {
    let mut ops = Vec::new();
    for _ in 0..header.batches {
        let batch = BatchData::read(&mut data)?;
        for record in &batch.records[Section::L1 as usize] {
            ops.push(read_l1(record)?);
        }
    }
    Ok(ops)
}

fn read_l1(record: &[u8]) -> Result<Op, NodeError> {
    let malformed = || NodeError::L1("an L1 record is malformed".into());
    let record: &[u8; 75] = record.try_into().map_err(|_| malformed())?;
    let token = u16::from_be_bytes([record[1], record[2]]);
    let index = u32::from_be_bytes([record[3], record[4], record[5], record[6]]);
    let mut amount = [0; 16];
    amount.copy_from_slice(&record[7..23]);
    let mut keyhash = [0; 32];
    keyhash.copy_from_slice(&record[23..55]);
    let mut exit = [0; 20];
    exit.copy_from_slice(&record[55..]);
    let exit = bastion_state::Address(exit);
    match record[0] {
        1 => Ok(Op::Deposit(Deposit {
            token,
            amount: u128::from_be_bytes(amount),
            keyhash: field::from_bytes("keyhash", &keyhash)?,
            exit,
        })),
        2 => Ok(Op::ForcedExit(ForcedExit { index, token, exit })),
        _ => Err(malformed()),
    }
}
