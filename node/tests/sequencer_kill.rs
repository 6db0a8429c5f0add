//! `kill -9` of a sequencer at any moment: no receipt is lost or contradicted, nothing is executed twice,
//! and the state is that of the log executed again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use alloy_primitives::B256;
use bastion_circuits::Shape;
use bastion_node::devnet::{dev_exit, dev_key, dev_policy};
use bastion_node::sequencer::{
    Log, Packing, ReceiptSigner, Sealer, Sequencer, Service, SignedReceipt,
};
use bastion_node::NodeError;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Action, Body, Deposit, Op, SignedOp};
use bastion_protocol::{Address, Index, Kind, Limit, Token};
use bastion_state::executor::execute_again;
use bastion_state::State;
use rand::{Rng, SeedableRng};

const DIR: &str = "BASTION_TEST_KILLED";
const CHAIN: u64 = 31_337;
const CONTRACT: Address = Address([7; 20]);
const TIME: u64 = 1_800_000_000;
const USERS: Index = 6;
const ROUNDS: usize = 25;

fn open(dir: &Path) -> (Sequencer, Sealer) {
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
    let packing = Packing {
        shape: Shape::tiny(),
        mode: DataMode::Blob,
        sizes: vec![2],
        batch_seconds: 1,
        block_seconds: 5,
    };
    Sequencer::open(dir, signer, packing, dev_policy()).unwrap()
}

/// Each user's account in token 0, then each user's account in token 1.
fn deposits() -> Vec<Op> {
    let deposit = |n: Index| {
        Op::Deposit(Deposit {
            token: (n / USERS) as Token,
            amount: 1_000_000_000_000,
            keyhash: dev_key(&format!("user {}", n % USERS)).public().keyhash(),
            exit: dev_exit("user"),
        })
    };
    (0..2 * USERS).map(deposit).collect()
}

/// Sells one token for the other, of those that user and nonce say.
fn order(user: Index, nonce: u32) -> SignedOp {
    let sell = user % 2;
    let body = Body {
        account: FIRST_USER + user + sell * USERS,
        token: sell as Token,
        nonce,
        deadline: TIME + 1_000_000,
        fee: 0,
        action: Action::Order {
            to: FIRST_USER + user + (1 - sell) * USERS,
            buy: 1 - sell as Token,
            amount: u128::from(1_000 + nonce % 90),
            limit: Limit::of(9, 10).unwrap(),
        },
    };
    body.sign(&dev_key(&format!("user {user}")), domain(CHAIN, CONTRACT), dev_exit("user")).unwrap()
}

/// What a user of the killed process sends: users 4 and 5 send orders, the others transfers.
fn sent(user: Index, nonce: u32) -> SignedOp {
    match user >= USERS - 2 {
        true => order(user, nonce),
        false => transfer(user, nonce),
    }
}

/// The account that acts for a user.
fn acting(user: Index) -> Index {
    sent(user, 0).body.account
}

fn transfer(from: Index, nonce: u32) -> SignedOp {
    let body = Body {
        account: FIRST_USER + from,
        token: 0,
        nonce,
        deadline: TIME + 1_000_000,
        fee: 100,
        action: Action::Transfer { to: FIRST_USER + (from + 1) % USERS, amount: 1_000 },
    };
    body.sign(&dev_key(&format!("user {from}")), domain(CHAIN, CONTRACT), dev_exit("user")).unwrap()
}

/// The process that is killed: sends transfers, and prints each receipt when it has it.
#[test]
#[ignore = "started by the test below"]
fn the_killed_process() {
    let Some(dir) = std::env::var_os(DIR) else {
        return;
    };
    let (sequencer, sealer) = open(Path::new(&dir));
    let nonces: Vec<u32> =
        (0..USERS).map(|n| sequencer.state().account(acting(n)).map_or(0, |a| a.nonce)).collect();
    let start = std::time::Instant::now();
    let clock = move || TIME + start.elapsed().as_millis() as u64 / 50;
    let (service, _running) = Service::start(sequencer, sealer, clock, |_| Ok(())).unwrap();
    let queued = service.take_from_queue(0, deposits()).unwrap();
    queued.blocking_recv().unwrap().unwrap();
    for round in 0..u32::MAX {
        let group: Vec<SignedOp> =
            (0..USERS).map(|n| sent(n, nonces[n as usize] + round)).collect();
        let answers = service.submit(group).unwrap().blocking_recv().unwrap().unwrap();
        let mut out = std::io::stdout().lock();
        for receipt in answers {
            let json = serde_json::to_string(&receipt.unwrap()).unwrap();
            writeln!(out, "\nreceipt {json}").unwrap();
        }
        out.flush().unwrap();
    }
}

