mod orders;
mod room;

use std::collections::BTreeSet;

use alloy_primitives::B256;
use bastion_circuits::Shape;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::DataMode;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit};
use bastion_protocol::order::leaf_of;
use bastion_protocol::receipt::Place;
use bastion_protocol::{Address, Fr, Index, Kind};
use bastion_state::executor::{posted_data, BatchBuilder, BatchContext, BatchTrace};

use super::*;
use crate::devnet::{dev_exit, dev_key, dev_policy};

const CHAIN: u64 = 31_337;
const CONTRACT: Address = Address([7; 20]);
const TIME: u64 = 1_800_000_000;
const ETH: u128 = 1_000_000_000_000_000_000;

fn domain() -> Fr {
    bastion_protocol::header::domain(CHAIN, CONTRACT)
}

fn packing() -> Packing {
    Packing {
        shape: Shape::tiny(),
        mode: DataMode::Blob,
        sizes: vec![2],
        batch_seconds: 10,
        block_seconds: 60,
    }
}

fn open(dir: &Path) -> (Sequencer, Sealer) {
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
    Sequencer::open(dir, signer, packing(), dev_policy()).unwrap()
}

fn key(n: Index) -> SecretKey {
    dev_key(&format!("user {n}"))
}

fn deposit(n: Index) -> Op {
    Op::Deposit(Deposit {
        token: 0,
        amount: ETH,
        keyhash: key(n).public().keyhash(),
        exit: dev_exit("user"),
    })
}

fn transfer(from: Index, to: Index, nonce: u32) -> SignedOp {
    let body = Body {
        account: FIRST_USER + from,
        token: 0,
        nonce,
        deadline: TIME + 3_600,
        fee: 1_000,
        action: Action::Transfer { to: FIRST_USER + to, amount: 1_000_000 },
    };
    body.sign(&key(from), domain(), dev_exit("user")).unwrap()
}

/// Deposits for users 0..n, from a fresh log.
fn fund(sequencer: &mut Sequencer, n: Index) {
    let ops: Vec<Op> = (0..n).map(deposit).collect();
    sequencer.take_from_queue(0, &ops, TIME).unwrap();
}

fn accepted(answers: Vec<Answer>) -> Vec<SignedReceipt> {
    answers.into_iter().map(Result::unwrap).collect()
}

/// Seals what is closed.
fn seal(sequencer: &mut Sequencer, sealer: &mut Sealer) -> Vec<Sealed> {
    sequencer
        .take_closed()
        .into_iter()
        .map(|closed| sealer.seal(closed, |_| Ok(())).unwrap())
        .collect()
}

/// What an executor makes of a log, by its batches: another way than the sequencer's.
fn replay(log: &Log) -> Vec<BatchTrace> {
    let mut state = State::new();
    let mut traces = Vec::new();
    for (number, row) in log.batches(0).unwrap() {
        let context: BatchContext = row.context.clone();
        let mut builder = BatchBuilder::new(&mut state, context).unwrap();
        let entries = log.entries(row.first).unwrap().map(Result::unwrap);
        for entry in entries.take_while(|entry| entry.batch == number) {
            assert_eq!(builder.push(&entry.op, |_| true), Ok(true));
        }
        traces.push(builder.finish().unwrap());
    }
    traces
}

#[test]
fn receipts_name_places_and_come_again() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _) = open(dir.path());
    fund(&mut sequencer, 3);
    let ops = [transfer(0, 1, 0), transfer(1, 2, 0), transfer(0, 1, 0)];
    let receipts = accepted(sequencer.sequence(&ops, TIME).unwrap());
    let places: Vec<Place> = receipts.iter().map(|r| r.receipt.place).collect();
    let at = |position| Place { block: 1, batch: 0, position };
    assert_eq!(places, [at(3), at(4), at(3)]);
    assert_eq!(receipts[0], receipts[2], "twice in one group");
    let address = Address(sequencer.signer.address().into_array());
    assert!(receipts.iter().all(|r| r.signer(CHAIN, CONTRACT) == Some(address)));
    for (op, receipt) in ops.iter().zip(&receipts) {
        assert_eq!(receipt.receipt.operation, operation_hash(&Op::Signed(*op)));
        assert_eq!(receipt.receipt.time, TIME);
    }
    let later = sequencer.sequence(&ops[..1], TIME + 5).unwrap();
    assert_eq!(accepted(later), receipts[..1], "in a later group");
    assert_eq!(sequencer.log().next(), 5);
    // And after a restart.
    drop(sequencer);
    let (mut sequencer, _) = open(dir.path());
    assert_eq!(accepted(sequencer.sequence(&ops, TIME + 9).unwrap()), receipts);
}

