//! Which polynomials are committed to together.
//!
//! All places of a pack are evaluated at all rotations of the pack. So polynomials of equal rotations
//! go together, and others where an evaluation too many costs a verifier less than a commitment.

use std::collections::{BTreeMap, BTreeSet};

use halo2_proofs::plonk::ConstraintSystem;

use crate::plonk::permutation;
use crate::srs::{PLACES, STRIDE};
use crate::Fr;

/// What a commitment costs the contract in gas: its multiple and sum...
const COMMITMENT: usize = 6_400;
/// ...and for one in the proof its bytes, which are hashed and checked.
const IN_PROOF: usize = 1_200;
/// An evaluation: its bytes, and the terms in which it stands.
const EVALUATION: usize = 610;

/// Where a polynomial comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A fixed column.
    Fixed(usize),
    /// A polynomial of the permutation argument's key.
    Sigma(usize),
    /// 1 on the last row in use, where running products end.
    Last,
    /// 1 on the rows before it.
    Active,
    /// A column of the witness.
    Advice(usize),
    /// A running product of the permutation argument.
    Product(usize),
}

/// Polynomials under one commitment, and the rotations at which all of them are opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Polynomials by place.
    pub sources: Vec<Source>,
    /// Rotations, ascending.
    pub rotations: Vec<i32>,
}

/// The packs of a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Those of the key.
    pub fixed: Vec<Pack>,
    /// Those of the first round (columns of the first phase), and of the second one (columns of the
    /// second phase, running products).
    pub rounds: [Vec<Pack>; 2],
}

impl Plan {
    /// The plan of a circuit that [`super::supports`] accepts.
    pub fn new(system: &ConstraintSystem<Fr>) -> Self {
        let mut key: BTreeMap<Source, BTreeSet<i32>> = BTreeMap::new();
        let mut rounds: [BTreeMap<Source, BTreeSet<i32>>; 2] = Default::default();
        for (column, rotation) in system.fixed_queries() {
            key.entry(Source::Fixed(column.index())).or_default().insert(rotation.0);
        }
        let phases = system.advice_column_phase();
        for (column, rotation) in system.advice_queries() {
            let round = usize::from(phases[column.index()] > 0);
            let source = Source::Advice(column.index());
            rounds[round].entry(source).or_default().insert(rotation.0);
        }
        let copied = system.permutation().get_columns().len();
        let here = |source| (source, BTreeSet::from([0]));
        key.extend((0..copied).map(Source::Sigma).map(here));
        if copied > 0 {
            key.extend([Source::Last, Source::Active].map(here));
            let products = (0..permutation::sets(system)).map(Source::Product);
            rounds[1].extend(products.map(|source| (source, BTreeSet::from([0, 1]))));
        }
        let [first, second] = rounds;
        Self {
            fixed: packs(key, STRIDE, COMMITMENT),
            rounds: [
                packs(first, PLACES, COMMITMENT + IN_PROOF),
                packs(second, STRIDE, COMMITMENT + IN_PROOF),
            ],
        }
    }

    /// All packs, in the order of their openings.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.fixed.iter().chain(self.rounds.iter().flatten())
    }
}

/// Packs of at most `places`, where a commitment costs `commitment`.
fn packs(
    polynomials: BTreeMap<Source, BTreeSet<i32>>,
    places: usize,
    commitment: usize,
) -> Vec<Pack> {
    let mut groups: BTreeMap<BTreeSet<i32>, Vec<Source>> = BTreeMap::new();
    for (source, rotations) in polynomials {
        groups.entry(rotations).or_default().push(source);
    }
    let mut packs: Vec<(BTreeSet<i32>, Vec<Source>)> = Vec::new();
    for (rotations, sources) in groups {
        packs.extend(sources.chunks(places).map(|part| (rotations.clone(), part.to_vec())));
    }
    // The pair that saves most is joined, until none saves anything.
    loop {
        let mut best: Option<(usize, usize, usize)> = None;
        for (j, (after, behind)) in packs.iter().enumerate() {
            for (i, (before, ahead)) in packs[..j].iter().enumerate() {
                let count = ahead.len() + behind.len();
                let apart = before.len() * ahead.len() + after.len() * behind.len();
                let further = before.union(after).count() * count - apart;
                let saved = commitment.saturating_sub(EVALUATION * further);
                if count <= places && saved > best.map_or(0, |(saved, ..)| saved) {
                    best = Some((saved, i, j));
                }
            }
        }
        let Some((_, i, j)) = best else { break };
        let (rotations, sources) = packs.remove(j);
        packs[i].0.extend(rotations);
        packs[i].1.extend(sources);
        packs[i].1.sort_unstable();
    }
    packs.sort_by_key(|(_, sources)| sources.first().copied());
    packs
        .into_iter()
        .map(|(rotations, sources)| Pack { sources, rotations: rotations.into_iter().collect() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(polynomials: &[(usize, &[i32])], places: usize) -> Vec<(Vec<usize>, Vec<i32>)> {
        let polynomials = polynomials.iter().map(|(column, rotations)| {
            (Source::Advice(*column), rotations.iter().copied().collect())
        });
        let number = |source: &Source| match source {
            Source::Advice(column) => *column,
            other => panic!("{other:?}"),
        };
        packs(polynomials.collect(), places, COMMITMENT)
            .into_iter()
            .map(|pack| (pack.sources.iter().map(number).collect(), pack.rotations))
            .collect()
    }

    #[test]
    fn equal_rotations_go_together_and_others_where_it_saves() {
        let many: Vec<i32> = (-8..12).collect();
        let polynomials: [(usize, &[i32]); 4] = [(0, &[0]), (1, &many), (2, &[0]), (3, &[-1, 0])];
        let expected = vec![(vec![0, 2, 3], vec![-1, 0]), (vec![1], many.clone())];
        assert_eq!(plan(&polynomials, 8), expected);
    }

    #[test]
    fn a_pack_has_no_more_than_its_places() {
        let polynomials: Vec<(usize, &[i32])> = (0..5).map(|i| (i, &[0][..])).collect();
        let packs = plan(&polynomials, 2);
        assert_eq!(packs.len(), 3);
        assert!(packs.iter().all(|(sources, _)| sources.len() <= 2));
    }
}
