use std::time::Instant;

use bastion_circuits::{BatchCircuit, Shape};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::Circuit;
use rand::rngs::OsRng;

use super::*;

#[test]
fn sizes() {
    let mut system = ConstraintSystem::default();
    BatchCircuit::configure_with_params(&mut system, Shape::tiny());
    let challenges = [Fr::random(OsRng), Fr::random(OsRng)];
    let rules = Rules {
        system: &system,
        challenges: &challenges,
        permutation: Vec::new(),
        y: Fr::random(OsRng),
    };
    for coset in 0..4 {
        let t = Instant::now();
        let program = compile(&rules, coset);
        let dots = program
            .steps
            .iter()
            .filter(|s| matches!(s, Step::Dot(..)))
            .count();
        println!(
            "coset {coset}: {:?}: {} steps, {dots} dots, {} products, {} scaled, {} slots, classes {:?}",
            t.elapsed(),
            program.steps.len(),
            program.products.len(),
            program.scaled.len(),
            program.slots,
            program.outputs
        );
    }
}
