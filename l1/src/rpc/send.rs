//! Transactions. None is sent a second time blindly: each has its nonce, so that at most one of all
//! attempts can take effect, and an attempt whose answer was lost is looked up first.

use std::time::{Duration, Instant};

use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, Bytes, B256, U256};
use alloy::rpc::types::TransactionRequest;
use serde_json::Value;

use super::client::Client;
use super::forms::{Filled, Receipt, Transaction};
use super::retry::pause;
use super::RpcL1;
use crate::blob::{to_alloy, Sidecar};
use crate::chain::{DevChain, ReadL1, SendL1};
use crate::error::L1Error;
use crate::nonce::NonceFault;

const RECEIPT: &str = "eth_getTransactionReceipt";
/// How long a transaction may wait for its receipt.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(120);
/// Blocks after the sending in which a transaction is looked for.
const SEARCHED: u64 = 256;
/// How often a receipt is asked for.
const POLL: Duration = Duration::from_millis(100);
/// Room for gas that an account on a development chain is given.
/// Most that a unit of a blob's gas may cost on a development chain, in wei.
const BLOB_FEE: u128 = 1_000_000_000;
const GAS_MONEY: u128 = 1_000_000_000_000_000_000;

/// Sends a transaction from an account that the node holds, and waits until it is mined.
fn transact(l1: &RpcL1, from: Address, tx: TransactionRequest) -> Result<Receipt, L1Error> {
    let client = &l1.client;
    // For no other chain than the one that the caller knows, whatever the node is by now.
    let mut tx = tx.from(from);
    tx.chain_id = Some(l1.chain_id);
    tx.normalize_data();
    let nonce = next_nonce(client, from)?;
    // The estimate names the reason of a revert, which a receipt does not.
    let gas = client.small("eth_estimateGas", (&tx,))?;
    let before = block_number(client)?;
    let tx = tx.gas_limit(gas.saturating_add(gas / 5)).nonce(nonce);
    let hash = Sending { client, tx: &tx, from, nonce, before }.send()?;
    let start = Instant::now();
    loop {
        match client.ask::<Option<Receipt>>(RECEIPT, (hash,))? {
            Some(receipt) if receipt.transaction_hash != hash => {
                let why = format!("a receipt of another transaction than {hash}");
                return Err(client.malformed(RECEIPT, why, &format!("{receipt:?}")));
            }
            Some(receipt) if receipt.status.0 == 1 => return Ok(receipt),
            Some(_) => return Err(L1Error::Failed { transaction: hash }),
            None if start.elapsed() > RECEIPT_TIMEOUT => {
                return Err(L1Error::NoReceipt { transaction: hash, waited: RECEIPT_TIMEOUT });
            }
            None => std::thread::sleep(POLL),
        }
    }
}

/// The nonce of the account's next transaction, if none waits. One that waits may be an earlier attempt
/// at the same: with the nonce after it, both would take effect.
fn next_nonce(client: &Client, account: Address) -> Result<u64, L1Error> {
    // In this order one that is mined meanwhile does not seem to wait.
    let pending = count(client, account, "pending")?;
    let latest = count(client, account, "latest")?;
    if pending > latest {
        return Err(L1Error::Waiting { account, nonce: latest });
    }
    Ok(latest)
}

fn count(client: &Client, account: Address, at: &'static str) -> Result<u64, L1Error> {
    client.small("eth_getTransactionCount", (account, at))
}

fn block_number(client: &Client) -> Result<u64, L1Error> {
    client.small("eth_blockNumber", ())
}

/// A transaction on its way.
struct Sending<'a> {
    client: &'a Client,
    tx: &'a TransactionRequest,
    from: Address,
    nonce: u64,
    /// The latest block before it was sent.
    before: u64,
}

