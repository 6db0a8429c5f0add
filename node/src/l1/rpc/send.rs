//! Transactions. None is sent a second time blindly: each has its nonce, so that at most one of all
//! attempts can take effect, and an attempt whose answer was lost is looked up first.

use std::time::{Duration, Instant};

use alloy_primitives::{Address, Bytes, B256};
use serde_json::{json, Value};

use super::answer::{Filled, Quantity, Receipt, Transaction, Wei};
use super::transport::{pause, Client};
use super::Failure;
use crate::error::NodeError;

/// How long a transaction may wait for its receipt.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(120);

/// Sends a transaction from an account that the node holds, and waits until it is mined.
pub(super) fn transact(client: &Client, from: Address, tx: Value) -> Result<Receipt, NodeError> {
    let mut tx = tx;
    tx["from"] = json!(from);
    // The estimate names the reason of a revert, which a receipt does not.
    let gas: Quantity = client.read("eth_estimateGas", json!([tx]))?;
    let before: Quantity = client.read("eth_blockNumber", json!([]))?;
    let nonce: Quantity = client.read("eth_getTransactionCount", json!([from, "pending"]))?;
    tx["gas"] = json!(format!("{:#x}", gas.0.saturating_add(gas.0 / 5)));
    tx["nonce"] = json!(format!("{:#x}", nonce.0));
    let hash = send(client, &tx, from, nonce, before)?;
    let start = Instant::now();
    loop {
        let receipt: Option<Receipt> = client.read("eth_getTransactionReceipt", json!([hash]))?;
        match receipt {
            Some(receipt) if receipt.status == Quantity(1) => return Ok(receipt),
            Some(_) => return Err(NodeError::L1(format!("transaction {hash} reverted"))),
            None if start.elapsed() > RECEIPT_TIMEOUT => {
                return Err(NodeError::L1(format!(
                    "transaction {hash} has no receipt after {} seconds; it may still be mined: \
                     run again later, which goes on from what L1 then holds",
                    RECEIPT_TIMEOUT.as_secs()
                )));
            }
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn send(
    client: &Client,
    tx: &Value,
    from: Address,
    nonce: Quantity,
    before: Quantity,
) -> Result<B256, NodeError> {
    let mut attempts = 1;
    loop {
        let error = match client.once("eth_sendTransaction", json!([tx])) {
            Ok(hash) => return Ok(hash),
            Err(error) => error,
        };
        // A refusal of the first attempt means what it says. After a lost answer it may mean that
        // the transaction is known already.
        let lost = matches!(
            error.failure,
            Failure::Transport { .. } | Failure::Status { .. } | Failure::Malformed { .. }
        );
        if !lost && attempts == 1 {
            return Err(error.into());
        }
        if let Some(found) = find(client, from, nonce, before)? {
            return if is_ours(&found, tx) {
                Ok(found.hash)
            } else {
                Err(NodeError::L1(format!(
                    "transaction {} of {from} took the nonce {}: is somebody else sending for \
                     this account?",
                    found.hash, nonce.0
                )))
            };
        }
        if attempts > client.retries() || !error.failure.is_passing() {
            return Err(error.into());
        }
        std::thread::sleep(pause(attempts));
        attempts += 1;
    }
}

fn is_ours(found: &Transaction, tx: &Value) -> bool {
    json!(found.input) == tx["data"] && json!(found.to) == tx["to"]
}

/// The transaction of an account with a nonce, if it is in a block after `before` or waits.
fn find(
    client: &Client,
    from: Address,
    nonce: Quantity,
    before: Quantity,
) -> Result<Option<Transaction>, NodeError> {
    let count: Quantity = client.read("eth_getTransactionCount", json!([from, "pending"]))?;
    if count <= nonce {
        return Ok(None);
    }
    let last: Quantity = client.read("eth_blockNumber", json!([]))?;
    let mined = (before.0..=last.0).rev().map(|n| format!("{n:#x}"));
    for name in std::iter::once("pending".to_string()).chain(mined) {
        let block: Option<Filled> = client.read("eth_getBlockByNumber", json!([name, true]))?;
        let transactions = block.into_iter().flat_map(|b| b.transactions);
        let found = transactions.into_iter().find(|t| t.from == from && t.nonce == nonce);
        if found.is_some() {
            return Ok(found);
        }
    }
    Err(NodeError::L1(format!(
        "{from} has sent its transaction {}, but no block tells of it: run again later",
        nonce.0
    )))
}

/// What an account has.
pub(super) fn balance(client: &Client, account: Address) -> Result<Wei, NodeError> {
    Ok(client.read("eth_getBalance", json!([account, "latest"]))?)
}

/// Lets the node sign for an account it does not know, where it can.
pub(super) fn impersonate(client: &Client, account: Address) {
    // A node that is no development node refuses, and the transaction says so.
    let _: Result<Value, _> = client.once("anvil_impersonateAccount", json!([account]));
}

/// A call without effect as of now.
pub(super) fn view(client: &Client, to: Address, data: &Bytes) -> Result<Bytes, NodeError> {
    let call = json!([{ "to": to, "data": data }, "latest"]);
    Ok(client.read("eth_call", call)?)
}
