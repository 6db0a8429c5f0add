use bastion_protocol::account::FIRST_USER;
use bastion_protocol::header::domain;
use bastion_protocol::ops::Action;
use bastion_protocol::watcher::{SignedCall, WatcherCall};
use bastion_sentinel::rewards::audit::{rebuild, records};
use bastion_sentinel::rewards::{Cause, Pay, Report, RewardError, Subject, Treasury};

use super::*;
use crate::devnet::{dev_exit, dev_key};
use crate::sentinel::tests::{key, World, CHAIN, CONTRACT};
use crate::sentinel::Rollup;
use crate::service::config::Mode;

/// Users, by their places: the operator, a watcher, who attacks, and who does not.
const OPERATOR: Index = 0;
const WATCHER: Index = 1;
const THIEF: Index = 2;
const HONEST: Index = 3;
/// The account that is made after theirs.
const ACCOUNT: Index = FIRST_USER + 4;

const FILE: &str = "funder = 131072
[params]
penalty = \"1000\"
epoch-budget = \"10000\"
reveal-window = 20
event-window = 100
withdraw-delay = 200
";

impl World {
    /// A node with rewards, whose account has 20 000 of the operator.
    fn rewarding() -> Self {
        let mut world = Self::new(Mode::Enforce);
        let write = |name: &str, text: &str| {
            let path = world.dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            }
            Some(path)
        };
        let secret = hex::encode(dev_key("rewards").expose_bytes());
        let file = write("rewards.toml", &format!("exit = \"{}\"\n{FILE}", dev_exit("operator")));
        let key_file = write("rewards.key", &secret);
        let playbooks = "[[playbook]]\nname = \"report\"\nwhen = { detector = \"watcher.*\", score = 500, on = \
                         \"account\" }\ndo = [{ freeze = 30 }, { alert = \"oncall\" }]\n";
        let playbooks = write("reports.toml", playbooks);
        world.config.rewards = file;
        world.config.rewards_key_file = key_file;
        world.config.playbooks = playbooks;
        world.open();
        world.fund(4);
        let keyhash = dev_key("rewards").public().keyhash();
        let action = Action::TransferNew { keyhash, exit: dev_exit("operator"), amount: 20_000 };
        world.pay(OPERATOR, 0, action);
        world.after(1);
        world
    }

    fn pay(&mut self, user: Index, nonce: u32, action: Action) {
        let op = self.sign(&key(user), user, nonce, action);
        self.send(op).unwrap();
    }

    /// So many seconds later, whatever is due is done.
    fn after(&mut self, seconds: u64) {
        self.time += seconds;
        let time = self.time;
        // Twice: what is owed in the first is paid at once, and then nothing is left.
        self.sequencer().run_due(time).unwrap();
        self.sequencer().run_due(time).unwrap();
    }

    fn stake(&mut self, user: Index, nonce: u32) {
        self.pay(user, nonce, Action::Transfer { to: ACCOUNT, amount: 10_000 });
    }

    fn signed(&self, user: Index, call: WatcherCall) -> SignedCall {
        let account = FIRST_USER + user;
        let number = self.treasury().number(account);
        let registry = self.treasury().opening().registry(domain(CHAIN, CONTRACT));
        SignedCall::sign((account, dev_exit("user")), number, call, &key(user), &registry)
    }

    fn call(&mut self, user: Index, call: WatcherCall) -> Result<Taken, NodeError> {
        let signed = self.signed(user, call);
        self.ask(Ask::Watcher(signed))
    }

    fn ask(&mut self, ask: Ask) -> Result<Taken, NodeError> {
        let time = self.time;
        self.sequencer().ask(ask, time)
    }

    /// A report is committed to and opened.
    fn report(&mut self, user: Index, subject: Index) -> (u64, Taken) {
        let subject = FIRST_USER + subject;
        let (evidence, salt, asks_freeze) = ([1; 32], [2; 32], true);
        let watcher = FIRST_USER + user;
        let report = Report { watcher, subject: Subject::account(subject), asks_freeze, evidence };
        let commitment = report.commitment(&salt);
        let taken = self.call(user, WatcherCall::Commit { commitment }).unwrap();
        let report = taken.report.unwrap();
        let reveal = WatcherCall::Reveal { report, subject, asks_freeze, evidence, salt };
        (report, self.call(user, reveal).unwrap())
    }

    fn treasury(&self) -> Treasury {
        self.sentinel().rewards.treasury.clone().unwrap()
    }

    fn balance(&mut self, index: Index) -> u128 {
        self.sequencer().state().account(index).unwrap().balance
    }

    /// The log makes the treasury that the node has, and the account holds what that says.
    fn holds(&mut self) {
        let of = Rollup { chain_id: CHAIN, contract: CONTRACT };
        let path = self.dir.path().join("sentinel/findings.log");
        let records = records(&path, of.genesis()).unwrap();
        let rebuilt = rebuild(&records).unwrap().unwrap();
        assert_eq!(rebuilt, self.treasury());
        assert_eq!(rebuilt.holds(), self.balance(ACCOUNT));
    }

    /// What a kill leaves that came before the last entries of the log of findings were written.
    fn forget_findings(&mut self, entries: usize) {
        self.close();
        let path = self.dir.path().join("sentinel/findings.log");
        let bytes = std::fs::read(&path).unwrap();
        let mut places = vec![40];
        while let Some(head) = bytes.get(places[places.len() - 1]..places[places.len() - 1] + 4) {
            let length = u32::from_be_bytes(head.try_into().unwrap()) as usize;
            places.push(places[places.len() - 1] + 36 + length);
        }
        let keep = places[places.len() - 1 - entries];
        std::fs::write(&path, &bytes[..keep]).unwrap();
        self.open();
    }
}

