//! Errors of this crate.

use std::time::Duration;

use alloy::primitives::{Address, B256};
use bastion_contract::ContractError;

use crate::asked::Asked;
use crate::blob::SidecarError;
use crate::indexer::Cursor;
use crate::nonce::NonceFault;
use crate::revert::Revert;

/// Characters of an answer that an error shows.
pub(crate) const SHOWN: usize = 200;

/// Why the L1 gave nothing, or refused. No message tells more of a node's URL than scheme, host and
/// port; what a node says in its own words is short in it, and without control characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum L1Error {
    /// No whole answer came.
    #[error("L1: {asked}{}: {why}", asked.tries())]
    Transport {
        /// The request.
        asked: Asked,
        /// Why.
        why: String,
        /// Whether another try may fare better.
        passing: bool,
    },
    /// The node, or a gateway before it, answered with an HTTP error.
    #[error("L1: {asked}: HTTP status {status}: {}{}", shown(body), asked.tries())]
    Status {
        /// The request.
        asked: Asked,
        /// The status.
        status: u16,
        /// Start of the body.
        body: String,
        /// When to come back.
        retry_after: Option<Duration>,
    },
    /// The node lives elsewhere.
    #[error("L1: {asked}: HTTP status {status}: a redirect to {to}, which is not followed: give the URL of the node itself")]
    Redirect {
        /// The request.
        asked: Asked,
        /// The status.
        status: u16,
        /// Scheme, host and port of the other place.
        to: String,
    },
    /// The node refused the request.
    #[error("L1: {asked}: {message} (error {code}){}", asked.tries())]
    Refused {
        /// The request.
        asked: Asked,
        /// The node's code.
        code: i64,
        /// Its words.
        message: String,
    },
    /// A contract refused the call.
    #[error("L1: {what} reverted: {revert}")]
    Reverted {
        /// What was called, and where.
        what: String,
        /// Why.
        revert: Revert,
    },
    /// A transaction is in a block, and had no effect: the state was another when it was estimated.
    #[error("L1: transaction {transaction} reverted: the state changed after it was estimated; run again, which goes on from what L1 then holds")]
    Failed {
        /// Its hash.
        transaction: B256,
    },
    /// The embedded chain stopped a call without revert data.
    #[error("L1: {what} halted: {reason}")]
    Halted {
        /// What was called.
        what: &'static str,
        /// The EVM's reason, such as gas.
        reason: String,
    },
    /// The node refused a transaction for its nonce.
    #[error("L1: transaction {nonce} of {account}: {fault} ({message}): {}", fault.remedy())]
    Nonce {
        /// The sender.
        account: Address,
        /// The nonce of the transaction.
        nonce: u64,
        /// What is wrong with it.
        fault: NonceFault,
        /// The node's words.
        message: String,
    },
    /// Another transaction has the nonce of one whose answer was lost.
    #[error("L1: transaction {transaction} of {account} took the nonce {nonce}: is somebody else sending for this account?")]
    NonceTaken {
        /// The sender of both.
        account: Address,
        /// The nonce.
        nonce: u64,
        /// The other transaction.
        transaction: B256,
    },
    /// The answer to a transaction was lost, and no block tells of it.
    #[error(
        "L1: {account} has sent its transaction {nonce}, but no block tells of it: run again later"
    )]
    Unseen {
        /// The sender.
        account: Address,
        /// The nonce.
        nonce: u64,
    },
    /// A transaction waits.
    #[error("L1: transaction {transaction} has no receipt after {} seconds; it may still be mined: run again later, which goes on from what L1 then holds", waited.as_secs())]
    NoReceipt {
        /// Its hash.
        transaction: B256,
        /// How long it was waited for.
        waited: Duration,
    },
    /// An account's transaction waits, and a further one is not sent before it: the two might be the
    /// same.
    #[error("L1: transaction {nonce} of {account} is still waiting to be mined, and no other is sent before it: run again when it is, or replace it by one with the same nonce and a higher fee")]
    Waiting {
        /// The sender.
        account: Address,
        /// The nonce of the first that waits.
        nonce: u64,
    },
    /// The receipt of a deployment names no contract.
    #[error("L1: the receipt of the deployment {transaction} names no contract: use another node")]
    NoContract {
        /// The transaction.
        transaction: B256,
    },
    /// A block is no longer the one it was.
    #[error(
        "L1 block {block} is no longer the one it was: the chain changed while it was read; {}",
        again(common)
    )]
    Reorg {
        /// Number of the block.
        block: u64,
        /// The last block known before that is still there, if one was found.
        common: Option<Cursor>,
    },
    /// The answer is not of the form that the method has.
    #[error("L1: {asked}: no answer to this request: {why}: {}", shown(body))]
    Malformed {
        /// The request.
        asked: Asked,
        /// What is wrong with it.
        why: String,
        /// Its start.
        body: String,
    },
    /// The answer is longer than this program reads.
    #[error("L1: {asked}: the answer is longer than {limit} bytes{}", longer(asked))]
    TooLong {
        /// The request.
        asked: Asked,
        /// The limit.
        limit: u64,
    },
    /// The node no longer has something.
    #[error(
        "{host} does not have {what}: it has pruned its history, or is behind; use an archive node"
    )]
    MissingHistory {
        /// Scheme, host and port of the node.
        host: String,
        /// What it lacks.
        what: String,
    },
    /// The chain's reader tells of no block of a name of which there always is one.
    #[error("L1: the node tells of no {name} block, and there must be one: it is behind, or another node answers than before; try again, or use another node")]
    NoNamed {
        /// The name.
        name: &'static str,
    },
    /// The chain has no block of a name or number.
    #[error("L1: {host} has no block `{name}`: choose another as of which to read (--at)")]
    NoBlock {
        /// Scheme, host and port of the node.
        host: String,
        /// The name, or the number.
        name: String,
    },
    /// Logs of no contract were asked for.
    #[error(
        "L1: logs of no contract were asked for: name the contracts (to many nodes none means all)"
    )]
    NoContracts,
    /// History would begin after it ends.
    #[error("L1: history is read up to block {last}, and block {first}, from which on it is read, comes after it (--deployed-at)")]
    NothingToRead {
        /// Where it begins.
        first: u64,
        /// Where it ends.
        last: u64,
    },
    /// History would have no end.
    #[error("L1: history from block {first} to block {last} has more than {most} blocks: does the node tell of the right chain?")]
    TooMuchToRead {
        /// Where it begins.
        first: u64,
        /// Where it ends.
        last: u64,
        /// Blocks at most.
        most: u64,
    },
    /// No traces of a transaction.
    #[error("L1: the node gives no traces: {first}; {second}")]
    NoTraces {
        /// What `trace_transaction` gave.
        first: Box<L1Error>,
        /// What `debug_traceTransaction` gave.
        second: Box<L1Error>,
    },
    /// The embedded chain does not have something.
    #[error("L1: the embedded chain has no {what}")]
    NotEmbedded {
        /// What was asked for.
        what: String,
    },
    /// The embedded chain could not run a transaction at all.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// What was given is no URL of a node. It is not shown: it may hold a key.
    #[error("the URL of the L1 node {why}: give it as http://HOST:PORT or https://HOST/PATH")]
    BadUrl {
        /// What is wrong with it.
        why: String,
    },
    /// A node is of another chain than the others, or than was asked for.
    #[error("L1: {host} is of chain {found}, and chain {expected} was expected: give URLs of nodes of one chain (--l1, or l1.urls)")]
    OtherChain {
        /// Scheme, host and port of the node.
        host: String,
        /// Its chain id.
        found: u64,
        /// The chain id that was expected.
        expected: u64,
    },
    /// No node can be asked.
    #[error("L1: no node is left to ask: give the URL of one at least (--l1, or l1.urls)")]
    NoNode,
    /// The chain has no base fee.
    #[error("L1: {host} tells of no base fee, so the chain does not know EIP-1559: transactions with a fee cap cannot be sent to it")]
    NoBaseFee {
        /// Scheme, host and port of the node.
        host: String,
    },
    /// The operator's key cannot be had, or does not sign. No part of the key is shown.
    #[error("the key of the L1 account: {why}")]
    Wallet {
        /// Why, and the remedy.
        why: String,
    },
    /// The database of transactions gives nothing, or takes nothing.
    #[error("the database of transactions {path}: {why}")]
    Storage {
        /// Where it is.
        path: String,
        /// Why.
        why: String,
    },
    /// No transaction has the name.
    #[error("no transaction is called `{name}`")]
    NoIntent {
        /// The name.
        name: String,
    },
    /// A name was given to something else before.
    #[error("`{name}` is already the name of another transaction: names are given once, so that none is sent twice. Whoever begins anew, such as with another deployment, moves this database away first")]
    OtherIntent {
        /// The name.
        name: String,
    },
    /// A transaction is in a state in which this cannot be done.
    #[error("`{name}` is {state}, and cannot be {what} any more")]
    Settled {
        /// The name.
        name: String,
        /// Its state.
        state: &'static str,
        /// What cannot be done.
        what: &'static str,
    },
    /// A limit to what is spent forbids an attempt.
    #[error("`{name}`: {why}")]
    Capped {
        /// The name.
        name: String,
        /// Which limit, with values.
        why: String,
    },
    /// Bytes make no blob, or a blob no proof.
    #[error(transparent)]
    Blob(#[from] SidecarError),
    /// The machinery of requests cannot be started.
    #[error("L1: no requests can be made: {why}")]
    Client {
        /// Why, and the remedy.
        why: String,
    },
}

fn longer(asked: &Asked) -> &'static str {
    if asked.may_be_long() {
        " (--l1-max-answer allows more)"
    } else {
        ", which no sound one is: use another node"
    }
}

fn again(common: &Option<Cursor>) -> String {
    match common {
        Some(cursor) => format!("go back to block {}, which is still there", cursor.number),
        None => "run again".into(),
    }
}

fn shown(body: &str) -> String {
    let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
    match body.char_indices().nth(SHOWN) {
        _ if body.is_empty() => "no body".into(),
        Some((end, _)) => format!("{}...", &body[..end]),
        None => body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_the_start_of_a_long_body() {
        assert_eq!(shown(" a\n b "), "a b");
        assert_eq!(shown("\n"), "no body");
        assert_eq!(shown(&"é".repeat(300)).chars().count(), SHOWN + 3);
    }
}
