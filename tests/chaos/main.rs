//! A whole rollup under attack by chance: node, workers, NATS and L1 are killed, stopped and rolled back
//! while users send transfers. Whatever happens, no receipt is lost or contradicted, nothing is executed
//! twice, every block becomes final, and the root on L1 is that of the receipts executed again.
//!
//! `BASTION_CHAOS_SECONDS` says how long (25 by default; `make chaos` takes 900), `BASTION_CHAOS_SEED` in
//! which order. It writes `target/chaos.json`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod processes;
mod rig;
mod users;

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bastion_client::types::Hash;
use bastion_node::devnet::dev_policy;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::ops::Op;
use bastion_protocol::{field, Fr};
use bastion_state::executor::{BatchBuilder, BatchContext};
use bastion_state::State;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use processes::{bastion, wait_for};
use rig::{Rig, DEPOSIT, USERS};
use users::Book;

#[derive(Debug, Serialize)]
struct Outcome {
    seed: u64,
    seconds: u64,
    kills: BTreeMap<String, u32>,
    receipts: usize,
    lost: usize,
    contradicted: u64,
    executed_twice: usize,
    rejected: usize,
    blocks: u64,
    stuck: u64,
    root_equals_replay: bool,
    audit: bool,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn nothing_is_lost_whatever_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let seconds = number("BASTION_CHAOS_SECONDS", 25);
    let seed = number("BASTION_CHAOS_SEED", rand::thread_rng().gen_range(0..1_000_000));
    println!("seed {seed}, {seconds} s, in {}", dir.path().display());
    let mut rig = Rig::start(dir.path());
    rig.deposit();

    let book = Arc::new(Book::default());
    let url = format!("http://127.0.0.1:{}", rig.api_port);
    let users: Vec<_> = (0..USERS)
        .map(|user| {
            let pause = Duration::from_secs(8);
            users::start(user, url.clone(), rig.rollup, rig.domain(), book.clone(), pause)
        })
        .collect();

    let mut kills = BTreeMap::new();
    let mut rng = rand_chacha(seed);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_millis(rng.gen_range(500..6_000)));
        let what = strike(&mut rig, &mut rng);
        println!("{:>5.1} s: {what}, {} receipts", start.elapsed().as_secs_f64(), book.count());
        *kills.entry(what.to_owned()).or_insert(0) += 1;
    }

    // Everything stands again; the users get the answers that they wait for, and send no more.
    rig.nats.start();
    rig.node.start();
    for worker in &mut rig.workers {
        worker.start();
    }
    assert!(wait_for(rig.api_port, Duration::from_secs(60)), "{}", rig.node.log());
    std::thread::sleep(Duration::from_secs(5));
    book.stop.store(true, Ordering::Relaxed);
    for user in users {
        user.join().unwrap();
    }
    let outcome = examine(&rig, &book, seed, seconds, kills);
    let json = serde_json::to_string_pretty(&outcome).unwrap();
    println!("{json}");
    let target = processes::root().join("target/chaos.json");
    fs::write(target, json + "\n").unwrap();
    let rejected = book.rejected.lock().unwrap();
    assert!(rejected.is_empty(), "{rejected:?}");
    assert!(outcome.receipts > 0 && outcome.blocks > 0, "{outcome:?}");
    assert_eq!((outcome.lost, outcome.contradicted, outcome.executed_twice), (0, 0, 0));
    assert_eq!(outcome.stuck, 0);
    assert!(outcome.root_equals_replay && outcome.audit, "{outcome:?}");
}

fn rand_chacha(seed: u64) -> rand::rngs::StdRng {
    rand::rngs::StdRng::seed_from_u64(seed)
}

