//! The whole way with real proofs, on the smallest block: one tiny batch with an operation of every
//! group becomes a block proof, the contract finalizes it and pays the exits, and no byte of the
//! folder can change unnoticed. (Blocks of several batches are `make demo`.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../l1/tests/support/anvil.rs"]
mod anvil;
mod audit;
mod exodus;
mod node;
mod resume;

use bastion_prover::ErrorClass;
use std::fs;
use std::path::Path;
use std::time::Instant;

use alloy_primitives::{uint, U256};
use bastion_aggregator::{aggregate, AggregatorError};
use bastion_circuits::Shape;
use bastion_contract::VerifierArtifact;
use bastion_l1::{DevChain, EmbeddedL1, ReadL1, SendL1, DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_node::block::next_block;
use bastion_node::block_store::{BlockDir, Manifest, FORMAT};
use bastion_node::deploy::{rollup_address, Roles};
use bastion_node::devnet::{dev_policy, DemoSource};
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_node::second_verifier::SecondVerifier;
use bastion_node::settle::{block_hash, to_u256, RollupClient};
use bastion_node::NodeError;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::records::Section;
use bastion_protocol::{field, BlockProof, CircuitId};
use bastion_protocol::{Address, Fr};
use bastion_prover::progress::Progress;
use bastion_prover::schedule::MemoryBudget;
use bastion_prover::srs::SrsChoice;
use bastion_state::executor::BatchContext;
use bastion_state::state::State;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const TIME: u64 = 1_800_000_000;
/// The scalar field's modulus.
const MODULUS: U256 =
    uint!(21888242871839275222246405745257275088548364400416034343698204186575808495617_U256);

#[test]
fn a_block_is_finalized_and_no_byte_of_it_can_change() {
    let start = Instant::now();
    let lap = |what: &str| println!("{:6.1} s  {what}", start.elapsed().as_secs_f64());
    let cache = Cache::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("bastion-cache"));
    let shape = Shape::tiny();
    let prover =
        BlockProver::open(&shape, 1, &cache, SrsChoice::HeldOrUnsafeDev, &Progress::silent())
            .unwrap();
    lap("keys");
    let deployable = &prover.verifier(&cache).unwrap();
    the_verifier_is_the_pinned_one(&deployable.contract.solidity);

    // Execute.
    let contract = Address(rollup_address(DEV_OPERATOR, 0).into_array());
    let context =
        BatchContext { domain: domain(DEV_CHAIN_ID, contract), time: TIME, policy: dev_policy() };
    let mut state = State::new();
    let genesis = state.root();
    let mut source = DemoSource::short(context.domain, TIME);
    let queue = source.queue();
    let mut refused = Vec::new();
    let block =
        next_block(&mut state, &context, &shape, 1, DataMode::Calldata, &mut source, &mut refused)
            .unwrap()
            .unwrap();
    assert!(refused.is_empty(), "{refused:?}");
    let kinds = block.operations().count();
    assert_eq!(kinds, queue.len() + 2 + 3, "all of the story is in the batch");

    // Prove.
    let budget = MemoryBudget::parse("8GiB").unwrap();
    let proven = prover.prove(&block, budget, &Progress::silent()).unwrap();
    lap("block proof");
    refuses_what_it_cannot_aggregate(&prover, &proven.batches);

    // Settle.
    let mut l1 = EmbeddedL1::new(TIME);
    let mut settlement = RollupClient::deploy(
        &mut l1,
        &Roles::dev(DEV_OPERATOR),
        deployable,
        &genesis,
        &context.policy,
    )
    .unwrap();
    assert_eq!(settlement.rollup.into_array(), contract.0);
    for op in &queue {
        settlement.enqueue(&mut l1, op).unwrap();
    }
    for at in [0, 16, proven.proof.proof.len() / 2] {
        let mut forged = proven.proof.clone();
        forged.proof[at] ^= 0x10;
        let result = settlement.settle(&mut l1, 1, &block.header, block.posted(), &forged);
        assert!(result.is_err(), "byte {at}");
        // The commitment stays; the next attempt starts on a chain without it.
        l1 = EmbeddedL1::new(TIME);
        settlement = RollupClient::deploy(
            &mut l1,
            &Roles::dev(DEV_OPERATOR),
            deployable,
            &genesis,
            &context.policy,
        )
        .unwrap();
        for op in &queue {
            settlement.enqueue(&mut l1, op).unwrap();
        }
    }
    let gas = settlement.settle(&mut l1, 1, &block.header, block.posted(), &proven.proof).unwrap();
    lap(&format!("finalized: {gas:?}"));
    assert_eq!(settlement.state_root(&mut l1).unwrap(), to_u256(&state.root()));
    let exits: Vec<Vec<u8>> = block
        .operations()
        .flat_map(|op| op.records())
        .filter(|(section, _)| *section == Section::Exits)
        .map(|(_, bytes)| bytes)
        .collect();
    assert_eq!(exits.len(), 2);
    // The limiter has released both when the bucket still holds back the one that is large for the
    // vault, until nothing delays it any more.
    l1.advance(context.policy.longest_delay()).unwrap();
    let inputs = block_hash(&proven.proof.inputs);
    let claim = |l1: &mut EmbeddedL1, p| {
        settlement.claim(l1, 1, inputs, p, &exits).map_err(|e| e.to_string())
    };
    let mut held_back = 0;
    for position in 0..exits.len() {
        if let Err(why) = claim(&mut l1, position) {
            assert!(why.contains("BucketFull"), "{why}");
            held_back += 1;
            let delay = settlement.longest_delay(&mut l1).unwrap();
            l1.advance(delay).unwrap();
            claim(&mut l1, position).unwrap();
        }
        let again = claim(&mut l1, position).unwrap_err();
        assert!(again.contains("AlreadyClaimed"), "{again}");
    }
    assert_eq!(held_back, 1);
    lap("claimed");
    let documents = prover.verifier_dir(&cache);
    let second = SecondVerifier::open(&documents).unwrap();
    let honest = audit::finds_every_planted_fault(
        &mut l1,
        &settlement,
        &deployable.contract,
        &second,
        &state,
    );
    lap("audited");
    node::tells_the_same(&honest, |l1| {
        let mut settlement = RollupClient::deploy(
            l1,
            &Roles::dev(DEV_OPERATOR),
            deployable,
            &genesis,
            &context.policy,
        )
        .unwrap();
        for op in &queue {
            settlement.enqueue(l1, op).unwrap();
        }
        settlement.settle(l1, 1, &block.header, block.posted(), &proven.proof).unwrap();
        settlement
    });
    lap("the same from a node, and everybody left");
    let left = exodus::everybody_leaves(&mut l1, &settlement);
    exodus::is_audited(&left, &|history| {
        audit::report(history, &settlement, &deployable.contract, &second)
    });
    lap("exodus");

    // A stranger reads the folder.
    let dir = tempfile::tempdir().unwrap();
    let folder = BlockDir::new(dir.path());
    folder.create().unwrap();
    folder.write_block(0, &block, &proven).unwrap();
    let quick = Instant::now();
    let stored = folder.read_block(0).unwrap();
    resume::goes_on_wherever_it_stopped(deployable, &context.policy, &stored);
    lap("submitted with interruptions");
    second.verify(0, &genesis, &stored).unwrap();
    println!("second verifier, block and batch proof: {:?}", quick.elapsed());
    is_for_its_own_folders_alone(&second, &prover, contract);
    let prover = Verifiers { contract: &deployable.contract, first: &prover, second: &second };
    check(&prover, &folder, &genesis).unwrap();
    let other_root = check(&prover, &folder, &Fr::from(1u64)).unwrap_err();
    assert_eq!(other_root.class(), ErrorClass::Invalid);
    let mut flips = 0;
    for kind in ["data", "header.json", "proof.json", "batch-0.json"] {
        let path = folder.file(0, kind);
        let bytes = fs::read(&path).unwrap();
        let step = (bytes.len() / 150).max(1);
        for at in (0..bytes.len()).step_by(step) {
            for mask in [0x01, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= mask;
                fs::write(&path, &changed).unwrap();
                match check(&prover, &folder, &genesis) {
                    Ok(()) => panic!("{kind}: byte {at} ^ {mask:#04x} goes unnoticed"),
                    Err(e) => assert_eq!(e.class(), ErrorClass::Invalid, "{kind}: byte {at}: {e}"),
                }
                flips += 1;
            }
        }
        for changed in [&bytes[..bytes.len() - 1], &[&bytes[..], b"\n"].concat()] {
            fs::write(&path, changed).unwrap();
            let error = check(&prover, &folder, &genesis).unwrap_err();
            assert_eq!(error.class(), ErrorClass::Invalid, "{kind}: {error}");
        }
        fs::remove_file(&path).unwrap();
        let error = check(&prover, &folder, &genesis).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Missing, "{kind}: {error}");
        fs::write(&path, &bytes).unwrap();
    }
    check(&prover, &folder, &genesis).unwrap();
    lap(&format!("{flips} flips noticed"));
    let mutations = mutated_proofs(&prover, &proven.proof, &mut l1);
    lap(&format!("{mutations} mutated proofs, three verifiers, no disagreement"));
    record("mutated_proofs", flips + mutations);
    record("disagreements", 0);

    // Proofs under a reference string with a known secret are not for chains with money.
    let mut mainnet = EmbeddedL1::with_chain(1, TIME);
    let error = RollupClient::deploy(
        &mut mainnet,
        &Roles::dev(DEV_OPERATOR),
        deployable,
        &genesis,
        &context.policy,
    )
    .unwrap_err();
    assert!(matches!(error, NodeError::UnsafeSrs { chain_id: 1, .. }));
}

