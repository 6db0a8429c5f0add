//! Data that no batch has: a refusal for each rule.

use super::*;

use bastion_protocol::records::{L1Record, RecordError};

/// Data built by hand.
#[derive(Default)]
struct Data(BatchData);

impl Data {
    fn with(mut self, section: Section, record: Vec<u8>) -> Self {
        self.0.records[section as usize].push(record);
        self
    }

    fn l1(self, op: Op, index: Index) -> Self {
        let record = L1Record::of(&op, index).unwrap().to_bytes();
        self.with(Section::L1, record)
    }

    fn word(self, kind: u128, fee: u64, from: Index, to: Index, amount40: u64) -> Self {
        let fee = u128::from(Float::floor(fee.into(), 7).encoded());
        let (from, to) = (u128::from(from), u128::from(to));
        let word = kind << 116 | fee << 104 | from << 72 | to << 40 | u128::from(amount40);
        self.with(Section::L2, word.to_be_bytes()[1..].to_vec())
    }

    fn owner(self, name: &str, exit: Address) -> Self {
        let mut record = field::to_bytes(&hash(name)).to_vec();
        record.extend(exit.0);
        self.with(Section::Owners, record)
    }

    fn exit(self, name: &str, release_time: u64, amount: u128, index: Index) -> Self {
        let record = ExitRecord {
            to: exit(name),
            token: u16::from(index == C),
            release_time,
            amount,
            index,
        };
        self.with(Section::Exits, record.to_bytes())
    }
}

/// A whole amount as its field.
fn amount(value: u128) -> u64 {
    Float::exact("amount", value, 35).unwrap().encoded()
}

fn world() -> Replay {
    let (mut state, mut replay) = started();
    let ops = [deposit("anna", 0, 1_000), deposit("ben", 0, 1_000), deposit("carl", 1, 1_000)];
    let trace = execute(&mut state, TIME, &ops);
    follows(&mut replay, &state, &trace);
    replay
}

fn refused(mut replay: Replay, data: Data) -> ReplayError {
    replay.apply(&data.0, TIME).unwrap_err()
}

fn after(data: Data) -> Replay {
    let mut replay = world();
    replay.apply(&data.0, TIME).unwrap();
    replay
}

fn new() -> Data {
    Data::default()
}

#[test]
fn requests_that_no_batch_has() {
    let l1 = |data: Data| {
        let error = refused(world(), data);
        assert_eq!(error.at, Place::L1(0), "{error}");
        error.broken
    };
    let wrong = |why| move |record: &mut Vec<u8>| record[why] ^= 1;
    let changed = |op: Op, change: &dyn Fn(&mut Vec<u8>)| {
        let mut record = L1Record::of(&op, A).unwrap().to_bytes();
        change(&mut record);
        new().with(Section::L1, record)
    };
    let out = forced(A, 0, "ben");
    assert_eq!(l1(changed(out, &|r| r[0] = 3)), Broken::Record(RecordError::Kind(3)));
    assert!(matches!(
        l1(changed(out, &|r| r.truncate(74))),
        Broken::Record(RecordError::Length { .. })
    ));
    let amount = l1(changed(out, &wrong(22)));
    assert_eq!(amount, Broken::Record(RecordError::NotZero("the amount")));
    let keyhash = l1(changed(out, &wrong(54)));
    assert_eq!(keyhash, Broken::Record(RecordError::NotZero("the key hash")));
    let beyond = l1(changed(out, &|r| r[23..55].fill(0xff)));
    assert_eq!(beyond, Broken::Record(RecordError::KeyHash));

    let token = Broken::WrongToken { index: A, holds: 0, token: 1 };
    assert_eq!(l1(new().l1(deposit("anna", 1, 5), A)), token);
    assert_eq!(l1(new().l1(deposit("anna", 0, 5), B)), Broken::NotOwner(B));
    let low = l1(new().l1(deposit("zoe", 0, 5), A - 1));
    assert_eq!(low, Broken::SystemIndex(A - 1));
    let much = l1(new().l1(deposit("anna", 0, u128::MAX), A));
    assert_eq!(much, Broken::Overflow(A));
    assert_eq!(l1(new().l1(forced(A, 0, "anna"), A)), Broken::NoExit(0));
    let mut limited = after(new().l1(forced(A, 0, "anna"), A).exit("anna", TIME + 50, 1_000, A));
    let index = limiter_index(0);
    let on_limiter = new().l1(forced(index, 0, "anna"), index);
    let error = limited.apply(&on_limiter.0, TIME).unwrap_err();
    assert_eq!(error.broken, Broken::Limiter(index));
}

