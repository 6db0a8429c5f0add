//! Three verifiers, which are shown a proof and the statement that follows from posted data.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bastion_contract::bindings::verify_calldata;
use bastion_contract::rollup::IRollup;
use bastion_l1::{EmbeddedL1, ReadL1, SendL1, DEV_OPERATOR};
use bastion_node::posted::PostedData;
use bastion_node::second_verifier::SecondVerifier;
use bastion_node::settle::{prove_call, to_u256, RollupClient};
use bastion_protocol::{field, BlockProof, Fr, Header, PublicInputs};
use serde::{Deserialize, Serialize};

/// What is claimed about a block, and its data.
pub struct Claim {
    pub header: Header,
    pub data: Vec<u8>,
    /// What follows from both.
    pub inputs: PublicInputs<Fr>,
}

impl Claim {
    pub fn new(header: Header, data: Vec<u8>) -> Self {
        let inputs = header.public_inputs(&data).unwrap();
        Self { header, data, inputs }
    }

    /// The proof of something else, with this statement.
    fn stated(&self, proof: &BlockProof) -> BlockProof {
        BlockProof { inputs: self.inputs, ..proof.clone() }
    }
}

/// The contracts, on a chain whose queue is that of the proven block.
pub struct Contract {
    pub l1: EmbeddedL1,
    pub rollup: RollupClient,
    /// The generated verifier, which the rollup calls.
    pub verifier: Address,
}

impl Contract {
    /// What the rollup says of a block with these data: `accepted`, or its error's name. It derives the
    /// statement itself, in the call that commits the block.
    pub fn rollup(&mut self, claim: &Claim, proof: &BlockProof) -> &'static str {
        let posted = PostedData::from(&claim.data);
        if let Err(why) = self.rollup.commit(&mut self.l1, &claim.header, posted) {
            return name(&why.to_string());
        }
        let exits = posted.exit_root(claim.header.batches).unwrap();
        let prove = prove_call(1, &claim.stated(proof), exits);
        let verdict = match self.l1.view(self.rollup.rollup, prove) {
            Ok(_) => "accepted",
            // With another statement than the rollup derived it would be `WrongInputs`.
            Err(why) => name(&why.to_string()),
        };
        let back = IRollup::revertCommitsCall {}.abi_encode().into();
        self.l1.send(DEV_OPERATOR, self.rollup.rollup, U256::ZERO, back).unwrap();
        verdict
    }

    /// Whether the generated verifier accepts.
    pub fn verifies(&mut self, claim: &Claim, proof: &BlockProof) -> bool {
        let words = claim.stated(proof).instances().map(|x| to_u256(&x));
        self.l1.view(self.verifier, verify_calldata(&words, &proof.proof)).is_ok()
    }
}

/// The errors with which the rollup may refuse another order.
fn name(why: &str) -> &'static str {
    // The verifier's error, and that of L1 operations that are not the queue's next ones. Data that cannot be read as
    // so many batches do not come about by another order.
    let known = ["PairingFailed", "QueueMismatch"];
    known.iter().find(|name| why.contains(**name)).unwrap_or_else(|| panic!("{why}"))
}

/// What `bastion-audit` says: `accepted`, or the name of its refusal.
pub fn audit(second: &SecondVerifier, claim: &Claim, proof: &BlockProof) -> String {
    let instances = claim.stated(proof).instances().to_vec();
    match second.block().verify(&[instances], &proof.proof) {
        Ok(()) => "accepted".into(),
        Err(refused) => {
            let text = format!("{refused:?}");
            text.split(['(', ' ']).next().unwrap_or_default().into()
        }
    }
}

/// What the TypeScript verifier is told of a claim: the rest is that of the proven block.
#[derive(Serialize)]
struct Told {
    data: String,
    c_out: String,
}

/// What it says of one.
#[derive(Deserialize)]
struct Said {
    /// Of what it derived.
    r: String,
    y_out: String,
    /// Of the file of the proof, which names another statement.
    file: String,
    /// Of the same proof with the statement that it derived.
    stated: String,
}

/// What the TypeScript verifier says of the claims: of the file of the proof, and with the statement in it.
/// `folder` has the files of the verifier and of the proven block.
pub fn typescript(folder: &Path, claims: &[Claim]) -> Vec<[String; 2]> {
    let program =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/ts/build/test/reordered.js");
    let build = "(cd clients/ts && npm ci && npm run build)";
    assert!(program.exists(), "build the TypeScript client: {build}");
    let told = claims.iter().map(|claim| Told {
        data: format!("0x{}", hex::encode(&claim.data)),
        c_out: field::to_hex(&claim.header.c_out),
    });
    let told = serde_json::to_vec(&told.collect::<Vec<_>>()).unwrap();
    std::fs::write(folder.join("claims.json"), told).unwrap();
    let output = Command::new("node").arg(&program).arg(folder).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "a build that is not of these sources? {build}\n{errors}");
    let said: Vec<Said> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said.len(), claims.len());
    let both = said.into_iter().zip(claims).map(|(said, claim)| {
        // Both derive the same.
        assert_eq!(said.r, field::to_hex(&claim.inputs.r));
        assert_eq!(said.y_out, field::to_hex(&claim.inputs.y_out));
        [said.file, said.stated]
    });
    both.collect()
}

/// How often each thing was said.
pub type Tally = BTreeMap<String, usize>;

pub fn count(tally: &mut Tally, name: &str) {
    *tally.entry(name.into()).or_default() += 1;
}
