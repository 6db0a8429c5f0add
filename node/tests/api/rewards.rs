//! Watchers stake, report and are paid, through the API.

use bastion_client::types::rewards::Watcher;
use bastion_client::types::{Amount, Answer};
use bastion_client::{Admin, Client};
use bastion_node::devnet::{dev_exit, dev_key};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::header::domain;
use bastion_protocol::ops::Action;
use bastion_protocol::watcher::{Registry, SignedCall, WatcherCall};
use bastion_protocol::Index;
use bastion_sentinel::rewards::{Report, Subject};

use crate::world::{generous, signed, World, CHAIN, CONTRACT, TOKEN, USERS};

const WATCHER: Index = FIRST_USER + 1;
const ACCOUNT: Index = FIRST_USER + USERS;

/// Asks until something is so: the sequencer acts by itself within a second.
macro_rules! until {
    ($holds:expr) => {
        let mut tries = 0;
        while !$holds {
            tries += 1;
            assert!(tries < 200, "it does not happen");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
}

async fn registry(client: &Client) -> Registry {
    Registry { domain: domain(CHAIN, CONTRACT), id: client.rewards().await.unwrap().registry.0 }
}

fn call(number: u64, call: WatcherCall, registry: &Registry) -> SignedCall {
    SignedCall::sign((WATCHER, dev_exit("user")), number, call, &dev_key("user 1"), registry)
}

/// A node whose rewards have begun, with a watcher.
async fn watched() -> (World, Client, Admin) {
    let world = World::watched().await;
    let admin = Admin::new(&format!("http://{}", world.admin), TOKEN).unwrap();
    let client = Client::new(&world.url()).unwrap();
    let closed = client.rewards().await.unwrap_err();
    assert_eq!(closed.code(), Some("conflict"), "{closed}");
    let keyhash = dev_key("rewards").public().keyhash();
    let exit = dev_exit("operator");
    let open = signed(0, 0, Action::TransferNew { keyhash, exit, amount: 20_000 });
    let answers = client.submit(&[open]).await.unwrap();
    assert!(matches!(answers[0], Answer::Receipt(_)), "{answers:?}");
    until!(client.rewards().await.is_ok());
    let stake = signed(1, 0, Action::Transfer { to: ACCOUNT, amount: 10_000 });
    let answers = client.submit(&[stake]).await.unwrap();
    assert!(matches!(answers[0], Answer::Receipt(_)), "{answers:?}");
    (world, client, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_reports_and_the_operator_confirms() {
    let (_world, client, admin) = watched().await;
    let rewards = client.rewards().await.unwrap();
    assert_eq!((rewards.account, rewards.free.0, rewards.stakes.0), (ACCOUNT, 20_000, 10_000));
    let registry = registry(&client).await;
    admin.fund_rewards(Amount(10_000)).await.unwrap();
    let full = admin.fund_rewards(Amount(1)).await.unwrap_err();
    assert_eq!(full.code(), Some("conflict"), "{full}");

    let (subject, evidence, salt, asks_freeze) = (FIRST_USER + 2, [1; 32], [2; 32], true);
    let about = Subject::account(subject);
    let report = Report { watcher: WATCHER, subject: about, asks_freeze, evidence };
    let commit = WatcherCall::Commit { commitment: report.commitment(&salt) };
    let committed = client.watch(call(0, commit, &registry)).await.unwrap();
    let report = committed.report.unwrap();
    let findings = client.findings(committed.entry).await.unwrap().findings;
    assert!(findings[0].contains("\"event\":\"rewards\""), "{findings:?}");
    let reveal = WatcherCall::Reveal { report, subject, asks_freeze, evidence, salt };
    let opened = client.watch(call(1, reveal, &registry)).await.unwrap();
    // The playbooks of the program leave it to a person, who does it.
    assert!(opened.freeze.unwrap().contains("needs a person"));
    admin.freeze_for(subject, 600, Some(report)).await.unwrap();
    until!(client.watcher(WATCHER).await.unwrap().reports[0].stage == "frozen");
    let watcher = client.watcher(WATCHER).await.unwrap();
    assert_eq!(client.watchers(0).await.unwrap(), std::slice::from_ref(&watcher));
    let Watcher { free, locked, next_call, reports, .. } = watcher;
    assert_eq!((free.0, locked.0, next_call), (9_000, 1_000, 2));
    assert_eq!((reports[0].report, reports[0].subject), (report, Some(subject)));
    admin.confirm_event(subject, Amount(10_000)).await.unwrap();
    let twice = admin.confirm_event(subject, Amount(0)).await.unwrap_err();
    assert_eq!(twice.code(), Some("conflict"), "{twice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forged_or_sent_again_is_refused() {
    let (_world, client, _admin) = watched().await;
    let commit = WatcherCall::Commit { commitment: [3; 32] };
    let at = (WATCHER, dev_exit("user"));
    let registry = registry(&client).await;
    let elsewhere = Registry { domain: domain(1, CONTRACT), ..registry };
    let elsewhere = call(0, commit, &elsewhere);
    let another = call(0, commit, &Registry { id: [1; 32], ..registry });
    let stolen = SignedCall::sign(at, 0, commit, &dev_key("thief"), &registry);
    let nobody = (FIRST_USER + 2, dev_exit("user"));
    let nobody = SignedCall::sign(nobody, 0, commit, &dev_key("user 2"), &registry);
    for (wrong, why) in [
        (elsewhere, "the signature is not"),
        (another, "the signature is not"),
        (stolen, "are not those of account"),
        (nobody, "is not a watcher"),
        (call(1, commit, &registry), "the next one is 0"),
    ] {
        let error = client.watch(wrong).await.unwrap_err();
        assert_eq!(error.code(), Some("conflict"), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    client.watch(call(0, commit, &registry)).await.unwrap();
    let again = client.watch(call(0, commit, &registry)).await.unwrap_err();
    assert!(again.to_string().contains("each is taken once"), "{again}");
    let unknown = client.watcher(FIRST_USER + 3).await.unwrap_err();
    assert_eq!(unknown.code(), Some("not_found"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sentinel_there_are_no_rewards() {
    let world = World::start(generous()).await;
    let client = Client::new(&world.url()).unwrap();
    let admin = Admin::new(&format!("http://{}", world.admin), TOKEN).unwrap();
    let nowhere = Registry { domain: domain(CHAIN, CONTRACT), id: [0; 32] };
    for error in [
        client.rewards().await.unwrap_err(),
        client.watcher(WATCHER).await.unwrap_err(),
        client.watch(call(0, WatcherCall::Withdraw, &nowhere)).await.unwrap_err(),
        admin.fund_rewards(Amount(1)).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Some("not_found"), "{error}");
    }
}
