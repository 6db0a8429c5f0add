mod attacks;
mod orders;

use bastion_circuits::Shape;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::DataMode;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Body, Deposit, ForcedExit};
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::{Address, Index};

use super::*;
use bastion_state::store::Store;

use crate::devnet::{dev_exit, dev_key, dev_policy};
use crate::sequencer::{Answer, Base, Log, Packing, ReceiptSigner, Sealer, Sequencer};

pub(super) const CHAIN: u64 = 31_337;
pub(super) const CONTRACT: Address = Address([7; 20]);
pub(super) const ETH: u128 = 1_000_000_000_000_000_000;

pub(super) struct World {
    pub(super) dir: tempfile::TempDir,
    pub(super) config: SentinelConfig,
    sequencer: Option<Sequencer>,
    sealer: Option<Sealer>,
    watch: Option<Watch>,
    pub(super) time: u64,
}

pub(super) fn key(n: Index) -> SecretKey {
    dev_key(&format!("user {n}"))
}

impl World {
    pub(super) fn new(mode: Mode) -> Self {
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
    pub(super) fn open(&mut self) {
        self.unwatched(|_| ());
        let sequencer = self.sequencer.as_mut().unwrap();
        let entries = sequencer.entries().unwrap();
        let of = Rollup { chain_id: CHAIN, contract: CONTRACT };
        let (state, at) = (sequencer.state(), self.dir.path().join("sentinel"));
        let sentinel = Sentinel::open(&at, &self.config, of, state, entries).unwrap();
        let watch: Watch = Arc::new(Mutex::new(sentinel));
        sequencer.watched_by(watch.clone(), self.time).unwrap();
        self.watch = Some(watch);
    }

    /// Opens it without a sentinel, and does something.
    pub(super) fn unwatched(&mut self, act: impl FnOnce(&mut Self)) {
        self.close();
        let signer = ReceiptSigner::new(&[1; 32].into(), CHAIN, CONTRACT).unwrap();
        let packing = Packing {
            shape: Shape::tiny(),
            mode: DataMode::Blob,
            sizes: vec![2],
            batch_seconds: 10,
            block_seconds: 60,
        };
        let dir = self.dir.path();
        let (sequencer, sealer) =
            Sequencer::open(&dir.join("sequencer"), signer, packing, dev_policy()).unwrap();
        (self.sequencer, self.sealer) = (Some(sequencer), Some(sealer));
        act(self);
    }

    /// Loses the sequencer's folder, and makes one of a state that L1 has, from which it goes on.
    pub(super) fn rebuild(&mut self, state: &State) {
        self.close();
        let (sequencer, rebuilt) = (self.dir.path().join("sequencer"), self.dir.path().join("new"));
        let accounts = state.accounts().map(|(index, account)| (index, *account));
        let state = State::with_accounts(accounts, state.openings().copied()).unwrap();
        let base = Base { batches: 0, block: 0, time: self.time, epoch: 1, made: self.time };
        drop(Store::restore(&rebuilt.join("state"), &state, base.batches).unwrap());
        let queue = 0;
        drop(Log::begin_at(&rebuilt.join("log"), CHAIN, CONTRACT, base, queue).unwrap());
        std::fs::remove_dir_all(&sequencer).unwrap();
        std::fs::rename(&rebuilt, &sequencer).unwrap();
        self.open();
    }

    /// Closes what is open.
    pub(super) fn close(&mut self) {
        (self.sequencer, self.sealer, self.watch) = (None, None, None);
    }

    pub(super) fn sequencer(&mut self) -> &mut Sequencer {
        self.sequencer.as_mut().unwrap()
    }

    pub(super) fn fund(&mut self, users: Index) {
        let deposit = |n| {
            let (keyhash, exit) = (key(n).public().keyhash(), dev_exit("user"));
            Op::Deposit(Deposit { token: 0, amount: ETH, keyhash, exit })
        };
        let (ops, time): (Vec<Op>, u64) = ((0..users).map(deposit).collect(), self.time);
        self.sequencer().take_from_queue(0, &ops, time).unwrap();
    }

    pub(super) fn sign(
        &self,
        signer: &SecretKey,
        account: Index,
        nonce: u32,
        action: Action,
    ) -> SignedOp {
        let (deadline, account) = (self.time + 3_600, FIRST_USER + account);
        let body = Body { account, token: 0, nonce, deadline, fee: 1_000, action };
        let domain = bastion_protocol::header::domain(CHAIN, CONTRACT);
        body.sign(signer, domain, dev_exit("user")).unwrap()
    }

    pub(super) fn send(&mut self, op: SignedOp) -> Answer {
        let time = self.time;
        self.sequencer().sequence(&[op], time).unwrap().remove(0)
    }

    pub(super) fn sentinel(&self) -> MutexGuard<'_, Sentinel> {
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

    pub(super) fn findings(&self) -> Vec<String> {
        let log = self.sentinel().log(0, 1_000);
        log.read(0, 1_000).unwrap().unwrap().findings
    }
}

#[test]
fn a_rebuilt_node_knows_what_accounts_hold() {
    let mut world = World::new(Mode::Enforce);
    world.fund(3);
    let state = world.sequencer().state().clone();
    // With what the sentinel knew, and without.
    for lost in [false, true] {
        world.close();
        if lost {
            std::fs::remove_dir_all(world.dir.path().join("sentinel")).unwrap();
        }
        world.rebuild(&state);
        assert!(world.sequencer().entries().unwrap().begin > 0);
        for user in 0..2 {
            let pay = Action::Transfer { to: FIRST_USER + 2, amount: ETH / 100 };
            let pay = world.sign(&key(user), user, 0, pay);
            world.send(pay).unwrap();
        }
        // After a restart too.
        world.open();
        let pay = Action::Transfer { to: FIRST_USER + 2, amount: ETH / 100 };
        let pay = world.sign(&key(0), 0, 1, pay);
        world.send(pay).unwrap();
        world.close();
        let of = Rollup { chain_id: CHAIN, contract: CONTRACT };
        let again = replay::replay(world.dir.path(), of, RuleSet::builtin().unwrap());
        let why = again.unwrap_err().to_string();
        assert!(why.contains("rebuilt from L1"), "{why}");
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
fn a_thief_cannot_fill_the_quarantine_and_pass() {
    let mut world = World::new(Mode::Enforce);
    world.fund(2);
    assert!(world.theft().1.is_err());
    let thief = dev_key("thief");
    let drain = |world: &World, less: u128| {
        let action =
            Action::Transfer { to: FIRST_USER + 1, amount: ETH / 10 * 9 - less * 10_000_000_000 };
        world.sign(&thief, 0, 1, action)
    };
    let mut refused = 0;
    for less in 1..100 {
        let op = drain(&world, less);
        match world.send(op) {
            Err(Decline::Held { .. }) => {}
            Err(Decline::Refused { .. }) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 0, "the quarantine of an account has no bound");
    let entries = world.sentinel().status().findings;
    // Whoever is refused, or sends again what is held, pays nothing, and leaves nothing.
    for _ in 0..50 {
        let (again, refused) = (drain(&world, 1), drain(&world, 99));
        assert!(matches!(world.send(again), Err(Decline::Held { .. })));
        assert!(matches!(world.send(refused), Err(Decline::Refused { .. })));
    }
    assert_eq!(world.findings().len() as u64, entries);
}

#[test]
fn an_entry_that_is_too_long_stops_nobody() {
    let mut world = World::new(Mode::Watch);
    let text = "x".repeat(2 << 20);
    world.sentinel().write(1, Finding::Note { subject: "long".into(), text });
    world.sentinel().sync().unwrap();
    assert!(world.findings().iter().any(|finding| finding.contains("is not written")));
    world.fund(1);
}

/// Two files of a feed that is not served, and whose only member is this chain.
fn feed_of(world: &World) -> PathBuf {
    let dir = world.dir.path();
    let key = dir.join("feed.key");
    std::fs::write(&key, hex::encode([3; 32])).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    use bastion_sentinel::sharing::sign::Signer;
    let id = "identity--8c6af861-7b20-41ef-9b59-6344fd872a8f";
    let signer = Signer::new(id.parse().unwrap(), &[3; 32]).unwrap();
    let member = serde_json::json!({
        "identity": id, "operator": "us", "name": "us", "keys": [signer.public()],
        "up_to": "green", "weight": 1000,
    });
    let trust = serde_json::json!({ "own": id, "sources": 1, "members": [member] });
    std::fs::write(dir.join("trust.json"), trust.to_string()).unwrap();
    let text = format!(
        "collection = \"91a7b528-80eb-42ed-a74d-c6fbd5a26116\"\ntrust = {:?}\nkey-file = {:?}\n",
        dir.join("trust.json"),
        key
    );
    let path = dir.join("feed.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Waits for the feed's own thread.
fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it does not happen");
}

#[test]
fn an_address_is_told_to_others_when_a_person_or_the_configuration_says_so() {
    for publish in [Publish::Ask, Publish::Auto] {
        let mut world = World::new(Mode::Enforce);
        world.config.feed = Some(feed_of(&world));
        world.config.publish = publish;
        world.open();
        world.fund(2);
        let thief = dev_key("thief");
        let change = Action::ChangeKey { keyhash: thief.public().keyhash() };
        let change = world.sign(&key(0), 0, 0, change);
        world.send(change).unwrap();
        let to = dev_exit("somebody");
        let drain = world.sign(&thief, 0, 1, Action::Withdraw { to, amount: ETH / 2 });
        assert!(matches!(world.send(drain), Err(Decline::Held { .. })));
        let root = |world: &World| world.sentinel().claims().unwrap().memo().indicators;
        if publish == Publish::Ask {
            assert!(world.findings().iter().any(|f| f.contains("may be told to other chains")));
            assert_eq!(root(&world), [0; 32], "nobody has said so");
            world.sentinel().publish(to, "a theft", 900, wall_ms()).unwrap();
        }
        until(|| root(&world) != [0; 32]);
        // What goes there is held back from now on, but for who leaves to an own address.
        let pay = world.sign(&key(1), 1, 0, Action::Withdraw { to, amount: 1_000 });
        let Err(Decline::Held { reasons, .. }) = world.send(pay) else {
            panic!("it is not held back");
        };
        assert!(reasons.iter().any(|reason| reason.detector == "feed.indicator"), "{reasons:?}");
        let own = Action::Withdraw { to: dev_exit("user"), amount: 1_000 };
        let own = world.sign(&key(1), 1, 0, own);
        world.send(own).unwrap();
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
    let freeze = world.sequencer().sign_as_guardian(FIRST_USER, Some(600), None, time).unwrap();
    world.send(freeze).unwrap();
    assert_eq!(world.sequencer().state().account(FIRST_USER).unwrap().frozen_until, time + 600);
    let pay = world.sign(&key(0), 0, 0, Action::Transfer { to: FIRST_USER + 1, amount: 1_000 });
    let answer = world.send(pay);
    assert!(matches!(answer, Err(Decline::Rejected(_))), "{answer:?}");
    let twice = world.sequencer().sign_as_guardian(FIRST_USER, Some(600), None, time);
    assert!(matches!(twice, Err(NodeError::Freeze { .. })), "{twice:?}");
    let own = Action::Withdraw { to: dev_exit("user"), amount: ETH / 2 };
    let own = world.sign(&key(0), 0, 0, own);
    world.send(own).unwrap();
    let nobody = world.sequencer().sign_as_guardian(FIRST_USER + 9, Some(600), None, time);
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
    let before = world.sentinel().claims().unwrap().memo();
    world.theft().1.unwrap();
    let memo = world.sentinel().claims().unwrap().memo();
    assert!(memo.count > before.count && memo.findings != before.findings);
    let mut head = Rollup { chain_id: CHAIN, contract: CONTRACT }.genesis();
    for entry in world.findings() {
        head = bastion_sentinel::findings::extend(head, entry.as_bytes());
    }
    assert_eq!(head.0, memo.findings);
}
