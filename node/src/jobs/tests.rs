use super::store::{ATTEMPTS, BREAKER};
use super::*;
use proptest::prelude::*;

const LEASE: u64 = 30;

struct World {
    dir: tempfile::TempDir,
    jobs: Jobs,
    artifacts: Artifacts,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let jobs = Jobs::open(&dir.path().join("jobs")).unwrap();
        let artifacts = Artifacts::new(dir.path().join("artifacts"));
        Self { dir, jobs, artifacts }
    }

    /// As after a crash: what is in memory is lost.
    fn reopen(self) -> Self {
        let Self { dir, jobs, artifacts } = self;
        drop(jobs);
        let jobs = Jobs::open(&dir.path().join("jobs")).unwrap();
        Self { dir, jobs, artifacts }
    }

    fn add(&mut self, number: u64) -> JobKey {
        let key = key(number);
        let input = self.artifacts.put(&number.to_be_bytes()).unwrap();
        self.jobs.add(key, input).unwrap();
        key
    }

    fn lease(&mut self, now: u64) -> Option<Lease> {
        self.jobs.lease("worker", |_| true, now, LEASE).unwrap()
    }

    fn complete(&mut self, lease: &Lease, proof: &[u8], now: u64) -> Result<(), JobError> {
        self.jobs.complete(&self.artifacts, &lease.job.key, lease.lease, proof, now, verify)
    }

    fn state(&self, key: &JobKey) -> &JobState {
        &self.jobs.get(key).unwrap().state
    }
}

fn key(number: u64) -> JobKey {
    JobKey { kind: JobKind::ProveBatch, number, circuit: CircuitId::new([1; 32]) }
}

/// Proofs hold that begin with 1.
fn verify(_: &Job, proof: &[u8]) -> Result<(), Doubt> {
    match proof.first() {
        Some(1) => Ok(()),
        _ => Err(Doubt::Refused("it does not begin with 1".into())),
    }
}

/// A verifier that cannot read what it needs.
fn out_of_order(_: &Job, _: &[u8]) -> Result<(), Doubt> {
    Err(Doubt::Unchecked(JobError::Storage { path: "data".into(), why: "disk".into() }))
}

#[test]
fn a_proof_that_cannot_be_checked_is_kept_and_costs_no_attempt() {
    let mut world = World::new();
    let key = world.add(1);
    let lease = world.lease(0).unwrap();
    let World { jobs, artifacts, .. } = &mut world;
    let done = jobs.complete(artifacts, &key, lease.lease, &[1], 1, out_of_order);
    assert!(matches!(done, Err(JobError::Storage { .. })));
    assert!(matches!(jobs.get(&key).unwrap().state, JobState::Proved { .. }));
    assert!(jobs.reconcile(artifacts, &key, 2, out_of_order).is_err());
    assert_eq!((jobs.get(&key).unwrap().attempts, jobs.unverified().len()), (0, 1));
    jobs.reconcile(artifacts, &key, 3, verify).unwrap();
    assert!(jobs.get(&key).unwrap().proof().is_some());
}

#[test]
fn no_sign_of_life_puts_the_end_of_a_lease_off_for_ever() {
    let mut world = World::new();
    let key = world.add(1);
    let lease = world.lease(0).unwrap();
    let mut now = 0;
    while world.jobs.heartbeat(&key, lease.lease, now, LEASE).unwrap() > now {
        now += LEASE / 2;
        assert!(now < 86_400, "the lease never ends");
    }
    assert_eq!(world.jobs.expire(now + 1).unwrap(), [key]);
}

#[test]
fn a_clock_that_stood_ahead_holds_nothing_back() {
    const AHEAD: u64 = 1_000_000;
    let mut world = World::new();
    let (leased, failed) = (world.add(1), world.add(2));
    world.jobs.lease("a", |job| job.key == leased, AHEAD, LEASE).unwrap().unwrap();
    let lease = world.jobs.lease("b", |job| job.key == failed, AHEAD, LEASE).unwrap().unwrap();
    world.jobs.fail(&failed, lease.lease, "cause", true, AHEAD).unwrap();
    let mut world = world.reopen();
    world.jobs.clamp(100, LEASE).unwrap();
    assert_eq!(world.jobs.expire(100 + LEASE + 1).unwrap(), [leased]);
    let later = 100 + 3_600;
    assert!(world.lease(later).is_some() && world.lease(later).is_some());
    // What is not ahead stays as it is.
    let before: Vec<Job> = world.jobs.all().cloned().collect();
    world.jobs.clamp(later, LEASE).unwrap();
    assert_eq!(world.jobs.all().cloned().collect::<Vec<_>>(), before);
}

