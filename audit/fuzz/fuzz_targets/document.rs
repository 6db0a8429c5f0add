//! Any bytes as a verifier's document.
#![no_main]

use bastion_audit::{Description, Verifier};
use bastion_protocol::Fr;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(verifier) = Description::from_json(bytes).and_then(Verifier::new) {
        let proof = vec![1; verifier.description().proof_len().min(1 << 20)];
        let counts = verifier.description().instance_counts();
        if counts.iter().sum::<usize>() < 1 << 16 {
            let instances: Vec<_> = counts.iter().map(|n| vec![Fr::from(2u64); *n]).collect();
            let _ = verifier.verify(&instances, &proof);
        }
    }
});
