//! From snark-verifier's `PlonkProtocol` to [`VerifierDescription`].

use super::{
    AccumulatorLayout, Expression, G1Point, G2Point, Phase, Query, SrsPoints, VerifierDescription,
    DESCRIPTION_VERSION,
};
use crate::error::{ContractError, Result};
use alloy_primitives::U256;
use halo2_proofs::halo2curves::{
    bn256::{Bn256, Fq, Fr, G1Affine, G2Affine},
    ff::PrimeField,
    group::prime::PrimeCurveAffine,
};
use serde::Deserialize;
use snark_verifier::{pcs::kzg::KzgDecidingKey, verifier::plonk::PlonkProtocol};

/// Words per coordinate of an accumulator, as snark-verifier-sdk's aggregation circuit writes it.
const LIMBS: usize = 3;
/// Bits per word of an accumulator.
const BITS: usize = 88;

impl VerifierDescription {
    /// Describes the verifier of `protocol`, whose commitments are under the reference string of
    /// `key`.
    ///
    /// # Errors
    /// If the protocol is not KZG with zero knowledge and without linearization, has more than
    /// one accumulator, or has the identity among its fixed points.
    pub fn from_protocol(
        protocol: &PlonkProtocol<G1Affine>,
        key: &KzgDecidingKey<Bn256>,
    ) -> Result<Self> {
        if protocol.linearization.is_some() {
            return Err(ContractError::UnsupportedProtocol("linearization"));
        }
        if protocol.instance_committing_key.is_some() {
            return Err(ContractError::UnsupportedProtocol("committed instances"));
        }
        if protocol.domain_as_witness.is_some() {
            return Err(ContractError::UnsupportedProtocol("domain as witness"));
        }
        if protocol.quotient.chunk_degree != 1 {
            return Err(ContractError::UnsupportedProtocol("quotient chunks of several rows"));
        }
        let initial = protocol
            .transcript_initial_state
            .ok_or(ContractError::UnsupportedProtocol("no initial transcript state"))?;
        let accumulator = match protocol.accumulator_indices.as_slice() {
            [] => None,
            [indices] => {
                Some(AccumulatorLayout { limbs: LIMBS, bits: BITS, indices: indices.clone() })
            }
            _ => return Err(ContractError::UnsupportedProtocol("several accumulators")),
        };
        if protocol.num_witness.len() != protocol.num_challenge.len() {
            return Err(ContractError::UnsupportedProtocol("phases without challenge counts"));
        }
        // The expression types of snark-verifier are private; their serde form is not.
        let numerator: WireExpression =
            serde_json::from_value(serde_json::to_value(&protocol.quotient.numerator)?)?;
        let WireExpression::DistributePowers(constraints, combiner) = numerator else {
            return Err(ContractError::UnsupportedProtocol("constraints without a combiner"));
        };
        let WireExpression::Challenge(combiner) = *combiner else {
            return Err(ContractError::UnsupportedProtocol("combiner that is no challenge"));
        };
        let description = Self {
            version: DESCRIPTION_VERSION,
            k: protocol.domain.k,
            omega: scalar(&protocol.domain.gen),
            transcript_initial_state: scalar(&initial),
            preprocessed: protocol
                .preprocessed
                .iter()
                .enumerate()
                .map(|(index, point)| G1Point::of(point, "preprocessed commitment", index))
                .collect::<Result<_>>()?,
            num_instance: protocol.num_instance.clone(),
            phases: protocol
                .num_witness
                .iter()
                .zip(&protocol.num_challenge)
                .map(|(&points, &challenges)| Phase { points, challenges })
                .collect(),
            quotient_chunks: protocol.quotient.num_chunk(),
            evaluations: protocol
                .evaluations
                .iter()
                .map(|query| Query { poly: query.poly, rotation: query.rotation.0 })
                .collect(),
            queries: protocol
                .queries
                .iter()
                .map(|query| Query { poly: query.poly, rotation: query.rotation.0 })
                .collect(),
            constraints: constraints.into_iter().map(Expression::from).collect(),
            combiner,
            accumulator,
            srs: SrsPoints::of(key)?,
        };
        description.check()?;
        Ok(description)
    }
}

/// A scalar as an integer below the modulus.
fn scalar(value: &Fr) -> U256 {
    U256::from_le_bytes(value.to_repr())
}

fn base(value: &Fq) -> U256 {
    U256::from_le_bytes(value.to_repr())
}

impl G1Point {
    /// A point of halo2.
    ///
    /// # Errors
    /// [`ContractError::PointAtInfinity`] with the name and number of the identity.
    pub fn of(point: &G1Affine, name: &'static str, index: usize) -> Result<Self> {
        if bool::from(point.is_identity()) {
            return Err(ContractError::PointAtInfinity { name, index });
        }
        Ok(Self { x: base(&point.x), y: base(&point.y) })
    }
}

impl SrsPoints {
    /// The points of a deciding key.
    ///
    /// # Errors
    /// [`ContractError::PointAtInfinity`].
    pub fn of(key: &KzgDecidingKey<Bn256>) -> Result<Self> {
        Ok(Self {
            g1: G1Point::of(&key.svk().g, "generator", 0)?,
            g2: g2(&key.g2(), 0)?,
            s_g2: g2(&key.s_g2(), 1)?,
        })
    }
}

fn g2(point: &G2Affine, index: usize) -> Result<G2Point> {
    if bool::from(point.is_identity()) {
        return Err(ContractError::PointAtInfinity { name: "G2 point", index });
    }
    Ok(G2Point {
        x: [base(&point.x.c0), base(&point.x.c1)],
        y: [base(&point.y.c0), base(&point.y.c1)],
    })
}

/// The serde form of snark-verifier's private `Expression`.
#[derive(Deserialize)]
enum WireExpression {
    Constant(Fr),
    CommonPolynomial(WireCommon),
    Polynomial(Query),
    Challenge(usize),
    Negated(Box<WireExpression>),
    Sum(Box<WireExpression>, Box<WireExpression>),
    Product(Box<WireExpression>, Box<WireExpression>),
    Scaled(Box<WireExpression>, Fr),
    DistributePowers(Vec<WireExpression>, Box<WireExpression>),
}

#[derive(Deserialize)]
enum WireCommon {
    Identity,
    Lagrange(i32),
}

impl From<WireExpression> for Expression {
    fn from(wire: WireExpression) -> Self {
        let boxed = |inner: WireExpression| Box::new(Self::from(inner));
        match wire {
            WireExpression::Constant(value) => Self::Constant(scalar(&value)),
            WireExpression::CommonPolynomial(WireCommon::Identity) => Self::Identity,
            WireExpression::CommonPolynomial(WireCommon::Lagrange(row)) => Self::Lagrange(row),
            WireExpression::Polynomial(query) => Self::Polynomial(query),
            WireExpression::Challenge(index) => Self::Challenge(index),
            WireExpression::Negated(a) => Self::Negated(boxed(*a)),
            WireExpression::Sum(a, b) => Self::Sum(boxed(*a), boxed(*b)),
            WireExpression::Product(a, b) => Self::Product(boxed(*a), boxed(*b)),
            WireExpression::Scaled(a, factor) => {
                Self::Product(boxed(*a), Box::new(Self::Constant(scalar(&factor))))
            }
            WireExpression::DistributePowers(terms, base) => Self::Powers {
                terms: terms.into_iter().map(Self::from).collect(),
                base: boxed(*base),
            },
        }
    }
}
