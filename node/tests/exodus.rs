//! Leaving by L1 data alone, step by step, by anybody's key: on the embedded L1 and on a node. Proofs
//! are not looked at here, so a verifier that accepts everything stands for the real one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../l1/tests/support/anvil.rs"]
mod anvil;
#[path = "exodus/two_blobs.rs"]
mod two_blobs;

use alloy_primitives::{keccak256, Address, Bytes, B256, U256};
use alloy_sol_types::{sol, SolCall, SolValue};
use bastion_audit::chain::History;
use bastion_audit::{audit, Circuit, Description, Expectation, Verifier};
use bastion_contract::governance::IGovernance;
use bastion_contract::rollup::{governance, rollup, IRollup};
use bastion_l1::blob::Sidecar;
use bastion_l1::{DevChain, EmbeddedL1, ReadL1, RpcL1, SendL1, DEV_OPERATOR};
use bastion_node::blobs::keep::{file_name, Keep};
use bastion_node::blobs::Blobs;
use bastion_node::code;
use bastion_node::devnet::{dev_exit, dev_key, dev_policy};
use bastion_node::exodus::{rebuild, standing, Done, Due, Dues, Outcome, Sender, Standing, What};
use bastion_node::history::{collect, collect_pinned};
use bastion_node::inclusion::{inclusion, Wanted};
use bastion_node::posted::PostedData;
use bastion_node::settle::{header_of, to_u256};
use bastion_node::NodeError;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::blob::{coefficients, to_blobs, Posted as InBlob};
use bastion_protocol::data::BatchData;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Action, Body, Op};
use bastion_protocol::receipt::Place;
use bastion_protocol::{Fr, Header};
use bastion_prover::progress::Progress;
use bastion_prover::ErrorClass;
use bastion_state::executor::order_chain;
use bastion_state::executor::{posted_data, BatchBuilder, BatchContext};
use bastion_state::state::State;
use tempfile::TempDir;

const TIME: u64 = 1_800_000_000;
const CIRCUIT: [u8; 32] = [1; 32];
/// Who sends everything and has no role.
const STRANGER: Address = Address::repeat_byte(0x5a);

fn who(name: &str) -> Address {
    Address::from(dev_exit(name).0)
}

/// Creation code of a short runtime code.
fn code_of(runtime: &[u8]) -> Bytes {
    let mut out = vec![0x60, runtime.len() as u8, 0x80, 0x60, 9, 0x3d, 0x39, 0x3d, 0xf3];
    out.extend(runtime);
    out.into()
}

/// A rollup whose verifier says true to everything.
fn deploy(l1: &mut dyn DevChain) -> Address {
    l1.fund(DEV_OPERATOR, U256::from(10).pow(U256::from(20))).unwrap();
    let always_true = code_of(&[0x60, 1, 0x60, 0, 0x52, 0x60, 32, 0x60, 0, 0xf3]);
    let (verifier, _) = l1.deploy(DEV_OPERATOR, always_true).unwrap();
    let members = |from: u8, n: u8| (from..from + n).map(Address::repeat_byte).collect();
    let config = IGovernance::Config {
        policyRoot: to_u256(&dev_policy().root()),
        circuitId: CIRCUIT.into(),
        verifier,
        governor: DEV_OPERATOR,
        operators: vec![DEV_OPERATOR],
        guardians: members(10, 3),
        toPause: U256::from(2),
        council: members(20, 5),
        toUnpause: U256::from(3),
    };
    let code = governance().unwrap();
    let code = code.with_args(&(config,).abi_encode_params());
    let (governance, _) = l1.deploy(DEV_OPERATOR, code).unwrap();
    let args = (to_u256(&State::new().root()), governance).abi_encode_params();
    let code = rollup().unwrap().with_args(&args);
    l1.deploy(DEV_OPERATOR, code).unwrap().0
}

fn send(l1: &mut dyn DevChain, from: Address, to: Address, wei: u64, call: Vec<u8>) {
    l1.fund(from, U256::from(wei)).unwrap();
    l1.send(from, to, U256::from(wei), call.into()).unwrap();
}

