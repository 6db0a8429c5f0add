//! Consistency of a description that may come from a file.

use super::{
    AccumulatorLayout, Expression, G1Point, Query, SrsPoints, VerifierDescription,
    DESCRIPTION_VERSION,
};
use crate::{
    error::{ContractError, Result},
    field::{BASE_MODULUS, SCALAR_MODULUS},
};
use alloy_primitives::U256;
use std::collections::BTreeSet;

/// Largest accepted `k`: the two-adicity of the scalar field.
pub(super) const MAX_K: usize = 28;
/// Largest number of rows from either end whose Lagrange polynomials may be used.
pub(super) const MAX_LAGRANGE: i32 = 1024;
/// Largest number of instances in a column, commitments in a phase and so on.
pub(super) const MAX_COUNT: usize = 4096;

impl VerifierDescription {
    /// Checks that every index, length and field element is in range, so that the generator's
    /// output follows from the description alone.
    ///
    /// # Errors
    /// [`ContractError::InvalidDescription`], naming the first contradiction.
    pub fn check(&self) -> Result<()> {
        ensure(self.version == DESCRIPTION_VERSION, || {
            format!("version {}, expected {DESCRIPTION_VERSION}", self.version)
        })?;
        check_domain(self.k, self.omega)?;
        ensure(self.transcript_initial_state < SCALAR_MODULUS, || "initial state".into())?;
        check_points(self.preprocessed.iter(), &self.srs)?;
        // Bounds far above any real circuit, so that no sum below can overflow.
        let bounded = self.num_instance.iter().all(|rows| *rows <= MAX_COUNT)
            && self.num_instance.len() <= MAX_COUNT
            && self.phases.len() <= MAX_COUNT
            && self.phases.iter().all(|p| p.points <= MAX_COUNT && p.challenges <= MAX_COUNT);
        ensure(bounded, || format!("a count above {MAX_COUNT}"))?;
        let chunks = 1..=MAX_COUNT;
        ensure(chunks.contains(&self.quotient_chunks), || {
            format!("{} quotient chunks", self.quotient_chunks)
        })?;
        ensure(!self.constraints.is_empty(), || "no constraints".into())?;
        ensure(self.combiner < self.challenge_count(), || format!("combiner {}", self.combiner))?;
        self.check_queries()?;
        let known = Known {
            instances: self.preprocessed.len()..self.witness_offset(),
            challenges: self.challenge_count(),
            evaluations: self.evaluations.iter().collect(),
        };
        for (index, constraint) in self.constraints.iter().enumerate() {
            known.check(index, constraint)?;
        }
        check_accumulator(self.accumulator.as_ref(), &self.num_instance)
    }

    fn check_queries(&self) -> Result<()> {
        let instances = self.preprocessed.len()..self.witness_offset();
        let evaluations: BTreeSet<_> = self.evaluations.iter().collect();
        ensure(evaluations.len() == self.evaluations.len(), || "an evaluation twice".into())?;
        for query in &self.evaluations {
            let committed = query.poly < self.quotient_poly() && !instances.contains(&query.poly);
            ensure(committed, || format!("evaluation of polynomial {}", query.poly))?;
            ensure(query.rotation.unsigned_abs() <= MAX_LAGRANGE.unsigned_abs(), || {
                format!("rotation {}", query.rotation)
            })?;
        }
        let opened: BTreeSet<_> = self.queries.iter().collect();
        ensure(opened.len() == self.queries.len(), || "an opening twice".into())?;
        let quotient = Query { poly: self.quotient_poly(), rotation: 0 };
        ensure(opened.contains(&quotient), || "the quotient is not opened".into())?;
        for query in &self.queries {
            ensure(*query == quotient || evaluations.contains(query), || {
                format!("polynomial {} is opened without an evaluation", query.poly)
            })?;
        }
        // An evaluation that no opening binds would be the prover's free choice.
        for query in &self.evaluations {
            ensure(opened.contains(query), || {
                format!("the evaluation of polynomial {} is never opened", query.poly)
            })?;
        }
        Ok(())
    }
}

