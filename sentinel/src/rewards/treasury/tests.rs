use bastion_protocol::data::BatchData;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Float, AMOUNT_BITS, FEE_BITS};
use bastion_protocol::records::{owner_record, L1Record, L2Record};
use bastion_protocol::{Address, Fr, Kind};

use super::audit::{reckon, Logged, Posted, CLOCK_TOLERANCE};
use super::*;
use crate::findings::Finding;
use crate::rewards::{Cause, Params, RewardError};

const ACCOUNT: Index = FIRST_USER;
const WATCHER: Index = FIRST_USER + 1;
const THIEF: Index = FIRST_USER + 2;
const FUNDER: Index = FIRST_USER + 3;

fn domain() -> Fr {
    Fr::from(9_u64)
}

fn opening() -> Opening {
    Opening {
        account: ACCOUNT,
        token: 0,
        exit: Address([1; 20]),
        funder: Some(FUNDER),
        params: Params::default(),
        nonce: 0,
        balance: 20_000,
        entry: 1,
    }
}

/// A treasury, and the log of what it took.
struct World {
    treasury: Treasury,
    log: Vec<Logged>,
    entry: u64,
}

impl World {
    fn new() -> Self {
        let mut world =
            Self { treasury: Treasury::open(opening()).unwrap(), log: Vec::new(), entry: 0 };
        world.write(Record { at: 5, call: Call::Open(opening()), pays: Vec::new() });
        world.treasury.at = 5;
        world
    }

    fn write(&mut self, record: Record) {
        let (entry, written) = (self.log.len() as u64, record.at);
        self.log.push(Logged { entry, written, record });
    }

    fn call(&mut self, now: u64, call: Call) -> Result<Done, TreasuryError> {
        let before = self.treasury.clone();
        let done = self.treasury.call(now, call);
        match &done {
            Ok(done) => self.write(done.record.clone()),
            Err(_) => assert_eq!(self.treasury, before, "a refused call changed something"),
        }
        done
    }

    fn receive(&mut self, from: Index, amount: u128) {
        self.entry += 1;
        self.call(10, Call::Received { entry: self.entry, from: Some(from), amount }).unwrap();
    }

    fn sign(&self, watcher: Index, call: WatcherCall) -> Call {
        let key = secret(watcher);
        let number = self.treasury.number(watcher);
        let registry = opening().registry(domain());
        Call::Watcher(SignedCall::sign((watcher, Address([2; 20])), number, call, &key, &registry))
    }

    /// A report, committed to and opened.
    fn report(&mut self, watcher: Index, subject: Index, now: u64) -> ReportId {
        let about = Subject::account(subject);
        let report = Report { watcher, subject: about, asks_freeze: true, evidence: [3; 32] };
        let commitment = report.commitment(&[4; 32]);
        let commit = self.sign(watcher, WatcherCall::Commit { commitment });
        let id = self.call(now, commit).unwrap().report.unwrap();
        let reveal = self.sign(watcher, reveal(id, subject));
        self.call(now, reveal).unwrap();
        id
    }

    fn freeze(&mut self, report: ReportId, until: u64, now: u64) {
        let operation = Hash([report as u8; 32]);
        self.call(now, Call::Order { report, operation }).unwrap();
        self.entry += 1;
        self.call(now, Call::Frozen { entry: self.entry, operation, until }).unwrap();
    }

    /// What is due, taken.
    fn due(&mut self, now: u64) -> Vec<Pay> {
        let due = self.treasury.due(now);
        let take = |call| self.call(now, call).unwrap().record.pays;
        due.into_iter().flat_map(take).collect()
    }
}

fn secret(watcher: Index) -> SecretKey {
    SecretKey::from_seed(&watcher.to_be_bytes())
}

fn reveal(report: ReportId, subject: Index) -> WatcherCall {
    WatcherCall::Reveal { report, subject, asks_freeze: true, evidence: [3; 32], salt: [4; 32] }
}