fn deposit(l1: &mut dyn DevChain, contract: Address, name: &str, exit: Address, amount: u64) -> Op {
    let keyhash = dev_key(name).public().keyhash();
    let call = IRollup::depositCall {
        token: 0,
        amount: U256::from(amount),
        keyhash: to_u256(&keyhash),
        exit,
    };
    send(l1, DEV_OPERATOR, contract, amount, call.abi_encode());
    Op::Deposit(bastion_protocol::ops::Deposit {
        token: 0,
        amount: amount.into(),
        keyhash,
        exit: bastion_protocol::Address(exit.into_array()),
    })
}

/// Where blocks post their data, and who has them later.
#[derive(Clone, Copy)]
enum Posting<'a> {
    Calldata,
    /// In blobs, which the development chain itself gives out, for a folder.
    Folder,
    /// In blobs, which the node at this URL has as a beacon node.
    Beacon(&'a str),
}

impl Posting<'_> {
    /// The sources, and what they need to stay.
    fn open(self, l1: &mut dyn DevChain, contract: Address) -> (Blobs, TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let sources = match self {
            Self::Calldata => Blobs::none(),
            Self::Beacon(url) => Blobs::none().with_beacon(url).unwrap(),
            Self::Folder => {
                let keep = Keep::new(dir.path());
                let blocks = collect(l1, contract).unwrap().blocks;
                for hash in blocks.into_iter().flat_map(|b| b.versioned_hashes()) {
                    let bytes = l1.blob(hash.into()).unwrap().unwrap();
                    keep.put(&hash, &bytes).unwrap();
                }
                Blobs::none().with_folder(dir.path())
            }
        };
        (sources, dir)
    }
}

/// Executes operations into a block of one batch and makes it final.
fn settle(
    l1: &mut dyn DevChain,
    contract: Address,
    state: &mut State,
    ops: &[Op],
    posting: Posting<'_>,
) {
    let old_root = state.root();
    let context = BatchContext {
        domain: domain(l1.chain_id(), bastion_protocol::Address(contract.into_array())),
        time: l1.now().unwrap(),
        policy: dev_policy(),
    };
    let mut batch = BatchBuilder::new(state, context).unwrap();
    for op in ops {
        assert!(batch.push(op, |_| true).unwrap());
    }
    let trace = batch.finish().unwrap();
    let data = posted_data(&trace.ops);
    let header = Header {
        old_root,
        new_root: trace.new_root,
        policy_root: dev_policy().root(),
        domain: trace.context.domain,
        time: trace.context.time,
        c_out: order_chain(Fr::from(0u64), &trace.ops),
        batches: 1,
    };
    if !matches!(posting, Posting::Calldata) {
        return settle_in_blobs(l1, contract, &header, &[data]);
    }
    let call = IRollup::settleCall {
        header: header_of(&header),
        data: data.to_bytes().into(),
        circuitId: CIRCUIT.into(),
        accumulator: [U256::ZERO; 12],
        proof: vec![1u8].into(),
    };
    send(l1, DEV_OPERATOR, contract, 0, call.abi_encode());
}

/// The blobs of batches, and what stands in calldata.
fn in_blobs(batches: &[BatchData]) -> (Vec<Sidecar>, Vec<u8>) {
    let blobs = to_blobs(&coefficients(batches).unwrap()).unwrap();
    let blobs = blobs.iter().map(|bytes| Sidecar::new(bytes).unwrap()).collect();
    (blobs, InBlob::to_bytes(batches))
}

fn settle_in_blobs(
    l1: &mut dyn DevChain,
    contract: Address,
    header: &Header,
    batches: &[BatchData],
) {
    let (blobs, data) = in_blobs(batches);
    let posted = PostedData { data: &data, blobs: &blobs };
    let call = posted.commit_call(header).unwrap();
    l1.fund(DEV_OPERATOR, U256::from(10).pow(U256::from(19))).unwrap();
    l1.send_blobs(DEV_OPERATOR, contract, call, &blobs).unwrap();
    let committed = l1.view(contract, IRollup::committedCall {}.abi_encode().into()).unwrap();
    let number = U256::abi_decode(&committed).unwrap();
    let inputs = posted.public_inputs(header).unwrap().into_array().map(|x| to_u256(&x));
    let prove = IRollup::proveCall {
        number,
        circuitId: CIRCUIT.into(),
        accumulator: [U256::ZERO; 12],
        inputs,
        exitRoot: posted.exit_root(header.batches).unwrap(),
        proof: vec![1u8].into(),
    };
    send(l1, DEV_OPERATOR, contract, 0, prove.abi_encode());
    send(l1, DEV_OPERATOR, contract, 0, IRollup::finalizeCall { number }.abi_encode());
}

