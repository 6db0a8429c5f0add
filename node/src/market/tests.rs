use alloy_primitives::B256;
use bastion_l1::{EmbeddedL1, SendL1, DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_protocol::data::DataMode;
use bastion_state::executor::{BatchContext, BatchTrace};

use super::*;
use crate::block::{next_block, Block};
use crate::devnet::dev_policy;
use crate::posting::Posting;
use crate::sequencer::ReceiptSigner;

const TIME: u64 = 1_800_000_000;

fn block(shape: &Shape, size: Size, seed: u64) -> Block {
    let context = BatchContext { domain: Fr::from(1u64), time: TIME, policy: dev_policy() };
    let mut market = Market::new(size, context.domain, TIME, seed).unwrap();
    let (mut state, mut refused) = (State::new(), Vec::new());
    let mut next = || {
        let mode = DataMode::Blob;
        next_block(&mut state, &context, shape, 1, mode, &mut market, &mut refused).unwrap()
    };
    let block = next().unwrap();
    assert!(next().is_none(), "one batch takes all");
    assert!(refused.is_empty(), "{refused:?}");
    block
}

fn only(block: &Block) -> &BatchTrace {
    &block.batches[0]
}

#[test]
fn two_orders_trade_in_the_smallest_batch() {
    let shape = Shape::tiny();
    let size = Size::of(&shape, None, Some(0)).unwrap();
    assert_eq!(size, Size { orders: 2, tokens: 2, traders: 2, blind: 0 });
    let block = block(&shape, size, 1);
    let summary = summary(only(&block));
    assert_eq!((summary.orders, summary.classes.filled), (2, 2), "{summary:?}");
    assert_eq!(reorder(only(&block), 10, 1), Reordered { tried: 10, same: 10 });
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    for orders in [0, 1, 3, usize::MAX / 1_000] {
        let error = Size::of(&Shape::tiny(), Some(orders), None).unwrap_err().to_string();
        assert!(error.contains("2 to 2"), "{error}");
    }
}

#[test]
fn blind_orders_that_cannot_be_are_refused_with_the_most_that_can() {
    let error = |shape: &Shape, orders, blind| {
        Size::of(shape, orders, Some(blind)).unwrap_err().to_string()
    };
    for (orders, blind) in [(None, 5), (None, 1), (Some(2), 1), (Some(2), 9)] {
        let text = error(&Shape::tiny(), orders, blind);
        assert!(text.starts_with(&format!("{blind} blind orders")), "{text}");
        assert!(
            text.contains("no room") && text.contains("--blind 0, or --shape market"),
            "{text}"
        );
    }
    // What does not fit without blind orders is not their fault.
    assert!(error(&Shape::tiny(), Some(3), 5).contains("2 to 2"));
    let mut none = Shape::tiny();
    none.slots.orders = 1;
    assert!(error(&none, None, 0).contains("no room for a market"));
    let market = Shape::market();
    assert!(error(&market, Some(20), 21).contains("at most 20 can be blind"));
    assert!(error(&market, None, 201).contains("--blind 200 or less"));
    // Only the last order of an account can be blind.
    let most_of = |orders, blind| match Size::seeded(&market, orders, Some(blind), 3).unwrap_err() {
        SizeError::Blind { blind: asked, most, .. } if asked == blind => most,
        other => panic!("{other}"),
    };
    let most = most_of(Some(60), 60);
    assert!((20..=30).contains(&most), "{most}");
    assert_eq!((most_of(Some(60), 61), most_of(Some(60), most + 1)), (most, most));
    assert!(most_of(None, 300) <= 100);
    let size = Size::seeded(&market, Some(60), Some(most), 3).unwrap();
    let hidden = |size| Market::new(size, Fr::from(1_u64), TIME, 3).unwrap().hidden().len();
    assert_eq!((hidden(size), hidden(Size { blind: 60, ..size })), (most, most));
}

#[test]
fn a_market_of_200_orders_is_one_batch_and_its_order_does_not_matter() {
    let shape = Shape::market();
    let size = Size::of(&shape, None, Some(0)).unwrap();
    assert_eq!((size.orders, size.tokens), (200, 5));
    for seed in 1..4 {
        let block = block(&shape, size, seed);
        let found = summary(only(&block));
        let Classes { inside, marginal, outside, suspended, apart, filled } = found.classes;
        assert_eq!(inside + marginal + outside + suspended + apart, 200);
        assert!(filled > 60, "{found:?}");
        for token in &found.tokens {
            assert_eq!(token.sold - token.paid, token.surplus, "{token:?}");
        }
        assert_eq!(reorder(only(&block), 20, seed), Reordered { tried: 20, same: 20 });
    }
}

/// What is not the batch's outcome is seen.
#[test]
fn another_outcome_is_another() {
    let shape = Shape::tiny();
    let mut block = block(&shape, Size::of(&shape, None, Some(0)).unwrap(), 1);
    let order = block.batches[0].ops.iter_mut().find_map(|op| op.order.as_mut()).unwrap();
    order.paid -= 1;
    assert_eq!(reorder(only(&block), 10, 1), Reordered { tried: 10, same: 0 });
}

/// A chain with the contract that takes openings, for a rollup that is any contract.
fn chain() -> (EmbeddedL1, ReceiptSigner, Operator) {
    let mut l1 = EmbeddedL1::new(TIME);
    let owner = DEV_OPERATOR;
    // Code of one byte, which stops.
    let code = [0x60, 0x01, 0x60, 0x00, 0x53, 0x60, 0x01, 0x60, 0x00, 0xf3];
    let (rollup, _) = l1.deploy(owner, code.to_vec().into()).unwrap();
    let contract = Address(rollup.into_array());
    let signer = ReceiptSigner::new(&B256::repeat_byte(5), DEV_CHAIN_ID, contract).unwrap();
    let operator = Operator::bonded(&mut l1, rollup, owner, signer.address(), 1).unwrap();
    (l1, signer, operator)
}

fn played(shape: &Shape, size: Size, seed: u64) -> (Market, BatchTrace, Told) {
    let (mut l1, signer, operator) = chain();
    let contract = signer.contract();
    let domain = bastion_protocol::header::domain(DEV_CHAIN_ID, contract);
    let context = BatchContext { domain, time: TIME, policy: dev_policy() };
    let market = Market::new(size, domain, TIME, seed).unwrap();
    let mut state = State::new();
    let play = Play {
        context: &context,
        room: Posting::from(DataMode::Blob).room(shape, 1),
        signer: &signer,
        slashing: operator.slashing,
    };
    let (trace, told) = market.play(&mut state, &play, &mut l1).unwrap();
    (market, trace, told)
}

#[test]
fn a_market_with_blind_orders_keeps_its_promises() {
    let shape = Shape::market();
    let size = Size::of(&shape, Some(60), Some(20)).unwrap();
    let (market, trace, told) = played(&shape, size, 3);
    let Blinds { orders, revealed, on_l1, forfeited, reveal_gas, .. } = told.blinds;
    assert_eq!((orders, revealed, on_l1, forfeited), (20, 18, 1, 1));
    assert!(reveal_gas > 21_000);
    assert_eq!(told.blind.len(), 20);
    // What was promised stands at its place.
    let leaf = |place: u32| trace.ops[place as usize].leaf().unwrap();
    for signed in &told.receipts {
        assert_eq!(leaf(signed.receipt.place.position), signed.receipt.leaf);
    }
    let mut forfeits = 0;
    for (order, signed) in market.hidden().iter().zip(&told.blind) {
        let found = leaf(signed.blind.receipt.place.position);
        match order.fate {
            Fate::Revealed | Fate::OnL1 => assert_eq!(found, signed.blind.receipt.leaf),
            Fate::Withheld => assert_eq!(found, signed.blind.forfeit),
        }
        forfeits += usize::from(found == signed.blind.forfeit);
    }
    assert_eq!(forfeits, 1);
    // Behind the closing there are quotes alone.
    let count = told.closing.closing.count as usize;
    assert!(trace.ops[..count].iter().all(|op| op.quote.is_none()));
    assert!(trace.ops[count..].iter().all(|op| op.quote.is_some()));
    assert_eq!(reorder(&trace, 10, 1), Reordered { tried: 10, same: 10 });
    let found = summary(&trace);
    assert_eq!(found.orders, 59);
}

#[test]
fn the_smallest_batch_has_room_for_no_blind_order() {
    let shape = Shape::tiny();
    let size = Size::of(&shape, None, None).unwrap();
    assert_eq!(size, Size { orders: 2, tokens: 2, traders: 2, blind: 0 });
    let (_, trace, told) = played(&shape, size, 1);
    assert_eq!((told.blinds.orders, told.receipts.len()), (0, 6));
    assert_eq!(summary(&trace).classes.filled, 2);
    // By default a quarter.
    let size = Size::of(&Shape::market(), None, None).unwrap();
    assert_eq!((size.orders, size.blind), (200, 50));
    assert_eq!(Size::of(&Shape::market(), Some(40), None).unwrap().blind, 10);
}
