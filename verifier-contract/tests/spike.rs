//! The whole depth of the proving stack at its smallest: two proofs of a two-phase circuit with a
//! bus, aggregated, proved for the EVM and checked by Bastion's own Solidity verifier.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use alloy_primitives::U256;
use bastion_contract::{
    bindings::IBastionVerifier as Verifier,
    evm::Evm,
    field::SCALAR_MODULUS,
    solc::{compile_with, Optimization},
    VerifierArtifact, VerifierDescription,
};
use halo2_base::{
    gates::circuit::CircuitBuilderStage,
    halo2_proofs::{
        dev::MockProver,
        halo2curves::bn256::{Bn256, Fr, G1Affine},
        plonk::VerifyingKey,
        poly::kzg::commitment::ParamsKZG,
    },
};
use snark_verifier_sdk::{
    evm::{encode_calldata, gen_evm_proof_shplonk, gen_evm_verifier_sol_code},
    gen_pk,
    halo2::{
        aggregation::{AggregationCircuit, AggregationConfigParams, VerifierUniversality},
        gen_snark_shplonk,
    },
    CircuitExt, Snark, SHPLONK,
};
use std::{path::Path, time::Instant};
use support::{
    bus::{BusCircuit, ROWS},
    deciding_key, downsized, flat, native_accepts, protocol_of, test_srs, Deployed,
};

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
    assert!(inner_pk.get_vk().cs().permutation().get_columns().is_empty());
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
    let protocol = protocol_of::<AggregationCircuit>(&params, pk.get_vk(), &instances);
    assert!(native_accepts(&params, &protocol, &instances, &proof));

    let description =
        VerifierDescription::from_protocol(&protocol, &deciding_key(&params)).unwrap();
    let artifact = VerifierArtifact::build(&description).unwrap();
    let mut deployed = Deployed::new(&artifact);
    let gas = deployed.verify(&flat(&instances), &proof).unwrap();
    println!("own verifier: {} bytes, {gas} gas, {:?}", artifact.code_size, start.elapsed());

    refuses_tampering(&mut deployed, &flat(&instances), &proof);
    println!("tampering refused {:?}", start.elapsed());

    let (their_size, their_gas) = upstream(&params, pk.get_vk(), &instances, &proof);
    println!("snark-verifier's: {their_size} bytes, {their_gas} gas, {:?}", start.elapsed());
    assert!(gas < their_gas && artifact.code_size < their_size);
}

/// Flips of every 37th byte, changes of each instance, aliases and malformed accumulators.
fn refuses_tampering(deployed: &mut Deployed, instances: &[U256], proof: &[u8]) {
    use Verifier::IBastionVerifierErrors as E;
    for at in (0..proof.len()).step_by(37) {
        let mut tampered = proof.to_vec();
        tampered[at] ^= 0x10;
        assert!(deployed.verify(instances, &tampered).is_err(), "byte {at}");
    }
    let limb = U256::from(1) << 88;
    for index in 0..instances.len() {
        let mut with = |value: U256| {
            let mut changed = instances.to_vec();
            changed[index] = value;
            deployed.verify(&changed, proof).unwrap_err()
        };
        let honest = instances[index];
        let alias = with(honest + SCALAR_MODULUS);
        assert!(matches!(alias, E::InstanceOutOfRange(ref e) if e.index == U256::from(index)));
        let changed = with(honest ^ U256::from(1));
        if index < 12 {
            // The pair's coordinates: another value is no point of the curve.
            assert!(matches!(changed, E::AccumulatorPointInvalid(_)), "{index}: {changed:?}");
            let large = with(honest | limb);
            assert!(
                matches!(large, E::AccumulatorLimbOutOfRange(ref e) if e.index == U256::from(index)),
                "{index}: {large:?}"
            );
        } else {
            assert!(matches!(changed, E::PairingFailed(_)), "{index}: {changed:?}");
        }
    }
    // Well-formed pairs that are not the proof's own: exchanged, and trivially true.
    let exchanged = [&instances[6..12], &instances[..6], &instances[12..]].concat();
    assert!(matches!(deployed.verify(&exchanged, proof), Err(E::PairingFailed(_))));
    let identity = [&[U256::ZERO; 12][..], &instances[12..]].concat();
    assert!(matches!(deployed.verify(&identity, proof), Err(E::AccumulatorPointInvalid(_))));
}

/// Size in bytes and gas of the verifier that snark-verifier itself writes. It is compiled without
/// the optimizer, which runs out of memory on it, and deployed without the limit of EIP-170.
fn upstream(
    params: &ParamsKZG<Bn256>,
    vk: &VerifyingKey<G1Affine>,
    instances: &[Vec<Fr>],
    proof: &[u8],
) -> (usize, u64) {
    let rows = instances.iter().map(Vec::len).collect();
    let source = gen_evm_verifier_sol_code::<AggregationCircuit, SHPLONK>(params, vk, rows)
        .replace("pragma solidity 0.8.19;", "pragma solidity ^0.8.19;");
    let contracts = compile_with(&[("Theirs.sol", &source)], Optimization::Off).unwrap();
    let mut evm = Evm::default();
    evm.set_code_size_limit(1 << 20);
    let address = evm.deploy(contracts[0].bytecode.clone()).unwrap();
    let result = evm.call(address, encode_calldata(instances, proof).into()).unwrap();
    assert!(result.is_success(), "{result:?}");
    (contracts[0].deployed_bytecode.len(), result.gas_used)
}
