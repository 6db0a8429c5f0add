//! Any sequence of calls keeps the books, the budget, and the order of commitments.

use super::{tests::who, *};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Call {
    Fund(u64),
    Register(u8, u64),
    Leave(u8, u64),
    Withdraw(u8),
    Commit(u8, u8, bool),
    Reveal(u64),
    Freeze(u64, u8, u64),
    Confirm(u8, u64),
    Settle(u8, u64),
    Expire(u64),
    Lapse(u64),
    Answer(u8, u64, bool),
    Grade(u64),
}

fn call() -> impl Strategy<Value = Call> {
    let (w, s) = (1..5_u8, 1..3_u8);
    // Which of the latest reports, counted from the last.
    let id = 0..5_u64;
    prop_oneof![
        (0..3_000_u64).prop_map(Call::Fund),
        (w.clone(), 0..300_u64).prop_map(|(w, a)| Call::Register(w, a)),
        (w.clone(), 0..200_u64).prop_map(|(w, a)| Call::Leave(w, a)),
        w.clone().prop_map(Call::Withdraw),
        (w.clone(), s.clone(), any::<bool>()).prop_map(|(w, s, f)| Call::Commit(w, s, f)),
        (w.clone(), s.clone(), any::<bool>()).prop_map(|(w, s, f)| Call::Commit(w, s, f)),
        id.clone().prop_map(Call::Reveal),
        id.clone().prop_map(Call::Reveal),
        (id.clone(), w.clone(), 0..60_u64).prop_map(|(i, w, u)| Call::Freeze(i, w, u)),
        (s.clone(), 0..4_000_u64).prop_map(|(s, a)| Call::Confirm(s, a)),
        (s.clone(), 0..2_u64).prop_map(|(s, e)| Call::Settle(s, e)),
        (s, 0..2_u64).prop_map(|(s, e)| Call::Settle(s, e)),
        id.clone().prop_map(Call::Expire),
        id.prop_map(Call::Lapse),
        (w, 0..3_u64, any::<bool>()).prop_map(|(w, e, r)| Call::Answer(w, e, r)),
        (0..4_u64).prop_map(Call::Grade),
    ]
}

fn params() -> Params {
    Params {
        stake: 100,
        penalty: 30,
        noise_fee: 7,
        epoch_seconds: 50,
        epoch_budget: 900,
        diligence_pot: 90,
        diligence_fine: 11,
        reveal_window: 10,
        event_window: 40,
        withdraw_delay: 60,
        ..Params::default()
    }
}

/// What the test keeps beside the registry.
#[derive(Default)]
struct Outside {
    came_in: u128,
    paid: u128,
    reports: Vec<Report>,
    rewarded: Vec<ReportId>,
    events: BTreeMap<(Subject, u64), u64>,
    settled: BTreeMap<(Subject, u64), u32>,
    pay_of: BTreeMap<u64, u128>,
}

impl Outside {
    /// Applies a call; a refusal changes nothing.
    fn apply(&mut self, r: &mut Registry, call: Call, now: u64) {
        let (seed, digest) = ([1; 32], [2; 32]);
        let latest = |back: u64| (self.reports.len() as u64).saturating_sub(1 + back);
        let subject = |s| Subject([s; 32]);
        match call {
            Call::Fund(a) => self.came_in += r.fund(a.into()).map_or(0, |()| a.into()),
            Call::Register(w, a) => {
                self.came_in += r.register(who(w), a.into()).map_or(0, |()| a.into());
            }
            Call::Leave(w, a) => drop(r.leave(who(w), a.into(), now)),
            Call::Withdraw(w) => self.paid += r.withdraw(who(w), now).map_or(0, |p| p.amount),
            Call::Commit(w, s, asks_freeze) => {
                let evidence = [0; 32];
                let report = Report { watcher: who(w), subject: subject(s), asks_freeze, evidence };
                if r.commit(who(w), report.commitment(&[0; 32]), now).is_ok() {
                    self.reports.push(report);
                }
            }
            Call::Reveal(back) => {
                let id = latest(back);
                if let Some(report) = self.reports.get(id as usize) {
                    drop(r.reveal(id, report, &[0; 32], now));
                }
            }
            Call::Freeze(back, w, length) => {
                drop(r.freeze(latest(back), who(w), now + length, now))
            }
            Call::Confirm(s, a) => {
                if let Ok(epoch) = r.confirm(subject(s), a.into(), now) {
                    self.came_in += u128::from(a);
                    self.events.insert((subject(s), epoch), now);
                }
            }
            Call::Settle(s, back) => self.settle(r, subject(s), back, now),
            Call::Expire(back) => self.paid += r.expire(latest(back), now).map_or(0, |p| p.amount),
            Call::Lapse(back) => drop(r.lapse(latest(back), now)),
            Call::Answer(w, back, right) => {
                let epoch = r.params().epoch(now).saturating_sub(back);
                let good = answer(epoch, &seed, &who(w), &digest);
                drop(r.answer(who(w), epoch, if right { good } else { [0; 32] }, now));
            }
            Call::Grade(back) => {
                let epoch = r.params().epoch(now).saturating_sub(back);
                if let Ok(grades) = r.grade(epoch, &seed, &digest, now) {
                    let sum: u128 = grades.paid.iter().map(|p| p.amount).sum();
                    self.paid += sum;
                    *self.pay_of.entry(epoch).or_default() += sum;
                }
            }
        }
    }

