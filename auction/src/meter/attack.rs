//! An attacker who sees all orders before they trade, and puts its own before and after them.

use super::trace::add;
use super::{Mark, Swap, Trader, Venue};
use crate::{AuctionError, Limit};

/// Sizes of a front-run, in sixteenths of the victim's amount.
const SIZES: [u128; 7] = [2, 4, 8, 16, 32, 64, 128];

/// The accounts that an attacker sends from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accounts {
    /// Of what comes before the victim.
    pub front: Trader,
    /// Of what comes after it; the same account or another.
    pub back: Trader,
}

/// What an attacker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// Swaps in the victim's direction before it, and back after it.
    Sandwich,
    /// Swaps in the victim's direction before it, and offers what it got at the victim's limit, still before it.
    Requote,
    /// The same at a price that is better for the victim by a 256th: what an auction's margin lets trade.
    RequoteNear,
    /// Swaps back alone, after the victim.
    BackRun,
}

/// An attack: the trace with the attacker's orders in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// The trace.
    pub trace: Vec<Swap>,
    /// Places of the attacker's orders.
    pub own: Vec<usize>,
    /// What the attacker gains, by [`Mark::gain`].
    pub gain: i128,
    /// What the users lose together, by [`Mark::surplus`]; negative if they gain.
    pub loss: i128,
}

/// What an attacker can do to a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attacks {
    /// The attack with the largest gain. It may do users good: who offers a better price than the others
    /// gains as well.
    pub best: Option<Attack>,
    /// The one with the largest gain among those by which the users lose.
    pub harmful: Option<Attack>,
}

/// The most profitable attacks on a trace over all victims, plans and sizes, found by replaying each: the
/// attacker knows the venue and everybody's order. Attacks without a gain are left out.
///
/// # Errors
/// What [`Venue::replay`] says.
pub fn attacks(
    venue: &Venue,
    users: &[Swap],
    mark: Mark,
    accounts: Accounts,
) -> Result<Attacks, AuctionError> {
    let mut found = Attacks::default();
    let (_, alone) = outcome(venue, users, &[], mark)?;
    for victim in 0..users.len() {
        for plan in [Plan::Sandwich, Plan::Requote, Plan::RequoteNear, Plan::BackRun] {
            for size in SIZES {
                let Some(Inserted { trace, own }) =
                    inserted(venue, users, victim, plan, size, accounts)?
                else {
                    continue;
                };
                let (gain, surplus) = outcome(venue, &trace, &own, mark)?;
                let mut loss = alone;
                add(&mut loss, -surplus)?;
                let attack = Attack { trace, own, gain, loss };
                let more = |other: &Option<Attack>| gain > other.as_ref().map_or(0, |o| o.gain);
                if attack.loss > 0 && more(&found.harmful) {
                    found.harmful = Some(attack.clone());
                }
                if more(&found.best) {
                    found.best = Some(attack);
                }
            }
        }
    }
    Ok(found)
}

/// What the swaps at some places gain, and the surplus of all others.
fn outcome(
    venue: &Venue,
    trace: &[Swap],
    own: &[usize],
    mark: Mark,
) -> Result<(i128, i128), AuctionError> {
    let (mut gain, mut surplus) = (0, 0);
    for (place, (swap, fill)) in trace.iter().zip(venue.replay(trace)?).enumerate() {
        match own.contains(&place) {
            true => add(&mut gain, mark.gain(swap, &fill)?)?,
            false => add(&mut surplus, mark.surplus(swap, &fill)?)?,
        }
    }
    Ok((gain, surplus))
}

/// A trace with the attacker's orders, and their places.
struct Inserted {
    trace: Vec<Swap>,
    own: Vec<usize>,
}

/// The trace with the attacker's orders; `None` if the plan cannot be carried out.
fn inserted(
    venue: &Venue,
    users: &[Swap],
    victim: usize,
    plan: Plan,
    size: u128,
    accounts: Accounts,
) -> Result<Option<Inserted>, AuctionError> {
    let Some(target) = users.get(victim) else { return Ok(None) };
    let amount = (target.order.amount / 16).checked_mul(size).unwrap_or(0);
    // Any price: the least limit there is.
    let any = Limit::new(1 << 63, Limit::MAX_EXPONENT)?;
    if amount == 0 {
        return Ok(None);
    }
    let before = users.get(..victim).unwrap_or_default();
    let after = users.get(victim + 1..).unwrap_or_default();
    let front = Swap::new(accounts.front, target.order.sell, amount, any);
    let mut trace = before.to_vec();
    if plan == Plan::BackRun {
        // About what the victim buys, at its limit.
        let Ok(bought) = u128::try_from(target.order.limit.least(amount)) else { return Ok(None) };
        trace.extend([*target, Swap::new(accounts.back, target.order.buy, bought, any)]);
        trace.extend(after);
        return Ok(Some(Inserted { trace, own: vec![victim + 1] }));
    }
    trace.push(front);
    trace.push(*target);
    trace.extend(after);
    // What the front-run brings is what goes back.
    let brought = venue.replay(&trace)?.get(victim).map_or(0, |fill| fill.bought);
    if brought == 0 {
        return Ok(None);
    }
    // The other side of the victim's limit.
    let better = match plan {
        Plan::Requote => Some(127),
        Plan::RequoteNear => Some(8),
        Plan::Sandwich | Plan::BackRun => None,
    };
    let (place, limit) = match better.map(|better| opposite(target.order.limit, better)) {
        Some(Some(limit)) => (victim + 1, limit),
        Some(None) => return Ok(None),
        None => (victim + 2, any),
    };
    trace.insert(place, Swap::new(accounts.back, target.order.buy, brought, limit));
    Ok(Some(Inserted { trace, own: vec![victim, place] }))
}

/// The price that an order with this limit just accepts, or better for it by `1 / 2^better`, as the limit of
/// who trades with it.
fn opposite(limit: Limit, better: u32) -> Option<Limit> {
    // A little more than the limit, since what comes out is rounded up: 2^-59 of it.
    let asked = u128::from(limit.mantissa()) + 16;
    Limit::of(1 << limit.exponent(), asked + (asked >> better)).ok()
}
