//! Two verifiers of one proof that share nothing: the generated contract and that of `bastion-audit`.
//! They must have one opinion of every proof. `third` adds a third verifier.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use alloy_primitives::U256;
use bastion_audit::Description;
use bastion_contract::field::SCALAR_MODULUS;
use bastion_contract::VerifierArtifact;
use rand::Rng;
use support::plain::{Fault, PlainCircuit};
use support::{verdict, Deployed, Sample};

/// Mutates a sample's proof so often, and asks both verifiers. Returns the names of the refusals.
fn agree(sample: &Sample, rounds: usize, seed: u64) -> std::collections::BTreeMap<String, usize> {
    let artifact = VerifierArtifact::build(&sample.description).unwrap();
    let mut deployed = Deployed::new(&artifact);
    let second = sample.second();
    let Sample { description, instances, proof: honest } = sample;
    assert_eq!(second.description().proof_len(), honest.len());
    verdict(&second, instances, honest).unwrap().unwrap();
    let mut rng = support::rng(seed);
    let mut refusals = std::collections::BTreeMap::new();
    for round in 0..rounds {
        let (mut proof, mut public) = (honest.clone(), instances.clone());
        let points = description.commitment_count();
        let scalars = description.evaluations().len();
        match round % 6 {
            0 => proof[rng.gen_range(0..honest.len())] ^= 1 << rng.gen_range(0..8),
            1 => {
                let words = honest.len() / 32;
                let (a, b) = (rng.gen_range(0..words), rng.gen_range(0..words));
                let word = honest[32 * a..32 * a + 32].to_vec();
                proof[32 * b..32 * b + 32].copy_from_slice(&word);
            }
            2 => {
                let at = rng.gen_range(0..public.len());
                public[at] = public[at].add_mod(U256::from(rng.gen::<u64>()), SCALAR_MODULUS);
            }
            3 => {
                // Whole points change places: every point stays on the curve.
                let (a, b) = (rng.gen_range(0..points), rng.gen_range(0..points));
                let point = honest[64 * a..64 * a + 64].to_vec();
                proof[64 * b..64 * b + 64].copy_from_slice(&point);
            }
            4 => {
                // Two values change places: every scalar stays canonical.
                let mut place = || 64 * points + 32 * rng.gen_range(0..scalars);
                let (a, b) = (place(), place());
                proof[a..a + 32].copy_from_slice(&honest[b..b + 32]);
                proof[b..b + 32].copy_from_slice(&honest[a..a + 32]);
            }
            _ => proof.truncate(rng.gen_range(0..=honest.len())),
        }
        let evm = deployed.verify(&public, &proof).is_ok();
        let verdict = verdict(&second, &public, &proof).unwrap();
        assert_eq!(evm, verdict.is_ok(), "round {round}: {verdict:?}");
        let same = proof == *honest && public == *instances;
        assert_eq!(evm, same, "round {round}: {verdict:?}");
        if let Err(refused) = verdict {
            let name = format!("{refused:?}");
            let name = name.split(['(', ' ']).next().unwrap().to_string();
            *refusals.entry(name).or_insert(0) += 1;
        }
    }
    refusals
}

#[test]
fn two_verifiers_agree() {
    let rounds: usize = std::env::var("BASTION_MUTATIONS")
        .map_or(400, |n| n.parse().expect("BASTION_MUTATIONS is a number"));
    let refusals = [agree(Sample::plain(), rounds, 7), agree(&Sample::block(), rounds, 8)];
    let rounds = 2 * rounds;
    println!("{rounds} mutated proofs, 0 disagreements; refused by {refusals:?}");
    if let Ok(path) = std::env::var("BASTION_SOUNDNESS_REPORT") {
        use std::io::Write;
        let file = std::fs::File::options().create(true).append(true).open(path);
        writeln!(file.unwrap(), "mutated_proofs {rounds}\ndisagreements 0").unwrap();
    }
    for name in ["Length", "Pairing", "Point"] {
        assert!(refusals.iter().all(|r| r.contains_key(name)), "{refusals:?}");
    }
}

/// The prover proves whatever witness it is given: what is wrong with it, both verifiers see.
#[test]
fn a_witness_that_does_not_satisfy_the_circuit_is_refused() {
    let artifact = VerifierArtifact::build(&Sample::plain().description).unwrap();
    let mut deployed = Deployed::new(&artifact);
    let mut faults = vec![Fault::SecondPhase, Fault::Public];
    faults.extend((0..4).flat_map(|gate| [Fault::Gate(gate), Fault::Copy(gate)]));
    for fault in faults {
        let sample = Sample::of(PlainCircuit { seed: 5, fault });
        assert_eq!(sample.description, Sample::plain().description);
        let refused = verdict(&sample.second(), &sample.instances, &sample.proof).unwrap();
        assert_eq!(refused, Err(bastion_audit::Refused::Pairing), "{fault:?}");
        assert!(deployed.verify(&sample.instances, &sample.proof).is_err(), "{fault:?}");
    }
    let good = Sample::of(PlainCircuit { seed: 6, fault: Fault::None });
    deployed.verify(&good.instances, &good.proof).unwrap();
}

#[test]
fn documents_that_describe_no_verifier_are_refused() {
    let good = Sample::plain().description.to_document();
    let read = |d: &serde_json::Value| Description::from_json(d.to_string().as_bytes());
    read(&good).unwrap();
    let edit = |path: &str, value: serde_json::Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(path).unwrap() = value;
        (path.to_owned(), changed)
    };
    use serde_json::json;
    let one = format!("0x{:064x}", 1);
    let modulus = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
    let broken = [
        edit("/format", json!(2)),
        edit("/scheme", json!("shplonk")),
        edit("/scheme", json!("other")),
        edit("/stride", json!(0)),
        edit("/stride", json!(1)),
        edit("/stride", json!(65)),
        edit("/k", json!(0)),
        edit("/k", json!(29)),
        edit("/omega", json!(one)),
        edit("/omega", json!("0x1")),
        edit("/digest", json!(modulus)),
        edit("/fixed/0/point/0", json!(one)),
        edit("/srs/g1/1", json!(one)),
        edit("/srs/s_g2/0/0", json!(one)),
        edit("/instances/0", json!(1u64 << 40)),
        edit("/rounds/0/challenges", json!(u64::MAX)),
        edit("/rounds/0/commitments/0/polynomials", json!(0)),
        edit("/rounds/0/commitments/0/polynomials", json!(17)),
        edit("/rounds/0/commitments/0/rotations", json!([])),
        edit("/rounds/0/commitments/0/rotations", json!([0, 0])),
        edit("/rounds/0/commitments/0/rotations", json!([5_000])),
        edit("/rounds/0/commitments", json!([])),
        edit("/fixed/0/polynomials", json!(0)),
        edit("/nodes/0", json!({ "sum": [0, 0] })),
        edit("/nodes/0", json!({ "lagrange": 1_000_000 })),
        edit("/nodes/0", json!({ "challenge": 77 })),
        edit("/nodes/0", json!({ "polynomial": [12_345, 0] })),
        edit("/constraints", json!([])),
        edit("/constraints/0", json!(1_000_000)),
        edit("/combiner", json!(77)),
        edit("/accumulator", json!([[0, 0]])),
        edit("/accumulator", json!(vec![[5, 0]; 12])),
    ];
    for (path, document) in broken {
        assert!(read(&document).is_err(), "{path}");
    }
    let mut more = good.clone();
    more["more"] = json!(1);
    assert!(read(&more).is_err());
    assert!(Description::from_json(b"{").is_err());
}