/// Three accounts, one of an owner who refuses payments; a small exit that is payable at once and a
/// large one that waits; then a deposit that nobody processes.
fn story(l1: &mut dyn DevChain, posting: Posting<'_>) -> (Address, Address) {
    let contract = deploy(l1);
    // Reverts whatever it is sent.
    let (refuser, _) = l1.deploy(DEV_OPERATOR, code_of(&[0x60, 0, 0x60, 0, 0xfd])).unwrap();
    let mut state = State::new();
    let mut ops = Vec::new();
    for (name, exit, amount) in [
        ("alice", who("alice"), 1_000_000),
        ("bob", who("bob"), 5_000_000_000_000_000_000),
        ("carol", refuser, 3_000),
    ] {
        ops.push(deposit(l1, contract, name, exit, amount));
    }
    // Until then they make no room for early exits.
    l1.advance(6 * 86_400).unwrap();
    settle(l1, contract, &mut state, &ops, posting);
    let time = l1.now().unwrap();
    let out = |name: &str, index: u32, amount: u128| {
        let body = Body {
            account: FIRST_USER + index,
            token: 0,
            nonce: 0,
            deadline: time + 10_000,
            fee: 0,
            action: Action::Withdraw { to: dev_exit("zoe"), amount },
        };
        let chain = domain(31_337, bastion_protocol::Address(contract.into_array()));
        Op::Signed(body.sign(&dev_key(name), chain, dev_exit(name)).unwrap())
    };
    let ops = [out("alice", 0, 1_000), out("bob", 1, 4_000_000_000_000_000_000)];
    settle(l1, contract, &mut state, &ops, posting);
    deposit(l1, contract, "dora", who("dora"), 77);
    (contract, refuser)
}

fn history_and_state(
    l1: &mut dyn DevChain,
    contract: Address,
    posting: Posting<'_>,
) -> (History, State) {
    let (mut blobs, _dir) = posting.open(l1, contract);
    let (history, _) = collect_pinned(l1, contract, &mut blobs).unwrap();
    blobs.require(&history, None).unwrap();
    let state = rebuild(&history, &[dev_policy()]).unwrap();
    (history, state)
}

/// Proofs of inclusion, from what L1 holds of the story: all places, and operations by what they say.
fn every_operation_is_shown(posting: Posting<'_>) {
    let l1: &mut dyn DevChain = &mut EmbeddedL1::new(TIME);
    let (contract, _) = story(l1, posting);
    let (history, _) = history_and_state(l1, contract, posting);
    let policies = [dev_policy()];
    for (block, operations) in [(1, 3), (2, 2)] {
        let place = |position| Wanted::Place(Place { block, batch: 0, position });
        for position in 0..operations {
            let proof = inclusion(&history, &policies, &place(position)).unwrap();
            assert_eq!(proof.verify(), Ok(()));
            assert_eq!((proof.block, proof.position), (block, position));
            let claimed = history.blocks[block as usize - 1].header.c_out;
            assert_eq!(proof.inputs[3], claimed);
        }
        let error = inclusion(&history, &policies, &place(operations)).unwrap_err();
        assert!(error.to_string().contains("no position"), "{error}");
    }
    let by = |op: Op| inclusion(&history, &policies, &Wanted::Operation(Box::new(op)));
    let first = history.queue[0].op;
    let proof = by(first).unwrap();
    assert_eq!((proof.block, proof.position), (1, 0));
    // The last entry of the queue is in no block.
    let error = by(history.queue[3].op).unwrap_err().to_string();
    assert!(error.contains("no operation of the 2 proven blocks"), "{error}");
    let out = |amount: u128, to: &str| {
        let body = Body {
            account: FIRST_USER,
            token: 0,
            nonce: 0,
            deadline: 1,
            fee: 0,
            action: Action::Withdraw { to: dev_exit(to), amount },
        };
        let chain = domain(31_337, bastion_protocol::Address(contract.into_array()));
        Op::Signed(body.sign(&dev_key("alice"), chain, dev_exit("alice")).unwrap())
    };
    let proof = by(out(1_000, "zoe")).unwrap();
    assert_eq!((proof.block, proof.batch, proof.position), (2, 0, 0));
    assert!(by(out(1_001, "zoe")).is_err() && by(out(1_000, "yan")).is_err());
    let error =
        inclusion(&history, &policies, &Wanted::Place(Place { block: 3, batch: 0, position: 0 }));
    assert!(error.unwrap_err().to_string().contains("block 3 is not proven"));
}