/// The receipt commits to what the batch posts.
#[test]
fn the_leaf_is_that_of_what_is_posted() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, mut sealer) = open(dir.path());
    fund(&mut sequencer, 2);
    let receipt = accepted(sequencer.sequence(&[transfer(0, 1, 0)], TIME).unwrap()).remove(0);
    sequencer.close(true).unwrap();
    let sealed = seal(&mut sequencer, &mut sealer);
    let posted = sealed[0].trace.ops[receipt.receipt.place.position as usize].records();
    assert_eq!(Some(receipt.receipt.leaf), leaf_of(posted.iter().map(|(_, r)| r.as_slice())));
}

#[test]
fn rejections_are_typed_and_leave_no_mark() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _) = open(dir.path());
    fund(&mut sequencer, 2);
    let mut forged = transfer(0, 1, 0);
    forged.signature = transfer(1, 0, 0).signature;
    let mut changed = transfer(0, 1, 0);
    changed.body.fee += 1;
    let group = [
        forged,
        transfer(0, 1, 1),
        transfer(0, 1, 0),
        changed,
        transfer(5, 0, 0),
        transfer(1, 0, 0),
    ];
    let answers = sequencer.sequence(&group, TIME).unwrap();
    let verdicts: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(verdicts, [false, false, true, false, false, true]);
    assert_eq!(answers[0], Err(Rejection::BadSignature(FIRST_USER).into()));
    let wrong = &answers[1];
    assert!(
        matches!(wrong, Err(Decline::Rejected(Rejection::WrongNonce { expected: 0, got: 1, .. }))),
        "{wrong:?}"
    );
    assert_eq!(answers[4], Err(Rejection::NoSuchAccount(FIRST_USER + 5).into()));
    assert_eq!(sequencer.log().next(), 4);
}

/// An account that is made in a group acts in the same group: its signature cannot be checked ahead.
#[test]
fn a_new_account_acts_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _) = open(dir.path());
    fund(&mut sequencer, 1);
    let body = Body {
        account: FIRST_USER,
        token: 0,
        nonce: 0,
        deadline: TIME + 60,
        fee: 0,
        action: Action::TransferNew {
            keyhash: key(1).public().keyhash(),
            exit: dev_exit("user"),
            amount: ETH / 2,
        },
    };
    let made = body.sign(&key(0), domain(), dev_exit("user")).unwrap();
    let mut forged = transfer(1, 0, 0);
    forged.body.fee += 1;
    let answers = sequencer.sequence(&[made, forged, transfer(1, 0, 0)], TIME).unwrap();
    let verdicts: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(verdicts, [true, false, true]);
}

/// Operations that are all rejected begin no block: its proof would be the operator's cost.
#[test]
fn nobody_can_open_blocks_of_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _) = open(dir.path());
    assert!(sequencer.sequence(&[transfer(0, 1, 0)], TIME).unwrap()[0].is_err());
    sequencer.tick(TIME + 1_000).unwrap();
    assert!(sequencer.take_closed().is_empty());
    assert!(sequencer.log().batches(0).unwrap().is_empty());
    // The block's time is that of its first operation.
    sequencer.take_from_queue(0, &[deposit(0)], TIME + 2_000).unwrap();
    assert_eq!(sequencer.log().batches(0).unwrap()[0].1.context.time, TIME + 2_000);
}

