//! A chain in memory. Each transaction is a block; nothing is ever taken back.

use std::collections::BTreeMap;

use alloy::primitives::{keccak256, Address, Bytes, Log, B256, U256};
use bastion_contract::evm::{CallResult, Evm, Rules, Status};

use crate::blob::Sidecar;
use crate::chain::{DevChain, ReadL1, ReadLogs, SendL1};
use crate::error::L1Error;
use crate::revert::Revert;
use crate::types::{At, Called, Event, Pin, DEV_CHAIN_ID};

/// The embedded L1.
pub struct EmbeddedL1 {
    evm: Evm,
    chain_id: u64,
    /// Time of block 0.
    genesis: u64,
    /// Call and time of each block after block 0; their places name them.
    blocks: Vec<(Called, u64)>,
    events: Vec<Event>,
    blobs: BTreeMap<B256, Bytes>,
}

impl EmbeddedL1 {
    /// An empty chain at a time, in seconds.
    pub fn new(time: u64) -> Self {
        Self::with_chain(DEV_CHAIN_ID, time)
    }

    /// An empty chain with an id.
    pub fn with_chain(chain_id: u64, time: u64) -> Self {
        Self::with_rules(chain_id, time, Rules::default())
    }

    /// An empty chain under some rules.
    pub fn with_rules(chain_id: u64, time: u64, rules: Rules) -> Self {
        let mut evm = Evm::with_rules(chain_id, rules);
        evm.set_block(1, time);
        Self {
            evm,
            chain_id,
            genesis: time,
            blocks: Vec::new(),
            events: Vec::new(),
            blobs: BTreeMap::new(),
        }
    }

    /// Lets an account begin where it stands on another chain.
    ///
    /// # Errors
    /// If the account cannot be written.
    pub fn set_nonce(&mut self, account: Address, nonce: u64) -> Result<(), L1Error> {
        Ok(self.evm.set_nonce(account, nonce)?)
    }

    fn remember(&mut self, to: Option<Address>, input: Bytes, logs: Vec<Log>) {
        let time = self.evm.timestamp();
        self.blocks.push((Called { to, input }, time));
        let number = self.blocks.len();
        let block = Pin { number: number as u64, hash: block_hash(number), time };
        let events = logs.into_iter().zip(0..).map(|(log, index)| Event {
            address: log.address,
            data: log.data,
            transaction: transaction_hash(number),
            index,
            block,
        });
        self.events.extend(events);
    }

    fn numbered(&self, number: u64) -> Option<Pin> {
        let place = usize::try_from(number).ok()?;
        let time = match place.checked_sub(1) {
            None => self.genesis,
            Some(place) => self.blocks.get(place)?.1,
        };
        Some(Pin { number, hash: block_hash(place), time })
    }
}

/// Stands for the hash of a block.
fn block_hash(number: usize) -> B256 {
    keccak256([&b"block"[..], &number.to_be_bytes()].concat())
}

/// Stands for the hash of the transaction of a block.
fn transaction_hash(number: usize) -> B256 {
    keccak256([&b"transaction"[..], &number.to_be_bytes()].concat())
}

fn done(what: &'static str, result: CallResult) -> Result<CallResult, L1Error> {
    match result.status {
        Status::Success => Ok(result),
        Status::Revert => {
            Err(L1Error::Reverted { what: what.into(), revert: Revert::new(result.output) })
        }
        Status::Halt(reason) => Err(L1Error::Halted { what, reason }),
    }
}

impl ReadLogs for EmbeddedL1 {
    fn block(&mut self, at: At) -> Result<Option<Pin>, L1Error> {
        Ok(match at {
            At::Number(number) => self.numbered(number),
            At::Settled | At::Latest | At::Safe | At::Finalized => {
                self.numbered(self.blocks.len() as u64)
            }
        })
    }

    fn logs(&mut self, from: u64, to: u64, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        if of.is_empty() {
            return Err(L1Error::NoContracts);
        }
        let inside = |e: &&Event| (from..=to).contains(&e.block.number) && of.contains(&e.address);
        Ok(self.events.iter().filter(inside).cloned().collect())
    }
}