#[test]
fn what_is_over_can_be_forgotten() {
    let mut world = World::new();
    let (done, cancelled, queued) = (world.add(1), world.add(2), world.add(3));
    let lease = world.lease(0).unwrap();
    world.complete(&lease, &[1], 1).unwrap();
    assert!(matches!(world.jobs.forget(&done), Err(JobError::Over { .. })));
    world.jobs.done(&world.artifacts, &world.artifacts, &done).unwrap();
    world.jobs.cancel(&cancelled).unwrap();
    for key in [done, cancelled, done] {
        world.jobs.forget(&key).unwrap();
    }
    assert!(matches!(world.jobs.forget(&queued), Err(JobError::Over { .. })));
    let world = world.reopen();
    assert_eq!(world.jobs.all().map(|job| job.key).collect::<Vec<_>>(), [queued]);
}

#[test]
fn a_job_goes_its_way_once() {
    let mut world = World::new();
    let (second, first) = (world.add(2), world.add(1));
    let block = JobKey { kind: JobKind::ProveBlock, ..key(9) };
    let input = world.artifacts.put(b"block").unwrap();
    world.jobs.add(block, input).unwrap();
    world.add(1);
    let other = world.artifacts.put(b"other").unwrap();
    assert!(matches!(world.jobs.add(first, other), Err(JobError::OtherInput { .. })));

    // Blocks first, then by number; what a worker cannot do is passed over.
    let small = |job: &Job| job.key.kind == JobKind::ProveBatch;
    let lease = world.jobs.lease("small", small, 0, LEASE).unwrap().unwrap();
    assert_eq!(lease.job.key, first);
    assert_eq!(world.lease(0).unwrap().job.key, block);
    assert_eq!(world.lease(0).unwrap().job.key, second);
    assert!(world.lease(0).is_none());

    world.complete(&lease, &[1, 2], 5).unwrap();
    let proof = world.jobs.get(&first).unwrap().proof().unwrap();
    assert_eq!(world.artifacts.get(&proof).unwrap(), [1, 2]);
    assert!(matches!(world.complete(&lease, &[1, 3], 6), Err(JobError::Over { .. })));
    assert!(matches!(world.jobs.cancel(&first), Err(JobError::Over { .. })));
    let mut world = world.reopen();
    assert_eq!(world.state(&first), &JobState::Verified { proof });
    world.jobs.done(&world.artifacts, &world.artifacts, &first).unwrap();
    assert!(world.artifacts.get(&proof).is_err(), "what is done needs no files");
    assert!(matches!(
        world.jobs.done(&world.artifacts, &world.artifacts, &second),
        Err(JobError::Over { .. })
    ));
}

#[test]
fn an_old_lease_changes_nothing() {
    let mut world = World::new();
    let key = world.add(1);
    let old = world.lease(0).unwrap();
    assert!(world.jobs.expire(LEASE).unwrap().is_empty());
    assert_eq!(world.jobs.expire(LEASE + 1).unwrap(), [key]);
    let new = world.lease(LEASE + 100).unwrap();
    assert!(new.lease > old.lease);
    let state = world.state(&key).clone();
    let jobs = &mut world.jobs;
    let stale = |outcome: Result<(), JobError>| matches!(outcome, Err(JobError::StaleLease { .. }));
    assert!(stale(jobs.fail(&key, old.lease, "late", true, 140)));
    assert!(stale(jobs.heartbeat(&key, old.lease, 140, LEASE).map(drop)));
    assert!(matches!(world.complete(&old, &[0], 140), Err(JobError::Refused { .. })));
    assert_eq!(world.state(&key), &state);
    // But a proof that holds is a proof.
    world.complete(&old, &[1], 140).unwrap();
    assert!(world.jobs.get(&key).unwrap().proof().is_some());
    assert!(stale(world.jobs.fail(&key, new.lease, "second", true, 150)));
    assert!(stale(world.jobs.heartbeat(&key, new.lease, 150, LEASE).map(drop)));
}

