//! A market of agents, and an operator who abuses its place: what it takes, and who pays for it.
//!
//! The same rounds are traded on each [`Place`] with each [`Strategy`] of the operator. A round has noise traders, an
//! informed trader, an arbitrageur who comes last, and a liquidity provider who still offers at the price before the
//! news. Gains are counted at the fair price with the news.

mod agents;
mod freedom;
mod operator;
mod strategy;
#[cfg(test)]
mod tests;

use crate::meter::trace::add;
use crate::meter::{Mark, Scenario};
use crate::sample::Rng;
use crate::{AuctionError, Fill};
use agents::{Agent, Round};
use operator::play;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use strategy::{Place, Strategy};

/// What came of a strategy in a place, over all rounds. Amounts are in units of the quote token at the fair price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Where it was traded.
    pub place: Place,
    /// What the operator did.
    pub strategy: Strategy,
    /// What noise traders traded.
    pub volume: i128,
    /// What the operator gained more than an honest one with the same order, after its bonds.
    pub extracted: i128,
    /// What noise traders have beyond their limits ([`Mark::surplus`]).
    pub surplus: i128,
    /// How much less that is than with an honest operator.
    pub lost: i128,
    /// What the informed trader gained.
    pub informed: i128,
    /// What the arbitrageur gained.
    pub arbitrageur: i128,
    /// What the liquidity provider gained, with the venue's fees.
    pub liquidity: i128,
}

/// The result for every place and strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketReport {
    /// What was simulated.
    pub scenario: Scenario,
    /// What noise traders trade with an honest operator, by place: what amounts are compared with.
    pub volumes: Vec<(Place, i128)>,
    /// A row for each place and strategy.
    pub rows: Vec<Row>,
}

/// Trades the same rounds in all places with all strategies.
///
/// # Errors
/// What a venue cannot compute with; the flow of this module stays far from that.
pub fn market(scenario: Scenario) -> Result<MarketReport, AuctionError> {
    let mut rng = Rng::new(scenario.seed);
    let mut mark = Mark { quote: 2_000_000_000, base: 1_000_000_000 };
    let mut rounds = Vec::new();
    for _ in 0..scenario.blocks {
        let round = Round::next(&mut rng, mark, scenario.users)?;
        mark = round.mark;
        rounds.push(round);
    }
    let (mut volumes, mut rows) = (Vec::new(), Vec::new());
    for place in Place::ALL {
        let mut honest: Option<Sums> = None;
        for &strategy in place.strategies() {
            // Every strategy guesses by the same numbers.
            let mut guesses = Rng::new(!scenario.seed);
            let mut sums = Sums::default();
            for round in &rounds {
                sums.add(place, strategy, round, &mut guesses)?;
            }
            let alone = *honest.get_or_insert(sums);
            if strategy == Strategy::Honest {
                volumes.push((place, sums.volume));
            }
            rows.push(Row {
                place,
                strategy,
                volume: sums.volume,
                extracted: sums.own - alone.own,
                surplus: sums.surplus,
                lost: alone.surplus - sums.surplus,
                informed: sums.informed,
                arbitrageur: sums.arbitrageur,
                liquidity: sums.liquidity,
            });
        }
    }
    Ok(MarketReport { scenario, volumes, rows })
}

/// Sums over the rounds of a place and strategy.
#[derive(Clone, Copy, Default)]
struct Sums {
    volume: i128,
    own: i128,
    surplus: i128,
    informed: i128,
    arbitrageur: i128,
    liquidity: i128,
}

impl Sums {
    fn add(
        &mut self,
        place: Place,
        strategy: Strategy,
        round: &Round,
        guesses: &mut Rng,
    ) -> Result<(), AuctionError> {
        let (mark, played) = (round.mark, play(place, strategy, round, guesses)?);
        for ((agent, swap), fill) in played.orders.iter().zip(&played.fills) {
            let gain = mark.gain(swap, fill)?;
            match agent {
                Agent::Noise => {
                    // The worth of what was sold is the loss of who gets nothing for it.
                    add(&mut self.volume, -mark.gain(swap, &Fill { bought: 0, ..*fill })?)?;
                    add(&mut self.surplus, mark.surplus(swap, fill)?)?;
                }
                Agent::Informed => add(&mut self.informed, gain)?,
                Agent::Arbitrageur => add(&mut self.arbitrageur, gain)?,
                Agent::Operator => add(&mut self.own, gain)?,
            }
            // What one has, another one gave.
            add(&mut self.liquidity, -gain)?;
        }
        add(&mut self.own, -played.forfeited)
    }
}

impl MarketReport {
    /// The row of a place and a strategy.
    #[must_use]
    pub fn row(&self, place: Place, strategy: Strategy) -> Option<&Row> {
        self.rows.iter().find(|row| row.place == place && row.strategy == strategy)
    }

    /// An amount in hundredths of a ten thousandth of what noise traders trade in a place with an honest operator.
    #[must_use]
    pub fn hundredths(&self, place: Place, amount: i128) -> i128 {
        let volume = self.volumes.iter().find(|(of, _)| *of == place).map_or(1, |(_, v)| *v);
        amount.saturating_mul(1_000_000) / volume.max(1)
    }
}

impl fmt::Display for MarketReport {
    /// A table in Markdown; amounts in ten thousandths of the volume of noise traders with an honest operator.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| venue | operator | it extracts | traders' surplus | traders lose | informed | arbitrageur | liquidity |")?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---:|")?;
        for row in &self.rows {
            let parts = |amount: i128| {
                let hundredths = self.hundredths(row.place, amount);
                let sign = if hundredths < 0 { "-" } else { "" };
                format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
            };
            let Row { place, strategy, extracted, surplus, lost, .. } = row;
            let [informed, arbitrageur, liquidity] =
                [row.informed, row.arbitrageur, row.liquidity].map(parts);
            let [extracted, surplus, lost] = [*extracted, *surplus, *lost].map(parts);
            writeln!(
                f,
                "| {place} | {strategy} | {extracted} | {surplus} | {lost} | {informed} | {arbitrageur} | {liquidity} |"
            )?;
        }
        Ok(())
    }
}
