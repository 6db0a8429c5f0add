use super::*;
use crate::header::domain;
use crate::keys::SecretKey;
use crate::ops::{Action, Body};
use crate::receipt::Place;
use crate::Limit;
use proptest::prelude::*;

const CHAIN: u64 = 31_337;
const CONTRACT: Address = Address([7; 20]);
const TIME: u64 = 1_800_000_000;
const BURNED: Index = 900;

fn order() -> Body {
    let limit = Limit::of(3_000_000_000, 1_000_000_000_000_000_000).unwrap();
    let amount = 1_500_000_000_000_000_000;
    let action = Action::Order { to: 12, buy: 1, amount, limit };
    Body { account: 11, token: 0, nonce: 5, deadline: TIME, fee: 70, action }
}

fn domain_of_rollup() -> Fr {
    domain(CHAIN, CONTRACT)
}

fn hidden(body: Body) -> Hidden {
    let key = SecretKey::from_seed(b"owner");
    Hidden::new(body, vec![12, 13], (BURNED, 1_000), &key, domain_of_rollup()).unwrap()
}

fn terms(hidden: &Hidden) -> Terms {
    let paid = [(12, 1), (13, 2)].map(|(account, token)| Paid { account, token });
    Terms {
        message: hidden.request.message,
        account: 11,
        token: 0,
        nonce: 5,
        available: 2_000_000_000_000_000_000,
        paid: paid.to_vec(),
        reveal_by: TIME + 600,
    }
}

fn receipt(hidden: &Hidden, terms: &Terms) -> BlindReceipt {
    let Request { leaf, .. } = hidden.request;
    let place = Place { block: 2, batch: 3, position: 4 };
    let receipt = Receipt { epoch: 1, place, operation: terms.hash(), leaf, time: TIME };
    BlindReceipt { receipt, forfeit: hidden.request.forfeit_leaf().unwrap() }
}

#[test]
fn what_was_hidden_opens() {
    let hidden = hidden(conceal(order(), [77, 99]).unwrap());
    let terms = terms(&hidden);
    terms.check().unwrap();
    terms.check_opening(&receipt(&hidden, &terms), &hidden.opening, domain_of_rollup()).unwrap();
    // It is an order like any other.
    let signed = hidden.request.signed(terms.body(&hidden.opening));
    let message = signed.body.message(domain_of_rollup(), Address([0; 20])).unwrap();
    assert!(signed.key.verify(message, &signed.signature));
    assert_eq!(message, terms.message);
}

#[test]
fn nothing_else_opens() {
    let hidden = hidden(order());
    let agreed = terms(&hidden);
    let blind = receipt(&hidden, &agreed);
    let opening = hidden.opening;
    let other = |what: &str, terms: &Terms, opening: &Opening| {
        let refused = terms.check_opening(&blind, opening, domain_of_rollup());
        assert!(matches!(refused, Err(BlindError::OtherOrder { .. })), "{what}: {refused:?}");
    };
    other("to", &agreed, &Opening { to: 13, ..opening });
    other("buy", &agreed, &Opening { buy: 2, ..opening });
    other("amount", &agreed, &Opening { amount: 1, ..opening });
    other("fee", &agreed, &Opening { fee: 71, ..opening });
    other("deadline", &agreed, &Opening { deadline: TIME + 1, ..opening });
    let limit = Limit::new(1 << 63, 7).unwrap();
    other("limit", &agreed, &Opening { limit, ..opening });
    let changes: [fn(&mut Terms); 7] = [
        |t| t.message += Fr::from(1_u64),
        |t| t.account += 1,
        |t| t.token += 1,
        |t| t.nonce += 1,
        |t| t.available += 1,
        |t| t.paid[1].token += 1,
        |t| t.reveal_by += 1,
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut terms = agreed.clone();
        change(&mut terms);
        other(&format!("term {i}"), &terms, &opening);
    }
    let elsewhere = agreed.check_opening(&blind, &opening, domain(CHAIN + 1, CONTRACT));
    assert!(matches!(elsewhere, Err(BlindError::OtherOrder { what: "the signed message" })));
}

