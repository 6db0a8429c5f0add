use crate::ErrorClass;
use std::sync::OnceLock;

use halo2_proofs::halo2curves::bn256::Fr;
use rand::Rng;

use super::*;
use crate::{
    srs::Srs,
    test_circuit::{ToyCircuit, ToyShape},
    testing,
};

struct Fixture {
    srs: Srs,
    keys: CircuitKeys,
    proof: BatchProof,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let shape = ToyShape::tiny();
        let srs = Srs::generate_unsafe_dev(8, &[8], testing::rng(1)).unwrap();
        let keys = CircuitKeys::generate::<ToyCircuit>(&shape, &srs).unwrap();
        let circuit = ToyCircuit::new(&shape, 3);
        let proof = prove(&srs.params(8).unwrap(), &keys, circuit, testing::rng(2)).unwrap();
        Fixture { srs, keys, proof }
    })
}

/// Both verifiers' opinion, which must be one.
fn verdict(proof: &BatchProof) -> Result<()> {
    let key = fixture().keys.verifier();
    let (ours, halo2) = (verify(proof, key.proofs()), verify_with_halo2(proof, key));
    assert_eq!(ours.is_ok(), halo2.is_ok(), "{ours:?} {halo2:?}");
    ours
}

#[test]
fn a_two_phase_proof_is_accepted_by_both_verifiers() {
    let Fixture { keys, proof, .. } = fixture();
    verdict(proof).unwrap();
    assert_eq!(proof.proof.len(), proof_len(keys.verifier().proofs()));
    let snark = to_snark(proof, keys.verifier()).unwrap();
    assert_eq!(snark.proof, proof.proof);
    assert_eq!(snark.instances, vec![vec![Fr::from(3), Fr::from(10)]]);
}

#[test]
fn every_changed_word_of_the_proof_makes_it_invalid() {
    let proof = &fixture().proof;
    let mut rng = testing::rng(4);
    for word in 0..proof.proof.len() / WORD {
        let mut bad = proof.clone();
        bad.proof[word * WORD + rng.gen_range(0..WORD)] ^= 1 << rng.gen_range(0..8);
        let error = verdict(&bad).unwrap_err();
        assert!(matches!(error, ProverError::Invalid { .. }), "word {word}: {error}");
        assert_eq!(error.class(), ErrorClass::Invalid);
    }
}

/// Every bit of the first and the last word: the top bits hold the flags of compressed points, of
/// which halo2curves ignores one.
#[test]
fn every_changed_bit_of_a_word_makes_it_invalid() {
    let proof = &fixture().proof;
    let bits = 8 * WORD;
    let last = proof.proof.len() - WORD;
    for start in [0, last] {
        for bit in (0..bits).filter(|bit| bit % 7 == 0 || bit / 8 == WORD - 1) {
            let mut changed = proof.clone();
            changed.proof[start + bit / 8] ^= 1 << (bit % 8);
            let error = verdict(&changed).unwrap_err();
            assert_eq!(
                error.class(),
                ErrorClass::Invalid,
                "bit {bit} of the word at {start}: {error}"
            );
        }
    }
}

#[test]
fn words_that_no_prover_writes_are_refused_without_a_panic() {
    let proof = &fixture().proof;
    let identity = {
        let mut w = [0; WORD];
        w[31] = 0x80;
        w
    };
    for pattern in [[0; WORD], [0xff; WORD], identity] {
        for word in 0..proof.proof.len() / WORD {
            let mut bad = proof.clone();
            bad.proof[word * WORD..][..WORD].copy_from_slice(&pattern);
            assert!(verdict(&bad).is_err(), "word {word} {pattern:?}");
        }
    }
}

#[test]
fn a_changed_public_input_makes_it_invalid() {
    for index in 0..2 {
        let mut bad = fixture().proof.clone();
        bad.public_inputs[index] += bastion_protocol::Fr::from(1u64);
        let error = verdict(&bad).unwrap_err();
        assert!(matches!(error, ProverError::Invalid { .. }), "{error}");
    }
}

#[test]
fn wrong_lengths_are_malformed() {
    let good = &fixture().proof;
    let mut longer = good.clone();
    longer.proof.push(0);
    let mut shorter = good.clone();
    shorter.proof.pop();
    let mut fewer = good.clone();
    fewer.public_inputs.pop();
    let mut none = good.clone();
    none.proof.clear();
    for bad in [longer, shorter, fewer, none] {
        let error = verdict(&bad).unwrap_err();
        assert!(matches!(error, ProverError::Malformed { .. }), "{error}");
        assert!(to_snark(&bad, fixture().keys.verifier()).is_err());
    }
}

#[test]
fn a_proof_for_another_circuit_is_a_mismatch_not_an_invalid_proof() {
    let Fixture { srs, proof, .. } = fixture();
    let other = ToyShape { rows: 21, ..ToyShape::tiny() };
    let other = CircuitKeys::generate::<ToyCircuit>(&other, srs).unwrap();
    let error = verify(proof, other.verifier().proofs()).unwrap_err();
    match error {
        ProverError::CircuitMismatch { expected, got } => {
            assert_eq!(expected, other.circuit_id());
            assert_eq!(got, proof.circuit_id);
        }
        error => panic!("{error}"),
    }
    // Renamed to the other circuit it is invalid: the transcript begins with the key.
    let renamed = BatchProof { circuit_id: other.circuit_id(), ..proof.clone() };
    assert!(matches!(
        verify(&renamed, other.verifier().proofs()),
        Err(ProverError::Invalid { .. })
    ));
}

/// A false witness must not yield a proof, whichever argument it violates.
#[test]
fn false_witnesses_end_in_an_error() {
    let Fixture { srs, keys, .. } = fixture();
    let params = srs.params(8).unwrap();
    let with = |change: fn(&mut (Vec<u64>, Vec<u64>))| {
        let mut circuit = ToyCircuit::new(&ToyShape::tiny(), 3);
        change(circuit.columns.as_mut().unwrap());
        prove(&params, keys, circuit, testing::rng(3)).unwrap_err()
    };
    let bus = with(|(_, b)| b[4] += 1);
    assert!(matches!(bus, ProverError::SelfCheck { .. }), "{bus}");
    // In both columns, so that only the lookup is violated.
    let lookup = with(|(a, b)| {
        a[4] = 64;
        let last = b.len() - 1;
        b[last - 4] = 64;
    });
    assert!(matches!(lookup, ProverError::SelfCheck { .. }), "{lookup}");
    // Too short: synthesis panics.
    let panicked = with(|(a, _)| a.truncate(10));
    assert!(matches!(panicked, ProverError::Proving { .. }), "{panicked}");
    assert!(panicked.to_string().contains("out of bounds"), "{panicked}");
    assert_eq!(panicked.class(), ErrorClass::Failure);
}
