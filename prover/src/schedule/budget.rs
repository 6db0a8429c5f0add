//! Memory that a proof takes.

use std::{collections::BTreeSet, num::NonZeroUsize};

use halo2_proofs::{plonk::ConstraintSystem, poly::Rotation};

use super::memory::{MemoryBudget, KIB};
use crate::{keys::VerifierKey, plonk, Fr};

const FIELD: u64 = 32;
const POINT: u64 = 64;
/// A cell that may be a fraction, and a cell's place in the cycles of the permutation.
const FRACTION: u64 = 72;
const CYCLES: u64 = 48;

/// Estimated memory of proving: what all proofs of one circuit share, and what each takes.
///
/// Counted from the buffers of length n = 2^k that the circuit's prover ([`plonk`], or halo2's) holds
/// at the candidates for the peak (see `ProofCost::from_counts`) and compared with the measured
/// peak of real proofs by a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofCost {
    shared: u64,
    per_proof: u64,
    per_thread: u64,
    making: u64,
}

/// The numbers of a circuit that matter for memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    pub(super) k: u32,
    pub(super) advice: u64,
    pub(super) fixed: u64,
    pub(super) instance: u64,
    pub(super) permuted: u64,
    pub(super) lookups: u64,
    pub(super) degree: u64,
    /// Sets of rotations at which a column is opened.
    pub(super) openings: u64,
    /// Whether [`plonk`] proves the circuit, and not halo2's prover.
    pub(super) own_prover: bool,
}

impl Counts {
    fn of(k: u32, cs: &ConstraintSystem<Fr>) -> Self {
        let columns = [cs.num_advice_columns(), cs.num_fixed_columns()];
        let mut rotations = columns.map(|columns| vec![BTreeSet::new(); columns]);
        let advice = cs.advice_queries().iter().map(|(c, r)| (0, c.index(), *r));
        let fixed = cs.fixed_queries().iter().map(|(c, r)| (1, c.index(), *r));
        for (kind, column, Rotation(rotation)) in advice.chain(fixed) {
            rotations[kind][column].insert(rotation);
        }
        let openings: BTreeSet<_> = rotations.into_iter().flatten().collect();
        Self {
            k,
            advice: cs.num_advice_columns() as u64,
            fixed: cs.num_fixed_columns() as u64,
            instance: cs.num_instance_columns() as u64,
            permuted: cs.permutation().get_columns().len() as u64,
            lookups: cs.lookups().len() as u64,
            degree: cs.degree() as u64,
            // Beside those of the witness: the present row, and two of the running products.
            openings: openings.len() as u64 + 3,
            own_prover: plonk::supports(cs, k),
        }
    }
}

/// Copies of bases and scalars that a multi-scalar multiplication makes, in buffers.
const MSM: u64 = (POINT + FIELD) / FIELD;

impl Counts {
    fn pieces(&self) -> u64 {
        self.degree.saturating_sub(1).max(1)
    }

    /// Running products of the permutation argument.
    fn products(&self) -> u64 {
        let set = self.degree.saturating_sub(2).max(1);
        self.permuted.div_ceil(set)
    }

    /// Columns that gates read, the selectors of rows and `X` among them.
    fn columns(&self) -> u64 {
        let rows = 4;
        self.advice + self.fixed + self.instance + self.permuted + self.products() + rows
    }

    /// Buffers of n elements at the peak of [`plonk`]. What a circuit keeps of its witness is not
    /// the prover's.
    fn buffers(&self) -> u64 {
        // From the commitments to the end: witness and running products (as values, then as
        // coefficients, one by one) and the blinding polynomial.
        let held = self.advice + self.products() + 1;
        // While gates are evaluated: public inputs and `X`, the pieces, all columns on one coset,
        // and the numerators, of which there are no more than pieces.
        // Besides, three tables of powers for the transforms.
        let quotient = self.instance + 4 + 2 * self.pieces() + self.columns();
        // While the proof is opened: the quotient; for each set of points a combination and what
        // it is divided by the points; their combination and the commitment to it; the powers of a
        // point.
        let opening = 2 + 2 * self.openings + 2 + MSM;
        held + quotient.max(opening)
    }

    /// Buffers of n elements at the peak of halo2's prover.
    fn buffers_of_halo2(&self) -> u64 {
        let extended = self.pieces().next_power_of_two();
        // Held from the commitments to the end.
        let base = self.advice + 2 * self.instance + 2 * self.products() + 5 * self.lookups + 1;
        // While the quotient is evaluated: one coset of every column at a time, and the parts of
        // the quotient, which exist twice when they are joined.
        let quotient = self.columns() + 2 + 2 * extended;
        // While the witness is assigned and committed to, for each advice column: its cells as
        // fractions (72 bytes), and either their denominators (40) and inverses (32) or, in the
        // multi-scalar multiplication, its own copy of bases and scalars (96).
        let witness = (72 + POINT + FIELD) * self.advice / FIELD;
        base + quotient.max(witness)
    }
}

impl ProofCost {
    /// Estimate for the circuit of a key.
    pub fn of(key: &VerifierKey) -> Self {
        let vk = key.vk();
        Self::from_counts(Counts::of(vk.get_domain().k(), vk.cs()))
    }

