//! Three verifiers of one proof: snark-verifier's, the generated contract's, and the second one of
//! `bastion-audit`. They must have one opinion of every proof.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use bastion_audit::{Description, Refused, Verifier};
use bastion_contract::protocol::Transcript;
use bastion_contract::{VerifierArtifact, VerifierDescription};
use bastion_protocol::field;
use halo2_base::halo2_proofs::halo2curves::bn256::Fr;
use halo2_base::halo2_proofs::halo2curves::ff::{Field, PrimeField};
use rand::Rng;
use snark_verifier_sdk::{evm::gen_evm_proof_shplonk, gen_pk, CircuitExt};
use support::{
    deciding_key, flat, native_accepts, plain::PlainCircuit, protocol_of, test_srs, Deployed,
};

const K: u32 = 8;

/// The same element in arkworks.
fn ark(values: &[Vec<Fr>]) -> Vec<Vec<bastion_protocol::Fr>> {
    let convert = |x: &Fr| {
        let mut bytes = x.to_repr();
        bytes.reverse();
        bastion_protocol::field::from_bytes("instance", &bytes).unwrap()
    };
    values.iter().map(|column| column.iter().map(convert).collect()).collect()
}

#[test]
fn three_verifiers_agree() {
    let rounds: usize = std::env::var("BASTION_MUTATIONS")
        .map_or(400, |n| n.parse().expect("BASTION_MUTATIONS is a number"));
    let params = test_srs(K);
    let circuit = PlainCircuit { seed: 5 };
    let instances = circuit.instances();
    let pk = gen_pk(&params, &circuit, None);
    let protocol = protocol_of::<PlainCircuit>(&params, pk.get_vk(), &instances);
    let key = deciding_key(&params);
    let description = VerifierDescription::from_protocol(&protocol, &key).unwrap();
    let artifact = VerifierArtifact::build(&description).unwrap();
    let mut deployed = Deployed::new(&artifact);
    let document = description.to_document(Transcript::Keccak).to_string();
    let audit = Verifier::new(Description::from_json(document.as_bytes()).unwrap()).unwrap();
    let honest = gen_evm_proof_shplonk(&params, &pk, circuit, instances.clone());
    assert_eq!(audit.description().proof_len(), honest.len());
    audit.verify(&ark(&instances), &honest).unwrap();
    if std::env::var_os("BASTION_BLESS").is_some() {
        bless(&document, &instances, &honest);
    }

    let mut rng = support::rng(7);
    let mut refusals = std::collections::BTreeMap::new();
    for round in 0..rounds {
        let (mut proof, mut public) = (honest.clone(), instances.clone());
        match round % 5 {
            0 => proof[rng.gen_range(0..honest.len())] ^= 1 << rng.gen_range(0..8),
            1 => {
                let words = honest.len() / 32;
                let (a, b) = (rng.gen_range(0..words), rng.gen_range(0..words));
                let word = honest[32 * a..32 * a + 32].to_vec();
                proof[32 * b..32 * b + 32].copy_from_slice(&word);
            }
            2 => {
                let at = rng.gen_range(0..public[0].len());
                public[0][at] += Fr::random(&mut rng);
            }
            3 => {
                // Whole points change places: every point stays on the curve.
                let points = description.witness_count() + description.quotient_chunks;
                let (a, b) = (rng.gen_range(0..points), rng.gen_range(0..points));
                let point = honest[64 * a..64 * a + 64].to_vec();
                proof[64 * b..64 * b + 64].copy_from_slice(&point);
            }
            _ => proof.truncate(rng.gen_range(0..=honest.len())),
        }
        let native = native_accepts(&params, &protocol, &public, &proof);
        let evm = deployed.verify(&flat(&public), &proof).is_ok();
        let verdict = audit.verify(&ark(&public), &proof);
        assert_eq!(native, evm, "round {round}");
        assert_eq!(native, verdict.is_ok(), "round {round}: {verdict:?}");
        if let Err(refused) = verdict {
            let name = format!("{refused:?}");
            let name = name.split(['(', ' ']).next().unwrap().to_string();
            *refusals.entry(name).or_insert(0) += 1;
        }
    }
    println!("{rounds} mutated proofs, 0 disagreements; refused by {refusals:?}");
    if let Ok(path) = std::env::var("BASTION_SOUNDNESS_REPORT") {
        use std::io::Write;
        let file = std::fs::File::options().create(true).append(true).open(path);
        writeln!(file.unwrap(), "mutated_proofs {rounds}\ndisagreements 0").unwrap();
    }
    for name in ["Length", "Pairing", "Point"] {
        assert!(refusals.contains_key(name), "{refusals:?}");
    }
    let wrong = audit.verify(&[], &honest).unwrap_err();
    assert!(matches!(wrong, Refused::InstanceCount { .. }));
}

/// Writes what the second verifier's own tests start from.
fn bless(document: &str, instances: &[Vec<Fr>], proof: &[u8]) {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../audit/tests/data");
    let hex = |x: &bastion_protocol::Fr| field::to_hex(x);
    let instances: Vec<Vec<String>> =
        ark(instances).iter().map(|column| column.iter().map(hex).collect()).collect();
    let proof = serde_json::json!({
        "instances": instances,
        "proof": format!("0x{}", alloy_primitives::hex::encode(proof)),
    });
    std::fs::write(format!("{dir}/plain.json"), document).unwrap();
    std::fs::write(format!("{dir}/plain-proof.json"), proof.to_string()).unwrap();
}

#[test]
fn documents_that_describe_no_verifier_are_refused() {
    let params = test_srs(K);
    let circuit = PlainCircuit { seed: 5 };
    let pk = gen_pk(&params, &circuit, None);
    let protocol = protocol_of::<PlainCircuit>(&params, pk.get_vk(), &circuit.instances());
    let description =
        VerifierDescription::from_protocol(&protocol, &deciding_key(&params)).unwrap();
    let good = description.to_document(Transcript::Keccak);
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
        edit("/format", json!(1)),
        edit("/transcript", json!("blake")),
        edit("/k", json!(0)),
        edit("/k", json!(29)),
        edit("/omega", json!(one)),
        edit("/omega", json!("0x1")),
        edit("/digest", json!(modulus)),
        edit("/fixed/0/0", json!(one)),
        edit("/srs/g1/1", json!(one)),
        edit("/srs/s_g2/0/0", json!(one)),
        edit("/instances/0", json!(1u64 << 40)),
        edit("/rounds/0/points", json!(u64::MAX)),
        edit("/quotient_pieces", json!(0)),
        edit("/evaluations/0", json!([9_999, 0])),
        edit("/evaluations/1", good["evaluations"][0].clone()),
        edit("/openings/0", good["openings"][1].clone()),
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