#[test]
fn forced_exits_are_executed_exactly_if_they_match() {
    let broken = |data| refused(world(), data).broken;
    // One that matches nothing leaves nothing, and one that matches must.
    after(new().l1(forced(A, 1, "anna"), A));
    after(new().l1(forced(A, 0, "ben"), A));
    after(new().l1(forced(A + 9, 0, "ben"), A + 9));
    let noop = new().l1(forced(A, 0, "ben"), A);
    let unasked = noop.exit("ben", TIME + 50, 1_000, A);
    assert_eq!(broken(unasked), Broken::Exits(1));
    let all = || new().l1(forced(A, 0, "anna"), A);
    after(all().exit("anna", TIME + 50, 1_000, A));
    let exit = |field| Broken::Exit { position: 0, field };
    let part = all().exit("anna", TIME + 50, 999, A);
    assert_eq!(broken(part), exit("amount"));
    let other = all().exit("ben", TIME + 50, 1_000, A);
    assert_eq!(broken(other), exit("receiver"));
    assert_eq!(broken(all().exit("anna", TIME + 50, 1_000, B)), exit("account"));
    let early = Broken::ReleaseTime { position: 0, posted: TIME, expected: TIME + 50 };
    assert_eq!(broken(all().exit("anna", TIME, 1_000, A)), early);
    // Twice in a batch: the second time nothing is left, and that leaves as well.
    let twice = all().l1(forced(A, 0, "anna"), A);
    let twice = twice.exit("anna", TIME + 50, 1_000, A);
    after(twice.exit("anna", TIME + 50, 0, A));
}

#[test]
fn payments_that_no_batch_has() {
    let broken = |data| {
        let error = refused(world(), data);
        assert!(matches!(error.at, Place::L2(0)), "{error}");
        error.broken
    };
    after(new().word(1, 3, A, B, amount(997)));
    assert_eq!(broken(new().word(0, 0, A, B, 32)), Broken::Record(RecordError::Kind(0)));
    assert_eq!(broken(new().word(9, 0, A, B, 32)), Broken::Record(RecordError::Kind(9)));
    let short = new().with(Section::L2, vec![0; 14]);
    assert!(matches!(broken(short), Broken::Record(RecordError::Length { .. })));
    assert_eq!(broken(new().word(1, 0, A, A, 32)), Broken::ToItself(A));
    assert_eq!(broken(new().word(1, 0, A, B, 0)), Broken::ZeroAmount);
    assert_eq!(broken(new().word(1, 0, A, B, 7)), Broken::ZeroAmount);
    assert_eq!(broken(new().word(1, 0, A + 9, B, 32)), Broken::NoAccount(A + 9));
    assert_eq!(broken(new().word(1, 0, A, A + 9, 32)), Broken::NoAccount(A + 9));
    let balance = |amount, fee| Broken::Balance { index: A, balance: 1_000, amount, fee };
    let all = new().word(1, 1, A, B, amount(1_000));
    assert_eq!(broken(all), balance(1_000, 1));
    // The largest amount that the word can say has more than 128 bits.
    let most = new().word(1, 1, A, B, (1 << 40) - 1);
    assert_eq!(broken(most), balance(u128::MAX, 1));
    let token = Broken::WrongToken { index: C, holds: 1, token: 0 };
    assert_eq!(broken(new().word(1, 0, A, C, 32)), token);
    let full = u128::MAX - 1_000;
    let rich = after(new().l1(deposit("ben", 0, full), B));
    let over = refused(rich, new().word(1, 0, A, B, 32)).broken;
    assert_eq!(over, Broken::Overflow(B));

    let (from_zero, to) = (exit("zoe"), A + 3);
    let made = || new().word(2, 0, A, to, 32);
    after(made().owner("zoe", from_zero));
    assert_eq!(broken(made()), Broken::NoOwner);
    let system = new().word(2, 0, A, 5, 32).owner("zoe", from_zero);
    assert_eq!(broken(system), Broken::SystemIndex(5));
    let there = new().word(2, 0, A, B, 32).owner("zoe", from_zero);
    assert_eq!(broken(there), Broken::Exists(B));
    let beyond = made().with(Section::Owners, vec![0xff; 52]);
    assert_eq!(broken(beyond), Broken::Record(RecordError::KeyHash));
    let short = made().with(Section::Owners, vec![0; 51]);
    assert!(matches!(broken(short), Broken::Record(RecordError::Length { .. })));

    let key = |exit| new().word(4, 0, A, 0, 0).owner("zoe", exit);
    after(key(exit("anna")));
    let moved = Broken::ExitAddress { index: A, is: exit("anna"), posted: exit("ben") };
    assert_eq!(broken(key(exit("ben"))), moved);
}