/// The only state that it keeps is the present.
impl ReadL1 for EmbeddedL1 {
    fn chain_id(&self) -> u64 {
        self.chain_id
    }

    fn now(&mut self) -> Result<u64, L1Error> {
        Ok(self.evm.timestamp())
    }

    fn code(&mut self, account: Address) -> Result<Bytes, L1Error> {
        Ok(self.evm.code(account)?)
    }

    fn nonce(&mut self, account: Address) -> Result<u64, L1Error> {
        Ok(self.evm.nonce(account)?)
    }

    fn balance(&mut self, account: Address) -> Result<U256, L1Error> {
        Ok(self.evm.balance(account)?)
    }

    fn view(&mut self, to: Address, data: Bytes) -> Result<Bytes, L1Error> {
        Ok(done("call", self.evm.view(Address::ZERO, to, data)?)?.output)
    }

    fn pin(&mut self) -> Result<Pin, L1Error> {
        let number = self.blocks.len();
        let time = self.evm.timestamp();
        Ok(Pin { number: number as u64, hash: block_hash(number), time })
    }

    fn hold(&mut self, pin: &Pin) -> Result<(), L1Error> {
        if self.pin()? != *pin {
            return Err(L1Error::Reorg { block: pin.number, common: None });
        }
        Ok(())
    }

    fn view_at(&mut self, pin: &Pin, to: Address, data: Bytes) -> Result<Bytes, L1Error> {
        self.hold(pin)?;
        self.view(to, data)
    }

    fn code_at(&mut self, pin: &Pin, account: Address) -> Result<Bytes, L1Error> {
        self.hold(pin)?;
        self.code(account)
    }

    fn events(&mut self, pin: &Pin, of: &[Address]) -> Result<Vec<Event>, L1Error> {
        self.hold(pin)?;
        self.logs(0, pin.number, of)
    }

    fn called(&mut self, transaction: B256) -> Result<Called, L1Error> {
        let mut blocks = self.blocks.iter().zip(1..);
        let found = blocks.find(|(_, number)| transaction_hash(*number) == transaction);
        let missing = || L1Error::NotEmbedded { what: format!("transaction {transaction}") };
        found.map(|((call, _), _)| call.clone()).ok_or_else(missing)
    }

    fn inner_calls(&mut self, _: B256, _: Address) -> Result<Vec<Bytes>, L1Error> {
        Err(L1Error::NotEmbedded { what: "traces".into() })
    }
}

impl SendL1 for EmbeddedL1 {
    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), L1Error> {
        let (address, gas_used, logs) = self.evm.deploy_from(from, code.clone())?;
        self.remember(None, code, logs);
        Ok((address, gas_used))
    }

    fn send(&mut self, from: Address, to: Address, wei: U256, data: Bytes) -> Result<u64, L1Error> {
        let sent = self.evm.send(from, to, wei, data.clone())?;
        let result = done("transaction", sent)?;
        self.remember(Some(to), data, result.logs);
        Ok(result.gas_used)
    }

    fn send_blobs(
        &mut self,
        from: Address,
        to: Address,
        data: Bytes,
        blobs: &[Sidecar],
    ) -> Result<u64, L1Error> {
        let hashes: Vec<B256> = blobs.iter().map(Sidecar::versioned_hash).collect();
        let sent = self.evm.send_blobs(from, to, data.clone(), hashes.clone())?;
        let result = done("transaction", sent)?;
        self.remember(Some(to), data, result.logs);
        let bytes = blobs.iter().map(|blob| Bytes::copy_from_slice(blob.blob()));
        self.blobs.extend(hashes.into_iter().zip(bytes));
        Ok(result.gas_used)
    }
}

impl DevChain for EmbeddedL1 {
    fn fund(&mut self, account: Address, wei: U256) -> Result<(), L1Error> {
        if self.evm.balance(account)? < wei {
            self.evm.set_balance(account, wei)?;
        }
        Ok(())
    }

    fn advance(&mut self, seconds: u64) -> Result<(), L1Error> {
        self.evm.advance(seconds);
        Ok(())
    }

    fn blob(&mut self, versioned_hash: B256) -> Result<Option<Bytes>, L1Error> {
        Ok(self.blobs.get(&versioned_hash).cloned())
    }
}