#[test]
fn the_queue_is_taken_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _) = open(dir.path());
    // Equal deposits are different entries.
    let queue = [deposit(0), deposit(0), deposit(1)];
    sequencer.take_from_queue(0, &queue[..2], TIME).unwrap();
    sequencer.take_from_queue(0, &queue, TIME).unwrap();
    sequencer.take_from_queue(1, &queue[1..], TIME).unwrap();
    assert_eq!((sequencer.log().queue(), sequencer.log().next()), (3, 3));
    let gap = sequencer.take_from_queue(4, &queue[..1], TIME).unwrap_err();
    assert!(matches!(gap, NodeError::QueueGap { expected: 3, got: 4 }), "{gap}");
    // After a signed operation the batch of L1 operations is the next one.
    accepted(sequencer.sequence(&[transfer(0, 1, 0)], TIME).unwrap());
    let exit = ForcedExit { index: FIRST_USER + 1, token: 0, exit: dev_exit("user") };
    sequencer.take_from_queue(3, &[Op::ForcedExit(exit)], TIME).unwrap();
    let closed = sequencer.take_closed();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].row.sealed, Some(4));
    drop(sequencer);
    let (sequencer, _) = open(dir.path());
    assert_eq!(sequencer.log().queue(), 4);
}

#[test]
fn batches_and_blocks_close_when_full_or_due() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, mut sealer) = open(dir.path());
    fund(&mut sequencer, 4);
    // The shape has room for eight signatures.
    let group: Vec<SignedOp> = (0..20).map(|n| transfer(n % 4, (n + 1) % 4, n / 4)).collect();
    let receipts = accepted(sequencer.sequence(&group, TIME).unwrap());
    let sealed = seal(&mut sequencer, &mut sealer);
    assert_eq!(sealed.len(), 2, "one block is full");
    assert!(!sealed[0].row.ends_block && sealed[1].row.ends_block);
    assert_eq!(sealed[1].row.block, 1);
    assert_eq!(receipts.last().unwrap().receipt.place.block, 2);

    // The second block's only batch waits ten seconds, the block a minute.
    sequencer.tick(TIME + 9).unwrap();
    assert!(sequencer.take_closed().is_empty());
    sequencer.tick(TIME + 10).unwrap();
    let closed = seal(&mut sequencer, &mut sealer);
    assert_eq!(closed.len(), 1);
    assert!(!closed[0].row.ends_block);
    sequencer.tick(TIME + 59).unwrap();
    assert!(sequencer.take_closed().is_empty());
    sequencer.tick(TIME + 60).unwrap();
    let rest = seal(&mut sequencer, &mut sealer);
    assert_eq!(rest.len(), 1, "filled with an empty batch");
    assert!(rest[0].row.ends_block && rest[0].trace.ops.is_empty());
    assert_eq!(rest[0].trace.context.time, TIME);
    sequencer.tick(TIME + 1_000).unwrap();
    assert!(sequencer.take_closed().is_empty());
}

/// However far the store is behind the log, a restart ends in the same state, with the same batches.
#[test]
fn a_restart_at_any_point_goes_on_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut sealed = Vec::new();
    let mut seen = BTreeSet::new();
    let (mut sequencer, mut sealer) = open(dir.path());
    fund(&mut sequencer, 4);
    for round in 0..12u32 {
        let group: Vec<SignedOp> = (0..4).map(|n| transfer(n, (n + 1) % 4, round)).collect();
        accepted(sequencer.sequence(&group, TIME + u64::from(round)).unwrap());
        // Sometimes all is sealed, sometimes one batch, sometimes none.
        let waiting = sequencer.take_closed();
        let count = waiting.len().min(round as usize % 3);
        for closed in waiting.into_iter().take(count) {
            if sealer.batches() == closed.number {
                assert!(seen.insert(closed.number));
                sealed.push(sealer.seal(closed, |_| Ok(())).unwrap());
            }
        }
        if round % 2 == 0 {
            let (before, next) = (sequencer.state().clone(), sequencer.log().next());
            drop((sequencer, sealer));
            (sequencer, sealer) = open(dir.path());
            assert_eq!(sequencer.log().next(), next);
            let accounts = |s: &State| s.accounts().map(|(i, a)| (i, *a)).collect::<Vec<_>>();
            assert_eq!(accounts(sequencer.state()), accounts(&before));
        }
    }
    drop((sequencer, sealer));
    let (mut sequencer, mut sealer) = open(dir.path());
    sequencer.close(true).unwrap();
    sealed.extend(seal(&mut sequencer, &mut sealer));
    let expected = replay(sequencer.log());
    assert_eq!(sealed.len(), expected.len());
    for (i, (sealed, expected)) in sealed.iter().zip(&expected).enumerate() {
        assert_eq!(sealed.number, i as u64);
        assert_eq!(sealed.trace, *expected, "batch {i}");
    }
    assert!(sealed.last().unwrap().row.ends_block);
}

