//! How many operations the sequencer accepts: signed transfers as a user sends them, decoded, checked,
//! executed, written and synced, and answered by a signed receipt.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use bastion_circuits::Shape;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, Op};
use bastion_protocol::{Address, Fr, Index};
use rayon::prelude::*;
use serde::Serialize;

use crate::devnet::{dev_exit, dev_policy};
use crate::error::NodeError;
use crate::sentinel::{self, Sentinel};
use crate::sequencer::{Packing, ReceiptSigner, Refusal, Sequencer, Service};
use crate::service::config::SentinelConfig;

const CHAIN: u64 = 31_337;
const CONTRACT: Address = Address([7; 20]);
const TIME: u64 = 1_800_000_000;
const ETH: u128 = 1_000_000_000_000_000_000;
/// Requests that one caller has on the way, when as much as possible is measured.
const IN_FLIGHT: usize = 4_096;
/// Callers, then.
const CALLERS: usize = 2;

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// Shape of the batches.
    pub shape: String,
    /// Accounts that send, each with its own key.
    pub accounts: u32,
    /// Whether the sentinel looked at every operation.
    pub sentinel: bool,
    /// Threads that check, execute and sign.
    pub threads: usize,
    /// Transfers of the first measurement, as fast as they are taken.
    pub transfers: usize,
    /// Receipts a second.
    pub receipts_per_second: f64,
    /// Transfers of the second measurement, sent at half of that rate, whether answered or not.
    pub paced_transfers: usize,
    /// Time from the bytes of an operation to its receipt, in milliseconds, at half of the rate.
    pub receipt_ms: Latency,
    /// Batches that were sealed meanwhile.
    pub sealed_batches: u64,
}

/// Quantiles.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Latency {
    /// Half of the receipts came within this time.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// All.
    pub max: f64,
}

/// What is measured.
#[derive(Debug, Clone)]
pub struct Load {
    /// Shape of the batches.
    pub shape: Shape,
    /// Accounts that send.
    pub accounts: u32,
    /// Transfers of the first measurement.
    pub transfers: usize,
    /// Seconds that the second takes.
    pub seconds: u64,
    /// Whether the sentinel looks at every operation.
    pub sentinel: bool,
}

impl Load {
    /// Measures, with a data folder `dir` that must not exist yet.
    ///
    /// # Errors
    /// If the sequencer cannot work there, or refuses a transfer.
    pub fn run(&self, dir: &Path) -> Result<LoadReport, NodeError> {
        let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT)?;
        let packing = Packing {
            shape: self.shape.clone(),
            mode: DataMode::Blob,
            sizes: vec![4],
            batch_seconds: 600,
            block_seconds: 3_600,
        };
        let (mut sequencer, sealer) = Sequencer::open(dir, signer, packing, dev_policy())?;
        if self.sentinel {
            let config = SentinelConfig::default();
            let of = sentinel::Rollup { chain_id: CHAIN, contract: CONTRACT };
            let (at, entries) = (dir.join("sentinel"), sequencer.entries()?);
            let state = sequencer.state();
            let opened = Sentinel::open(&at, &config, of, state, entries)?;
            sequencer.watched_by(Arc::new(Mutex::new(opened)), 0)?;
        }
        let sealed = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let count = sealed.clone();
        let sink = move |_: &crate::sequencer::Sealed| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        };
        let (service, running) = Service::start(sequencer, sealer, || TIME, sink)?;
        let users = Users::new(self.accounts);
        let queued = service.take_from_queue(0, users.deposits()).map_err(refused)?;
        queued.blocking_recv().map_err(|_| NodeError::Stopped)?.map_err(refused)?;

        let first = users.transfers(0, self.transfers)?;
        let start = Instant::now();
        flat_out(&service, &first)?;
        let receipts_per_second = self.transfers as f64 / start.elapsed().as_secs_f64();

        let rate = receipts_per_second / 2.0;
        let paced_transfers = (rate * self.seconds as f64) as usize;
        let second = users.transfers(self.transfers, paced_transfers)?;
        let receipt_ms = paced(&service, &second, rate)?;
        drop(service);
        running.join()?;
        Ok(LoadReport {
            shape: self.shape.name.clone(),
            accounts: self.accounts,
            sentinel: self.sentinel,
            threads: rayon::current_num_threads(),
            transfers: self.transfers,
            receipts_per_second,
            paced_transfers,
            receipt_ms,
            sealed_batches: sealed.load(std::sync::atomic::Ordering::Relaxed),
        })
    }
}

fn refused(refusal: Refusal) -> NodeError {
    NodeError::Load { why: refusal.to_string() }
}

/// Accounts with keys of their own.
struct Users {
    keys: Vec<SecretKey>,
    domain: Fr,
}

impl Users {
    fn new(count: u32) -> Self {
        let key = |n: u32| SecretKey::from_seed(format!("bastion.load.{n}").as_bytes());
        // So that each caller has accounts of its own.
        let count = count.max(2).next_multiple_of(CALLERS as u32);
        let keys = (0..count).into_par_iter().map(key).collect();
        Self { keys, domain: domain(CHAIN, CONTRACT) }
    }

