//! Reads a proof and draws the challenges from what was read.

mod keccak;
mod poseidon;

use ark_bn254::{Fq, Fr, G1Affine};
use ark_ff::{BigInteger, Field, PrimeField};

use crate::description::Transcript;
use crate::error::Refused;
use crate::points;
use keccak::Keccak;
pub use poseidon::Poseidon;

/// The sponge under a transcript.
enum Sponge {
    Keccak(Keccak),
    Poseidon(Box<Poseidon>),
}

/// A proof that is being read.
pub struct Reader<'a> {
    sponge: Sponge,
    proof: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A transcript at its start.
    pub fn new(kind: Transcript, proof: &'a [u8]) -> Self {
        let sponge = match kind {
            Transcript::Keccak => Sponge::Keccak(Keccak::default()),
            Transcript::Poseidon => Sponge::Poseidon(Box::default()),
        };
        Self { sponge, proof, at: 0 }
    }

    /// Absorbs a scalar that both sides know.
    pub fn absorb(&mut self, x: &Fr) {
        match &mut self.sponge {
            Sponge::Keccak(sponge) => sponge.absorb(&big_endian(*x)),
            Sponge::Poseidon(sponge) => sponge.absorb(*x),
        }
    }

    /// The next challenge.
    pub fn squeeze(&mut self) -> Fr {
        match &mut self.sponge {
            Sponge::Keccak(sponge) => Fr::from_be_bytes_mod_order(&sponge.squeeze()),
            Sponge::Poseidon(sponge) => sponge.squeeze(),
        }
    }

    fn word(&mut self) -> Option<[u8; 32]> {
        let word = self.proof.get(self.at..self.at + 32)?.try_into().ok()?;
        self.at += 32;
        Some(word)
    }

    /// Reads and absorbs a scalar.
    ///
    /// # Errors
    /// [`Refused::Scalar`].
    pub fn scalar(&mut self) -> Result<Fr, Refused> {
        let at = self.at;
        let mut word = self.word().ok_or(Refused::Scalar(at))?;
        if let Sponge::Poseidon(_) = self.sponge {
            word.reverse();
        }
        let x = points::element(&word).ok_or(Refused::Scalar(at))?;
        self.absorb(&x);
        Ok(x)
    }

    /// Reads and absorbs a point that is not the identity.
    ///
    /// # Errors
    /// [`Refused::Point`].
    pub fn point(&mut self) -> Result<G1Affine, Refused> {
        let at = self.at;
        let point = match self.sponge {
            Sponge::Keccak(_) => self.uncompressed(),
            Sponge::Poseidon(_) => self.compressed(),
        };
        let point = point.ok_or(Refused::Point(at))?;
        match &mut self.sponge {
            Sponge::Keccak(sponge) => {
                sponge.absorb(&big_endian(point.x));
                sponge.absorb(&big_endian(point.y));
            }
            Sponge::Poseidon(sponge) => {
                // Coordinates as integers modulo the scalar field's modulus.
                for coordinate in [point.x, point.y] {
                    sponge.absorb(Fr::from_be_bytes_mod_order(&big_endian(coordinate)));
                }
            }
        }
        Ok(point)
    }

    /// x and y, big-endian. The identity has no such form: (0, 0) is not on the curve.
    fn uncompressed(&mut self) -> Option<G1Affine> {
        let (x, y) = (self.word()?, self.word()?);
        points::affine(points::element(&x)?, points::element(&y)?)
    }

    /// x, little-endian, with the parity of y in bit 254. Bit 255 would mark the identity.
    fn compressed(&mut self) -> Option<G1Affine> {
        let mut word = self.word()?;
        word.reverse();
        let flags = word[0] >> 6;
        word[0] &= 0x3f;
        let x: Fq = points::element(&word)?;
        let root = (x.square() * x + Fq::from(3u64)).sqrt()?;
        let odd = root.into_bigint().is_odd();
        let y = match flags {
            0 | 1 if odd == (flags == 1) => root,
            0 | 1 => -root,
            _ => return None,
        };
        points::affine(x, y)
    }
}

fn big_endian<F: PrimeField>(x: F) -> [u8; 32] {
    let mut out = [0; 32];
    let bytes = x.into_bigint().to_bytes_be();
    out[32 - bytes.len()..].copy_from_slice(&bytes);
    out
}