#[test]
fn attempts_end_and_the_breaker_opens() {
    let mut world = World::new();
    let key = world.add(1);
    let mut now = 0;
    for attempt in 1..=ATTEMPTS {
        assert!(!world.jobs.breaker_is_open(JobKind::ProveBatch) || attempt > BREAKER);
        let lease = world.lease(now).unwrap();
        match attempt % 2 {
            0 => world.jobs.fail(&key, lease.lease, "out of memory", true, now).unwrap(),
            _ => assert!(world.complete(&lease, &[0], now).is_err()),
        }
        assert!(world.lease(now).is_none(), "not at once");
        now += 1_000;
    }
    assert!(matches!(world.state(&key), JobState::Failed { .. }));
    assert!(world.lease(now).is_none());
    let mut world = world.reopen();
    assert!(world.jobs.breaker_is_open(JobKind::ProveBatch));
    assert!(!world.jobs.breaker_is_open(JobKind::ProveBlock));
    let job = world.jobs.get(&key).unwrap();
    assert_eq!(job.attempts, ATTEMPTS);
    assert!(job.causes.iter().any(|cause| cause == "out of memory"));
    assert!(job.causes[0].contains("does not begin with 1"));

    world.jobs.retry(&key).unwrap();
    assert!(!world.jobs.breaker_is_open(JobKind::ProveBatch));
    let lease = world.lease(now).unwrap();
    // What fails wherever it is tried is not tried again.
    world.jobs.fail(&key, lease.lease, "no such rule", false, now).unwrap();
    assert!(matches!(world.state(&key), JobState::Failed { .. }));
    world.jobs.cancel(&key).unwrap();
    assert!(matches!(
        world.jobs.complete(&world.artifacts, &key, lease.lease, &[1], now, verify),
        Err(JobError::Over { state: "cancelled", .. })
    ));
}

#[test]
fn a_crash_while_verifying_costs_no_proof() {
    let mut world = World::new();
    let (good, bad) = (world.add(1), world.add(2));
    for (key, proof) in [(good, [1]), (bad, [0])] {
        let lease = world.lease(0).unwrap();
        assert_eq!(lease.job.key, key);
        // The verifier never comes back.
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let died = |_: &Job, _: &[u8]| panic!("killed");
            world.jobs.complete(&world.artifacts, &key, lease.lease, &proof, 1, died)
        }));
        assert!(died.is_err());
    }
    let mut world = world.reopen();
    let waiting: Vec<JobKey> = world.jobs.unverified().iter().map(|job| job.key).collect();
    assert_eq!(waiting, [good, bad]);
    for key in waiting {
        world.jobs.reconcile(&world.artifacts, &key, 2, verify).unwrap();
    }
    assert!(world.jobs.get(&good).unwrap().proof().is_some());
    assert!(matches!(world.state(&bad), JobState::Retryable { .. }));
}

/// Bytes that somebody else needs are not removed with a proof that does not hold, nor with a job.
#[test]
fn shared_files_stay() {
    let mut world = World::new();
    let key = world.add(7);
    let lease = world.lease(0).unwrap();
    // The input, sent as a proof.
    assert!(world.complete(&lease, &7u64.to_be_bytes(), 0).is_err());
    let input = world.jobs.get(&key).unwrap().input;
    assert!(world.artifacts.get(&input).is_ok());
    // The same batch in two circuits.
    let other = JobKey { circuit: CircuitId::new([2; 32]), ..key };
    world.jobs.add(other, input).unwrap();
    let lease = world.jobs.lease("worker", |job| job.key == key, 1_000, LEASE).unwrap().unwrap();
    world.complete(&lease, &[1], 1_000).unwrap();
    world.jobs.done(&world.artifacts, &world.artifacts, &key).unwrap();
    assert!(world.artifacts.get(&input).is_ok());
}

