use crate::ErrorClass;
use std::fs;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::{
    artifact::Storing,
    progress::Progress,
    test_circuit::{ToyCircuit, ToyShape},
};

fn srs(seed: u64) -> Srs {
    Srs::generate_unsafe_dev(8, &[8], ChaCha20Rng::seed_from_u64(seed)).unwrap()
}

#[test]
fn the_id_changes_with_shape_circuit_and_srs() {
    let (one, two) = (srs(1), srs(2));
    let shape = ToyShape::tiny();
    let id = |shape: &ToyShape, srs: &Srs| {
        CircuitKeys::generate::<ToyCircuit>(shape, srs).unwrap().circuit_id()
    };
    let base = id(&shape, &one);
    assert_eq!(base, id(&shape, &one));
    assert_ne!(base, id(&shape, &two));
    assert_ne!(base, id(&ToyShape { rows: 21, ..shape.clone() }, &one));
    assert_ne!(base, id(&ToyShape { name: "other".into(), ..shape }, &one));
}

#[test]
fn a_second_start_reads_the_same_keys_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::new(dir.path());
    let (srs, shape) = (srs(1), ToyShape::tiny());
    let made = store.keys::<ToyCircuit>(&shape, &srs, &Progress::silent()).unwrap();
    let path = store.path::<ToyCircuit>(&shape, &srs, "pk").unwrap();
    let stamp = fs::metadata(&path).unwrap().modified().unwrap();

    let read = store.keys::<ToyCircuit>(&shape, &srs, &Progress::silent()).unwrap();
    assert_eq!(read.circuit_id(), made.circuit_id());
    let bytes = |keys: &CircuitKeys| keys.pk().to_bytes(halo2_proofs::SerdeFormat::RawBytes);
    assert_eq!(bytes(&read), bytes(&made));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), stamp);

    let vk = store.verifier_key::<ToyCircuit>(&shape, &srs).unwrap();
    assert_eq!(vk.circuit_id(), made.circuit_id());
    // The two keys and their lock.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn damage_is_found_and_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::new(dir.path());
    let (srs, shape) = (srs(1), ToyShape::tiny());
    let keys = || store.keys::<ToyCircuit>(&shape, &srs, &Progress::silent()).unwrap();
    let id = keys().circuit_id();
    for extension in ["pk", "vk"] {
        let path = store.path::<ToyCircuit>(&shape, &srs, extension).unwrap();
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        for bad in [flipped, good[..good.len() - 1].to_vec(), vec![], b"nonsense".to_vec()] {
            fs::write(&path, &bad).unwrap();
            if extension == "vk" {
                assert!(store.verifier_key::<ToyCircuit>(&shape, &srs).is_err());
                fs::write(&path, &good).unwrap();
            } else {
                assert_eq!(keys().circuit_id(), id);
                assert_eq!(fs::read(&path).unwrap(), good, "replaced by the same key");
            }
        }
    }
}

#[test]
fn the_key_of_another_circuit_under_our_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::new(dir.path());
    let srs = srs(1);
    let ours = ToyShape::tiny();
    let other = ToyShape { rows: 30, ..ours.clone() };
    let progress = Progress::silent();
    store.keys::<ToyCircuit>(&other, &srs, &progress).unwrap();
    let id = store.keys::<ToyCircuit>(&ours, &srs, &progress).unwrap().circuit_id();
    for extension in ["pk", "vk"] {
        let path = |shape| store.path::<ToyCircuit>(shape, &srs, extension).unwrap();
        fs::copy(path(&other), path(&ours)).unwrap();
    }
    let error = store.verifier_key::<ToyCircuit>(&ours, &srs).unwrap_err();
    assert!(matches!(error, ProverError::DamagedArtifact { .. }), "{error}");
    assert_eq!(store.keys::<ToyCircuit>(&ours, &srs, &progress).unwrap().circuit_id(), id);
}

#[test]
fn a_missing_verifying_key_and_a_small_srs_say_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::new(dir.path());
    let srs = srs(1);
    let error = store.verifier_key::<ToyCircuit>(&ToyShape::tiny(), &srs).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Missing);
    assert!(error.to_string().contains("bastion setup"), "{error}");
    let big = ToyShape { k: 9, ..ToyShape::tiny() };
    let error = CircuitKeys::generate::<ToyCircuit>(&big, &srs).unwrap_err();
    assert!(matches!(error, ProverError::SrsTooSmall { needed: 9, held: 8 }));
}

/// The store cannot be written: keys for one use are good all the same, but if storing them was
/// the purpose, nothing was achieved.
#[test]
fn an_unwritable_store_does_not_lose_the_keys_unless_they_had_to_be_stored() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("not-a-directory");
    fs::write(&file, b"").unwrap();
    let keys = |storing| {
        let store = KeyStore::new(&file).storing(storing);
        store.keys::<ToyCircuit>(&ToyShape::tiny(), &srs(1), &Progress::silent())
    };
    let made = keys(Storing::BestEffort).unwrap();
    assert_eq!(made.verifier().num_instances(), 2);
    let error = keys(Storing::Required).unwrap_err();
    assert!(matches!(error, ProverError::Io { .. }), "{error}");
}

/// Keys of one shape under two strings lie side by side; neither is taken for the other.
#[test]
fn keys_are_bound_to_the_reference_string() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::new(dir.path());
    let (one, two) = (srs(1), srs(2));
    let shape = ToyShape::tiny();
    let keys = |srs: &Srs| {
        let keys = store.keys::<ToyCircuit>(&shape, srs, &Progress::silent());
        keys.unwrap().circuit_id()
    };
    let (first, second) = (keys(&one), keys(&two));
    assert_ne!(first, second);
    assert_eq!((keys(&one), keys(&two)), (first, second));
    let path = |srs| store.path::<ToyCircuit>(&shape, srs, "pk").unwrap();
    fs::copy(path(&one), path(&two)).unwrap();
    assert_eq!(keys(&two), second, "the other's key under our name is replaced");
}

/// One too low would cut the quotient, one too high would add a piece that snark-verifier does
/// not expect; either way no honest proof would be accepted.
#[test]
fn a_declared_degree_that_is_not_the_natural_one_is_refused() {
    let keygen = |declared_degree| {
        let shape = ToyShape { declared_degree, ..ToyShape::tiny() };
        CircuitKeys::generate::<ToyCircuit>(&shape, &srs(1))
    };
    keygen(5).unwrap();
    let error = keygen(6).unwrap_err();
    assert!(error.to_string().contains("set_minimum_degree(5)"), "{error}");
}

#[test]
fn the_name_of_a_shape_cannot_lead_out_of_the_store() {
    let shape = ToyShape { name: "../../etc/x".into(), ..ToyShape::tiny() };
    let path = KeyStore::new("/keys").path::<ToyCircuit>(&shape, &srs(1), "pk").unwrap();
    assert_eq!(path.parent().unwrap(), std::path::Path::new("/keys"));
}
