//! A Groth16 key of a circom circuit for development, in snarkjs' `.zkey` format.
//!
//! The usual way is a string of powers of tau made by `snarkjs powersoftau`, then `snarkjs groth16
//! setup`. Both compute with group elements, as nobody may know tau, and take an hour and many
//! minutes for a circuit of this size. Who makes a key for itself knows tau and computes with field
//! elements instead; for the same reason proofs under such a key prove nothing. The key has the same
//! number and kind of points as one of a ceremony, so proving takes the same time.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_circom::circom::R1CSFile;
use ark_circom::CircomReduction;
use ark_ec::scalar_mul::BatchMulPreprocessing;
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, Field, PrimeField, UniformRand};
use ark_groth16::r1cs_to_qap::R1CSToQAP;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use rand::rngs::OsRng;

use crate::Result;

type Domain = GeneralEvaluationDomain<Fr>;

/// Writes a key of the circuit with random secrets, which are forgotten.
pub fn write(circuit: &Path, out: &Path) -> Result<()> {
    let file = R1CSFile::<Fr>::new(BufReader::new(File::open(circuit)?))?;
    let public = (file.header.n_pub_in + file.header.n_pub_out) as usize;
    let variables = file.header.n_wires as usize;
    let constraints = file.constraints;
    let domain = Domain::new(constraints.len() + public + 1).ok_or("too many constraints")?;
    let [tau, alpha, beta, gamma, delta] = [(); 5].map(|()| Fr::rand(&mut OsRng));
    let inverse = |x: Fr| x.inverse().ok_or("a secret is 0");

    // Polynomials of the variables at tau. Public values have a row of their own each behind the
    // constraints, so that they are independent.
    let rows = domain.evaluate_all_lagrange_coefficients(tau);
    let mut at_tau = [(); 3].map(|()| vec![Fr::from(0u64); variables]);
    let mut entries = Vec::new();
    for (row, (a, b, c)) in constraints.iter().enumerate() {
        for (matrix, terms) in [a, b, c].into_iter().enumerate() {
            for &(variable, factor) in terms {
                at_tau[matrix][variable] += factor * rows[row];
                if matrix < 2 {
                    entries.push((matrix, row, variable, factor));
                }
            }
        }
    }
    for (variable, a) in at_tau[0].iter_mut().take(public + 1).enumerate() {
        let row = constraints.len() + variable;
        *a += rows[row];
        entries.push((0, row, variable, Fr::from(1u64)));
    }
    let [a, b, c] = at_tau;
    let combined = |i: usize| beta * a[i] + alpha * b[i] + c[i];
    let (by_gamma, by_delta) = (inverse(gamma)?, inverse(delta)?);
    let shared: Vec<Fr> = (0..=public).map(|i| combined(i) * by_gamma).collect();
    let private: Vec<Fr> = (public + 1..variables)
        .map(|i| combined(i) * by_delta)
        .collect();
    let size = domain.size();
    let quotient =
        CircomReduction::h_query_scalars::<Fr, Domain>(size - 1, tau, Fr::from(0u64), by_delta)?;

    let g1 = BatchMulPreprocessing::new(G1Projective::from(G1Affine::generator()), variables);
    let g2 = BatchMulPreprocessing::new(G2Projective::from(G2Affine::generator()), variables);
    let mut key = Sections::new(out, 10)?;
    // Protocol 1 is Groth16.
    key.section(1, |out| Ok(out.write_all(&1u32.to_le_bytes())?))?;
    key.section(2, |out| {
        for modulus in [Fq::MODULUS.to_bytes_le(), Fr::MODULUS.to_bytes_le()] {
            out.write_all(&32u32.to_le_bytes())?;
            out.write_all(&modulus)?;
        }
        for number in [variables, public, size] {
            out.write_all(&u32::try_from(number)?.to_le_bytes())?;
        }
        let one = g1.batch_mul(&[alpha, beta, delta]);
        let two = g2.batch_mul(&[beta, gamma, delta]);
        points1(out, &one[..2])?;
        points2(out, &two[..2])?;
        points1(out, &one[2..])?;
        points2(out, &two[2..])
    })?;
    key.section(3, |out| points1(out, &g1.batch_mul(&shared)))?;
    // Factors stand multiplied by the square of the Montgomery radix.
    let radix = Fr::from(Fr::from(1u64).0);
    key.section(4, |out| {
        out.write_all(&u32::try_from(entries.len())?.to_le_bytes())?;
        for (matrix, row, variable, factor) in &entries {
            for number in [*matrix, *row, *variable] {
                out.write_all(&u32::try_from(number)?.to_le_bytes())?;
            }
            out.write_all(&(*factor * radix).0.to_bytes_le())?;
        }
        Ok(())
    })?;
    key.section(5, |out| points1(out, &g1.batch_mul(&a)))?;
    key.section(6, |out| points1(out, &g1.batch_mul(&b)))?;
    key.section(7, |out| points2(out, &g2.batch_mul(&b)))?;
    key.section(8, |out| points1(out, &g1.batch_mul(&private)))?;
    key.section(9, |out| points1(out, &g1.batch_mul(&quotient)))?;
    // Contributions: a hash of the circuit, which only checks of a ceremony read, and none.
    key.section(10, |out| Ok(out.write_all(&[0; 68])?))?;
    Ok(key.out.flush()?)
}

/// Container of snarkjs' files: numbered sections with their length.
struct Sections {
    out: BufWriter<File>,
}

impl Sections {
    fn new(path: &Path, sections: u32) -> Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        out.write_all(b"zkey")?;
        out.write_all(&1u32.to_le_bytes())?;
        out.write_all(&sections.to_le_bytes())?;
        Ok(Self { out })
    }

    /// The length stands in front and is known behind.
    fn section(
        &mut self,
        id: u32,
        body: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
    ) -> Result<()> {
        self.out.write_all(&id.to_le_bytes())?;
        let at = self.out.stream_position()?;
        self.out.write_all(&0u64.to_le_bytes())?;
        body(&mut self.out)?;
        let end = self.out.stream_position()?;
        self.out.seek(SeekFrom::Start(at))?;
        self.out.write_all(&(end - at - 8).to_le_bytes())?;
        self.out.seek(SeekFrom::Start(end))?;
        Ok(())
    }
}

/// Coordinates stand in Montgomery form, as snarkjs keeps them in memory; the identity is 0, 0.
fn coordinate(out: &mut impl Write, x: &Fq) -> Result<()> {
    Ok(out.write_all(&x.0.to_bytes_le())?)
}

fn points1(out: &mut impl Write, points: &[G1Affine]) -> Result<()> {
    for p in points {
        let (x, y) = p.xy().unwrap_or_default();
        coordinate(out, &x)?;
        coordinate(out, &y)?;
    }
    Ok(())
}

fn points2(out: &mut impl Write, points: &[G2Affine]) -> Result<()> {
    for p in points {
        let (x, y) = p.xy().unwrap_or_default();
        for Fq2 { c0, c1, .. } in [x, y] {
            coordinate(out, &c0)?;
            coordinate(out, &c1)?;
        }
    }
    Ok(())
}
