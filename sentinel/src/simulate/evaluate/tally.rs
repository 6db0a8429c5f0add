//! Counts while the traffic is played.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bastion_protocol::Index;

use super::attacks::Course;
use super::precision::Scores;
use super::report::{Delay, FamilyReport, Latency, LookAlikeReport, Report};
use crate::simulate::detector::Finding;
use crate::simulate::label::{Family, Label, Role};
use crate::simulate::{Person, Step};
use crate::Decision;

/// Operations of a family.
#[derive(Default)]
struct Operations {
    held: u64,
    scores: Scores,
}

#[derive(Default)]
pub(super) struct Tally {
    courses: BTreeMap<u32, Course>,
    families: BTreeMap<Family, Operations>,
    look_alikes: BTreeMap<&'static str, LookAlikeReport>,
    honest: Scores,
    false_holds: u64,
    users: BTreeSet<Person>,
    delayed: BTreeSet<Person>,
    waits: Vec<u64>,
    rejected: u64,
    behind: u64,
    /// Until when each account waits.
    busy: HashMap<Index, u64>,
    queue_alerts: u64,
    nanoseconds: Vec<u64>,
}

impl Tally {
    pub(super) fn take(&mut self, step: &Step<'_>, finding: &Finding, nanoseconds: u64) {
        self.nanoseconds.push(nanoseconds);
        let held = finding.decision != Decision::Allow;
        let planned = step.planned;
        if step.candidate.trace.kind.is_l1() {
            self.queue_alerts += u64::from(held);
            // It happens whatever is said about it, and lies on the attack's way.
            if let Some(part) = planned.label.part() {
                self.course(part.family, part.id).take(planned, part, false);
            }
            return;
        }
        match planned.label {
            Label::Attack(part) if part.role == Role::Bystander => {}
            Label::Attack(part) => {
                self.course(part.family, part.id).take(planned, part, held);
                let operations = self.families.entry(part.family).or_default();
                operations.held += u64::from(held);
                operations.scores.add(finding.score);
            }
            Label::LookAlike(kind) => {
                let report = self.look_alikes.entry(kind.name()).or_default();
                report.operations += 1;
                report.held += u64::from(held);
                self.honest(step, finding);
            }
            Label::Ordinary => self.honest(step, finding),
        }
    }

    fn course(&mut self, family: Family, id: u32) -> &mut Course {
        self.courses.entry(id).or_insert_with(|| Course::new(family))
    }

    fn honest(&mut self, step: &Step<'_>, finding: &Finding) {
        let (person, account) = (step.planned.person, step.planned.account);
        let time = step.candidate.time;
        self.users.insert(person);
        self.honest.add(finding.score);
        let waits = self.busy.get(&account).is_some_and(|until| *until > time);
        match finding.decision {
            Decision::Allow => {
                self.behind += u64::from(waits);
                return;
            }
            Decision::Quarantine { until } => {
                self.waits.push(until.saturating_sub(time));
                self.busy.insert(account, until);
            }
            Decision::Reject => self.rejected += 1,
        }
        self.false_holds += 1;
        self.delayed.insert(person);
    }

    pub(super) fn finish(mut self) -> Report {
        self.waits.sort_unstable();
        self.nanoseconds.sort_unstable();
        let honest = self.honest.all();
        let mut everything = Operations::default();
        let mut families = BTreeMap::new();
        let named: BTreeSet<Family> = self.courses.values().map(|c| c.family).collect();
        for family in named {
            let none = Operations::default();
            let operations = self.families.get(&family).unwrap_or(&none);
            everything.held += operations.held;
            everything.scores.add_all(&operations.scores);
            let courses = self.courses.values().filter(|c| c.family == family);
            families.insert(family.name(), self.report(operations, &courses.collect::<Vec<_>>()));
        }
        let all = self.report(&everything, &self.courses.values().collect::<Vec<_>>());
        let microseconds = |part| at(&self.nanoseconds, part) as f64 / 1000.0;
        let latency_us = Latency { median: microseconds(500), p99: microseconds(990) };
        let honest_delayed = Delay {
            users: self.delayed.len() as u64,
            of_users: self.users.len() as u64,
            held: self.waits.len() as u64,
            rejected: self.rejected,
            behind: self.behind,
            median_seconds: at(&self.waits, 500),
            longest_seconds: at(&self.waits, 1000),
        };
        Report {
            families,
            all,
            look_alikes: self.look_alikes,
            honest_operations: honest,
            false_quarantines_per_million: ratio(self.false_holds, honest) * 1e6,
            honest_delayed,
            queue_alerts: self.queue_alerts,
            latency_us,
            honest_scores: self.honest,
        }
    }

    fn report(&self, operations: &Operations, courses: &[&Course]) -> FamilyReport {
        let leads: Vec<(f64, f64)> = courses.iter().filter_map(|c| c.lead()).collect();
        let all = operations.scores.all();
        let attacks = courses.len() as u64;
        let saved: f64 = courses.iter().map(|c| c.saved()).sum();
        FamilyReport {
            attacks,
            operations: all,
            precision: ratio(operations.held, operations.held + self.false_holds),
            recall: ratio(leads.len() as u64, attacks),
            operation_recall: ratio(operations.held, all),
            average_precision: Scores::average_precision(&operations.scores, &self.honest),
            lead_operations: median(leads.iter().map(|l| l.0).collect()),
            lead_seconds: median(leads.iter().map(|l| l.1).collect()),
            money_saved: if attacks == 0 { 0.0 } else { saved / attacks as f64 },
        }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// What `part` thousandths of the sorted values do not exceed.
fn at(sorted: &[u64], part: usize) -> u64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * part / 1000).copied().unwrap_or(0)
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match (values.get(n / 2), values.get(n.saturating_sub(1) / 2)) {
        (Some(a), Some(b)) => (a + b) / 2.0,
        _ => 0.0,
    }
}
