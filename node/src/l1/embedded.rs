//! A chain in memory.

use alloy_primitives::{Address, Bytes, Log, U256};
use bastion_contract::evm::{CallResult, Evm, Status};
use bastion_contract::rollup::describe_revert;

use crate::error::NodeError;
use crate::l1::{Transaction, DEV_CHAIN_ID, L1};

/// The embedded L1.
pub struct EmbeddedL1 {
    evm: Evm,
    /// Transactions that logged, with who logged.
    history: Vec<(Transaction, Vec<Address>)>,
}

impl EmbeddedL1 {
    /// An empty chain at a time.
    pub fn new(time: u64) -> Self {
        let mut evm = Evm::new(DEV_CHAIN_ID);
        evm.set_block(1, time);
        Self {
            evm,
            history: Vec::new(),
        }
    }

    fn remember(&mut self, to: Option<Address>, input: Bytes, logs: Vec<Log>) {
        let (who, logs) = logs.into_iter().map(|l| (l.address, l.data)).unzip();
        let time = self.evm.timestamp();
        let transaction = Transaction {
            to,
            input,
            time,
            logs,
        };
        self.history.push((transaction, who));
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
        let (address, gas_used, logs) = self.evm.deploy_from(from, code.clone())?;
        self.remember(None, code, logs);
        Ok((address, gas_used))
    }

    fn send(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        data: Bytes,
    ) -> Result<u64, NodeError> {
        let sent = self.evm.send(from, to, wei, data.clone())?;
        let result = done("transaction", sent)?;
        self.remember(Some(to), data, result.logs);
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

    fn balance(&mut self, account: Address) -> Result<U256, NodeError> {
        Ok(self.evm.balance(account)?)
    }

    fn advance(&mut self, seconds: u64) -> Result<(), NodeError> {
        self.evm.advance(seconds);
        Ok(())
    }

    fn transactions(&mut self, contract: Address) -> Result<Vec<Transaction>, NodeError> {
        let mut found = Vec::new();
        for (transaction, who) in &self.history {
            let logs = who.iter().zip(&transaction.logs);
            let logs: Vec<_> = logs
                .filter(|(who, _)| **who == contract)
                .map(|(_, log)| log.clone())
                .collect();
            if !logs.is_empty() {
                found.push(Transaction {
                    logs,
                    ..transaction.clone()
                });
            }
        }
        Ok(found)
    }
}
