//! The generated verifier against the second one of `bastion-audit`, on a circuit that proves in a
//! second and on a block circuit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use alloy_primitives::U256;
use bastion_contract::{
    bindings::{verify_calldata, IBastionVerifier as Verifier},
    field::{BASE_MODULUS, SCALAR_MODULUS},
    generate_solidity,
    solc::compile,
    PackedDescription, VerifierArtifact,
};
use rand::Rng;
use std::sync::OnceLock;
use support::{verdict, Deployed, Sample};

struct Fixture {
    sample: &'static Sample,
    artifact: VerifierArtifact,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let sample = Sample::plain();
        Fixture { sample, artifact: VerifierArtifact::build(&sample.description).unwrap() }
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

/// Points before the evaluations.
fn points(d: &PackedDescription) -> usize {
    d.commitment_count()
}

#[test]
fn an_honest_proof_is_accepted() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    assert_eq!(f.artifact.code_size, f.artifact.deployed_bytecode.len());
    let Sample { instances, proof, .. } = f.sample;
    verdict(&f.sample.second(), instances, proof).unwrap().unwrap();
    let gas = deployed.verify(instances, proof).unwrap();
    println!("plain circuit: {} bytes of code, {gas} gas", f.artifact.code_size);
    assert!(gas > 21_000 + 16 * proof.len() as u64 / 2, "intrinsic costs are missing");
}

#[test]
fn mutations_get_the_second_verifiers_verdict() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    let second = f.sample.second();
    let mut rng = support::rng(1);
    for round in 0..200 {
        let mut proof = f.sample.proof.clone();
        let mut instances = f.sample.instances.clone();
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
                let scalars = f.sample.description.evaluations().len();
                let points = points(&f.sample.description);
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
                let row = rng.gen_range(0..instances.len());
                instances[row] = U256::from(rng.gen::<u128>());
            }
        }
        let native = verdict(&second, &instances, &proof).unwrap().is_ok();
        let contract = deployed.verify(&instances, &proof).is_ok();
        assert_eq!(native, contract, "round {round}");
        // A word may change places with itself; every other mutation must be refused.
        let honest = proof == f.sample.proof && instances == f.sample.instances;
        assert_eq!(native, honest, "round {round}");
    }
}

#[test]
fn every_word_of_the_proof_counts() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    for offset in (0..f.sample.proof.len()).step_by(32) {
        let mut proof = f.sample.proof.clone();
        proof[offset + 31] ^= 1;
        assert!(deployed.verify(&f.sample.instances, &proof).is_err(), "offset {offset}");
    }
}

/// The values of a pack are in one order, by rotation and then by place: any two that differ and
/// change places are another proof.
#[test]
fn the_order_of_evaluations_counts() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    let honest = &f.sample.proof;
    let first = 64 * points(&f.sample.description);
    let mut at = first;
    for (_, pack) in f.sample.description.packs() {
        let (places, rotations) = (pack.polynomials, pack.rotations.len());
        let mut swap = |i: usize, j: usize| {
            let (a, b) = (at + 32 * i, at + 32 * j);
            let (x, y) = (word(honest, a), word(honest, b));
            if x != y {
                let swapped = with_word(&with_word(honest, a, y), b, x);
                assert!(deployed.verify(&f.sample.instances, &swapped).is_err(), "{i}, {j}");
            }
        };
        if places > 1 {
            swap(0, 1);
            swap(0, places - 1);
        }
        if rotations > 1 {
            swap(0, places);
            swap(0, (rotations - 1) * places);
        }
        at += 32 * places * rotations;
    }
    assert_eq!(at + 128, honest.len());
}

