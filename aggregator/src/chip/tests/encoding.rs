//! No two points of the curve have the same coordinates modulo r: what the transcript absorbs names
//! one point.
//!
//! Coordinates below p that agree modulo r are equal or differ by r, that is by t = p - r modulo p,
//! and then the smaller one is below t. So a pair would be (x, y) and (x - k t, y - j t) with
//! k, j in {-1, 0, 1}, not both 0. Each case is a polynomial equation over the base field.

use halo2_proofs::halo2curves::bn256::Fq;
use num_bigint::BigUint;

use super::*;
use crate::chip::grid::{base_modulus, scalar_modulus, to_integer};

/// Coefficients, lowest first, without zeros at the end.
type Poly = Vec<Fq>;

fn trim(mut f: Poly) -> Poly {
    while f.last() == Some(&Fq::zero()) {
        f.pop();
    }
    f
}

fn times(a: &Poly, b: &Poly) -> Poly {
    let mut product = vec![Fq::zero(); (a.len() + b.len()).saturating_sub(1)];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            product[i + j] += *x * y;
        }
    }
    trim(product)
}

fn plus(a: &Poly, b: &Poly) -> Poly {
    let at = |f: &Poly, i: usize| f.get(i).copied().unwrap_or(Fq::zero());
    trim((0..a.len().max(b.len())).map(|i| at(a, i) + at(b, i)).collect())
}

fn scaled(a: &Poly, c: Fq) -> Poly {
    trim(a.iter().map(|x| *x * c).collect())
}

fn reduced(mut f: Poly, modulus: &Poly) -> Poly {
    let lead = modulus.last().unwrap().invert().unwrap();
    while f.len() >= modulus.len() {
        let factor = *f.last().unwrap() * lead;
        let shift = f.len() - modulus.len();
        for (i, c) in modulus.iter().enumerate() {
            f[shift + i] -= factor * c;
        }
        f = trim(f);
    }
    f
}

fn gcd(a: Poly, b: Poly) -> Poly {
    if b.is_empty() {
        return a;
    }
    let rest = reduced(a, &b);
    gcd(b, rest)
}

fn power(base: &Poly, exponent: &BigUint, modulus: &Poly) -> Poly {
    let mut result = vec![Fq::one()];
    for bit in (0..exponent.bits()).rev() {
        result = reduced(times(&result, &result), modulus);
        if exponent.bit(bit) {
            result = reduced(times(&result, base), modulus);
        }
    }
    result
}

/// All roots in the field (Cantor and Zassenhaus).
fn roots(f: &Poly) -> Vec<Fq> {
    let x = vec![Fq::zero(), Fq::one()];
    let all = power(&x, base_modulus(), f);
    split(gcd(f.clone(), plus(&all, &scaled(&x, -Fq::one()))))
}

fn split(f: Poly) -> Vec<Fq> {
    match f.len() {
        0 | 1 => vec![],
        2 => vec![-f[0] * f[1].invert().unwrap()],
        _ => (1..)
            .find_map(|c| {
                let base = vec![Fq::from(c), Fq::one()];
                let half = (base_modulus() - 1u8) >> 1;
                let root = power(&base, &half, &f);
                let part = gcd(f.clone(), plus(&root, &vec![-Fq::one()]));
                (part.len() > 1 && part.len() < f.len()).then(|| {
                    let rest = quotient(f.clone(), &part);
                    [split(part), split(rest)].concat()
                })
            })
            .unwrap(),
    }
}

fn quotient(mut f: Poly, divisor: &Poly) -> Poly {
    let lead = divisor.last().unwrap().invert().unwrap();
    let mut result = vec![Fq::zero(); f.len() + 1 - divisor.len()];
    while f.len() >= divisor.len() {
        let factor = *f.last().unwrap() * lead;
        let shift = f.len() - divisor.len();
        result[shift] = factor;
        for (i, c) in divisor.iter().enumerate() {
            f[shift + i] -= factor * c;
        }
        f = trim(f);
    }
    result
}

/// Whether `x` below p and `x - k t` below p are the same integer modulo r.
fn agree(x: &Fq, k: i64, t: &Fq) -> bool {
    let shift = if k < 0 { -*t } else { *t };
    let other = if k == 0 { *x } else { *x - shift };
    (to_integer(x) % scalar_modulus()) == (to_integer(&other) % scalar_modulus())
}

#[test]
fn roots_are_found() {
    let root = |x: u64| vec![-Fq::from(x), Fq::one()];
    let f = times(&times(&root(3), &root(5)), &root(9));
    let mut found = roots(&f);
    found.sort();
    assert_eq!(found, [3, 5, 9].map(Fq::from));
    // -1 is no square.
    assert!(roots(&vec![Fq::one(), Fq::zero(), Fq::one()]).is_empty());
}

#[test]
fn no_two_points_are_absorbed_alike() {
    let t = -Fq::from_str_vartime(&scalar_modulus().to_string()).unwrap();
    let curve = vec![Fq::from(3), Fq::zero(), Fq::zero(), Fq::one()];
    let integer = |k: i64| {
        if k < 0 {
            -Fq::one()
        } else {
            Fq::from(k as u64)
        }
    };
    let mut candidates = 0;
    for (k, j) in (-1..=1).flat_map(|k| (-1..=1).map(move |j| (k, j))) {
        if (k, j) == (0, 0) {
            continue;
        }
        let (kt, jt) = (integer(k) * t, integer(j) * t);
        // x^3 - (x - kt)^3 = 3 kt x^2 - 3 (kt)^2 x + (kt)^3
        let difference = trim(vec![kt.square() * kt, -Fq::from(3) * kt.square(), Fq::from(3) * kt]);
        // It equals y^2 - (y - jt)^2 = 2 jt y - (jt)^2.
        let points: Vec<(Fq, Fq)> = if j == 0 {
            let xs = roots(&difference).into_iter();
            xs.flat_map(|x| {
                let y = Option::<Fq>::from((x.square() * x + Fq::from(3)).sqrt());
                y.into_iter().flat_map(move |y| [(x, y), (x, -y)])
            })
            .collect()
        } else {
            let y = scaled(&plus(&difference, &vec![jt.square()]), jt.double().invert().unwrap());
            let equation = plus(&times(&y, &y), &scaled(&curve, -Fq::one()));
            let value = |x: &Fq| y.iter().rev().fold(Fq::zero(), |sum, c| sum * x + c);
            roots(&equation).into_iter().map(|x| (x, value(&x))).collect()
        };
        for (x, y) in points {
            candidates += 1;
            let on_curve = |x: Fq, y: Fq| y.square() == x.square() * x + Fq::from(3);
            assert!(on_curve(x, y) && on_curve(x - kt, y - jt));
            assert!(!(agree(&x, k, &t) && agree(&y, j, &t)), "{x:?} {y:?} {k} {j}");
        }
    }
    // The equations have solutions; none of them keeps below p on both sides.
    assert!(candidates > 0);
}