#[test]
fn fields_that_a_kind_does_not_use_are_0() {
    let broken = |data| refused(world(), data).broken;
    let zero = |data, what| assert_eq!(broken(data), Broken::Record(RecordError::NotZero(what)));
    for kind in 3..=6 {
        zero(new().word(kind, 0, A, B, 0), "the receiver");
    }
    zero(new().word(4, 0, A, 0, 32), "the amount");
    zero(new().word(6, 0, A, 0, 32), "the amount");
    zero(new().word(5, 1, A, 0, TIME + 1), "the fee");
    zero(new().word(6, 1, A, 0, 0), "the fee");
}

#[test]
fn withdrawals_and_their_exits() {
    let broken = |data| refused(world(), data).broken;
    let out = || new().word(3, 2, A, 0, amount(600));
    after(out().exit("zoe", TIME + 10, 600, A));
    assert_eq!(broken(out()), Broken::NoExit(0));
    let short = out().with(Section::Exits, vec![0; 46]);
    assert!(matches!(broken(short), Broken::Record(RecordError::Length { .. })));
    let more = out().exit("zoe", TIME + 10, 601, A);
    let exit = |field| Broken::Exit { position: 0, field };
    assert_eq!(broken(more), exit("amount"));
    let of_another = out().exit("zoe", TIME + 10, 600, B);
    assert_eq!(broken(of_another), exit("account"));
    let token = ExitRecord {
        to: self::exit("zoe"),
        token: 1,
        release_time: TIME + 10,
        amount: 600,
        index: A,
    };
    let token = out().with(Section::Exits, token.to_bytes());
    assert_eq!(broken(token), exit("token"));
    // The limiter goes on from exit to exit, in their order.
    let both = out().word(3, 2, B, 0, amount(100));
    let both = both.exit("zoe", TIME + 10, 600, A);
    after(both.exit("ben", TIME + 20, 100, B));
    let swapped = out().word(3, 2, B, 0, amount(100));
    let swapped = swapped.exit("ben", TIME + 20, 100, B);
    let swapped = swapped.exit("zoe", TIME + 10, 600, A);
    assert_eq!(broken(swapped), exit("account"));
    let limits_of_token_1 = new().word(3, 0, C, 0, amount(600));
    after(limits_of_token_1.exit("zoe", TIME + 90, 600, C));
}

