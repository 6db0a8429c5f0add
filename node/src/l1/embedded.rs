//! A chain in memory.

use alloy_primitives::{Address, Bytes, U256};
use bastion_contract::evm::{CallResult, Evm, Status};
use bastion_contract::rollup::describe_revert;

use crate::error::NodeError;
use crate::l1::{DEV_CHAIN_ID, L1};

/// The embedded L1.
pub struct EmbeddedL1 {
    evm: Evm,
}

impl EmbeddedL1 {
    /// An empty chain at a time.
    pub fn new(time: u64) -> Self {
        let mut evm = Evm::new(DEV_CHAIN_ID);
        evm.set_block(1, time);
        Self { evm }
    }

    /// Lets time pass.
    pub fn advance(&mut self, seconds: u64) {
        self.evm.advance(seconds);
    }
}

fn done(what: &str, result: CallResult) -> Result<CallResult, NodeError> {
    match result.status {
        Status::Success => Ok(result),
        Status::Revert => Err(NodeError::L1(format!(
            "{what} reverted: {}",
            describe_revert(&result.output)
        ))),
        Status::Halt(reason) => Err(NodeError::L1(format!("{what} halted: {reason}"))),
    }
}

impl L1 for EmbeddedL1 {
    fn chain_id(&self) -> u64 {
        DEV_CHAIN_ID
    }

    fn now(&mut self) -> Result<u64, NodeError> {
        Ok(self.evm.timestamp())
    }

    fn code(&mut self, account: Address) -> Result<Bytes, NodeError> {
        Ok(self.evm.code(account)?)
    }

    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), NodeError> {
        Ok(self.evm.deploy_from(from, code)?)
    }

    fn send(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        data: Bytes,
    ) -> Result<u64, NodeError> {
        let result = done("transaction", self.evm.send(from, to, wei, data)?)?;
        Ok(result.gas_used)
    }

    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, NodeError> {
        Ok(done("call", self.evm.view(Address::ZERO, to, data)?)?.output)
    }

    fn fund(&mut self, account: Address, wei: U256) -> Result<(), NodeError> {
        if self.evm.balance(account)? < wei {
            self.evm.set_balance(account, wei)?;
        }
        Ok(())
    }
}