#[test]
fn failures_have_names() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    let Sample { instances, proof, description } = f.sample;
    let mut refusal =
        |instances: &[U256], proof: &[u8]| deployed.refusal(verify_calldata(instances, proof));
    use Verifier::IBastionVerifierErrors as E;

    for index in 0..instances.len() {
        let mut aliased = instances.clone();
        aliased[index] += SCALAR_MODULUS;
        let E::InstanceOutOfRange(error) = refusal(&aliased, proof) else { panic!() };
        assert_eq!(error.index, U256::from(index));
    }
    for wrong in [&instances[1..], &[instances.clone(), vec![U256::ZERO]].concat()] {
        assert!(matches!(refusal(wrong, proof), E::InvalidInstanceCount(_)));
    }
    for wrong in [
        &proof[1..],
        &[proof.clone(), vec![0]].concat(),
        &[proof.clone(), vec![0; 32]].concat(),
        &[],
    ] {
        assert!(matches!(refusal(instances, wrong), E::InvalidProofLength(_)));
    }
    let points = points(description);
    for scalar in (64 * points..proof.len() - 128).step_by(32) {
        let large = with_word(proof, scalar, word(proof, scalar) + SCALAR_MODULUS);
        let E::ScalarOutOfRange(error) = refusal(instances, &large) else { panic!() };
        assert_eq!(error.offset, U256::from(scalar));
    }
    // All commitments, W and W'.
    let openings = [proof.len() - 128, proof.len() - 64];
    for point in (0..points).map(|i| 64 * i).chain(openings) {
        for at in [point, point + 32] {
            let large = with_word(proof, at, word(proof, at) + BASE_MODULUS);
            let E::CoordinateOutOfRange(error) = refusal(instances, &large) else { panic!() };
            assert_eq!(error.offset, U256::from(at));
        }
        let off = with_word(proof, point, word(proof, point) ^ U256::from(1));
        let E::PointNotOnCurve(error) = refusal(instances, &off) else { panic!() };
        assert_eq!(error.offset, U256::from(point));
        let zero = with_word(&with_word(proof, point, U256::ZERO), point + 32, U256::ZERO);
        let E::PointIsIdentity(error) = refusal(instances, &zero) else { panic!() };
        assert_eq!(error.offset, U256::from(point));
    }
    let mut other = instances.clone();
    other[0] += U256::from(1);
    assert!(matches!(refusal(&other, proof), E::PairingFailed(_)));
}

#[test]
fn calldata_that_is_no_call_of_verify_reverts() {
    let f = fixture();
    let mut deployed = Deployed::new(&f.artifact);
    let good = verify_calldata(&f.sample.instances, &f.sample.proof);
    for bad in [&good[..0], &good[..3], &good[..4], &good[..good.len() - 64], &[0xde, 0xad, 0, 0]] {
        assert!(!deployed.call(bad.to_vec().into()).is_success());
    }
}

#[test]
fn the_description_survives_json_and_decides_the_source() {
    let f = fixture();
    let json = serde_json::to_string(&f.sample.description).unwrap();
    let read: PackedDescription = serde_json::from_str(&json).unwrap();
    assert_eq!(read, f.sample.description);
    assert_eq!(generate_solidity(&read).unwrap(), f.artifact.solidity);
}

#[test]
fn the_template_is_filled() {
    assert!(!fixture().artifact.solidity.contains("{{"), "an unfilled placeholder");
}

#[test]
fn contradictory_descriptions_are_refused() {
    let good = &fixture().sample.description;
    type Breakage = fn(&mut PackedDescription);
    let broken: Vec<(&str, Breakage)> = vec![
        ("version", |d| d.version += 1),
        ("k", |d| d.k = 40),
        ("omega", |d| d.omega = U256::from(1)),
        ("point", |d| d.fixed[0].point.x += U256::from(1)),
        ("count", |d| d.num_instance[0] = usize::MAX),
        ("stride", |d| d.stride = 0),
        ("places", |d| d.stride = 1),
        ("empty pack", |d| d.rounds[0].packs[0].polynomials = 0),
        ("no rotation", |d| d.rounds[0].packs[0].rotations.clear()),
        ("a rotation twice", |d| d.fixed[0].pack.rotations = vec![0, 0]),
        ("no packs", |d| {
            d.fixed.clear();
            d.rounds.iter_mut().for_each(|round| round.packs.clear());
        }),
        ("combiner", |d| d.combiner = 99),
        ("fewer rotations", |d| {
            d.rounds[0].packs[0].rotations.pop();
        }),
        ("constraints", |d| d.constraints.clear()),
        ("constant", |d| {
            let constant = bastion_contract::protocol::Expression::Constant(SCALAR_MODULUS);
            d.constraints.push(constant);
        }),
    ];
    for (name, breaks) in broken {
        let mut description = good.clone();
        breaks(&mut description);
        assert!(generate_solidity(&description.with_digest()).is_err(), "{name}");
    }
    // The digest is that of everything else.
    let mut other = good.clone();
    other.digest = U256::from(1);
    assert!(generate_solidity(&other).is_err());
    other = good.clone();
    other.rounds[1].challenges += 1;
    assert!(generate_solidity(&other).is_err());
    assert!(generate_solidity(&other.with_digest()).is_ok());
}