impl Sending<'_> {
    fn send(&self) -> Result<B256, L1Error> {
        let mut attempts = 1;
        loop {
            let error = match self.client.ask("eth_sendTransaction", (self.tx,)) {
                Ok(hash) => return Ok(hash),
                Err(error) => error,
            };
            // A refusal of the first attempt means what it says. After a lost answer it may mean that
            // the transaction is known already.
            if !error.is_lost() && attempts == 1 {
                return Err(self.refused(error));
            }
            if let Some(found) = self.find()? {
                return if self.is_ours(&found) {
                    Ok(found.hash)
                } else {
                    Err(L1Error::NonceTaken {
                        account: self.from,
                        nonce: self.nonce,
                        transaction: found.hash,
                    })
                };
            }
            if attempts > self.client.retries() || !error.is_passing() {
                return Err(self.refused(error));
            }
            std::thread::sleep(pause(attempts));
            attempts += 1;
        }
    }

    /// A refusal, as one of the nonce if it is.
    fn refused(&self, error: L1Error) -> L1Error {
        let fault = match &error {
            L1Error::Refused { message, .. } => NonceFault::of(message).map(|f| (f, message)),
            _ => None,
        };
        match fault {
            Some((fault, message)) => L1Error::Nonce {
                account: self.from,
                nonce: self.nonce,
                fault,
                message: message.clone(),
            },
            None => error,
        }
    }

    fn is_ours(&self, found: &Transaction) -> bool {
        let to = self.tx.to.and_then(|kind| kind.to().copied());
        let wei = self.tx.value.unwrap_or_default();
        Some(&found.input) == self.tx.input.input() && found.to == to && found.value.0 == wei
    }

    /// The transaction of the account with the nonce, if it waits, or is in one of the blocks after
    /// `before`.
    fn find(&self) -> Result<Option<Transaction>, L1Error> {
        if count(self.client, self.from, "pending")? <= self.nonce {
            return Ok(None);
        }
        let last = block_number(self.client)?.min(self.before.saturating_add(SEARCHED));
        let mined = (self.before..=last).rev().map(BlockNumberOrTag::Number);
        for name in std::iter::once(BlockNumberOrTag::Pending).chain(mined) {
            let found = transactions(self.client, name)?
                .into_iter()
                .find(|t| t.from == self.from && t.nonce.0 == self.nonce);
            if found.is_some() {
                return Ok(found);
            }
        }
        Err(L1Error::Unseen { account: self.from, nonce: self.nonce })
    }
}

/// The transactions of a block, which may be one that is not mined yet and has no whole header.
fn transactions(client: &Client, name: BlockNumberOrTag) -> Result<Vec<Transaction>, L1Error> {
    let block: Option<Filled> = client.ask("eth_getBlockByNumber", (name, true))?;
    Ok(block.map(|block| block.transactions).unwrap_or_default())
}

impl SendL1 for RpcL1 {
    fn deploy(&mut self, from: Address, code: Bytes) -> Result<(Address, u64), L1Error> {
        let tx = TransactionRequest::default().input(code.into());
        let receipt = transact(self, from, tx)?;
        let transaction = receipt.transaction_hash;
        let address = receipt.contract_address.ok_or(L1Error::NoContract { transaction })?;
        Ok((address, receipt.gas_used.0))
    }

    fn send(&mut self, from: Address, to: Address, wei: U256, data: Bytes) -> Result<u64, L1Error> {
        // A node that is no development node refuses, and the transaction says so.
        let _: Result<Value, _> = self.client.ask("anvil_impersonateAccount", (from,));
        let tx = TransactionRequest::default().to(to).value(wei).input(data.into());
        Ok(transact(self, from, tx)?.gas_used.0)
    }

    fn send_blobs(
        &mut self,
        from: Address,
        to: Address,
        data: Bytes,
        blobs: &[Sidecar],
    ) -> Result<u64, L1Error> {
        let _: Result<Value, _> = self.client.ask("anvil_impersonateAccount", (from,));
        let mut tx = TransactionRequest::default().to(to).input(data.into());
        tx.blob_versioned_hashes = Some(blobs.iter().map(Sidecar::versioned_hash).collect());
        tx.sidecar = Some(to_alloy(blobs).into());
        tx.max_fee_per_blob_gas = Some(BLOB_FEE);
        Ok(transact(self, from, tx)?.gas_used.0)
    }
}

impl DevChain for RpcL1 {
    fn fund(&mut self, account: Address, wei: U256) -> Result<(), L1Error> {
        let needed = wei.saturating_add(U256::from(GAS_MONEY));
        if self.balance(account)? < needed {
            let _: Value = self.client.ask("anvil_setBalance", (account, needed))?;
        }
        Ok(())
    }

    fn advance(&mut self, seconds: u64) -> Result<(), L1Error> {
        let _: Value = self.client.ask("evm_increaseTime", (U256::from(seconds),))?;
        let _: Value = self.client.ask("evm_mine", ())?;
        Ok(())
    }

    fn blob(&mut self, versioned_hash: B256) -> Result<Option<Bytes>, L1Error> {
        self.client.ask("anvil_getBlobByHash", (versioned_hash,))
    }
}
