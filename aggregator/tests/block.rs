//! A real batch becomes a block proof that the EVM accepts. (How several batches are linked is tested
//! in the crate with small circuits, and shown by `make demo` with real ones.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Instant;

use alloy_primitives::U256;
use bastion_aggregator::{aggregate, verify, AggregatorError, BlockKeys, BlockProof, BlockShape};
use bastion_circuits::witness::{compile, Link};
use bastion_circuits::{BatchCircuit, Shape};
use bastion_contract::bindings::verify_calldata;
use bastion_contract::evm::Evm;
use bastion_prover::keys::KeyStore;
use bastion_prover::progress::Progress;
use bastion_prover::proof::{prove, BatchProof};
use bastion_prover::srs::Srs;
use bastion_state::data::{word_chain, BatchData};
use bastion_state::executor::{BatchBuilder, BatchContext};
use bastion_state::keys::SecretKey;
use bastion_state::ops::{Deposit, Op};
use bastion_state::policy::{Policy, TokenLimits};
use bastion_state::state::State;
use bastion_state::{Address, Fr};
use rand::rngs::OsRng;

fn context() -> BatchContext {
    BatchContext {
        domain: Fr::from(5u64),
        time: 1_700_000_000,
        policy: Policy {
            guardian_keyhash: Fr::from(1u64),
            max_freeze: 1,
            cooldown: 1,
            fee_keyhash: Fr::from(2u64),
            fee_exit: Address([1; 20]),
            default_limits: TokenLimits {
                rate: 1,
                burst_seconds: 1,
                max_delay: 1,
            },
            limits: Default::default(),
        },
    }
}

/// Circuits of `n` batches with one deposit each.
fn circuits(n: u64) -> Vec<BatchCircuit> {
    let shape = Shape::tiny();
    let mut state = State::new();
    let mut link = Link {
        c_in: Fr::from(0u64),
        y_in: Fr::from(0u64),
        r: Fr::from(77u64),
    };
    (0..n)
        .map(|i| {
            let mut builder = BatchBuilder::new(&mut state, context()).unwrap();
            let deposit = Op::Deposit(Deposit {
                token: 0,
                amount: 1_000 + u128::from(i),
                keyhash: SecretKey::from_seed(&i.to_be_bytes()).public().keyhash(),
                exit: Address([9; 20]),
            });
            assert!(builder.push(&deposit, |_| true).unwrap());
            let trace = builder.finish();
            let circuit = compile(&shape, &trace, &link).unwrap();
            link.c_in = word_chain(link.c_in, &trace.ops);
            link.y_in = BatchData::of(&trace.ops).evaluate(link.y_in, link.r);
            circuit
        })
        .collect()
}

fn instances(proof: &BlockProof) -> Vec<U256> {
    proof
        .instances
        .iter()
        .map(|text| text.parse().unwrap())
        .collect()
}

#[test]
fn a_batch_reaches_the_evm() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bastion-cache");
    std::fs::create_dir_all(&dir).unwrap();
    let start = Instant::now();
    let lap = |what: &str| println!("{what}: {:?}", start.elapsed());
    let (shape, block) = (Shape::tiny(), BlockShape::for_batches(1));
    let srs = Srs::open_or_generate_dev(&dir, block.k, &[shape.k, block.k], OsRng).unwrap();
    lap("srs");
    let keys = KeyStore::new(&dir)
        .keys::<BatchCircuit>(&shape, &srs, &Progress::silent())
        .unwrap();
    let params = srs.params(shape.k).unwrap();
    let proofs: Vec<BatchProof> = circuits(1)
        .into_iter()
        .map(|c| prove(&params, &keys, c, OsRng).unwrap())
        .collect();
    lap("batch proofs");
    let block_keys =
        BlockKeys::load_or_generate(&dir, block, keys.verifier(), &srs, &Progress::silent())
            .unwrap();
    lap("block keys");
    println!("contract: {} bytes", block_keys.verifier.contract.code_size);

    let refused = aggregate(&block_keys, keys.verifier(), &[], &srs).unwrap_err();
    assert!(matches!(refused, AggregatorError::WrongNumber { .. }));
    let mut tampered = proofs.clone();
    tampered[0].proof[40] ^= 1;
    assert!(aggregate(&block_keys, keys.verifier(), &tampered, &srs).is_err());

    let proof = aggregate(&block_keys, keys.verifier(), &proofs, &srs).unwrap();
    lap("block proof");
    let (first, last) = (
        &proofs[0].public_inputs,
        &proofs[proofs.len() - 1].public_inputs,
    );
    let public = proof.public_inputs().unwrap();
    for i in 0..10 {
        let expected = if [1, 3, 5].contains(&i) { last } else { first };
        assert_eq!(public[i], expected[i], "public input {i}");
    }

    let check = |p: &BlockProof| verify(p, &block_keys.verifier, block_keys.deciding_key());
    check(&proof).unwrap();
    for i in 0..proof.instances.len() {
        let mut other = proof.clone();
        other.instances[i] = other.instances[(i + 1) % other.instances.len()].clone();
        if other != proof {
            assert_eq!(check(&other).unwrap_err().exit_code(), 3, "instance {i}");
        }
    }

    let mut evm = Evm::default();
    let contract = evm
        .deploy(block_keys.verifier.contract.bytecode.clone())
        .unwrap();
    let bytes = proof.proof_bytes().unwrap();
    let accepted = evm
        .call(contract, verify_calldata(&instances(&proof), &bytes))
        .unwrap();
    assert!(accepted.is_success(), "{accepted:?}");
    println!("gas: {}, proof {} bytes", accepted.gas_used, bytes.len());
    for i in (0..bytes.len()).step_by(97) {
        let mut other = bytes.clone();
        other[i] ^= 1;
        let refused = evm
            .call(contract, verify_calldata(&instances(&proof), &other))
            .unwrap();
        assert!(!refused.is_success(), "byte {i}");
    }
    lap("end");
}