/// Orders whose owners must not be able to blame the operator.
#[test]
fn what_cannot_be_executed_does_not_open() {
    let refused = |body: Body, change: fn(&mut Terms)| {
        let hidden = hidden(body);
        let mut terms = terms(&hidden);
        change(&mut terms);
        let blind = receipt(&hidden, &terms);
        let result = terms.check_opening(&blind, &hidden.opening, domain_of_rollup());
        assert!(matches!(result, Err(BlindError::NotExecutable { .. })), "{result:?}");
    };
    let with = |change: fn(&mut u128, &mut Index)| {
        let Action::Order { mut to, buy, mut amount, limit } = order().action else {
            unreachable!()
        };
        change(&mut amount, &mut to);
        Body { action: Action::Order { to, buy, amount, limit }, ..order() }
    };
    refused(with(|amount, _| *amount = 0), |_| ());
    refused(with(|_, to| *to = 11), |_| ());
    refused(with(|_, to| *to = 13), |_| ());
    refused(Body { deadline: TIME - 1, ..order() }, |_| ());
    refused(order(), |t| t.available = 1_500_000_000_000_000_069);
    // Another fee than the forfeit shows.
    let hidden = hidden(order());
    let terms = terms(&hidden);
    let mut blind = receipt(&hidden, &terms);
    blind.forfeit += field::pow2(104);
    let result = terms.check_opening(&blind, &hidden.opening, domain_of_rollup());
    assert!(matches!(result, Err(BlindError::NotExecutable { .. })), "{result:?}");
}

#[test]
fn accounts_that_are_paid_are_some_in_order() {
    let hidden = hidden(order());
    let paid = |accounts: &[Index]| {
        let paid = accounts.iter().map(|account| Paid { account: *account, token: 1 }).collect();
        Terms { paid, ..terms(&hidden) }.check()
    };
    paid(&[1]).unwrap();
    paid(&(0..16).collect::<Vec<_>>()).unwrap();
    for bad in [&[][..], &[2, 1], &[1, 1], &(0..17).collect::<Vec<_>>()] {
        assert!(matches!(paid(bad), Err(BlindError::PaidAccounts { .. })), "{bad:?}");
    }
}

#[test]
fn a_forfeit_shares_account_nonce_and_key() {
    let hidden = hidden(order());
    let leaf = hidden.request.forfeit_leaf().unwrap();
    let entry = Entry { leaf: hidden.request.leaf, forfeit: Some(leaf) };
    assert_eq!(bond_of(&entry), Some(Bond { from: 11, to: BURNED, amount: 1_000 }));
    let changes: [fn(&mut Request); 4] = [
        |r| r.forfeit.body.account += 1,
        |r| r.forfeit.body.nonce += 1,
        |r| r.forfeit.key = SecretKey::from_seed(b"other").public(),
        |r| r.forfeit.body.action = Action::ChangeKey { keyhash: Fr::from(1_u64) },
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut request = hidden.request.clone();
        change(&mut request);
        let refused = request.forfeit_leaf();
        assert!(matches!(refused, Err(BlindError::Forfeit { account: 11, nonce: 5 })), "{i}");
    }
    // Other leaves are no transfers.
    for forfeit in [None, Some(hidden.request.leaf), Some(leaf + field::pow2(116))] {
        assert_eq!(bond_of(&Entry { forfeit, ..entry }), None);
    }
    assert_eq!(bond_of(&Entry { forfeit: Some(leaf + field::pow2(120)), ..entry }), None);
}

#[test]
fn only_orders_are_hidden() {
    let action = Action::Transfer { to: 12, amount: 5 };
    let transfer = Body { action, ..order() };
    assert_eq!(conceal(transfer, [0, 0]), Err(BlindError::NotAnOrder));
    assert_eq!(Opening::of(&transfer), Err(BlindError::NotAnOrder));
}

