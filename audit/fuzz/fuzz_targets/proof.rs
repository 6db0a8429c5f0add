//! Any bytes as public inputs (as many as fit the circuit) and proof. The only acceptable bytes are
//! the honest ones.
#![no_main]

use std::sync::LazyLock;

use bastion_audit::{Description, Verifier};
use bastion_protocol::{Fr, field};
use libfuzzer_sys::fuzz_target;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let document = include_bytes!("../../tests/data/plain.json");
    Verifier::new(Description::from_json(document).unwrap()).unwrap()
});
static HONEST: &[u8] = include_bytes!("../seeds/proof/honest");

fuzz_target!(|bytes: &[u8]| {
    let counts = VERIFIER.description().instance_counts();
    let total: usize = counts.iter().sum();
    let (public, proof) = bytes.split_at((32 * total).min(bytes.len()));
    let words = public.chunks(32).map(|word| {
        let mut full = [0; 32];
        full[..word.len()].copy_from_slice(word);
        field::from_bytes("instance", &full)
    });
    let Ok(words) = words.collect::<Result<Vec<Fr>, _>>() else {
        return;
    };
    let mut words = words.into_iter();
    let instances: Vec<Vec<Fr>> = counts.iter().map(|n| words.by_ref().take(*n).collect()).collect();
    let verdict = VERIFIER.verify(&instances, proof);
    assert_eq!(verdict.is_ok(), bytes == HONEST);
});
