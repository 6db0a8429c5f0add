//! Proofs of a tiny batch and of a block of one, and their verification by all verifiers: the native
//! one (snark-verifier, as the block circuit has it), halo2's own, the second one on arkworks, and
//! the contract in an EVM.
//!
//! Keys come from the cache of the tests, or are made (half a minute). Proving a block takes long,
//! and ten samples are criterion's least.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::cell::OnceCell;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use bastion_aggregator::aggregate;
use bastion_circuits::witness::generate_witness;
use bastion_circuits::Shape;
use bastion_contract::bindings::verify_calldata;
use bastion_contract::evm::Evm;
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_node::second_verifier::SecondVerifier;
use bastion_protocol::{field, BatchProof, BlockProof};
use bastion_prover::proof::{prove, verify, verify_with_halo2};
use criterion::{criterion_group, criterion_main, Criterion, SamplingMode};
use rand::rngs::OsRng;

fn proofs(c: &mut Criterion) {
    let (cache, prover) = support::prover();
    let shape = Shape::tiny();
    let (trace, link) = support::batch();
    let circuit = generate_witness(&shape, &trace, &link).unwrap();
    let (keys, params) = (prover.batches.keys(), prover.srs.params(shape.k).unwrap());
    let batch = prove(&params, keys, circuit.clone(), OsRng).unwrap();
    let proofs = [batch.clone()];
    let block = OnceCell::new();
    let together = || aggregate(&prover.block, keys.verifier(), &proofs, &prover.srs).unwrap();

    let mut group = c.benchmark_group("proofs");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(1));
    group.bench_function("prove a tiny batch", |bench| {
        bench.iter(|| prove(&params, keys, circuit.clone(), OsRng).unwrap())
    });
    group.bench_function("aggregate a block of one tiny batch", |bench| {
        bench.iter(|| _ = block.set(together()))
    });
    group.finish();

    verifiers(c, &cache, &prover, &batch, block.get_or_init(together));
}

fn verifiers(
    c: &mut Criterion,
    cache: &Cache,
    prover: &BlockProver,
    batch: &BatchProof,
    block: &BlockProof,
) {
    let verifier = &prover.block.verifier;
    let stored = prover.verifier(cache).unwrap();
    let folder = prover.verifier_dir(cache);
    let second = SecondVerifier::open(&folder).unwrap();

    let mut group = c.benchmark_group("verify a batch proof");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    let key = prover.batches.keys().verifier();
    group.bench_function("native", |bench| bench.iter(|| verify(batch, key.proofs()).unwrap()));
    group.bench_function("halo2", |bench| bench.iter(|| verify_with_halo2(batch, key).unwrap()));
    group.bench_function("second verifier", |bench| {
        let inputs = [batch.public_inputs.clone()];
        bench.iter(|| second.batch().verify(&inputs, &batch.proof).unwrap())
    });
    group.finish();

    let mut group = c.benchmark_group("verify a block proof");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.bench_function("native", |bench| {
        bench.iter(|| bastion_aggregator::verify(block, verifier).unwrap())
    });
    group.bench_function("second verifier", |bench| {
        let instances = [block.instances().to_vec()];
        bench.iter(|| second.block().verify(&instances, &block.proof).unwrap())
    });
    group.bench_function("contract in the embedded EVM", |bench| {
        let mut evm = Evm::default();
        let contract = evm.deploy(stored.contract.bytecode.clone()).unwrap();
        let words = block.instances().map(|x| U256::from_be_bytes(field::to_bytes(&x)));
        let calldata = verify_calldata(&words, &block.proof);
        bench.iter(|| {
            let result = evm.view(Address::ZERO, contract, calldata.clone()).unwrap();
            assert!(result.is_success());
        })
    });
    group.finish();
}

criterion_group!(benches, proofs);
criterion_main!(benches);
