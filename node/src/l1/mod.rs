//! The L1: a chain in memory, or a node.

mod embedded;
mod rpc;

pub use embedded::EmbeddedL1;
pub use rpc::{At, Failure, Options, RpcError, RpcL1};

use alloy_primitives::{address, Address, Bytes, LogData, B256, U256};

use crate::error::NodeError;

/// First development account of anvil and hardhat: deploys and operates on development chains.
pub const DEV_OPERATOR: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// Chain id of anvil and hardhat.
pub const DEV_CHAIN_ID: u64 = 31_337;
/// Chain ids of development chains: anvil and hardhat, ganache.
pub const DEV_CHAIN_IDS: [u64; 2] = [DEV_CHAIN_ID, 1_337];

/// The block as of which history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time.
    pub time: u64,
}

/// Something that a contract logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The contract.
    pub address: Address,
    /// What it logged.
    pub data: LogData,
    /// The transaction.
    pub transaction: B256,
    /// Time of its block.
    pub time: u64,
}

/// Whom a transaction called, and with what; other contracts may have passed the call on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The contract, if none was created.
    pub to: Option<Address>,
    /// The calldata.
    pub input: Bytes,
}

/// What history needs of an L1: all of it as of one block.
pub trait Past {
    /// Chooses the block as of which history is read.
    ///
    /// # Errors
    /// If the node does not answer, or has no such block.
    fn pin(&mut self) -> Result<Pin, NodeError>;
    /// Makes sure that the chain still holds the block.
    ///
    /// # Errors
    /// [`NodeError::ChainChanged`] if it does not.
    fn hold(&mut self, pin: &Pin) -> Result<(), NodeError>;
    /// Calls without effect, on the state of the block.
    ///
    /// # Errors
    /// If it reverts, or the node does not keep that state.
    fn view_at(&mut self, pin: &Pin, to: Address, data: Bytes) -> Result<Bytes, NodeError>;
    /// Code at an address in the state of the block.
    ///
    /// # Errors
    /// If the node does not keep that state.
    fn code_at(&mut self, pin: &Pin, account: Address) -> Result<Bytes, NodeError>;
    /// What contracts logged up to the block, in order.
    ///
    /// # Errors
    /// If the node does not answer, or does not keep history, or the chain changes.
    fn events(&mut self, pin: &Pin, of: &[Address]) -> Result<Vec<Event>, NodeError>;
    /// The call that a transaction made.
    ///
    /// # Errors
    /// If the node does not keep it.
    fn called(&mut self, transaction: B256) -> Result<Called, NodeError>;
    /// Calldata of all calls to a contract in a transaction that were not undone.
    ///
    /// # Errors
    /// If the node keeps no traces.
    fn inner_calls(&mut self, transaction: B256, to: Address) -> Result<Vec<Bytes>, NodeError>;
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
    /// Transactions that an account has sent.
    ///
    /// # Errors
    /// If the node does not answer.
    fn nonce(&mut self, account: Address) -> Result<u64, NodeError>;
    /// Creates a contract; returns its address and the gas used.
    ///
    /// # Errors
    /// If it is refused.
    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), NodeError>;
    /// Sends a transaction; returns the gas used.
    ///
    /// # Errors
    /// With the contract's named error if it reverts.
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
    /// With the contract's named error if it reverts.
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
    /// Its past.
    fn past(&mut self) -> &mut dyn Past;
}
