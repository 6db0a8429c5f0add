//! The node's status.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bastion_client::types::status::{BatchCounts, BlockNumbers, Cost, Queue, Version, Worker, L1};
use bastion_client::types::{Amount, Status};

use crate::api::problem::Fault;
use crate::api::Backend;
use crate::jobs::JobState;

/// The time over which the rate of operations is taken.
const WINDOW: Duration = Duration::from_secs(60);

/// The rate of operations.
#[derive(Debug, Default)]
pub struct Rate(Mutex<VecDeque<(Instant, u64)>>);

impl Rate {
    /// Notes the number of entries, and gives the operations per second.
    fn take(&self, now: Instant, entries: u64) -> f64 {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |last: &(Instant, u64)| now.duration_since(last.0) >= Duration::from_secs(1);
        if samples.back().is_none_or(is_new) {
            samples.push_back((now, entries));
        }
        // One sample from before the window stays, so that the window is whole.
        while samples.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            samples.pop_front();
        }
        let Some((at, before)) = samples.front() else {
            return 0.0;
        };
        let seconds = now.duration_since(*at).as_secs_f64();
        match seconds < 1.0 {
            true => 0.0,
            false => (entries.saturating_sub(*before) as f64 / seconds * 100.0).round() / 100.0,
        }
    }
}

impl Backend {
    /// What the node is doing.
    pub(in crate::api) fn status(&self) -> Result<Status, Fault> {
        let (parts, now) = (&self.parts, self.now());
        let l1 = self.l1().clone();
        let entries = parts.log.next().saturating_sub(parts.log.base()?.first_entry());
        let last = parts.log.last_batch()?;
        let closed = last.map_or(0, |(number, row)| number + u64::from(row.sealed.is_some()));
        let cost = self.cost()?;
        Ok(Status {
            time: now,
            accepting: parts.control.accepting().is_ok(),
            paused: parts.control.paused(),
            draining: parts.control.draining(),
            breaker: parts.coordinator.breaker(),
            entries,
            batches: BatchCounts { closed, sealed: parts.coordinator.batches()? },
            blocks: BlockNumbers {
                open: self.open_block()?.unwrap_or(0),
                sealed: parts.coordinator.last_block()?,
                proven: self.proven(l1.finalized.max(l1.proven))?,
                committed: l1.committed,
                finalized: l1.finalized,
            },
            queue: Queue {
                taken: parts.log.queue(),
                on_l1: l1.queue_on_l1,
                oldest_seconds: l1.oldest_queue_seconds,
            },
            jobs: self.job_counts(),
            workers: self.workers(now),
            oldest_unfinished_seconds: self.oldest_unfinished(l1.finalized, now)?,
            operations_per_second: self.rate.take(Instant::now(), entries),
            cost: Cost {
                gas_per_operation: cost.map(|cost| cost.gas_per_operation()),
                wei_per_operation: cost.map(|cost| Amount(cost.wei_per_operation())),
            },
            l1: L1 {
                block: l1.block,
                gas_price: Amount(l1.gas_price),
                balance_wei: Amount(l1.balance_wei),
                synced: l1.synced,
            },
        })
    }

    /// The last block up to which all proofs hold; those up to `known` do.
    fn proven(&self, known: u64) -> Result<u64, Fault> {
        let mut proven = known;
        while let Some(block) = self.parts.coordinator.block(proven + 1)? {
            if block.proven_at.is_none() {
                break;
            }
            proven += 1;
        }
        Ok(proven)
    }

    fn workers(&self, now: u64) -> Vec<Worker> {
        let busy = self.parts.coordinator.fold_jobs(BTreeSet::new(), |busy, job| {
            if let JobState::Leased { worker, .. } = &job.state {
                busy.insert(worker.clone());
            }
        });
        let workers = self.parts.coordinator.workers();
        let worker = |(name, info): (String, crate::coordinator::WorkerInfo)| Worker {
            busy: busy.contains(&name),
            last_heard_seconds: now.saturating_sub(info.heard),
            name,
        };
        workers.into_iter().map(worker).collect()
    }

    /// Age of the first block that is not final.
    fn oldest_unfinished(&self, finalized: u64, now: u64) -> Result<u64, Fault> {
        let number = finalized + 1;
        let time = match self.parts.coordinator.block(number)? {
            Some(block) => Some(block.header.time),
            None => {
                let rows = self.unsealed()?;
                let row = rows.iter().find(|(_, row)| row.block >= number);
                row.map(|(_, row)| row.context.time)
            }
        };
        Ok(time.map_or(0, |time| now.saturating_sub(time)))
    }

    /// What the node is.
    pub(in crate::api) fn version(&self) -> Version {
        let identity = &self.parts.identity;
        let largest = identity.block_circuits.last_key_value();
        Version {
            version: env!("CARGO_PKG_VERSION").into(),
            chain_id: identity.chain_id,
            contract: identity.contract,
            sequencer: identity.sequencer,
            shape: identity.shape.clone(),
            batches_per_block: identity.batches.iter().copied().max().unwrap_or(0),
            batch_circuit_id: format!("0x{}", identity.batch_circuit),
            block_circuit_id: largest.map_or_else(|| "0x".into(), |(_, id)| format!("0x{id}")),
            unsafe_dev_srs: identity.unsafe_dev_srs,
            page: "bastion".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_minute() {
        let rate = Rate::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(rate.take(at(0), 100), 0.0);
        assert_eq!(rate.take(at(10), 200), 10.0);
        assert_eq!(rate.take(at(60), 200), 1.67);
        assert_eq!(rate.take(at(70), 200), 0.0);
    }
}