fn refused(answer: Result<Taken, NodeError>) -> TreasuryError {
    match answer {
        Err(NodeError::Treasury(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_watcher_is_paid_once_across_restarts() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    assert_eq!(world.treasury().registry().stake(&(FIRST_USER + WATCHER)).free, 10_000);
    world.ask(Ask::Fund { amount: 10_000 }).unwrap();
    world.after(5);
    world.report(WATCHER, THIEF);
    world.after(5);
    world.holds();
    // Killed between commitment and event.
    world.open();
    let (subject, before) = (FIRST_USER + THIEF, world.balance(FIRST_USER + WATCHER));
    world.ask(Ask::Confirm { subject, amount: 10_000 }).unwrap();
    world.after(20);
    assert_eq!(world.balance(FIRST_USER + WATCHER), before, "others may still open");
    world.after(1);
    assert_eq!(world.balance(FIRST_USER + WATCHER), before + 4_000);
    assert!(world.treasury().waiting().is_empty());
    world.holds();
    // Killed after the payment was on disk, and before the log of findings had it.
    world.forget_findings(1);
    world.after(60);
    world.open();
    world.after(60);
    assert_eq!(world.balance(FIRST_USER + WATCHER), before + 4_000);
    world.holds();
    // The pool pays what came in, and not more than the budget of an epoch.
    assert!(world.treasury().registry().spent(world.time / 86_400) <= 10_000);
}

#[test]
fn a_payment_that_a_kill_held_up_is_made_after_it() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    let leave = WatcherCall::Leave { amount: 10_000 };
    world.call(WATCHER, leave).unwrap();
    let early = refused(world.call(WATCHER, WatcherCall::Withdraw));
    assert!(matches!(early, TreasuryError::Registry(RewardError::NotReady { .. })), "{early}");
    world.after(200);
    let before = world.balance(FIRST_USER + WATCHER);
    let taken = world.call(WATCHER, WatcherCall::Withdraw).unwrap();
    let to = FIRST_USER + WATCHER;
    let pay = Pay { nonce: 0, to, amount: 10_000, cause: Cause::Withdrawal };
    assert_eq!(taken.pays, [pay]);
    assert_eq!(world.balance(to), before);
    world.open();
    world.after(1);
    assert_eq!(world.balance(to), before + 10_000);
    world.holds();
}

#[test]
fn a_false_accuser_pays_who_was_frozen() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    let (_, opened) = world.report(WATCHER, HONEST);
    assert!(opened.freeze.as_deref().is_some_and(|said| said.contains("signed")), "{opened:?}");
    world.after(0);
    let (time, honest) = (world.time, FIRST_USER + HONEST);
    assert!(world.sequencer().state().account(honest).unwrap().is_frozen(time));
    let before = world.balance(honest);
    // Killed after the freeze was on disk, and before the log of findings had that it was for the report.
    world.forget_findings(1);
    world.holds();
    world.after(30);
    assert_eq!(world.balance(honest), before);
    world.after(1);
    assert_eq!(world.balance(honest), before + 1_000);
    assert_eq!(world.treasury().registry().stake(&(FIRST_USER + WATCHER)).free, 9_000);
    world.holds();
}

#[test]
fn a_report_without_a_freeze_spends_none() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    let subject = FIRST_USER + HONEST;
    let (evidence, salt, asks_freeze) = ([1; 32], [3; 32], false);
    let about = Subject::account(subject);
    let report = Report { watcher: FIRST_USER + WATCHER, subject: about, asks_freeze, evidence };
    let commitment = report.commitment(&salt);
    let taken = world.call(WATCHER, WatcherCall::Commit { commitment }).unwrap();
    let report = taken.report.unwrap();
    let reveal = WatcherCall::Reveal { report, subject, asks_freeze, evidence, salt };
    assert_eq!(world.call(WATCHER, reveal).unwrap().freeze, None);
    // The next one, which asks for it, gets it.
    world.stake(THIEF, 0);
    let (_, opened) = world.report(THIEF, HONEST);
    assert!(opened.freeze.as_deref().is_some_and(|said| said.contains("signed")), "{opened:?}");
}

