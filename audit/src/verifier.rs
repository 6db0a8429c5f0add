//! Verifies proofs under a description.

use std::collections::BTreeMap;

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInteger, Field, One, PrimeField};

use crate::description::{Description, Node, Query, Scheme};
use crate::error::{BadDescription, Refused};
use crate::packed::{self, Quotient};
use crate::points;
use crate::shplonk::{combine, sets, Opening, Set};
use crate::transcript::Reader;
use crate::work::{work, MAX_WORK};

/// Bits of a word of an accumulator.
const LIMB_BITS: usize = 88;

/// A verifier of one circuit's proofs.
#[derive(Debug)]
pub struct Verifier {
    description: Description,
    /// Of SHPLONK.
    sets: Vec<Set>,
    /// Inverse of the number of rows.
    n_inv: Fr,
}

/// What the transcript gives.
struct Parsed {
    witness: Vec<G1Affine>,
    challenges: Vec<Fr>,
    quotient: Vec<G1Affine>,
    z: Fr,
    evaluations: Vec<Fr>,
    /// Combines the polynomials of a set.
    mu: Fr,
    opening: Opening,
}

impl Verifier {
    /// The verifier of a checked description.
    ///
    /// # Errors
    /// [`BadDescription::TooMuchWork`] before anything is begun, or [`BadDescription::Unusable`] if
    /// the number of rows has no inverse, which no description of [`Description::from_json`] leads
    /// to.
    pub fn new(description: Description) -> Result<Self, BadDescription> {
        let rows = Fr::from(1u64 << description.k);
        let n_inv = rows.inverse();
        let n_inv = n_inv.ok_or_else(|| BadDescription::Unusable("k".into()))?;
        let sets = match &description.scheme {
            Scheme::Shplonk { openings, .. } => sets(openings),
            Scheme::Packed { .. } => Vec::new(),
        };
        let work = work(&description, &sets);
        if work > MAX_WORK {
            return Err(BadDescription::TooMuchWork { work, most: MAX_WORK });
        }
        Ok(Self { sets, n_inv, description })
    }

    /// The description.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The opening sets.
    #[cfg(test)]
    pub(crate) fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// Verifies a proof for public inputs, which are given column by column.
    ///
    /// # Errors
    /// [`Refused`] with the first reason found. Never a panic, whatever the bytes.
    pub fn verify(&self, instances: &[Vec<Fr>], proof: &[u8]) -> Result<(), Refused> {
        let d = &self.description;
        self.check_form(instances, proof)?;
        let parsed = self.read(instances, proof)?;
        let z = parsed.z;
        let zn = (0..d.k).fold(z, |x, _| x.square());
        let vanishing_inv = (zn - Fr::one()).inverse().ok_or(Refused::Degenerate)?;

        let nodes = self.evaluate(instances, &parsed, zn)?;
        let combiner = parsed.challenges[d.combiner];
        let numerator = d.constraints.iter().fold(Fr::ZERO, |sum, c| sum * combiner + nodes[*c]);

        let value = numerator * vanishing_inv;
        let points = d.rotations().into_iter().map(|r| (r, z * self.omega_to(r))).collect();
        let left = match &d.scheme {
            Scheme::Shplonk { .. } => self.combine(&parsed, &points, zn, value)?,
            Scheme::Packed { stride, packs } => {
                let commitments = [&d.fixed[..], &parsed.witness].concat();
                // The form of the proof was checked: there is one commitment to the quotient.
                let commitment = *parsed.quotient.first().ok_or(Refused::Pairing)?;
                let quotient = Quotient { commitment, z, value };
                let (evaluations, opening) = (&parsed.evaluations, &parsed.opening);
                let packs = (*stride, packs.as_slice());
                packed::combine(
                    packs,
                    &points,
                    &commitments,
                    evaluations,
                    &quotient,
                    opening,
                    d.g1,
                )?
            }
        };
        let opening = &parsed.opening;
        if !holds(left.into_affine(), opening.w_prime, d.g2, d.s_g2) {
            return Err(Refused::Pairing);
        }
        self.check_accumulator(instances)
    }

    /// The left point of SHPLONK.
    fn combine(
        &self,
        parsed: &Parsed,
        points: &BTreeMap<i32, Fr>,
        zn: Fr,
        quotient: Fr,
    ) -> Result<G1Projective, Refused> {
        let d = &self.description;
        let mut evaluations: BTreeMap<Query, Fr> = BTreeMap::new();
        evaluations.extend(d.evaluations.iter().copied().zip(parsed.evaluations.iter().copied()));
        evaluations.insert(Query(d.quotient(), 0), quotient);

        let mut commitments: BTreeMap<usize, Vec<(Fr, G1Affine)>> = BTreeMap::new();
        let single = |point: &G1Affine| vec![(Fr::one(), *point)];
        commitments.extend(d.fixed.iter().map(single).enumerate());
        let witness = parsed.witness.iter().map(single);
        commitments.extend((d.witness_offset()..).zip(witness));
        // The quotient's pieces are of degree below n: their powers of z^n put them together.
        let powers = std::iter::successors(Some(Fr::one()), |x| Some(*x * zn));
        commitments.insert(d.quotient(), powers.zip(parsed.quotient.iter().copied()).collect());
        combine(&self.sets, points, &commitments, &evaluations, parsed.mu, &parsed.opening, d.g1)
    }

