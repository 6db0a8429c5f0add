//! Circuits and helpers that the integration tests share.
#![allow(dead_code, unreachable_pub)]

pub mod bus;

use halo2_base::halo2_proofs::{
    halo2curves::bn256::{Bn256, Fr, G1Affine},
    poly::{
        commitment::{Params, ParamsProver},
        kzg::commitment::ParamsKZG,
    },
    SerdeFormat,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use snark_verifier::{
    pcs::kzg::KzgDecidingKey,
    system::halo2::transcript::evm::EvmTranscript,
    verifier::{plonk::PlonkProtocol, SnarkVerifier},
};
use snark_verifier_sdk::{NativeLoader, PlonkVerifier, SHPLONK};
use std::{fs, io::BufWriter, path::PathBuf};

/// Structured reference string of `2^k` powers from a fixed seed: for tests alone. It is cached
/// under the target directory because the plain setup takes half a minute at `k = 18`.
pub fn test_srs(k: u32) -> ParamsKZG<Bn256> {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("unsafe-test-{k}.srs"));
    if let Ok(file) = fs::File::open(&path) {
        let mut reader = std::io::BufReader::new(file);
        if let Ok(params) = ParamsKZG::read_custom(&mut reader, SerdeFormat::RawBytesUnchecked) {
            return params;
        }
    }
    let params = ParamsKZG::setup(k, ChaCha20Rng::seed_from_u64(0xba57));
    let part = path.with_extension(format!("part{}", std::process::id()));
    let mut writer = BufWriter::new(fs::File::create(&part).unwrap());
    params.write_custom(&mut writer, SerdeFormat::RawBytesUnchecked).unwrap();
    drop(writer);
    fs::rename(part, path).unwrap();
    params
}

/// The same reference string cut to `2^k` powers.
pub fn downsized(params: &ParamsKZG<Bn256>, k: u32) -> ParamsKZG<Bn256> {
    let mut params = params.clone();
    params.downsize(k);
    params
}

/// The first and second pairing inputs and the generator, as snark-verifier wants them.
pub fn deciding_key(params: &ParamsKZG<Bn256>) -> KzgDecidingKey<Bn256> {
    (params.get_g()[0], params.g2(), params.s_g2()).into()
}

/// The verdict of snark-verifier's native verifier with the Keccak transcript.
///
/// It panics, instead of returning an error, when a challenge hits a root of the domain; the
/// mutations in these tests cannot reach that case. Trailing bytes, which it ignores, count as a
/// refusal here.
pub fn native_accepts(
    params: &ParamsKZG<Bn256>,
    protocol: &PlonkProtocol<G1Affine>,
    instances: &[Vec<Fr>],
    proof: &[u8],
) -> bool {
    let dk = deciding_key(params);
    let mut stream = proof;
    let mut transcript = EvmTranscript::<G1Affine, NativeLoader, _, _>::new(&mut stream);
    let parsed =
        PlonkVerifier::<SHPLONK>::read_proof(&dk, protocol, instances, &mut transcript);
    let Ok(parsed) = parsed else { return false };
    drop(transcript);
    stream.is_empty() && PlonkVerifier::<SHPLONK>::verify(&dk, protocol, instances, &parsed).is_ok()
}