#[test]
fn freezes() {
    let broken = |data| refused(world(), data).broken;
    let freeze = |until| new().word(5, 0, A, 0, until);
    for until in [TIME, TIME + 101] {
        let bounds = Broken::FreezeBounds { until, time: TIME, max: 100 };
        assert_eq!(broken(freeze(until)), bounds);
    }
    assert_eq!(broken(new().word(6, 0, A, 0, 0)), Broken::NotFrozen(A));
    let until = TIME + 100;
    let cold = Broken::Cooldown { index: A, from: until + 200 };
    let frozen = || after(freeze(until));
    assert_eq!(refused(frozen(), freeze(until)).broken, cold);
    let stopped = Broken::Frozen { index: A, until };
    for data in [
        new().word(1, 0, A, B, 32),
        new().word(2, 0, A, A + 3, 32).owner("zoe", exit("zoe")),
        new().word(3, 0, A, 0, 32).exit("zoe", TIME, 1, A),
        new().word(4, 0, A, 0, 0).owner("zoe", exit("anna")),
    ] {
        assert_eq!(refused(frozen(), data).broken, stopped);
    }
    for (data, time) in [
        (new().word(3, 0, A, 0, 32).exit("anna", TIME, 1, A), TIME),
        (new().word(1, 0, A, B, 32), until),
        (new().word(6, 0, A, 0, 0), TIME),
        (freeze(TIME + 301), TIME + 300),
    ] {
        frozen().apply(&data.0, time).unwrap();
    }
}

#[test]
fn limiters_take_no_part() {
    let index = limiter_index(0);
    let limited = || after(new().word(3, 0, A, 0, 32).exit("zoe", TIME, 1, A));
    for data in [
        new().word(1, 0, index, B, 32),
        new().word(1, 0, A, index, 32),
        new().word(3, 0, index, 0, 32).exit("zoe", TIME, 1, index),
        new().word(4, 0, index, 0, 0).owner("zoe", exit("zoe")),
        new().word(5, 0, index, 0, TIME + 1),
        new().word(6, 0, index, 0, 0),
    ] {
        let error = refused(limited(), data);
        assert_eq!(error.broken, Broken::Limiter(index), "{error}");
    }
}

#[test]
fn nonces_end_and_owners_may_be_unknown() {
    let known = world();
    let with = |account: Account| {
        let others = known.accounts().filter(|(i, _)| *i != A);
        let others = others.map(|(i, a)| (i, *a));
        let accounts = others.chain([(A, account)]);
        let mut replay = Replay::starting_from(accounts, known.openings().copied());
        replay.set_policy(&policy());
        replay
    };
    let account = *known.accounts().find(|(i, _)| *i == A).unwrap().1;
    let last = Account { nonce: u32::MAX, ..account };
    let data = || new().word(1, 0, A, B, 32);
    assert_eq!(refused(with(last), data()).broken, Broken::Nonce(A));
    with(account).apply(&data().0, TIME).unwrap();
    assert_eq!(with(account).root(), world().root());

    // A state whose owners are not all known says so, where it matters.
    let unknown = Account { owner: Fr::from(5u64), ..account };
    let error = refused(with(unknown), new().l1(forced(A, 0, "anna"), A));
    assert_eq!(error.broken, Broken::UnknownOwner(A));
    with(unknown).apply(&data().0, TIME).unwrap();
}

#[test]
fn records_that_belong_to_nothing() {
    let of_nothing = refused(world(), new().owner("zoe", exit("zoe")));
    assert_eq!(of_nothing.broken, Broken::Owners(1));
    assert_eq!(of_nothing.at, Place::Batch);
    let no_policy = Replay::new().apply(&BatchData::default(), TIME);
    assert_eq!(no_policy.unwrap_err().broken, Broken::NoPolicy);
    let mut long = new();
    let record = L1Record::of(&forced(A, 1, "anna"), A).unwrap().to_bytes();
    long.0.records[0] = vec![record; 21_846];
    let too_long = Broken::TooLong { section: 0, words: 65_538, most: 65_535 };
    assert_eq!(refused(world(), long).broken, too_long);
}

/// L1 records come first, whatever else a batch holds: an account that the batch makes on L2 is not
/// there yet.
#[test]
fn l1_comes_before_l2() {
    let made = new().word(2, 0, A, A + 3, 32).owner("zoe", exit("zoe"));
    let error = refused(world(), made.l1(deposit("zoe", 0, 5), A + 3));
    assert_eq!(error.broken, Broken::Exists(A + 3));
    assert_eq!(error.at, Place::L2(0));
}
