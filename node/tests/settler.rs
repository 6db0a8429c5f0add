//! The settler against a real node: a block becomes final; a transaction that the operator took back is
//! asked for again when he wants it; a revert on L1 is followed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../l1/tests/support/anvil.rs"]
mod anvil;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use alloy_primitives::{address, Address, B256, U256};
use alloy_sol_types::SolCall;
use anvil::Anvil;
use bastion_audit::{History, Replay};
use bastion_circuits::Shape;
use bastion_contract::rollup::IRollup;
use bastion_l1::txmgr::{Judge, TxManager, TxOptions, Wallet};
use bastion_l1::{
    At, DevChain, Failover, FailoverOptions, Finality, ReadL1, ReadLogs, RpcL1, SendL1,
    DEV_OPERATOR,
};
use bastion_node::coordinator::verifiers::Verifiers;
use bastion_node::coordinator::Coordinator;
use bastion_node::deploy::Roles;
use bastion_node::devnet::{dev_exit, dev_key, dev_policy};
use bastion_node::history::collect;
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_node::sequencer::{Packing, ReceiptSigner, Running, Sequencer, Service};
use bastion_node::service::clock::L1Clock;
use bastion_node::service::deployment::{bond, Plan};
use bastion_node::service::manifest::Rollup;
use bastion_node::service::policies::{tighten, Policies};
use bastion_node::service::run::{wall_clock, Order};
use bastion_node::service::settler::Settler;
use bastion_node::service::{backup, rebuild, restored, Control, L1Status, L1View};
use bastion_node::settle::RollupClient;
use bastion_node::worker::keys::WorkerKeys;
use bastion_node::NodeError;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Action, Body, Deposit, Op, SignedOp};
use bastion_prover::progress::Progress;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::srs::SrsChoice;

const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// The third development account: it sends blobs.
const BLOB_KEY: &str = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
const PAYER: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");

struct World {
    anvil: Anvil,
    mode: DataMode,
    rollup: Rollup,
    contract: Address,
    coordinator: Arc<Coordinator>,
    keys: WorkerKeys,
    control: Control,
    view: L1View,
    settler: Settler,
    orders: Sender<Order>,
    ordered: std::sync::mpsc::Receiver<Order>,
    // In this order: a database that is open in some thread when the process ends is a fault of memory.
    service: Service,
    _sequencer: Ending,
    dir: tempfile::TempDir,
}

struct Ending(Option<Running>);

impl Drop for Ending {
    fn drop(&mut self) {
        let Some(running) = self.0.take() else { return };
        running.join_within(Duration::from_secs(10)).unwrap();
    }
}

fn deposit() -> Op {
    Op::Deposit(Deposit {
        token: 0,
        amount: 1_000_000,
        keyhash: dev_key("a").public().keyhash(),
        exit: dev_exit("a"),
    })
}

fn verifiers() -> Verifiers {
    let cache = Cache::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("bastion-cache"));
    Verifiers::open(&[cache.find_verifier(&Shape::tiny(), 1).unwrap()]).unwrap()
}

fn connect(anvil: &Anvil) -> Failover {
    Failover::connect(std::slice::from_ref(&anvil.url), FailoverOptions::default()).unwrap()
}

fn options() -> TxOptions {
    TxOptions { finality: Finality::Depth(1), rebroadcast: 1, ..TxOptions::default() }
}

/// What the owner of the account signs that the first deposit makes.
fn payment(rollup: &Rollup) -> SignedOp {
    let action = Action::Withdraw { to: dev_exit("a"), amount: 1_000 };
    let deadline = wall_clock() + 86_400;
    let body = Body { account: FIRST_USER, token: 0, nonce: 0, deadline, fee: 0, action };
    let domain = domain(rollup.chain_id, rollup.contract);
    body.sign(&dev_key("a"), domain, dev_exit("a")).unwrap()
}

impl World {
    fn new() -> Self {
        Self::in_mode(DataMode::Calldata)
    }

