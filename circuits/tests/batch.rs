//! Honest batches satisfy every rule, and are really proved.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeSet;

use bastion_circuits::check::{check, names};
use bastion_circuits::witness::convert::{to_halo2, wide};
use bastion_circuits::witness::{checked, fill, generate_witness, BlobLink, ChainedInputs};
use bastion_circuits::{BatchCircuit, PublicInputs, Shape};
use bastion_protocol::blob::point::limbs;
use bastion_protocol::blob::{coefficients, evaluate, Claim};
use bastion_protocol::data::{chain_start, polynomial_start, DataMode};
use bastion_protocol::inputs::{make_up, COUNT};
use bastion_protocol::Header;
use bastion_state::executor::{order_chain, posted_data, BatchTrace};
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
use support::{blob_link, context, link, run, world, EVERY_KIND};

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
    for link in [link(), blob_link()] {
        let (grid, _) = fill(&shape, &trace, &link).unwrap();
        assert_eq!(names(&check(&shape, &grid)), BTreeSet::new());
        let public = PublicInputs::from_array(<[Fr; COUNT]>::try_from(grid.public()).unwrap());
        assert_eq!(public.old_root, public.new_root);
        assert_eq!(public.blob_in_low, public.blob_out_low);
        assert_eq!(public.blob_in_high, public.blob_out_high);
    }
}

/// The circuit's public inputs are those that the protocol says of the data, in both modes.
#[test]
fn public_inputs_with_a_blob_are_those_of_the_data() {
    let trace = every_kind();
    let data = posted_data(&trace.ops);
    let link = blob_link();
    let blob = link.blob.unwrap();
    let circuit = checked(&Shape::tiny(), &trace, &link).unwrap();
    let public = circuit.instances();
    let public = PublicInputs::from_array(<[Fr; COUNT]>::try_from(public).unwrap());
    let mut coefficients = coefficients(std::slice::from_ref(&data)).unwrap();
    assert_eq!(coefficients.len(), 16);
    coefficients.push(blob.to);
    let from = limbs(&evaluate(&coefficients, blob.z)).map(wide);
    let to = limbs(&blob.to).map(wide);
    assert_eq!([public.blob_in_low, public.blob_in_high], from);
    assert_eq!([public.blob_out_low, public.blob_out_high], to);
    assert_eq!((public.z, public.mode), (wide(blob.z), Fr::one()));
    let y = data.evaluate_in(DataMode::Blob, link.y_in, link.r);
    assert_eq!(public.y_out, to_halo2(y));
    assert_ne!(y, data.evaluate(link.y_in, link.r));
}

/// Batches of a block hand on the value of the blob, and make up what the block's header says.
#[test]
fn batches_in_a_blob_make_up_their_block() {
    let mut state = world();
    let transfers = &EVERY_KIND[4..6];
    let traces = [&EVERY_KIND[..6], &[], transfers, &EVERY_KIND[7..8]]
        .map(|ops| run(&mut state, &context(), ops).unwrap());
    let data = traces.each_ref().map(|trace| posted_data(&trace.ops));
    let chains = |c_in, trace: &BatchTrace| order_chain(c_in, &trace.ops);
    let header = Header {
        old_root: traces[0].old_root,
        new_root: traces[3].new_root,
        policy_root: context().policy.root(),
        domain: context().domain,
        time: context().time,
        c_out: traces.iter().fold(chain_start(), chains),
        batches: 4,
    };
    let claim = Claim {
        domain: header.domain,
        c_out: header.c_out,
        versioned_hashes: &[[1; 32]],
        batches: 4,
        elements: coefficients(&data).unwrap().len() as u32,
    };
    let (r, z) = (link().r, claim.point());
    let block = header.public_inputs_in_blobs(&data, r, z).unwrap().map(to_halo2).into_array();
    let (mut c_in, mut y_in) = (chain_start(), polynomial_start());
    let mut batches = Vec::new();
    for (n, trace) in traces.iter().enumerate() {
        let to = evaluate(&coefficients(&data[n + 1..]).unwrap(), z);
        let link = ChainedInputs { c_in, y_in, r, blob: Some(BlobLink { z, to }) };
        batches.push(checked(&Shape::tiny(), trace, &link).unwrap().instances());
        c_in = chains(c_in, trace);
        y_in = data[n].evaluate_in(DataMode::Blob, y_in, r);
    }
    assert!(make_up(&block, batches.iter().map(Vec::as_slice)));
    batches.swap(1, 2);
    assert!(!make_up(&block, batches.iter().map(Vec::as_slice)));
}

#[test]
fn public_inputs_are_those_of_the_data() {
    let trace = every_kind();
    let circuit = generate_witness(&Shape::tiny(), &trace, &link()).unwrap();
    let public = circuit.instances();
    let data = posted_data(&trace.ops);
    let y = data.evaluate(link().y_in, link().r);
    let c = bastion_state::executor::order_chain(link().c_in, &trace.ops);
    assert_eq!(public[0], to_halo2(trace.old_root));
    assert_eq!(public[1], to_halo2(trace.new_root));
    assert_eq!(public[3], to_halo2(c));
    assert_eq!(public[5], to_halo2(y));
    assert_eq!(public[6], to_halo2(context().policy.root()));
}

#[test]
fn mock_prover_agrees() {
    let shape = Shape::tiny();
    for link in [link(), blob_link()] {
        let circuit = generate_witness(&shape, &every_kind(), &link).unwrap();
        let instances = vec![circuit.instances()];
        let mock = MockProver::run(shape.k, &circuit, instances).unwrap();
        mock.assert_satisfied();
    }
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

    let circuit = generate_witness(&shape, &every_kind(), &blob_link()).unwrap();
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
