//! Programs against the expressions that they come from.

use bastion_circuits::{BatchCircuit, Shape};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::Circuit;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::quotient::tests::numerators;
use super::*;

const ROWS: usize = 64;

/// The sum of `yⁱ·ruleᵢ` of each class above `coset` on one row.
fn expected(rules: &Rules<'_>, columns: &[Vec<Fr>], coset: usize, row: usize) -> Vec<(Class, Fr)> {
    let places = Columns::of(rules.system);
    let read = |column: usize, rotation: i32| {
        columns[column][(row as i32 + rotation).rem_euclid(ROWS as i32) as usize]
    };
    let value = |rule: &Expression<Fr>| {
        rule.evaluate(
            &|c| c,
            &|_| Fr::zero(),
            &|q| read(places.fixed + q.column_index(), q.rotation().0),
            &|q| read(q.column_index(), q.rotation().0),
            &|q| read(places.instance + q.column_index(), q.rotation().0),
            &|c| rules.challenges[c.index()],
            &|a| -a,
            &|a, b| a + b,
            &|a, b| a * b,
            &|a, c| a * c,
        )
    };
    let mut sums: Vec<(Class, Fr)> = Vec::new();
    for rule in rules.iter() {
        for (_, sum) in &mut sums {
            *sum *= rules.y;
        }
        let class = class_of(rule);
        match sums.iter_mut().find(|(c, _)| *c == class) {
            Some((_, sum)) => *sum += value(rule),
            None => sums.push((class, value(rule))),
        }
    }
    sums.retain(|(class, _)| *class > coset);
    sums.sort_unstable_by_key(|(class, _)| *class);
    sums
}

fn check(rules: &Rules<'_>, columns: &[Vec<Fr>]) {
    for coset in 0..rules.system.degree() - 1 {
        let program = compile(rules, coset);
        for values in numerators(&program, columns) {
            for row in [0, 1, 17, ROWS - 1] {
                let mut got: Vec<(Class, Fr)> = program
                    .outputs
                    .iter()
                    .zip(&values)
                    .map(|((class, _), v)| (*class, v[row]))
                    .collect();
                got.sort_unstable_by_key(|(class, _)| *class);
                let want = expected(rules, columns, coset, row);
                assert_eq!(got, want, "coset {coset}, row {row}");
            }
        }
    }
}

fn random_columns(count: usize, rng: &mut StdRng) -> Vec<Vec<Fr>> {
    let column = |rng: &mut StdRng| (0..ROWS).map(|_| Fr::random(&mut *rng)).collect();
    (0..count).map(|_| column(rng)).collect()
}

#[test]
fn the_batch_circuit_is_compiled_right() {
    let mut system = ConstraintSystem::default();
    BatchCircuit::configure_with_params(&mut system, Shape::tiny());
    let mut random = crate::testing::rng(1);
    let challenges = [Fr::random(&mut random), Fr::random(&mut random)];
    let rules = Rules {
        system: &system,
        challenges: &challenges,
        permutation: Vec::new(),
        y: Fr::random(&mut random),
    };
    let count = Columns::of(&system).fixed + system.num_fixed_columns();
    check(&rules, &random_columns(count, &mut StdRng::seed_from_u64(1)));
}

/// What programs of the batch circuit take: no change may raise it unnoticed.
#[test]
fn the_batch_circuit_has_small_programs() {
    let mut system = ConstraintSystem::default();
    BatchCircuit::configure_with_params(&mut system, Shape::tiny());
    let rules = Rules {
        system: &system,
        challenges: &[Fr::from(5), Fr::from(7)],
        permutation: Vec::new(),
        y: Fr::from(11),
    };
    let cosets = 0..rules.system.degree() - 1;
    let sizes = cosets.map(|coset| {
        let program = compile(&rules, coset);
        program.products.len() + program.scaled.len()
    });
    let sizes: Vec<usize> = sizes.collect();
    println!("multiplications a row on each coset: {sizes:?}");
    assert!(sizes.iter().sum::<usize>() <= 14_050, "{sizes:?}");
    // Gates of low degree are on the first cosets alone.
    assert!(sizes.windows(2).all(|w| w[0] >= w[1]), "{sizes:?}");
}

/// An expression over three advice columns, a fixed one and an instance column.
fn expression(rng: &mut StdRng, depth: u32) -> Expression<Fr> {
    let mut source = ConstraintSystem::<Fr>::default();
    let advice = [(); 3].map(|()| source.advice_column());
    let (fixed, instance) = (source.fixed_column(), source.instance_column());
    let rotation = halo2_proofs::poly::Rotation(rng.gen_range(-2..=3));
    let small = [Fr::zero(), Fr::one(), -Fr::one(), Fr::from(2), Fr::from(77)];
    let constant = small[rng.gen_range(0..small.len())];
    if depth == 0 {
        return match rng.gen_range(0..6) {
            0 => Expression::Constant(constant),
            1 => fixed.query_cell(rotation),
            2 => instance.query_cell(rotation),
            _ => advice[rng.gen_range(0..3)].query_cell(rotation),
        };
    }
    let mut below = || expression(rng, depth - 1);
    let (a, b) = (below(), below());
    match rng.gen_range(0..6) {
        0 => -a,
        1 => a * constant,
        2 => a - b,
        3 => a + b,
        _ => a * b,
    }
}

/// The columns of [`expression`], and no gates.
fn columns_alone() -> ConstraintSystem<Fr> {
    let mut system = ConstraintSystem::default();
    for _ in 0..3 {
        system.advice_column();
    }
    system.fixed_column();
    system.instance_column();
    system.set_minimum_degree(5);
    system
}

proptest! {
    #![proptest_config(crate::testing::cases(64))]

    #[test]
    fn random_rules_are_compiled_right(seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let system = columns_alone();
        // As rules of the permutation argument, which take any expression.
        let rules = Rules {
            system: &system,
            challenges: &[],
            permutation: (0..4).map(|depth| expression(&mut rng, depth)).collect(),
            y: Fr::random(&mut rng),
        };
        check(&rules, &random_columns(5, &mut rng));
    }

    /// Sums and differences of many terms, whose bounds grow.
    #[test]
    fn long_sums_are_compiled_right(seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let system = columns_alone();
        let mut rule = expression(&mut rng, 0);
        for _ in 0..600 {
            let term = expression(&mut rng, 0) * expression(&mut rng, 0);
            rule = match rng.gen_range(0..3) {
                0 => rule + expression(&mut rng, 0),
                1 => rule - term,
                _ => rule + term,
            };
        }
        let rules = Rules {
            system: &system,
            challenges: &[],
            permutation: vec![rule.clone() * rule, expression(&mut rng, 1)],
            y: Fr::random(&mut rng),
        };
        check(&rules, &random_columns(5, &mut rng));
    }
}
