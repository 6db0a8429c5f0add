//! The generated verifier against snark-verifier's native one, on a circuit that proves in a
//! second.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use alloy_primitives::U256;
use bastion_contract::{
    bindings::{verify_calldata, IBastionVerifier as Verifier},
    field::{BASE_MODULUS, SCALAR_MODULUS},
    generate_solidity, VerifierArtifact, VerifierDescription,
};
use halo2_base::halo2_proofs::{
    dev::MockProver,
    halo2curves::{
        bn256::{Bn256, Fr, G1Affine},
        ff::Field,
    },
    poly::kzg::commitment::ParamsKZG,
};
use rand::Rng;
use snark_verifier::verifier::plonk::PlonkProtocol;
use snark_verifier_sdk::{evm::gen_evm_proof_shplonk, gen_pk, CircuitExt};
use std::sync::OnceLock;
use support::{
    deciding_key, flat, native_accepts, plain::PlainCircuit, protocol_of, test_srs, Deployed,
};

const K: u32 = 8;

struct Fixture {
    params: ParamsKZG<Bn256>,
    protocol: PlonkProtocol<G1Affine>,
    description: VerifierDescription,
    artifact: VerifierArtifact,
    instances: Vec<Vec<Fr>>,
    proof: Vec<u8>,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let params = test_srs(K);
        let circuit = PlainCircuit { seed: 5 };
        let instances = circuit.instances();
        MockProver::run(K, &circuit, instances.clone()).unwrap().assert_satisfied();
        let pk = gen_pk(&params, &circuit, None);
        let protocol = protocol_of::<PlainCircuit>(&params, pk.get_vk(), &instances);
        let description =
            VerifierDescription::from_protocol(&protocol, &deciding_key(&params)).unwrap();
        let artifact = VerifierArtifact::build(&description).unwrap();
        let proof = gen_evm_proof_shplonk(&params, &pk, circuit, instances.clone());
        Fixture { params, protocol, description, artifact, instances, proof }
    })
}

/// Word `index` of the proof replaced.
fn with_word(proof: &[u8], offset: usize, value: U256) -> Vec<u8> {
    let mut proof = proof.to_vec();
    proof[offset..offset + 32].copy_from_slice(&value.to_be_bytes::<32>());
    proof
}

fn word(proof: &[u8], offset: usize) -> U256 {
    U256::from_be_slice(&proof[offset..offset + 32])
}

#[test]
fn an_honest_proof_is_accepted() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    assert_eq!(f.artifact.code_size, f.artifact.deployed_bytecode.len());
    assert!(native_accepts(&f.params, &f.protocol, &f.instances, &f.proof));
    let gas = deployed.verify(&flat(&f.instances), &f.proof).unwrap();
    println!("plain circuit: {} bytes of code, {gas} gas", f.artifact.code_size);
    assert!(gas > 21_000 + 16 * f.proof.len() as u64 / 2, "intrinsic costs are missing");
}

#[test]
fn mutations_get_the_native_verifiers_verdict() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    let mut rng = support::rng(1);
    for round in 0..200 {
        let mut proof = f.proof.clone();
        let mut instances = f.instances.clone();
        match round % 4 {
            0 => {
                let at = rng.gen_range(0..proof.len());
                proof[at] ^= 1 << rng.gen_range(0..8);
            }
            1 => {
                // Two words change places: points stay points only by luck, scalars stay scalars.
                let words = proof.len() / 32;
                let (a, b) = (32 * rng.gen_range(0..words), 32 * rng.gen_range(0..words));
                let (x, y) = (word(&proof, a), word(&proof, b));
                proof = with_word(&with_word(&proof, a, y), b, x);
            }
            2 => {
                // A well-formed proof with one point negated or one scalar shifted.
                let scalars = f.description.evaluations.len();
                let points = f.description.witness_count() + f.description.quotient_chunks;
                let pick = rng.gen_range(0..points + scalars);
                proof = if pick < points {
                    let at = 64 * pick + 32;
                    with_word(&proof, at, BASE_MODULUS - word(&proof, at))
                } else {
                    let at = 64 * points + 32 * (pick - points);
                    let one = U256::from(1);
                    let shifted = word(&proof, at).add_mod(one, SCALAR_MODULUS);
                    with_word(&proof, at, shifted)
                };
            }
            _ => {
                let column = rng.gen_range(0..instances.len());
                let row = rng.gen_range(0..instances[column].len());
                instances[column][row] = Fr::random(&mut rng);
            }
        }
        let native = native_accepts(&f.params, &f.protocol, &instances, &proof);
        let contract = deployed.verify(&flat(&instances), &proof).is_ok();
        assert_eq!(native, contract, "round {round}");
        // A word may change places with itself; every other mutation must be refused.
        assert_eq!(native, proof == f.proof && instances == f.instances, "round {round}");
    }
}

