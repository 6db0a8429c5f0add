//! Two jobs of the comparison: `key` makes a development key of a circom circuit in snarkjs'
//! format, and `prove` proves a circom witness by ark-groth16 under such a key.

mod key;
mod points;
mod usage;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use ark_bn254::{Bn254, Fr};
use ark_circom::{read_zkey, CircomReduction};
use ark_crypto_primitives::snark::SNARK;
use ark_ff::PrimeField;
use ark_groth16::{Groth16, Proof, ProvingKey};
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use rand::rngs::OsRng;
use serde_json::{json, Value};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["key", circuit, out] => key::write(Path::new(circuit), Path::new(out)),
        ["points", power, dir] => points::write(power.parse()?, Path::new(dir)),
        ["prove", key, witness] => {
            println!("{}", prove(Path::new(key), Path::new(witness))?);
            Ok(())
        }
        _ => Err(
            "usage: bastion-peers key CIRCUIT.r1cs OUT.zkey | points POWER DIR | prove KEY.zkey WITNESS.wtns".into(),
        ),
    }
}

/// Proves, verifies, changes the witness and expects that the proof of that is refused.
fn prove(key: &Path, witness: &Path) -> Result<Value> {
    let mut stages = BTreeMap::new();
    let (key, matrices) = usage::measure("load", &mut stages, || {
        read_zkey(&mut BufReader::new(File::open(key)?))
    })?;
    let mut assignment = read_witness(witness)?;
    let public = matrices.num_instance_variables;
    let constraints = matrices.num_constraints;
    let matrices = [matrices.a, matrices.b, matrices.c].map(Into::into);
    let make = |assignment: &[Fr]| {
        Groth16::<Bn254, CircomReduction>::create_proof_with_reduction_and_matrices(
            &key,
            Fr::rand(&mut OsRng),
            Fr::rand(&mut OsRng),
            &matrices,
            public,
            constraints,
            assignment,
        )
    };
    let proof = usage::measure("prove", &mut stages, || make(&assignment))?;
    let verified = usage::measure("verify", &mut stages, || {
        verify(&key, &assignment[1..public], &proof)
    })?;
    // The witness's last value is one that no public input repeats.
    let last = assignment.len() - 1;
    assignment[last] += Fr::from(1u64);
    let forged = make(&assignment)?;
    let refused = !verify(&key, &assignment[1..public], &forged)?;
    Ok(json!({
        "constraints": constraints,
        "threads": rayon::current_num_threads(),
        "stages": stages,
        "proof_bytes": proof.compressed_size(),
        "verified": verified,
        "forgeries_refused": refused,
    }))
}

fn verify(key: &ProvingKey<Bn254>, public: &[Fr], proof: &Proof<Bn254>) -> Result<bool> {
    let key = Groth16::<Bn254>::process_vk(&key.vk)?;
    Ok(Groth16::<Bn254>::verify_proof(&key, proof, public)?)
}

/// Values of a `.wtns` file: sections 1 (size of an element, modulus, number) and 2 (the values,
/// little-endian).
fn read_witness(path: &Path) -> Result<Vec<Fr>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    if bytes.get(..4) != Some(b"wtns") {
        return Err("not a witness file".into());
    }
    let mut rest = bytes.get(12..).ok_or("short witness file")?;
    while rest.len() >= 12 {
        let (id, size) = (&rest[..4], u64::from_le_bytes(rest[4..12].try_into()?));
        let size = usize::try_from(size)?;
        let body = rest.get(12..12 + size).ok_or("short section")?;
        if id == 2u32.to_le_bytes() {
            return Ok(body
                .chunks_exact(32)
                .map(Fr::from_le_bytes_mod_order)
                .collect());
        }
        rest = &rest[12 + size..];
    }
    Err("no values in the witness file".into())
}