/// A watcher that was paid, and one that was charged.
fn played() -> World {
    let mut world = World::new();
    world.receive(WATCHER, 10_000);
    world.receive(FUNDER, 5_000);
    world.call(11, Call::Fund { amount: 10_000 }).unwrap();
    world.report(WATCHER, THIEF, 20);
    world.call(40, Call::Confirm { subject: THIEF, amount: 10_000 }).unwrap();
    assert!(world.due(640).is_empty());
    let reward = Pay { nonce: 0, to: WATCHER, amount: 4_000, cause: Cause::Reward };
    assert_eq!(world.due(641), [reward]);
    let id = world.report(WATCHER, FUNDER, 700);
    world.freeze(id, 800, 701);
    assert!(world.due(800).is_empty());
    let damages = Pay { nonce: 1, to: FUNDER, amount: 1_000, cause: Cause::Compensation };
    assert_eq!(world.due(801), [damages]);
    assert!(world.due(100_000).is_empty());
    world
}

#[test]
fn the_log_makes_the_same_treasury() {
    let world = played();
    let rebuilt = audit::rebuild(&world.log).unwrap().unwrap();
    assert_eq!(rebuilt, world.treasury);
    // Through the log's text as well.
    let text = |record: &Record| {
        let finding = Finding::Rewards(Box::new(record.clone()));
        let entry = crate::findings::Entry { number: 3, at_ms: 7, finding: finding.clone() };
        let bytes = entry.to_bytes().unwrap();
        assert_eq!(crate::findings::Entry::from_bytes(3, &bytes).unwrap().finding, finding);
    };
    world.log.iter().for_each(|logged| text(&logged.record));
    let mut other = world.log.clone();
    let paid = other.iter().position(|logged| !logged.record.pays.is_empty()).unwrap();
    other[paid].record.pays[0].amount += 1;
    assert!(matches!(audit::rebuild(&other), Err((_, TreasuryError::Differ { .. }))));
    assert!(audit::rebuild(&world.log[1..]).is_err());
}

#[test]
fn money_is_used_once_and_the_pool_holds_one_budget() {
    let mut world = World::new();
    let full = TreasuryError::Full { pool: 0, amount: 10_001, budget: 10_000 };
    assert_eq!(world.call(10, Call::Fund { amount: 10_001 }), Err(full));
    world.call(10, Call::Fund { amount: 10_000 }).unwrap();
    let more = Call::Confirm { subject: THIEF, amount: 10_001 };
    assert_eq!(world.call(10, more), Err(TreasuryError::Free { amount: 10_001, free: 10_000 }));
    // Less than a stake from who is no watcher is no stake.
    world.receive(WATCHER, 9_999);
    assert_eq!(world.treasury.free(), 19_999);
    assert_eq!(world.treasury.registry().stake(&WATCHER), crate::rewards::Stake::default());
    world.receive(WATCHER, 10_000);
    world.receive(WATCHER, 5);
    assert_eq!(world.treasury.registry().stake(&WATCHER).free, 10_005);
    assert_eq!(world.treasury.holds(), 20_000 + 9_999 + 10_005);
    let again = Call::Received { entry: world.entry, from: None, amount: 1 };
    assert!(matches!(world.call(10, again), Err(TreasuryError::Seen { .. })));
}

#[test]
fn calls_are_taken_once_and_of_their_watcher() {
    let mut world = World::new();
    world.receive(WATCHER, 10_000);
    world.receive(THIEF, 10_000);
    let commit = world.sign(WATCHER, WatcherCall::Commit { commitment: [1; 32] });
    let id = world.call(20, commit).unwrap().report.unwrap();
    let replayed = TreasuryError::Number { account: WATCHER, expected: 1, got: 0 };
    assert_eq!(world.call(21, commit), Err(replayed));
    let stolen = world.sign(THIEF, reveal(id, FUNDER));
    let other = TreasuryError::OtherWatcher { report: id, account: THIEF };
    assert_eq!(world.call(21, stolen), Err(other));
    let nobody = world.sign(FUNDER, WatcherCall::Commit { commitment: [1; 32] });
    let unknown = RewardError::UnknownWatcher { watcher: FUNDER };
    assert_eq!(world.call(21, nobody), Err(unknown.into()));
    let itself = world.sign(WATCHER, reveal(id, ACCOUNT));
    assert_eq!(world.call(21, itself), Err(TreasuryError::Subject { subject: ACCOUNT }));
}