#[test]
fn an_event_keeps_the_bond_of_a_freeze() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    world.report(WATCHER, THIEF);
    world.after(5);
    let thief = FIRST_USER + THIEF;
    let before = world.balance(thief);
    world.ask(Ask::Confirm { subject: thief, amount: 0 }).unwrap();
    world.after(50);
    assert_eq!(world.balance(thief), before);
    assert_eq!(world.treasury().registry().stake(&(FIRST_USER + WATCHER)).free, 10_000);
    world.holds();
}

#[test]
fn calls_that_are_forged_replayed_or_anothers_are_refused() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    world.stake(HONEST, 0);
    let commit = world.signed(WATCHER, WatcherCall::Commit { commitment: [7; 32] });
    let registry = world.sentinel().registry().unwrap();
    assert!(commit.is_signed(&registry));
    let (thief, account) = (dev_key("thief"), FIRST_USER + WATCHER);
    let forged = SignedCall::sign((account, dev_exit("user")), 0, commit.call, &thief, &registry);
    assert_eq!(refused(world.ask(Ask::Watcher(forged))), TreasuryError::NotOwner { account });
    let report = world.ask(Ask::Watcher(commit)).unwrap().report.unwrap();
    let again = TreasuryError::Number { account, expected: 1, got: 0 };
    assert_eq!(refused(world.ask(Ask::Watcher(commit))), again);
    let (subject, evidence, salt) = (FIRST_USER + THIEF, [0; 32], [0; 32]);
    let reveal = WatcherCall::Reveal { report, subject, asks_freeze: false, evidence, salt };
    let other = refused(world.call(HONEST, reveal));
    assert_eq!(other, TreasuryError::OtherWatcher { report, account: FIRST_USER + HONEST });
    let opening = TreasuryError::Registry(RewardError::Opening { id: report });
    assert_eq!(refused(world.call(WATCHER, reveal)), opening);
    let much = refused(world.ask(Ask::Fund { amount: 10_001 }));
    assert!(matches!(much, TreasuryError::Full { budget: 10_000, .. }), "{much}");
    let none = refused(world.ask(Ask::Confirm { subject, amount: 20_001 }));
    assert!(matches!(none, TreasuryError::Free { free: 20_000, .. }), "{none}");
    // Never opened, it costs its bond.
    world.after(21);
    assert_eq!(world.treasury().registry().stake(&account).free, 9_000);
    world.holds();
}

