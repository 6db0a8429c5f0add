//! The coordinator with real proofs: from operations to a proven block, through crashes, false proofs and
//! failures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::B256;
use bastion_circuits::Shape;
use bastion_node::coordinator::verifiers::Verifiers;
use bastion_node::coordinator::{Clock, Coordinator};
use bastion_node::devnet::{dev_exit, dev_key, dev_policy};
use bastion_node::jobs::{JobError, JobKind, JobState};
use bastion_node::pipeline::Cache;
use bastion_node::sequencer::{Packing, ReceiptSigner, Sealed, Sequencer};
use bastion_node::worker::admission::Admission;
use bastion_node::worker::keys::WorkerKeys;
use bastion_node::worker::Worker;
use bastion_node::NodeError;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Action, Body, Deposit, Op, SignedOp};
use bastion_protocol::Address;
use bastion_prover::progress::Progress;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::srs::SrsChoice;

const CHAIN: u64 = 31_337;
const CONTRACT: Address = Address([7; 20]);
const TIME: u64 = 1_800_000_000;
const USER: u32 = bastion_protocol::account::FIRST_USER;

/// Keys and verifiers, made once.
struct Means {
    keys: Arc<WorkerKeys>,
    cache: Cache,
}

impl Means {
    fn new() -> Self {
        let cache = Cache::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("bastion-cache"));
        let shape = Shape::tiny();
        let choice = SrsChoice::HeldOrUnsafeDev;
        let progress = Progress::silent();
        let prover =
            bastion_node::pipeline::BlockProver::open(&shape, 2, &cache, choice, &progress)
                .unwrap();
        prover.verifier(&cache).unwrap();
        drop(prover);
        let budget = MemoryBudget(4 << 30);
        let keys = WorkerKeys::open(&shape, &[2], &cache, choice, budget, &progress).unwrap();
        Self { keys: Arc::new(keys), cache }
    }

    fn coordinator(&self, dir: &Path, now: &Arc<AtomicU64>) -> Arc<Coordinator> {
        let folder = self.cache.find_verifier(&Shape::tiny(), 2).unwrap();
        let verifiers = Verifiers::open(&[folder]).unwrap();
        let now = now.clone();
        let clock: Clock = Arc::new(move || now.load(Ordering::Relaxed));
        Arc::new(Coordinator::open(dir, verifiers, clock).unwrap())
    }
}

fn transfer(nonce: u32) -> SignedOp {
    let body = Body {
        account: USER,
        token: 0,
        nonce,
        deadline: TIME + 1_000_000,
        fee: 0,
        action: Action::Transfer { to: USER + 1, amount: 1_000 },
    };
    body.sign(&dev_key("a"), domain(CHAIN, CONTRACT), dev_exit("a")).unwrap()
}

/// A sealed block of two batches.
fn sealed(dir: &Path) -> Vec<Sealed> {
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
    let packing = Packing {
        shape: Shape::tiny(),
        mode: DataMode::Blob,
        sizes: vec![2],
        batch_seconds: 10,
        block_seconds: 60,
    };
    let (mut sequencer, mut sealer) = Sequencer::open(dir, signer, packing, dev_policy()).unwrap();
    let deposit = |name: &str| {
        Op::Deposit(Deposit {
            token: 0,
            amount: 1_000_000,
            keyhash: dev_key(name).public().keyhash(),
            exit: dev_exit(name),
        })
    };
    sequencer.take_from_queue(0, &[deposit("a"), deposit("b")], TIME).unwrap();
    for answer in sequencer.sequence(&[transfer(0), transfer(1)], TIME).unwrap() {
        answer.unwrap();
    }
    sequencer.close(true).unwrap();
    let closed = sequencer.take_closed().into_iter();
    closed.map(|closed| sealer.seal(closed, |_| Ok(())).unwrap()).collect()
}

