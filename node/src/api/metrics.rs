//! Prometheus: counters and histograms are kept where things happen, gauges are taken when somebody asks.

use std::fs;
use std::sync::OnceLock;

use metrics::{describe_counter, describe_gauge, describe_histogram, gauge, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::warn;

use bastion_client::types::{JobState, Stage};

use super::problem::Fault;
use super::views::job::state;
use super::Backend;
use crate::sentinel::lock;

/// Blocks of which the stages are counted: the last ones.
const BLOCKS: u32 = 100;
/// Seconds until a receipt is given.
const RECEIPT: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Seconds that a proof takes.
const PROOF: [f64; 10] = [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0];

static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Keeps metrics from now on, once for the whole process.
pub fn install() {
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let receipt = Matcher::Full("bastion_receipt_seconds".into());
        let proof = Matcher::Full("bastion_proving_seconds".into());
        let builder = builder
            .set_buckets_for_metric(receipt, &RECEIPT)
            .and_then(|builder| builder.set_buckets_for_metric(proof, &PROOF));
        let handle = builder.and_then(PrometheusBuilder::install_recorder);
        match handle {
            Ok(handle) => {
                describe();
                Some(handle)
            }
            Err(error) => {
                warn!(%error, "there are no metrics");
                None
            }
        }
    });
}

/// Puts samples in their place. Without it they pile up while nobody asks.
pub(super) fn keep_up() {
    if let Some(Some(handle)) = HANDLE.get() {
        handle.run_upkeep();
    }
}

fn describe() {
    use Unit::{Bytes, Count, Seconds};
    for (name, what) in [
        ("bastion_operations_accepted_total", "Operations with a receipt"),
        ("bastion_operations_rejected_total", "Operations that were rejected, by code"),
        ("bastion_operations_held_total", "Operations that the sentinel held back when they came"),
        ("bastion_http_requests_total", "Requests, by route and status"),
        ("bastion_job_failures_total", "Attempts at jobs that failed, by class"),
        ("bastion_lease_losses_total", "Leases of workers that were not heard of"),
    ] {
        describe_counter!(name, Count, what);
    }
    describe_histogram!("bastion_receipt_seconds", Seconds, "From a submission to its receipts");
    describe_histogram!("bastion_proving_seconds", Seconds, "From a lease to a verified proof");
    for (name, unit, what) in [
        (
            "bastion_entries",
            Count,
            "Operations in the log: since genesis, or since it was rebuilt from L1",
        ),
        ("bastion_batches", Count, "Batches since genesis, by stage"),
        ("bastion_blocks", Count, "The last 100 blocks, by stage"),
        ("bastion_queue_entries", Count, "Entries of the L1 queue: on L1, and taken"),
        (
            "bastion_queue_age_seconds",
            Seconds,
            "Age of the first entry that no block has processed",
        ),
        ("bastion_jobs", Count, "Jobs, by state"),
        (
            "bastion_workers",
            Count,
            "Workers that were heard of in the last minute, by what they do",
        ),
        ("bastion_memory_bytes", Bytes, "Memory that the program holds"),
        ("bastion_l1_gas", Count, "Gas of the last block's transactions, by step"),
        ("bastion_l1_attempts", Count, "Attempts at the last block's transactions, by step"),
        (
            "bastion_gas_per_operation",
            Count,
            "Gas on L1 for each operation of the last final blocks",
        ),
        (
            "bastion_wei_per_operation",
            Count,
            "Wei on L1 for each operation of the last final blocks",
        ),
        ("bastion_l1_balance_wei", Count, "What the operator's account holds"),
        ("bastion_l1_synced", Count, "1 if the last look at L1 succeeded"),
        ("bastion_accepting", Count, "1 if operations are accepted"),
        ("bastion_oldest_unfinished_seconds", Seconds, "Age of the oldest block that is not final"),
        ("bastion_breaker", Count, "1 if too many proofs failed"),
        ("bastion_sentinel_held", Count, "Operations that the sentinel holds back"),
        ("bastion_sentinel_findings", Count, "Entries of the log of findings"),
        ("bastion_sentinel_drift", Count, "Stability index of the model's scores, in thousandths"),
        ("bastion_sentinel_rules_failed", Count, "1 if the rules that are configured did not load"),
    ] {
        describe_gauge!(name, unit, what);
    }
}