#[test]
fn a_payment_keeps_its_place_when_the_key_signs_something_else() {
    let mut world = played();
    let wrong = Call::Paid { entry: 50, nonce: 1 };
    let nonce = TreasuryError::Nonce { expected: 0, got: 1 };
    assert_eq!(world.call(900, wrong), Err(nonce));
    world.call(900, Call::Foreign { entry: 50, nonce: Some(0), amount: 7 }).unwrap();
    world.call(900, Call::Paid { entry: 51, nonce: 1 }).unwrap();
    assert_eq!(world.treasury.waiting().front().map(|pay| (pay.nonce, pay.to)), Some((2, FUNDER)));
    assert_eq!(world.treasury.sequenced(), 2);
    world.call(900, Call::Paid { entry: 52, nonce: 2 }).unwrap();
    assert_eq!((world.treasury.sequenced(), world.treasury.waiting().len()), (3, 0));
}

fn record(kind: Kind, from: Index, to: Index, amount: u128) -> Vec<u8> {
    let exact = |amount, bits| Float::exact("amount", amount, bits).unwrap().encoded();
    let record = L2Record {
        kind: kind.description().number,
        fee12: exact(0, FEE_BITS),
        from,
        to,
        amount40: exact(amount, AMOUNT_BITS),
    };
    record.to_bytes()
}

fn posted(number: u64, time: u64, records: Vec<Vec<u8>>) -> Posted {
    let data = BatchData { records: [Vec::new(), records, Vec::new(), Vec::new()] };
    Posted { number, time, batches: vec![data] }
}

/// The freeze of an account until a time, as it is posted.
fn freeze(account: Index, until: u64) -> Vec<u8> {
    let kind = Kind::Freeze.description().number;
    L2Record { kind, fee12: 0, from: account, to: 0, amount40: until }.to_bytes()
}

/// What an operator leaves out of the log, with all that comes after it.
#[derive(Clone, Copy)]
enum Leave {
    Expire,
    Settle,
}

impl Leave {
    fn left(self, log: &[Logged]) -> Vec<Logged> {
        let is = |logged: &&Logged| match (self, &logged.record.call) {
            (Self::Expire, Call::Expire { .. }) | (Self::Settle, Call::Settle { .. }) => false,
            (Self::Expire | Self::Settle, _) => true,
        };
        log.iter().take_while(is).cloned().collect()
    }
}

/// A block in which the watcher's account is made.
fn watched(mut block: Posted) -> Posted {
    let deposit = L1Record::Deposit {
        token: 0,
        index: WATCHER,
        amount: 1,
        keyhash: secret(WATCHER).public().keyhash(),
        exit: Address([2; 20]),
    };
    // The operator's, of whose token the rewards account is.
    let funder = L1Record::Deposit {
        token: 0,
        index: FUNDER,
        amount: 1,
        keyhash: Fr::from(8_u64),
        exit: Address([7; 20]),
    };
    block.batches[0].records[0] = vec![deposit.to_bytes(), funder.to_bytes()];
    let owner = owner_record(&(Fr::from(6_u64), opening().exit));
    block.batches[0].records[3] = vec![owner];
    block
}