/// What expressions of a description may use.
pub(super) struct Known<'a> {
    /// Numbers of the instance columns.
    pub(super) instances: std::ops::Range<usize>,
    /// Number of challenges.
    pub(super) challenges: usize,
    /// Evaluations that the proof has.
    pub(super) evaluations: BTreeSet<&'a Query>,
}

impl Known<'_> {
    /// Checks that constraint `index` uses nothing else.
    pub(super) fn check(&self, index: usize, constraint: &Expression) -> Result<()> {
        let mut problem = None;
        constraint.walk(&mut |node| {
            let valid = match node {
                Expression::Constant(value) => *value < SCALAR_MODULUS,
                Expression::Lagrange(row) => row.unsigned_abs() <= MAX_LAGRANGE.unsigned_abs(),
                Expression::Challenge(challenge) => *challenge < self.challenges,
                Expression::Polynomial(query) if self.instances.contains(&query.poly) => {
                    query.rotation.unsigned_abs() <= MAX_LAGRANGE.unsigned_abs()
                }
                Expression::Polynomial(query) => self.evaluations.contains(query),
                Expression::Powers { terms, .. } => !terms.is_empty(),
                _ => true,
            };
            if !valid && problem.is_none() {
                problem = Some(format!("constraint {index} uses {node:?}"));
            }
        });
        problem.map_or(Ok(()), |problem| Err(ContractError::InvalidDescription(problem)))
    }
}

/// Checks that `omega` generates the domain of size `2^k`.
pub(super) fn check_domain(k: usize, omega: U256) -> Result<()> {
    ensure((1..=MAX_K).contains(&k), || format!("k = {k}"))?;
    let half = U256::from(1) << (k - 1);
    ensure(omega.pow_mod(half, SCALAR_MODULUS) == SCALAR_MODULUS - U256::from(1), || {
        format!("omega is no primitive root of order 2^{k}")
    })
}

/// Checks points of the key and of the reference string.
pub(super) fn check_points<'a>(
    key: impl Iterator<Item = &'a G1Point>,
    srs: &'a SrsPoints,
) -> Result<()> {
    for (index, point) in key.chain([&srs.g1]).enumerate() {
        ensure(on_curve(point), || format!("point {index} is not on the curve"))?;
    }
    for (index, point) in [&srs.g2, &srs.s_g2].into_iter().enumerate() {
        let reduced = point.x.iter().chain(&point.y).all(|c| *c < BASE_MODULUS);
        ensure(reduced, || format!("coordinate of G2 point {index}"))?;
    }
    Ok(())
}

pub(super) fn check_accumulator(
    layout: Option<&AccumulatorLayout>,
    num_instance: &[usize],
) -> Result<()> {
    let Some(layout) = layout else {
        return Ok(());
    };
    let shape = layout.limbs == 3 && layout.bits == 88 && layout.indices.len() == 12;
    ensure(shape, || "an accumulator is 4 coordinates of 3 words of 88 bits".into())?;
    for &(column, row) in &layout.indices {
        ensure(num_instance.get(column).is_some_and(|&rows| row < rows), || {
            format!("accumulator word at column {column} row {row}")
        })?;
    }
    Ok(())
}

pub(super) fn ensure(condition: bool, message: impl FnOnce() -> String) -> Result<()> {
    if condition {
        Ok(())
    } else {
        Err(ContractError::InvalidDescription(message()))
    }
}

/// Whether the coordinates are reduced and satisfy `y^2 = x^3 + 3`.
pub(super) fn on_curve(point: &G1Point) -> bool {
    let q = BASE_MODULUS;
    let cube = point.x.mul_mod(point.x, q).mul_mod(point.x, q);
    point.x < q && point.y < q && point.y.mul_mod(point.y, q) == cube.add_mod(U256::from(3), q)
}