/// All metrics as text.
pub(super) fn render(backend: &Backend) -> Result<String, Fault> {
    install();
    backend.take_gauges()?;
    let handle = HANDLE.get().and_then(Option::as_ref);
    Ok(handle.map(PrometheusHandle::render).unwrap_or_default())
}

fn one(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

impl Backend {
    fn take_gauges(&self) -> Result<(), Fault> {
        let status = self.status()?;
        gauge!("bastion_entries").set(status.entries as f64);
        gauge!("bastion_batches", "stage" => "closed").set(status.batches.closed as f64);
        gauge!("bastion_batches", "stage" => "sealed").set(status.batches.sealed as f64);
        let blocks = self.blocks(None, BLOCKS)?;
        for stage in Stage::ALL {
            let count = blocks.iter().filter(|block| block.stage == stage).count();
            gauge!("bastion_blocks", "stage" => stage.word()).set(count as f64);
        }
        gauge!("bastion_queue_entries", "where" => "l1").set(status.queue.on_l1 as f64);
        gauge!("bastion_queue_entries", "where" => "taken").set(status.queue.taken as f64);
        gauge!("bastion_queue_age_seconds").set(status.queue.oldest_seconds as f64);
        let counts = self.parts.coordinator.fold_jobs([0_u64; 8], |counts, job| {
            if let Some(count) = counts.get_mut(state(job) as usize) {
                *count += 1;
            }
        });
        for (state, count) in JobState::ALL.into_iter().zip(counts) {
            gauge!("bastion_jobs", "state" => state.word()).set(count as f64);
        }
        let alive = || status.workers.iter().filter(|worker| worker.last_heard_seconds < 60);
        let busy = alive().filter(|worker| worker.busy).count();
        gauge!("bastion_workers", "state" => "busy").set(busy as f64);
        gauge!("bastion_workers", "state" => "idle").set((alive().count() - busy) as f64);
        gauge!("bastion_memory_bytes").set(memory().unwrap_or(0) as f64);
        let last = self.l1().transactions.last_key_value().map(|(_, all)| all.clone());
        for (step, transaction) in
            ["commit", "prove", "finalize"].into_iter().zip(last.into_iter().flatten())
        {
            if let Some(transaction) = transaction {
                gauge!("bastion_l1_gas", "step" => step).set(transaction.gas as f64);
                let attempts = f64::from(transaction.attempts);
                gauge!("bastion_l1_attempts", "step" => step).set(attempts);
            }
        }
        let gas = status.cost.gas_per_operation.unwrap_or(0);
        gauge!("bastion_gas_per_operation").set(gas as f64);
        let wei = status.cost.wei_per_operation.unwrap_or_default();
        gauge!("bastion_wei_per_operation").set(wei.0 as f64);
        gauge!("bastion_l1_balance_wei").set(status.l1.balance_wei.0 as f64);
        gauge!("bastion_l1_synced").set(one(status.l1.synced));
        gauge!("bastion_accepting").set(one(status.accepting));
        let oldest = status.oldest_unfinished_seconds;
        gauge!("bastion_oldest_unfinished_seconds").set(oldest as f64);
        gauge!("bastion_breaker").set(one(status.breaker.is_some()));
        if let Some(watch) = &self.parts.sentinel {
            let sentinel = lock(watch).gauges();
            gauge!("bastion_sentinel_held").set(f64::from(sentinel.held));
            gauge!("bastion_sentinel_findings").set(sentinel.findings as f64);
            gauge!("bastion_sentinel_drift").set(f64::from(sentinel.drift));
            gauge!("bastion_sentinel_rules_failed").set(one(sentinel.rules_failed));
        }
        Ok(())
    }
}

/// Bytes that the program holds, where the system tells.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1_024)
}
