use bastion_circuits::Shape;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Body, Deposit, ForcedExit};
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::Index;

use super::*;
use crate::devnet::{dev_exit, dev_key, dev_policy};
use crate::sequencer::{Answer, Packing, ReceiptSigner, Sealer, Sequencer};

const CHAIN: u64 = 31_337;
const CONTRACT: Address = Address([7; 20]);
const ETH: u128 = 1_000_000_000_000_000_000;

struct World {
    dir: tempfile::TempDir,
    config: SentinelConfig,
    sequencer: Option<Sequencer>,
    sealer: Option<Sealer>,
    watch: Option<Watch>,
    time: u64,
}

fn key(n: Index) -> SecretKey {
    dev_key(&format!("user {n}"))
}

impl World {
    fn new(mode: Mode) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("guardian.key");
        std::fs::write(&file, hex::encode(dev_key("guardian").expose_bytes())).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        // What playbooks do has a test of its own.
        let quiet = dir.path().join("playbooks.toml");
        let text = "[[playbook]]\nname = \"quiet\"\nwhen = { family = \"none\", score = 1000, on = \"network\" }\n\
                    do = [{ quarantine = 1 }]\n";
        std::fs::write(&quiet, text).unwrap();
        let config = SentinelConfig {
            mode,
            playbooks: Some(quiet),
            guardian_key_file: Some(file),
            max_hold_seconds: 2,
            ..SentinelConfig::default()
        };
        let (sequencer, sealer, watch) = (None, None, None);
        let mut world = Self { dir, config, sequencer, sealer, watch, time: wall_ms() / 1_000 };
        world.open();
        world
    }

    /// Opens it, or opens it again after what a kill leaves.
    fn open(&mut self) {
        (self.sequencer, self.sealer, self.watch) = (None, None, None);
        let signer = ReceiptSigner::new(&[1; 32].into(), CHAIN, CONTRACT).unwrap();
        let packing =
            Packing { shape: Shape::tiny(), sizes: vec![2], batch_seconds: 10, block_seconds: 60 };
        let dir = self.dir.path();
        let (mut sequencer, sealer) =
            Sequencer::open(&dir.join("sequencer"), signer, packing, dev_policy()).unwrap();
        let entries = (sequencer.first_replayed(), sequencer.log().next());
        let of = Rollup { chain_id: CHAIN, contract: CONTRACT };
        let (state, at) = (sequencer.state(), dir.join("sentinel"));
        let sentinel = Sentinel::open(&at, &self.config, of, state, entries).unwrap();
        let watch: Watch = Arc::new(Mutex::new(sentinel));
        sequencer.watched_by(watch.clone()).unwrap();
        (self.sequencer, self.sealer, self.watch) = (Some(sequencer), Some(sealer), Some(watch));
    }

    fn sequencer(&mut self) -> &mut Sequencer {
        self.sequencer.as_mut().unwrap()
    }

    fn fund(&mut self, users: Index) {
        let deposit = |n| {
            let (keyhash, exit) = (key(n).public().keyhash(), dev_exit("user"));
            Op::Deposit(Deposit { token: 0, amount: ETH, keyhash, exit })
        };
        let (ops, time): (Vec<Op>, u64) = ((0..users).map(deposit).collect(), self.time);
        self.sequencer().take_from_queue(0, &ops, time).unwrap();
    }

    fn sign(&self, signer: &SecretKey, account: Index, nonce: u32, action: Action) -> SignedOp {
        let (deadline, account) = (self.time + 3_600, FIRST_USER + account);
        let body = Body { account, token: 0, nonce, deadline, fee: 1_000, action };
        let domain = bastion_protocol::header::domain(CHAIN, CONTRACT);
        body.sign(signer, domain, dev_exit("user")).unwrap()
    }

    fn send(&mut self, op: SignedOp) -> Answer {
        let time = self.time;
        self.sequencer().sequence(&[op], time).unwrap().remove(0)
    }

    fn sentinel(&self) -> MutexGuard<'_, Sentinel> {
        lock(self.watch.as_ref().unwrap())
    }

    /// A thief changes the key of account 0, and then sends nearly all of it away.
    fn theft(&mut self) -> (SignedOp, Answer) {
        let thief = dev_key("thief");
        let keyhash = thief.public().keyhash();
        let change = self.sign(&key(0), 0, 0, Action::ChangeKey { keyhash });
        self.send(change).unwrap();
        let drain = Action::Transfer { to: FIRST_USER + 1, amount: ETH / 10 * 9 };
        let drain = self.sign(&thief, 0, 1, drain);
        (drain, self.send(drain))
    }

    fn findings(&self) -> Vec<String> {
        let log = self.sentinel().log();
        log.read(0, 1_000).unwrap().findings
    }
}