    /// A rollup on a fresh chain, with a sealed block of one deposit.
    fn in_mode(mode: DataMode) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let anvil = Anvil::start(wall_clock());
        let cache = Cache::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("bastion-cache"));
        let (shape, choice) = (Shape::tiny(), SrsChoice::HeldOrUnsafeDev);
        let progress = Progress::silent();
        let prover = BlockProver::open(&shape, 1, &cache, choice, &progress).unwrap();
        prover.verifier(&cache).unwrap();
        drop(prover);
        let budget = MemoryBudget(4 << 30);
        let keys = WorkerKeys::open(&shape, &[1], &cache, choice, budget, &progress).unwrap();
        let verifiers = verifiers();

        let path = dir.path().join("transactions");
        let wallet = Wallet::hex(KEY).unwrap();
        let mut manager =
            TxManager::open(&path, connect(&anvil), wallet, options(), Judge::default()).unwrap();
        let plan = Plan {
            verifier: verifiers.blocks().next().unwrap().1,
            batch_circuit: verifiers.batch_circuit(),
            roles: &Roles {
                governor: PAYER,
                operators: vec![DEV_OPERATOR, Wallet::hex(BLOB_KEY).unwrap().address()],
                ..Roles::dev(DEV_OPERATOR)
            },
            policy: &dev_policy(),
        };
        let rollup = plan.deploy(&mut manager, &progress).unwrap();
        // What is deployed is not deployed again.
        assert_eq!(plan.deploy(&mut manager, &progress).unwrap().contract, rollup.contract);
        if mode == DataMode::Calldata {
            // A bond behind the key of receipts grows, in one contract.
            let bonded = bond(&mut manager, &rollup, PAYER, 5).unwrap();
            assert_eq!(bonded.amount, 5);
            let slashing = Some(bastion_protocol::Address(bonded.slashing.into_array()));
            let named = Rollup { slashing, ..rollup.clone() };
            let more = bond(&mut manager, &named, PAYER, 2).unwrap();
            assert_eq!((more.amount, more.slashing), (7, bonded.slashing));
            let wrong = Rollup { slashing: Some(rollup.governance), ..rollup.clone() };
            assert!(bond(&mut manager, &wrong, PAYER, 2).is_err());
        }
        drop(manager);
        let (contract, governance) =
            (Address::from(rollup.contract.0), Address::from(rollup.governance.0));
        let mut l1 = RpcL1::connect(&anvil.url).unwrap();
        let circuit = rollup.blocks[0].circuit.to_bytes().into();
        RollupClient::of(contract, governance, circuit, PAYER)
            .enqueue(&mut l1, &deposit())
            .unwrap();

        let mut world = Self::node(anvil, rollup, keys, dir, mode);
        world.include(0, deposit());
        world
    }

    /// A node on the data folder `dir`, without API and workers.
    fn node(
        anvil: Anvil,
        rollup: Rollup,
        keys: WorkerKeys,
        dir: tempfile::TempDir,
        mode: DataMode,
    ) -> Self {
        let (contract, governance) =
            (Address::from(rollup.contract.0), Address::from(rollup.governance.0));
        let mut l1 = RpcL1::connect(&anvil.url).unwrap();
        let data = dir.path().join("data");
        let coordinator = Coordinator::open(&data, verifiers(), Arc::new(wall_clock)).unwrap();
        let coordinator = Arc::new(coordinator.posting(mode));
        let signer =
            ReceiptSigner::new(&B256::repeat_byte(1), rollup.chain_id, rollup.contract).unwrap();
        let (shape, sizes) = (Shape::tiny(), vec![1]);
        let packing = Packing { shape, mode, sizes, batch_seconds: 600, block_seconds: 600 };
        let folder = data.join("sequencer");
        let (sequencer, sealer) = Sequencer::open(&folder, signer, packing, dev_policy()).unwrap();
        let now = l1.block(At::Latest).unwrap().unwrap().time;
        let keeper = coordinator.clone();
        let (service, running) =
            Service::start(sequencer, sealer, move || now, move |sealed| keeper.keep(sealed))
                .unwrap();
        let (control, view) = (Control::default(), L1View::default());
        let folder = dir.path().join("policies");
        std::fs::create_dir_all(&folder).unwrap();
        let policies =
            Policies::new(governance, dev_policy(), vec![folder], service.clone()).unwrap();
        let settler = Settler::open(
            &dir.path().join("transactions"),
            connect(&anvil),
            Wallet::hex(KEY).unwrap(),
            options(),
            contract,
            coordinator.clone(),
            control.clone(),
            view.clone(),
            policies,
            L1Clock::new(now),
            None,
        );
        let (orders, ordered) = channel();
        let mut settler = settler.unwrap();
        if mode == DataMode::Blob {
            let (path, l1) = (dir.path().join("transactions-of-blobs"), connect(&anvil));
            let wallet = Wallet::hex(BLOB_KEY).unwrap();
            settler = settler.sending_blobs(&path, l1, wallet, options()).unwrap();
        }
        Self {
            anvil,
            mode,
            rollup,
            contract,
            coordinator,
            keys,
            control,
            view,
            settler,
            orders,
            ordered,
            service,
            _sequencer: Ending(Some(running)),
            dir,
        }
    }

    /// Makes a block of an entry of the queue.
    fn include(&mut self, from: u64, op: Op) {
        let taken = self.service.take_from_queue(from, vec![op]).unwrap();
        taken.blocking_recv().unwrap().unwrap();
        self.close();
    }

    /// Closes the open block.
    fn close(&mut self) {
        let before = self.coordinator.last_block().unwrap();
        self.service.close_block().unwrap().blocking_recv().unwrap().unwrap();
        while self.coordinator.last_block().unwrap() == before {
            self.coordinator.wait_for_work(Duration::from_millis(20));
        }
    }

    /// Whether an operation is accepted.
    fn accepts(&self, op: SignedOp) -> bool {
        let answers = self.service.submit(vec![op]).unwrap().blocking_recv().unwrap().unwrap();
        answers[0].is_ok()
    }

    /// What L1 has of the rollup, and the state that follows from it.
    fn history(&self) -> (History, Replay) {
        let mut l1 = RpcL1::connect(&self.anvil.url).unwrap();
        let mut history = collect(&mut l1, self.contract).unwrap();
        for blob in history.blocks.iter_mut().flat_map(|block| &mut block.blobs) {
            blob.bytes = l1.blob(blob.versioned_hash.into()).unwrap().map(Into::into);
        }
        let mut replay = Replay::new();
        replay.set_policy(&dev_policy());
        for block in &history.blocks {
            for data in block.read(history.domain()).unwrap().batches {
                replay.apply(&data, block.header.time).unwrap();
            }
        }
        (history, replay)
    }

    /// The node loses its data folder, and goes on from one that is made of L1 alone.
    fn lose_data(self) -> Self {
        let (history, mut replay) = self.history();
        assert!(self.accepts(payment(&self.rollup)), "block 2, which never reaches L1");
        let Self {
            anvil, mode, rollup, keys, dir, settler, service, _sequencer, coordinator, ..
        } = self;
        drop((settler, service));
        drop((_sequencer, coordinator));
        let data = dir.path().join("data");
        let again = rebuild::rebuild(&data, &rollup, verifiers(), &history, &replay);
        assert!(matches!(again, Err(NodeError::InTheWay { .. })), "{again:?}");
        std::fs::rename(&data, dir.path().join("lost")).unwrap();
        std::fs::remove_dir_all(dir.path().join("transactions")).unwrap();
        let made = rebuild::rebuild(&data, &rollup, verifiers(), &history, &replay).unwrap();
        assert_eq!((made.block, made.batches, made.queue), (1, 1, 1));
        let checked = backup::check(&data, &rollup, verifiers()).unwrap();
        assert!(checked.faults.is_empty(), "{:?}", checked.faults);
        // The lost node may have promised places that this one does not know of: nothing is signed before they
        // are void.
        let mut l1 = connect(&anvil);
        let finality = Finality::Depth(0);
        for _ in 0..2 {
            let refused = restored::go_on(&data, &rollup, &mut l1, finality);
            assert!(matches!(refused, Err(NodeError::Restored { from: 2 })), "{refused:?}");
        }
        let epoch = restored::new_epoch(&data, &rollup, &mut l1, finality).unwrap();
        assert_eq!((epoch.to, epoch.calls.len()), (1, 2));
        let mut sender = RpcL1::connect(&anvil.url).unwrap();
        let contract = Address::from(rollup.contract.0);
        for call in epoch.calls {
            sender.send(DEV_OPERATOR, contract, U256::ZERO, call).unwrap();
        }
        restored::go_on(&data, &rollup, &mut l1, finality).unwrap();
        restored::go_on(&data, &rollup, &mut l1, finality).unwrap();
        let world = Self::node(anvil, rollup, keys, dir, mode);
        let block = world.coordinator.block(1).unwrap().unwrap();
        assert_eq!((block.header.new_root, block.operations), (replay.root(), 1));
        world
    }

    fn seen(&self) -> L1Status {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Steps until something is so.
    fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !so(self) {
            assert!(start.elapsed() < Duration::from_secs(120), "{what}: {:?}", self.seen());
            self.settler.obey(&self.ordered, wall_clock());
            self.settler.step(wall_clock()).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Gives the settler an order, and its answer.
    fn order(
        &mut self,
        order: impl FnOnce(tokio::sync::oneshot::Sender<Result<(), String>>) -> Order,
    ) -> Result<(), String> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.orders.send(order(reply)).unwrap();
        self.settler.obey(&self.ordered, wall_clock());
        answer.blocking_recv().unwrap()
    }

    /// Tells anvil something that only it understands.
    fn tell_anvil(&self, method: &str, params: &str) {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let place = self.anvil.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(place).unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: l1\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.read_to_string(&mut String::new()).unwrap();
    }

    /// Proves the block, as a worker would.
    fn prove(&self) {
        for _ in 0..2 {
            let job = self.coordinator.lease("w", |_| true).unwrap().unwrap();
            let input = self.coordinator.artifact(&job.input).unwrap();
            let proof = self.keys.prove(&job.key, &input).unwrap();
            self.coordinator.complete("w", &job.key, job.lease, &proof).unwrap();
        }
    }
}