#[test]
fn inclusion_is_shown_from_calldata_and_from_blobs() {
    every_operation_is_shown(Posting::Calldata);
    every_operation_is_shown(Posting::Folder);
}

fn sender(contract: Address, dry_run: bool) -> Sender {
    Sender { contract, from: STRANGER, dry_run }
}

fn take(
    l1: &mut dyn DevChain,
    sender: Sender,
    dues: &Dues<'_>,
    wanted: impl Fn(&Due) -> bool,
) -> Vec<Done> {
    let silent = Progress::silent();
    sender.leave(l1, dues, wanted, &silent).unwrap()
}

fn outcomes(done: &[Done]) -> Vec<&'static str> {
    let name = |d: &Done| match d.outcome {
        Outcome::Paid { .. } => "paid",
        Outcome::PaidBefore => "before",
        Outcome::WouldPay => "would",
        Outcome::Waits { .. } => "waits",
        Outcome::Refused { .. } => "refused",
    };
    done.iter().map(name).collect()
}

fn balance(l1: &mut dyn DevChain, name: &str) -> U256 {
    l1.balance(who(name)).unwrap()
}

/// Everybody's way out, with an interruption after each step. `sent` counts the stranger's calls and
/// the operator's.
fn everybody_leaves(
    l1: &mut dyn DevChain,
    posting: Posting<'_>,
    sent: impl Fn(Address) -> Option<u64>,
) {
    let (contract, refuser) = story(l1, posting);
    l1.fund(STRANGER, U256::from(10).pow(U256::from(19))).unwrap();
    let before = (sent(STRANGER), sent(DEV_OPERATOR));
    let (history, state) = history_and_state(l1, contract, posting);
    assert_eq!(code::expected(&history).unwrap(), history.code);
    let all = Dues::of(&history, &state).unwrap();
    let kinds: Vec<What> = all.all.iter().map(|d| d.what).collect();
    let account = |i| What::Account { index: FIRST_USER + i };
    let exit = |position| What::Exit { block: 2, position };
    let expected =
        [account(0), account(1), account(2), What::Deposit { entry: 4 }, exit(0), exit(1)];
    assert_eq!(kinds, expected);

    // Before exodus: exits alone, and only those whose time has come.
    let waiting = history.queue.last().unwrap().time;
    let not_yet = Standing::NotYet { entry: 4, after: waiting + 7 * 86_400 };
    assert_eq!(standing(l1, &history).unwrap(), not_yet);
    let early = sender(contract, false).begin(l1).unwrap_err().to_string();
    assert!(early.contains("NothingOverdue"), "{early}");
    let dry = take(l1, sender(contract, true), &all, |_| true);
    let waits = ["waits", "waits", "waits", "waits", "would", "waits"];
    assert_eq!(outcomes(&dry), waits);
    assert_eq!(balance(l1, "zoe"), U256::ZERO);
    let zoe = take(l1, sender(contract, false), &all, |d| d.to == who("zoe"));
    assert_eq!(outcomes(&zoe), ["paid", "waits"]);
    let again = take(l1, sender(contract, false), &all, |d| d.to == who("zoe"));
    assert_eq!(outcomes(&again), ["before", "waits"]);
    assert_eq!(balance(l1, "zoe"), U256::from(1_000));

    // Exodus.
    l1.advance(7 * 86_400 + 1).unwrap();
    assert_eq!(standing(l1, &history).unwrap(), Standing::MayBegin);
    assert_eq!(sender(contract, true).begin(l1).unwrap(), 0);
    assert_eq!(standing(l1, &history).unwrap(), Standing::MayBegin);
    sender(contract, false).begin(l1).unwrap();
    assert_eq!(standing(l1, &history).unwrap(), Standing::Begun);
    assert!(sender(contract, false).begin(l1).is_err());

    // Interrupted after each payment: whoever starts again, with what he knew or anew, goes on.
    let first = take(l1, sender(contract, false), &all, |d| d.what == account(0));
    assert_eq!(outcomes(&first), ["paid"]);
    let (history, state) = history_and_state(l1, contract, posting);
    let anew = Dues::of(&history, &state).unwrap();
    assert_eq!(anew.all.len(), 4);
    let dry = take(l1, sender(contract, true), &anew, |_| true);
    assert_eq!(outcomes(&dry), ["would"; 4]);
    let second = take(l1, sender(contract, false), &anew, |d| d.what == account(1));
    assert_eq!(outcomes(&second), ["paid"]);
    let rest = take(l1, sender(contract, false), &all, |_| true);
    let expected = ["before", "before", "paid", "paid", "before", "paid"];
    assert_eq!(outcomes(&rest), expected);
    let nothing_twice = take(l1, sender(contract, false), &all, |_| true);
    assert_eq!(outcomes(&nothing_twice), ["before"; 6]);

    let whole = U256::from(1_000_000_000_000_000_000u64);
    assert_eq!(balance(l1, "alice"), U256::from(999_000));
    assert_eq!(balance(l1, "bob"), whole);
    assert_eq!(balance(l1, "dora"), U256::from(77));
    let zoe = whole * U256::from(4) + U256::from(1_000);
    assert_eq!(balance(l1, "zoe"), zoe);
    assert_eq!(l1.balance(contract).unwrap(), U256::from(3_000));

    // What a receiver refused is owed, and stays so until he takes it.
    let (history, state) = history_and_state(l1, contract, posting);
    let owed = Dues::of(&history, &state).unwrap();
    let debt = Due { what: What::Owed, to: refuser, token: 0, amount: 3_000, payable_at: 0 };
    assert_eq!(owed.all, [debt]);
    let refused = take(l1, sender(contract, false), &owed, |_| true);
    assert_eq!(outcomes(&refused), ["refused"]);

    is_clean(&history);

    // The stranger sent all of it: an exit, the beginning, three accounts, a deposit, an exit.
    if let (Some(stranger), Some(operator)) = before {
        assert_eq!(sent(STRANGER), Some(stranger + 7));
        assert_eq!(sent(DEV_OPERATOR), Some(operator));
    }

    // A state that is not the contract's is not taken out by.
    let (mut older, root) = (history.clone(), history.blocks[1].header.old_root);
    older.blocks.pop();
    older.state_root = root;
    let state = rebuild(&older, &[dev_policy()]).unwrap();
    let stale = Dues::of(&older, &state).unwrap();
    let silent = Progress::silent();
    let behind = sender(contract, false).leave(l1, &stale, |_| true, &silent);
    let behind = behind.unwrap_err().to_string();
    assert!(behind.contains("not complete yet"), "{behind}");
}

