//! Circuits and helpers that the integration tests share.
#![allow(dead_code, unreachable_pub)]

pub mod bus;
pub mod mutations;
pub mod plain;

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolInterface};
use bastion_contract::{
    bindings::{verify_calldata, IBastionVerifier as Verifier},
    evm::{CallResult, Evm, Status},
    VerifierArtifact,
};
use halo2_base::halo2_proofs::{
    halo2curves::{
        bn256::{Bn256, Fr, G1Affine},
        ff::PrimeField,
    },
    plonk::VerifyingKey,
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
    system::halo2::{compile, transcript::evm::EvmTranscript, Config},
    verifier::{plonk::PlonkProtocol, SnarkVerifier},
};
use snark_verifier_sdk::{CircuitExt, NativeLoader, PlonkVerifier, SHPLONK};
use std::{fs, io::BufWriter, path::PathBuf, sync::Mutex};

/// Randomness that repeats; `BASTION_TEST_SEED` gives another. The seed is shown with a failure.
pub fn rng(place: u64) -> ChaCha20Rng {
    let seed = std::env::var("BASTION_TEST_SEED").map_or(0xba57, |seed| seed.parse().unwrap());
    println!("BASTION_TEST_SEED={seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(place);
    rng
}

/// Structured reference string of `2^k` powers from a fixed seed: for tests alone. It is cached
/// under the target directory because the plain setup takes half a minute at `k = 18`. Tests of
/// one binary run side by side and ask for the same file: one makes it, the others wait.
pub fn test_srs(k: u32) -> ParamsKZG<Bn256> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("unsafe-test-{k}.srs"));
    if let Ok(file) = fs::File::open(&path) {
        let mut reader = std::io::BufReader::new(file);
        if let Ok(params) = ParamsKZG::read_custom(&mut reader, SerdeFormat::RawBytesUnchecked) {
            return params;
        }
    }
    let params = ParamsKZG::setup(k, ChaCha20Rng::seed_from_u64(0xba57));
    let part = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut writer = BufWriter::new(part);
    params.write_custom(&mut writer, SerdeFormat::RawBytesUnchecked).unwrap();
    writer.into_inner().unwrap().persist(path).unwrap();
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
    let parsed = PlonkVerifier::<SHPLONK>::read_proof(&dk, protocol, instances, &mut transcript);
    let Ok(parsed) = parsed else { return false };
    drop(transcript);
    stream.is_empty() && PlonkVerifier::<SHPLONK>::verify(&dk, protocol, instances, &parsed).is_ok()
}

/// The protocol of a circuit's proofs, as the sdk compiles it.
pub fn protocol_of<C: CircuitExt<Fr>>(
    params: &ParamsKZG<Bn256>,
    vk: &VerifyingKey<G1Affine>,
    instances: &[Vec<Fr>],
) -> PlonkProtocol<G1Affine> {
    let config = Config::kzg()
        .with_num_instance(instances.iter().map(Vec::len).collect())
        .with_accumulator_indices(C::accumulator_indices());
    compile(params, vk, config)
}

/// All instances, column after column, as integers.
pub fn flat(instances: &[Vec<Fr>]) -> Vec<U256> {
    instances.iter().flatten().map(|value| U256::from_le_bytes(value.to_repr())).collect()
}

/// A verifier on an embedded chain.
pub struct Deployed {
    evm: Evm,
    address: Address,
}

impl Deployed {
    pub fn new(artifact: &VerifierArtifact) -> Self {
        let mut evm = Evm::default();
        let address = evm.deploy(artifact.bytecode.clone()).unwrap();
        assert_eq!(evm.code(address).unwrap(), artifact.deployed_bytecode);
        Self { evm, address }
    }

    pub fn call(&mut self, calldata: Bytes) -> CallResult {
        self.evm.view(Address::ZERO, self.address, calldata).unwrap()
    }

    /// Gas used, or the named error.
    pub fn verify(
        &mut self,
        instances: &[U256],
        proof: &[u8],
    ) -> Result<u64, Verifier::IBastionVerifierErrors> {
        let calldata = verify_calldata(instances, proof);
        let result = self.call(calldata.clone());
        if !result.is_success() {
            return Err(self.refusal(calldata));
        }
        assert!(Verifier::verifyCall::abi_decode_returns_validate(&result.output).unwrap());
        Ok(result.gas_used)
    }

    /// The named error that the call must end with.
    pub fn refusal(&mut self, calldata: Bytes) -> Verifier::IBastionVerifierErrors {
        let result = self.call(calldata);
        assert_eq!(result.status, Status::Revert);
        Verifier::IBastionVerifierErrors::abi_decode(&result.output).unwrap()
    }
}
