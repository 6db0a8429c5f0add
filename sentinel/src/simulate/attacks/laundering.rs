//! Loot on its way out.

use crate::simulate::clock::{HOUR, MINUTE, SECOND};
use crate::simulate::label::{Family, Role};
use crate::simulate::script::Amount;
use crate::simulate::stage::{Stage, TRUNK};

/// Stolen money passes through 12 to 30 new accounts; each sheds a part to L1 before it passes the rest.
pub fn peel(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(12 * HOUR).even(&mut stage.random);
    let (victim, token, _) = stage.victim(at);
    let mut holder = stage.stranger();
    let hops = stage.random.between(12, 30);
    let mut hand = stage.attack(Family::PeelChain);
    hand.robs(victim, at);
    let all = Amount::Share(950);
    hand.pay(at, (TRUNK, Role::Take), (victim, holder), token, all);
    let mut now = at;
    for _ in 0..hops {
        let shed = stage.later(now, 10 * SECOND, 10 * MINUTE);
        now = stage.later(shed, 5 * SECOND, 10 * MINUTE);
        let (next, exit) = (stage.stranger(), stage.random.address());
        let part = stage.random.between(30, 100);
        let mut hand = stage.attack(Family::PeelChain);
        hand.leave(shed, TRUNK, holder, token, exit, part);
        hand.pay(now, (TRUNK, Role::Take), (holder, next), token, Amount::Share(1000));
        holder = next;
    }
    let exit = stage.random.address();
    now = stage.later(now, MINUTE, 30 * MINUTE);
    stage.attack(Family::PeelChain).leave(now, TRUNK, holder, token, exit, 1000);
}
