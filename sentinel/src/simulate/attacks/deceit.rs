//! Attacks that make the victim pay.

use bastion_protocol::Address;

use crate::simulate::cast::Person;
use crate::simulate::clock::{HOUR, MINUTE, SECOND};
use crate::simulate::label::{Family, Role};
use crate::simulate::script::{Amount, Deed};
use crate::simulate::stage::{Stage, TRUNK};

/// A lane on which no money is lost.
const ASIDE: u16 = u16::MAX;

/// Dust to dozens of accounts within minutes. Hours later some of their owners sign what they are shown.
/// Each of them is a lane, which begins with his dust.
pub fn dusting(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(12 * HOUR).even(&mut stage.random);
    let token = stage.book.token(&mut stage.random);
    let sprayer = stage.stranger();
    let amount = stage.amount(token, 300, 700);
    let deposit = Deed::Deposit { who: sprayer, token, amount };
    stage.attack(Family::Dusting).deed(at, ASIDE, Role::Prepare, deposit);
    let dust = Amount::Exactly((amount / 1_000_000).max(1));
    let targets = stage.random.between(40, 100);
    let phished = stage.random.between(2, 5);
    let mut now = at + MINUTE;
    let mut victims: Vec<Person> = Vec::new();
    for target in 0..targets {
        let who = match target < phished {
            true => stage.victim_of(token, at),
            false => stage.somebody().0,
        };
        if target < phished {
            victims.push(who);
        }
        now = stage.later(now, 200, 8 * SECOND);
        let lane = if target < phished { victims.len() as u16 } else { ASIDE };
        let mut hand = stage.attack(Family::Dusting);
        hand.pay(now, (lane, Role::Prepare), (sprayer, who), token, dust);
    }
    for (lane, victim) in (1..).zip(victims) {
        let taken = stage.later(now, HOUR, 8 * HOUR);
        let out = stage.later(taken, MINUTE, 2 * HOUR);
        let share = stage.random.between(850, 1000);
        let (phisher, exit) = (stage.stranger(), stage.random.address());
        let mut hand = stage.attack(Family::Dusting);
        hand.robs(victim, taken);
        hand.pay(taken, (lane, Role::Take), (victim, phisher), token, Amount::Share(share));
        hand.leave(out, lane, phisher, token, exit, 1000);
    }
}

/// After a payment to a friend the victim gets a speck from an address with the same first and last
/// bytes, and pays that address the next time.
pub fn poisoning(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(16 * HOUR).even(&mut stage.random);
    let (victim, token, amount) = stage.victim(at);
    let friend = stage.stranger();
    let alike = resembling(stage.cast.exit(friend), stage.random.address());
    let (alike, attacker) = (stage.cast.join(alike), stage.stranger());
    let exit = stage.random.address();
    let usual = |amount| Deed::Pay {
        from: victim,
        to: friend,
        token,
        amount: Amount::Exactly(amount),
        forged: 0,
    };
    let mut now = at;
    for _ in 0..stage.random.between(2, 4) {
        let some = stage.random.stretch(amount / 40, 1);
        stage.ordinary(now, usual(some));
        now = stage.later(now, MINUTE, 20 * MINUTE);
    }
    let seed = stage.amount(token, 200, 500);
    let speck = Amount::Exactly((seed / 1_000_000).max(1));
    let times = [0, 1, 2, 3, 4].map(|_| {
        now = stage.later(now, 5 * SECOND, 5 * MINUTE);
        now
    });
    let taken = stage.later(now, HOUR, 8 * HOUR);
    let out = stage.later(taken, 10 * SECOND, HOUR);
    let share = stage.random.between(300, 700);
    let mut hand = stage.attack(Family::AddressPoisoning);
    let prepare = (TRUNK, Role::Prepare);
    let deposit = Deed::Deposit { who: attacker, token, amount: seed };
    hand.deed(times[0], TRUNK, Role::Prepare, deposit);
    hand.pay(times[1], prepare, (attacker, alike), token, Amount::Share(10));
    hand.pay(times[2], prepare, (alike, victim), token, speck);
    hand.pay(taken, (TRUNK, Role::Take), (victim, alike), token, Amount::Share(share));
    hand.leave(out, TRUNK, alike, token, exit, 1000);
}

/// An address with the first two and the last two bytes of another.
fn resembling(known: Address, mut other: Address) -> Address {
    other.0[..2].copy_from_slice(&known.0[..2]);
    other.0[18..].copy_from_slice(&known.0[18..]);
    other
}
