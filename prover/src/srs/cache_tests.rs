//! Which reference string of a folder is used, when one is made, and who makes it.

use crate::ErrorClass;
use std::{fs, path::Path, sync::Barrier};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::progress::Progress;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn obtain(dir: &Path, choice: SrsChoice, k: u32, seed: u64) -> Result<Srs> {
    SrsDir::new(dir).obtain(choice, k, &[], &[], rng(seed), &Progress::silent())
}

/// A reference string that counts as a ceremony's.
fn ceremony(k: u32, seed: u64) -> Srs {
    let srs = Srs::generate_unsafe_dev(k, &[], rng(seed)).unwrap();
    Srs::from_powers(SrsOrigin::Ceremony, srs.g, srs.g2, srs.s_g2).unwrap()
}

fn adopt(dir: &Path, srs: Srs) -> Result<Srs> {
    SrsDir::new(dir).adopt(srs, &Progress::silent())
}

#[test]
fn an_unsafe_string_is_made_for_those_alone_who_ask_for_it() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("mistyped");
    let named = SrsChoice::Named(Digest::of(b"another"));
    for choice in [SrsChoice::Held, named] {
        let error = obtain(&dir, choice, 5, 1).unwrap_err();
        assert!(matches!(error, ProverError::SrsAbsent { needed: 5, .. }), "{error}");
        assert_eq!(error.class(), ErrorClass::Missing);
        assert!(!dir.exists(), "a folder was made for nothing");
    }
    let made = obtain(&dir, SrsChoice::HeldOrUnsafeDev, 5, 1).unwrap();
    assert_eq!(made.origin(), SrsOrigin::UnsafeDev);
    assert_eq!(obtain(&dir, SrsChoice::Held, 5, 2).unwrap().id(), made.id());
}

#[test]
fn a_ceremony_that_is_too_small_is_not_replaced_by_an_unsafe_string() {
    let dir = tempfile::tempdir().unwrap();
    adopt(dir.path(), ceremony(5, 1)).unwrap();
    // Neither a new one nor one that lies there.
    for _ in 0..2 {
        for choice in [SrsChoice::Held, SrsChoice::HeldOrUnsafeDev] {
            let error = obtain(dir.path(), choice, 6, 2).unwrap_err();
            assert!(matches!(error, ProverError::SrsAbsent { needed: 6, .. }), "{error}");
            assert!(error.to_string().contains("a ceremony's, 2^5 powers"), "{error}");
        }
        let mut unsafe_one = Srs::generate_unsafe_dev(6, &[], rng(3)).unwrap();
        unsafe_one.save(&dir.path().join("dev-k6.srs")).unwrap();
    }
}

#[test]
fn the_identity_decides_and_nothing_else_that_lies_there() {
    let dir = tempfile::tempdir().unwrap();
    let small = obtain(dir.path(), SrsChoice::HeldOrUnsafeDev, 5, 1).unwrap();
    let large = obtain(dir.path(), SrsChoice::HeldOrUnsafeDev, 7, 2).unwrap();
    let public = adopt(dir.path(), ceremony(6, 3)).unwrap();
    let named = |id, k| obtain(dir.path(), SrsChoice::Named(id), k, 9);
    for srs in [&small, &large, &public] {
        for k in 4..=srs.k() {
            let found = named(srs.id(), k).unwrap();
            assert_eq!((found.id(), found.k()), (srs.id(), srs.k()));
        }
        let error = named(srs.id(), srs.k() + 1).unwrap_err();
        assert!(error.to_string().contains(&srs.id().to_string()), "{error}");
    }
    let error = named(Digest::of(b"another"), 5).unwrap_err();
    for srs in [&small, &large, &public] {
        assert!(error.to_string().contains(&srs.id().to_string()), "{error}");
    }
    // Where nothing is named: the ceremony's.
    let held = |k| obtain(dir.path(), SrsChoice::Held, k, 9);
    assert_eq!(held(5).unwrap().id(), public.id());
    fs::remove_file(dir.path().join("ceremony-k6.srs")).unwrap();
    assert_eq!(held(5).unwrap().id(), small.id());
    assert_eq!(held(6).unwrap().id(), large.id());
}

#[test]
fn a_file_under_another_name_is_found_by_its_identity() {
    let dir = tempfile::tempdir().unwrap();
    let id = obtain(dir.path(), SrsChoice::HeldOrUnsafeDev, 5, 1).unwrap().id();
    fs::rename(dir.path().join("dev-k5.srs"), dir.path().join("from-a-colleague.srs")).unwrap();
    obtain(dir.path(), SrsChoice::Named(id), 5, 2).unwrap();
}

#[test]
fn one_cache_keeps_to_one_ceremony() {
    let dir = tempfile::tempdir().unwrap();
    let first = adopt(dir.path(), ceremony(5, 1)).unwrap();
    let before = fs::read(dir.path().join("ceremony-k5.srs")).unwrap();
    for k in [4, 5, 6] {
        let error = adopt(dir.path(), ceremony(k, 2)).unwrap_err();
        assert!(matches!(error, ProverError::SrsConflict { .. }), "{error}");
        assert_eq!(error.class(), ErrorClass::Mismatch);
    }
    assert_eq!(fs::read(dir.path().join("ceremony-k5.srs")).unwrap(), before);
    // More and fewer powers of the same one are welcome.
    assert_eq!(adopt(dir.path(), ceremony(4, 1)).unwrap().k(), 5);
    assert_eq!(adopt(dir.path(), ceremony(6, 1)).unwrap().id(), first.id());
    assert_eq!(obtain(dir.path(), SrsChoice::Held, 6, 9).unwrap().id(), first.id());
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in [("dev-k5.srs", &b"nonsense"[..]), ("old.srs", &[7; 200])] {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = obtain(dir.path(), SrsChoice::HeldOrUnsafeDev, 5, 1).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn side_by_side_all_end_with_the_same_string() {
    const STARTS: u64 = 6;
    let dir = tempfile::tempdir().unwrap();
    let barrier = Barrier::new(STARTS as usize);
    let ids: Vec<Digest> = std::thread::scope(|scope| {
        let start = |seed| {
            let (dir, barrier) = (dir.path(), &barrier);
            scope.spawn(move || {
                barrier.wait();
                obtain(dir, SrsChoice::HeldOrUnsafeDev, 8, seed).unwrap().id()
            })
        };
        let threads: Vec<_> = (0..STARTS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

/// Without the lock, as on a file system that has none: the first file wins.
#[test]
fn the_first_file_wins() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dev-k5.srs");
    let mut first = Srs::generate_unsafe_dev(5, &[5], rng(1)).unwrap();
    let mut second = Srs::generate_unsafe_dev(5, &[5], rng(2)).unwrap();
    assert!(first.save(&path).unwrap());
    assert!(!second.save(&path).unwrap());
    assert_eq!(Srs::open(&path).unwrap().id(), first.id());
}
