//! The same flow on each venue, with an attacker who sees it first.

use super::attack::{attacks, Accounts, Attacks};
use super::flow::Block;
use super::trace::add;
use super::{pattern, sandwiches, Mark, Venue};
use crate::sample::Rng;
use crate::{AuctionError, Fill, Terms};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The attacker's accounts.
const ATTACKER: Accounts = Accounts { front: 10, back: 10 };
const TWO_ACCOUNTS: Accounts = Accounts { front: 10, back: 11 };

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Everything random follows from it.
    pub seed: u64,
    /// Blocks.
    pub blocks: u64,
    /// Users in a block.
    pub users: u64,
}

/// What happened on a venue. Amounts are in units of the quote token at the fair price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The venue.
    pub venue: String,
    /// What users traded without the attacker.
    pub volume: i128,
    /// Blocks with an attack by which the attacker gains and the users lose.
    pub harmful: u64,
    /// What the attacker gained by those.
    pub extracted: i128,
    /// What the users lost by them.
    pub lost: i128,
    /// What the attacker gains if it does what brings it most, harmful or not.
    pub most: i128,
    /// What the users gain then; negative if they lose.
    pub given: i128,
    /// Harmful attacks that were found by their shape.
    pub by_shape: Found,
    /// The same by counterfactual replay of pairs.
    pub by_replay: Found,
}

/// What a detector found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Found {
    /// Harmful attacks that it named.
    pub caught: u64,
    /// Sandwiches that it named without a part of the attacker in them.
    pub wrong: u64,
}

/// The simulation's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was simulated.
    pub scenario: Scenario,
    /// One for each venue.
    pub outcomes: Vec<Outcome>,
}

/// Runs the same blocks on all venues. The attacker is at its best on each: it tries all its plans there.
/// In every second block it sends from two accounts.
///
/// # Errors
/// What a venue cannot compute with; the flow of this module stays far from that.
pub fn simulate(scenario: Scenario) -> Result<Report, AuctionError> {
    let mut rng = Rng::new(scenario.seed);
    let mut mark = Mark { quote: 2_000_000_000, base: 1_000_000_000 };
    let mut blocks = Vec::new();
    for _ in 0..scenario.blocks {
        let block = Block::next(&mut rng, mark, scenario.users)?;
        mark = block.mark;
        blocks.push(block);
    }
    type Make = fn(&Block) -> Venue;
    let venues: [(&str, Make); 4] = [
        ("order book", |block| block.book()),
        ("pool, fee 0.30 %", |block| block.pool(30)),
        ("pool, fee 0.05 %", |block| block.pool(5)),
        ("auction", |block| block.uniform(Terms::default())),
    ];
    let run = |(name, make): (&str, Make)| run(name, make, &blocks);
    Ok(Report { scenario, outcomes: venues.into_iter().map(run).collect::<Result<_, _>>()? })
}

fn run(name: &str, make: fn(&Block) -> Venue, blocks: &[Block]) -> Result<Outcome, AuctionError> {
    let mut outcome = Outcome {
        venue: name.to_owned(),
        volume: 0,
        harmful: 0,
        extracted: 0,
        lost: 0,
        most: 0,
        given: 0,
        by_shape: Found::default(),
        by_replay: Found::default(),
    };
    for (number, block) in blocks.iter().enumerate() {
        let (venue, mark) = (make(block), block.mark);
        for (swap, fill) in block.users.iter().zip(venue.replay(&block.users)?) {
            // The worth of what was sold is the loss of who gets nothing for it.
            add(&mut outcome.volume, -mark.gain(swap, &Fill { bought: 0, ..fill })?)?;
        }
        let accounts = if number % 2 == 0 { ATTACKER } else { TWO_ACCOUNTS };
        let Attacks { best, harmful } = attacks(&venue, &block.users, mark, accounts)?;
        if let Some(best) = best {
            add(&mut outcome.most, best.gain)?;
            add(&mut outcome.given, -best.loss)?;
        }
        let (trace, own) = match harmful {
            Some(attack) => {
                outcome.harmful += 1;
                add(&mut outcome.extracted, attack.gain)?;
                add(&mut outcome.lost, attack.loss)?;
                (attack.trace, attack.own)
            }
            None => (block.users.clone(), Vec::new()),
        };
        let shapes = pattern(&trace, &venue.replay(&trace)?);
        outcome.by_shape.count(shapes.iter().map(|s| [s.front, s.back]), &own);
        let replayed = sandwiches(&venue, &trace, mark)?;
        let pairs = replayed.iter().filter_map(|harm| harm.suspects.first_chunk().copied());
        outcome.by_replay.count(pairs, &own);
    }
    Ok(outcome)
}

impl Found {
    /// Counts the pairs that a detector names in a block with the attacker's orders at `own`.
    fn count(&mut self, pairs: impl Iterator<Item = [usize; 2]>, own: &[usize]) {
        let mut caught = false;
        for pair in pairs {
            let part = pair.iter().any(|place| own.contains(place));
            caught |= part;
            self.wrong += u64::from(!part);
        }
        self.caught += u64::from(caught);
    }
}

impl fmt::Display for Report {
    /// A table in Markdown; amounts in ten thousandths of the users' volume.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In ten thousandths of the volume, with two digits.
        let parts = |amount: i128, of: i128| {
            let hundredths = amount.saturating_mul(1_000_000) / of.max(1);
            let sign = if hundredths < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
        };
        writeln!(f, "| venue | harmful attacks | attacker extracts | users lose | by shape: caught, wrong | by replay: caught, wrong | most that the attacker gains | users gain then |")?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---:|---:|")?;
        for o in &self.outcomes {
            let found = |found: Found| format!("{}, {}", found.caught, found.wrong);
            writeln!(
                f,
                "| {} | {} of {} | {} | {} | {} | {} | {} | {} |",
                o.venue,
                o.harmful,
                self.scenario.blocks,
                parts(o.extracted, o.volume),
                parts(o.lost, o.volume),
                found(o.by_shape),
                found(o.by_replay),
                parts(o.most, o.volume),
                parts(o.given, o.volume),
            )?;
        }
        Ok(())
    }
}
