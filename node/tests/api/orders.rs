//! Orders: a receipt at once, what they got when their batch is closed.

use bastion_client::types::{Answer, Hash, Progressed};
use bastion_client::{check, Client};
use bastion_node::devnet::{dev_exit, dev_key};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Action, Body, Deposit, Op, SignedOp};
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::{Index, Kind, Limit, Token};

use crate::world::{generous, transfer, World, CHAIN, CONTRACT, ETH, TIME, USERS};

fn account(user: Index, token: Token) -> Index {
    FIRST_USER + user + Index::from(token) * USERS
}

/// Gives every user an account in token 1 too. What follows is in a new batch, with room for two orders.
async fn fund(world: &World) {
    let deposit = |user| {
        let keyhash = dev_key(&format!("user {user}")).public().keyhash();
        Op::Deposit(Deposit { token: 1, amount: ETH, keyhash, exit: dev_exit("user") })
    };
    let ops = (0..USERS).map(deposit).collect();
    world.parts.service.take_from_queue(USERS.into(), ops).unwrap().await.unwrap().unwrap();
    world.seal().await;
}

fn order(user: Index, sell: Token, nonce: u32, amount: u128) -> SignedOp {
    let (to, buy) = (account(user, 1 - sell), 1 - sell);
    let limit = Limit::of(9, 10).unwrap();
    let body = Body {
        account: account(user, sell),
        token: sell,
        nonce,
        deadline: TIME + 3_600,
        fee: 1_000,
        action: Action::Order { to, buy, amount, limit },
    };
    body.sign(&dev_key(&format!("user {user}")), domain(CHAIN, CONTRACT), dev_exit("user")).unwrap()
}

fn hash(op: &SignedOp) -> Hash {
    Hash(operation_hash(&Op::Signed(*op)))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_a_receipt_and_then_its_fill() {
    let world = World::start(generous()).await;
    fund(&world).await;
    let client = Client::new(&world.url()).unwrap();
    let rollup = client.rollup(Some(CONTRACT), None).await.unwrap();
    let ops = [order(0, 0, 0, ETH / 2), order(1, 1, 0, ETH / 4)];
    let mut receipts = Vec::new();
    for op in &ops {
        receipts.push(client.submit_checked(op, &rollup).await.unwrap());
    }
    let shown = client.operation(hash(&ops[0])).await.unwrap();
    assert_eq!((shown.kind, shown.to), (Kind::Order, Some(account(0, 1))));
    assert_eq!((shown.status, shown.filled), (Progressed::Sequenced, None));
    let pending = client.account(account(0, 0)).await.unwrap().pending.unwrap();
    assert_eq!(pending.balance.0, ETH - ETH / 2 - 1_000, "all of it is held back");

    world.seal().await;
    let mut fills = Vec::new();
    for (op, receipt) in ops.iter().zip(&receipts) {
        let inclusion = client.inclusion(hash(op)).await.unwrap();
        check::inclusion(&inclusion, receipt).unwrap();
        assert_eq!(inclusion.records.len(), 2);
        fills.push(client.operation(hash(op)).await.unwrap().filled.unwrap());
    }
    assert_eq!((fills[0].buy, fills[1].buy), (1, 0));
    assert!(fills.iter().all(|fill| fill.sold.0 > ETH / 5 && fill.paid.0 > ETH / 5), "{fills:?}");
    let held = |index| {
        let client = &client;
        async move {
            let proof = client.account(index).await.unwrap();
            check::account(&proof).unwrap();
            proof.account.unwrap().balance
        }
    };
    assert_eq!(held(account(0, 0)).await, ETH - fills[0].sold.0 - 1_000);
    assert_eq!(held(account(0, 1)).await, ETH + fills[0].paid.0);

    // Quotes have no entries: what follows is not taken for one of them.
    let next = transfer(2, 0);
    client.submit(&[next]).await.unwrap();
    world.seal().await;
    let touching = client.operations_of(account(2, 0), None, Some(10)).await.unwrap();
    let found: Vec<(Hash, u64)> = touching.iter().map(|op| (op.hash, op.entry)).collect();
    assert_eq!(found[0], (hash(&next), u64::from(2 * USERS) + 2));
    assert_eq!(client.operation(hash(&next)).await.unwrap().filled, None);
    let fees = client.operations_of(0, None, Some(10)).await.unwrap();
    let kinds: Vec<Kind> = fees.iter().map(|op| op.kind).collect();
    assert_eq!(kinds, [Kind::Transfer, Kind::Order]);
}

/// What the sentinel counts is right, batch after batch: it refuses and holds back nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_sentinel_lets_orders_pass() {
    let world = World::watched().await;
    fund(&world).await;
    let client = Client::new(&world.url()).unwrap();
    for round in 0..6 {
        let amount = ETH / 20 * u128::from(1 + round % 3);
        let ops = [order(0, 0, round, amount), order(1, 1, round, ETH / 20), transfer(2, round)];
        for (op, answer) in ops.iter().zip(client.submit(&ops).await.unwrap()) {
            assert!(
                matches!(answer, Answer::Receipt(_)),
                "round {round}, {:?}: {answer:?}",
                op.body
            );
        }
        world.seal().await;
    }
    // Nearly all that an account has, for the most part bought.
    let bought = client.account(account(0, 1)).await.unwrap().account.unwrap().balance;
    assert!(bought > ETH + ETH / 5, "{bought}");
    let largest =
        bastion_protocol::ops::Float::floor(bought - 1_000, bastion_protocol::ops::AMOUNT_BITS);
    let body = Body {
        account: account(0, 1),
        token: 1,
        nonce: 0,
        deadline: TIME + 3_600,
        fee: 0,
        action: Action::Transfer { to: account(3, 1), amount: largest.value().unwrap() },
    };
    let (key, exit) = (dev_key("user 0"), dev_exit("user"));
    let all = body.sign(&key, domain(CHAIN, CONTRACT), exit).unwrap();
    let answers = client.submit(&[all]).await.unwrap();
    let text = format!("{answers:?}");
    assert!(!text.contains("invariant."), "{text}");
}