    /// Estimate for a circuit of `2^k` rows with this constraint system, of which there is no key
    /// yet.
    pub fn of_system(k: u32, system: &ConstraintSystem<Fr>) -> Self {
        Self::from_counts(Counts::of(k, system))
    }

    /// The same for packed proofs ([`plonk::packed`]): the powers of the larger SRS, as points and as
    /// the prover's sums take them, and half as many of the packed basis; and the polynomials of the
    /// opening, three at a time.
    pub fn of_packed_system(k: u32, system: &ConstraintSystem<Fr>) -> Self {
        let cost = Self::of_system(k, system);
        let powers = plonk::packed::STRIDE as u64 * (1u64 << k);
        Self {
            shared: cost.shared + powers * 5 * POINT / 2,
            per_proof: cost.per_proof + powers * FIELD * 3,
            ..cost
        }
    }

    pub(super) fn from_counts(c: Counts) -> Self {
        let n = 1u64 << c.k;
        // SRS in both bases, as halo2 and as the prover's sums of points take them, and the powers of
        // which the bases are made; values and coefficients of fixed and sigma columns; three
        // selectors of rows.
        let shared = n * (5 * POINT + FIELD * (2 * c.fixed + 2 * c.permuted + 3));
        let (buffers, scratch) = match c.own_prover {
            // Beside its buffers, what the allocator loses between threads: up to a fifth.
            true => ((c.buffers() * 6).div_ceil(5), 1),
            false => (c.buffers_of_halo2(), 0),
        };
        // While keys are made: fixed columns as fractions, the cycles of the permutation, and a
        // commitment's copies.
        let making = n * ((FRACTION + 1) * c.fixed + CYCLES * c.permuted + POINT + FIELD) + FLOOR;
        Self {
            shared,
            per_proof: n * FIELD * buffers + FLOOR,
            per_thread: n * (FIELD * scratch + ENTRY) + BUCKETS,
            making,
        }
    }

    /// What one proof takes beyond what is shared.
    pub fn per_proof(&self) -> MemoryBudget {
        MemoryBudget(self.per_proof)
    }

    /// What all proofs share: keys, SRS, and what each of the threads that work on them needs.
    pub fn shared(&self, threads: usize) -> MemoryBudget {
        let scratch = self.per_thread.saturating_mul(threads as u64);
        MemoryBudget(self.shared.saturating_add(scratch))
    }

    /// Keys, SRS and one proof.
    pub fn of_one(&self, threads: usize) -> MemoryBudget {
        MemoryBudget(self.shared(threads).0.saturating_add(self.per_proof))
    }

    /// What making the keys takes.
    pub fn of_keys(&self) -> MemoryBudget {
        MemoryBudget(self.shared.saturating_add(self.making))
    }

    /// How many proofs fit at once; `None` if not even one does.
    pub fn fitting(&self, budget: MemoryBudget, threads: usize) -> Option<NonZeroUsize> {
        let free = budget.0.checked_sub(self.shared(threads).0)?;
        NonZeroUsize::new(usize::try_from(free / self.per_proof).unwrap_or(usize::MAX))
    }
}

/// A scalar of a multi-scalar multiplication: its magnitude, its base, its digit, its part of the
/// buckets.
const ENTRY: u64 = 56;
/// Points whose trees are added together, and pairs of them.
const BUCKETS: u64 = 2 * KIB * KIB;
/// Stacks and factors of short transforms: what does not grow with the columns.
const FLOOR: u64 = 16 * KIB * KIB;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_divides_into_proofs() {
        let cost = ProofCost { shared: 100, per_proof: 10, per_thread: 2, making: 5 };
        let fitting = |bytes| cost.fitting(MemoryBudget(bytes), 4);
        assert_eq!(fitting(107), None);
        assert_eq!(fitting(117), None);
        assert_eq!(fitting(118), NonZeroUsize::new(1));
        assert_eq!(fitting(147), NonZeroUsize::new(3));
        assert_eq!(cost.of_one(4), MemoryBudget(118));
        assert_eq!(cost.of_keys(), MemoryBudget(105));
    }

    #[test]
    fn cost_grows_with_rows_and_columns() {
        let counts = Counts {
            k: 18,
            advice: 30,
            fixed: 10,
            instance: 1,
            permuted: 0,
            lookups: 0,
            degree: 5,
            openings: 6,
            own_prover: true,
        };
        let halo2 = Counts { own_prover: false, ..counts };
        let cost = |c| ProofCost::from_counts(c).of_one(2);
        for counts in [counts, halo2] {
            let base = cost(counts);
            assert!(cost(Counts { k: 19, ..counts }).0 > base.0 * 19 / 10);
            assert!(cost(Counts { advice: 31, ..counts }) > base);
            assert!(cost(Counts { permuted: 3, ..counts }) > base);
            // Few advice columns: then the quotient makes the peak.
            let narrow = Counts { advice: 2, fixed: 40, ..counts };
            assert!(cost(Counts { degree: 6, ..narrow }) > cost(narrow));
        }
        assert!(cost(Counts { lookups: 1, ..halo2 }) > cost(halo2));
        assert!(cost(counts) < cost(halo2));
        let many = Counts { openings: 60, ..counts };
        assert!(cost(many) > cost(counts));
    }
}