/// Documents of another reference string or circuit are not for a folder that names this one.
fn is_for_its_own_folders_alone(second: &SecondVerifier, prover: &BlockProver, contract: Address) {
    let manifest = Manifest {
        format: FORMAT,
        shape: "tiny".into(),
        batches_per_block: 1,
        batch_circuit_id: prover.batches.keys().circuit_id(),
        block_circuit_id: prover.block.verifier.circuit_id,
        srs: prover.srs.id().to_string(),
        unsafe_dev_srs: true,
        chain_id: DEV_CHAIN_ID,
        contract,
        policy: dev_policy(),
        tokens: Vec::new(),
        blocks: 1,
    };
    second.check(&manifest).unwrap();
    let others: [fn(&mut Manifest); 3] = [
        |m| m.srs = "00".repeat(32),
        |m| m.batch_circuit_id = CircuitId::new([0; 32]),
        |m| m.block_circuit_id = CircuitId::new([0; 32]),
    ];
    for change in others {
        let mut other = manifest.clone();
        change(&mut other);
        assert_eq!(second.check(&other).unwrap_err().class(), ErrorClass::Mismatch);
    }
}

/// The verifier contract up to the numbers that differ with the reference string: a change is a new
/// contract. `BASTION_BLESS=1` accepts it.
fn the_verifier_is_the_pinned_one(solidity: &str) {
    let mut digits = 0;
    let mut masked = String::new();
    for c in solidity.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() {
            digits += 1;
        } else if digits >= 48 {
            masked.truncate(masked.len() - digits);
            masked += "NUMBER";
        }
        digits = if c.is_ascii_hexdigit() { digits } else { 0 };
        masked.push(c);
    }
    let found = format!("{}\n", alloy_primitives::keccak256(&masked));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/block/pinned.txt");
    if std::env::var_os("BASTION_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let pinned = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, pinned, "the verifier contract changed");
}