/// What each part of the verifier takes: the contract, cut off behind it.
#[test]
fn parts_add_up_to_the_gas_of_a_block_proof() {
    let Sample { description, instances, proof } = Sample::block();
    let artifact = VerifierArtifact::build(&description).unwrap();
    let whole = Deployed::new(&artifact).verify(&instances, &proof).unwrap();
    let start = "mstore(0x40, ARENA_END)\n        }\n";
    let (head, body) = artifact.solidity.split_once(start).unwrap();
    let (steps, rest) = body.split_once("        return true;\n").unwrap();
    let steps: Vec<&str> = steps.lines().collect();
    // A transaction that does little pays for its calldata by the byte: so each does the same too
    // much.
    let idle = "assembly { for { let i := 0 } lt(i, 9000) { i := add(i, 1) } { mstore(0, i) } }";
    let gas_of = |steps: &[&str]| {
        let steps = steps.join("\n");
        let cut = format!("{head}{start}{steps}\n{idle}\nreturn true;\n{rest}");
        let contract = compile(&[("cut.sol", &cut)]).unwrap().remove(0);
        let (bytecode, deployed_bytecode) = (contract.bytecode, contract.deployed_bytecode);
        let cut = VerifierArtifact { bytecode, deployed_bytecode, ..artifact.clone() };
        Deployed::new(&cut).verify(&instances, &proof).unwrap()
    };
    let first = gas_of(&[]);
    let mut before = first;
    for n in 1..=steps.len() {
        let gas = gas_of(&steps[..n]);
        println!("{:>8} gas: {}", gas - before, steps[n - 1].trim());
        before = gas;
    }
    let bytes = verify_calldata(&instances, &proof);
    let calldata: u64 = bytes.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
    println!("{calldata:>8} gas: calldata, of {whole}");
    let sum = 21_000 + calldata + (before - first);
    assert!(sum.abs_diff(whole) < 1_000, "{sum} of {whole}");
}

/// A block circuit's verifier: its size and gas, and every malformed accumulator.
#[test]
fn a_block_proof_is_verified_within_its_gas() {
    use Verifier::IBastionVerifierErrors as E;
    let Sample { description, instances, proof } = Sample::block();
    let artifact = VerifierArtifact::build(&description).unwrap();
    if let Some(path) = std::env::var_os("BASTION_KEEP_VERIFIER") {
        std::fs::write(path, &artifact.solidity).unwrap();
    }
    let mut deployed = Deployed::new(&artifact);
    let gas = deployed.verify(&instances, &proof).unwrap();
    let (points, scalars) = (points(&description) + 2, description.evaluations().len());
    println!(
        "block: {} bytes of code, {points} points, {scalars} scalars, {gas} gas",
        artifact.code_size
    );
    assert!(gas < 360_000, "{gas}");
    let limb = U256::from(1) << 88;
    for index in 0..instances.len() {
        let mut with = |value: U256| {
            let mut changed = instances.clone();
            changed[index] = value;
            deployed.verify(&changed, &proof).unwrap_err()
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
    assert!(matches!(deployed.verify(&exchanged, &proof), Err(E::PairingFailed(_))));
    let identity = [&[U256::ZERO; 12][..], &instances[12..]].concat();
    assert!(matches!(deployed.verify(&identity, &proof), Err(E::AccumulatorPointInvalid(_))));
}
