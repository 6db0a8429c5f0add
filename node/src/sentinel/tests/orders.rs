//! Orders: what the sentinel sees of them is what it sees again, and what it counts is right.

use bastion_protocol::{Limit, Token};
use bastion_sentinel::rules::RuleSet;

use super::*;

fn account(user: Index, token: Token) -> Index {
    2 * user + Index::from(token)
}

fn order(world: &World, user: Index, sell: Token, nonce: u32, amount: u128) -> SignedOp {
    let limit = Limit::of(9, 10).unwrap();
    let (to, buy) = (FIRST_USER + account(user, 1 - sell), 1 - sell);
    let body = Body {
        account: FIRST_USER + account(user, sell),
        token: sell,
        nonce,
        deadline: world.time + 3_600,
        fee: 1_000,
        action: Action::Order { to, buy, amount, limit },
    };
    let domain = bastion_protocol::header::domain(CHAIN, CONTRACT);
    body.sign(&key(user), domain, dev_exit("user")).unwrap()
}

/// Rules that hold back orders of more than a tenth of an ether for a second.
fn holding() -> RuleSet {
    let rule = r#"
id: large-order
title: "A large order"
status: stable
severity: high
family: test
description: "For a test."
condition: kind == order and amount > 100000000000000000
window: 60
action: {quarantine: 1}
false_positives: ["Whoever trades a lot."]
examples:
  fires: [{note: "none can be written", ops: [{deposit: {to: a, amount: 1}}]}]
  quiet: [{note: "a deposit", ops: [{deposit: {to: a, amount: 1}}]}]
"#;
    let files = [("large-order.yaml".to_owned(), rule.as_bytes().to_vec())];
    RuleSet::from_files(1, &files.into()).unwrap()
}

/// Whoever is held back was told that nothing needs to be sent again.
#[test]
fn an_order_that_was_held_back_is_not_lost_to_a_full_auction() {
    let mut world = World::new(Mode::Enforce);
    let deposit = |(user, token)| {
        let (keyhash, exit) = (key(user).public().keyhash(), dev_exit("user"));
        Op::Deposit(Deposit { token, amount: ETH, keyhash, exit })
    };
    let users: Vec<Index> = (0..3).collect();
    let pairs = users.iter().flat_map(|user| [(*user, 0), (*user, 1)]);
    let ops: Vec<Op> = pairs.map(deposit).collect();
    let time = world.time;
    world.sequencer().take_from_queue(0, &ops, time).unwrap();
    world.sequencer().close(false).unwrap();
    world.sentinel().put_in_force(Ok(holding()), "a test", wall_ms()).unwrap();
    let held = order(&world, 2, 0, 0, ETH / 2);
    let answer = world.send(held);
    assert!(matches!(answer, Err(Decline::Held { .. })), "{answer:?}");
    // The shape has room for two orders.
    for (user, sell) in [(0, 0), (1, 1)] {
        let op = order(&world, user, sell, 0, ETH / 20);
        world.send(op).unwrap();
    }
    let third = order(&world, 0, 0, 1, ETH / 20);
    assert_eq!(world.send(third), Err(Decline::AuctionFull));
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    world.sequencer().run_due(time).unwrap();
    let hash = operation_hash(&Op::Signed(held));
    assert!(world.sentinel().held(&hash).is_none());
    let (_, entry) = world.sequencer().log().find(&hash).unwrap().expect("it was lost");
    assert_eq!(entry.op, Op::Signed(held));
}

/// However much of what was learned is lost, it is learned again as it was: from orders of open batches, and from
/// those of closed ones too, which were seen before there were prices.
#[test]
fn what_was_seen_of_orders_is_seen_again() {
    let mut world = World::new(Mode::Enforce);
    let deposit = |(user, token)| {
        let (keyhash, exit) = (key(user).public().keyhash(), dev_exit("user"));
        Op::Deposit(Deposit { token, amount: ETH, keyhash, exit })
    };
    let ops: Vec<Op> = [(0, 0), (0, 1), (1, 0), (1, 1)].map(deposit).to_vec();
    let time = world.time;
    world.sequencer().take_from_queue(0, &ops, time).unwrap();
    for round in 0..5_u32 {
        for (user, amount) in [(0, ETH / 8), (1, ETH / 16)] {
            let op = order(&world, user, user as Token, round, amount);
            world.send(op).unwrap();
            let before = world.sentinel().screener.memory().clone();
            world.close();
            if round % 2 == 0 {
                std::fs::remove_dir_all(world.dir.path().join("sentinel/memory")).unwrap();
            }
            world.open();
            assert_eq!(*world.sentinel().screener.memory(), before, "round {round}, user {user}");
        }
        world.sequencer().close(round % 2 == 0).unwrap();
    }
    world.close();
    let of = Rollup { chain_id: CHAIN, contract: CONTRACT };
    let replayed = replay::replay(world.dir.path(), of, RuleSet::builtin().unwrap()).unwrap();
    assert_eq!(replayed.operations, 14);
    assert!(replayed.differences.is_empty(), "{replayed:?}");

    // Nearly all that the accounts hold by now moves, and nothing is wrong with that.
    world.open();
    for (user, token) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let from = FIRST_USER + account(user, token);
        let own = *world.sequencer().state().account(from).unwrap();
        let bits = bastion_protocol::ops::AMOUNT_BITS;
        let amount = bastion_protocol::ops::Float::floor(own.balance - 1_000, bits);
        let to = FIRST_USER + account(1 - user, token);
        let body = Body {
            account: from,
            token,
            nonce: own.nonce,
            deadline: world.time + 3_600,
            fee: 0,
            action: Action::Transfer { to, amount: amount.value().unwrap() },
        };
        let domain = bastion_protocol::header::domain(CHAIN, CONTRACT);
        let answer = world.send(body.sign(&key(user), domain, dev_exit("user")).unwrap());
        assert!(!format!("{answer:?}").contains("invariant."), "{answer:?}");
    }
}
