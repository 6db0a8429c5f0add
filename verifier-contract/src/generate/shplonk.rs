//! The opening sets of SHPLONK: which polynomials are opened at the same rotations.

use super::{layout::Layout, tables::Tables};
use crate::{
    error::Result,
    field::{invert, power, subtract, SCALAR_MODULUS},
    protocol::{Query, VerifierDescription},
};
use alloy_primitives::U256;
use std::collections::BTreeSet;

/// Polynomials with the same rotations. The order of sets and of their polynomials decides the
/// powers of the challenges; it is that of first appearance among the queries.
struct Set {
    rotations: Vec<i32>,
    polys: Vec<usize>,
}

/// Appends the sets to the tables and returns their number.
pub(super) fn write_sets(
    d: &VerifierDescription,
    layout: &mut Layout,
    tables: &mut Tables,
) -> Result<usize> {
    let sets = sets(&d.queries);
    for set in &sets {
        tables.push(set.polys.len());
        tables.push(set.rotations.len());
        for &rotation in &set.rotations {
            tables.push(32 * layout.rotation(rotation));
            let address = tables.constant(weight(d.omega, &set.rotations, rotation), layout);
            tables.push(address);
        }
        for &poly in &set.polys {
            tables.push(layout.commitment(poly)?);
            for &rotation in &set.rotations {
                tables.push(layout.evaluation(&Query { poly, rotation })?);
            }
        }
    }
    Ok(sets.len())
}

fn sets(queries: &[Query]) -> Vec<Set> {
    let mut polys: Vec<(usize, Vec<i32>)> = Vec::new();
    for query in queries {
        match polys.iter_mut().find(|(poly, _)| *poly == query.poly) {
            Some((_, rotations)) => rotations.push(query.rotation),
            None => polys.push((query.poly, vec![query.rotation])),
        }
    }
    let mut sets: Vec<Set> = Vec::new();
    for (poly, rotations) in polys {
        let distinct: BTreeSet<_> = rotations.iter().collect();
        match sets.iter_mut().find(|set| set.rotations.iter().collect::<BTreeSet<_>>() == distinct)
        {
            Some(set) => set.polys.push(poly),
            None => sets.push(Set { rotations, polys: vec![poly] }),
        }
    }
    sets
}

/// `1 / prod (omega^rotation - omega^other)` over the other rotations.
fn weight(omega: U256, rotations: &[i32], rotation: i32) -> U256 {
    let own = power(omega, rotation);
    let product = rotations
        .iter()
        .filter(|other| **other != rotation)
        .map(|other| subtract(own, power(omega, *other)))
        .fold(U256::from(1), |product, factor| product.mul_mod(factor, SCALAR_MODULUS));
    invert(product)
}