/// Runs the process for a while, kills it, and gives the receipts that it printed whole.
fn run_and_kill(dir: &Path, after: Duration) -> Vec<SignedReceipt> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_killed_process", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        let receipts =
            lines.filter_map(|line| serde_json::from_str(line.strip_prefix("receipt ")?).ok());
        receipts.collect::<Vec<SignedReceipt>>()
    });
    std::thread::sleep(after);
    // SIGKILL: the process does not get to do anything more.
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn no_receipt_is_lost_or_contradicted() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = rand::rngs::StdRng::seed_from_u64(0xba57);
    let mut promised: BTreeMap<[u8; 32], SignedReceipt> = BTreeMap::new();
    for round in 0..ROUNDS {
        let receipts = run_and_kill(dir.path(), Duration::from_millis(rng.gen_range(20..400)));
        for receipt in receipts {
            let operation = receipt.receipt.operation;
            let before = promised.insert(operation, receipt.clone());
            assert!(before.is_none_or(|before| before == receipt), "contradicted in round {round}");
        }
        let (sequencer, _) = open(dir.path());
        for (operation, receipt) in &promised {
            let kept = sequencer.log().find(operation).unwrap().map(|(_, entry)| entry.receipt);
            assert_eq!(kept.as_ref(), Some(receipt), "lost in round {round}");
        }
    }
    assert!(promised.len() > 100, "{} receipts are too few to say anything", promised.len());

    // The log, executed by another path, gives the places that were promised and the state that is.
    let (sequencer, mut sealer) = open(dir.path());
    let mut state = State::new();
    let mut places = BTreeMap::new();
    let entries: Vec<_> = sequencer.log().entries(0).unwrap().map(Result::unwrap).collect();
    let (mut filled, mut open) = (0, None);
    for (number, row) in sequencer.log().batches(0).unwrap() {
        let own = || entries.iter().filter(|entry| entry.batch == number);
        let (ops, quotes): (Vec<Op>, _) =
            (own().map(|entry| entry.op).collect(), sequencer.log().quotes(number).unwrap());
        for (position, entry) in own().enumerate() {
            let place = entry.receipt.receipt.place;
            assert_eq!(place.position as usize, position);
            assert_eq!((place.block, place.batch), (row.block, row.batch));
            assert!(places.insert(place, number).is_none(), "one place, two operations");
        }
        let is_order = |op: &Op| matches!(op, Op::Signed(s) if s.body.action.kind() == Kind::Order);
        if row.sealed.is_none() && ops.iter().any(is_order) {
            open = Some((number, row));
            continue;
        }
        assert_eq!(quotes.is_empty(), !ops.iter().any(is_order));
        let closed = execute_again(&mut state, &row.context, &ops, &quotes).unwrap();
        filled += closed.ops().iter().filter(|op| op.order.is_some_and(|o| o.sold > 0)).count();
    }
    assert!(filled > 10, "{filled} filled orders are too few to say anything");
    // What an open batch holds back is free again when it is closed, and its orders have prices.
    let mut sequencer = sequencer;
    sequencer.close(true).unwrap();
    if let Some((number, row)) = open {
        let ops: Vec<Op> =
            entries.iter().filter(|entry| entry.batch == number).map(|entry| entry.op).collect();
        let quotes = sequencer.log().quotes(number).unwrap();
        execute_again(&mut state, &row.context, &ops, &quotes).unwrap();
    }
    for closed in sequencer.take_closed() {
        sealer.seal(closed, |_| Ok(())).unwrap();
    }
    let accounts = |s: &State| s.accounts().map(|(i, a)| (i, *a)).collect::<Vec<_>>();
    assert_eq!(accounts(sequencer.state()), accounts(&state));
    println!("{} receipts over {ROUNDS} kills", promised.len());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// A copy of the folder is put back after more was promised: no place is ever promised twice in one epoch, however
/// often that happens and whenever the process is killed.
#[test]
fn a_copy_that_is_put_back_promises_no_place_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup) = (dir.path().join("data"), dir.path().join("backup"));
    std::fs::create_dir_all(&data).unwrap();
    let mut rng = rand::rngs::StdRng::seed_from_u64(0x0b5e);
    let mut places = BTreeMap::new();
    let (mut given, mut reverts) = (0, Vec::new());
    for round in 0..8 {
        for after in 0..2 {
            for receipt in run_and_kill(&data, Duration::from_millis(rng.gen_range(150..500))) {
                given += 1;
                let at = (receipt.receipt.epoch, receipt.receipt.place);
                let before = places.insert(at, receipt.clone());
                assert!(
                    before.as_ref().is_none_or(|before| *before == receipt),
                    "two promises for one place in round {round}: {before:?}, {receipt:?}"
                );
            }
            if after == 0 && round % 3 != 2 {
                // Else an older copy is put back.
                let _ = std::fs::remove_dir_all(&backup);
                copy(&data, &backup);
            }
        }
        std::fs::remove_dir_all(&data).unwrap();
        copy(&backup, &data);
        let path = data.join("log");
        let mark = Log::mark_restored(&path).unwrap();
        let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
        let packing = Packing {
            shape: Shape::tiny(),
            mode: DataMode::Blob,
            sizes: vec![2],
            batch_seconds: 1,
            block_seconds: 5,
        };
        let refused = Sequencer::open(&data, signer, packing, dev_policy());
        assert!(matches!(refused, Err(NodeError::Restored { .. })));
        // As the node does, with what L1 says before and after blocks were taken back.
        let mut log = Log::open(&path, CHAIN, CONTRACT).unwrap();
        let mark = log.looked_at(reverts.len() as u32).unwrap().unwrap_or(mark);
        assert_eq!(mark.new_epoch(&reverts), None);
        reverts.push(mark.from - 1);
        log.begin_epoch(mark.new_epoch(&reverts).unwrap()).unwrap();
    }
    let epochs: std::collections::BTreeSet<u32> = places.keys().map(|(epoch, _)| *epoch).collect();
    assert!(given > 100 && epochs.len() > 4, "{given} receipts in {} epochs", epochs.len());
}
