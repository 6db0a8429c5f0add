//! Honest events that look like attacks, one function a kind.

use super::clock::{DAY, HOUR, MINUTE, SECOND};
use super::label::LookAlike;
use super::script::{Amount, Deed};
use super::stage::Stage;

/// Writes one event of a kind.
pub fn write(kind: LookAlike, stage: &mut Stage<'_>) {
    match kind {
        LookAlike::FlashCrowd => flash_crowd(stage),
        LookAlike::Airdrop => airdrop(stage),
        LookAlike::Rebalancing => rebalancing(stage),
        LookAlike::Payroll => payroll(stage),
        LookAlike::KeyMigration => key_migration(stage),
        LookAlike::WhaleMove => whale_move(stage),
        LookAlike::MerchantClose => merchant_close(stage),
    }
}

/// 100 to 250 people pay one address within five minutes.
fn flash_crowd(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(HOUR).busy(&mut stage.random);
    let token = stage.book.token(&mut stage.random);
    let (sale, price) = (stage.stranger(), stage.amount(token, 300, 700));
    for _ in 0..stage.random.between(100, 250) {
        let (from, _) = stage.somebody();
        let now = stage.later(at, 0, 5 * MINUTE);
        let amount = Amount::Exactly(price * u128::from(stage.random.between(1, 4)));
        let deed = Deed::Pay { from, to: sale, token, amount, forged: 0 };
        stage.alike(now, LookAlike::FlashCrowd, deed);
    }
}

/// A project pays 80 to 200 people the same small amount within minutes.
fn airdrop(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(2 * HOUR).busy(&mut stage.random);
    let token = stage.book.token(&mut stage.random);
    let project = stage.stranger();
    let each = stage.amount(token, 50, 300);
    let deposit = Deed::Deposit { who: project, token, amount: each.saturating_mul(300) };
    stage.alike(at, LookAlike::Airdrop, deposit);
    let mut now = at + 10 * MINUTE;
    for _ in 0..stage.random.between(80, 200) {
        now = stage.later(now, 100, 3 * SECOND);
        let to = match stage.random.chance(200) {
            true => stage.stranger(),
            false => stage.somebody().0,
        };
        let amount = Amount::Exactly(each);
        let deed = Deed::Pay { from: project, to, token, amount, forged: 0 };
        stage.alike(now, LookAlike::Airdrop, deed);
    }
}

/// A hub sends nine tenths to its cold account, which withdraws or sends back some hours later.
fn rebalancing(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(8 * HOUR).even(&mut stage.random);
    let (hot, token) = stage.hub();
    // One cold account a hub, so that it becomes known.
    let address = stage.cast.exit(hot);
    let cold = stage.cast.alias(address, 1, &mut stage.random);
    let pay =
        |from, to, share| Deed::Pay { from, to, token, amount: Amount::Share(share), forged: 0 };
    let kind = LookAlike::Rebalancing;
    let share = stage.random.between(700, 950);
    stage.alike(at, kind, pay(hot, cold, share));
    let then = stage.later(at, 10 * MINUTE, 6 * HOUR);
    let to = stage.cast.exit(cold);
    let deed = match stage.random.chance(500) {
        true => Deed::Leave { who: cold, token, to, amount: Amount::Share(900) },
        false => pay(cold, hot, 800),
    };
    stage.alike(then, kind, deed);
}

/// 20 to 80 people are paid in a row, the same on each of up to four days.
fn payroll(stage: &mut Stage<'_>) {
    let at = stage.span.even(&mut stage.random);
    let token = stage.book.token(&mut stage.random);
    let employer = stage.stranger();
    let staff: Vec<_> = (0..stage.random.between(20, 80))
        .map(|_| (stage.somebody().0, stage.amount(token, 400, 700)))
        .collect();
    let wages = staff.iter().fold(0u128, |sum, (_, wage)| sum.saturating_add(*wage));
    let end = stage.span.end;
    for day in (0..4).map(|n| at + n * DAY).take_while(|day| day + HOUR < end) {
        let amount = wages.saturating_add(wages / 50);
        let deposit = Deed::Deposit { who: employer, token, amount };
        stage.alike(day, LookAlike::Payroll, deposit);
        let mut now = day + 20 * MINUTE;
        for (to, wage) in &staff {
            now = stage.later(now, 100, 2 * SECOND);
            let amount = Amount::Exactly(*wage);
            let deed = Deed::Pay { from: employer, to: *to, token, amount, forged: 0 };
            stage.alike(now, LookAlike::Payroll, deed);
        }
    }
}

/// 30 to 80 people replace their keys within an hour; a third of them pay somebody soon after.
fn key_migration(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(3 * HOUR).busy(&mut stage.random);
    for _ in 0..stage.random.between(30, 80) {
        let (who, token) = stage.somebody();
        let now = stage.later(at, 0, HOUR);
        let kind = LookAlike::KeyMigration;
        stage.alike(now, kind, Deed::Rekey { who, token, by: who });
        if stage.random.chance(333) {
            let (then, to) = (stage.later(now, MINUTE, HOUR), stage.somebody().0);
            let share = Amount::Share(stage.random.between(50, 600));
            if to != who {
                let deed = Deed::Pay { from: who, to, token, amount: share, forged: 0 };
                stage.alike(then, kind, deed);
            }
        }
    }
}

/// A rich owner moves everything to a new account, and goes on from there.
fn whale_move(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(10 * HOUR).even(&mut stage.random);
    let (whale, token, amount) = stage.victim(at);
    let new = stage.stranger();
    let pay = |from, to, amount| Deed::Pay { from, to, token, amount, forged: 0 };
    let kind = LookAlike::WhaleMove;
    stage.alike(at, kind, pay(whale, new, Amount::Exactly(amount / 1000)));
    let mut now = stage.later(at, MINUTE, HOUR);
    stage.alike(now, kind, pay(whale, new, Amount::Share(1000)));
    for _ in 0..stage.random.between(2, 5) {
        now = stage.later(now, 10 * MINUTE, 2 * HOUR);
        let to = stage.somebody().0;
        let share = Amount::Share(stage.random.between(5, 50));
        stage.alike(now, kind, pay(new, to, share));
    }
}

/// A shop is paid 40 to 120 times in a day, and withdraws all of it in the evening.
fn merchant_close(stage: &mut Stage<'_>) {
    let at = stage.span.but_last(14 * HOUR).even(&mut stage.random);
    let token = stage.book.token(&mut stage.random);
    let shop = stage.stranger();
    let kind = LookAlike::MerchantClose;
    for _ in 0..stage.random.between(40, 120) {
        let (from, now) = (stage.somebody().0, stage.later(at, 0, 12 * HOUR));
        let amount = Amount::Exactly(stage.amount(token, 100, 500));
        stage.alike(now, kind, Deed::Pay { from, to: shop, token, amount, forged: 0 });
    }
    let to = stage.cast.exit(shop);
    let leave = Deed::Leave { who: shop, token, to, amount: Amount::Share(1000) };
    stage.alike(at + 13 * HOUR, kind, leave);
}
