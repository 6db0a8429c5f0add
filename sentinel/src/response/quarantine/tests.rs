use std::sync::OnceLock;

use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body};
use bastion_protocol::{Address, Fr};
use proptest::prelude::*;

use super::*;
use crate::Reason;

const T: u64 = 1_700_000_000_000;
const HOUR: u64 = 3_600_000;

/// An operation; the signature is of another one, which nobody here looks at.
fn op(account: Index, nonce: u32) -> SignedOp {
    static SIGNED: OnceLock<SignedOp> = OnceLock::new();
    let mut op = *SIGNED.get_or_init(|| {
        let action = Action::Transfer { to: 9, amount: 100 };
        let body = Body { account: 0, token: 1, nonce: 0, deadline: 1 << 39, fee: 1, action };
        body.sign(&SecretKey::from_seed(b"seed"), Fr::from(1_u64), Address([1; 20])).unwrap()
    });
    (op.body.account, op.body.nonce) = (account, nonce);
    op
}

fn hash(n: u64) -> [u8; 32] {
    bastion_protocol::hash::keccak(&[&n.to_be_bytes()])
}

fn verdict(until_ms: u64, detectors: &[&str]) -> Verdict {
    let reason = |detector: &&str| Reason {
        detector: (*detector).to_owned(),
        version: "1".into(),
        score: 900,
        evidence: vec![("amount".into(), "100".into())],
    };
    Verdict {
        decision: Decision::Quarantine { until: until_ms / 1000 },
        reasons: detectors.iter().map(reason).collect(),
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    limits: Limits,
}

impl Fixture {
    fn new() -> Self {
        let limits = Limits { count: 8, per_account: 3, longest_ms: HOUR, remembered: 20 };
        Self { folder: tempfile::tempdir().unwrap(), limits }
    }

    fn open(&self) -> Quarantine {
        Quarantine::open(&self.folder.path().join("q"), self.limits).unwrap()
    }
}

#[test]
fn what_is_held_is_seen_and_released_in_order_of_arrival() {
    let f = Fixture::new();
    let mut q = f.open();
    let first = q.hold(&op(1, 0), hash(0), T, &verdict(T + 9000, &["rule.a"])).unwrap();
    q.hold(&op(2, 0), hash(1), T + 1, &verdict(T + 5000, &["rule.a"])).unwrap();
    q.hold(&op(1, 1), hash(2), T + 2, &verdict(T + 20_000, &["rule.a"])).unwrap();
    assert_eq!((first.arrived_ms, first.until_ms, first.account()), (T, T + 9000, 1));
    assert_eq!(q.get(&hash(0)), Some(&first));
    assert_eq!(q.of_account(1).map(|h| h.op.body.nonce).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(q.list().count(), 3);
    assert_eq!(q.next_due_ms(), Some(T + 5000));
    assert!(q.due(T + 4999).is_empty());
    // The second's time is over first, but both leave in the order in which they came.
    assert_eq!(q.due(T + 9000), [op(1, 0), op(2, 0)]);
    assert!(q.is_released(&hash(0)) && q.is_released(&hash(1)) && !q.is_released(&hash(2)));
    assert_eq!(q.ending(&hash(1)), Some(&Ending::Time));
    assert!(q.due(T + 9000).is_empty());
    assert_eq!(q.len(), 1);
}

/// A sequencer may have to close a batch for each operation that is released, and answers nobody meanwhile.
#[test]
fn some_are_released_at_a_time_and_none_is_lost() {
    let mut f = Fixture::new();
    f.limits = Limits { count: 200, remembered: 200, ..f.limits };
    let mut q = f.open();
    let all: Vec<SignedOp> = (0..MOST_DUE as u32 + 6).map(|n| op(n, 0)).collect();
    for (n, op) in (0..).zip(&all) {
        q.hold(op, hash(n), T + n, &verdict(T + 9000, &["rule.a"])).unwrap();
    }
    assert_eq!(q.due(T + 9000), all[..MOST_DUE]);
    assert_eq!(q.next_due_ms(), Some(0), "the others wait for nothing");
    // Nor does a crash lose them.
    q.sync().unwrap();
    drop(q);
    let mut q = f.open();
    assert_eq!(q.due(T + 9000), all[MOST_DUE..]);
    assert!(q.due(T + 9000).is_empty());
}

#[test]
fn no_operation_is_held_twice() {
    let f = Fixture::new();
    let mut q = f.open();
    let held = q.hold(&op(1, 0), hash(0), T, &verdict(T + 1000, &["rule.a"])).unwrap();
    let again = q.hold(&op(1, 0), hash(0), T + 500, &verdict(T + HOUR, &["rule.a"])).unwrap();
    assert_eq!(held, again, "its end does not move");
    assert_eq!(q.due(T + 1000).len(), 1);
    q.sync().unwrap();
    let late = verdict(T + HOUR, &["rule.a"]);
    assert_eq!(q.hold(&op(1, 0), hash(0), T + 2000, &late), Err(Full::Released));
    drop(q);
    assert_eq!(f.open().hold(&op(1, 0), hash(0), T + 3000, &late), Err(Full::Released));
}

#[test]
fn nothing_is_held_longer_than_the_maximum() {
    let mut f = Fixture::new();
    let mut q = f.open();
    let held = q.hold(&op(1, 0), hash(0), T, &verdict(T + 1000 * HOUR, &[])).unwrap();
    assert_eq!(held.until_ms, T + HOUR);
    let endless = Verdict { decision: Decision::Quarantine { until: u64::MAX }, reasons: vec![] };
    assert_eq!(q.hold(&op(1, 1), hash(1), T, &endless).unwrap().until_ms, T + HOUR);
    let past = q.hold(&op(1, 2), hash(2), T, &verdict(0, &[])).unwrap();
    assert_eq!(past.until_ms, T, "an end in the past is now");
    q.sync().unwrap();
    drop(q);
    // A maximum that was lowered holds for what is here already.
    f.limits.longest_ms = 1000;
    let mut q = f.open();
    assert_eq!(q.get(&hash(0)).unwrap().until_ms, T + 1000);
    assert_eq!(q.due(T + 1000).len(), 3);
}

#[test]
fn a_clock_that_goes_back_holds_nothing_longer() {
    let f = Fixture::new();
    let mut q = f.open();
    q.hold(&op(1, 0), hash(0), T + 100 * HOUR, &verdict(T + 101 * HOUR, &[])).unwrap();
    assert!(q.due(T).is_empty());
    assert_eq!(q.get(&hash(0)).unwrap().until_ms, T + HOUR);
    assert!(q.due(T + HOUR - 1).is_empty());
    q.sync().unwrap();
    drop(q);
    assert_eq!(f.open().due(T + HOUR).len(), 1);
}

#[test]
fn each_bound_refuses() {
    let f = Fixture::new();
    let mut q = f.open();
    let v = verdict(T + 1000, &[]);
    for n in 0..3 {
        q.hold(&op(1, n), hash(n.into()), T, &v).unwrap();
    }
    let full = q.hold(&op(1, 3), hash(3), T, &v);
    assert_eq!(full, Err(Full::Account { account: 1, limit: 3 }));
    for n in 3..8 {
        q.hold(&op(n, 0), hash(n.into()), T, &v).unwrap();
    }
    assert_eq!(q.hold(&op(99, 0), hash(99), T, &v), Err(Full::Count { limit: 8 }));
    assert_eq!(q.due(T + 1000).len(), 8);
    assert!(q.hold(&op(99, 0), hash(99), T, &v).is_ok());
    for decision in [Decision::Allow, Decision::Reject] {
        let v = Verdict { decision, reasons: vec![] };
        assert_eq!(q.hold(&op(98, 0), hash(98), T, &v), Err(Full::NotAsked));
    }
    let mut long = verdict(T + 1000, &["rule.a"]);
    long.reasons[0].evidence[0].1 = "x".repeat(MAX_RECORD);
    assert!(matches!(q.hold(&op(98, 0), hash(98), T, &long), Err(Full::Long { .. })));
}

#[test]
fn an_admin_releases_and_drops() {
    let f = Fixture::new();
    let mut q = f.open();
    let v = verdict(T + HOUR, &["rule.a"]);
    for n in 0..3 {
        q.hold(&op(1, n), hash(n.into()), T, &v).unwrap();
    }
    q.release(&hash(1)).unwrap();
    q.release(&hash(1)).unwrap();
    assert_eq!(q.next_due_ms(), Some(0));
    let dropped = q.drop_op(&hash(2), &"stolen key. ".repeat(1000)).unwrap();
    assert_eq!(dropped.op, op(1, 2));
    assert!(!q.is_released(&hash(2)));
    assert!(
        matches!(q.hold(&op(1, 2), hash(2), T, &v), Err(Full::Dropped { why }) if why.len() <= MAX_WHY)
    );
    q.sync().unwrap();
    drop(q);
    let mut q = f.open();
    assert_eq!(q.due(T), [op(1, 1)]);
    assert_eq!(q.ending(&hash(1)), Some(&Ending::Admin));
    assert!(matches!(q.hold(&op(1, 2), hash(2), T, &v), Err(Full::Dropped { .. })));
    for gone in [1, 2, 77] {
        assert!(matches!(q.release(&hash(gone)), Err(ResponseError::NotHeld { .. })));
        assert!(matches!(q.drop_op(&hash(gone), ""), Err(ResponseError::NotHeld { .. })));
    }
}

#[test]
fn an_ended_rule_releases_what_nobody_else_asked_for() {
    let f = Fixture::new();
    let mut q = f.open();
    let end = T + HOUR;
    q.hold(&op(1, 0), hash(0), T, &verdict(end, &["rule.a"])).unwrap();
    q.hold(&op(1, 1), hash(1), T, &verdict(end, &["rule.a", "rule.b"])).unwrap();
    q.hold(&op(1, 2), hash(2), T, &verdict(end, &["rule.b"])).unwrap();
    q.hold(&op(2, 0), hash(3), T, &verdict(end, &[])).unwrap();
    assert_eq!(q.release_by_detector("rule.a"), 1);
    assert_eq!(q.due(T), [op(1, 0)]);
    assert_eq!(q.ending(&hash(0)), Some(&Ending::Rule));
    q.sync().unwrap();
    drop(q);
    let mut q = f.open();
    assert!(q.get(&hash(1)).unwrap().ended.contains("rule.a"));
    assert_eq!(q.release_by_detector("rule.b"), 2);
    assert_eq!(q.release_by_detector("rule.b"), 0);
    assert_eq!(q.due(T), [op(1, 1), op(1, 2)]);
    assert_eq!(q.len(), 1, "one without reasons waits for its time");
}

#[test]
fn what_left_is_remembered_within_a_bound() {
    let f = Fixture::new();
    let mut q = f.open();
    for n in 0..30_u32 {
        q.hold(&op(n, 0), hash(n.into()), T, &verdict(T, &[])).unwrap();
        assert_eq!(q.due(T).len(), 1);
    }
    assert_eq!((q.left.len(), q.order.len()), (20, 20));
    assert!(!q.is_released(&hash(9)) && q.is_released(&hash(10)));
}

#[test]
fn the_file_is_compacted_and_says_the_same() {
    let f = Fixture::new();
    let mut q = f.open();
    let mut rounds = 0_u64;
    let mut largest = 0;
    while rounds < 2500 {
        let n = rounds;
        q.hold(&op(1, n as u32), hash(n), T, &verdict(T, &["rule.a"])).unwrap();
        q.due(T);
        if rounds.is_multiple_of(50) {
            q.sync().unwrap();
            largest = largest.max(q.journal.length());
        }
        rounds += 1;
    }
    q.hold(&op(5, 5), hash(5_000_000), T, &verdict(T + HOUR, &["rule.a"])).unwrap();
    q.hold(&op(6, 6), hash(6_000_000), T, &verdict(T + HOUR, &["rule.b"])).unwrap();
    q.release(&hash(6_000_000)).unwrap();
    q.sync().unwrap();
    q.compact().unwrap();
    assert!(largest < COMPACT_FROM + (1 << 18), "{largest}");
    let (held, order, ready) = (q.held.clone(), q.order.clone(), q.ready.clone());
    drop(q);
    let q = f.open();
    assert_eq!((&q.held, &q.order, &q.ready), (&held, &order, &ready));
}

#[test]
fn limits_are_checked() {
    let good = Limits::default();
    good.check().unwrap();
    for bad in [
        Limits { count: 0, ..good },
        Limits { count: 100_001, remembered: 200_000, ..good },
        Limits { per_account: 0, ..good },
        Limits { per_account: good.count + 1, ..good },
        Limits { longest_ms: 0, ..good },
        Limits { longest_ms: HARD_LIMIT_MS + 1, ..good },
        Limits { remembered: good.count - 1, ..good },
        Limits { remembered: 1_000_001, ..good },
    ] {
        assert!(matches!(bad.check(), Err(ResponseError::Limit { .. })), "{bad:?}");
        let folder = tempfile::tempdir().unwrap();
        assert!(Quarantine::open(&folder.path().join("q"), bad).is_err());
    }
    Limits { longest_ms: HARD_LIMIT_MS, ..good }.check().unwrap();
}

#[test]
fn records_that_do_not_follow_are_damage() {
    let f = Fixture::new();
    let path = f.folder.path().join("q");
    let (mut journal, _) = Journal::open(&path).unwrap();
    let record = Record::Ready { hash: hash(0), ending: Ending::Admin };
    journal.record(&record.to_bytes().unwrap()).unwrap();
    journal.sync().unwrap();
    drop(journal);
    assert!(matches!(Quarantine::open(&path, f.limits), Err(ResponseError::Damaged { .. })));
}

/// What may happen to a quarantine.
#[derive(Debug, Clone)]
enum Step {
    Hold(u32, u64, u8),
    Due,
    Release(u32),
    Drop(u32),
    RuleEnds(u8),
    Wait(u64),
    Back(u64),
    Sync,
    Compact,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..40_u32, 0..2 * HOUR, 0..3_u8).prop_map(|(n, t, d)| Step::Hold(n, t, d)),
        3 => Just(Step::Due),
        2 => (0..40_u32).prop_map(Step::Release),
        1 => (0..40_u32).prop_map(Step::Drop),
        1 => (0..3_u8).prop_map(Step::RuleEnds),
        3 => (0..HOUR).prop_map(Step::Wait),
        1 => (0..HOUR).prop_map(Step::Back),
        2 => Just(Step::Sync),
        1 => Just(Step::Compact),
        2 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever happens, bounds hold, no operation comes out twice, and a restart changes nothing.
    #[test]
    fn bounds_hold_and_a_restart_changes_nothing(steps in proptest::collection::vec(step(), 1..60)) {
        let mut f = Fixture::new();
        f.limits.remembered = 1000;
        let mut q = f.open();
        let mut now = T;
        let mut out = BTreeSet::new();
        for step in steps {
            match step {
                Step::Hold(n, more, d) => {
                    let v = verdict(now + more, &[["rule.a", "rule.b", "rule.c"][usize::from(d)]]);
                    let was_out = out.contains(&n);
                    let held = q.hold(&op(n % 5, n), hash(n.into()), now, &v);
                    prop_assert!(!(was_out && held.is_ok()));
                }
                Step::Due => {
                    for op in q.due(now) {
                        prop_assert!(out.insert(op.body.nonce), "twice");
                        prop_assert!(q.is_released(&hash(op.body.nonce.into())));
                    }
                    prop_assert!(q.list().all(|h| h.until_ms > now));
                }
                Step::Release(n) => drop(q.release(&hash(n.into()))),
                Step::Drop(n) => drop(q.drop_op(&hash(n.into()), "why")),
                Step::RuleEnds(d) => {
                    q.release_by_detector(["rule.a", "rule.b", "rule.c"][usize::from(d)]);
                }
                Step::Wait(ms) => now += ms,
                Step::Back(ms) => now -= ms,
                Step::Sync => q.sync().unwrap(),
                Step::Compact => { q.sync().unwrap(); q.compact().unwrap(); }
                Step::Restart => {
                    q.sync().unwrap();
                    let before = (q.held.clone(), q.ready.clone(), q.left.clone(), q.by_end.clone());
                    drop(q);
                    q = f.open();
                    prop_assert_eq!(before, (q.held.clone(), q.ready.clone(), q.left.clone(), q.by_end.clone()));
                }
            }
            prop_assert!(q.len() <= 8);
            for account in 0..5 {
                prop_assert!(q.of_account(account).count() <= 3);
            }
            prop_assert!(q.list().all(|h| h.until_ms <= h.arrived_ms + HOUR));
            prop_assert_eq!(q.by_end.len() + q.ready.len(), q.len());
        }
    }
}
