//! What the packer leaves out, and where it ends a batch.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::VecDeque;

use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::DataMode;
use bastion_protocol::ops::{Action, Body, Deposit};
use bastion_protocol::Fr;
use bastion_protocol::Kind;

use super::*;
use crate::devnet::{dev_exit, dev_key, dev_policy};
use crate::posting::Posting;

const TIME: u64 = 1_800_000_000;

/// What is asked for; operations are signed when they are given, for the state as it is.
#[derive(Clone, Copy)]
enum Ask {
    Deposit(&'static str),
    Pay(u32, u128),
    /// Alice pays a new owner.
    Open(u64),
}

struct Asked {
    asks: Vec<Ask>,
    next: usize,
    waiting: Waiting,
}

impl Source for Asked {
    fn next(&mut self, state: &State) -> Result<Option<(String, Op)>, NodeError> {
        let n = self.next;
        self.next += 1;
        let Some(ask) = self.asks.get(n).copied() else {
            return Ok(None);
        };
        let op = match ask {
            Ask::Deposit(name) => Op::Deposit(Deposit {
                token: 0,
                amount: 1_000,
                keyhash: dev_key(name).public().keyhash(),
                exit: dev_exit(name),
            }),
            Ask::Pay(..) | Ask::Open(_) => {
                let (from, action) = match ask {
                    Ask::Pay(from, amount) => {
                        (from, Action::Transfer { to: FIRST_USER + 1 - from, amount })
                    }
                    Ask::Open(key) => {
                        let (keyhash, exit) = (Fr::from(key), dev_exit("carol"));
                        (0, Action::TransferNew { keyhash, exit, amount: 1 })
                    }
                    Ask::Deposit(_) => unreachable!("made above"),
                };
                let body = Body {
                    account: FIRST_USER + from,
                    token: 0,
                    nonce: state.account(FIRST_USER + from).map_or(0, |a| a.nonce),
                    deadline: TIME,
                    fee: 0,
                    action,
                };
                let name = ["alice", "bob"][from as usize];
                Op::Signed(body.sign(&dev_key(name), Fr::from(1u64), dev_exit(name))?)
            }
        };
        Ok(Some((format!("ask {n}"), op)))
    }

    fn put_back(&mut self) {
        self.next -= 1;
    }

