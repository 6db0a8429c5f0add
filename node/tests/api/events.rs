//! Events, as they happen.

use std::collections::BTreeSet;
use std::time::Duration;

use bastion_client::types::Event;
use bastion_client::Client;
use bastion_node::api::Options;
use bastion_node::coordinator::events::JobProgress;

use crate::raw::get;
use crate::world::{generous, World};

#[tokio::test(flavor = "multi_thread")]
async fn those_who_watch_are_told() {
    let world = World::start(generous()).await;
    let client = Client::new(&world.url()).unwrap();
    let mut events = client.events().await.unwrap();
    let number = world.seal().await;
    let job = world.parts.coordinator.lease("wendy", |_| true).unwrap().unwrap();
    let progress = JobProgress { stage: "msm".into(), per_mille: 250, eta_seconds: Some(3) };
    world.parts.coordinator.heartbeat("wendy", &job.key, job.lease, Some(progress)).unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 5 {
        let next = tokio::time::timeout(Duration::from_secs(60), events.next());
        match next.await.expect("an event").unwrap().unwrap() {
            Event::Batch(batch) => {
                assert!(batch.number < 2);
                seen.insert("batch");
            }
            Event::Block(block) => {
                assert_eq!(block.number, number);
                seen.insert("block");
            }
            Event::Job(job) => {
                assert!(job.key.starts_with("batch-"));
                seen.insert("job");
            }
            Event::Progress(progress) => {
                assert_eq!((progress.worker.as_str(), progress.part), ("wendy", 0.25));
                seen.insert("progress");
            }
            Event::Status(status) => {
                assert!(status.accepting);
                seen.insert("status");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded() {
    let world = World::start(Options { watchers: 1, ..generous() }).await;
    let client = Client::new(&world.url()).unwrap();
    let first = client.events().await.unwrap();
    let answer = get(world.address, "/v1/events").await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "too_many_watchers"));
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_does_not_have_all_streams() {
    let world = World::start(generous()).await;
    let client = Client::new(&world.url()).unwrap();
    let mut open = Vec::new();
    let refused = loop {
        match client.events().await {
            Ok(stream) => open.push(stream),
            Err(error) => break error,
        }
        assert!(open.len() < generous().watchers, "one client has all of them");
    };
    assert_eq!(refused.code(), Some("too_many_watchers"));
    drop(open);
}
