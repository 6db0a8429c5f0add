//! The circuit as halo2 sees it: one region, every cell once, nothing read that is not assigned, no
//! argument beside the gates, and the same constraint system as was reviewed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/recorder.rs"]
mod recorder;
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use bastion_circuits::core::{Layout, Table};
use bastion_circuits::witness::generate_witness;
use bastion_circuits::{BatchCircuit, Fr, Shape};
use halo2_proofs::plonk::ConstraintSystem;
use recorder::Recorder;
use support::{context, link, run, world, EVERY_KIND};

fn every_kind() -> BatchCircuit {
    let trace = run(&mut world(), &context(), &EVERY_KIND).unwrap();
    generate_witness(&Shape::tiny(), &trace, &link()).unwrap()
}

fn challenges(seed: u64) -> Vec<Fr> {
    vec![Fr::from(seed).square(), Fr::from(seed + 1).square()]
}

#[test]
fn every_cell_is_assigned_once_and_every_gate_holds() {
    let circuit = every_kind();
    let (a, b) = (challenges(1 << 40), challenges(1 << 41));
    let (recorded, system) = Recorder::run(&circuit, circuit.instances(), a.clone());
    assert_eq!((recorded.regions, recorded.copies), (1, 0));
    let (failed, unassigned) = recorded.check(&system, &a);
    assert_eq!(failed, BTreeSet::new());
    // The id before that of the first signature, in the last row of the head: free, since ids need
    // only differ (README of signatures, "Ids").
    let mut expected = BTreeSet::from([(0, 9)]);
    // The place beside the reduction of a group: a rule says that it is 0.
    for row in Layout::new(&Shape::tiny()).rows_of(Table::Horner) {
        expected.extend((7..13).map(|column| (column, row)));
    }
    assert_eq!(unassigned, expected);

    // The same second phase under another transcript: what the bus carries no longer balances.
    let (failed, _) = recorded.check(&system, &b);
    assert!(failed.contains("head.bus.0") && failed.contains("op.bus.0"));
    assert!(failed.iter().all(|rule| rule.contains(".bus.")), "{failed:?}");
}

#[test]
fn every_step_of_the_running_sum_is_constrained() {
    let circuit = every_kind();
    let challenges = challenges(1 << 40);
    let (mut recorded, system) = Recorder::run(&circuit, circuit.instances(), challenges.clone());
    let sum = recorded.advice.keys().map(|(col, _)| *col).max().unwrap();
    let rows: Vec<usize> = recorded.advice.keys().filter(|c| c.0 == sum).map(|c| c.1).collect();
    let last = rows.len() - 1;
    let expected = [(0, "head.sum_starts_at_zero"), (last, "bus.sum_ends_at_zero")];
    let steps = (1..10).map(|i| (i * last / 10, ""));
    for (row, rule) in expected.into_iter().chain(steps) {
        let cell = recorded.advice.get_mut(&(sum, row)).unwrap();
        *cell += Fr::one();
        let (failed, _) = recorded.check(&system, &challenges);
        *recorded.advice.get_mut(&(sum, row)).unwrap() -= Fr::one();
        assert!(!failed.is_empty(), "row {row}");
        assert!(rule.is_empty() || failed.contains(rule), "{failed:?}");
    }
}

#[test]
fn nothing_but_gates_of_the_declared_degree() {
    let mut system = ConstraintSystem::<Fr>::default();
    configure(&mut system, &Shape::tiny());
    let gates = system.gates().iter().flat_map(|g| g.polynomials());
    let degree = gates.map(|poly| poly.degree()).max().unwrap();
    assert_eq!((degree, system.degree()), (6, 6));
    assert!(system.lookups().is_empty());
    assert!(system.permutation().get_columns().is_empty());
    assert_eq!(system.num_selectors(), 0);
    let queries = system.advice_queries();
    let distinct: BTreeSet<_> = queries.iter().map(|(c, r)| (c.index(), r.0)).collect();
    assert_eq!(distinct.len(), queries.len());
}

fn configure(system: &mut ConstraintSystem<Fr>, shape: &Shape) {
    use halo2_proofs::plonk::Circuit;
    BatchCircuit::configure_with_params(system, shape.clone());
}

/// Gates, queries and fixed columns of each shape. A change is a new circuit with new keys and a new
/// verifier contract: `BASTION_BLESS=1 cargo test -p bastion-circuits --test structure` accepts it.
#[test]
fn the_constraint_system_is_the_pinned_one() {
    let mut found = String::new();
    for shape in Shape::all() {
        let circuit = BatchCircuit::without_witness(&shape);
        let zeros = circuit.instances();
        let (recorded, system) = Recorder::run(&circuit, zeros, challenges(1));
        let text = format!("{:?} {:?}", system.pinned(), recorded.fixed);
        let digest = bastion_protocol::hash::keccak(&[text.as_bytes()]);
        let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        found += &format!("{} k={} 0x{hex}\n", shape.name, shape.k);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pinned.txt");
    if std::env::var_os("BASTION_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let pinned = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, pinned, "the circuit changed: see the comment of this test");
}
