#![allow(warnings)]
use std::path::Path; use std::time::Instant;
use alloy_primitives::{U256, Bytes};
use bastion_aggregator::{BlockKeys, BlockShape};
use bastion_circuits::{BatchCircuit, Shape};
use bastion_contract::{bindings::verify_calldata, evm::Evm};
use bastion_prover::{keys::KeyStore, progress::Progress, srs::Srs};
use rand::rngs::OsRng;
fn gas(code: Bytes, len: usize) {
    let mut evm = Evm::default();
    let c = evm.deploy(code).unwrap();
    let w = |x: u8| { let mut b = [0u8; 32]; b[31] = x; b };
    let mut words: Vec<[u8; 32]> = (0..len / 32).map(|i| w(1 + (i % 2) as u8)).collect();
    let n = words.len();
    for i in 0..4 { words[n - 4 + i] = w(1 + (i % 2) as u8); }
    let mut ins = vec![U256::ZERO; 12];
    for p in [0, 6] { ins[p] = U256::from(1); ins[p + 3] = U256::from(2); }
    // ten full-size words, as roots and hashes are
    for i in 0..10u64 { ins.push(U256::from(i + 7) << 200usize | U256::MAX >> 60usize); }
    // proof words that are scalars would be full size in reality: count only lower bound of calldata
    let r = evm.call(c, verify_calldata(&ins, &words.concat())).unwrap();
    println!("proof {len} bytes: {:?} {} gas, output {}", r.status, r.gas_used, r.output);
}
#[test]
fn measure() {
    tracing_subscriber_init();
    let dir = Path::new("/work/main/target/tmp/bastion-cache");
    let srs = Srs::open(&dir.join("dev-k21.srs")).unwrap();
    let shape = Shape::tiny();
    let keys = KeyStore::new(dir).keys::<BatchCircuit>(&shape, &srs, &Progress::silent()).unwrap();
    println!("batch: witness {:?} fixed {} chunks {} evals {}", keys.verifier().protocol().num_witness, keys.verifier().protocol().preprocessed.len(), keys.verifier().protocol().quotient.num_chunk(), keys.verifier().protocol().evaluations.len());
    for k in [20, 21] {
        let t = Instant::now();
        let b = BlockKeys::generate(BlockShape { batches: 2, k }, keys.verifier(), &srs).unwrap();
        println!("k {k}: keygen {:?} {:?} code {}", t.elapsed(), b.config(), b.verifier.contract.code_size);
        let p = &b.verifier.protocol;
        let points = p.num_witness.iter().sum::<usize>() + p.quotient.num_chunk() + 2;
        gas(b.verifier.contract.bytecode.clone(), points * 64 + p.evaluations.len() * 32);
    }
}
fn tracing_subscriber_init() {}
