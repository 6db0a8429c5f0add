use bastion_protocol::data::DataMode;
use bastion_state::executor::{BatchContext, BatchTrace};

use super::*;
use crate::block::{next_block, Block};
use crate::devnet::dev_policy;

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
    let size = Size::of(&shape, None).unwrap();
    assert_eq!(size, Size { orders: 2, tokens: 2, traders: 2 });
    let block = block(&shape, size, 1);
    let summary = summary(only(&block));
    assert_eq!((summary.orders, summary.classes.filled), (2, 2), "{summary:?}");
    assert_eq!(reorder(only(&block), 10, 1), Reordered { tried: 10, same: 10 });
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    for orders in [0, 1, 3, usize::MAX / 1_000] {
        let error = Size::of(&Shape::tiny(), Some(orders)).unwrap_err().to_string();
        assert!(error.contains("2 to 2"), "{error}");
    }
}

#[test]
fn a_market_of_200_orders_is_one_batch_and_its_order_does_not_matter() {
    let shape = Shape::market();
    let size = Size::of(&shape, None).unwrap();
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
    let mut block = block(&shape, Size::of(&shape, None).unwrap(), 1);
    let order = block.batches[0].ops.iter_mut().find_map(|op| op.order.as_mut()).unwrap();
    order.paid -= 1;
    assert_eq!(reorder(only(&block), 10, 1), Reordered { tried: 10, same: 0 });
}
