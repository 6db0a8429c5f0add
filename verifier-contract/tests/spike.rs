//! The whole depth of the proving stack at its smallest: two proofs of a two-phase circuit with a
//! bus, aggregated, proved for the EVM and checked by Bastion's own Solidity verifier.

mod support;

use halo2_base::{
    gates::circuit::CircuitBuilderStage,
    halo2_proofs::{
        dev::MockProver,
        halo2curves::bn256::Fr,
        poly::commitment::Params,
    },
};
use snark_verifier::system::halo2::{compile, Config};
use snark_verifier_sdk::{
    evm::gen_evm_proof_shplonk,
    gen_pk,
    halo2::{
        aggregation::{AggregationCircuit, AggregationConfigParams, VerifierUniversality},
        gen_snark_shplonk,
    },
    CircuitExt, Snark, SHPLONK,
};
use std::{path::Path, time::Instant};
use support::{bus::{BusCircuit, ROWS}, downsized, native_accepts, test_srs};

const INNER_K: u32 = 6;
const OUTER_K: u32 = 18;

fn circuit(seed: u64) -> BusCircuit {
    BusCircuit {
        consumed: std::array::from_fn(|i| Fr::from(seed * 100 + i as u64)),
        order: [3, 0, 4, 1, 2],
    }
}

#[test]
fn two_phase_proofs_reach_the_evm() {
    let start = Instant::now();
    let params = test_srs(OUTER_K);
    println!("srs {:?}", start.elapsed());
    let inner_params = downsized(&params, INNER_K);
    let mock = MockProver::run(INNER_K, &circuit(1), circuit(1).instances()).unwrap();
    mock.assert_satisfied();
    let inner_pk = gen_pk(&inner_params, &circuit(1), None);
    println!("permutation columns {}", inner_pk.get_vk().cs().permutation().get_columns().len());
    let snarks: Vec<Snark> = [1, 2]
        .map(|seed| gen_snark_shplonk(&inner_params, &inner_pk, circuit(seed), None::<&Path>))
        .into();
    println!("inner proofs {:?}", start.elapsed());
    let mut keygen = AggregationCircuit::new::<SHPLONK>(
        CircuitBuilderStage::Keygen,
        AggregationConfigParams {
            degree: OUTER_K,
            lookup_bits: OUTER_K as usize - 1,
            ..Default::default()
        },
        &params,
        snarks.clone(),
        VerifierUniversality::None,
    );
    keygen.expose_previous_instances(false);
    let shape = keygen.calculate_params(Some(20));
    println!("shape {shape:?} {:?}", start.elapsed());
    let pk = gen_pk(&params, &keygen, None);
    println!("outer keys {:?}", start.elapsed());
    let break_points = keygen.break_points();
    drop(keygen);
    let mut prover = AggregationCircuit::new::<SHPLONK>(
        CircuitBuilderStage::Prover,
        shape,
        &params,
        snarks,
        VerifierUniversality::None,
    )
    .use_break_points(break_points);
    prover.expose_previous_instances(false);
    let instances = prover.instances();
    assert_eq!(instances[0].len(), 12 + 2 * ROWS);
    let proof = gen_evm_proof_shplonk(&params, &pk, prover, instances.clone());
    println!("outer proof {} bytes {:?}", proof.len(), start.elapsed());
    let protocol = compile(
        &params,
        pk.get_vk(),
        Config::kzg()
            .with_num_instance(instances.iter().map(Vec::len).collect())
            .with_accumulator_indices(AggregationCircuit::accumulator_indices()),
    );
    assert_eq!(u32::try_from(protocol.domain.k).unwrap(), params.k());
    assert!(native_accepts(&params, &protocol, &instances, &proof));
    println!("native {:?}", start.elapsed());
    // Kept for the generator's own work while this crate is being built.
    let mut cache = std::env::temp_dir();
    cache.push("spike.json");
    std::fs::write(cache, serde_json::to_vec(&(protocol, instances, proof)).unwrap()).unwrap();
}
