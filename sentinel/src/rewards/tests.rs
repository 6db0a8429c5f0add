use super::*;
use bastion_protocol::Index;

const DAY: u64 = 86_400;
const SALT: [u8; 32] = [9; 32];

pub(super) fn who(n: u8) -> Index {
    n.into()
}

pub(super) fn about(watcher: u8, subject: u8) -> Report {
    Report {
        watcher: who(watcher),
        subject: Subject([subject; 32]),
        asks_freeze: true,
        evidence: [0; 32],
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new(Params::default()).unwrap();
    registry.fund(50_000).unwrap();
    (1..5).for_each(|w| registry.register(who(w), 10_000).unwrap());
    registry
}

fn told(registry: &mut Registry, watcher: u8, subject: u8, at: u64) -> ReportId {
    let report = about(watcher, subject);
    let id = registry.commit(who(watcher), report.commitment(&SALT), at).unwrap();
    registry.reveal(id, &report, &SALT, at).unwrap();
    id
}

#[test]
fn earliest_commitment_wins_and_copies_get_nothing() {
    let mut r = registry();
    let late = about(2, 7);
    let first = r.commit(who(1), about(1, 7).commitment(&SALT), 10).unwrap();
    // Opened first, committed second, in the same second.
    let second = r.commit(who(2), late.commitment(&SALT), 10).unwrap();
    r.reveal(second, &late, &SALT, 11).unwrap();
    r.reveal(first, &about(1, 7), &SALT, 12).unwrap();
    let third = told(&mut r, 3, 7, 20);
    let epoch = r.confirm(Subject([7; 32]), 20_000, 30).unwrap();
    // At the event itself is too late.
    let after = told(&mut r, 4, 7, 30);
    let early = RewardError::Early { what: "settling an event", now: 630, first: 631 };
    assert_eq!(r.settle(Subject([7; 32]), epoch, 630), Err(early));
    let done = r.settle(Subject([7; 32]), epoch, 631).unwrap();
    let reward = Payment { to: who(1), amount: 8_000, cause: Cause::Reward };
    assert_eq!(done, Settlement { reward: Some((first, reward)), copies: vec![second, third] });
    let again = RewardError::NoEvent { subject: Subject([7; 32]), epoch };
    assert_eq!(r.settle(Subject([7; 32]), epoch, 631), Err(again));
    assert_eq!(r.stake(&who(2)), Stake { free: 10_000, locked: 0, leaving: None });
    assert_eq!(r.lapse(after, 30 + DAY + 1), Ok(60));
}

#[test]
fn a_copied_commitment_cannot_be_opened() {
    let mut r = registry();
    let report = about(1, 7);
    let id = r.commit(who(2), report.commitment(&SALT), 10).unwrap();
    assert_eq!(r.reveal(id, &report, &SALT, 11), Err(RewardError::Opening { id }));
    let mine = about(2, 7);
    assert_eq!(r.reveal(id, &mine, &SALT, 11), Err(RewardError::Opening { id }));
    let late = RewardError::Late { what: "opening a commitment", now: 611, last: 610 };
    assert_eq!(r.reveal(id, &mine, &SALT, 611), Err(late));
    assert_eq!(r.lapse(id, 611), Ok(1_000));
    assert_eq!(r.books().burned, 1_000);
}

#[test]
fn a_false_freeze_pays_the_frozen_one() {
    let mut r = registry();
    let id = told(&mut r, 1, 7, 10);
    r.freeze(id, who(77), 100, 20).unwrap();
    let copy = told(&mut r, 2, 7, 21);
    let stands = RewardError::FrozenAlready { subject: Subject([7; 32]), by: id };
    assert_eq!(r.freeze(copy, who(77), 100, 22), Err(stands));
    assert!(matches!(r.expire(id, 100), Err(RewardError::Early { first: 101, .. })));
    let paid = r.expire(id, 101).unwrap();
    assert_eq!(paid, Payment { to: who(77), amount: 1_000, cause: Cause::Compensation });
    assert_eq!(r.expire(id, 101), Err(RewardError::UnknownReport { id }));
    assert_eq!(r.stake(&who(1)).free, 9_000);
    // Below the least stake it reports nothing until it adds.
    let poor = r.commit(who(1), [0; 32], 102);
    assert_eq!(poor, Err(RewardError::Stake { watcher: who(1), free: 9_000, needed: 10_000 }));
    r.register(who(1), 1_000).unwrap();
    r.commit(who(1), [0; 32], 102).unwrap();
}

#[test]
fn a_confirmed_freeze_costs_nothing() {
    let mut r = registry();
    let id = told(&mut r, 1, 7, 10);
    r.freeze(id, who(77), 5_000, 20).unwrap();
    let epoch = r.confirm(Subject([7; 32]), 20_000, 5_000).unwrap();
    assert_eq!(r.expire(id, 5_001), Err(RewardError::Confirmed { id, epoch }));
    assert!(r.settle(Subject([7; 32]), epoch, 6_000).unwrap().reward.is_some());
    assert_eq!(r.stake(&who(1)).free, 10_000);
}

#[test]
fn one_report_a_subject_and_epoch() {
    let mut r = registry();
    told(&mut r, 1, 7, 10);
    let report = about(1, 7);
    let id = r.commit(who(1), report.commitment(&SALT), 20).unwrap();
    let repeated = RewardError::Repeated { watcher: who(1), subject: Subject([7; 32]), epoch: 0 };
    assert_eq!(r.reveal(id, &report, &SALT, 21), Err(repeated));
    r.confirm(Subject([7; 32]), 1, 30).unwrap();
    let stands = RewardError::EventStands { subject: Subject([7; 32]), epoch: 0 };
    assert_eq!(r.confirm(Subject([7; 32]), 1, 31), Err(stands));
    told(&mut r, 1, 7, DAY);
    r.confirm(Subject([7; 32]), 1, DAY + 1).unwrap();
}

#[test]
fn who_asks_for_no_freeze_answers_for_none() {
    let mut r = registry();
    let report = Report { asks_freeze: false, ..about(1, 7) };
    let id = r.commit(who(1), report.commitment(&SALT), 10).unwrap();
    r.reveal(id, &report, &SALT, 11).unwrap();
    assert_eq!(r.freeze(id, who(77), 100, 12), Err(RewardError::NotAsked { id }));
}

#[test]
fn rewards_stay_within_the_budget_and_leave_the_pot() {
    let mut r = registry();
    for subject in 1..4 {
        told(&mut r, 1, subject, 10);
    }
    for subject in 1..4 {
        r.confirm(Subject([subject; 32]), 20_000, 20).unwrap();
    }
    let pay = |s| r.settle(Subject([s; 32]), 0, 1_000).unwrap().reward.unwrap().1.amount;
    assert_eq!([1, 2, 3].map(pay), [8_000, 1_400, 0]);
    assert_eq!(r.spent(0), 9_400);
}

#[test]
fn diligence_is_paid_by_stake_and_old_answers_are_fined() {
    let mut r = registry();
    r.register(who(2), 10_000).unwrap();
    let (seed, digest) = ([3; 32], [4; 32]);
    let right = |w| answer(0, &seed, &who(w), &digest);
    r.answer(who(1), 0, right(1), DAY).unwrap();
    r.answer(who(2), 0, right(2), DAY).unwrap();
    r.answer(who(3), 0, right(2), DAY).unwrap();
    let twice = RewardError::Answered { watcher: who(3), epoch: 0 };
    assert_eq!(r.answer(who(3), 0, right(3), DAY), Err(twice));
    assert!(matches!(r.grade(0, &seed, &digest, DAY), Err(RewardError::Epoch { expected: 2, .. })));
    let grades = r.grade(0, &seed, &digest, 2 * DAY).unwrap();
    let pay = |w, amount| Payment { to: who(w), amount, cause: Cause::Diligence };
    assert_eq!(grades, Grades { paid: vec![pay(1, 200), pay(2, 400)], fined: vec![(who(3), 200)] });
    let graded = Err(RewardError::Graded { epoch: 0 });
    assert_eq!(r.grade(0, &seed, &digest, 2 * DAY), graded);
    assert!(matches!(r.answer(who(1), 0, right(1), 2 * DAY), Err(RewardError::Epoch { .. })));
}

#[test]
fn a_stake_leaves_after_the_delay_and_bonds_stay() {
    let mut r = registry();
    r.register(who(1), 1_000).unwrap();
    let id = r.commit(who(1), [0; 32], 5).unwrap();
    let short = RewardError::Stake { watcher: who(1), free: 10_000, needed: 11_000 };
    assert_eq!(r.leave(who(1), 11_000, 10), Err(short));
    let none = RewardError::NotReady { watcher: who(1), ready: u64::MAX, now: 10 };
    assert_eq!(r.withdraw(who(1), 10), Err(none));
    let ready = r.leave(who(1), 10_000, 10).unwrap();
    assert_eq!(ready, 10 + 7 * DAY);
    // An announcement costs nothing: nobody fills the log with them.
    let again = RewardError::Announced { watcher: who(1), again: 3_610, now: 3_609 };
    assert_eq!(r.leave(who(1), 9_000, 3_609), Err(again));
    assert_eq!(r.clone().leave(who(1), 9_000, 3_610), Ok(3_610 + 7 * DAY));
    assert!(matches!(r.commit(who(1), [0; 32], 3_610), Err(RewardError::Stake { free: 0, .. })));
    assert!(r.withdraw(who(1), ready - 1).is_err());
    assert_eq!(r.withdraw(who(1), ready).unwrap().amount, 10_000);
    assert_eq!(r.lapse(id, ready), Ok(1_000));
    let back = RewardError::TimeBackwards { now: 1, last: ready };
    assert_eq!(r.leave(who(1), 0, 1), Err(back));
}

#[test]
fn parameters_and_errors_name_values_and_remedies() {
    let base = Params::default();
    let bad = [
        Params { reward_permille: 501, ..base },
        Params { burn_permille: 499, ..base },
        Params { reward_permille: 500, burn_permille: 501, ..base },
        Params { stake: 999, ..base },
        Params { noise_fee: 1_001, ..base },
        Params { diligence_pot: 10_001, ..base },
        Params { epoch_seconds: 0, ..base },
        Params { reveal_window: 0, ..base },
        Params { withdraw_delay: 86_999, ..base },
    ];
    for params in bad {
        assert!(matches!(Registry::new(params), Err(RewardError::Parameter { .. })), "{params:?}");
    }
    let error = Registry::new(bad[0]).unwrap_err().to_string();
    assert_eq!(
        error,
        "reward_permille is 501: who reports himself would lose less than half; set at most 500"
    );
    let mut r = registry();
    assert!(matches!(r.fund(u128::MAX), Err(RewardError::Overflow { .. })));
    let text = serde_json::to_string(&base.reward_permille).unwrap();
    assert_eq!(text, "400");
}
