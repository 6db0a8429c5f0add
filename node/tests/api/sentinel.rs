//! What is held back is shown, let go or forgotten, and accounts are frozen.

use bastion_client::types::sentinel::PublishRequest;
use bastion_client::types::{Answer, Bytes, Hash, Held};
use bastion_client::{Admin, Client};
use bastion_node::devnet::{dev_exit, dev_key};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Action, Body, Op, SignedOp};
use bastion_protocol::Address;

use crate::world::{generous, signed, transfer, World, CHAIN, CONTRACT, ETH, TIME, TOKEN};

fn clients(world: &World) -> (Client, Admin) {
    let admin = Admin::new(&format!("http://{}", world.admin), TOKEN).unwrap();
    (Client::new(&world.url()).unwrap(), admin)
}

/// By the key that a thief has put in the place of user 0's.
fn stolen(nonce: u32, to: Address) -> SignedOp {
    let action = Action::Withdraw { to, amount: ETH / 2 };
    let account = FIRST_USER;
    let body = Body { account, token: 0, nonce, deadline: TIME + 3_600, fee: 1_000, action };
    body.sign(&dev_key("thief"), domain(CHAIN, CONTRACT), dev_exit("user")).unwrap()
}

async fn theft(client: &Client) -> Held {
    let keyhash = dev_key("thief").public().keyhash();
    let ops = [signed(0, 0, Action::ChangeKey { keyhash }), stolen(1, Address([9; 20]))];
    let mut answers = client.submit(&ops).await.unwrap();
    assert!(matches!(answers[0], Answer::Receipt(_)), "{answers:?}");
    match answers.remove(1) {
        Answer::Held(held) => held,
        other => panic!("{other:?}"),
    }
}

/// Asks until something is so: the sequencer acts by itself within a tenth of a second.
macro_rules! until {
    ($holds:expr) => {
        let mut tries = 0;
        while !$holds {
            tries += 1;
            assert!(tries < 100, "it does not happen");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_is_shown_and_forgotten() {
    let world = World::watched().await;
    let (client, admin) = clients(&world);
    let held = theft(&client).await;
    assert_eq!(held.account, FIRST_USER);
    assert!(held.why().contains("rule.key-change-then-withdraw"), "{held:?}");
    assert_eq!(client.held(held.operation).await.unwrap(), held);
    // The operator sees the operation itself, everybody else its hash.
    let op = Op::Signed(stolen(1, Address([9; 20])));
    let whole = Held { bytes: Some(Bytes(op.to_bytes())), ..held.clone() };
    assert_eq!(admin.quarantine().await.unwrap().held, [whole]);
    let status = client.sentinel().await.unwrap();
    assert_eq!((status.mode.as_str(), status.held), ("enforce", 1));
    let findings = client.findings(0).await.unwrap();
    assert_eq!(findings.count, findings.findings.len() as u64);
    assert!(findings.findings.iter().any(|entry| entry.contains("key-change-then-withdraw")));
    assert!(client.findings(findings.count).await.unwrap().findings.is_empty());
    let unknown = client.held(Hash([1; 32])).await.unwrap_err();
    assert_eq!(unknown.code(), Some("not_found"), "{unknown}");

    admin.drop_held(held.operation).await.unwrap();
    assert!(admin.quarantine().await.unwrap().held.is_empty());
    let again = admin.drop_held(held.operation).await.unwrap_err();
    assert_eq!(again.code(), Some("not_found"), "{again}");
    // The operator has decided: it is not taken any more.
    let answers = client.submit(&[stolen(1, Address([9; 20]))]).await.unwrap();
    assert!(
        matches!(&answers[0], Answer::Rejection(r) if r.code == "refused" || r.code == "frozen")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_frozen_and_what_is_let_go_is_executed() {
    let world = World::watched().await;
    let (client, admin) = clients(&world);
    let held = theft(&client).await;
    // The playbook has the account frozen; the operator ends that, and lets the operation go.
    until!(admin.unfreeze(FIRST_USER).await.is_ok());
    admin.release(held.operation).await.unwrap();
    until!(client.operation(held.operation).await.is_ok());

    admin.freeze(FIRST_USER + 1, 600).await.unwrap();
    let answers = client.submit(&[transfer(1, 0)]).await.unwrap();
    assert!(matches!(&answers[0], Answer::Rejection(r) if r.code == "frozen"), "{answers:?}");
    let twice = admin.freeze(FIRST_USER + 1, 600).await.unwrap_err();
    assert_eq!(twice.code(), Some("conflict"), "{twice}");
    let nobody = admin.freeze(FIRST_USER + 99, 600).await.unwrap_err();
    assert_eq!(nobody.code(), Some("conflict"), "{nobody}");
    let (address, name) = (Address([9; 20]), "a theft".to_owned());
    let no_feed = admin.publish(&PublishRequest { address, name, confidence: 90 }).await;
    assert_eq!(no_feed.unwrap_err().code(), Some("conflict"));
    let before = client.sentinel().await.unwrap().rules;
    assert_eq!(admin.reload_rules().await.unwrap().rules, before);
    let built_in = admin.roll_back_rules(60, "a trial").await.unwrap_err();
    assert_eq!(built_in.code(), Some("conflict"), "{built_in}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sentinel_its_routes_say_so() {
    let world = World::start(generous()).await;
    let (client, admin) = clients(&world);
    for error in [
        client.sentinel().await.unwrap_err(),
        client.findings(0).await.unwrap_err(),
        client.held(Hash([1; 32])).await.unwrap_err(),
        admin.quarantine().await.unwrap_err(),
        admin.release(Hash([1; 32])).await.unwrap_err(),
        admin.reload_rules().await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Some("not_found"), "{error}");
        assert!(error.to_string().contains("sentinel.mode"), "{error}");
    }
    let no_key = admin.freeze(FIRST_USER, 600).await.unwrap_err();
    assert_eq!(no_key.code(), Some("conflict"), "{no_key}");
}
