//! Every kind of lanes against halo2curves' arithmetic, at the edges of every bound.

use halo2_proofs::halo2curves::ff::Field;
use rand_chacha::ChaCha20Rng;

use super::modulus::from_limbs;
use super::*;

/// What `f` gives for eight elements, in halo2curves' form.
fn computed<L: Lanes>(x: &[L::Field], y: &[L::Field], f: impl Fn(L, L) -> L) -> Vec<L::Field> {
    let up = L::constant(&L::Field::from(L::LIFT));
    let down = L::constant(&L::Field::from(L::LIFT).invert().unwrap());
    let result = f(L::load(x).mul_constant(&up), L::load(y).mul_constant(&up));
    let mut out = vec![L::Field::ZERO; WIDTH];
    result.mul_constant(&down).store_canonical(&mut out);
    out
}

fn edges<F: Modulus>(random: &mut ChaCha20Rng) -> Vec<F> {
    let mut values = vec![F::ZERO, F::ONE, -F::ONE, F::from(1 << 52)];
    values.resize_with(WIDTH, || F::random(&mut *random));
    values
}

fn check<L: Lanes>() {
    let mut random = crate::testing::rng(1);
    for _ in 0..100 {
        let (x, mut y) = (edges::<L::Field>(&mut random), edges::<L::Field>(&mut random));
        y.rotate_left(3);
        let both = || x.iter().zip(&y);
        let expect = |f: fn(&L::Field, &L::Field) -> L::Field| {
            both().map(|(a, b)| f(a, b)).collect::<Vec<_>>()
        };
        assert_eq!(computed::<L>(&x, &y, |a, b| a.mul(b)), expect(|a, b| *a * b));
        assert_eq!(computed::<L>(&x, &y, |a, b| a.add(b)), expect(|a, b| *a + b));
        assert_eq!(computed::<L>(&x, &y, |a, b| a.sub(b, 2)), expect(|a, b| *a - b));
        let squares: Vec<_> = x.iter().map(L::Field::square).collect();
        assert_eq!(computed::<L>(&x, &y, |a, _| a.square()), squares);
        let large = computed::<L>(&x, &y, |a, b| {
            // Bound 2 doubled five times is the largest; it is also the largest lift.
            let mut sum = a;
            for _ in 0..5 {
                sum = sum.add(sum);
            }
            b.sub(sum, MAX_BOUND).mul_constant(&L::constant(&L::Field::ONE))
        });
        assert_eq!(large, expect(|a, b| *b - *a * L::Field::from(32)));
        let many = computed::<L>(&x, &y, |a, b| {
            // Bounds 2, so that the sum of bounds is within that of a reduction.
            let mut wide = L::wide();
            for i in 0..MAX_TERMS {
                if i > 0 && i % L::RELAX == 0 {
                    wide = L::relax(wide);
                }
                wide = L::accumulate(wide, &a, &b);
            }
            L::reduce(wide)
        });
        assert_eq!(many, expect(|a, b| *a * b * L::Field::from(MAX_TERMS as u64)));
    }
}

/// As many products as a sum may have, of as large a bound as so many may have.
fn check_largest<L: Lanes>() {
    let x = vec![-L::Field::ONE; WIDTH];
    let got = computed::<L>(&x, &x, |a, _| {
        // Bound 3: 3·3·400 is below what a reduction takes.
        let larger = a.sub(L::splat(&L::constant(&L::Field::ZERO)), 1);
        let mut wide = L::wide();
        for i in 0..MAX_TERMS {
            if i > 0 && i % L::RELAX == 0 {
                wide = L::relax(wide);
            }
            wide = L::accumulate(wide, &larger, &larger);
        }
        L::reduce(wide)
    });
    assert_eq!(got, vec![L::Field::from(MAX_TERMS as u64); WIDTH]);
}

/// Differences that are nearly zero borrow from limb to limb.
fn check_near_zero<L: Lanes>() {
    let one = L::Field::ONE;
    for small in [0, 1, 2, 1 << 28] {
        let small = L::Field::from(small);
        let x = vec![small - one; WIDTH];
        let y = vec![-one; WIDTH];
        for lift in [1, 2, 3, MAX_BOUND - 1] {
            let got = computed::<L>(&x, &y, |a, b| {
                let difference = a.sub(b, lift.max(2));
                difference.mul(difference)
            });
            assert_eq!(got, vec![small * small; WIDTH]);
        }
    }
    // Canonical values, whose difference is exactly that.
    let ones = L::load(&[from_limbs::<L::Field>([1, 0, 0, 0]); WIDTH]);
    let zeros = L::load(&[L::Field::ZERO; WIDTH]);
    let mut last = L::Field::ORDER;
    last[0] -= 1;
    let lasts = L::load(&[from_limbs::<L::Field>(last); WIDTH]);
    let mut out = vec![L::Field::ZERO; WIDTH];
    // Bounds up to 4 are brought to canonical form.
    for lift in 1..=3 {
        ones.sub(lasts, lift).store_canonical(&mut out);
        assert_eq!(out, vec![from_limbs::<L::Field>([2, 0, 0, 0]); WIDTH]);
        zeros.sub(zeros, lift).store_canonical(&mut out);
        assert_eq!(out, vec![L::Field::ZERO; WIDTH]);
        lasts.sub(zeros, lift).store_canonical(&mut out);
        assert_eq!(out, vec![from_limbs::<L::Field>(last); WIDTH]);
    }
    for (a, b, expected) in [(ones, lasts, [2, 0, 0, 0]), (zeros, lasts, [1, 0, 0, 0])] {
        a.sub(b, 1).store(&mut out);
        assert_eq!(out, vec![from_limbs::<L::Field>(expected); WIDTH]);
    }
}

fn check_memory<L: Lanes>() {
    let mut random = crate::testing::rng(2);
    let x: Vec<L::Field> = (0..WIDTH * 5).map(|_| L::Field::random(&mut random)).collect();
    let mut out = vec![L::Field::ZERO; WIDTH];
    L::load(&x[3..]).store(&mut out);
    assert_eq!(out, x[3..3 + WIDTH]);
    L::gather(&x[1..], 5).store_canonical(&mut out);
    let expected: Vec<L::Field> = x[1..].iter().step_by(5).copied().collect();
    assert_eq!(out, expected);
}

struct Checks;

impl Kernel for Checks {
    type Output = ();

    fn run<E: Engine>(self) {
        check::<E::Scalars>();
        check::<E::Coordinates>();
        check_largest::<E::Scalars>();
        check_largest::<E::Coordinates>();
        check_near_zero::<E::Scalars>();
        check_near_zero::<E::Coordinates>();
        check_memory::<E::Scalars>();
        check_memory::<E::Coordinates>();
    }
}

#[test]
fn lanes_compute_on_every_arithmetic_of_the_machine() {
    for arithmetic in Arithmetic::supported() {
        eprintln!("{arithmetic}");
        run_on(arithmetic, Checks);
    }
}
