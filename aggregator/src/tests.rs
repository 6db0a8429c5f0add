//! Blocks of two toy batches: what is accepted, and everything that must not be.

use bastion_prover::ErrorClass;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Instant;
use std::{array, fs};

use alloy_primitives::U256;
use bastion_circuits::witness::convert::to_halo2;
use bastion_contract::bindings::verify_calldata;
use bastion_contract::evm::Evm;
use bastion_contract::solc::compile;
use bastion_contract::VerifierArtifact;
use bastion_protocol::{field, BatchProof, BlockProof, CircuitId};
use bastion_prover::artifact::Storing;
use bastion_prover::keys::{CircuitKeys, VerifierKey};
use bastion_prover::progress::Progress;
use bastion_prover::proof::to_snark;
use bastion_prover::srs::{packed_k, Srs};
use halo2_base::gates::circuit::CircuitBuilderStage;
use halo2_base::ContextCell;
use halo2_proofs::dev::{MockProver, VerifyFailure};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::poly::commitment::ParamsProver;
use rand::rngs::StdRng;
use rand::SeedableRng;
use snark_verifier_sdk::halo2::gen_dummy_snark_from_protocol;
use snark_verifier_sdk::{Snark, SHPLONK};

use crate::circuit::BlockCircuit;
use crate::proof::{prove, verify_under};
use crate::test_circuit::{ToyCircuit, ToyShape, INPUTS, K};
use crate::verifier::StoredBlockVerifier;
use crate::{
    aggregate, store, verifier, verify, AggregatorError, BlockKeys, BlockShape, LIMBS,
    PUBLIC_INPUTS,
};
use bastion_protocol::inputs::{LINKS, NAMES, SHARED};

/// The fewest rows at which two toys make a contract of a reasonable size.
const SHAPE: BlockShape = BlockShape { batches: 2, k: 17 };

struct Fixture {
    dir: tempfile::TempDir,
    srs: Srs,
    toy: CircuitKeys,
    keys: BlockKeys,
    contract: VerifierArtifact,
}

impl Fixture {
    fn batch(&self) -> &VerifierKey {
        self.toy.verifier()
    }

    fn path(&self) -> PathBuf {
        store::path(self.dir.path(), SHAPE, self.batch(), &self.srs)
    }

    fn toy_proof(&self, inputs: [Fr; INPUTS]) -> BatchProof {
        let params = self.srs.params(K).unwrap();
        bastion_prover::proof::prove(&params, &self.toy, ToyCircuit::new(inputs), rng(1)).unwrap()
    }

    fn snarks(&self, proofs: &[BatchProof]) -> Vec<Snark> {
        let snark = |proof: &BatchProof| to_snark(proof, self.batch()).unwrap();
        proofs.iter().map(snark).collect()
    }

    fn refusal(&self, proofs: &[BatchProof]) -> AggregatorError {
        aggregate(&self.keys, self.batch(), proofs, &self.srs).unwrap_err()
    }

    fn check(&self, proof: &BlockProof) -> Result<(), AggregatorError> {
        verify(proof, &self.keys.verifier)
    }
}

/// Randomness that repeats; `BASTION_TEST_SEED` gives another.
fn rng(place: u64) -> StdRng {
    let seed = std::env::var("BASTION_TEST_SEED").map_or(0xba57, |seed| seed.parse().unwrap());
    println!("BASTION_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed ^ (place << 56))
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let (k, ks) = (packed_k(SHAPE.k), [K, SHAPE.k]);
    let srs = Srs::generate_unsafe_dev_packed(k, &ks, &[SHAPE.k], rng(2)).unwrap();
    let toy = CircuitKeys::generate::<ToyCircuit>(&ToyShape::default(), &srs).unwrap();
    let start = Instant::now();
    let progress = Progress::silent();
    let keys = BlockKeys::load_or_generate(
        dir.path(),
        SHAPE,
        toy.verifier(),
        &srs,
        Storing::Required,
        &progress,
    )
    .unwrap();
    let contract = VerifierArtifact::build(keys.description()).unwrap();
    println!(
        "keygen {:?}, {:?}, contract {} bytes",
        start.elapsed(),
        keys.config(),
        contract.code_size
    );
    Fixture { dir, srs, toy, keys, contract }
});

/// Public inputs of two batches that follow each other: old values 100.., new ones 200.., 300...
fn chain() -> [[Fr; INPUTS]; 2] {
    let first: [Fr; INPUTS] = array::from_fn(|i| Fr::from(100 + i as u64));
    let mut second = first;
    for (output, input) in LINKS {
        second[input] = first[output];
        second[output] = Fr::from(300 + output as u64);
    }
    [first, second]
}