    fn deposits(&self) -> Vec<Op> {
        let keys = self.keys.par_iter().map(|key| key.public().keyhash());
        let deposit = |keyhash| {
            Op::Deposit(Deposit { token: 0, amount: ETH, keyhash, exit: dev_exit("load") })
        };
        keys.map(deposit).collect()
    }

    /// Encoded transfers number `from` and following: every account in turn, to a changing receiver.
    fn transfers(&self, from: usize, count: usize) -> Result<Vec<Vec<u8>>, NodeError> {
        let users = self.keys.len();
        let transfer = |n: usize| {
            let (turn, nonce) = (n % users, n / users);
            let to = (turn + 1 + nonce % (users - 1)) % users;
            let body = Body {
                account: FIRST_USER + turn as Index,
                token: 0,
                nonce: nonce as u32,
                deadline: TIME + 3_600,
                fee: 1_000,
                action: Action::Transfer { to: FIRST_USER + to as Index, amount: 1_000_000 },
            };
            let signed = body.sign(&self.keys[turn], self.domain, dev_exit("load"))?;
            Ok(Op::Signed(signed).to_bytes())
        };
        (from..from + count).into_par_iter().map(transfer).collect()
    }
}

/// Waits for one receipt.
fn receipt(
    answer: tokio::sync::oneshot::Receiver<crate::sequencer::Reply>,
) -> Result<(), NodeError> {
    let answers = answer.blocking_recv().map_err(|_| NodeError::Stopped)?.map_err(refused)?;
    match answers.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some(decline) => Err(NodeError::Declined(decline)),
    }
}

/// Sends as fast as the sequencer takes them. Each caller has its own accounts, so that nonces arrive
/// in order.
fn flat_out(service: &Service, operations: &[Vec<u8>]) -> Result<(), NodeError> {
    let caller = |n: usize| -> Result<(), NodeError> {
        let mut waiting = std::collections::VecDeque::new();
        for bytes in operations.iter().skip(n).step_by(CALLERS) {
            let op = service.read(bytes)?;
            let answer = loop {
                match service.submit(vec![op]) {
                    Err(Refusal::Busy) => thread::sleep(Duration::from_millis(1)),
                    other => break other.map_err(refused)?,
                }
            };
            waiting.push_back(answer);
            if waiting.len() >= IN_FLIGHT {
                waiting.pop_front().map_or(Ok(()), receipt)?;
            }
        }
        waiting.into_iter().try_for_each(receipt)
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|n| scope.spawn(move || caller(n))).collect();
        callers.into_iter().try_for_each(|c| c.join().unwrap_or(Err(NodeError::Stopped)))
    })
}

/// Sends at a rate, whether the answers come or not, and times each.
fn paced(service: &Service, operations: &[Vec<u8>], rate: f64) -> Result<Latency, NodeError> {
    let (sent, waiting) = std::sync::mpsc::channel();
    let start = Instant::now();
    let mut times: Vec<f64> = thread::scope(|scope| {
        let collector = scope.spawn(move || -> Result<Vec<f64>, NodeError> {
            let mut times = Vec::new();
            for (due, answer) in waiting {
                receipt(answer)?;
                times.push(start.elapsed().saturating_sub(due).as_secs_f64() * 1e3);
            }
            Ok(times)
        });
        for (n, bytes) in operations.iter().enumerate() {
            // Counted from when it was due: a caller that is late does not hide the delay.
            let due = Duration::from_secs_f64(n as f64 / rate);
            thread::sleep(due.saturating_sub(start.elapsed()));
            let op = service.read(bytes)?;
            let answer = service.submit(vec![op]).map_err(refused)?;
            if sent.send((due, answer)).is_err() {
                break;
            }
        }
        drop(sent);
        collector.join().unwrap_or(Err(NodeError::Stopped))
    })?;
    times.sort_by(f64::total_cmp);
    let quantile = |q: f64| times.get((times.len() as f64 * q) as usize).copied();
    let max = times.last().copied().unwrap_or_default();
    Ok(Latency { p50: quantile(0.5).unwrap_or(max), p99: quantile(0.99).unwrap_or(max), max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transfer_gets_its_receipt() {
        let dir = tempfile::tempdir().unwrap();
        let load =
            Load { shape: Shape::small(), accounts: 8, transfers: 300, seconds: 1, sentinel: true };
        let report = load.run(&dir.path().join("data")).unwrap();
        assert!(report.receipts_per_second > 0.0);
        assert!(report.receipt_ms.p50 <= report.receipt_ms.p99);
        assert!(report.receipt_ms.p99 <= report.receipt_ms.max);
        // 110 signatures fit a batch.
        let least = (report.transfers + report.paced_transfers - 1) / 110;
        assert!(report.sealed_batches >= least as u64, "{report:?}");
    }
}
