//! What an operator does with its place.

use super::agents::{Agent, Round, OPERATOR};
use super::freedom::clearings;
use super::strategy::{Place, Strategy};
use crate::meter::flow::UNIT;
use crate::meter::trace::add;
use crate::meter::{attacks, Accounts, Mark, Swap, Venue, BASE, QUOTE};
use crate::sample::Rng;
use crate::{post, solve, Auction, AuctionError, Fill};
use bastion_protocol::Token;

/// What blind orders of the operator sell, in the smallest orders.
const BLIND: u64 = 16;
/// Orders that are tried at random, beside those that put the operator's own order at every place.
const RANDOM_ORDERS: u64 = 24;

/// A round as it was traded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Played {
    pub orders: Vec<(Agent, Swap)>,
    pub fills: Vec<Fill>,
    /// Bonds that the operator lost.
    pub forfeited: i128,
}

impl Played {
    fn new(venue: &Venue, orders: Vec<(Agent, Swap)>) -> Result<Self, AuctionError> {
        let trace: Vec<Swap> = orders.iter().map(|(_, swap)| *swap).collect();
        Ok(Self { fills: venue.replay(&trace)?, orders, forfeited: 0 })
    }

    /// What an agent gained, the operator after its bonds.
    pub fn gain(&self, agent: Agent, mark: Mark) -> Result<i128, AuctionError> {
        let mut sum = if agent == Agent::Operator { -self.forfeited } else { 0 };
        for ((of, swap), fill) in self.orders.iter().zip(&self.fills) {
            if *of == agent {
                add(&mut sum, mark.gain(swap, fill)?)?;
            }
        }
        Ok(sum)
    }
}

/// The best of several outcomes for the operator.
struct Best {
    mark: Mark,
    gain: i128,
    played: Played,
}

impl Best {
    fn new(mark: Mark, played: Played) -> Result<Self, AuctionError> {
        Ok(Self { mark, gain: played.gain(Agent::Operator, mark)?, played })
    }

    /// Takes an outcome if it is better; says whether.
    fn offer(&mut self, played: Played) -> Result<bool, AuctionError> {
        let gain = played.gain(Agent::Operator, self.mark)?;
        let better = gain > self.gain;
        if better {
            (self.gain, self.played) = (gain, played);
        }
        Ok(better)
    }
}

/// The round as this operator lets it happen. Randomness is for what it has to guess.
pub(super) fn play(
    place: Place,
    strategy: Strategy,
    round: &Round,
    rng: &mut Rng,
) -> Result<Played, AuctionError> {
    let venue = place.venue(round);
    let blind = place == Place::BlindAuction;
    let honest = Played::new(&venue, round.orders.clone())?;
    let best = Best::new(round.mark, honest)?;
    match strategy {
        Strategy::Honest => Ok(best.played),
        Strategy::Reorder => reorder(&venue, best, rng),
        Strategy::Insert if blind => {
            guess(&venue, round, if rng.below(2) == 0 { BASE } else { QUOTE })
        }
        Strategy::Insert => insert(&venue, best),
        Strategy::Censor if blind => {
            let mut orders = round.orders.clone();
            let others: Vec<usize> =
                (0..orders.len()).filter(|i| orders[*i].0 != Agent::Operator).collect();
            if let Some(place) = others.get(rng.below(others.len() as u64) as usize) {
                orders.remove(*place);
            }
            Played::new(&venue, orders)
        }
        Strategy::Censor => censor(&venue, best),
        Strategy::Prices => prices(&venue, best),
        Strategy::Withhold { bond } => withhold(&venue, round, bond),
    }
}

/// The round with an order of the operator on a side that it guesses.
pub(super) fn guess(venue: &Venue, round: &Round, sell: Token) -> Result<Played, AuctionError> {
    let own = (Agent::Operator, guessed(round, sell)?);
    Played::new(venue, [&round.orders[..], &[own]].concat())
}

/// An order of the operator that knows only the price that everybody knows.
fn guessed(round: &Round, sell: Token) -> Result<Swap, AuctionError> {
    round.block.swap(OPERATOR, sell, u128::from(BLIND * UNIT), 9_900)
}

