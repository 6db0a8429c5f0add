//! A chain in memory.

use alloy_primitives::{keccak256, Address, Bytes, Log, B256, U256};
use bastion_contract::evm::{CallResult, Evm, Status};
use bastion_contract::rollup::describe_revert;

use crate::error::NodeError;
use crate::l1::{Called, Event, Past, Pin, DEV_CHAIN_ID, L1};

/// The embedded L1.
pub struct EmbeddedL1 {
    evm: Evm,
    chain_id: u64,
    /// Calls of all transactions; their places name them.
    calls: Vec<Called>,
    events: Vec<Event>,
}

impl EmbeddedL1 {
    /// An empty chain at a time.
    pub fn new(time: u64) -> Self {
        Self::with_chain(DEV_CHAIN_ID, time)
    }

    /// An empty chain with an id.
    pub fn with_chain(chain_id: u64, time: u64) -> Self {
        let mut evm = Evm::new(chain_id);
        evm.set_block(1, time);
        Self { evm, chain_id, calls: Vec::new(), events: Vec::new() }
    }

    /// Lets an account begin where it stands on another chain.
    pub(crate) fn set_nonce(&mut self, account: Address, nonce: u64) -> Result<(), NodeError> {
        Ok(self.evm.set_nonce(account, nonce)?)
    }

    fn remember(&mut self, to: Option<Address>, input: Bytes, logs: Vec<Log>) {
        let transaction = name(self.calls.len());
        let time = self.evm.timestamp();
        self.calls.push(Called { to, input });
        self.events.extend(logs.into_iter().map(|log| Event {
            address: log.address,
            data: log.data,
            transaction,
            time,
        }));
    }
}

/// Stands for the hash of a transaction.
fn name(number: usize) -> B256 {
    keccak256(number.to_be_bytes())
}

fn done(what: &str, result: CallResult) -> Result<CallResult, NodeError> {
    match result.status {
        Status::Success => Ok(result),
        Status::Revert => {
            Err(NodeError::L1(format!("{what} reverted: {}", describe_revert(&result.output))))
        }
        Status::Halt(reason) => Err(NodeError::L1(format!("{what} halted: {reason}"))),
    }
}

impl L1 for EmbeddedL1 {
    fn chain_id(&self) -> u64 {
        self.chain_id
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

    fn nonce(&mut self, account: Address) -> Result<u64, NodeError> {
        Ok(self.evm.nonce(account)?)
    }

    fn past(&mut self) -> &mut dyn Past {
        self
    }
}

/// Its only block is the present.
impl Past for EmbeddedL1 {
    fn pin(&mut self) -> Result<Pin, NodeError> {
        let number = self.calls.len();
        Ok(Pin { number: number as u64, hash: name(number), time: self.evm.timestamp() })
    }

    fn hold(&mut self, pin: &Pin) -> Result<(), NodeError> {
        if self.pin()? != *pin {
            return Err(NodeError::ChainChanged { block: pin.number });
        }
        Ok(())
    }

    fn view_at(&mut self, pin: &Pin, to: Address, data: Bytes) -> Result<Bytes, NodeError> {
        self.hold(pin)?;
        self.view(to, data)
    }

    fn code_at(&mut self, pin: &Pin, account: Address) -> Result<Bytes, NodeError> {
        self.hold(pin)?;
        self.code(account)
    }

    fn events(&mut self, pin: &Pin, of: &[Address]) -> Result<Vec<Event>, NodeError> {
        self.hold(pin)?;
        let events = self.events.iter().filter(|e| of.contains(&e.address));
        Ok(events.cloned().collect())
    }

    fn called(&mut self, transaction: B256) -> Result<Called, NodeError> {
        let mut calls = self.calls.iter().enumerate();
        let found = calls.find(|(number, _)| name(*number) == transaction);
        found
            .map(|(_, call)| call.clone())
            .ok_or_else(|| NodeError::L1(format!("there is no transaction {transaction}")))
    }

    fn inner_calls(&mut self, _: B256, _: Address) -> Result<Vec<Bytes>, NodeError> {
        Err(NodeError::L1("the embedded L1 keeps no traces".into()))
    }
}
