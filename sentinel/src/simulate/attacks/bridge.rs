//! Money that nobody paid in.

use crate::simulate::clock::{HOUR, MINUTE, SECOND};
use crate::simulate::label::{Family, Role};
use crate::simulate::script::{Amount, Deed};
use crate::simulate::stage::{Stage, TRUNK};

/// Two forms. In one the trace of a small transfer credits more than was paid, as a broken or bought
/// executor would. In the other L1 is deceived, and a deposit far above what is usual arrives at a new
/// account: the chain itself conserves value. Either way it is split and leaves at once, a lane a part.
pub fn forgery(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(4 * HOUR).even(&mut stage.random);
    let token = stage.book.token(&mut stage.random);
    let forger = stage.stranger();
    let worth = stage.amount(token, 900, 1000).saturating_mul(20);
    let mut now = at;
    // Alternating, so that any two attacks show both.
    if stage.id.is_multiple_of(2) {
        let payer = stage.stranger();
        let seed = stage.amount(token, 200, 500);
        let prepare = Role::Prepare;
        let few = Amount::Share(100);
        let times = [0, 1, 2].map(|_| {
            now = stage.later(now, 5 * SECOND, 2 * MINUTE);
            now
        });
        let mut hand = stage.attack(Family::BridgeForgery);
        let deposit = Deed::Deposit { who: payer, token, amount: seed };
        hand.deed(times[0], TRUNK, prepare, deposit);
        hand.pay(times[1], (TRUNK, prepare), (payer, forger), token, few);
        let forged = Deed::Pay { from: payer, to: forger, token, amount: few, forged: worth };
        hand.deed(times[2], TRUNK, Role::Take, forged);
    } else {
        let deposit = Deed::Deposit { who: forger, token, amount: worth };
        stage.attack(Family::BridgeForgery).deed(at, TRUNK, Role::Take, deposit);
    }
    let parts = stage.random.between(1, 4);
    for lane in 1..=parts {
        now = stage.later(now, 3 * SECOND, 3 * MINUTE);
        let out = stage.later(now, 5 * SECOND, 10 * MINUTE);
        let (mule, exit) = (stage.stranger(), stage.random.address());
        let share = Amount::Share(1000 / (parts - lane + 1));
        let mut hand = stage.attack(Family::BridgeForgery);
        hand.pay(now, (lane as u16, Role::Take), (forger, mule), token, share);
        hand.leave(out, lane as u16, mule, token, exit, 1000);
    }
}
