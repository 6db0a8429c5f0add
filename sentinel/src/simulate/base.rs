//! Everyday traffic: real transfers, resampled and stretched over days.

use std::collections::{BTreeMap, BTreeSet};

use bastion_protocol::{Address, Token};

use super::cast::{Book, Cast, Person};
use super::clock::{Span, HOUR};
use super::label::Label;
use super::rows::{Row, Rows};
use super::script::{Amount, Deed, Script};
use super::Random;

/// Of a thousand transfers of people who are no hub, how many become a withdrawal to the own exit
/// address, one to another address, a deposit, a change of the own key, a transfer of the whole balance.
const WITHDRAW: u64 = 45;
const WITHDRAW_ELSEWHERE: u64 = 10;
const DEPOSIT: u64 = 30;
const REKEY: u64 = 2;
const SWEEP: u64 = 25;
/// Hours in which the first deposits arrive.
const FUNDING: u64 = 6 * HOUR;

/// Writes about `operations` deeds over the span, the first deposits first.
pub fn write(
    script: &mut Script,
    cast: &mut Cast,
    rows: &Rows,
    book: &Book,
    operations: usize,
    span: Span,
    random: &mut Random,
) {
    let people = rows.iter().map(|r| r.from).collect::<BTreeSet<_>>().len().max(1);
    let extras = 1 + operations as u64 / (8 * people as u64);
    let mut chosen: Vec<(&[Row], u64)> = Vec::new();
    let mut left = operations;
    while left > 0 {
        let Some(bundle) = random.pick(&rows.bundles) else { break };
        // A transaction of hundreds of transfers would be a burst of its own on a small chain.
        let cut = bundle.len().min(12).min(left);
        left -= cut;
        chosen.push((&bundle[..cut], random.skewed(extras)));
    }
    let open = Span { start: span.start + FUNDING.min((span.end - span.start) / 8), ..span };
    let mut times: Vec<u64> = chosen.iter().map(|_| open.busy(random)).collect();
    times.sort_unstable();
    let mut needs: BTreeMap<(Person, Token), u128> = BTreeMap::new();
    for ((bundle, k), start) in chosen.into_iter().zip(times) {
        let mut at = start;
        for row in bundle {
            at += random.between(3, 400);
            let mut alias = |address: Address| {
                let k = if book.is_hub(address) { 0 } else { k };
                cast.alias(address, k, random)
            };
            let (from, to) = (alias(row.from), alias(row.to));
            let amount = random.stretch(row.amount.min(1 << 100), 1);
            let token = row.token;
            let need = needs.entry((from, token)).or_default();
            *need = need.saturating_add(amount).min(1 << 112);
            let deed = match book.is_hub(row.from) {
                true => pay(from, to, token, Amount::Exactly(amount)),
                false => vary(cast, from, to, token, amount, random),
            };
            script.wish(at, Label::Ordinary, deed);
        }
    }
    let funding = Span { start: span.start, end: open.start };
    for ((who, token), need) in needs {
        let amount = random.stretch(need, 1).saturating_mul(2);
        let at = funding.even(random);
        script.wish(at, Label::Ordinary, Deed::Deposit { who, token, amount });
    }
}

fn pay(from: Person, to: Person, token: Token, amount: Amount) -> Deed {
    Deed::Pay { from, to, token, amount, forged: 0 }
}

/// A transfer, or what people do now and then instead.
fn vary(
    cast: &Cast,
    from: Person,
    to: Person,
    token: Token,
    amount: u128,
    random: &mut Random,
) -> Deed {
    let mut dice = random.below(1000);
    let mut is = |part: u64| {
        let hit = dice < part;
        dice = dice.saturating_sub(part) + if hit { 1000 } else { 0 };
        hit
    };
    let exactly = Amount::Exactly(amount);
    if is(WITHDRAW) {
        Deed::Leave { who: from, token, to: cast.exit(from), amount: exactly }
    } else if is(WITHDRAW_ELSEWHERE) {
        Deed::Leave { who: from, token, to: random.address(), amount: exactly }
    } else if is(DEPOSIT) {
        Deed::Deposit { who: from, token, amount }
    } else if is(REKEY) {
        Deed::Rekey { who: from, token, by: from }
    } else if is(SWEEP) {
        pay(from, to, token, Amount::Share(1000))
    } else {
        pay(from, to, token, exactly)
    }
}
