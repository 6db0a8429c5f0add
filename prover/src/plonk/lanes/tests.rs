//! Both kinds of lanes against halo2curves' arithmetic, at the edges of every bound.

use halo2_proofs::halo2curves::ff::Field;
use rand_chacha::ChaCha20Rng;

use super::*;

/// What `f` gives for eight elements, in halo2curves' form.
fn run<L: Lanes>(x: &[Fr], y: &[Fr], f: impl Fn(L, L) -> L) -> Vec<Fr> {
    let up = L::constant(&Fr::from(L::LIFT));
    let down = L::constant(&Fr::from(L::LIFT).invert().unwrap());
    let result = f(L::load(x).mul_constant(&up), L::load(y).mul_constant(&up));
    let mut out = vec![Fr::zero(); WIDTH];
    result.mul_constant(&down).store_canonical(&mut out);
    out
}

fn edges(random: &mut ChaCha20Rng) -> Vec<Fr> {
    let mut values = vec![Fr::zero(), Fr::one(), -Fr::one(), Fr::from(1 << 52)];
    values.resize_with(WIDTH, || Fr::random(&mut *random));
    values
}

fn check<L: Lanes>() {
    let mut random = crate::testing::rng(1);
    for _ in 0..100 {
        let (x, mut y) = (edges(&mut random), edges(&mut random));
        y.rotate_left(3);
        let both = || x.iter().zip(&y);
        let expect = |f: fn(&Fr, &Fr) -> Fr| both().map(|(a, b)| f(a, b)).collect::<Vec<_>>();
        assert_eq!(run::<L>(&x, &y, |a, b| a.mul(b)), expect(|a, b| a * b));
        assert_eq!(run::<L>(&x, &y, |a, b| a.add(b)), expect(|a, b| a + b));
        assert_eq!(run::<L>(&x, &y, |a, b| a.sub(b, 2)), expect(|a, b| a - b));
        let large = run::<L>(&x, &y, |a, b| {
            // Bound 2 doubled five times is the largest; it is also the largest lift.
            let mut sum = a;
            for _ in 0..5 {
                sum = sum.add(sum);
            }
            b.sub(sum, MAX_BOUND).mul_constant(&L::constant(&Fr::one()))
        });
        assert_eq!(large, expect(|a, b| b - a * Fr::from(32)));
        let many = run::<L>(&x, &y, |a, b| {
            // Bounds 2, so that the sum of bounds is within that of a reduction.
            let mut wide = L::wide();
            for _ in 0..MAX_TERMS {
                wide = L::accumulate(wide, a, b);
            }
            L::reduce(wide)
        });
        assert_eq!(many, expect(|a, b| a * b * Fr::from(MAX_TERMS as u64)));
    }
}

/// As many products as a sum may have, of as large a bound as so many may have.
fn check_largest<L: Lanes>() {
    let x = vec![-Fr::one(); WIDTH];
    let got = run::<L>(&x, &x, |a, _| {
        // Bound 3: 3·3·400 is below what a reduction takes.
        let larger = a.sub(L::splat(&L::constant(&Fr::zero())), 1);
        let mut wide = L::wide();
        for _ in 0..MAX_TERMS {
            wide = L::accumulate(wide, larger, larger);
        }
        L::reduce(wide)
    });
    assert_eq!(got, vec![Fr::from(MAX_TERMS as u64); WIDTH]);
}

fn check_memory<L: Lanes>() {
    let mut random = crate::testing::rng(2);
    let x: Vec<Fr> = (0..WIDTH * 5).map(|_| Fr::random(&mut random)).collect();
    let mut out = vec![Fr::zero(); WIDTH];
    L::load(&x[3..]).store(&mut out);
    assert_eq!(out, x[3..3 + WIDTH]);
    L::gather(&x[1..], 5).store_canonical(&mut out);
    let expected: Vec<Fr> = x[1..].iter().step_by(5).copied().collect();
    assert_eq!(out, expected);
}

#[test]
fn portable_lanes_compute() {
    check::<Portable>();
    check_largest::<Portable>();
    check_memory::<Portable>();
}

#[test]
#[cfg(target_arch = "x86_64")]
fn ifma_lanes_compute() {
    if !has_ifma() {
        eprintln!("this machine has no AVX-512 IFMA: nothing is tested");
        return;
    }
    check::<Ifma>();
    check_largest::<Ifma>();
    check_memory::<Ifma>();
}
