//! Harm by counterfactual replay: the trace once more without the operations that are suspected, and who
//! has more and who has less.

use super::trace::add;
use super::{Mark, Swap, Venue, BASE};
use crate::{AuctionError, Fill};

/// What some operations did to the others, in units of the quote token at the mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harm {
    /// The places of the suspected operations.
    pub suspects: Vec<usize>,
    /// What they gained, by [`Mark::gain`].
    pub gain: i128,
    /// What each other operation lost by them, by its place: what it has beyond its limit
    /// ([`Mark::surplus`]) without them, less that with them. Negative if it is better off.
    pub losses: Vec<(usize, i128)>,
    /// What the venue's liquidity and its fees lost by them, by [`Mark::gain`].
    pub liquidity: i128,
}

impl Harm {
    /// What all others of the trace lost together, less what some of them gained.
    #[must_use]
    pub fn loss(&self) -> i128 {
        self.losses.iter().fold(0, |sum: i128, (_, loss)| sum.saturating_add(*loss))
    }

    /// Whether the suspects gained and the others lost.
    #[must_use]
    pub fn extracts(&self) -> bool {
        self.gain > 0 && self.loss() > 0
    }
}

/// The harm of some operations of a trace. It need not be known who sent them.
///
/// # Errors
/// What [`Venue::replay`] says; [`AuctionError::Overflow`] for worths beyond 127 bits.
pub fn harm(
    venue: &Venue,
    trace: &[Swap],
    suspects: &[usize],
    mark: Mark,
) -> Result<Harm, AuctionError> {
    harm_of(venue, trace, &venue.replay(trace)?, suspects, mark)
}

/// The same with the fills of the trace at hand.
fn harm_of(
    venue: &Venue,
    trace: &[Swap],
    fills: &[Fill],
    suspects: &[usize],
    mark: Mark,
) -> Result<Harm, AuctionError> {
    let mut harm = Harm { suspects: suspects.to_vec(), gain: 0, losses: Vec::new(), liquidity: 0 };
    let (mut others, mut rest) = (Vec::new(), Vec::new());
    for (place, (swap, fill)) in trace.iter().zip(fills).enumerate() {
        let gain = mark.gain(swap, fill)?;
        add(&mut harm.liquidity, gain)?;
        if suspects.contains(&place) {
            add(&mut harm.gain, gain)?;
        } else {
            others.push((place, mark.surplus(swap, fill)?));
            rest.push(*swap);
        }
    }
    for (((place, with), swap), fill) in others.into_iter().zip(&rest).zip(venue.replay(&rest)?) {
        let mut loss = mark.surplus(swap, &fill)?;
        add(&mut loss, -with)?;
        harm.losses.push((place, loss));
        // What anybody gains at the mark, somebody loses.
        add(&mut harm.liquidity, -mark.gain(swap, &fill)?)?;
    }
    Ok(harm)
}

/// The harm of each single operation.
///
/// # Errors
/// Those of [`harm`].
pub fn each(venue: &Venue, trace: &[Swap], mark: Mark) -> Result<Vec<Harm>, AuctionError> {
    let fills = venue.replay(trace)?;
    (0..trace.len()).map(|place| harm_of(venue, trace, &fills, &[place], mark)).collect()
}

/// The sandwiches of a trace, whoever sent their halves: pairs of opposite swaps that end about where they
/// began (within an eighth of the base token), gain together, and by which the others lose.
///
/// # Errors
/// Those of [`harm`].
pub fn sandwiches(venue: &Venue, trace: &[Swap], mark: Mark) -> Result<Vec<Harm>, AuctionError> {
    let fills = venue.replay(trace)?;
    let base = |swap: &Swap, fill: &Fill| match swap.order.sell {
        BASE => fill.sold,
        _ => fill.bought,
    };
    let all: Vec<(&Swap, u128)> = trace.iter().zip(&fills).map(|(s, f)| (s, base(s, f))).collect();
    let mut found = Vec::new();
    for (front, (first, went)) in all.iter().enumerate() {
        for (back, (last, came)) in all.iter().enumerate().skip(front + 1) {
            let round = *went > 0 && went.abs_diff(*came) <= went / 8;
            if round && first.order.sell == last.order.buy {
                let harm = harm_of(venue, trace, &fills, &[front, back], mark)?;
                if harm.extracts() {
                    found.push(harm);
                }
            }
        }
    }
    Ok(found)
}