#[test]
fn a_theft_is_held_back_and_the_owner_may_leave() {
    let mut world = World::new(Mode::Enforce);
    world.fund(2);
    let (drain, answer) = world.theft();
    let Err(Decline::Held { until, reasons }) = answer else {
        panic!("{answer:?}");
    };
    assert!(until >= world.time && until <= world.time + 4);
    assert!(reasons.iter().any(|r| r.detector == "rule.key-change-then-transfer"), "{reasons:?}");
    // Sent again, it is held until the same time.
    let again = world.send(drain);
    assert!(matches!(again, Err(Decline::Held { until: same, .. }) if same == until), "{again:?}");
    assert_eq!(world.sentinel().status().held, 1);
    let before = world.sequencer().state().account(FIRST_USER).unwrap().balance;
    assert!(before > ETH / 10 * 9);
    // What L1 asks for is never held back.
    let exit = ForcedExit { index: FIRST_USER, token: 0, exit: dev_exit("user") };
    let time = world.time;
    world.sequencer().take_from_queue(2, &[Op::ForcedExit(exit)], time).unwrap();
    assert_eq!(world.sequencer().state().account(FIRST_USER).unwrap().balance, 0);
}

#[test]
fn what_is_held_back_survives_a_kill_and_is_executed_when_its_time_is_over() {
    let mut world = World::new(Mode::Enforce);
    world.fund(2);
    let (drain, answer) = world.theft();
    assert!(matches!(answer, Err(Decline::Held { .. })), "{answer:?}");
    world.open();
    let hash = operation_hash(&Op::Signed(drain));
    assert!(world.sentinel().held(&hash).is_some(), "it is gone");
    let time = world.time;
    world.sequencer().run_due(time).unwrap();
    assert!(world.sentinel().held(&hash).is_some(), "released too early");
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    world.sequencer().run_due(time).unwrap();
    assert!(world.sentinel().held(&hash).is_none());
    let (_, entry) = world.sequencer().log().find(&hash).unwrap().expect("it was not executed");
    assert_eq!(entry.op, Op::Signed(drain));
    // It is not held a second time, and the same operation gets its receipt.
    assert_eq!(world.send(drain).unwrap(), entry.receipt);
    assert!(world.findings().iter().any(|f| f.contains("released") && f.contains("time")));
}

#[test]
fn the_operator_lets_go_or_forgets() {
    for drop in [false, true] {
        let mut world = World::new(Mode::Enforce);
        world.fund(2);
        let (drain, _) = world.theft();
        let hash = operation_hash(&Op::Signed(drain));
        let known = match drop {
            true => world.sentinel().forget(&hash, wall_ms()).unwrap(),
            false => world.sentinel().release(&hash).unwrap(),
        };
        assert!(known);
        let time = world.time;
        world.sequencer().run_due(time).unwrap();
        let found = world.sequencer().log().find(&hash).unwrap();
        assert_eq!(found.is_some(), !drop);
        if drop {
            let again = world.send(drain);
            assert!(matches!(again, Err(Decline::Refused { .. })), "{again:?}");
        }
        assert!(!world.sentinel().release(&[9; 32]).unwrap(), "an operation that nobody holds");
    }
}

