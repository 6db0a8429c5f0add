//! Attacks on who trades.

use crate::simulate::clock::{HOUR, MINUTE, SECOND};
use crate::simulate::label::{Family, Role};
use crate::simulate::script::{Amount, Deed};
use crate::simulate::stage::{Stage, TRUNK};

/// Three to six accounts of one owner pass nearly the same amount around. Somebody is impressed, and pays
/// one of them.
pub fn wash(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(8 * HOUR).even(&mut stage.random);
    let (mark, token, _) = stage.victim(at);
    let amount = stage.amount(token, 500, 900);
    let ring: Vec<_> = (0..stage.random.between(3, 6)).map(|_| stage.stranger()).collect();
    let exit = stage.random.address();
    let deposit = Deed::Deposit { who: ring[0], token, amount };
    stage.attack(Family::WashTrading).deed(at, TRUNK, Role::Prepare, deposit);
    let mut now = at + MINUTE;
    let turns = stage.random.between(20, 60) as usize;
    for turn in 0..turns {
        now = stage.later(now, 2 * SECOND, 90 * SECOND);
        let pair = (ring[turn % ring.len()], ring[(turn + 1) % ring.len()]);
        let share = Amount::Share(stage.random.between(960, 1000));
        let mut hand = stage.attack(Family::WashTrading);
        hand.pay(now, (TRUNK, Role::Prepare), pair, token, share);
    }
    let seller = ring[turns % ring.len()];
    let taken = stage.later(now, MINUTE, 2 * HOUR);
    let out = stage.later(taken, MINUTE, HOUR);
    let share = stage.random.between(300, 800);
    let mut hand = stage.attack(Family::WashTrading);
    hand.pay(taken, (TRUNK, Role::Take), (mark, seller), token, Amount::Share(share));
    hand.leave(out, TRUNK, seller, token, exit, 1000);
}

/// The attacker pays the pool just before a large payment and is paid more just after. A lane is one
/// sandwich; what is lost is the gain.
pub fn sandwich(stage: &mut Stage<'_>) {
    let mut now = stage.span.but_last(8 * HOUR).even(&mut stage.random);
    let (pool, token) = stage.hub();
    let other = match stage.book.token(&mut stage.random) {
        t if t == token => u16::from(token == 0),
        t => t,
    };
    let attacker = stage.stranger();
    let start = stage.amount(token, 900, 990);
    stage.ordinary(now, Deed::Deposit { who: attacker, token, amount: start });
    for token in [token, other] {
        let amount = stage.amount(token, 900, 990).saturating_mul(1000);
        let amount = amount.max(start.saturating_mul(100));
        stage.ordinary(now, Deed::Deposit { who: pool, token, amount });
    }
    for lane in 1..=stage.random.between(2, 5) as u16 {
        now = stage.later(now, 10 * MINUTE, HOUR);
        let victim = match stage.somebody().0 {
            own if own == pool => stage.stranger(),
            victim => victim,
        };
        let large = start.saturating_mul(u128::from(stage.random.between(1, 4)));
        let front = start / 2;
        let gain = (front / 1000 * u128::from(stage.random.between(5, 30))).max(1);
        let bought = stage.amount(other, 500, 900);
        stage.ordinary(
            now - 5 * MINUTE,
            Deed::Deposit { who: victim, token, amount: large.saturating_mul(2) },
        );
        let gap = stage.random.between(5, 60);
        let mut hand = stage.attack(Family::Sandwich);
        let legs = [
            (Role::Take, (attacker, pool), token, front),
            (Role::Bystander, (pool, attacker), other, bought),
            (Role::Bystander, (victim, pool), token, large),
            (Role::Bystander, (pool, victim), other, bought),
            (Role::Take, (attacker, pool), other, bought / 1000 * 990),
            (Role::Lose, (pool, attacker), token, front + gain),
        ];
        for (i, (role, pair, token, amount)) in (0..).zip(legs) {
            let amount = Amount::Exactly(amount.max(1));
            hand.pay(now + i * gap, (lane, role), pair, token, amount);
        }
        hand.loses(gain);
    }
}
