//! A KZG reference string for development, in the files that barretenberg keeps: `bn254_g1.dat` has
//! the powers of tau in the first group, `bn254_g2.dat` tau in the second; all big-endian.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use ark_bn254::{Fq, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::scalar_mul::BatchMulPreprocessing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField, UniformRand};
use rand::rngs::OsRng;

use crate::Result;

/// Writes `2^power + 1` powers of a random tau, which is forgotten.
pub fn write(power: u32, dir: &Path) -> Result<()> {
    let size = (1usize << power) + 1;
    let tau = Fr::rand(&mut OsRng);
    let powers: Vec<Fr> = std::iter::successors(Some(Fr::from(1u64)), |x| Some(*x * tau))
        .take(size)
        .collect();
    let table = BatchMulPreprocessing::new(G1Projective::from(G1Affine::generator()), size);
    let mut out = BufWriter::new(File::create(dir.join("bn254_g1.dat"))?);
    for point in table.batch_mul(&powers) {
        let (x, y) = point.xy().unwrap_or_default();
        coordinate(&mut out, &x)?;
        coordinate(&mut out, &y)?;
    }
    out.flush()?;
    let mut out = File::create(dir.join("bn254_g2.dat"))?;
    let (x, y) = (G2Affine::generator() * tau)
        .into_affine()
        .xy()
        .unwrap_or_default();
    for c in [x.c0, x.c1, y.c0, y.c1] {
        coordinate(&mut out, &c)?;
    }
    Ok(())
}

fn coordinate(out: &mut impl Write, x: &Fq) -> Result<()> {
    Ok(out.write_all(&x.into_bigint().to_bytes_be())?)
}
