//! The L1: a chain in memory, or a node.

mod embedded;
mod rpc;

pub use embedded::EmbeddedL1;
pub use rpc::RpcL1;

use alloy_primitives::{address, Address, Bytes, LogData, U256};

use crate::error::NodeError;

/// First development account of anvil and hardhat: deploys and operates on development chains.
pub const DEV_OPERATOR: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// Chain id of anvil and hardhat.
pub const DEV_CHAIN_ID: u64 = 31_337;
/// Chain ids of development chains: anvil and hardhat, ganache.
pub const DEV_CHAIN_IDS: [u64; 2] = [DEV_CHAIN_ID, 1_337];

/// A transaction that made a contract log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Whom it called; another contract may have passed the call on.
    pub to: Option<Address>,
    /// Its calldata.
    pub input: Bytes,
    /// Time of its block.
    pub time: u64,
    /// What the contract logged, in order.
    pub logs: Vec<LogData>,
}

/// What the pipeline needs of an L1.
pub trait L1 {
    /// Its chain id.
    fn chain_id(&self) -> u64;
    /// Time of the next transaction, in seconds.
    ///
    /// # Errors
    /// If the node does not answer.
    fn now(&mut self) -> Result<u64, NodeError>;
    /// Code at an address.
    ///
    /// # Errors
    /// If the node does not answer.
    fn code(&mut self, account: Address) -> Result<Bytes, NodeError>;
    /// Creates a contract; returns its address and the gas used.
    ///
    /// # Errors
    /// If it is refused.
    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), NodeError>;
    /// Sends a transaction; returns the gas used.
    ///
    /// # Errors
    /// [`NodeError::L1`] with the named error if it reverts.
    fn send(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        data: Bytes,
    ) -> Result<u64, NodeError>;
    /// Calls without effect.
    ///
    /// # Errors
    /// [`NodeError::L1`] with the named error if it reverts.
    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, NodeError>;
    /// Makes sure, on a development chain, that an account can send `wei`.
    ///
    /// # Errors
    /// If this is no development chain.
    fn fund(&mut self, account: Address, wei: U256) -> Result<(), NodeError>;
    /// An account's balance in wei.
    ///
    /// # Errors
    /// If the node does not answer.
    fn balance(&mut self, account: Address) -> Result<U256, NodeError>;
    /// Lets time pass on a development chain.
    ///
    /// # Errors
    /// If this is no development chain.
    fn advance(&mut self, seconds: u64) -> Result<(), NodeError>;
    /// All transactions that made `contract` log, in order.
    ///
    /// # Errors
    /// If the node does not answer, or does not keep history.
    fn transactions(&mut self, contract: Address) -> Result<Vec<Transaction>, NodeError>;
}