#[test]
fn a_damaged_artifact_is_not_handed_out() {
    let world = World::new();
    let digest = world.artifacts.put(b"input").unwrap();
    let name = digest.to_string();
    let path = world.dir.path().join("artifacts").join(&name[..2]).join(&name);
    std::fs::write(&path, b"inpux").unwrap();
    assert!(matches!(world.artifacts.get(&digest), Err(JobError::Storage { .. })));
    assert_eq!(world.artifacts.put(b"input").unwrap(), digest);
    assert_eq!(world.artifacts.get(&digest).unwrap(), b"input");
    world.artifacts.remove(&digest).unwrap();
    world.artifacts.remove(&digest).unwrap();
}

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Event {
    Add(u64),
    Lease,
    Beat(usize),
    Complete(usize, bool),
    Fail(usize, bool),
    Retry(u64),
    Cancel(u64),
    Wait(u64),
    Crash,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..3u64).prop_map(Event::Add),
        Just(Event::Lease),
        Just(Event::Lease),
        (0..4usize).prop_map(Event::Beat),
        (0..4usize, any::<bool>()).prop_map(|(n, good)| Event::Complete(n, good)),
        (0..4usize, any::<bool>()).prop_map(|(n, again)| Event::Fail(n, again)),
        (0..3u64).prop_map(Event::Retry),
        (0..3u64).prop_map(Event::Cancel),
        (0..60u64).prop_map(Event::Wait),
        Just(Event::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens in whatever order: success is final, no lease is given twice, an old lease
    /// changes nothing, and what does not hold is never verified.
    #[test]
    fn success_is_final_and_leases_fence(events in prop::collection::vec(event(), 1..60)) {
        let mut world = World::new();
        let (mut now, mut leases) = (0, Vec::<Lease>::new());
        let mut verified: std::collections::BTreeMap<JobKey, Digest> = Default::default();
        for event in events {
            let rows: Vec<Job> = world.jobs.all().cloned().collect();
            let pick = |n: usize| leases.len().checked_sub(1 + n).map(|n| leases[n].clone());
            let mut named = None;
            match event {
                Event::Add(n) => drop(world.add(n)),
                Event::Lease => {
                    if let Some(lease) = world.lease(now) {
                        prop_assert!(leases.iter().all(|old| old.lease < lease.lease));
                        leases.push(lease);
                    }
                }
                Event::Beat(n) => if let Some(lease) = pick(n) {
                    let _ = world.jobs.heartbeat(&lease.job.key, lease.lease, now, LEASE);
                    named = Some((lease, false));
                },
                Event::Complete(n, good) => if let Some(lease) = pick(n) {
                    let _ = world.complete(&lease, &[u8::from(good)], now);
                    named = Some((lease, good));
                },
                Event::Fail(n, again) => if let Some(lease) = pick(n) {
                    let _ = world.jobs.fail(&lease.job.key, lease.lease, "no", again, now);
                    named = Some((lease, false));
                },
                Event::Retry(n) => drop(world.jobs.retry(&key(n))),
                Event::Cancel(n) => drop(world.jobs.cancel(&key(n))),
                Event::Wait(seconds) => {
                    now += seconds;
                    world.jobs.expire(now).unwrap();
                }
                Event::Crash => world = world.reopen(),
            }
            // A report under a lease that was not the present one, and no good proof.
            if let Some((lease, good)) = named {
                let before = rows.iter().find(|job| job.key == lease.job.key).unwrap();
                let own = matches!(before.state, JobState::Leased { lease: l, .. } if l == lease.lease);
                if !own && !good {
                    prop_assert_eq!(world.jobs.get(&lease.job.key).unwrap(), before);
                }
            }
            for job in world.jobs.all() {
                if let Some(proof) = job.proof() {
                    prop_assert_eq!(*verified.entry(job.key).or_insert(proof), proof);
                    prop_assert_eq!(world.artifacts.get(&proof).unwrap(), [1]);
                }
                prop_assert!(job.proof().is_some() || !verified.contains_key(&job.key));
            }
            let live = world.jobs.all().filter_map(|job| match job.state {
                JobState::Leased { lease, .. } => Some(lease),
                _ => None,
            });
            let live: Vec<u64> = live.collect();
            let distinct: std::collections::BTreeSet<u64> = live.iter().copied().collect();
            prop_assert_eq!(live.len(), distinct.len());
        }
    }
}