    fn settle(&mut self, r: &mut Registry, subject: Subject, back: u64, now: u64) {
        let epoch = r.params().epoch(now).saturating_sub(back);
        let open: Vec<(ReportId, Entry)> = (0..self.reports.len() as u64)
            .filter_map(|id| r.report(id).map(|e| (id, *e)))
            .filter(|(_, e)| e.stage.subject() == Some(subject))
            .collect();
        let Ok(done) = r.settle(subject, epoch, now) else { return };
        *self.settled.entry((subject, epoch)).or_default() += 1;
        if let Some((id, payment)) = done.reward {
            self.paid += payment.amount;
            *self.pay_of.entry(epoch).or_default() += payment.amount;
            self.rewarded.push(id);
            // Everything that this event closed was committed later than the winner.
            let closed = open.iter().filter(|(id, _)| r.report(*id).is_none());
            // And all of it before the event and within its time.
            let at = self.events[&(subject, epoch)];
            for (_, entry) in closed.clone() {
                let last = match entry.stage {
                    Stage::Frozen { until, .. } => until,
                    _ => entry.committed + r.params().event_window,
                };
                assert!(entry.committed < at && at <= last, "{entry:?} {at}");
            }
            assert_eq!(closed.clone().map(|(id, _)| *id).min(), Some(id));
            assert!(closed.count() == 1 + done.copies.len());
            assert_eq!(payment.to, self.reports[id as usize].watcher);
        }
    }

    fn check(&self, r: &Registry) {
        let Books { came_in, pool, stakes, burned, paid } = r.books();
        assert_eq!(came_in, pool + stakes + burned + paid);
        assert_eq!((came_in, paid), (self.came_in, self.paid));
        let held = (0..6).map(|w| r.stake(&who(w))).map(|s| s.free + s.locked);
        assert_eq!(stakes, held.sum());
        let bonds = (0..self.reports.len() as u64).filter_map(|id| r.report(id)).map(|e| e.bond);
        assert_eq!(bonds.sum::<u128>(), (0..6).map(|w| r.stake(&who(w)).locked).sum());
        for (epoch, paid) in &self.pay_of {
            assert_eq!(r.spent(*epoch), *paid);
            assert!(*paid <= r.params().epoch_budget);
        }
        assert!(self.settled.values().all(|times| *times == 1), "an event was settled twice");
        let mut rewarded = self.rewarded.clone();
        rewarded.sort_unstable();
        rewarded.dedup();
        assert_eq!(rewarded.len(), self.rewarded.len(), "a report was paid twice");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn books_budget_and_order_hold(calls in prop::collection::vec((call(), 0..6_u64), 1..250)) {
        let mut registry = Registry::new(params()).unwrap();
        let mut outside = Outside::default();
        for watcher in 1..5 {
            registry.register(who(watcher), 400).unwrap();
            outside.came_in += 400;
        }
        let mut now = 0;
        for (call, wait) in calls {
            now += wait;
            outside.apply(&mut registry, call, now);
            outside.check(&registry);
        }
    }

    /// Whatever the order and the times of opening, the first commitment is paid.
    #[test]
    fn the_first_commitment_is_paid(order in Just(vec![1_u8, 2, 3, 4]).prop_shuffle(),
                                    opening in Just(vec![0_u64, 1, 2, 3]).prop_shuffle(),
                                    amount in 0..2_000_u128) {
        let mut registry = Registry::new(params()).unwrap();
        let report = |watcher| Report {
            watcher: who(watcher), subject: Subject([7; 32]), asks_freeze: false, evidence: [0; 32],
        };
        for watcher in &order {
            registry.register(who(*watcher), 100).unwrap();
            registry.commit(who(*watcher), report(*watcher).commitment(&[0; 32]), 5).unwrap();
        }
        for id in opening {
            registry.reveal(id, &report(order[id as usize]), &[0; 32], 6).unwrap();
        }
        registry.confirm(Subject([7; 32]), amount, 7).unwrap();
        let done = registry.settle(Subject([7; 32]), 0, 18).unwrap();
        let (id, payment) = done.reward.unwrap();
        prop_assert_eq!((id, payment.to), (0, who(order[0])));
        prop_assert!(payment.amount * 2 <= amount);
        prop_assert!(registry.books().burned * 2 + 1 >= amount);
        prop_assert_eq!(done.copies, vec![1, 2, 3]);
    }
}
