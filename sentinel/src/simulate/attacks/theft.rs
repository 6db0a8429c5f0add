//! Thefts with a stolen key.

use crate::simulate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::simulate::label::{Family, Role};
use crate::simulate::script::{Amount, Deed};
use crate::simulate::stage::{Stage, TRUNK};

/// One to four tokens of a wallet go to the thief within seconds, and leave within minutes. Each token
/// is a lane.
pub fn drain(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(6 * HOUR).even(&mut stage.random);
    let (victim, first, _) = stage.victim(at);
    let thief = stage.stranger();
    let exit = stage.random.address();
    let mut tokens = vec![first];
    for _ in 0..stage.random.below(4) {
        let token = stage.book.token(&mut stage.random);
        if !tokens.contains(&token) {
            stage.fund(victim, token, at);
            tokens.push(token);
        }
    }
    let mut now = at;
    for (lane, token) in (1..).zip(tokens) {
        now = stage.later(now, SECOND, 20 * SECOND);
        let share = stage.random.between(900, 1000);
        let out = stage.later(now, MINUTE, 40 * MINUTE);
        let mut hand = stage.attack(Family::Drain);
        hand.robs(victim, at);
        hand.pay(now, (lane, Role::Take), (victim, thief), token, Amount::Share(share));
        hand.leave(out, lane, thief, token, exit, 1000);
    }
}

/// The key goes first, the money in one to three parts some time after.
pub fn key_theft(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(8 * HOUR).even(&mut stage.random);
    let (victim, token, _) = stage.victim(at);
    let thief = stage.stranger();
    let mule = stage.stranger();
    let exit = stage.random.address();
    let parts = stage.random.between(1, 3);
    let mut now = stage.later(at, MINUTE, 3 * HOUR);
    let mut hand = stage.attack(Family::KeyTheft);
    hand.robs(victim, at);
    hand.deed(at, TRUNK, Role::Prepare, Deed::Rekey { who: victim, token, by: thief });
    for left in (1..=parts).rev() {
        now = stage.later(now, 10 * SECOND, 30 * MINUTE);
        let mut hand = stage.attack(Family::KeyTheft);
        let share = Amount::Share(1000 / left);
        hand.pay(now, (TRUNK, Role::Take), (victim, mule), token, share);
    }
    now = stage.later(now, MINUTE, HOUR);
    stage.attack(Family::KeyTheft).leave(now, TRUNK, mule, token, exit, 1000);
}

/// Two to five hundredths every few hours, to one or two receivers who withdraw now and then.
pub fn slow_leak(stage: &mut Stage<'_>) {
    let start = stage.span.but_last(3 * DAY);
    let at = start.even(&mut stage.random);
    let (victim, token, _) = stage.victim(at);
    let mules = [stage.stranger(), stage.stranger()];
    let exit = stage.random.address();
    let rounds = stage.random.between(15, 35);
    let step = (stage.span.end - at) / (rounds + 4);
    let mut now = at;
    for round in 0..rounds {
        now = stage.later(now, step / 2, step);
        let mule = mules[(round % 2) as usize];
        let share = Amount::Share(stage.random.between(20, 50));
        let out = stage.later(now, step / 8, step / 4);
        let mut hand = stage.attack(Family::SlowLeak);
        hand.pay(now, (TRUNK, Role::Take), (victim, mule), token, share);
        if round % 4 >= 2 || round + 2 >= rounds {
            hand.leave(out, TRUNK, mule, token, exit, 1000);
        }
    }
}

/// Withdrawals that double, until one is as large as such withdrawals pass; then the rest in parts.
pub fn limit_probing(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(10 * HOUR).even(&mut stage.random);
    let (victim, token, amount) = stage.victim(at);
    let exit = stage.random.address();
    let probes = stage.random.between(5, 8);
    let parts = stage.random.between(4, 9);
    let mut now = at;
    for probe in 0..probes + parts {
        now = stage.later(now, 20 * SECOND, 25 * MINUTE);
        let part = match probe < probes {
            true => Amount::Exactly(((amount / 5) >> (probes - probe)).max(1)),
            false => Amount::Share(1000 / (probes + parts - probe)),
        };
        let mut hand = stage.attack(Family::LimitProbing);
        hand.robs(victim, at);
        let leave = Deed::Leave { who: victim, token, to: exit, amount: part };
        hand.deed(now, TRUNK, Role::Lose, leave);
    }
}
