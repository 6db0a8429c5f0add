use halo2_proofs::plonk::{FirstPhase, SecondPhase, ThirdPhase};

use super::*;

/// Two columns of the first phase and one of the second, with a challenge and copies.
fn system(change: impl FnOnce(&mut ConstraintSystem<Fr>)) -> ConstraintSystem<Fr> {
    let mut system = ConstraintSystem::default();
    system.set_minimum_degree(5);
    let [a, b] = [(); 2].map(|()| system.advice_column_in(FirstPhase));
    let late = system.advice_column_in(SecondPhase);
    let selector = system.fixed_column();
    let challenge = system.challenge_usable_after(FirstPhase);
    system.enable_equality(a);
    system.enable_equality(b);
    system.create_gate("gate", |cells| {
        let selector = cells.query_fixed(selector, Rotation::cur());
        let a = cells.query_advice(a, Rotation::cur());
        let late = cells.query_advice(late, Rotation::next());
        vec![selector * (late - cells.query_challenge(challenge) * a)]
    });
    change(&mut system);
    system
}

#[test]
fn what_packed_proofs_have_not_is_refused() {
    let supported = |change: fn(&mut ConstraintSystem<Fr>)| supports(&system(change), 8);
    assert!(supported(|_| ()));
    assert!(!supports(&system(|_| ()), MIN_K - 1));
    assert!(!supported(|s| {
        let (column, table) = (s.advice_column(), s.lookup_table_column());
        s.lookup("lookup", |cells| vec![(cells.query_advice(column, Rotation::cur()), table)]);
    }));
    assert!(!supported(|s| {
        s.advice_column_in(ThirdPhase);
    }));
    assert!(!supported(|s| {
        s.challenge_usable_after(SecondPhase);
    }));
    assert!(!supported(|s| {
        let late = s.advice_column_in(SecondPhase);
        s.enable_equality(late);
    }));
    // Four sets of three columns have a rule of degree 5, five have none.
    let copied = |further: usize| {
        system(|s| {
            (0..further).for_each(|_| {
                let column = s.advice_column();
                s.enable_equality(column);
            });
        })
    };
    assert!(supports(&copied(10), 8));
    assert!(!supports(&copied(11), 8));
}

#[test]
fn every_polynomial_has_one_place() {
    let system = system(|_| ());
    let plan = Plan::new(&system);
    let mut sources: Vec<Source> = plan.packs().flat_map(|pack| pack.sources.clone()).collect();
    let count = sources.len();
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(sources.len(), count);
    // A selector, two sigmas, the last row and those before it; two columns; one and a product.
    assert_eq!(count, 5 + 2 + 2);
    let second: Vec<Source> = plan.rounds[1].iter().flat_map(|p| p.sources.clone()).collect();
    assert_eq!(second, [Source::Advice(2), Source::Product(0)]);
    for (column, rotation) in system.advice_queries() {
        let source = Source::Advice(column.index());
        let pack = plan.packs().find(|pack| pack.sources.contains(&source)).unwrap();
        assert!(pack.rotations.contains(&rotation.0));
    }
}

#[test]
fn the_rules_of_copies_read_no_row_but_this_and_the_next() {
    let system = system(|_| ());
    let rules = constraints(&system);
    // The gate; the ends, a start and a step of the one product.
    assert_eq!(rules.len(), 1 + 3);
    assert!(rules.iter().all(|rule| rule.degree() <= system.degree()));
}
