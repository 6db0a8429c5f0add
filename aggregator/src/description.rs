//! The verifier of block proofs as data, from halo2's constraint system and the packing.

use std::collections::HashMap;

use bastion_contract::protocol::{
    AccumulatorLayout, Expression, FixedPack, G1Point, Pack, PackedDescription, Query, Round,
    SrsPoints, PACKED_VERSION,
};
use bastion_prover::plonk::packed::{constraints, products, Plan, Source, STRIDE};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::plonk::{self, ConstraintSystem, VerifyingKey};

/// Words and bits of a coordinate of an accumulator.
const WORDS: usize = 3;
const BITS: usize = 88;

/// Describes the verifier of packed proofs under `vk`. `commitments` are those of the key's packs,
/// `rows` those of each instance column, `accumulator` where its words stand.
///
/// # Errors
/// If the constraint system has what packed proofs have not, or the commitments are not as many as
/// the packs.
pub fn describe(
    vk: &VerifyingKey<G1Affine>,
    commitments: &[G1Point],
    rows: Vec<usize>,
    accumulator: Option<Vec<(usize, usize)>>,
    srs: SrsPoints,
) -> Result<PackedDescription, String> {
    let (system, domain) = (vk.cs(), vk.get_domain());
    if !bastion_prover::plonk::packed::supports(system, domain.k()) {
        return Err("the circuit has no packed proofs".into());
    }
    let plan = Plan::new(system);
    if commitments.len() != plan.fixed.len() {
        let (got, expected) = (commitments.len(), plan.fixed.len());
        return Err(format!("{got} commitments for {expected} packs"));
    }
    let pack = |pack: &bastion_prover::plonk::packed::Pack| Pack {
        polynomials: pack.sources.len(),
        rotations: pack.rotations.clone(),
    };
    let fixed = plan.fixed.iter().zip(commitments);
    let rounds = [system.num_challenges() + 2, 1];
    let rounds = plan
        .rounds
        .iter()
        .zip(rounds)
        .map(|(packs, challenges)| Round { packs: packs.iter().map(pack).collect(), challenges });
    let polynomials = Polynomials::new(system, &plan);
    let rules = constraints(system);
    let description = PackedDescription {
        version: PACKED_VERSION,
        k: domain.k() as usize,
        omega: word(&domain.get_omega()),
        digest: Default::default(),
        stride: STRIDE,
        fixed: fixed.map(|(p, point)| FixedPack { point: *point, pack: pack(p) }).collect(),
        num_instance: rows,
        rounds: rounds.collect(),
        constraints: rules.iter().map(|e| polynomials.lower(e)).collect::<Result<_, _>>()?,
        combiner: system.num_challenges() + 2,
        accumulator: accumulator.map(|indices| AccumulatorLayout {
            limbs: WORDS,
            bits: BITS,
            indices,
        }),
        srs,
    };
    let description = description.with_digest();
    description.check().map_err(|e| e.to_string())?;
    Ok(description)
}

/// Numbers of polynomials in the description.
struct Polynomials<'a> {
    system: &'a ConstraintSystem<Fr>,
    numbers: HashMap<Source, usize>,
    /// Of the first instance column.
    instances: usize,
}

impl<'a> Polynomials<'a> {
    fn new(system: &'a ConstraintSystem<Fr>, plan: &Plan) -> Self {
        let of_key = plan.fixed.iter().flat_map(|pack| &pack.sources).copied();
        let of_rounds = plan.rounds.iter().flatten().flat_map(|pack| &pack.sources).copied();
        let instances = of_key.clone().count();
        let mut numbers: HashMap<Source, usize> = of_key.zip(0..).collect();
        numbers.extend(of_rounds.zip(instances + system.num_instance_columns()..));
        Self { system, numbers, instances }
    }

    fn of(&self, source: Source, rotation: i32) -> Result<Expression, String> {
        let poly = self.numbers.get(&source).ok_or_else(|| format!("{source:?} is in no pack"))?;
        Ok(Expression::Polynomial(Query { poly: *poly, rotation }))
    }

    /// A fixed column, or one of those that the permutation argument adds behind them.
    fn fixed(&self, column: usize, rotation: i32) -> Result<Expression, String> {
        let fixed = self.system.num_fixed_columns();
        let sigmas = self.system.permutation().get_columns().len();
        let Some(further) = column.checked_sub(fixed) else {
            return self.of(Source::Fixed(column), rotation);
        };
        let Some(further) = further.checked_sub(sigmas) else {
            return self.of(Source::Sigma(further), rotation);
        };
        match further.checked_sub(products(self.system)) {
            None => self.of(Source::Product(further), rotation),
            Some(0) => Ok(Expression::Lagrange(0)),
            Some(1) => self.of(Source::Last, rotation),
            Some(2) => self.of(Source::Active, rotation),
            Some(_) => Ok(Expression::Identity),
        }
    }

    fn lower(&self, expression: &plonk::Expression<Fr>) -> Result<Expression, String> {
        use plonk::Expression as E;
        let boxed = |e: &E<Fr>| self.lower(e).map(Box::new);
        Ok(match expression {
            E::Constant(value) => Expression::Constant(word(value)),
            E::Selector(_) => return Err("a selector that is no fixed column".into()),
            E::Fixed(query) => self.fixed(query.column_index(), query.rotation().0)?,
            E::Advice(query) => {
                self.of(Source::Advice(query.column_index()), query.rotation().0)?
            }
            E::Instance(query) => Expression::Polynomial(Query {
                poly: self.instances + query.column_index(),
                rotation: query.rotation().0,
            }),
            E::Challenge(challenge) => Expression::Challenge(challenge.index()),
            E::Negated(a) => Expression::Negated(boxed(a)?),
            E::Sum(a, b) => Expression::Sum(boxed(a)?, boxed(b)?),
            E::Product(a, b) => Expression::Product(boxed(a)?, boxed(b)?),
            E::Scaled(a, factor) => {
                Expression::Product(boxed(a)?, Box::new(Expression::Constant(word(factor))))
            }
        })
    }
}

/// A scalar as an integer below the modulus.
fn word(value: &Fr) -> alloy_primitives::U256 {
    alloy_primitives::U256::from_le_bytes(value.to_repr())
}
