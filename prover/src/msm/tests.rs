//! Against halo2curves' `msm_best` and known relations.

use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::msm::msm_best;
use proptest::prelude::*;
use rand::Rng;

use super::*;
use crate::testing::rng;

/// Different points: multiples of the generator.
fn points(count: usize, seed: u64) -> Vec<G1Affine> {
    let mut random = rng(seed);
    let step = G1::random(&mut random);
    let start = G1::random(&mut random);
    let all = std::iter::successors(Some(start), |p| Some(p + step));
    let all: Vec<G1> = all.take(count).collect();
    let mut affine = vec![G1Affine::default(); count];
    G1::batch_normalize(&all, &mut affine);
    affine
}

/// By definition.
fn naive(scalars: &[Fr], points: &[G1Affine]) -> G1 {
    scalars.iter().zip(points).map(|(s, p)| p * s).sum()
}

fn same(scalars: &[Fr], points: &[G1Affine]) {
    let ours = Bases::new(points).multiply(scalars);
    assert_eq!(ours, naive(scalars, points));
}

/// A scalar of a kind that columns have.
fn scalar(random: &mut impl Rng, kind: u32) -> Fr {
    let small = Fr::from(random.gen_range(0..1_u64 << 16));
    match kind {
        0 => Fr::zero(),
        1 => Fr::one(),
        2 => -Fr::one(),
        3 => small,
        4 => -small,
        5 => Fr::from(random.gen::<u64>()),
        _ => Fr::random(random),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_columns_have_their_sums(seed: u64, len in 1_usize..600, kinds in 1_u32..128) {
        let mut random = rng(seed);
        let points = points(len, seed ^ 1);
        let kinds: Vec<u32> = (0..7).filter(|k| kinds >> k & 1 == 1).collect();
        let scalars: Vec<Fr> = (0..len)
            .map(|_| {
                let kind = kinds[random.gen_range(0..kinds.len())];
                scalar(&mut random, kind)
            })
            .collect();
        same(&scalars, &points);
    }
}

#[test]
fn points_that_are_equal_opposite_or_none_are_told_apart() {
    let mut random = rng(3);
    for len in [1, 2, 7, 8, 9, 64, 300] {
        let mut all = points(len, 4);
        let p = all[0];
        for (i, point) in all.iter_mut().enumerate() {
            match i % 4 {
                0 => *point = p,
                1 => *point = -p,
                2 => *point = G1Affine::default(),
                _ => {}
            }
        }
        for kind in 0..7 {
            let scalars: Vec<Fr> = (0..len).map(|_| scalar(&mut random, kind)).collect();
            same(&scalars, &all);
            let one = vec![scalar(&mut random, kind); len];
            same(&one, &all);
            same(&one, &vec![p; len]);
        }
    }
}

#[test]
fn scalars_at_the_edges_are_right() {
    let points = points(40, 5);
    let half = Fr::from(2).invert().unwrap();
    let mut edges = vec![Fr::zero(), Fr::one(), -Fr::one(), half, half - Fr::one(), -half];
    for bit in [1, 15, 16, 17, 63, 64, 65, 127, 128, 191, 192, 252, 253] {
        let power = Fr::from(2).pow_vartime([bit]);
        edges.extend([power, power - Fr::one(), power + Fr::one(), -power]);
    }
    for edge in &edges {
        same(&vec![*edge; 40], &points);
    }
    same(&edges[..40], &points);
    assert_eq!(Fr::NUM_BITS, 254);
}

#[test]
fn fewer_scalars_than_bases_and_none_are_fine() {
    let points = points(20, 6);
    let bases = Bases::new(&points);
    assert_eq!((bases.len(), bases.is_empty()), (20, false));
    assert_eq!(bases.multiply(&[]), G1::identity());
    assert_eq!(bases.multiply(&[Fr::from(3)]), points[0] * Fr::from(3));
    let columns = [[Fr::from(2); 20], [-Fr::from(7); 20]];
    let sums = bases.multiply_all(&[&columns[0], &columns[1]]);
    assert_eq!(sums, columns.map(|c| naive(&c, &points)));
}

/// Larger than any group, with every way to split it.
#[test]
fn large_columns_equal_halo2s_sums_however_they_are_split() {
    let len = 1 << 16;
    let points = points(len, 7);
    let bases = Bases::new(&points);
    let mut random = rng(8);
    for kind in [1, 3, 6] {
        let mut scalars: Vec<Fr> = (0..len).map(|_| scalar(&mut random, kind)).collect();
        // Blinding.
        for last in &mut scalars[len - 6..] {
            *last = Fr::random(&mut random);
        }
        let expected = msm_best(&scalars, &points);
        for threads in [1, 2, 40] {
            assert_eq!(bases.part(&scalars, 0, threads), expected, "{kind}, {threads}");
        }
    }
}
