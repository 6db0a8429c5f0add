//! Two of our servers.

use std::time::{Duration, Instant};

use bastion_sentinel::sharing::client::{Feed, Follower, Pace};
use bastion_sentinel::sharing::stix::{draft, Object, Timestamp, Tlp};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::chain::{id, indicator, signed, subject, Chain, MAIN};

/// Follows chain `from` as its peer `n`, until the sender is dropped or used.
fn follow(from: &Chain, n: u8, to: &Chain) -> (oneshot::Sender<()>, JoinHandle<Follower>) {
    let feed = Feed {
        client: from.client(n),
        collection: MAIN.into(),
        into: MAIN.into(),
        sender: "feed".into(),
    };
    let pace = Pace { patience: Duration::from_millis(20), ..Pace::default() };
    let mut follower = Follower::new(feed, to.here.clone(), pace, None);
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        follower.run(async { drop(stopped.await) }).await;
        follower
    });
    (stop, task)
}

async fn until(what: &str, condition: impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} does not come to pass");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_publishes_the_other_enforces() {
    let (a, b) = (Chain::start(1, 1), Chain::start(2, 1));
    let enforced = |about: u8| b.here.lookup(&subject(about)).may_freeze;
    a.publish(1, indicator(1, 1, Tlp::Green));
    let (stop, task) = follow(&a, 2, &b);
    until("catching up", || enforced(1)).await;

    let (mut times, mut writing) = (Vec::new(), Vec::new());
    for about in 2..52 {
        let object = signed(1, indicator(1, about, Tlp::Green));
        let start = Instant::now();
        a.here.accept(MAIN, "own", vec![object]).pop().unwrap().unwrap();
        writing.push(start.elapsed());
        until("enforcement", || enforced(about)).await;
        times.push(start.elapsed());
    }
    times.sort();
    writing.sort();
    let (count, middle, last) = (times.len(), times.len() / 2, times.len() - 1);
    let (median, longest, written) = (times[middle], times[last], writing[middle]);
    println!(
        "from publishing at A to enforcement at B over the stream, {count} times: median {median:?}, longest {longest:?}; of this, to A's disk: median {written:?}"
    );

    // What A takes back, B enforces no more.
    let object = Object::from_value(signed(1, indicator(1, 100, Tlp::Green))).unwrap();
    a.publish(1, Value::Object(object.raw().clone()));
    until("enforcement", || enforced(100)).await;
    a.publish(1, draft::revocation(&object, Timestamp::now()));
    until("the end of it", || !enforced(100)).await;

    // What is not for B does not come, and what comes after it does.
    a.publish(1, indicator(1, 101, Tlp::Red));
    a.publish(1, indicator(1, 102, Tlp::AmberStrict));
    a.publish(1, indicator(1, 103, Tlp::Amber));
    until("enforcement", || enforced(103)).await;
    assert!(!enforced(101) && !enforced(102));
    stop.send(()).unwrap();
    assert_eq!(task.await.unwrap().taken().refused, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_outlives_the_server() {
    let (mut a, b) = (Chain::start(1, 1), Chain::start(2, 1));
    let enforced = |about: u8| b.here.lookup(&subject(about)).may_freeze;
    a.publish(1, indicator(1, 1, Tlp::Green));
    let (stop, task) = follow(&a, 2, &b);
    until("catching up", || enforced(1)).await;
    a.stop();
    a.publish(1, indicator(1, 2, Tlp::Green));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!enforced(2), "it was published while nobody could be asked");
    a.resume();
    until("catching up again", || enforced(2)).await;
    a.publish(1, indicator(1, 3, Tlp::Green));
    until("following again", || enforced(3)).await;
    stop.send(()).unwrap();
    // A follower that is stopped may not have counted what it took last.
    let taken = task.await.unwrap().taken();
    assert!(matches!(taken.new, 2 | 3) && taken.refused == 0, "{taken:?}");
}

/// C believes A and B, and freezes by itself only for both.
#[tokio::test(flavor = "multi_thread")]
async fn two_chains_are_needed_where_two_are_asked_for() {
    let (a, b, c) = (Chain::start(1, 2), Chain::start(2, 2), Chain::start(3, 2));
    let (first, second) = (follow(&a, 3, &c), follow(&b, 3, &c));
    let found = || c.here.lookup(&subject(7));
    let seen = a.publish(1, indicator(1, 7, Tlp::Green));
    until("hearing of it", || found().sources.len() == 1).await;
    assert!(!found().may_freeze && found().confidence > 0);
    let sighting = draft::sighting(&id(2), &seen, 1, 90, Tlp::Green, Timestamp::now()).unwrap();
    b.publish(2, sighting);
    until("the second source", || found().may_freeze).await;
    for (stop, task) in [first, second] {
        stop.send(()).unwrap();
        task.await.unwrap();
    }
}