    fn check_form(&self, instances: &[Vec<Fr>], proof: &[u8]) -> Result<(), Refused> {
        let d = &self.description;
        let columns = d.instances.len();
        if instances.len() != columns {
            return Err(Refused::InstanceCount {
                column: columns,
                got: instances.len(),
                expected: columns,
            });
        }
        for (column, (values, expected)) in instances.iter().zip(&d.instances).enumerate() {
            if values.len() != *expected {
                return Err(Refused::InstanceCount {
                    column,
                    got: values.len(),
                    expected: *expected,
                });
            }
        }
        let (got, expected) = (proof.len(), d.proof_len());
        if got != expected {
            return Err(Refused::Length { got, expected });
        }
        Ok(())
    }

    fn read(&self, instances: &[Vec<Fr>], proof: &[u8]) -> Result<Parsed, Refused> {
        let d = &self.description;
        let mut reader = Reader::new(d.transcript, proof);
        reader.absorb(&d.digest);
        for value in instances.iter().flatten() {
            reader.absorb(value);
        }
        let mut witness = Vec::with_capacity(d.witness_count());
        let mut challenges = Vec::with_capacity(d.challenge_count());
        for round in &d.rounds {
            for _ in 0..round.points {
                witness.push(reader.point()?);
            }
            for _ in 0..round.challenges {
                challenges.push(reader.squeeze());
            }
        }
        let quotient =
            (0..d.quotient_pieces()).map(|_| reader.point()).collect::<Result<_, _>>()?;
        let z = reader.squeeze();
        let evaluations =
            d.evaluations.iter().map(|_| reader.scalar()).collect::<Result<_, _>>()?;
        let mu = match d.scheme {
            Scheme::Shplonk { .. } => reader.squeeze(),
            // A pack is one polynomial.
            Scheme::Packed { .. } => Fr::one(),
        };
        let gamma = reader.squeeze();
        let w = reader.point()?;
        let z_prime = reader.squeeze();
        let w_prime = reader.point()?;
        Ok(Parsed {
            witness,
            challenges,
            quotient,
            z,
            evaluations,
            mu,
            opening: Opening { gamma, w, z_prime, w_prime },
        })
    }

    fn omega_to(&self, exponent: i32) -> Fr {
        let power = self.description.omega.pow([u64::from(exponent.unsigned_abs())]);
        if exponent >= 0 {
            return power;
        }
        // A power of a root of unity is not 0.
        power.inverse().unwrap_or(Fr::ZERO)
    }

    /// `l_row(z) = omega^row (z^n - 1) / (n (z - omega^row))`.
    fn lagrange(&self, row: i32, z: Fr, zn: Fr) -> Result<Fr, Refused> {
        let root = self.omega_to(row);
        let inverse = (z - root).inverse().ok_or(Refused::Degenerate)?;
        Ok(root * (zn - Fr::one()) * self.n_inv * inverse)
    }

    /// The value of every step of the constraints.
    fn evaluate(&self, instances: &[Vec<Fr>], parsed: &Parsed, zn: Fr) -> Result<Vec<Fr>, Refused> {
        let d = &self.description;
        let z = parsed.z;
        let mut values: Vec<Fr> = Vec::with_capacity(d.nodes.len());
        for node in &d.nodes {
            // Operands are earlier steps and indices in range: the description was checked.
            let value = match *node {
                Node::Constant(x) => x,
                Node::Z => z,
                Node::Lagrange(row) => self.lagrange(row, z, zn)?,
                Node::Evaluation(i) => parsed.evaluations[i],
                Node::Instance(column, rotation) => {
                    // The column is zero beyond its rows; at z omega^r, l_i becomes l_(i - r).
                    let mut sum = Fr::ZERO;
                    for (row, value) in (0i32..).zip(&instances[column]) {
                        sum += *value * self.lagrange(row - rotation, z, zn)?;
                    }
                    sum
                }
                Node::Challenge(i) => parsed.challenges[i],
                Node::Negated(a) => -values[a],
                Node::Sum(a, b) => values[a] + values[b],
                Node::Product(a, b) => values[a] * values[b],
            };
            values.push(value);
        }
        Ok(values)
    }

    /// The accumulator of the aggregated proofs: four coordinates of three words, the pair of a
    /// pairing equation of its own.
    fn check_accumulator(&self, instances: &[Vec<Fr>]) -> Result<(), Refused> {
        let d = &self.description;
        let Some(places) = &d.accumulator else {
            return Ok(());
        };
        let mut coordinates: Vec<Fq> = Vec::with_capacity(4);
        for (n, words) in places.chunks_exact(3).enumerate() {
            let mut bits = Vec::with_capacity(3 * LIMB_BITS);
            for (i, (column, row)) in words.iter().enumerate() {
                let word = instances[*column][*row].into_bigint();
                // Two words of 88 bits leave 80 of 256 for the third.
                let room = if i == 2 { 256 - 2 * LIMB_BITS } else { LIMB_BITS };
                if word.num_bits() as usize > room {
                    return Err(Refused::Accumulator(3 * n + i));
                }
                bits.extend((0..room).map(|bit| word.get_bit(bit)));
            }
            let integer = BigInteger::from_bits_le(&bits);
            coordinates.push(Fq::from_bigint(integer).ok_or(Refused::Accumulator(3 * n))?);
        }
        let point = |i: usize| {
            let (x, y) = (coordinates[2 * i], coordinates[2 * i + 1]);
            points::affine(x, y).ok_or(Refused::Accumulator(6 * i))
        };
        let (left, right) = (point(0)?, point(1)?);
        if holds(left, right, d.g2, d.s_g2) {
            return Ok(());
        }
        Err(Refused::AccumulatedPairing)
    }
}

/// `e(left, g2) = e(right, s_g2)`.
fn holds(left: G1Affine, right: G1Affine, g2: G2Affine, s_g2: G2Affine) -> bool {
    let minus = (-right.into_group()).into_affine();
    Bn254::multi_pairing([left, minus], [g2, s_g2]).0.is_one()
}