#[test]
fn a_missing_and_an_extra_payment_are_named() {
    let world = played();
    let transfer = |from, to, amount| record(Kind::Transfer, from, to, amount);
    let begin = vec![
        record(Kind::TransferNew, FUNDER, ACCOUNT, 15_000),
        transfer(FUNDER, ACCOUNT, 5_000),
        transfer(WATCHER, ACCOUNT, 10_000),
        transfer(WATCHER, FUNDER, 1),
        transfer(FUNDER, ACCOUNT, 5_000),
    ];
    let pays = vec![transfer(ACCOUNT, WATCHER, 4_000), transfer(ACCOUNT, FUNDER, 1_000)];
    let second = [&pays[..], &[freeze(FUNDER, 800)]].concat();
    let good = [
        watched(posted(1, 5, begin.clone())),
        posted(2, 650, second.clone()),
        posted(3, 9_000, vec![]),
    ];
    let clean = reckon(&world.log, &good, domain());
    assert_eq!(clean.wrong, Vec::<String>::new());
    assert_eq!((clean.owed, clean.made, clean.waiting, clean.received), (2, 2, 0, 2));
    assert_eq!(clean.account, Some(ACCOUNT));

    // Not yet due.
    let early = reckon(&world.log, &good[..1], domain());
    assert_eq!((early.waiting, early.wrong.len()), (2, 0));
    // Never made.
    let one = vec![pays[0].clone(), freeze(FUNDER, 800)];
    let missing = [good[0].clone(), posted(2, 650, one), good[2].clone()];
    let missing = reckon(&world.log, &missing, domain()).wrong;
    assert!(missing.len() == 1 && missing[0].starts_with("missing payment"), "{missing:?}");
    assert!(missing[0].contains("1000 (compensation, nonce 1)"), "{missing:?}");
    // One too many, one of another amount, one without an entry.
    let extra = [&pays[..], &[transfer(ACCOUNT, THIEF, 9)]].concat();
    let extra = reckon(&world.log, &[good[0].clone(), posted(2, 650, extra)], domain()).wrong;
    assert!(extra.len() == 1 && extra[0].contains("9 to account"), "{extra:?}");
    let other = vec![transfer(ACCOUNT, WATCHER, 4_001), pays[1].clone()];
    let other = reckon(&world.log, &[good[0].clone(), posted(2, 650, other)], domain()).wrong;
    assert!(other.len() == 1 && other[0].starts_with("extra payment"), "{other:?}");
    let swallowed = [&begin[..], &[transfer(THIEF, ACCOUNT, 10_000)]].concat();
    let swallowed = reckon(&world.log, &[watched(posted(1, 5, swallowed))], domain()).wrong;
    assert!(swallowed.len() == 1 && swallowed[0].contains("does not have it"), "{swallowed:?}");
    // A freeze that never was, or ended at another time.
    for none in [pays.clone(), [&pays[..], &[freeze(FUNDER, 900)]].concat()] {
        let none = [good[0].clone(), posted(2, 650, none), good[2].clone()];
        let none = reckon(&world.log, &none, domain()).wrong;
        assert!(none.len() == 1 && none[0].contains("was frozen until 800"), "{none:?}");
    }
    // An exit address that is another's: the account's own could take all by a forced exit, and nobody would see it.
    let with = |change: fn(&mut Opening)| {
        let mut log = world.log.clone();
        if let Call::Open(opening) = &mut log[0].record.call {
            change(opening);
        }
        reckon(&log, &good, domain()).wrong
    };
    for other in [with(|o| o.exit = Address([9; 20])), with(|o| o.token = 1)] {
        assert!(other.iter().any(|w| w.contains("those are not the account's")), "{other:?}");
    }
    let mut early = world.log.clone();
    early.iter_mut().for_each(|logged| logged.written += 1);
    let mut later = good.clone();
    later[0].time += CLOCK_TOLERANCE + 2;
    let later = reckon(&early, &later, domain()).wrong;
    assert!(later.iter().any(|w| w.contains("it did not stand so then")), "{later:?}");
    // A freeze ended, an event was confirmed: what follows is not written.
    for leave in [Leave::Expire, Leave::Settle] {
        let left = leave.left(&world.log);
        let left = reckon(&left, &good, domain()).wrong;
        assert!(left.iter().any(|w| w.contains("and the log does not have it")), "{left:?}");
    }
    // A watcher's calls with a key of the operator's.
    let mut invented = good.clone();
    invented[0].batches[0].records[0].remove(0);
    let invented = reckon(&world.log, &invented, domain()).wrong;
    assert_eq!(invented.len(), 4, "{invented:?}");
    assert!(invented[0].contains("with a key that the account has not had"), "{invented:?}");
    // A time of a call that keeps a payment from ever being late.
    let mut never = world.log.clone();
    for logged in &mut never {
        logged.record.at += 10_000_000;
    }
    let never = reckon(&never, &good, domain()).wrong;
    assert!(never[0].contains("and says that its call is of"), "{never:?}");
    // A call that its watcher never signed.
    let forged = reckon(&world.log, &good, Fr::from(1_u64)).wrong;
    assert!(forged.iter().any(|wrong| wrong.contains("is not signed")), "{forged:?}");
}
