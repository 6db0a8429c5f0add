//! How long things take. Nothing is asserted of it: `cargo test --release -p bastion-sentinel --test
//! sharing measure -- --nocapture` shows it.

use std::time::Instant;

use bastion_sentinel::sharing::stix::{draft, Subject, Timestamp, Tlp};

use crate::chain::{id, indicator, signed, Chain, MAIN};

/// Indicators.
const COUNT: u32 = 1_000;

fn about(n: u32) -> Subject {
    let mut address = [0; 20];
    address[..4].copy_from_slice(&n.to_be_bytes());
    Subject::Evm { chain: Some(1), address }
}

#[test]
fn measure() {
    let chain = Chain::start(1, 1);
    let objects: Vec<_> = (0..COUNT)
        .map(|n| {
            let mut object = indicator(2, 0, Tlp::Green);
            let draft = draft::Draft {
                name: "Drainer".into(),
                subjects: vec![about(n)],
                confidence: 90,
                tlp: Tlp::Green,
                valid_from: Timestamp::now(),
                valid_until: None,
            };
            object["pattern"] =
                draft::indicator(&id(2), &draft, Timestamp::now()).unwrap()["pattern"].clone();
            signed(2, object)
        })
        .collect();
    let start = Instant::now();
    let outcomes = chain.here.accept(MAIN, "peer2", objects);
    let accepted = start.elapsed();
    assert!(outcomes.iter().all(Result::is_ok));

    let rounds = 100;
    let start = Instant::now();
    let found = (0..rounds * COUNT).filter(|n| chain.here.lookup(&about(n % COUNT)).may_freeze);
    assert_eq!(found.count(), (rounds * COUNT) as usize);
    let looked_up = start.elapsed() / (rounds * COUNT);
    let start = Instant::now();
    let misses = (0..rounds * COUNT).filter(|n| chain.here.lookup(&about(n + COUNT)).may_freeze);
    assert_eq!(misses.count(), 0);
    let missed = start.elapsed() / (rounds * COUNT);

    let start = Instant::now();
    let root = chain.here.root(chain.here.now());
    let rooted = start.elapsed();
    assert_eq!(root.count, u64::from(COUNT));
    println!(
        "{COUNT} signed indicators judged and on disk in {accepted:?}; a lookup that finds one in {looked_up:?}, and one that finds none in {missed:?}; the root over all in {rooted:?}"
    );
}
