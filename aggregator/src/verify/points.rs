//! Points as formal combinations of bases.
//!
//! The verifier adds and scales commitments many times before it needs a point. Here that is
//! arithmetic on the scalars alone; terms of the same base meet, those of the verifying key across
//! all proofs. Only the two points of the final pair become sums in the chip.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use halo2_base::gates::flex_gate::threads::SinglePhaseCoreManager;
use halo2_base::gates::{GateChip, GateInstructions};
use halo2_base::AssignedValue;
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use snark_verifier::loader::halo2::{EccInstructions, Halo2Loader};

use crate::chip::grid::to_native;
use crate::chip::permutation::T;
use crate::chip::Base;

/// The loader of the block circuit.
pub type Loader = Rc<Halo2Loader<G1Affine, PointChip>>;

/// A combination of bases; a term without a scalar counts once.
#[derive(Clone, Debug, Default)]
pub struct Combination {
    /// Terms, no base twice.
    pub terms: Vec<(Option<AssignedValue<Fr>>, Base)>,
}

/// A point of the prover, with its coordinates in the scalar field.
#[derive(Clone, Debug)]
pub struct WitnessPoint {
    /// The point.
    pub point: G1Affine,
    /// Cells of its coordinates, as the transcript absorbs them.
    pub native: [AssignedValue<Fr>; 2],
}

/// A use of the permutation.
#[derive(Clone, Debug)]
pub struct Permutation {
    /// Cells of the input.
    pub input: [AssignedValue<Fr>; T],
    /// Cells of the output.
    pub output: [AssignedValue<Fr>; T],
}

/// What the chip has to do.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Points in the order of their numbers.
    pub points: Vec<WitnessPoint>,
    /// Permutations in order.
    pub permutations: Vec<Permutation>,
    /// Something was asked for that the chip does not do.
    pub unsupported: Option<&'static str>,
}

/// snark-verifier's view of the chip.
#[derive(Clone, Debug)]
pub struct PointChip {
    gate: GateChip<Fr>,
    /// What was asked for so far.
    pub record: Rc<RefCell<Record>>,
}

impl Default for PointChip {
    fn default() -> Self {
        Self { gate: GateChip::new(), record: Rc::default() }
    }
}

impl PointChip {
    /// The arithmetic of scalars.
    pub fn gate(&self) -> &GateChip<Fr> {
        &self.gate
    }

    /// Adds `scalar base` to a combination.
    fn accumulate(
        &self,
        ctx: &mut SinglePhaseCoreManager<Fr>,
        sum: &mut Combination,
        scalar: Option<AssignedValue<Fr>>,
        base: Base,
    ) {
        let Some((old, _)) = sum.terms.iter_mut().find(|(_, b)| *b == base) else {
            sum.terms.push((scalar, base));
            return;
        };
        let ctx = ctx.main();
        let one = Fr::one();
        let mut cell = |x: Option<AssignedValue<Fr>>| x.unwrap_or_else(|| ctx.load_constant(one));
        let (a, b) = (cell(*old), cell(scalar));
        *old = Some(self.gate.add(ctx, a, b));
    }
}

impl EccInstructions<G1Affine> for PointChip {
    type Context = SinglePhaseCoreManager<Fr>;
    type ScalarChip = GateChip<Fr>;
    type AssignedCell = AssignedValue<Fr>;
    type AssignedScalar = AssignedValue<Fr>;
    type AssignedEcPoint = Combination;

    fn scalar_chip(&self) -> &GateChip<Fr> {
        &self.gate
    }

    fn assign_constant(&self, _: &mut Self::Context, point: G1Affine) -> Combination {
        let identity = bool::from(point.is_identity());
        Combination {
            terms: (!identity).then_some((None, Base::Constant(point))).into_iter().collect(),
        }
    }

    fn assign_point(&self, ctx: &mut Self::Context, point: G1Affine) -> Combination {
        let ctx = ctx.main();
        let native = [point.x, point.y].map(|x| ctx.load_witness(to_native(&x)));
        let mut record = self.record.borrow_mut();
        record.points.push(WitnessPoint { point, native });
        Combination { terms: vec![(None, Base::Witness(record.points.len() - 1))] }
    }

    fn sum_with_const(
        &self,
        ctx: &mut Self::Context,
        values: &[impl Deref<Target = Combination>],
        constant: G1Affine,
    ) -> Combination {
        let mut sum = EccInstructions::assign_constant(self, ctx, constant);
        for value in values {
            for (scalar, base) in &value.terms {
                self.accumulate(ctx, &mut sum, *scalar, *base);
            }
        }
        sum
    }

    fn fixed_base_msm(
        &mut self,
        ctx: &mut Self::Context,
        pairs: &[(impl Deref<Target = AssignedValue<Fr>>, G1Affine)],
    ) -> Combination {
        let mut sum = Combination::default();
        for (scalar, point) in pairs {
            if !bool::from(point.is_identity()) {
                self.accumulate(ctx, &mut sum, Some(**scalar), Base::Constant(*point));
            }
        }
        sum
    }

    fn variable_base_msm(
        &mut self,
        ctx: &mut Self::Context,
        pairs: &[(impl Deref<Target = AssignedValue<Fr>>, impl Deref<Target = Combination>)],
    ) -> Combination {
        let mut sum = Combination::default();
        for (scalar, point) in pairs {
            for (factor, base) in &point.terms {
                let scalar = match factor {
                    None => **scalar,
                    Some(factor) => self.gate.mul(ctx.main(), **scalar, *factor),
                };
                self.accumulate(ctx, &mut sum, Some(scalar), *base);
            }
        }
        sum
    }

    fn assert_equal(&self, _: &mut Self::Context, _: &Combination, _: &Combination) {
        self.record.borrow_mut().unsupported = Some("equality of points");
    }
}