#[test]
fn a_foreign_or_damaged_log_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, mut sealer) = open(dir.path());
    fund(&mut sequencer, 2);
    sequencer.close(false).unwrap();
    seal(&mut sequencer, &mut sealer);
    drop((sequencer, sealer));
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN + 1, CONTRACT).unwrap();
    let error = Sequencer::open(dir.path(), signer, packing(), dev_policy()).unwrap_err();
    assert!(error.to_string().contains("another rollup"), "{error}");
    // A store that is ahead of its log.
    std::fs::remove_dir_all(dir.path().join("log")).unwrap();
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
    let error = Sequencer::open(dir.path(), signer, packing(), dev_policy()).unwrap_err();
    assert!(matches!(error, NodeError::LogBroken { .. }), "{error}");
}

/// A clock that is set back does not make a block that L1 refuses.
#[test]
fn block_times_never_fall() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _) = open(dir.path());
    fund(&mut sequencer, 2);
    sequencer.close(true).unwrap();
    let early = accepted(sequencer.sequence(&[transfer(0, 1, 0)], TIME - 500).unwrap());
    assert_eq!(early[0].receipt.time, TIME);
    assert_eq!(early[0].receipt.place.block, 2);
    drop(sequencer);
    let (mut sequencer, _) = open(dir.path());
    sequencer.close(true).unwrap();
    let early = accepted(sequencer.sequence(&[transfer(0, 1, 1)], 7).unwrap());
    assert_eq!(early[0].receipt.time, TIME);
}

/// An entry that cannot be executed is not left out: nothing of the call is written, and nothing after
/// it is taken.
#[test]
fn no_entry_of_the_queue_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _) = open(dir.path());
    let Op::Deposit(nothing) = deposit(0) else { unreachable!() };
    // L1 takes no such deposit.
    let nothing = Op::Deposit(Deposit { amount: 0, ..nothing });
    let error = sequencer.take_from_queue(0, &[deposit(1), nothing, deposit(2)], TIME).unwrap_err();
    assert!(matches!(error, NodeError::Rejected(Rejection::ZeroAmount)), "{error}");
    let next = sequencer.take_from_queue(0, &[deposit(1)], TIME).unwrap_err();
    assert!(matches!(next, NodeError::Stopped), "{next}");
    drop(sequencer);
    let (mut sequencer, _) = open(dir.path());
    assert_eq!((sequencer.log().queue(), sequencer.log().next()), (0, 0));
    sequencer.take_from_queue(0, &[deposit(1)], TIME).unwrap();
}

/// While memory may be ahead of the log, nothing is taken and nothing is written.
#[test]
fn a_stopped_sequencer_does_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, _) = open(dir.path());
    fund(&mut sequencer, 2);
    sequencer.stopped = true;
    let stopped = |outcome: Result<(), NodeError>| matches!(outcome, Err(NodeError::Stopped));
    assert!(stopped(sequencer.sequence(&[transfer(0, 1, 0)], TIME).map(drop)));
    assert!(stopped(sequencer.take_from_queue(2, &[deposit(2)], TIME)));
    assert!(stopped(sequencer.close(true)) && stopped(sequencer.close(false)));
    assert!(stopped(sequencer.tick(TIME + 1_000)));
    assert!(sequencer.take_closed().is_empty());
    assert_eq!(sequencer.log().last_batch().unwrap().unwrap().1.sealed, None);
}

