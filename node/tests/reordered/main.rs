//! A proof is of one order of operations. A block of two auctions is proven; then its data are posted in
//! thousands of other orders, each with the statement that honestly follows from it, and with the proof of the
//! first one. The contract, `bastion-audit` and the TypeScript verifier must refuse all of them.
//!
//! `BASTION_REORDERED` says how many (600).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod block;
mod changes;
mod circuit;
mod judges;
mod orders;

use std::fs;
use std::path::Path;
use std::time::Instant;

use bastion_circuits::Shape;
use bastion_l1::{EmbeddedL1, SendL1, DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_node::block_store::BlockDir;
use bastion_node::deploy::{rollup_address, Roles};
use bastion_node::devnet::dev_policy;
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_node::second_verifier::SecondVerifier;
use bastion_node::settle::RollupClient;
use bastion_protocol::header::domain;
use bastion_protocol::{Address, Header};
use bastion_prover::progress::Progress;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::srs::SrsChoice;
use bastion_state::executor::BatchContext;
use bastion_state::state::State;
use rand::rngs::StdRng;
use rand::SeedableRng;

use block::BATCHES;
use changes::Change;
use circuit::Proven;
use judges::{count, Claim, Contract, Tally};
use orders::{chain, Orders};

const TIME: u64 = 1_800_000_000;

fn context() -> BatchContext {
    let contract = Address(rollup_address(DEV_OPERATOR, 0).into_array());
    BatchContext { domain: domain(DEV_CHAIN_ID, contract), time: TIME, policy: dev_policy() }
}

/// Randomness that repeats; `BASTION_TEST_SEED` gives another.
fn rng(place: u64) -> StdRng {
    let seed = std::env::var("BASTION_TEST_SEED").map_or(0xba57, |seed| seed.parse().unwrap());
    println!("BASTION_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed ^ (place << 56))
}

fn rounds() -> usize {
    std::env::var("BASTION_REORDERED").map_or(600, |n| n.parse().unwrap())
}

#[test]
fn no_other_order_passes_for_the_proven_one() {
    let start = Instant::now();
    let lap = |what: &str| println!("{:6.1} s  {what}", start.elapsed().as_secs_f64());
    let cache = Cache::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("bastion-cache"));
    let (shape, choice) = (Shape::tiny(), SrsChoice::HeldOrUnsafeDev);
    let prover = BlockProver::open(&shape, BATCHES, &cache, choice, &Progress::silent()).unwrap();
    let deployable = &prover.verifier(&cache).unwrap();
    lap("keys");
    let block = block::execute(&context());
    let budget = MemoryBudget::parse("8GiB").unwrap();
    let proven = prover.prove(&block, budget, &Progress::silent()).unwrap();
    let proof = &proven.proof;
    lap("block proof");

    // The judges.
    let folder = tempfile::tempdir().unwrap();
    let documents = prover.verifier_dir(&cache);
    for name in ["manifest.json", "description.json"] {
        fs::copy(documents.join(name), folder.path().join(name)).unwrap();
    }
    BlockDir::new(folder.path()).write_block(0, &block, &proven).unwrap();
    let second = SecondVerifier::open(&documents).unwrap();
    let (mut l1, genesis) = (EmbeddedL1::new(TIME), State::new().root());
    let roles = Roles::dev(DEV_OPERATOR);
    let mut rollup =
        RollupClient::deploy(&mut l1, &roles, deployable, &genesis, &dev_policy()).unwrap();
    for op in &block::queue() {
        rollup.enqueue(&mut l1, op).unwrap();
    }
    let verifier = l1.deploy(DEV_OPERATOR, deployable.contract.bytecode.clone()).unwrap().0;
    let mut contract = Contract { l1, rollup, verifier };

    // The proven order first, then others; every fifth is posted by somebody who claims the proven `c_out`.
    let mut orders = Orders::new(&block, rng(1));
    let mut claims = vec![Claim::new(block.header, block.data.clone())];
    let (mut kinds, mut kept) = (Tally::new(), 0);
    for round in 0..rounds() {
        let change = Change::ALL[round % Change::ALL.len()];
        let (batches, data) = orders.draw(change);
        let keeps = round % 5 == 4;
        let c_out = if keeps { block.header.c_out } else { chain(&batches) };
        assert_eq!(keeps, c_out == block.header.c_out);
        claims.push(Claim::new(Header { c_out, ..block.header }, data));
        count(&mut kinds, &format!("{change:?}"));
        kept += usize::from(keeps);
    }
    lap(&format!("{kinds:?}, {kept} of them with the proven c_out; {} left out", orders.equal));

    let [mut by_rollup, mut by_audit, mut by_file, mut by_client] = [(); 4].map(|()| Tally::new());
    let said = judges::typescript(folder.path(), &claims);
    lap("judged by the TypeScript verifier");
    for (number, (claim, [file, stated])) in claims.iter().zip(&said).enumerate() {
        let rollup = contract.rollup(claim, proof);
        let verifier = contract.verifies(claim, proof);
        let audit = judges::audit(&second, claim, proof);
        let verdicts = [rollup == "accepted", verifier, audit == "accepted"];
        let verdicts = [&verdicts[..], &[file == "accepted", stated == "accepted"]].concat();
        let expected = number == 0;
        assert_eq!(verdicts, [expected; 5], "{number}: {rollup} {audit} {file} {stated}");
        for (tally, name) in [
            (&mut by_rollup, rollup),
            (&mut by_audit, audit.as_str()),
            (&mut by_file, file.as_str()),
            (&mut by_client, stated.as_str()),
        ] {
            count(tally, name);
        }
    }
    lap(&format!(
        "rollup {by_rollup:?}, audit {by_audit:?}, file {by_file:?}, client {by_client:?}"
    ));
    assert_eq!(kinds.len(), Change::ALL.len().min(rounds()), "every kind of change was made");
    record("reordered_blocks", claims.len() - 1);
    record("reordered_blocks_accepted", 0);
}

/// Operations of a batch in another order, executed again, are valid, and give everybody the same. They are
/// not what was proven.
#[test]
fn another_order_of_an_auction_is_another_batch_with_the_same_fills() {
    let block = block::execute(&context());
    let mut orders = Orders::new(&block, rng(2));
    let honest: Vec<Vec<usize>> =
        orders.honest.iter().map(|ops| (0..ops.len()).collect()).collect();
    let proven = Proven::new(block);
    assert_eq!(proven.reexecute(&honest).changed, 0);
    let kinds = [Change::Swap, Change::Rotate, Change::Permute, Change::QuoteWithOrder];
    let (mut batches, mut broken) = (0, Tally::new());
    for round in 0..rounds() / 20 {
        let (other, _) = orders.draw(kinds[round % kinds.len()]);
        let positions = orders.permutation(&other).expect("a permutation of each batch");
        let found = proven.reexecute(&positions);
        assert!(found.changed > 0);
        batches += found.changed;
        found.broken.iter().for_each(|name| count(&mut broken, name));
    }
    println!("{batches} batches refused under the proven statement: {broken:?}");
    // It is the order chain that tells them apart, and the word polynomial.
    assert!(broken.keys().any(|name| name.contains("chain")), "{broken:?}");
    record("reordered_witnesses", batches);
}

/// Adds a figure to the report of `make soundness`, if one is being written.
fn record(name: &str, value: usize) {
    use std::io::Write;
    let Ok(path) = std::env::var("BASTION_SOUNDNESS_REPORT") else {
        return;
    };
    let file = fs::File::options().create(true).append(true).open(path);
    writeln!(file.unwrap(), "{name} {value}").unwrap();
}