#[test]
fn every_field_is_signed() {
    let hidden = hidden(order());
    let base = receipt(&hidden, &terms(&hidden));
    let digest = |blind: &BlindReceipt| blind.digest(CHAIN, CONTRACT);
    let changes: [fn(&mut BlindReceipt); 3] = [
        |b| b.forfeit += Fr::from(1_u64),
        |b| b.receipt.leaf += Fr::from(1_u64),
        |b| b.receipt.place.position += 1,
    ];
    for change in changes {
        let mut other = base;
        change(&mut other);
        assert_ne!(digest(&other), digest(&base));
    }
    assert_ne!(digest(&base), base.receipt.digest(CHAIN, CONTRACT));

    let entries = [base.entry(), Entry { leaf: Fr::from(8_u64), forfeit: None }];
    let base = Closing::of(&entries, 1, 2, 3, TIME);
    let changes: [fn(&mut Closing); 6] = [
        |c| c.epoch += 1,
        |c| c.block += 1,
        |c| c.batch += 1,
        |c| c.count += 1,
        |c| c.root += Fr::from(1_u64),
        |c| c.time += 1,
    ];
    for change in changes {
        let mut other = base;
        change(&mut other);
        assert_ne!(other.digest(CHAIN, CONTRACT), base.digest(CHAIN, CONTRACT));
    }
    assert_ne!(base.digest(1, CONTRACT), base.digest(CHAIN, CONTRACT));
}

#[test]
fn a_closing_lists_its_entries_and_no_others() {
    let hidden = hidden(order());
    let blind = receipt(&hidden, &terms(&hidden)).entry();
    let known = |n: u64| Entry { leaf: Fr::from(n), forfeit: None };
    let entries = [known(1), blind, known(2)];
    let closing = Closing::of(&entries, 0, 1, 0, TIME);
    assert!(closing.lists(&entries));
    assert_eq!(closing.root, tree(&entries).root().unwrap());
    assert!(!closing.lists(&entries[..2]));
    assert!(!closing.lists(&[known(1), known(2), blind]));
    let swapped = Entry { leaf: blind.forfeit.unwrap(), forfeit: Some(blind.leaf) };
    assert!(!closing.lists(&[known(1), swapped, known(2)]));
    assert!(!closing.lists(&[known(1), known(3), known(2)]));
    // A hidden entry is none of a known leaf, nor the other way round.
    let node = Entry { leaf: blind.node(), forfeit: None };
    assert!(!closing.lists(&[known(1), node, known(2)]));
    let plain = Entry { leaf: compress(Fr::from(7_u64), Fr::from(8_u64)), forfeit: None };
    let split = Entry { leaf: Fr::from(7_u64), forfeit: Some(Fr::from(8_u64)) };
    assert!(!Closing::of(&[plain], 0, 1, 0, TIME).lists(&[split]));
    assert!(Closing::of(&[], 0, 1, 0, TIME).lists(&[]));
    let json = serde_json::to_string(&entries).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Entry>>(&json).unwrap(), entries);
}

proptest! {
    #[test]
    fn concealing_costs_next_to_nothing(
        mantissa in 1_u64 << 63..,
        exponent in 1_u8..=127,
        amount in 1_u128..(1 << 112),
        random in any::<[u64; 2]>(),
    ) {
        let limit = Limit::new(mantissa, exponent).unwrap();
        let amount = crate::ops::Float::floor(amount, 35).value().unwrap();
        let action = Action::Order { to: 12, buy: 1, amount, limit };
        let body = conceal(Body { action, ..order() }, random).unwrap();
        let Action::Order { amount: less, limit: more, .. } = body.action else { unreachable!() };
        prop_assert!(body.wire(Address([0; 20])).is_ok());
        // Never worse for the owner than he said, and hardly better.
        let (old, new) = (limit.least(1 << 120), more.least(1 << 120));
        prop_assert!(new >= old && (new - old) >> 1 <= old >> 16);
        prop_assert!(less <= amount && amount - less <= amount >> 19);
        prop_assert_eq!(more.mantissa() & ((1 << 47) - 1), random[0] & ((1 << 47) - 1));
    }
}
