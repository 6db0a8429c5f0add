//! What the contract and `bastion-audit` say of the changed proofs that the TypeScript verifier
//! judges too. Their verdicts stand in `clients/ts/test/block/verdicts.txt`, one letter a proof, or
//! a point where none was judged yet: its tests compare its own with them. `BASTION_MUTATIONS` says
//! how many are judged, spread over the list; `BASTION_BLESS` adds them to the file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use alloy_primitives::{Address, U256};
use bastion_audit::{Refused, Verifier};
use bastion_contract::bindings::verify_calldata;
use bastion_contract::evm::Evm;
use bastion_contract::VerifierArtifact;
use bastion_protocol::field;
use support::mutations::{Call, Calls, Layout};
use support::Sample;

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
    let sample = Sample::block();
    let d = &sample.description;
    let layout = Layout { points: d.commitment_count(), evaluations: d.evaluations().len() };
    let audit = sample.second();
    let mut evm = Evm::default();
    let contract = evm.deploy(VerifierArtifact::build(d).unwrap().bytecode).unwrap();

    let instances = sample.instances.iter().flat_map(|x| x.to_be_bytes::<32>()).collect();
    let calls = Calls::new(&Call { instances, proof: sample.proof }, layout);
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

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/ts/test/block/verdicts.txt");
    let path = Path::new(path);
    let head = format!("{} calls, digest {}", calls.count(), calls.digest());
    let text = fs::read_to_string(path).unwrap_or_default();
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
        fs::write(path, format!("{head}\n{}\n", str::from_utf8(&verdicts).unwrap())).unwrap();
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