/// Own order at every place among the others, which arrive as they did, buyers first, sellers first, or at random.
fn reorder(venue: &Venue, mut best: Best, rng: &mut Rng) -> Result<Played, AuctionError> {
    let (own, others): (Vec<_>, Vec<_>) =
        best.played.orders.iter().copied().partition(|(agent, _)| *agent == Agent::Operator);
    let sorted = |first| {
        let mut sorted = others.clone();
        sorted.sort_by_key(|(_, swap)| swap.order.sell != first);
        sorted
    };
    for others in [others.clone(), sorted(BASE), sorted(QUOTE)] {
        for place in 0..=others.len() {
            let (before, after) = others.split_at(place);
            best.offer(Played::new(venue, [before, &own, after].concat())?)?;
        }
    }
    for _ in 0..RANDOM_ORDERS {
        let mut orders = best.played.orders.clone();
        for i in (1..orders.len()).rev() {
            orders.swap(i, rng.below(i as u64 + 1) as usize);
        }
        best.offer(Played::new(venue, orders)?)?;
    }
    Ok(best.played)
}

/// The best attack on any of the orders.
fn insert(venue: &Venue, mut best: Best) -> Result<Played, AuctionError> {
    let trace: Vec<Swap> = best.played.orders.iter().map(|(_, swap)| *swap).collect();
    let accounts = Accounts { front: OPERATOR + 1, back: OPERATOR + 2 };
    if let Some(attack) = attacks(venue, &trace, best.mark, accounts)?.best {
        let mut others = best.played.orders.iter().map(|(agent, _)| *agent);
        let agents = (0..attack.trace.len()).map(|place| match attack.own.contains(&place) {
            true => Agent::Operator,
            false => others.next().unwrap_or(Agent::Operator),
        });
        let orders = agents.zip(attack.trace.iter().copied()).collect();
        best.offer(Played::new(venue, orders)?)?;
    }
    Ok(best.played)
}

/// Leaves out one after the other, as long as it helps.
fn censor(venue: &Venue, mut best: Best) -> Result<Played, AuctionError> {
    let mut place = 0;
    while let Some((agent, _)) = best.played.orders.get(place) {
        let mut orders = best.played.orders.clone();
        let own = *agent == Agent::Operator;
        orders.remove(place);
        if own || !best.offer(Played::new(venue, orders)?)? {
            place += 1;
        }
    }
    Ok(best.played)
}

/// Other prices and fractions that keep the rule; there are none outside of an auction.
fn prices(venue: &Venue, mut best: Best) -> Result<Played, AuctionError> {
    let Venue::Uniform(uniform) = venue else { return Ok(best.played) };
    let own = best.played.orders.iter().map(|(_, swap)| swap.order);
    let orders = own.chain(uniform.makers.iter().map(|swap| swap.order)).collect();
    let auction = Auction::new(orders, uniform.terms)?;
    let given = post(&auction, &solve(&auction));
    for mut posted in clearings(&auction, given) {
        posted.fills.truncate(best.played.orders.len());
        best.offer(Played { fills: posted.fills, ..best.played.clone() })?;
    }
    Ok(best.played)
}

/// Two blind orders, of which it reveals none, one or both.
fn withhold(venue: &Venue, round: &Round, bond: u16) -> Result<Played, AuctionError> {
    let own = [guessed(round, BASE)?, guessed(round, QUOTE)?];
    let played = |revealed: [bool; 2]| {
        let mut orders = round.orders.clone();
        let mut forfeited = 0;
        for (swap, revealed) in own.iter().zip(revealed) {
            match revealed {
                true => orders.push((Agent::Operator, *swap)),
                false => {
                    let sold = Fill { sold: swap.order.amount, bought: 0 };
                    let worth = -round.block.mark.gain(swap, &sold)?;
                    add(&mut forfeited, worth / 10_000 * i128::from(bond))?;
                }
            }
        }
        Ok::<_, AuctionError>(Played { forfeited, ..Played::new(venue, orders)? })
    };
    let mut best = Best::new(round.mark, played([true, true])?)?;
    for revealed in [[true, false], [false, true], [false, false]] {
        best.offer(played(revealed)?)?;
    }
    Ok(best.played)
}
