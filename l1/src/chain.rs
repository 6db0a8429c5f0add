//! What can be done with an L1, as traits: a function takes the least that it needs.

use alloy::primitives::{Address, Bytes, B256, U256};

use crate::blob::Sidecar;
use crate::error::L1Error;
use crate::types::{At, Called, Event, Pin};

/// Blocks and their logs: what following a chain takes.
pub trait ReadLogs {
    /// The block that is named. `None` for [`At::Finalized`] and [`At::Safe`] means that the chain has
    /// no such notion, and for [`At::Number`] that it has no such block; there is always a latest one.
    ///
    /// # Errors
    /// If the node does not answer, or is so far behind that it lacks a block of a name that it knows.
    fn block(&mut self, at: At) -> Result<Option<Pin>, L1Error>;
    /// What contracts logged in the blocks `from` to `to`, in order, each event with its block in the
    /// chain as it is now.
    ///
    /// # Errors
    /// [`L1Error::is_too_much`] if fewer blocks may do, [`L1Error::Reorg`] if the chain changes
    /// meanwhile, [`L1Error::NoContracts`] if none is named, or if the node does not answer or does not
    /// keep the logs.
    fn logs(&mut self, from: u64, to: u64, of: &[Address]) -> Result<Vec<Event>, L1Error>;
}

/// Reading an L1: its present, and its past as of one block.
pub trait ReadL1: ReadLogs {
    /// Its chain id.
    fn chain_id(&self) -> u64;
    /// Time of the next transaction, in seconds.
    ///
    /// # Errors
    /// If the node does not answer.
    fn now(&mut self) -> Result<u64, L1Error>;
    /// Code at an address.
    ///
    /// # Errors
    /// If the node does not answer.
    fn code(&mut self, account: Address) -> Result<Bytes, L1Error>;
    /// Transactions that an account has sent.
    ///
    /// # Errors
    /// If the node does not answer.
    fn nonce(&mut self, account: Address) -> Result<u64, L1Error>;
    /// An account's balance in wei.
    ///
    /// # Errors
    /// If the node does not answer.
    fn balance(&mut self, account: Address) -> Result<U256, L1Error>;
    /// Calls without effect.
    ///
    /// # Errors
    /// [`L1Error::Reverted`] with the contract's named error if it reverts.
    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, L1Error>;
    /// Chooses the block as of which history is read.
    ///
    /// # Errors
    /// If the node does not answer, or [`L1Error::NoBlock`] if it has no such block.
    fn pin(&mut self) -> Result<Pin, L1Error>;
    /// Makes sure that the chain still holds the block.
    ///
    /// # Errors
    /// [`L1Error::Reorg`] if it does not.
    fn hold(&mut self, pin: &Pin) -> Result<(), L1Error>;
    /// Calls without effect, on the state of the block.
    ///
    /// # Errors
    /// [`L1Error::Reverted`], or [`L1Error::MissingHistory`] if the node does not keep that state.
    fn view_at(&mut self, pin: &Pin, to: Address, data: Bytes) -> Result<Bytes, L1Error>;
    /// Code at an address in the state of the block.
    ///
    /// # Errors
    /// [`L1Error::MissingHistory`] if the node does not keep that state.
    fn code_at(&mut self, pin: &Pin, account: Address) -> Result<Bytes, L1Error>;
    /// What contracts logged up to the block, in order.
    ///
    /// # Errors
    /// As [`ReadLogs::logs`]; requests that the node refuses are split. [`L1Error::TooMuchToRead`] if
    /// there are more blocks than any chain has.
    fn events(&mut self, pin: &Pin, of: &[Address]) -> Result<Vec<Event>, L1Error>;
    /// The call that a transaction made.
    ///
    /// # Errors
    /// [`L1Error::MissingHistory`] if the node does not keep it.
    fn called(&mut self, transaction: B256) -> Result<Called, L1Error>;
    /// Calldata of all calls to a contract in a transaction that were not undone.
    ///
    /// # Errors
    /// If the node keeps no traces.
    fn inner_calls(&mut self, transaction: B256, to: Address) -> Result<Vec<Bytes>, L1Error>;
}

/// Sending to an L1.
pub trait SendL1: ReadL1 {
    /// Creates a contract; returns its address and the gas used.
    ///
    /// # Errors
    /// If it is refused.
    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), L1Error>;
    /// Sends a transaction, waits until it is in a block, and returns the gas used.
    ///
    /// # Errors
    /// [`L1Error::Reverted`] with the contract's named error if it would revert,
    /// [`L1Error::Nonce`] if the account's nonce is another, [`L1Error::Waiting`] if another
    /// transaction of the account is not mined yet.
    fn send(&mut self, from: Address, to: Address, wei: U256, data: Bytes) -> Result<u64, L1Error>;
    /// The same with blobs, at least one; their gas is not counted.
    ///
    /// # Errors
    /// As [`Self::send`].
    fn send_blobs(
        &mut self,
        from: Address,
        to: Address,
        data: Bytes,
        blobs: &[Sidecar],
    ) -> Result<u64, L1Error>;
}

/// The powers that only a development chain gives.
pub trait DevChain: SendL1 {
    /// Makes sure that an account can send `wei`. Does nothing, on any chain, if it already can.
    ///
    /// # Errors
    /// If money is needed and this is no development chain.
    fn fund(&mut self, account: Address, wei: U256) -> Result<(), L1Error>;
    /// Lets time pass, in seconds.
    ///
    /// # Errors
    /// If this is no development chain.
    fn advance(&mut self, seconds: u64) -> Result<(), L1Error>;
    /// The blob of a versioned hash, if the chain has it: development chains have no beacon node to ask.
    ///
    /// # Errors
    /// If this is no development chain.
    fn blob(&mut self, versioned_hash: B256) -> Result<Option<Bytes>, L1Error>;
}
