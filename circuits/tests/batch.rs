//! Honest batches satisfy every rule, and are really proved.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeSet;

use bastion_circuits::check::{check, names};
use bastion_circuits::witness::{fill, generate_witness};
use bastion_circuits::{BatchCircuit, Shape};
use bastion_state::executor::{posted_data, BatchTrace};
use halo2_proofs::dev::MockProver;
use halo2_proofs::halo2curves::bn256::{Bn256, Fr, G1Affine};
use halo2_proofs::plonk::{create_proof, keygen_pk, keygen_vk, verify_proof};
use halo2_proofs::poly::commitment::ParamsProver;
use halo2_proofs::poly::kzg::commitment::{KZGCommitmentScheme, ParamsKZG};
use halo2_proofs::poly::kzg::multiopen::{ProverSHPLONK, VerifierSHPLONK};
use halo2_proofs::poly::kzg::strategy::SingleStrategy;
use halo2_proofs::transcript::{
    Blake2bRead, Blake2bWrite, Challenge255, TranscriptReadBuffer, TranscriptWriterBuffer,
};
use rand::SeedableRng;
use support::{context, link, run, world, EVERY_KIND};

fn every_kind() -> BatchTrace {
    run(&mut world(), &context(), &EVERY_KIND).unwrap()
}

#[test]
fn every_kind_satisfies_every_rule() {
    let shape = Shape::tiny();
    let (grid, pools) = fill(&shape, &every_kind(), &link()).unwrap();
    assert!(pools.out_of_range.is_empty());
    assert!(grid.conflicts().is_empty(), "{:?}", grid.conflicts());
    let failures = check(&shape, &grid);
    assert_eq!(names(&failures), BTreeSet::new());
}

#[test]
fn an_empty_batch_keeps_the_root() {
    let shape = Shape::tiny();
    let trace = run(&mut world(), &context(), &[]).unwrap();
    let (grid, _) = fill(&shape, &trace, &link()).unwrap();
    assert_eq!(names(&check(&shape, &grid)), BTreeSet::new());
    assert_eq!(grid.public()[0], grid.public()[1]);
}

#[test]
fn public_inputs_are_those_of_the_data() {
    let trace = every_kind();
    let circuit = generate_witness(&Shape::tiny(), &trace, &link()).unwrap();
    let public = circuit.instances();
    let to_halo2 = bastion_circuits::witness::convert::to_halo2;
    let data = posted_data(&trace.ops);
    let y = data.evaluate(link().y_in, link().r);
    let c = bastion_state::executor::word_chain(link().c_in, &trace.ops);
    assert_eq!(public[0], to_halo2(trace.old_root));
    assert_eq!(public[1], to_halo2(trace.new_root));
    assert_eq!(public[3], to_halo2(c));
    assert_eq!(public[5], to_halo2(y));
    assert_eq!(public[6], to_halo2(context().policy.root()));
}

#[test]
fn mock_prover_agrees() {
    let shape = Shape::tiny();
    let circuit = generate_witness(&shape, &every_kind(), &link()).unwrap();
    let instances = vec![circuit.instances()];
    let mock = MockProver::run(shape.k, &circuit, instances).unwrap();
    mock.assert_satisfied();
}

#[test]
fn an_honest_batch_is_proved_and_a_false_input_refused() {
    let shape = Shape::tiny();
    let rng = rand_chacha::ChaCha20Rng::seed_from_u64(7);
    let params = ParamsKZG::<Bn256>::setup(shape.k, rng.clone());
    let empty = BatchCircuit::without_witness(&shape);
    let vk = keygen_vk(&params, &empty).unwrap();
    assert_eq!(vk.cs().degree(), 6);
    let pk = keygen_pk(&params, vk, &empty).unwrap();

    let circuit = generate_witness(&shape, &every_kind(), &link()).unwrap();
    let public = circuit.instances();
    let mut transcript = Blake2bWrite::<_, G1Affine, Challenge255<_>>::init(vec![]);
    create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
        &params,
        &pk,
        &[circuit],
        &[&[&public]],
        rng,
        &mut transcript,
    )
    .unwrap();
    let proof = transcript.finalize();

    let verify = |public: &[Fr]| {
        let mut transcript = Blake2bRead::<_, G1Affine, Challenge255<_>>::init(&proof[..]);
        verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
            params.verifier_params(),
            pk.get_vk(),
            SingleStrategy::new(&params),
            &[&[public]],
            &mut transcript,
        )
    };
    verify(&public).unwrap();
    for i in 0..public.len() {
        let mut other = public.clone();
        other[i] += Fr::one();
        assert!(verify(&other).is_err(), "public input {i}");
    }
}
