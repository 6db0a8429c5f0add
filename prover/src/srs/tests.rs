use halo2_proofs::{
    halo2curves::{bn256::Fr, ff::Field, group::Curve},
    poly::commitment::{Params, ParamsProver},
};
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::progress::Progress;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn dev(dir: &std::path::Path, k: u32, ks: &[u32], seed: u64) -> Result<Srs> {
    let choice = SrsChoice::HeldOrUnsafeDev;
    SrsDir::new(dir).obtain(choice, k, ks, &[], rng(seed), &Progress::silent())
}

fn dev_path(dir: &std::path::Path, k: u32) -> PathBuf {
    SrsDir::new(dir).path(SrsOrigin::UnsafeDev, k)
}

fn points(bytes: &[u8], skip: usize, count: usize) -> Vec<G1Affine> {
    bytes[skip..skip + 64 * count]
        .chunks(64)
        .map(|c| G1Affine::from_raw_bytes(c).unwrap())
        .collect()
}

/// halo2's own slow setup from the same secret, compared through its serialisation: powers,
/// Lagrange basis and the points of G2, byte by byte.
#[test]
fn equals_the_naive_computation_at_every_small_size() {
    let tau = Fr::random(rng(7));
    let ks: Vec<u32> = (MIN_K..=9).collect();
    let srs = Srs::from_tau(9, &ks, &[], tau).unwrap();
    for k in ks {
        // `setup` draws tau as its first field element, as `Fr::random(rng(7))` did.
        let naive = ParamsKZG::<Bn256>::setup(k, rng(7));
        let (mut expected, mut got) = (vec![], vec![]);
        naive.write(&mut expected).unwrap();
        srs.params(k).unwrap().write(&mut got).unwrap();
        assert_eq!(got, expected, "k = {k}");
    }
    srs.check_consistency(rng(8)).unwrap();
}

#[test]
fn powers_are_what_their_name_says() {
    let tau = Fr::from(3);
    let srs = Srs::from_tau(4, &[], &[], tau).unwrap();
    let g = G1Affine::generator();
    for (i, power) in srs.g.iter().enumerate() {
        assert_eq!(*power, (g * Fr::from(3u64.pow(i as u32))).to_affine());
    }
}

#[test]
fn downsizing_by_fft_equals_the_closed_form() {
    let tau = Fr::random(rng(1));
    let closed = Srs::from_tau(8, &[6], &[], tau).unwrap();
    let by_fft = Srs::from_tau(8, &[], &[], tau).unwrap();
    let (mut a, mut b) = (vec![], vec![]);
    closed.params(6).unwrap().write(&mut a).unwrap();
    by_fft.params(6).unwrap().write(&mut b).unwrap();
    assert_eq!(a, b);
    by_fft.check_consistency(rng(2)).unwrap();
}

#[test]
fn one_secret_serves_all_sizes() {
    let srs = Srs::generate_unsafe_dev(8, &[5, 8], rng(3)).unwrap();
    let (small, large) = (srs.params(5).unwrap(), srs.params(8).unwrap());
    assert_eq!(small.s_g2(), large.s_g2());
    assert_eq!(small.get_g(), &large.get_g()[..32]);
    assert!(Arc::ptr_eq(&small, &srs.params(5).unwrap()));
}

#[test]
fn a_circuit_that_is_too_big_gets_the_remedy() {
    let srs = Srs::generate_unsafe_dev(6, &[], rng(3)).unwrap();
    let error = srs.params(7).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the circuit has 2^7 rows, the reference string only 2^6 powers: run `bastion setup` for \
         its shape with --srs and a ceremony's file of power 7 or more, or with --unsafe-dev-srs \
         for development"
    );
    assert!(matches!(srs.params(1), Err(ProverError::SrsSize { k: 1 })));
    let error = Srs::generate_unsafe_dev(6, &[7], rng(3)).unwrap_err();
    assert!(matches!(error, ProverError::SrsTooSmall { needed: 7, held: 6 }));
    let error = Srs::generate_unsafe_dev(40, &[], rng(3)).unwrap_err();
    assert!(matches!(error, ProverError::SrsSize { k: 40 }));
}

#[test]
fn files_read_back_with_their_bases() {
    let dir = tempfile::tempdir().unwrap();
    let first = dev(dir.path(), 7, &[5], 4).unwrap();
    // A smaller request finds the larger file; the generator is not asked again.
    let second = dev(dir.path(), 6, &[], 5).unwrap();
    assert_eq!(second.k(), 7);
    assert_eq!(second.id(), first.id());
    assert_eq!(second.origin(), SrsOrigin::UnsafeDev);
    let (mut a, mut b) = (vec![], vec![]);
    first.params(5).unwrap().write(&mut a).unwrap();
    second.params(5).unwrap().write(&mut b).unwrap();
    assert_eq!(a, b);
    // A basis that was not there is computed and cached.
    let cached = second.lagrange_path(6).unwrap();
    assert!(!cached.exists());
    second.params(6).unwrap();
    assert!(cached.exists());
    second.check_consistency(rng(6)).unwrap();
}