/// A batch that was not kept comes again, however often the process ends.
#[test]
fn no_sealed_batch_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, sealer) = open(dir.path());
    fund(&mut sequencer, 2);
    sequencer.close(true).unwrap();
    drop((sequencer, sealer));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (mut sequencer, mut sealer) = open(dir.path());
        let closed = sequencer.take_closed();
        assert_eq!(closed.len(), 2);
        for closed in closed.into_iter().take(1) {
            let lost = sealer.seal(closed, |sealed| {
                seen.push(sealed.trace.clone());
                Err(NodeError::Stopped)
            });
            assert!(lost.is_err());
        }
    }
    assert_eq!(seen[0], seen[1]);
    let (mut sequencer, mut sealer) = open(dir.path());
    assert_eq!(seal(&mut sequencer, &mut sealer)[0].trace, seen[0]);
    drop((sequencer, sealer));
    assert!(open(dir.path()).0.take_closed().is_empty());
}

/// What a user or a caller gives cannot stop the sequencer.
#[test]
fn shapes_policies_and_requests_are_checked_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut narrow = packing();
    narrow.shape.slots.nodes = 95;
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
    let error = Sequencer::open(dir.path(), signer, narrow, dev_policy()).unwrap_err();
    assert!(matches!(error, NodeError::DoesNotFit { .. }), "{error}");
    for shape in Shape::all() {
        Packing { shape, ..packing() }.check().unwrap();
    }
    let (mut sequencer, sealer) = open(dir.path());
    let mut policy = dev_policy();
    policy.max_freeze = u64::MAX;
    assert!(sequencer.set_policy(policy).is_err());
    fund(&mut sequencer, 2);
    let (service, running) = Service::start(sequencer, sealer, || TIME, |_| Ok(())).unwrap();
    let op = transfer(0, 1, 0);
    let refusal = service.submit(vec![op; 2_049]).unwrap_err();
    assert_eq!(refusal, Refusal::TooMany { got: 2_049 });
    assert!(matches!(
        service.take_from_queue(9, vec![deposit(0)]).unwrap().blocking_recv().unwrap(),
        Err(Refusal::QueueGap { expected: 2, got: 9 })
    ));
    accepted(service.submit(vec![op]).unwrap().blocking_recv().unwrap().unwrap());
    assert!(service.read(&deposit(0).to_bytes()).is_err());
    assert_eq!(service.read(&Op::Signed(op).to_bytes()).unwrap(), op);
    drop(service);
    running.join().unwrap();
}

/// A block keeps the epoch that it was opened in; the next one has the new one, also after a restart.
#[test]
fn an_epoch_begins_with_a_block() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, sealer) = open(dir.path());
    let epoch = |sequencer: &mut Sequencer, user: Index, nonce: u32| {
        let answers = sequencer.sequence(&[transfer(user, 1, nonce)], TIME).unwrap();
        answers[0].as_ref().unwrap().receipt.epoch
    };
    fund(&mut sequencer, 2);
    assert_eq!(epoch(&mut sequencer, 0, 0), 0);
    sequencer.set_epoch(2);
    sequencer.set_epoch(1);
    assert_eq!(epoch(&mut sequencer, 0, 1), 0);
    sequencer.close(true).unwrap();
    assert_eq!(epoch(&mut sequencer, 0, 2), 2);
    drop((sequencer, sealer));
    let (mut sequencer, _sealer) = open(dir.path());
    assert_eq!(epoch(&mut sequencer, 0, 3), 2);
    sequencer.close(true).unwrap();
    assert_eq!(epoch(&mut sequencer, 0, 4), 2);
}

