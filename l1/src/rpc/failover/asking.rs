//! What any of the nodes can say: the first one that does is enough.

use alloy::primitives::{Address, Bytes, B256, U256};

use super::Failover;
use crate::chain::{ReadL1, ReadLogs};
use crate::error::L1Error;
use crate::rpc::RpcL1;
use crate::types::{At, Call, Called, Event, Market, Pin, Receipt};

impl Failover {
    /// As [`RpcL1::receipt`], by the first node that answers.
    ///
    /// # Errors
    /// If no node answers.
    pub fn receipt(&mut self, transaction: B256) -> Result<Option<Receipt>, L1Error> {
        self.any(|l1| l1.receipt(transaction))
    }

    /// As [`RpcL1::simulate`].
    ///
    /// # Errors
    /// [`L1Error::Reverted`], or if no node answers.
    pub fn simulate(&mut self, call: &Call) -> Result<(), L1Error> {
        self.any(|l1| l1.simulate(call))
    }

    /// As [`RpcL1::estimate`].
    ///
    /// # Errors
    /// [`L1Error::Reverted`], or if no node answers.
    pub fn estimate(&mut self, call: &Call) -> Result<u64, L1Error> {
        self.any(|l1| l1.estimate(call))
    }

    /// As [`RpcL1::nonce_at`].
    ///
    /// # Errors
    /// If no node answers and has the state.
    pub fn nonce_at(&mut self, account: Address, block: u64) -> Result<u64, L1Error> {
        self.any(|l1| l1.nonce_at(account, block))
    }

    /// As [`RpcL1::market`].
    ///
    /// # Errors
    /// [`L1Error::NoBaseFee`], or if no node answers.
    pub fn market(&mut self) -> Result<Market, L1Error> {
        self.any(RpcL1::market)
    }
}

impl ReadLogs for Failover {
    fn block(&mut self, at: At) -> Result<Option<Pin>, L1Error> {
        self.any(|l1| l1.block(at))
    }

    fn logs(&mut self, from: u64, to: u64, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        self.any(|l1| l1.logs(from, to, of))
    }
}

impl ReadL1 for Failover {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn now(&mut self) -> Result<u64, L1Error> {
        self.any(RpcL1::now)
    }

    fn code(&mut self, account: Address) -> Result<Bytes, L1Error> {
        self.any(|l1| l1.code(account))
    }

    fn nonce(&mut self, account: Address) -> Result<u64, L1Error> {
        self.any(|l1| l1.nonce(account))
    }

    fn balance(&mut self, account: Address) -> Result<U256, L1Error> {
        self.any(|l1| l1.balance(account))
    }

    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, L1Error> {
        self.any(|l1| l1.view(to, data.clone()))
    }

    fn pin(&mut self) -> Result<Pin, L1Error> {
        self.any(RpcL1::pin)
    }

    fn hold(&mut self, pin: &Pin) -> Result<(), L1Error> {
        self.any(|l1| l1.hold(pin))
    }

    fn view_at(&mut self, pin: &Pin, to: Address, data: Bytes) -> Result<Bytes, L1Error> {
        self.any(|l1| l1.view_at(pin, to, data.clone()))
    }

    fn code_at(&mut self, pin: &Pin, account: Address) -> Result<Bytes, L1Error> {
        self.any(|l1| l1.code_at(pin, account))
    }

    fn events(&mut self, pin: &Pin, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        self.any(|l1| l1.events(pin, of))
    }

    fn called(&mut self, transaction: B256) -> Result<Called, L1Error> {
        self.any(|l1| l1.called(transaction))
    }

    fn inner_calls(&mut self, transaction: B256, to: Address) -> Result<Vec<Bytes>, L1Error> {
        self.any(|l1| l1.inner_calls(transaction, to))
    }
}
