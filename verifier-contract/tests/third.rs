//! What the contract and `bastion-audit` say of the changed proofs that the TypeScript verifier
//! judges too. Their verdicts stand in `clients/ts/test/block/verdicts.txt`, one letter a proof, or
//! a point where none was judged yet: its tests compare its own with them. `BASTION_MUTATIONS` says
//! how many are judged, spread over the list; `BASTION_BLESS` adds them to the file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use alloy_primitives::{hex, Address, Bytes, B256, U256};
use bastion_audit::{Description, Refused, Verifier};
use bastion_contract::bindings::verify_calldata;
use bastion_contract::evm::Evm;
use bastion_protocol::field;
use support::mutations::{Call, Calls, Layout};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/ts/test/block")
}

fn unpacked(name: &str) -> Vec<u8> {
    let output = Command::new("gzip").arg("-dc").arg(folder().join(name)).output().unwrap();
    assert!(output.status.success(), "{name}");
    output.stdout
}

fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder().join(name)).unwrap()).unwrap()
}

fn honest() -> Call {
    let proof = json("0000.proof.json");
    let bytes = |text: &serde_json::Value| hex::decode(text.as_str().unwrap()).unwrap();
    let instances = proof["instances"].as_array().unwrap().iter().flat_map(bytes).collect();
    Call { instances, proof: bytes(&proof["proof"]) }
}

fn words(call: &Call) -> Vec<U256> {
    call.instances.chunks_exact(32).map(U256::from_be_slice).collect()
}

/// The second verifier's verdict as a letter.
fn letter(verifier: &Verifier, call: &Call) -> char {
    let words = call.instances.chunks_exact(32);
    let instances: Result<Vec<_>, _> =
        words.map(|word| field::from_bytes("instance", word.try_into().unwrap())).collect();
    let Ok(instances) = instances else { return 'i' };
    match verifier.verify(&[instances], &call.proof) {
        Ok(()) => 'y',
        Err(Refused::InstanceCount { .. }) => 'n',
        Err(Refused::Length { .. }) => 'l',
        Err(Refused::Point(_) | Refused::Scalar(_)) => 'm',
        Err(Refused::Pairing) => 'p',
        Err(Refused::Accumulator(_) | Refused::AccumulatedPairing) => 'a',
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_verdicts_that_the_third_verifier_is_compared_with() {
    let description = Description::from_json(&unpacked("description.json.gz")).unwrap();
    let layout = Layout {
        points: description.witness_count() + 1,
        evaluations: description.evaluation_count(),
    };
    let audit = Verifier::new(description).unwrap();
    let mut evm = Evm::default();
    let code = hex::decode(unpacked("BastionVerifier.bin.gz")).unwrap();
    let contract = evm.deploy(Bytes::from(code)).unwrap();
    let hash: B256 = json("manifest.json")["code_hash"].as_str().unwrap().parse().unwrap();
    assert_eq!(alloy_primitives::keccak256(evm.code(contract).unwrap()), hash);

    let calls = Calls::new(&honest(), layout);
    let bless = std::env::var_os("BASTION_BLESS").is_some();
    let rounds: usize = std::env::var("BASTION_MUTATIONS").map_or(500, |n| n.parse().unwrap());
    let rounds = rounds.min(calls.count());
    let mut letters = BTreeMap::new();
    for round in 0..rounds {
        let number = round * calls.count() / rounds;
        let call = calls.get(number);
        let verdict = letter(&audit, &call);
        let calldata = verify_calldata(&words(&call), &call.proof);
        let accepted = evm.view(Address::ZERO, contract, calldata).unwrap().is_success();
        assert_eq!(accepted, verdict == 'y', "call {number}");
        assert_eq!(accepted, number == 0, "call {number}");
        letters.insert(number, verdict);
    }

    let path = folder().join("verdicts.txt");
    let head = format!("{} calls, digest {}", calls.count(), calls.digest());
    let text = fs::read_to_string(&path).unwrap_or_default();
    let written = text.strip_prefix(&head).map(str::trim);
    let mut verdicts = match (written, bless) {
        (Some(verdicts), _) => verdicts.as_bytes().to_vec(),
        (None, true) => vec![b'.'; calls.count()],
        (None, false) => panic!("{} is of another list", path.display()),
    };
    assert_eq!(verdicts.len(), calls.count());
    for (number, letter) in &letters {
        let verdict = &mut verdicts[*number];
        if *verdict == b'.' && bless {
            *verdict = u8::try_from(*letter).unwrap();
        }
        assert_eq!(*verdict, u8::try_from(*letter).unwrap(), "call {number}");
    }
    assert!(!verdicts.contains(&b'.') || bless, "some calls were never judged");
    if bless {
        fs::write(&path, format!("{head}\n{}\n", str::from_utf8(&verdicts).unwrap())).unwrap();
    }
    let mut sums = BTreeMap::new();
    letters.values().for_each(|letter| *sums.entry(letter).or_insert(0) += 1);
    if let Ok(report) = std::env::var("BASTION_SOUNDNESS_REPORT") {
        use std::io::Write;
        let file = fs::File::options().create(true).append(true).open(report);
        writeln!(file.unwrap(), "mutated_proofs {rounds}\ndisagreements 0").unwrap();
    }
    println!("{rounds} calls judged by arkworks and by the contract, 0 disagreements: {sums:?}");
}