#[test]
fn every_word_of_the_proof_counts() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    let instances = flat(&f.instances);
    for offset in (0..f.proof.len()).step_by(32) {
        let mut proof = f.proof.clone();
        proof[offset + 31] ^= 1;
        assert!(deployed.verify(&instances, &proof).is_err(), "offset {offset}");
    }
}

#[test]
fn failures_have_names() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    let instances = flat(&f.instances);
    let mut refusal =
        |instances: &[U256], proof: &[u8]| deployed.refusal(verify_calldata(instances, proof));
    use Verifier::IBastionVerifierErrors as E;

    for index in 0..instances.len() {
        let mut aliased = instances.clone();
        aliased[index] += SCALAR_MODULUS;
        let E::InstanceOutOfRange(error) = refusal(&aliased, &f.proof) else { panic!() };
        assert_eq!(error.index, U256::from(index));
    }
    for wrong in [&instances[1..], &[instances.clone(), vec![U256::ZERO]].concat()] {
        assert!(matches!(refusal(wrong, &f.proof), E::InvalidInstanceCount(_)));
    }
    for wrong in [&f.proof[1..], &[f.proof.clone(), vec![0]].concat(), &[]] {
        assert!(matches!(refusal(&instances, wrong), E::InvalidProofLength(_)));
    }
    let points = f.description.witness_count() + f.description.quotient_chunks;
    let scalar = 64 * points;
    let E::ScalarOutOfRange(error) =
        refusal(&instances, &with_word(&f.proof, scalar, word(&f.proof, scalar) + SCALAR_MODULUS))
    else {
        panic!()
    };
    assert_eq!(error.offset, U256::from(scalar));
    // First commitment, last quotient piece, W and W'.
    for point in [0, 64 * (points - 1), f.proof.len() - 128, f.proof.len() - 64] {
        for at in [point, point + 32] {
            let large = with_word(&f.proof, at, word(&f.proof, at) + BASE_MODULUS);
            let E::CoordinateOutOfRange(error) = refusal(&instances, &large) else { panic!() };
            assert_eq!(error.offset, U256::from(at));
        }
        let off = with_word(&f.proof, point, word(&f.proof, point) ^ U256::from(1));
        let E::PointNotOnCurve(error) = refusal(&instances, &off) else { panic!() };
        assert_eq!(error.offset, U256::from(point));
        let zero = with_word(&with_word(&f.proof, point, U256::ZERO), point + 32, U256::ZERO);
        let E::PointIsIdentity(error) = refusal(&instances, &zero) else { panic!() };
        assert_eq!(error.offset, U256::from(point));
    }
    let mut other = instances.clone();
    other[0] += U256::from(1);
    assert!(matches!(refusal(&other, &f.proof), E::PairingFailed(_)));
}

#[test]
fn calldata_that_is_no_call_of_verify_reverts() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    let good = verify_calldata(&flat(&f.instances), &f.proof);
    for bad in [&good[..0], &good[..3], &good[..4], &good[..good.len() - 64], &[0xde, 0xad, 0, 0]] {
        assert!(!deployed.call(bad.to_vec().into()).is_success());
    }
}

#[test]
fn the_description_survives_json_and_decides_the_source() {
    let f = fixture();
    let json = serde_json::to_string(&f.description).unwrap();
    let read: VerifierDescription = serde_json::from_str(&json).unwrap();
    assert_eq!(read, f.description);
    assert_eq!(generate_solidity(&read).unwrap(), f.artifact.solidity);
}

#[test]
fn permutation_and_lookups_are_loops() {
    let source = &fixture().artifact.solidity;
    let loops: Vec<_> = source.lines().filter(|line| line.contains(" times ")).collect();
    // Two lookups of equal form have five constraints each.
    assert!(loops.iter().any(|line| line.ends_with("2 times 5.")), "{loops:?}");
    assert!(loops.iter().any(|line| line.ends_with(" times 1.")), "{loops:?}");
    assert!(!source.contains("{{"), "an unfilled placeholder");
}

#[test]
fn contradictory_descriptions_are_refused() {
    let good = &fixture().description;
    type Breakage = fn(&mut VerifierDescription);
    let broken: Vec<(&str, Breakage)> = vec![
        ("version", |d| d.version += 1),
        ("k", |d| d.k = 40),
        ("omega", |d| d.omega = U256::from(1)),
        ("point", |d| d.preprocessed[0].x += U256::from(1)),
        ("count", |d| d.num_instance[0] = usize::MAX),
        ("quotient", |d| d.quotient_chunks = 0),
        ("combiner", |d| d.combiner = 99),
        ("evaluation", |d| d.evaluations.truncate(1)),
        ("opening", |d| d.queries.truncate(3)),
        ("duplicate", |d| d.queries.push(d.queries[0])),
        ("constraints", |d| d.constraints.clear()),
        ("unreduced", |d| d.transcript_initial_state = SCALAR_MODULUS),
    ];
    for (name, breaks) in broken {
        let mut description = good.clone();
        breaks(&mut description);
        assert!(generate_solidity(&description).is_err(), "{name}");
    }
}
