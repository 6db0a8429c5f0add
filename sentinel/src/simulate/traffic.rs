//! A plan of traffic, and the operations that it becomes.

use bastion_protocol::Address;
use serde::{Deserialize, Serialize};

use super::cast::{Book, Cast};
use super::clock::{Span, DAY};
use super::label::{Family, LookAlike};
use super::ledger::{resolve, Planned};
use super::script::Script;
use super::stage::Stage;
use super::{attacks, base, look_alikes, Random, Rows, SimulateError};

/// When simulated time begins, in milliseconds since 1970: a midnight.
pub const START_MS: u64 = 1_767_225_600_000;

/// What traffic is to contain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// Operations of everyday traffic, the deposits that they need aside.
    pub operations: usize,
    /// Over how many days.
    pub days: u64,
    /// Which attacks.
    pub families: Vec<Family>,
    /// How many of each.
    pub attacks: u32,
    /// Which honest events that look like attacks.
    pub look_alikes: Vec<LookAlike>,
    /// How many of each.
    pub events: u32,
}

/// Labelled operations in order of arrival, to be played.
#[derive(Debug, Clone)]
pub struct Traffic {
    planned: Vec<Planned>,
    exits: Vec<Address>,
    seed: u64,
    warm_up: usize,
}

impl Traffic {
    /// The traffic of a plan. The same rows and plan give the same traffic on every machine.
    ///
    /// The first fifth of the time is warm-up: it has no attack, and nothing in it is measured.
    ///
    /// # Errors
    /// [`SimulateError::Plan`], [`SimulateError::NoRows`], [`SimulateError::Broke`].
    pub fn new(rows: &Rows, plan: &Plan) -> Result<Self, SimulateError> {
        if plan.operations == 0 || plan.days == 0 || plan.days > 3650 {
            let why = "operations must be at least 1, and days from 1 to 3650";
            return Err(SimulateError::Plan(why.into()));
        }
        let book = Book::new(rows)?;
        let (mut cast, mut script) = (Cast::default(), Script::default());
        let span = Span { start: START_MS, end: START_MS + plan.days * DAY };
        let warm = span.start + (span.end - span.start) / 5;
        let operations = plan.operations;
        let mut random = Random::new(plan.seed, "base");
        base::write(&mut script, &mut cast, rows, &book, operations, span, &mut random);
        let aliases = 1 + plan.operations as u64 / 40_000;
        let mut id = 0;
        let mut stage = |purpose: &str, number: u32, scene: &mut dyn FnMut(&mut Stage<'_>)| {
            let random = Random::new(plan.seed, &format!("{purpose} {number}"));
            let span = Span { start: warm, ..span };
            let (cast, script, book) = (&mut cast, &mut script, &book);
            scene(&mut Stage { cast, book, script, random, span, aliases, id });
            id += 1;
        };
        for family in &plan.families {
            for number in 0..plan.attacks {
                stage(family.name(), number, &mut |stage| attacks::write(*family, stage));
            }
        }
        for kind in &plan.look_alikes {
            for number in 0..plan.events {
                stage(kind.name(), number, &mut |stage| look_alikes::write(*kind, stage));
            }
        }
        let planned = resolve(script, &mut Random::new(plan.seed, "ledger"))?;
        let warm_up = planned.partition_point(|op| op.at_ms < warm);
        Ok(Self { planned, exits: cast.exits().to_vec(), seed: plan.seed, warm_up })
    }

    /// The operations.
    #[must_use]
    pub fn planned(&self) -> &[Planned] {
        &self.planned
    }

    /// How many of them are warm-up.
    #[must_use]
    pub fn warm_up(&self) -> usize {
        self.warm_up
    }

    /// The exit address of a person.
    #[must_use]
    pub fn exit(&self, person: u32) -> Address {
        self.exits.get(person as usize).copied().unwrap_or_default()
    }

    /// What keys are derived from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Only the first operations. An attack that is cut off may lose nothing: for tests.
    #[must_use]
    pub fn truncated(mut self, operations: usize) -> Self {
        self.planned.truncate(operations);
        self.warm_up = self.warm_up.min(operations);
        self
    }
}