#[test]
fn a_block_becomes_final_whatever_is_taken_back_on_the_way() {
    let mut world = World::new();

    // The operator takes the commit back before it is mined, and then wants it after all.
    world.tell_anvil("evm_setAutomine", "[false]");
    world.settler.step(wall_clock()).unwrap();
    world.order(|reply| Order::Cancel("commit 1".into(), reply)).unwrap();
    world.tell_anvil("evm_setAutomine", "[true]");
    world.tell_anvil("anvil_mine", "[\"0x4\"]");
    world.until("the commit is taken back", |world| world.control.accepting().is_err());
    let why = world.control.accepting().unwrap_err();
    assert!(why.contains("commit 1") && why.contains("cancelled"), "{why}");
    assert_eq!(world.seen().committed, 0);
    world.order(|reply| Order::Resend("commit 1".into(), reply)).unwrap();
    world.until("it is committed", |world| world.seen().committed == 1);
    assert!(world.control.accepting().is_ok());

    // Somebody takes the commit back on L1: it is made again, and says the same.
    let hash = world.coordinator.block(1).unwrap().unwrap().hash;
    let mut l1 = RpcL1::connect(&world.anvil.url).unwrap();
    world.tell_anvil("anvil_mine", "[\"0x4\"]");
    world.until("its commit is final", |_| true);
    world.settler.step(wall_clock()).unwrap();
    world.tell_anvil("anvil_impersonateAccount", &format!("[\"{DEV_OPERATOR}\"]"));
    // From an account that is no operator's it takes the deadline; the operator's nonce is the settler's.
    world.tell_anvil("evm_increaseTime", "[86401]");
    world.tell_anvil("anvil_mine", "[\"0x1\"]");
    let call = IRollup::revertCommitsCall {}.abi_encode();
    l1.send(PAYER, world.contract, U256::ZERO, call.into()).unwrap();
    world.tell_anvil("anvil_mine", "[\"0x2\"]");
    // A day has passed, so that L1 takes the block no more: the node says so, and accepts nothing.
    world.until("the block is too late", |world| world.control.accepting().is_err());
    let why = world.control.accepting().unwrap_err();
    assert!(why.contains("TimeOutOfRange"), "{why}");
    assert_eq!(world.coordinator.block(1).unwrap().unwrap().hash, hash);
}

