//! A store that is killed at any moment holds the state before or after a batch.
#![cfg(feature = "store")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Deposit, Op};
use bastion_protocol::{Address, Fr, Policy, TokenLimits};
use bastion_state::executor::{BatchBuilder, BatchContext, BatchTrace};
use bastion_state::state::State;
use bastion_state::store::Store;

const CHILD: &str = "BASTION_STORE_CHILD";
const KILLS: u64 = 24;

fn context() -> BatchContext {
    BatchContext {
        domain: Fr::from(1u64),
        time: 1_700_000_000,
        policy: Policy {
            guardian_keyhash: Fr::from(1u64),
            max_freeze: 1,
            cooldown: 1,
            fee_keyhash: Fr::from(2u64),
            fee_exit: Address([2; 20]),
            default_limits: TokenLimits { rate: 1, burst_seconds: 1, max_delay: 1 },
            limits: BTreeMap::new(),
        },
    }
}

/// Batch number `n`: three deposits, of which two hit accounts of earlier batches.
fn batch(state: &mut State, n: u64) -> BatchTrace {
    let mut builder = BatchBuilder::new(state, context()).unwrap();
    for name in [n, n / 2, n / 3] {
        let deposit = Op::Deposit(Deposit {
            token: 0,
            amount: 1 + u128::from(n),
            keyhash: SecretKey::from_seed(&name.to_be_bytes()).public().keyhash(),
            exit: Address([(name % 255) as u8 + 1; 20]),
        });
        assert!(builder.push(&deposit, |_| true).unwrap());
    }
    builder.finish().unwrap()
}

/// Writes batches until it is killed. Run as a process of its own by the test below.
#[test]
fn child_writes_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD) else {
        return;
    };
    let (mut store, mut state) = Store::open(path.as_ref()).unwrap();
    loop {
        let trace = batch(&mut state, store.batches());
        store.commit(&trace).unwrap();
    }
}

#[test]
fn a_killed_store_is_before_or_after_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    let mut reference = State::new();
    let mut roots = vec![reference.root()];
    let mut last = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_writes_until_it_is_killed"])
            .env(CHILD, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Different moments: while opening, in the first batch, in later ones.
        std::thread::sleep(Duration::from_millis(20 + kill * 37 % 300));
        child.kill().unwrap();
        child.wait().unwrap();

        let (store, state) = Store::open(dir.path()).unwrap();
        let n = store.batches();
        assert!(n >= last, "batch {last} was lost");
        last = n;
        while (roots.len() as u64) <= n {
            let number = roots.len() as u64 - 1;
            roots.push(batch(&mut reference, number).new_root);
        }
        assert_eq!(state.root(), roots[n as usize], "after kill {kill}");
    }
    assert!(last > 0, "no batch was ever written");
}

#[test]
fn a_store_in_use_says_so_and_a_changed_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, mut state) = Store::open(dir.path()).unwrap();
    let trace = batch(&mut state, 0);
    store.commit(&trace).unwrap();
    let busy = Store::open(dir.path()).err().unwrap().to_string();
    assert!(busy.contains("another process"), "{busy}");
    drop(store);

    let (_, again) = Store::open(dir.path()).unwrap();
    assert_eq!(again.root(), state.root());
    assert_eq!(again.accounts().count(), state.accounts().count());
    assert_eq!(again.free_index(), state.free_index());

    let db = rocksdb::DB::open_cf(
        &rocksdb::Options::default(),
        dir.path(),
        ["accounts", "openings", "meta"],
    )
    .unwrap();
    let meta = db.cf_handle("meta").unwrap();
    db.put_cf(meta, "root", [1; 32]).unwrap();
    drop(db);
    let error = Store::open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("corrupt"), "{error}");
}