/// The prover's verifier and the second one, which must agree.
struct Verifiers<'a> {
    contract: &'a VerifierArtifact,
    first: &'a BlockProver,
    second: &'a SecondVerifier,
}

fn check(both: &Verifiers<'_>, folder: &BlockDir, old_root: &Fr) -> Result<(), NodeError> {
    let block = folder.read_block(0)?;
    let verdict = both.first.checker().verify(0, old_root, &block);
    let second = both.second.verify(0, old_root, &block);
    assert_eq!(verdict.is_ok(), second.is_ok(), "{verdict:?} {second:?}");
    if let Err(error) = second {
        assert_eq!(error.class(), ErrorClass::Invalid, "{error}");
    }
    verdict
}

/// Proofs that parse but do not hold, under three verifiers.
fn mutated_proofs(both: &Verifiers<'_>, proof: &BlockProof, l1: &mut EmbeddedL1) -> usize {
    let rounds = std::env::var("BASTION_MUTATIONS").map_or(60, |n| n.parse().unwrap());
    let verifier = &both.first.block.verifier;
    let (contract, _) = l1.deploy(DEV_OPERATOR, both.contract.bytecode.clone()).unwrap();
    let words = proof.instances().map(|x| field::to_bytes(&x));
    let bytes = proof.proof.clone();
    let mut rng = StdRng::seed_from_u64(5);
    for round in 0..rounds + words.len() {
        let (mut words, mut bytes) = (words, bytes.clone());
        // First each public input x as x + p.
        let aliased = words.get_mut(round).map(|word| {
            *word = (U256::from_be_bytes(*word) + MODULUS).to_be_bytes();
        });
        match round % 3 {
            _ if aliased.is_some() => {}
            // Points that change places are still points.
            0 => {
                let (a, b) = (rng.gen_range(0..8), rng.gen_range(0..8));
                let point = bytes[64 * a..64 * a + 64].to_vec();
                bytes[64 * b..64 * b + 64].copy_from_slice(&point);
            }
            1 => {
                let at = rng.gen_range(0..bytes.len());
                bytes[at] ^= 1 << rng.gen_range(0..8);
            }
            _ => {
                let at = rng.gen_range(0..words.len());
                let byte = rng.gen_range(1..32);
                words[at][byte] ^= 1 << rng.gen_range(0..8);
            }
        }
        // A word of at least p is refused where the artifact is read.
        let instances = words.iter().map(|w| field::from_bytes("word", w));
        let instances = instances.collect::<Result<Vec<Fr>, _>>();
        let native = instances.as_ref().is_ok_and(|instances| {
            let instances = instances.as_slice().try_into().unwrap();
            let changed = BlockProof::new(proof.circuit_id, instances, bytes.clone());
            bastion_aggregator::verify(&changed, verifier).is_ok()
        });
        let audit = instances.is_ok_and(|i| both.second.block().verify(&[i], &bytes).is_ok());
        let integers: Vec<U256> = words.iter().map(|w| U256::from_be_bytes(*w)).collect();
        let calldata = bastion_contract::bindings::verify_calldata(&integers, &bytes);
        let evm = l1.view(contract, calldata).is_ok();
        assert_eq!((native, audit), (evm, evm), "round {round}");
        assert!(aliased.is_none() || !evm, "public input {round} + p");
    }
    rounds + words.len()
}

fn refuses_what_it_cannot_aggregate(prover: &BlockProver, proofs: &[bastion_protocol::BatchProof]) {
    let key = prover.batches.keys().verifier();
    let none = aggregate(&prover.block, key, &[], &prover.srs).unwrap_err();
    assert!(matches!(none, AggregatorError::WrongNumber { .. }));
    let mut tampered = proofs.to_vec();
    tampered[0].proof[40] ^= 1;
    assert!(aggregate(&prover.block, key, &tampered, &prover.srs).is_err());
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