#[test]
fn what_the_key_signs_without_a_payment_is_written_down() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    world.after(1);
    let to = FIRST_USER + OPERATOR;
    let body = bastion_protocol::ops::Body {
        account: ACCOUNT,
        token: 0,
        nonce: 0,
        deadline: world.time + 100,
        fee: 0,
        action: Action::Transfer { to, amount: 5 },
    };
    let op = body.sign(&dev_key("rewards"), domain(CHAIN, CONTRACT), dev_exit("operator")).unwrap();
    world.send(op).unwrap();
    let findings = world.findings();
    assert!(findings.iter().any(|f| f.contains("no payment asked for it")), "{findings:?}");
    world.holds();
    // Payments go on after it.
    world.call(WATCHER, WatcherCall::Leave { amount: 10_000 }).unwrap();
    world.after(200);
    world.call(WATCHER, WatcherCall::Withdraw).unwrap();
    world.after(1);
    assert!(world.treasury().waiting().is_empty());
    world.holds();
}

#[test]
fn without_its_file_nothing_is_rewarded_and_another_file_is_refused() {
    let mut world = World::new(Mode::Watch);
    let none = world.ask(Ask::Fund { amount: 1 });
    assert!(matches!(none, Err(NodeError::NoRewards)), "{none:?}");
    let mut world = World::rewarding();
    let path = world.config.rewards.clone().unwrap();
    let text = std::fs::read_to_string(&path).unwrap().replace("1000\"", "2000\"");
    std::fs::write(&path, &text).unwrap();
    let config = world.config.clone();
    let treasury = Some(world.treasury());
    let opened = Rewards::open(&config, domain(CHAIN, CONTRACT), treasury, 0);
    assert!(matches!(opened, Err(NodeError::Rewards { .. })));
    std::fs::write(&path, format!("{text}unknown = 1\n")).unwrap();
    assert!(matches!(read(&path), Err(NodeError::Malformed { .. })));
    world.close();
}

#[test]
fn other_operations_mean_nothing() {
    let mut world = World::rewarding();
    let entries = world.treasury().next_entry();
    world.pay(HONEST, 0, Action::Transfer { to: FIRST_USER + THIEF, amount: 1_000 });
    assert_eq!(world.treasury().next_entry(), entries);
}

/// A freeze of an account of another token could not be made good, and its payment would hold up all others.
#[test]
fn no_report_answers_for_the_freeze_of_another_token() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    let (keyhash, exit) = (dev_key("other").public().keyhash(), dev_exit("user"));
    let deposit = bastion_protocol::ops::Deposit { token: 1, amount: 1_000, keyhash, exit };
    let time = world.time;
    let op = bastion_protocol::ops::Op::Deposit(deposit);
    world.sequencer().take_from_queue(4, &[op], time).unwrap();
    let subject = ACCOUNT + 1 - FIRST_USER;
    assert_eq!(world.sequencer().state().account(ACCOUNT + 1).map(|a| a.token), Some(1));
    let (report, opened) = world.report(WATCHER, subject);
    assert!(
        opened.freeze.as_deref().is_some_and(|said| said.contains("does not hold")),
        "{opened:?}"
    );
    let error =
        world.sequencer().sign_as_guardian(FIRST_USER + subject, Some(60), Some(report), time);
    let why = error.unwrap_err().to_string();
    assert!(why.contains("has token 1, and the damages of a freeze are paid in token 0"), "{why}");
    world.sequencer().sign_as_guardian(FIRST_USER + subject, Some(60), None, time).unwrap();
}

