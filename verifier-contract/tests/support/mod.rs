//! Circuits and helpers that the integration tests share.
#![allow(dead_code, unreachable_pub)]

pub mod mutations;
pub mod plain;

use alloy_primitives::{hex, Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolInterface};
use bastion_aggregator::description::describe;
use bastion_audit::{Description, Verifier as Second};
use bastion_contract::{
    bindings::{verify_calldata, IBastionVerifier as Verifier},
    evm::{CallResult, Evm, Status},
    protocol::{G1Point, SrsPoints},
    PackedDescription, VerifierArtifact,
};
use bastion_protocol::field;
use bastion_prover::plonk::packed::{create_proof, key_commitments};
use bastion_prover::srs::{packed_k, Srs};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use halo2_proofs::halo2curves::ff::PrimeField;
use halo2_proofs::plonk::{keygen_pk, keygen_vk};
use halo2_proofs::transcript::TranscriptWriterBuffer;
use plain::{Fault, PlainCircuit};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use snark_verifier::system::halo2::transcript::evm::EvmTranscript;
use std::process::Command;
use std::sync::OnceLock;

/// log2 of the rows of [`PlainCircuit`].
const K: u32 = 8;

/// A verifier with a proof that it accepts.
pub struct Sample {
    pub description: PackedDescription,
    pub instances: Vec<U256>,
    pub proof: Vec<u8>,
}

impl Sample {
    /// That of a small circuit, made on first use.
    pub fn plain() -> &'static Self {
        static PLAIN: OnceLock<Sample> = OnceLock::new();
        PLAIN.get_or_init(|| Self::of(PlainCircuit { seed: 5, fault: Fault::None }))
    }

    /// A proof of the small circuit, whatever its witness.
    pub fn of(circuit: PlainCircuit) -> Self {
        static SRS: OnceLock<Srs> = OnceLock::new();
        let srs = SRS.get_or_init(|| {
            Srs::generate_unsafe_dev_packed(packed_k(K), &[K], &[K], rng(0)).unwrap()
        });
        let instances = circuit.instances();
        let (params, packed) = (srs.params(K).unwrap(), srs.packed(K).unwrap());
        let vk = keygen_vk(params.kzg(), &circuit).unwrap();
        let pk = keygen_pk(params.kzg(), vk, &circuit).unwrap();
        let commitments = key_commitments(&packed, &pk);
        let commitments: Vec<G1Point> =
            commitments.iter().map(|point| G1Point::of(point, "key", 0).unwrap()).collect();
        let (g2, s_g2) = srs.g2();
        let points = SrsPoints::of(&(srs.generator(), g2, s_g2).into()).unwrap();
        let rows = vec![instances.len()];
        let description = describe(pk.get_vk(), &commitments, rows, None, points).unwrap();
        let digest = Fr::from_repr(description.digest.to_le_bytes()).unwrap();
        let mut transcript = TranscriptWriterBuffer::<_, G1Affine, _>::init(Vec::new());
        create_proof::<_, _, EvmTranscript<G1Affine, _, _, _>>(
            &packed,
            &pk,
            digest,
            &circuit,
            &instances,
            rng(1),
            &mut transcript,
        )
        .unwrap();
        let instances = instances.iter().map(|x| U256::from_le_bytes(x.to_repr())).collect();
        Self { description, instances, proof: transcript.finalize() }
    }

    /// That of a block circuit over toys (`aggregator/src/tests.rs` writes it).
    pub fn block() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/block.json.gz");
        let output = Command::new("gzip").args(["-dc", path]).output().unwrap();
        assert!(output.status.success(), "{path}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let word = |text: &serde_json::Value| text.as_str().unwrap().parse().unwrap();
        let description: PackedDescription =
            serde_json::from_value(json["description"].clone()).unwrap();
        // The third verifier reads the document.
        assert_eq!(json["document"], description.to_document());
        Self {
            description,
            instances: json["instances"].as_array().unwrap().iter().map(word).collect(),
            proof: hex::decode(json["proof"].as_str().unwrap()).unwrap(),
        }
    }

    /// The second verifier.
    pub fn second(&self) -> Second {
        let document = self.description.to_document().to_string();
        Second::new(Description::from_json(document.as_bytes()).unwrap()).unwrap()
    }
}

/// The second verifier's verdict, none for instances that are no elements.
pub fn verdict(
    second: &Second,
    instances: &[U256],
    proof: &[u8],
) -> Option<Result<(), bastion_audit::Refused>> {
    let element = |word: &U256| field::from_bytes("instance", &word.to_be_bytes::<32>());
    let instances: Vec<_> = instances.iter().map(element).collect::<Result<_, _>>().ok()?;
    Some(second.verify(&[instances], proof))
}

/// Randomness that repeats; `BASTION_TEST_SEED` gives another. The seed is shown with a failure.
pub fn rng(place: u64) -> ChaCha20Rng {
    let seed = std::env::var("BASTION_TEST_SEED").map_or(0xba57, |seed| seed.parse().unwrap());
    println!("BASTION_TEST_SEED={seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(place);
    rng
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