    fn waiting(&mut self) -> &mut Waiting {
        &mut self.waiting
    }
}

fn asked(asks: &[Ask]) -> Asked {
    Asked { asks: asks.to_vec(), next: 0, waiting: Waiting::default() }
}

fn context() -> BatchContext {
    BatchContext { domain: Fr::from(1u64), time: TIME, policy: dev_policy() }
}

const STORY: [Ask; 6] = [
    Ask::Deposit("alice"),
    Ask::Deposit("bob"),
    Ask::Pay(0, 5),
    Ask::Pay(0, 13),
    Ask::Pay(1, 7),
    Ask::Pay(0, 11),
];

/// Packs `asks` into one batch while `unprovable` says of each operation whether a proof is missing.
fn packed(
    state: &mut State,
    asks: &[Ask],
    unprovable: impl Fn(&bastion_state::executor::OpTrace) -> bool,
) -> (BatchTrace, Vec<Refused>) {
    let (shape, context) = (Shape::tiny(), context());
    let mut refused = Vec::new();
    let mut batch =
        Packed::new(state, &context, &shape, Room::new(shape.slots, DataMode::Blob, 1)).unwrap();
    assert!(batch.fill(&mut asked(asks), &mut refused).unwrap());
    let provable = |trace: &BatchTrace| {
        let fault = trace.ops.iter().position(&unprovable);
        match fault {
            None => Ok(()),
            Some(n) => Err(CircuitError::Unprovable {
                operation: Some((n, trace.ops[n].kind)),
                rules: ["op.some_rule".to_string()].into(),
            }),
        }
    };
    let trace = batch.finish(&provable, &mut refused).unwrap();
    (trace, refused)
}

/// An operation that no proof exists of is refused by name; the block is that of a source without it.
#[test]
fn what_cannot_be_proven_is_left_out() {
    let mut state = State::new();
    let (trace, refused) = packed(&mut state, &STORY, |op| op.amount == 13);
    // Alice's next transfer is signed for the nonce after that one.
    let [fault, later] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    assert_eq!((fault.place.as_str(), later.place.as_str()), ("ask 3", "ask 5"));
    assert!(fault.why.contains("operation 3 (Transfer)"), "{}", fault.why);
    assert!(fault.why.contains("op.some_rule"), "{}", fault.why);
    assert!(later.why.contains("nonce"), "{}", later.why);

    let mut plain = State::new();
    let without = [&STORY[..3], &STORY[4..5]].concat();
    let (same, none) = packed(&mut plain, &without, |_| false);
    assert!(none.is_empty());
    assert_eq!(trace.new_root, same.new_root);
    assert_eq!(state.root(), plain.root());
    assert_eq!(state.accounts().count(), plain.accounts().count());
}

/// What was created by it and what depends on it goes with it.
#[test]
fn accounts_of_a_refused_batch_are_gone() {
    let mut state = State::new();
    let bob = |op: &bastion_state::executor::OpTrace| {
        op.kind == Kind::DepositNew && op.opening.is_some_and(|(_, exit)| exit == dev_exit("bob"))
    };
    let (trace, refused) = packed(&mut state, &STORY, bob);
    let places: VecDeque<&str> = refused.iter().map(|r| r.place.as_str()).collect();
    assert_eq!(places, ["ask 1", "ask 2", "ask 3", "ask 4", "ask 5"]);
    assert_eq!(trace.ops.len(), 1);
    assert_eq!(state.account(FIRST_USER + 1), None);
    assert_eq!(state.free_index(), Ok(FIRST_USER + 1));

    let mut plain = State::new();
    let (alone, none) = packed(&mut plain, &STORY[..1], |_| false);
    assert!(none.is_empty());
    assert_eq!((trace.old_root, trace.new_root), (alone.old_root, alone.new_root));
    assert_eq!(state.root(), plain.root());
}

/// L1 operations come first in a batch: one that follows a signed one starts the next batch, and is
/// never said not to fit.
#[test]
fn an_l1_operation_starts_the_next_batch() {
    let asks = [
        Ask::Deposit("alice"),
        Ask::Deposit("bob"),
        Ask::Pay(0, 5),
        Ask::Deposit("carol"),
        Ask::Pay(1, 5),
        Ask::Deposit("dave"),
    ];
    let (mut state, mut refused) = (State::new(), Vec::new());
    let mut source = asked(&asks);
    let mut next = || {
        let mode = DataMode::Calldata;
        next_block(&mut state, &context(), &Shape::tiny(), 2, mode, &mut source, &mut refused)
    };
    let lens = |block: &Block| block.batches.iter().map(|b| b.ops.len()).collect::<Vec<_>>();
    assert_eq!(lens(&next().unwrap().unwrap()), [3, 2]);
    assert_eq!(lens(&next().unwrap().unwrap()), [1, 0]);
    assert!(next().unwrap().is_none());
    assert!(refused.is_empty());
}

/// What stands in calldata needs no room in the tables for blobs.
#[test]
fn owners_in_calldata_take_no_room_in_a_blob() {
    let room = Shape::tiny().slots.owners;
    let opens = (1..=room as u64 + 1).map(Ask::Open);
    let asks: Vec<Ask> = [Ask::Deposit("alice")].into_iter().chain(opens).collect();
    let lens = |mode| {
        let (mut state, mut refused) = (State::new(), Vec::new());
        let shape = Shape::tiny();
        let block =
            next_block(&mut state, &context(), &shape, 2, mode, &mut asked(&asks), &mut refused);
        assert!(refused.is_empty());
        let batches = block.unwrap().unwrap().batches;
        batches.iter().map(|batch| batch.ops.len()).collect::<Vec<_>>()
    };
    assert_eq!(lens(DataMode::Calldata), [room + 2, 0]);
    assert_eq!(lens(DataMode::Blob), [room + 1, 1]);
}

/// Where the blobs of a block are short, a batch takes less, and the next one the rest.
#[test]
fn batches_end_where_their_share_of_the_blobs_does() {
    // 32 L2 records to a group: 16 batches of one group each fill what 16 of 256 groups are.
    let mut shape = Shape::tiny();
    shape.slots.groups = 1;
    let narrow = Posting { mode: DataMode::Blob, max_blobs: 1.try_into().unwrap() };
    assert_eq!(narrow.room(&Shape::tiny(), 256).slots.groups, 1);
    assert_eq!(narrow.room(&Shape::tiny(), 257).slots.groups, 0);
    // An owner has four slots: with 7 of them and 8 payments, 36 slots are more than a group.
    let opens = (1..=7).map(Ask::Open);
    let asks: Vec<Ask> = [Ask::Deposit("alice")].into_iter().chain(opens).collect();
    let lens = |posting: Posting, batches| {
        let (mut state, mut refused) = (State::new(), Vec::new());
        let (context, shape) = (context(), Shape::tiny());
        let mut source = asked(&asks);
        let block =
            next_block(&mut state, &context, &shape, batches, posting, &mut source, &mut refused);
        assert!(refused.is_empty());
        let block = block.unwrap().unwrap();
        assert_eq!(block.blobs.len(), 1);
        block.batches.iter().take(2).map(|batch| batch.ops.len()).collect::<Vec<_>>()
    };
    // One slot for the record and four for the owner: seven take 35.
    assert_eq!(lens(DataMode::Blob.into(), 256), [8, 0]);
    assert_eq!(lens(narrow, 256), [7, 1]);
    assert_eq!(lens(narrow, 128), [8, 0]);
}