#[test]
fn a_proven_block_is_settled_and_its_proof_forgotten_when_that_is_final() {
    let mut world = World::new();
    world.prove();
    world.until("the block is finalized", |world| world.seen().finalized == 1);
    // In the latest block: that may still change.
    assert!(world.coordinator.proof(1).unwrap().is_some());
    world.tell_anvil("anvil_mine", "[\"0x2\"]");
    world.until("it is final", |world| world.coordinator.last_final().unwrap() == 1);
    assert!(world.coordinator.proof(1).unwrap().is_none());
    let steps = &world.seen().transactions[&1];
    // The proof made it final.
    assert!(steps[0].is_some() && steps[2].is_none(), "{steps:?}");
    assert!(steps[1].as_ref().unwrap().gas > 300_000);
}

#[test]
fn a_block_goes_to_l1_together_with_its_proof() {
    for mode in [DataMode::Calldata, DataMode::Blob] {
        let mut world = World::in_mode(mode);
        world.settler.settle_in_one(true);
        for _ in 0..3 {
            world.settler.step(wall_clock()).unwrap();
        }
        assert_eq!(world.seen().committed, 0, "it waits for its proof");
        world.prove();
        world.until("the block is finalized", |world| world.seen().finalized == 1);
        world.tell_anvil("anvil_mine", "[\"0x2\"]");
        world.until("it is final", |world| world.coordinator.last_final().unwrap() == 1);
        let steps = &world.seen().transactions[&1];
        assert!(steps[0].as_ref().unwrap().gas > 300_000, "{steps:?}");
        assert!(steps[1].is_none() && steps[2].is_none(), "{steps:?}");
        let (history, mut replay) = world.history();
        assert_eq!(history.blocks[0].finalized, Some(replay.root()));
    }
}