/// A log that goes on from elsewhere gives the next block's number, its epoch, and no earlier time.
#[test]
fn a_log_begins_where_another_ended() {
    let dir = tempfile::tempdir().unwrap();
    let base = Base { batches: 0, block: 4, time: TIME + 9, epoch: 3, made: 0 };
    let path = dir.path().join("log");
    drop(Log::begin_at(&path, CHAIN, CONTRACT, base, 1).unwrap());
    let twice = Log::begin_at(&path, CHAIN, CONTRACT, base, 1).unwrap_err();
    assert!(matches!(twice, NodeError::Log { .. }), "{twice}");
    let (mut sequencer, _sealer) = open(dir.path());
    // The first entry of the queue was taken before.
    sequencer.take_from_queue(0, &[deposit(9), deposit(0), deposit(1)], TIME).unwrap();
    assert_eq!(sequencer.state().accounts().count(), 2);
    let answers = sequencer.sequence(&[transfer(0, 1, 0)], TIME).unwrap();
    let receipt = answers[0].as_ref().unwrap().receipt;
    assert_eq!((receipt.place.block, receipt.epoch, receipt.time), (5, 3, TIME + 9));
    drop(sequencer);

    let dir = tempfile::tempdir().unwrap();
    let short = Base { batches: 7, ..base };
    drop(Log::begin_at(&dir.path().join("log"), CHAIN, CONTRACT, short, 0).unwrap());
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
    let error = Sequencer::open(dir.path(), signer, packing(), dev_policy()).unwrap_err();
    assert!(matches!(error, NodeError::LogBroken { .. }), "{error}");
}

/// A log that may be older than what was promised is opened by nobody, until an epoch has begun that no lost receipt
/// has; then the open block goes on in that epoch, also after a restart.
#[test]
fn a_restored_log_signs_nothing_before_a_new_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let (mut sequencer, sealer) = open(dir.path());
    fund(&mut sequencer, 2);
    drop((sequencer, sealer));
    let path = dir.path().join("log");
    // Block 1 is open.
    let mark = Log::mark_restored(&path).unwrap();
    assert_eq!(mark, Restored { from: 1, since: None });
    let signer = || ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
    let refused = || Sequencer::open(dir.path(), signer(), packing(), dev_policy()).unwrap_err();
    assert!(matches!(refused(), NodeError::Restored { from: 1 }), "{}", refused());

    let mut log = Log::open(&path, CHAIN, CONTRACT).unwrap();
    assert_eq!(mark.new_epoch(&[0]), None, "nobody has looked yet");
    // Two reverts had been by then, which lost receipts may know of.
    let mark = log.looked_at(2).unwrap().unwrap();
    assert_eq!(mark.since, Some(2));
    assert_eq!(log.looked_at(9).unwrap(), Some(mark), "the first look counts");
    assert_eq!(mark.new_epoch(&[0, 0]), None);
    assert_eq!(mark.new_epoch(&[0, 0, 1]), None, "block 1 stayed");
    assert_eq!(mark.new_epoch(&[0, 0, 1, 0]), Some(4));
    drop(log);
    assert!(matches!(refused(), NodeError::Restored { from: 1 }), "{}", refused());

    Log::open(&path, CHAIN, CONTRACT).unwrap().begin_epoch(4).unwrap();
    for nonce in 0..2 {
        let (mut sequencer, _sealer) = open(dir.path());
        assert_eq!(sequencer.log().restored().unwrap(), None);
        // What the intake of the copy knew.
        sequencer.set_epoch(1);
        let answers = sequencer.sequence(&[transfer(0, 1, nonce)], TIME).unwrap();
        let receipt = answers[0].as_ref().unwrap().receipt;
        assert_eq!((receipt.place.block, receipt.epoch), (1, 4));
    }
}

/// Blocks that are closed in the copy are known to the end.
#[test]
fn places_may_be_promised_from_the_first_open_block_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    assert!(matches!(Log::mark_restored(&path), Err(NodeError::NoData { .. })));
    let (mut sequencer, sealer) = open(dir.path());
    drop(sealer);
    fund(&mut sequencer, 2);
    sequencer.close(false).unwrap();
    let reader = sequencer.log().reader();
    assert!(matches!(Log::mark_restored(&path), Err(NodeError::Log { .. })), "a node has it");
    drop((sequencer, reader));
    assert_eq!(Log::mark_restored(&path).unwrap().from, 1);
    // An older copy was put in place of this one before: the mark stays.
    Log::open(&path, CHAIN, CONTRACT).unwrap().begin_epoch(1).unwrap();
    let (mut sequencer, sealer) = open(dir.path());
    drop(sealer);
    sequencer.close(true).unwrap();
    drop(sequencer);
    assert_eq!(Log::mark_restored(&path).unwrap().from, 2);
}