fn in_evm(fixture: &Fixture, proof: &BlockProof) -> bool {
    let mut evm = Evm::default();
    let code = fixture.contract.bytecode.clone();
    let contract = evm.deploy(code).unwrap();
    let words = proof.instances().map(|x| U256::from_be_bytes(field::to_bytes(&x)));
    let result = evm.call(contract, verify_calldata(&words, &proof.proof)).unwrap();
    println!("EVM: {:?}, {} gas", result.status, result.gas_used);
    result.is_success()
}

#[test]
fn a_chain_is_accepted_and_every_change_of_its_proof_refused() {
    let fixture = &*FIXTURE;
    let inputs = chain();
    let proofs = inputs.map(|inputs| fixture.toy_proof(inputs));
    let start = Instant::now();
    let proof = aggregate(&fixture.keys, fixture.batch(), &proofs, &fixture.srs).unwrap();
    println!("proof {:?}, {:?}", start.elapsed(), bastion_prover::plonk::Timings::take());
    let public = proof.inputs.map(to_halo2).into_array();
    for (i, value) in public.iter().enumerate() {
        let batch = usize::from(LINKS.iter().any(|(output, _)| *output == i));
        assert_eq!(*value, inputs[batch][i], "{}", NAMES[i]);
    }
    assert!(in_evm(fixture, &proof));
    if std::env::var_os("BASTION_BLESS").is_some() {
        bless(fixture, &proof);
    }

    // Limbs of the accumulator and public inputs, each moved by one.
    for i in 0..PUBLIC_INPUTS {
        let mut instances = proof.instances();
        instances[i] += bastion_protocol::Fr::from(1u64);
        let changed = BlockProof::new(proof.circuit_id, instances, proof.proof.clone());
        let error = fixture.check(&changed).unwrap_err();
        assert!(matches!(error, AggregatorError::Invalid(_)), "{i}: {error}");
    }
    // A pair of points that is fine in itself, but not that of this proof.
    let mut exchanged = proof.clone();
    exchanged.accumulator.rotate_left(LIMBS / 2);
    assert!(fixture.check(&exchanged).is_err());

    for at in (0..proof.proof.len()).step_by(61) {
        let mut changed = proof.clone();
        changed.proof[at] ^= 1;
        let error = fixture.check(&changed).unwrap_err();
        assert!(matches!(error, AggregatorError::Invalid(_)), "byte {at}");
    }
    for bytes in [[&proof.proof[..], &[0]].concat(), proof.proof[..100].to_owned()] {
        let mut changed = proof.clone();
        changed.proof = bytes;
        assert_eq!(fixture.check(&changed).unwrap_err().class(), ErrorClass::Invalid);
    }
    let mut other = proof.clone();
    other.circuit_id = CircuitId::new([1; 32]);
    assert_eq!(fixture.check(&other).unwrap_err().class(), ErrorClass::Mismatch);
}

