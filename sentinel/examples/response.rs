//! What a response costs: `cargo run --release -p bastion-sentinel --example response`.
#![allow(clippy::unwrap_used, reason = "a measurement")]

use std::time::Instant;

use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body};
use bastion_protocol::{Address, Fr};

use bastion_sentinel::response::{Budget, Engine, Finding, Limits, Playbooks, Quarantine};
use bastion_sentinel::{Decision, Reason, Verdict};

const T: u64 = 1_700_000_000_000;

fn each(what: &str, times: u32, mut run: impl FnMut(u32)) {
    let begin = Instant::now();
    (0..times).for_each(&mut run);
    println!("{what}: {:?}", begin.elapsed() / times);
}

fn main() {
    let mut engine = Engine::new(Playbooks::builtin().unwrap(), Budget::default()).unwrap();
    let finding = |detector: &str, account| Finding {
        detector: detector.into(),
        score: 950,
        account: Some(account),
        token: Some(1),
        operation: Some([9; 32]),
        evidence: vec![("amount".into(), "100".into())],
    };
    each("a finding that is merely counted", 20_000, |i| {
        drop(engine.on_finding(&finding("else.x", i), T))
    });
    each("a finding with a decision", 20_000, |i| {
        drop(engine.on_finding(&finding("model.x", i), T))
    });
    let folder = tempfile::tempdir().unwrap();
    each("the state on disk, 10 000 windows", 5, |_| {
        engine.save(&folder.path().join("state")).unwrap()
    });

    let limits = Limits { count: 20_000, per_account: 20_000, ..Limits::default() };
    let mut quarantine = Quarantine::open(&folder.path().join("q"), limits).unwrap();
    let action = Action::Transfer { to: 9, amount: 100 };
    let body = Body { account: 0, token: 1, nonce: 0, deadline: 1 << 39, fee: 1, action };
    let mut op =
        body.sign(&SecretKey::from_seed(b"seed"), Fr::from(1_u64), Address([1; 20])).unwrap();
    let reason =
        Reason { detector: "rule.x".into(), version: "1".into(), score: 900, evidence: vec![] };
    let verdict =
        Verdict { decision: Decision::Quarantine { until: T / 1000 + 60 }, reasons: vec![reason] };
    let hash = |i: u32| bastion_protocol::hash::keccak(&[&i.to_be_bytes()]);
    each("an operation held, in memory", 10_000, |i| {
        op.body.nonce = i;
        drop(quarantine.hold(&op, hash(i), T, &verdict).unwrap());
    });
    each("10 000 of them on disk", 1, |_| quarantine.sync().unwrap());
    each("one more, on disk", 50, |i| {
        op.body.nonce = 10_000 + i;
        quarantine.hold(&op, hash(10_000 + i), T, &verdict).unwrap();
        quarantine.sync().unwrap();
    });
    drop(quarantine);
    let mut opened = None;
    each("a start with 10 050 held", 1, |_| {
        opened = Some(Quarantine::open(&folder.path().join("q"), limits).unwrap());
    });
    let mut quarantine = opened.unwrap();
    each("all of them released", 1, |_| assert_eq!(quarantine.due(T + 60_000).len(), 10_050));
}