/// Whoever has the key of the rewards account may have other accounts, and not all that they get came in here.
#[test]
fn a_deposit_counts_for_the_account_that_it_credits() {
    let mut world = World::rewarding();
    let keyhash = dev_key("rewards").public().keyhash();
    let exit = dev_exit("operator");
    // A second account of the same owner and token.
    let second = Action::TransferNew { keyhash, exit, amount: 500 };
    world.pay(OPERATOR, 1, second);
    let time = world.time;
    let deposit = bastion_protocol::ops::Deposit { token: 0, amount: 1_000, keyhash, exit };
    let deposit = bastion_protocol::ops::Op::Deposit(deposit);
    let before = (world.balance(ACCOUNT), world.treasury().free());
    world.sequencer().take_from_queue(4, &[deposit], time).unwrap();
    let came = world.balance(ACCOUNT) - before.0;
    assert_eq!(world.treasury().free() - before.1, came);
    world.holds();
    // The same while nobody watched.
    let before = world.treasury().free();
    world.forget_findings(usize::from(came > 0));
    assert_eq!(world.treasury().free(), before);
    world.holds();
}

/// A stake that the log counts and that was never committed would be paid out of others' stakes.
#[test]
fn a_rebuilt_node_pays_nothing_by_the_log_of_the_lost_one() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    let state = world.sequencer().state().clone();
    world.stake(HONEST, 0);
    let leave = world.signed(HONEST, WatcherCall::Leave { amount: 10_000 });
    world.time += 1;
    world.rebuild(&state);
    let stands = world.treasury();
    world.after(1);
    for asked in [Ask::Watcher(leave), Ask::Fund { amount: 1 }] {
        let refused = world.ask(asked).unwrap_err().to_string();
        assert!(refused.contains("nothing goes on by it"), "{refused}");
    }
    // What is sent again is not counted a second time; what is shown stays.
    world.stake(HONEST, 0);
    // Lost a second time, before anything became final.
    world.time += 1;
    world.rebuild(&state);
    world.after(300);
    assert_eq!(world.treasury(), stands);
    let findings = world.findings();
    assert!(findings.iter().any(|f| f.contains("by hand")), "{findings:?}");
}

#[test]
fn without_its_log_a_rebuilt_node_begins_no_rewards_unasked() {
    let mut world = World::rewarding();
    world.stake(WATCHER, 0);
    let state = world.sequencer().state().clone();
    let old = world.signed(WATCHER, WatcherCall::Leave { amount: 10_000 });
    world.close();
    std::fs::remove_dir_all(world.dir.path().join("sentinel")).unwrap();
    world.rebuild(&state);
    world.after(1);
    assert!(world.sentinel().rewards.treasury.is_none());
    let findings = world.findings();
    assert!(findings.iter().any(|f| f.contains("begin-anew")), "{findings:?}");
    // The operator takes it upon itself.
    let path = world.config.rewards.clone().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("begin-anew = true\n{text}")).unwrap();
    world.open();
    world.after(1);
    assert_eq!(world.treasury().free(), 30_000);
    // What was signed for the old registry does not hold in this one.
    let registry = world.sentinel().registry().unwrap();
    assert!(!old.is_signed(&registry));
    world.holds();
}

/// With the sentinel off for a while, a kill right after it is on again loses nothing that came in meanwhile.
#[test]
fn what_came_in_while_nobody_watched_is_counted_whatever_is_killed() {
    let mut world = World::rewarding();
    let entries = world.findings().len();
    world.unwatched(|world| world.stake(WATCHER, 0));
    world.open();
    let stake = world.treasury().registry().stake(&(FIRST_USER + WATCHER)).free;
    assert_eq!(stake, 10_000);
    world.holds();
    let written = world.findings().len() - entries;
    world.forget_findings(written);
    let stake = world.treasury().registry().stake(&(FIRST_USER + WATCHER)).free;
    assert_eq!(stake, 10_000);
    world.holds();
}