/// L1 takes no block that is a day old: data go alone before.
#[test]
fn an_old_block_does_not_wait_for_its_proof() {
    let mut world = World::new();
    world.settler.settle_in_one(true);
    world.settler.step(wall_clock() + 6 * 3_600 + 60).unwrap();
    world.until("it is committed", |world| world.seen().committed == 1);
    world.prove();
    world.until("the block is finalized", |world| world.seen().finalized == 1);
}

/// One block without L2 records, whose blob is zeros, and one with.
#[test]
fn blocks_in_blobs_are_settled_from_an_account_of_their_own() {
    let mut world = World::in_mode(DataMode::Blob);
    assert!(world.accepts(payment(&world.rollup)));
    world.close();
    world.prove();
    world.prove();
    world.until("both blocks are finalized", |world| world.seen().finalized == 2);
    world.tell_anvil("anvil_mine", "[\"0x2\"]");
    world.until("they are final", |world| world.coordinator.last_final().unwrap() == 2);

    let (history, mut replay) = world.history();
    let block = |number| world.coordinator.block(number).unwrap().unwrap();
    for (number, found) in (1..).zip(&history.blocks) {
        let kept = world.coordinator.blobs_of(&block(number)).unwrap();
        let found: Vec<_> = found.blobs.iter().map(|blob| blob.bytes.clone().unwrap()).collect();
        assert_eq!((found.len(), &found), (1, &kept), "{number}");
    }
    assert_eq!(replay.root(), block(2).header.new_root);
    // All but the commits are the operator's.
    let mut l1 = RpcL1::connect(&world.anvil.url).unwrap();
    assert_eq!(l1.nonce(Wallet::hex(BLOB_KEY).unwrap().address()).unwrap(), 2);

    // The account of all other transactions cannot send blobs too.
    let World { settler, dir, anvil, .. } = world;
    let (path, wallet) = (dir.path().join("others"), Wallet::hex(KEY).unwrap());
    let refused = settler.sending_blobs(&path, connect(&anvil), wallet, options());
    assert!(matches!(refused.err(), Some(NodeError::Key { .. })));
}

