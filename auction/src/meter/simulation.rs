//! The same flow on each venue, with an attacker who sees it first.

use super::attack::{best_attack, Accounts};
use super::flow::Block;
use super::{harm, pattern, sandwiches, Mark, Venue};
use crate::sample::Rng;
use crate::{AuctionError, Terms};
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
    /// What users would have traded without the attacker.
    pub volume: i128,
    /// Blocks with an attack that brings a gain.
    pub attacks: u64,
    /// What the attacker gained.
    pub gained: i128,
    /// Attacks by which users lost together.
    pub harmful: u64,
    /// What users lost by the harmful attacks.
    pub lost: i128,
    /// What users gained by the other attacks: the attacker was a maker for them.
    pub given: i128,
    /// Harmful attacks of which a suspect was found by shape, and suspects that were not the attacker.
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
        attacks: 0,
        gained: 0,
        harmful: 0,
        lost: 0,
        given: 0,
        by_shape: Found::default(),
        by_replay: Found::default(),
    };
    for (number, block) in blocks.iter().enumerate() {
        let (venue, mark) = (make(block), block.mark);
        for (swap, fill) in block.users.iter().zip(venue.replay(&block.users)?) {
            // A fill's worth is that of what came in, up to what was gained.
            let sold = crate::Fill { bought: 0, ..fill };
            outcome.volume -= mark.gain(swap, &sold)?;
        }
        let accounts = if number % 2 == 0 { ATTACKER } else { TWO_ACCOUNTS };
        let attack = best_attack(&venue, &block.users, mark, accounts)?;
        let (trace, own) = match &attack {
            Some(attack) => (&attack.trace, attack.own.as_slice()),
            None => (&block.users, [].as_slice()),
        };
        let mut harmful = false;
        if let Some(attack) = &attack {
            let loss = harm(&venue, trace, own, mark)?.loss();
            harmful = loss > 0;
            outcome.attacks += 1;
            outcome.gained += attack.gain;
            outcome.harmful += u64::from(harmful);
            outcome.lost += loss.max(0);
            outcome.given -= loss.min(0);
        }
        let shapes = pattern(trace, &venue.replay(trace)?);
        let shapes = shapes.iter().map(|s| [s.front, s.back]);
        count(&mut outcome.by_shape, shapes, own, harmful);
        let replayed = sandwiches(&venue, trace, mark)?;
        let replayed =
            replayed.iter().filter_map(|h| Some([*h.suspects.first()?, *h.suspects.last()?]));
        count(&mut outcome.by_replay, replayed, own, harmful);
    }
    Ok(outcome)
}

fn count(found: &mut Found, pairs: impl Iterator<Item = [usize; 2]>, own: &[usize], harmful: bool) {
    let mut caught = false;
    for pair in pairs {
        let part = pair.iter().any(|place| own.contains(place));
        caught |= part;
        found.wrong += u64::from(!part);
    }
    found.caught += u64::from(caught && harmful);
}

impl fmt::Display for Report {
    /// A table in Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Hundredths of a ten thousandth, for two digits.
        let parts = |amount: i128, of: i128| {
            let hundredths = amount.saturating_mul(1_000_000) / of.max(1);
            format!("{}.{:02}", hundredths / 100, (hundredths % 100).abs())
        };
        writeln!(f, "| venue | attacks with a gain | attacker gains | harmful attacks | users lose | users gain by the others | found by shape | wrongly | found by replay | wrongly |")?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for o in &self.outcomes {
            writeln!(
                f,
                "| {} | {} of {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                o.venue,
                o.attacks,
                self.scenario.blocks,
                parts(o.gained, o.volume),
                o.harmful,
                parts(o.lost, o.volume),
                parts(o.given, o.volume),
                o.by_shape.caught,
                o.by_shape.wrong,
                o.by_replay.caught,
                o.by_replay.wrong,
            )?;
        }
        Ok(())
    }
}