/// An audit of everything but the proofs.
fn is_clean(history: &History) {
    let document = include_bytes!("../../audit/tests/data/plain.json");
    let verifier = Verifier::new(Description::from_json(document).unwrap()).unwrap();
    let circuits = [Circuit { id: CIRCUIT, code: history.verifiers[0].code, verifier: &verifier }];
    let expected = Expectation {
        policies: &[dev_policy()],
        circuits: &circuits,
        code: code::expected(history).unwrap(),
        from: usize::MAX,
        to: None,
    };
    let (report, _) = audit(history, &expected);
    assert!(report.clean, "{:#?}", report.findings);
    let mut other = history.clone();
    other.contract.0[0] ^= 1;
    assert_ne!(code::expected(&other).unwrap(), history.code);
}

sol! {
    function announcePolicy(uint256 root);
    function announceVerifier(bytes32 circuitId, address verifier);
    function cancelChange(bytes32 change);
}

/// The contract refuses to cancel what is not announced, so that the names of changes here are its.
#[test]
fn a_change_that_was_cancelled_is_announced_no_more() {
    let mut l1 = EmbeddedL1::new(TIME);
    let contract = deploy(&mut l1);
    let output = l1.view(contract, IRollup::governanceCall {}.abi_encode().into());
    let governance = Address::abi_decode(&output.unwrap()).unwrap();
    let decide = |l1: &mut EmbeddedL1, call: Vec<u8>| {
        l1.send(DEV_OPERATOR, governance, U256::ZERO, call.into()).unwrap();
        collect(l1, contract).unwrap().announcements.len()
    };
    let (root, circuit, verifier) = (U256::from(7), B256::repeat_byte(9), STRANGER);
    let count = decide(&mut l1, announcePolicyCall { root }.abi_encode());
    assert_eq!(count, 1);
    let announce = announceVerifierCall { circuitId: circuit, verifier };
    assert_eq!(decide(&mut l1, announce.abi_encode()), 2);
    let change = keccak256(("policy", root).abi_encode_params());
    assert_eq!(decide(&mut l1, cancelChangeCall { change }.abi_encode()), 1);
    let change = ("verifier", circuit, verifier, U256::ZERO).abi_encode_params();
    let change = keccak256(change);
    assert_eq!(decide(&mut l1, cancelChangeCall { change }.abi_encode()), 0);
}