#[test]
fn sealed_batches_become_a_proven_block_whatever_happens_on_the_way() {
    let means = Means::new();
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(TIME));
    let batches = sealed(&dir.path().join("sequencer"));
    assert_eq!(batches.len(), 2);

    // A batch that comes twice, and a crash after each step, change nothing.
    let coordinator = means.coordinator(dir.path(), &now);
    coordinator.keep(&batches[0]).unwrap();
    assert!(coordinator.jobs().is_empty() && coordinator.block(1).unwrap().is_none());
    drop(coordinator);
    let coordinator = means.coordinator(dir.path(), &now);
    coordinator.keep(&batches[0]).unwrap();
    coordinator.keep(&batches[1]).unwrap();
    coordinator.keep(&batches[1]).unwrap();
    assert_eq!(coordinator.jobs().len(), 2);
    let block = coordinator.block(1).unwrap().unwrap();
    assert_eq!((block.operations, block.header.batches), (4, 2));
    assert_eq!(coordinator.touching(USER, u64::MAX, 10).unwrap(), [3, 2, 0]);
    assert_eq!(coordinator.touching(USER, 3, 1).unwrap(), [2]);
    assert_eq!(coordinator.touching(USER + 1, u64::MAX, 10).unwrap(), [3, 2, 1]);

    // A proof of something else is refused, and counts as a failure of him who brought it.
    let first = coordinator.lease("w", |key| key.number == 0).unwrap().unwrap();
    let second = coordinator.lease("w", |key| key.number == 1).unwrap().unwrap();
    let proof = |job: &bastion_node::coordinator::Assignment| {
        means.keys.prove(&job.key, &coordinator.artifact(&job.input).unwrap()).unwrap()
    };
    let (good, other) = (proof(&first), proof(&second));
    for bad in [b"no proof".to_vec(), other.clone(), good[..good.len() / 2].to_vec()] {
        let job = coordinator.lease("w", |key| key.number == 0).unwrap().unwrap_or(first.clone());
        let error = coordinator.complete("w", &job.key, job.lease, &bad).unwrap_err();
        assert!(matches!(error, NodeError::Job(JobError::Refused { .. })), "{error}");
        now.fetch_add(100, Ordering::Relaxed);
    }
    // Bytes of something that is needed are no proof, and stay what they are.
    let data = coordinator.data(&block).unwrap();
    let input = coordinator.artifact(&block.inputs[1]).unwrap();
    for bytes in [&data, &input] {
        assert!(coordinator.complete("stranger", &first.key, 0, bytes).is_err());
    }
    assert_eq!(coordinator.data(&block).unwrap(), data);
    assert_eq!(coordinator.artifact(&block.inputs[1]).unwrap(), input);

    // What strangers say is bounded.
    assert!(coordinator.lease(&"w".repeat(65), |_| true).is_err());
    for n in 0..1_000 {
        assert!(coordinator.lease(&format!("w{n}"), |_| false).unwrap().is_none());
    }
    assert!(coordinator.workers().len() <= 256);

    // A report under a lease that has ended changes nothing; a proof that holds counts all the same.
    let stale = coordinator.heartbeat("w", &first.key, first.lease, None);
    assert!(matches!(stale, Err(JobError::StaleLease { .. })));
    coordinator.complete("late", &first.key, first.lease, &good).unwrap();
    let again = coordinator.complete("late", &first.key, first.lease, &good).unwrap_err();
    assert!(matches!(again, NodeError::Job(JobError::Over { .. })));
    assert!(coordinator.lease("w", |key| key.kind == JobKind::ProveBlock).unwrap().is_none());

    // The lease of a worker that is not heard of ends; the next one has another number.
    now.fetch_add(100, Ordering::Relaxed);
    coordinator.tick().unwrap();
    now.fetch_add(1_000, Ordering::Relaxed);
    let anew = coordinator.lease("x", |key| key.number == 1).unwrap().unwrap();
    assert!(anew.lease > second.lease);
    coordinator.complete("x", &anew.key, anew.lease, &other).unwrap();
    drop(coordinator);

    // The rest by a worker, with a coordinator that has just been started.
    let coordinator = means.coordinator(dir.path(), &now);
    assert_eq!(coordinator.jobs().len(), 3);
    let stop = Arc::new(AtomicBool::new(false));
    let budget = MemoryBudget(1 << 30);
    let admission = Admission::new(budget, budget, budget, 1);
    let worker = Worker::new(
        "worker",
        Arc::new(coordinator.clone()),
        means.keys.clone(),
        admission,
        stop.clone(),
    );
    let thread = std::thread::spawn(move || worker.run());
    while coordinator.proof(1).unwrap().is_none() {
        coordinator.wait_for_work(Duration::from_millis(50));
    }
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    let block = coordinator.block(1).unwrap().unwrap();
    assert!(block.proven_at.is_some());

    // Final: inputs and proofs go, what was posted stays.
    coordinator.finalized(1).unwrap();
    coordinator.finalized(1).unwrap();
    let block = coordinator.block(1).unwrap().unwrap();
    assert!(block.final_at.is_some() && coordinator.proof(1).unwrap().is_none());
    assert!(coordinator.data(&block).is_ok());
    for input in &block.inputs {
        assert!(coordinator.artifact(input).is_err());
    }
    assert!(coordinator.jobs().iter().all(|job| matches!(job.state, JobState::Done { .. })));

    // Whoever comes late with a sealed batch of it is told nothing new, and leaves nothing behind.
    coordinator.keep(&batches[1]).unwrap();
    assert!(coordinator.waiting().is_empty());
    let trace = coordinator.batch(1).unwrap().unwrap().trace;
    assert!(coordinator.artifact(&trace).is_err());
    assert_eq!((coordinator.last_final().unwrap(), coordinator.last_block().unwrap()), (1, 1));
}

#[test]
fn a_job_that_fails_for_good_leaves_a_bundle_and_opens_the_breaker() {
    let means = Means::new();
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicU64::new(TIME));
    let coordinator = means.coordinator(dir.path(), &now);
    for batch in &sealed(&dir.path().join("sequencer")) {
        coordinator.keep(batch).unwrap();
    }
    assert_eq!(coordinator.breaker(), None);
    let seen = Mutex::new(None);
    for attempt in 0..bastion_node::jobs::store::ATTEMPTS {
        now.fetch_add(10_000, Ordering::Relaxed);
        let job = coordinator.lease("w", |key| key.number == 0).unwrap().unwrap();
        coordinator.fail("w", &job.key, job.lease, &format!("cause {attempt}"), true).unwrap();
        *seen.lock().unwrap() = Some(job);
    }
    let job = seen.into_inner().unwrap().unwrap();
    now.fetch_add(10_000, Ordering::Relaxed);
    assert!(coordinator.lease("w", |key| key.number == 0).unwrap().is_none());
    assert!(coordinator.breaker().unwrap().contains("batch proofs failed"));
    let bundle = dir.path().join("bundles").join(job.key.to_string());
    let input = std::fs::read(bundle.join("input.bin")).unwrap();
    let text = std::fs::read_to_string(bundle.join("job.json")).unwrap();
    assert!(text.contains("cause 4"), "{text}");
    let kept: bastion_node::jobs::Job = serde_json::from_str(&text).unwrap();
    assert_eq!(kept.key, job.key);
    // What is in it can be proven, and that is what the job lacked.
    let proof = means.keys.prove(&kept.key, &input).unwrap();
    coordinator.complete("operator", &job.key, job.lease, &proof).unwrap();
    assert_eq!(coordinator.breaker(), None);
}