/// Does one bad thing; its name.
fn strike(rig: &mut Rig, rng: &mut impl Rng) -> &'static str {
    match rng.gen_range(0..100) {
        0..=4 if rig.small_disk => {
            rig.fill_disk(Duration::from_millis(rng.gen_range(1_000..4_000)));
            "disk filled"
        }
        0..=34 => {
            rig.node.kill();
            std::thread::sleep(Duration::from_millis(rng.gen_range(0..1_500)));
            rig.node.start();
            "node killed"
        }
        35..=59 => {
            let n = rng.gen_range(0..rig.workers.len());
            rig.workers[n].kill();
            std::thread::sleep(Duration::from_millis(rng.gen_range(0..2_000)));
            rig.workers[n].start();
            "worker killed"
        }
        60..=69 => {
            rig.nats.kill();
            std::thread::sleep(Duration::from_millis(rng.gen_range(0..2_000)));
            rig.nats.start();
            "NATS killed"
        }
        70..=74 => {
            rig.nats.kill();
            fs::remove_dir_all(rig.dir.join("nats")).unwrap();
            rig.nats.start();
            "NATS lost whole"
        }
        75..=84 => {
            rig.anvil.signal("-STOP");
            std::thread::sleep(Duration::from_millis(rng.gen_range(500..6_000)));
            rig.anvil.signal("-CONT");
            "L1 stopped for a while"
        }
        85..=92 => {
            let depth = rng.gen_range(1..=3);
            rig.ask_l1("anvil_reorg", serde_json::json!([depth, []]));
            "L1 reorganized"
        }
        93..=96 => {
            let seconds = rng.gen_range(60..7_200);
            rig.ask_l1("evm_increaseTime", serde_json::json!([seconds]));
            "L1's clock jumps"
        }
        _ => {
            rig.node.signal("-STOP");
            std::thread::sleep(Duration::from_millis(rng.gen_range(500..5_000)));
            rig.node.signal("-CONT");
            "node stopped for a while"
        }
    }
}

/// Waits until everything is final, and compares receipts, node, L1 and audit.
fn examine(
    rig: &Rig,
    book: &Book,
    seed: u64,
    seconds: u64,
    kills: BTreeMap<String, u32>,
) -> Outcome {
    let receipts = book.receipts.lock().unwrap();
    let last = receipts.values().map(|(_, r)| r.receipt.place.block).max().unwrap_or(0);
    let finalized = rig.wait("all blocks are final", Duration::from_secs(600 + seconds), |rig| {
        let status = rig.runtime.block_on(rig.client.status()).ok()?;
        (status.blocks.finalized >= last && status.blocks.sealed <= status.blocks.finalized)
            .then_some(status.blocks.finalized)
    });

    // The node still says what it said.
    let mut lost = 0;
    for (hash, (_, receipt)) in receipts.iter() {
        let found = rig.runtime.block_on(rig.client.receipt(Hash(*hash)));
        match found {
            Ok(found) if found == *receipt => {}
            other => {
                println!("lost: {receipt:?}, now {other:?}");
                lost += 1;
            }
        }
    }

    // In the order of their places, the operations make the state that L1 has.
    let mut ordered: Vec<_> = receipts.values().collect();
    ordered.sort_by_key(|(_, r)| r.receipt.place);
    let places: std::collections::BTreeSet<_> =
        ordered.iter().map(|(_, r)| r.receipt.place).collect();
    let mut executed_twice = ordered.len() - places.len();
    let mut state = State::new();
    let context = BatchContext {
        domain: rig.domain(),
        time: ordered.first().map_or(0, |(_, r)| r.receipt.time),
        policy: dev_policy(),
    };
    let mut batch = BatchBuilder::new(&mut state, context).unwrap();
    let deposits = Rig::deposits().into_iter();
    for op in deposits.chain(ordered.iter().map(|(op, _)| Op::Signed(*op))) {
        if let Err(error) = batch.push(&op, |_| true) {
            println!("cannot be executed again: {op:?}: {error}");
            executed_twice += 1;
        }
    }
    let _ = batch.finish().unwrap();
    let root = rig.contract().state_root(&mut rig.l1()).unwrap();
    let root: Fr = field::from_bytes("root", &root.to_be_bytes::<32>()).unwrap();
    for user in 0..USERS {
        let sent = ordered.iter().filter(|(op, _)| op.body.account == FIRST_USER + user).count();
        let account = rig.runtime.block_on(rig.client.account(FIRST_USER + user)).unwrap();
        let nonce = account.account.unwrap().nonce as usize;
        executed_twice += nonce.abs_diff(sent);
    }
    let total: u128 = (0..USERS).map(|n| state.account(FIRST_USER + n).unwrap().balance).sum();
    assert_eq!(total, DEPOSIT * u128::from(USERS));

    let audit = bastion(&rig.dir)
        .args(["audit", "--contract", &rig.manifest.contract.to_string(), "--l1", &rig.l1_url])
        .output()
        .unwrap();
    if !audit.status.success() {
        println!("audit: {}", String::from_utf8_lossy(&audit.stderr));
        println!("{}", String::from_utf8_lossy(&audit.stdout));
    }
    Outcome {
        seed,
        seconds,
        kills,
        receipts: receipts.len(),
        lost,
        contradicted: book.contradicted.load(Ordering::Relaxed),
        executed_twice,
        rejected: book.rejected.lock().unwrap().len(),
        blocks: finalized,
        stuck: last.saturating_sub(finalized),
        root_equals_replay: root == state.root(),
        audit: audit.status.success(),
    }
}
