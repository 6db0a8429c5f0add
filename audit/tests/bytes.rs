//! The verifier alone, on a proof that another implementation made (snark-verifier's prover, a
//! circuit with lookups and copies): accepted as it is, refused changed, and no bytes make it panic.
//! `audit/fuzz` goes on from here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bastion_audit::{Description, Refused, Verifier};
use bastion_protocol::{field, Fr};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const DOCUMENT: &[u8] = include_bytes!("data/plain.json");
const PROOF: &str = include_str!("data/plain-proof.json");

fn verifier() -> Verifier {
    Verifier::new(Description::from_json(DOCUMENT).unwrap()).unwrap()
}

fn honest() -> (Vec<Vec<Fr>>, Vec<u8>) {
    let json: serde_json::Value = serde_json::from_str(PROOF).unwrap();
    let columns: Vec<Vec<String>> = serde_json::from_value(json["instances"].clone()).unwrap();
    let element = |x: &String| field::from_hex("instance", x).unwrap();
    let instances = columns.iter().map(|c| c.iter().map(element).collect());
    let proof = json["proof"].as_str().unwrap().trim_start_matches("0x");
    (instances.collect(), hex::decode(proof).unwrap())
}

fn positions(instances: &[Vec<Fr>]) -> Vec<(usize, usize)> {
    let columns = instances.iter().enumerate();
    columns.flat_map(|(c, rows)| (0..rows.len()).map(move |r| (c, r))).collect()
}

#[test]
fn an_honest_proof_is_accepted_and_every_changed_word_refused() {
    let (verifier, (instances, proof)) = (verifier(), honest());
    verifier.verify(&instances, &proof).unwrap();
    for word in 0..proof.len() / 32 {
        for at in [0, 31] {
            let mut changed = proof.clone();
            changed[32 * word + at] ^= 1;
            let verdict = verifier.verify(&instances, &changed);
            assert!(verdict.is_err(), "word {word}");
        }
    }
    for (column, row) in positions(&instances) {
        let mut changed = instances.clone();
        changed[column][row] += Fr::from(1u64);
        assert_eq!(verifier.verify(&changed, &proof), Err(Refused::Pairing));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        rng_seed: RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_bytes_make_it_panic(
        shift in any::<u64>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..3_000),
        cut in any::<proptest::sample::Index>(),
    ) {
        let (verifier, (mut instances, proof)) = (verifier(), honest());
        prop_assert!(verifier.verify(&instances, &bytes).is_err());
        instances[0][0] += Fr::from(shift);
        // An honest start, and noise from some word on.
        let cut = 32 * cut.index(proof.len() / 32);
        let mut noisy = proof.clone();
        for (byte, noise) in noisy[cut..].iter_mut().zip(bytes) {
            *byte = noise;
        }
        let verdict = verifier.verify(&instances, &noisy);
        prop_assert_eq!(verdict.is_ok(), noisy == proof && shift == 0);
    }

    #[test]
    fn no_document_makes_it_panic(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut document = DOCUMENT.to_vec();
        for (at, byte) in edits {
            let at = at.index(document.len());
            // Mostly digits and structure, so that the text stays JSON now and then.
            document[at] = b"0123456789abcdef,:[]{}\"-"[usize::from(byte) % 24];
        }
        let (instances, proof) = honest();
        if let Ok(verifier) = Description::from_json(&document).and_then(Verifier::new) {
            let _ = verifier.verify(&instances, &proof);
        }
    }
}