/// The circuits hold no policy: the verifier that was deployed takes a block under the new one.
#[test]
fn a_policy_is_tightened_without_a_restart_and_proven() {
    let mut world = World::new();
    let none = tighten(&dev_policy(), 0, 0).unwrap_err();
    assert!(none.to_string().contains("no tighter"), "{none}");
    let next = tighten(&dev_policy(), 0, 50).unwrap();
    let mut l1 = RpcL1::connect(&world.anvil.url).unwrap();
    let governance = Address::from(world.rollup.governance.0);
    l1.send(PAYER, governance, U256::ZERO, next.call).unwrap();
    world.until("the node has no file of it", |world| world.control.accepting().is_err());
    let why = world.control.accepting().unwrap_err();
    assert!(why.contains("of which this node has no file"), "{why}");
    // What is no policy is passed over.
    let folder = world.dir.path().join("policies");
    std::fs::write(folder.join("1.json"), "{").unwrap();
    std::fs::write(folder.join("2.json"), serde_json::to_vec(&next.policy).unwrap()).unwrap();
    let followed = next.policy.clone();
    world.until("it is followed", move |world| world.seen().policy == Some(followed.clone()));
    assert!(world.control.accepting().is_ok());
    assert!(world.accepts(payment(&world.rollup)));
    world.close();
    let root = |block| world.coordinator.block(block).unwrap().unwrap().header.policy_root;
    assert_eq!((root(1), root(2)), (dev_policy().root(), next.policy.root()));
    world.prove();
    world.prove();
    world.until("both blocks are finalized", |world| world.seen().finalized == 2);
}

#[test]
fn a_node_goes_on_from_l1_alone() {
    let mut world = World::new();
    let (history, replay) = world.history();
    assert!(history.blocks.is_empty());
    // What is committed and not final can be proven from the lost folder only.
    world.until("it is committed", |world| world.seen().committed == 1);
    let early = world.history();
    let other = world.dir.path().join("other");
    let refused = rebuild::rebuild(&other, &world.rollup, verifiers(), &early.0, &early.1);
    assert!(matches!(refused, Err(NodeError::CannotGoOn { .. })), "{refused:?}");
    let before = rebuild::rebuild(&other, &world.rollup, verifiers(), &history, &replay).unwrap();
    assert_eq!((before.block, before.queue), (0, 0));
    world.prove();
    world.until("the block is finalized", |world| world.seen().finalized == 1);

    let mut world = world.lose_data();
    let mut l1 = RpcL1::connect(&world.anvil.url).unwrap();
    let (governance, circuit) = (
        Address::from(world.rollup.governance.0),
        world.rollup.blocks[0].circuit.to_bytes().into(),
    );
    let mut client = RollupClient::of(world.contract, governance, circuit, PAYER);
    client.enqueue(&mut l1, &deposit()).unwrap();
    world.settler.check().unwrap();
    // The queue is read again from its beginning: what was taken is not taken twice.
    let gap = world.service.take_from_queue(3, vec![deposit()]).unwrap().blocking_recv().unwrap();
    assert!(gap.is_err());
    let taken = world.service.take_from_queue(0, vec![deposit()]).unwrap();
    taken.blocking_recv().unwrap().unwrap();
    // What was accepted after the last block can be sent again from the old folder.
    let lost = world.dir.path().join("lost");
    assert!(rebuild::later_operations(&lost, 2).unwrap().is_empty());
    let later = rebuild::later_operations(&lost, 1).unwrap();
    assert!(later.len() == 1 && world.accepts(later[0]), "{later:?}");
    world.close();
    world.prove();
    world.until("block 2 is finalized", |world| world.seen().finalized == 2);
    world.include(1, deposit());
    world.prove();
    world.until("block 3 is finalized", |world| world.seen().finalized == 3);
    for block in [2, 3] {
        assert_eq!(world.coordinator.block(block).unwrap().unwrap().operations, 1);
    }
    let (history, mut replay) = world.history();
    assert_eq!((history.blocks[2].finalized, history.reverts), (Some(replay.root()), 1));
}