#[test]
fn a_playbook_freezes_the_account_of_a_theft_within_its_budget() {
    let mut world = World::new(Mode::Enforce);
    world.config.playbooks = None;
    world.open();
    world.fund(2);
    let (drain, answer) = world.theft();
    assert!(matches!(answer, Err(Decline::Held { .. })), "{answer:?}");
    let time = world.time;
    world.sequencer().run_due(time).unwrap();
    assert!(world.sequencer().state().account(FIRST_USER).unwrap().is_frozen(time));
    // Let go, it cannot be executed any more, and that is written down.
    let hash = operation_hash(&Op::Signed(drain));
    assert!(world.sentinel().release(&hash).unwrap());
    world.sequencer().run_due(time).unwrap();
    assert!(world.sequencer().log().find(&hash).unwrap().is_none());
    let findings = world.findings();
    let said = |text: &str| findings.iter().any(|finding| finding.contains(text));
    assert!(
        said("\"event\":\"frozen\"") && said("key-theft") && said("is not executed"),
        "{findings:?}"
    );
}

#[test]
fn who_only_watches_holds_nothing() {
    let mut world = World::new(Mode::Watch);
    world.fund(2);
    let (_, answer) = world.theft();
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(world.sentinel().status().held, 0);
    assert!(world.findings().iter().any(|f| f.contains("rule.key-change-then-transfer")));
}

#[test]
fn the_guardian_of_the_node_freezes_and_ends_it() {
    let mut world = World::new(Mode::Enforce);
    world.fund(2);
    let time = world.time;
    let freeze = world.sequencer().sign_as_guardian(FIRST_USER, Some(600), time).unwrap();
    world.send(freeze).unwrap();
    assert_eq!(world.sequencer().state().account(FIRST_USER).unwrap().frozen_until, time + 600);
    let pay = world.sign(&key(0), 0, 0, Action::Transfer { to: FIRST_USER + 1, amount: 1_000 });
    let answer = world.send(pay);
    assert!(matches!(answer, Err(Decline::Rejected(_))), "{answer:?}");
    let twice = world.sequencer().sign_as_guardian(FIRST_USER, Some(600), time);
    assert!(matches!(twice, Err(NodeError::Freeze { .. })), "{twice:?}");
    let own = Action::Withdraw { to: dev_exit("user"), amount: ETH / 2 };
    let own = world.sign(&key(0), 0, 0, own);
    world.send(own).unwrap();
    let nobody = world.sequencer().sign_as_guardian(FIRST_USER + 9, Some(600), time);
    assert!(matches!(nobody, Err(NodeError::Freeze { .. })), "{nobody:?}");
    let findings = world.findings();
    assert!(findings.iter().any(|f| f.contains("\"event\":\"frozen\"")), "{findings:?}");
}

#[test]
fn verdicts_come_out_the_same_after_a_restart_and_in_a_replay() {
    let mut world = World::new(Mode::Watch);
    world.fund(3);
    for nonce in 0..40 {
        let pay = Action::Transfer { to: FIRST_USER + 1, amount: 1_000 };
        let op = world.sign(&key(2), 2, nonce, pay);
        world.send(op).unwrap();
        if nonce % 9 == 0 {
            let closed = world.sequencer().take_closed();
            for closed in closed {
                world.sealer.as_mut().unwrap().seal(closed, |_| Ok(())).unwrap();
            }
            world.open();
        }
    }
    let (_, answer) = world.theft();
    answer.unwrap();
    let observed = world.sentinel().status().observed;
    assert_eq!(observed, world.sequencer().log().next());
    let of = Rollup { chain_id: CHAIN, contract: CONTRACT };
    let replayed = replay::replay(world.dir.path(), of, RuleSet::builtin().unwrap()).unwrap();
    assert_eq!(replayed.operations, observed);
    assert!(replayed.same >= 1 && replayed.differences.is_empty(), "{replayed:?}");
    assert!(replayed.notes.is_empty(), "it began anew: {:?}", replayed.notes);
}

#[test]
fn the_memo_names_the_head_of_the_log() {
    let mut world = World::new(Mode::Watch);
    world.fund(2);
    let before = world.sentinel().memo();
    world.theft().1.unwrap();
    let memo = world.sentinel().memo();
    assert!(memo.count > before.count && memo.findings != before.findings);
    let mut head = Rollup { chain_id: CHAIN, contract: CONTRACT }.genesis();
    for entry in world.findings() {
        head = bastion_sentinel::findings::extend(head, entry.as_bytes());
    }
    assert_eq!(head.0, memo.findings);
}