/// Writes what the contract's and the third verifier's tests start from.
fn bless(fixture: &Fixture, proof: &BlockProof) {
    let sample = serde_json::json!({
        "description": fixture.keys.description(),
        "document": fixture.keys.description().to_document(),
        "instances": proof.instances().map(|x| field::to_hex(&x)),
        "proof": format!("0x{}", hex::encode(&proof.proof)),
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../verifier-contract/tests/data/block.json");
    fs::write(path, sample.to_string()).unwrap();
}

/// A child that does not hold is aggregated all the same, and the block proof is a valid proof of
/// the block circuit: what gives it away is the accumulator alone.
#[test]
fn a_false_accumulator_is_refused() {
    let fixture = &*FIXTURE;
    let mut proofs = chain().map(|inputs| fixture.toy_proof(inputs));
    // The claim is changed, the proof is not.
    proofs[0].public_inputs[0] += bastion_protocol::Fr::from(1u64);
    assert!(matches!(fixture.refusal(&proofs), AggregatorError::Child { batch: 0, .. }));
    let proof = prove(&fixture.keys, fixture.snarks(&proofs), &fixture.srs).unwrap();

    let mut description = fixture.keys.verifier.description.clone();
    let accumulator = description.accumulator.take().unwrap();
    assert_eq!(accumulator.indices.len(), LIMBS);
    verify_under(&description, &proof).unwrap();
    let error = fixture.check(&proof).unwrap_err();
    assert!(matches!(error, AggregatorError::Invalid(_)), "{error}");
    assert!(!in_evm(fixture, &proof));
}

#[test]
fn what_does_not_fit_is_refused_before_proving() {
    let fixture = &*FIXTURE;
    let inputs = chain();
    let proofs = inputs.map(|inputs| fixture.toy_proof(inputs));

    let three = [proofs[0].clone(), proofs[1].clone(), proofs[1].clone()];
    for given in [&three[..0], &three[..1], &three] {
        let error = fixture.refusal(given);
        assert!(
            matches!(error, AggregatorError::WrongNumber { expected: 2, got } if got == given.len())
        );
    }
    let linked = LINKS.iter().map(|(_, input)| *input);
    for broken in linked.chain(SHARED) {
        let mut second = inputs[1];
        second[broken] += Fr::ONE;
        let error = fixture.refusal(&[proofs[0].clone(), fixture.toy_proof(second)]);
        assert!(
            matches!(error, AggregatorError::BrokenChain { batch: 1, input } if input == NAMES[broken]),
            "{error}"
        );
        assert_eq!(error.class(), ErrorClass::Invalid);
    }
    let swapped = [proofs[1].clone(), proofs[0].clone()];
    assert!(matches!(fixture.refusal(&swapped), AggregatorError::BrokenChain { .. }));
    for at in [0, 40, proofs[1].proof.len() - 1] {
        let mut tampered = proofs.clone();
        tampered[1].proof[at] ^= 1;
        let error = fixture.refusal(&tampered);
        assert!(matches!(error, AggregatorError::Child { batch: 1, .. }));
        assert_eq!(error.class(), ErrorClass::Invalid);
    }

    let other = CircuitKeys::generate::<ToyCircuit>(&ToyShape { mark: 1 }, &fixture.srs).unwrap();
    let error = aggregate(&fixture.keys, other.verifier(), &proofs, &fixture.srs).unwrap_err();
    assert!(matches!(error, AggregatorError::CircuitMismatch { what: "batch", .. }));
    let mut renamed = proofs.clone();
    renamed[0].circuit_id = other.circuit_id();
    assert_eq!(fixture.refusal(&renamed).class(), ErrorClass::Mismatch);
}

/// The copy constraints between the batches that the verifying key fixes: these seven and no more.
#[test]
fn the_circuit_links_neighbours() {
    let fixture = &*FIXTURE;
    let params = fixture.srs.params(SHAPE.k).unwrap();
    let dummy = || gen_dummy_snark_from_protocol::<SHPLONK>(fixture.batch().protocol().clone());
    let snarks = [dummy(), dummy(), dummy()];
    let g1 = params.get_g()[0];
    let circuit = BlockCircuit::new(CircuitBuilderStage::Keygen, SHAPE.k, g1, &snarks).unwrap();
    let mut inputs: HashMap<ContextCell, (usize, usize)> = HashMap::new();
    for (batch, cells) in circuit.batches.iter().enumerate() {
        for (i, cell) in cells.iter().enumerate() {
            assert!(inputs.insert(cell.cell.unwrap(), (batch, i)).is_none());
        }
    }
    let copies = circuit.copies.lock().unwrap();
    let found: BTreeSet<_> = copies
        .advice_equalities
        .iter()
        .filter_map(|(a, b)| Some((*inputs.get(a)?, *inputs.get(b)?)))
        .map(|(a, b)| (a.min(b), a.max(b)))
        .collect();
    let expected: BTreeSet<_> = (0..2)
        .flat_map(|batch| {
            let shared = SHARED.map(|i| (i, i));
            LINKS
                .into_iter()
                .chain(shared)
                .map(move |(output, input)| ((batch, output), (batch + 1, input)))
        })
        .collect();
    assert_eq!(found, expected);
}

/// Past the host's check, a broken chain does not satisfy the circuit.
#[test]
fn the_circuit_refuses_a_broken_chain() {
    let fixture = &*FIXTURE;
    let [first, mut second] = chain();
    second[0] += Fr::ONE;
    let proofs = [first, second].map(|inputs| fixture.toy_proof(inputs));
    let params = fixture.srs.params(SHAPE.k).unwrap();
    let snarks = fixture.snarks(&proofs);
    let g1 = params.get_g()[0];
    let circuit = BlockCircuit::new(CircuitBuilderStage::Mock, SHAPE.k, g1, &snarks).unwrap();
    let start = Instant::now();
    let mock = MockProver::run(SHAPE.k, &circuit, vec![circuit.instances()]).unwrap();
    let failures = mock.verify().unwrap_err();
    println!("mock {:?}", start.elapsed());
    // One copy that does not hold: both of its ends are reported, and nothing else.
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert!(failures.iter().all(|f| matches!(f, VerifyFailure::Permutation { .. })));
}

#[test]
fn cached_keys_are_the_same_and_damage_is_found() {
    let fixture = &*FIXTURE;
    let path = fixture.path();
    let read = |path: &PathBuf| store::read(path, SHAPE, fixture.batch(), &fixture.srs);
    let load = || {
        let progress = Progress::silent();
        let (dir, batch) = (fixture.dir.path(), fixture.batch());
        let required = Storing::Required;
        BlockKeys::load_or_generate(dir, SHAPE, batch, &fixture.srs, required, &progress).unwrap()
    };
    let same = |cached: &BlockKeys| {
        assert_eq!(cached.verifier.circuit_id, fixture.keys.verifier.circuit_id);
        assert_eq!(cached.break_points, fixture.keys.break_points);
        assert_eq!(cached.verifier.srs_id, fixture.srs.id());
    };
    let stamp = || fs::metadata(&path).unwrap().modified().unwrap();
    let before = stamp();
    same(&load());

    assert_eq!(stamp(), before, "the proving key was made once");

    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.pk");
    assert!(read(&copy).unwrap().is_none());
    let (pk, side) = (fs::read(&path).unwrap(), fs::read(path.with_extension("side")).unwrap());
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    for (bad_pk, bad_side) in [
        (flipped(&pk), side.clone()),
        (cut(&pk), side.clone()),
        (pk.clone(), flipped(&side)),
        (pk.clone(), cut(&side)),
        (pk.clone(), Vec::new()),
    ] {
        fs::write(&copy, bad_pk).unwrap();
        fs::write(copy.with_extension("side"), bad_side).unwrap();
        let Err(error) = read(&copy) else { panic!("damage went unnoticed") };
        assert_eq!(error.class(), ErrorClass::Missing, "{error}");
    }
}

#[test]
fn the_verifier_folder_is_complete_and_checked() {
    let fixture = &*FIXTURE;
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("verifier");
    let export = || {
        let stored = StoredBlockVerifier::new(&fixture.keys, fixture.contract.clone());
        verifier::export(&stored, &fixture.keys, fixture.batch(), &dir)
    };
    let find = || verifier::find(&dir, &fixture.keys, fixture.batch());
    assert!(find().is_none());
    let manifest = export().unwrap();
    let found = find().unwrap();
    assert_eq!(found.contract, fixture.contract);
    // A contract that does not follow from the keys is not believed.
    let mut other = fixture.contract.clone();
    other.solidity.push(' ');
    let other = StoredBlockVerifier::new(&fixture.keys, other);
    verifier::export(&other, &fixture.keys, fixture.batch(), &dir).unwrap();
    assert!(verifier::read_verifiers(&dir).is_ok());
    assert!(find().is_none());
    assert_eq!(export().unwrap(), manifest);
    assert_eq!(verifier::read(&dir).unwrap(), manifest);
    assert!(manifest.unsafe_srs);
    assert_eq!(manifest.solc_version.split('.').count(), 3);
    assert_eq!(manifest.circuit_id, fixture.keys.verifier.circuit_id);
    // The manifest speaks of the code that these sources give.
    let solidity = fs::read_to_string(dir.join("BastionVerifier.sol")).unwrap();
    assert!(!compile(&[("BastionVerifier.sol", &solidity)]).unwrap().is_empty());
    let code = hex::decode(fs::read(dir.join("BastionVerifier.bin")).unwrap()).unwrap();
    let mut evm = Evm::default();
    let contract = evm.deploy(code.into()).unwrap();
    let deployed = evm.code(contract).unwrap();
    assert_eq!(alloy_primitives::keccak256(&deployed), manifest.code_hash);
    assert_eq!(deployed.len(), manifest.code_size);

    for name in manifest.files.keys() {
        fs::write(dir.join(name), "another").unwrap();
        assert_eq!(verifier::read(&dir).unwrap_err().class(), ErrorClass::Missing, "{name}");
        // Writing again repairs it, and leaves nothing beside the folder.
        assert_eq!(export().unwrap(), manifest);
        assert_eq!(verifier::read(&dir).unwrap(), manifest);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }
    // A folder whose files agree with one another, but do not follow from the keys.
    let path = dir.join("manifest.json");
    for (name, json) in [
        ("description.json", true),
        ("batch-description.json", true),
        ("batch-verifier.json", true),
        ("BastionVerifier.bin", false),
    ] {
        let file = dir.join(name);
        let text = fs::read_to_string(&file).unwrap();
        let other = if json { format!("{text} ") } else { format!("{text}00") };
        let digest = bastion_prover::artifact::Digest::of(other.as_bytes()).to_string();
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&file, &other).unwrap();
        fs::write(&path, whole.replace(&manifest.files[name].to_string(), &digest)).unwrap();
        assert!(verifier::read(&dir).is_ok(), "{name}");
        assert!(find().is_none(), "{name}");
        assert_eq!(verifier::read_verifiers(&dir).is_ok(), json, "{name}");
        assert_eq!(export().unwrap(), manifest);
    }
    assert!(find().is_some());
    let path = dir.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let digest = manifest.files["description.json"];
    let outside = format!("\"../description.json\": \"{digest}\", \"description.json\"");
    fs::write(&path, text.replace("\"description.json\"", &outside)).unwrap();
    let error = verifier::read(&dir).unwrap_err();
    assert!(error.to_string().contains("no file name"), "{error}");

    // A manifest that says anything else than the verifiers beside it.
    fs::write(&path, &text).unwrap();
    let (whole, block, batch) = verifier::read_verifiers(&dir).unwrap();
    assert_eq!(whole, manifest);
    assert_eq!(block.points, batch.points);
    let identity = manifest.identity().unwrap();
    for (name, value) in serde_json::to_value(&manifest).unwrap().as_object().unwrap() {
        let other = match value {
            serde_json::Value::Bool(b) => serde_json::json!(!b),
            serde_json::Value::Number(n) => serde_json::json!(n.as_u64().unwrap() + 1),
            serde_json::Value::String(s) => {
                let (last, rest) = s.split_at(1);
                serde_json::json!(format!("{}{rest}", if last == "0" { "1" } else { "0" }))
            }
            _ => continue,
        };
        let mut changed = serde_json::to_value(&manifest).unwrap();
        changed[name] = other;
        fs::write(&path, changed.to_string()).unwrap();
        assert!(verifier::read_verifiers(&dir).is_err(), "{name}");
        if let Ok(changed) = verifier::read(&dir) {
            assert_ne!(changed.identity().unwrap(), identity, "{name}");
        }
    }
}

#[test]
fn shapes_that_cannot_be_are_refused() {
    let fixture = &*FIXTURE;
    for (batches, k) in [(0, 17), (2, 5), (2, 29)] {
        let shape = BlockShape { batches, k };
        let Err(error) = BlockKeys::generate(shape, fixture.batch(), &fixture.srs) else {
            panic!("{shape:?}")
        };
        assert!(matches!(error, AggregatorError::BadShape { .. }), "{error}");
    }
    let large = BlockShape { batches: 2, k: 18 };
    let Err(error) = BlockKeys::generate(large, fixture.batch(), &fixture.srs) else {
        panic!("the SRS is too small")
    };
    assert_eq!(error.class(), ErrorClass::Missing, "{error}");
}

/// All shapes of the batch circuit have the same columns, so that one stands for all.
#[test]
fn every_number_of_batches_fits_its_rows() {
    let fixture = &*FIXTURE;
    let g1 = fixture.srs.params(SHAPE.k).unwrap().get_g()[0];
    let shape = bastion_circuits::Shape::tiny();
    let keys =
        CircuitKeys::generate::<bastion_circuits::BatchCircuit>(&shape, &fixture.srs).unwrap();
    let dummy = || gen_dummy_snark_from_protocol::<SHPLONK>(keys.verifier().protocol().clone());
    // The largest of each size: fewer fit as well.
    for batches in [1, 2, 5, 10, 21, 42] {
        let snarks: Vec<_> = (0..batches).map(|_| dummy()).collect();
        let shape = BlockShape::for_batches(batches);
        let circuit = BlockCircuit::new(CircuitBuilderStage::Keygen, shape.k, g1, &snarks);
        let made = circuit.map(|c| (c.cells(), c.block_params().columns));
        println!("{batches} batches, k = {}: {made:?}", shape.k);
        assert!(made.is_ok_and(|(_, columns)| columns <= 2), "{batches} batches");
        for named in bastion_circuits::Shape::all() {
            let k = shape.srs_k(named.k);
            assert!(k >= named.k && k >= shape.k);
        }
    }
}
