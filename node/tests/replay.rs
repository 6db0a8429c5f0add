//! A CSV of transfers becomes a block whose batches are really proved.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bastion_circuits::Shape;
use bastion_node::block::{next_block, Refused};
use bastion_node::pipeline::{BatchProver, Cache};
use bastion_node::workload::import_csv;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::policy::{Policy, TokenLimits};
use bastion_protocol::{Address, Fr};
use bastion_prover::progress::Progress;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::srs::SrsChoice;
use bastion_state::executor::BatchContext;
use bastion_state::state::State;
use rand::rngs::StdRng;
use rand::SeedableRng;

fn context() -> BatchContext {
    BatchContext {
        domain: domain(31_337, Address([7; 20])),
        time: 1_700_000_000,
        policy: Policy {
            guardian_keyhash: SecretKey::from_seed(b"guardian").public().keyhash(),
            max_freeze: 1,
            cooldown: 1,
            fee_keyhash: Fr::from(1u64),
            fee_exit: Address([1; 20]),
            default_limits: TokenLimits { rate: 1, burst_seconds: 1, max_delay: 1 },
            limits: Default::default(),
        },
    }
}

#[test]
fn a_csv_becomes_a_proven_block() {
    let shape = match std::env::var("BASTION_TEST_SHAPE") {
        Ok(name) => Shape::named(&name).unwrap(),
        Err(_) => Shape::tiny(),
    };
    let csv = std::env::var("BASTION_TEST_CSV").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/transfers.csv").into()
    });
    let limit = std::env::var("BASTION_TEST_LIMIT").ok().map(|n| n.parse().unwrap());
    let context = context();
    let file = std::fs::read(csv).unwrap();
    let (mut source, report) =
        import_csv(&file, limit, false, context.domain, context.time + 600).unwrap();
    println!("{report:?}");
    let mut state = State::new();
    let mut refused: Vec<Refused> = Vec::new();
    let block =
        next_block(&mut state, &context, &shape, 4, DataMode::Calldata, &mut source, &mut refused)
            .unwrap()
            .unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    println!("ops per batch: {:?}", block.batches.iter().map(|b| b.ops.len()).collect::<Vec<_>>());
    let public = block.header.public_inputs(&block.data).unwrap().into_array();
    let cache = tempfile::tempdir().unwrap();
    let cache = Cache::new(cache.path());
    let start = std::time::Instant::now();
    let choice = SrsChoice::HeldOrUnsafeDev;
    let silent = Progress::silent();
    let rng = StdRng::seed_from_u64(1);
    let srs = cache.srs().obtain(choice, shape.k, &[], &[], rng, &silent).unwrap();
    println!("srs {:?}", start.elapsed());
    let prover = BatchProver::new(&shape, &srs, &cache, &Progress::silent()).unwrap();
    println!("keys {:?}", start.elapsed());
    let circuits = prover.witnesses(&block).unwrap();
    println!("witnesses {:?}", start.elapsed());
    let budget = MemoryBudget::parse("8GiB").unwrap();
    let proofs = prover.prove(circuits, &srs, budget, &Progress::silent()).unwrap();
    println!("proofs {:?}", start.elapsed());
    let last = &proofs.last().unwrap().public_inputs;
    assert_eq!(last[1], public[1]);
    assert_eq!(last[3], public[3]);
    assert_eq!(last[5], public[5]);
    assert_eq!(last[9], public[9]);
}