#[test]
fn a_damaged_srs_is_refused_and_a_damaged_basis_recomputed() {
    let dir = tempfile::tempdir().unwrap();
    let srs = dev(dir.path(), 5, &[5], 4).unwrap();
    let path = dev_path(dir.path(), 5);
    let good = std::fs::read(&path).unwrap();
    for (index, byte) in good.iter().enumerate().step_by(37) {
        let mut bad = good.clone();
        bad[index] = byte ^ 0x10;
        std::fs::write(&path, &bad).unwrap();
        assert!(Srs::open(&path).is_err(), "byte {index}");
    }
    for len in (0..good.len()).step_by(61) {
        std::fs::write(&path, &good[..len]).unwrap();
        assert!(Srs::open(&path).is_err(), "length {len}");
    }
    // A damaged file is never replaced by a new secret.
    assert!(dev(dir.path(), 5, &[], 9).is_err());

    std::fs::write(&path, &good).unwrap();
    let basis = srs.lagrange_path(5).unwrap();
    let good = std::fs::read(&basis).unwrap();
    std::fs::write(&basis, &good[..good.len() / 2]).unwrap();
    Srs::open(&path).unwrap().params(5).unwrap();
    assert_eq!(std::fs::read(&basis).unwrap(), good);
}

/// Files with a right digest but wrong points: written by hand, so that the mathematical
/// checks are reached.
#[test]
fn points_off_the_curve_are_refused_behind_a_right_digest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.srs");
    let mut srs = Srs::generate_unsafe_dev(4, &[], rng(1)).unwrap();
    srs.g[3].x = srs.g[4].x;
    srs.save(&path).unwrap();
    let error = Srs::open(&path).unwrap_err();
    assert!(error.to_string().contains("point 3 is not on the curve"), "{error}");

    let mut srs = Srs::generate_unsafe_dev(4, &[], rng(1)).unwrap();
    srs.g[15] = G1Affine::identity();
    std::fs::remove_file(&path).unwrap();
    assert!(srs.save(&path).unwrap());
    assert!(Srs::open(&path).is_err());
}

#[test]
fn inconsistent_points_are_found() {
    let make = || Srs::generate_unsafe_dev(6, &[6], rng(1)).unwrap();
    make().check_consistency(rng(2)).unwrap();

    let reason = |srs: &Srs| srs.check_consistency(rng(2)).unwrap_err().to_string();
    let mut srs = make();
    srs.g.swap(40, 41);
    assert!(reason(&srs).contains("random combination"));

    let mut srs = make();
    srs.s_g2 = (srs.s_g2 + srs.g2).to_affine();
    assert!(reason(&srs).contains("e(g[1], g2)"));

    let mut srs = make();
    srs.g.remove(0);
    srs.g.push(srs.g[0]);
    assert!(reason(&srs).contains("generators"));

    let mut srs = make();
    srs.unsaved_lagrange.get_mut(&6).unwrap().swap(0, 1);
    assert!(reason(&srs).contains("Lagrange"));

    let srs = make();
    let mut basis = srs.unsaved_lagrange[&6].clone();
    basis.swap(2, 3);
    let params = params_from_parts(6, srs.g.clone(), basis.clone(), srs.g2, srs.s_g2);
    srs.cache().insert(6, Arc::new(crate::srs::Params::new(params, &basis)));
    assert!(reason(&srs).contains("Lagrange"));
}

#[test]
fn a_saved_srs_has_the_documented_layout() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.srs");
    let mut srs = Srs::generate_unsafe_dev(4, &[], rng(1)).unwrap();
    srs.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(&bytes[..8], b"BASTSRS\0");
    let header_len = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    assert_eq!(bytes.len(), 16 + header_len + 16 * 64 + 2 * 128 + 32);
    assert_eq!(points(&bytes, 16 + header_len, 16), srs.g);
    let header = std::str::from_utf8(&bytes[16..16 + header_len]).unwrap();
    assert!(header.contains("unsafe-dev"), "{header}");
}

/// Timing, not a check of correctness at this size beyond the pairings; run with
/// `cargo test --release -p bastion-prover -- --ignored --nocapture srs_timing`.
#[test]
#[ignore = "takes a minute: measures set-up at k = 20 and 21"]
fn srs_timing() {
    for k in [20, 21] {
        let dir = tempfile::tempdir().unwrap();
        let start = std::time::Instant::now();
        let mut srs = Srs::generate_unsafe_dev(k, &[15, k], rng(11)).unwrap();
        let generated = start.elapsed();
        let path = dev_path(dir.path(), k);
        srs.save(&path).unwrap();
        let saved = start.elapsed() - generated;
        let start = std::time::Instant::now();
        let srs = Srs::open(&path).unwrap();
        let opened = start.elapsed();
        srs.params(k).unwrap();
        let params = start.elapsed() - opened;
        let start = std::time::Instant::now();
        srs.check_consistency(rng(11)).unwrap();
        let checked = start.elapsed();
        println!("k = {k}: generate {generated:.2?}, save {saved:.2?}, open {opened:.2?}, params {params:.2?}, check {checked:.2?}");
    }
}