#[test]
fn everybody_leaves_the_embedded_l1() {
    everybody_leaves(&mut EmbeddedL1::new(TIME), Posting::Calldata, |_| None);
}

/// Data in blobs, of which L1 has the hashes alone: whoever has the blobs needs nothing else.
#[test]
fn everybody_leaves_by_blobs() {
    everybody_leaves(&mut EmbeddedL1::new(TIME), Posting::Folder, |_| None);
}

/// Transactions that an account sent.
fn sent(url: &str, account: Address) -> Option<u64> {
    RpcL1::connect(url).unwrap().nonce(account).ok()
}

#[test]
fn everybody_leaves_a_node() {
    let node = anvil::Anvil::start(TIME);
    let mut l1 = RpcL1::connect(&node.url).unwrap();
    everybody_leaves(&mut l1, Posting::Calldata, |account| sent(&node.url, account));
}

#[test]
fn everybody_leaves_a_node_by_its_blobs() {
    let node = anvil::Anvil::start(TIME);
    let mut l1 = RpcL1::connect(&node.url).unwrap();
    let posting = Posting::Beacon(&node.url);
    everybody_leaves(&mut l1, posting, |account| sent(&node.url, account));
}

#[test]
fn without_its_blobs_a_history_is_not_enough() {
    let mut l1 = EmbeddedL1::new(TIME);
    let (contract, _) = story(&mut l1, Posting::Folder);
    let class = |blobs: &mut Blobs, l1: &mut EmbeddedL1| {
        let (history, _) = collect_pinned(l1, contract, blobs).unwrap();
        // What happened is known without them, and who may claim what.
        assert_eq!((history.blocks.len(), history.counters.finalized), (2, 2));
        assert_eq!(history.blocks[1].exits().unwrap().len(), 2);
        let accounts = State::new();
        let dues = Dues::of(&history, &accounts).unwrap();
        let exits = dues.all.iter().filter(|due| matches!(due.what, What::Exit { .. }));
        for due in exits.clone() {
            dues.call(due).unwrap();
        }
        assert_eq!(exits.count(), 2, "claims need no blob");
        let state = rebuild(&history, &[dev_policy()]).unwrap_err();
        assert!(matches!(state, NodeError::Data { block: 1 | 2, .. }), "{state}");
        blobs.require(&history, None).unwrap_err().class()
    };
    assert_eq!(class(&mut Blobs::none(), &mut l1), ErrorClass::Missing);
    let (_, dir) = Posting::Folder.open(&mut l1, contract);
    let of_block = |l1: &mut EmbeddedL1, i: usize| {
        let block = collect(l1, contract).unwrap().blocks.swap_remove(i);
        dir.path().join(file_name(&block.blobs[0].versioned_hash))
    };
    let mut folder = Blobs::none().with_folder(dir.path());
    let (first, second) = (of_block(&mut l1, 0), of_block(&mut l1, 1));
    // Half a blob, then another block's, then none.
    let whole = std::fs::read(&second).unwrap();
    std::fs::write(&second, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(class(&mut folder, &mut l1), ErrorClass::Invalid);
    std::fs::copy(&first, &second).unwrap();
    assert_eq!(class(&mut folder, &mut l1), ErrorClass::Invalid);
    std::fs::remove_file(&second).unwrap();
    assert_eq!(class(&mut folder, &mut l1), ErrorClass::Missing);
    std::fs::write(&second, &whole).unwrap();
    let (history, _) = collect_pinned(&mut l1, contract, &mut folder).unwrap();
    folder.require(&history, None).unwrap();
    rebuild(&history, &[dev_policy()]).unwrap();
    is_clean(&history);
}
