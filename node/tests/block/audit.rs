//! An audit of what the contract holds: clean as it is, and a named finding for each planted fault.

use alloy_primitives::keccak256;
use bastion_audit::chain::{Departure, History, Refund, Registration};
use bastion_audit::{audit, Circuit, Expectation, Replay, Report};
use bastion_contract::VerifierArtifact;
use bastion_l1::EmbeddedL1;
use bastion_node::code;
use bastion_node::devnet::dev_policy;
use bastion_node::history::collect;
use bastion_node::second_verifier::SecondVerifier;
use bastion_node::settle::RollupClient;
use bastion_protocol::data::BatchData;
use bastion_protocol::records::Section;
use bastion_protocol::{Address, Fr};
use bastion_state::state::State;
use bastion_state::store::Store;

pub type Fault = (&'static str, fn(&mut History));

/// Everything that somebody on L1 or a dishonest node could change, and the finding that names it.
const FAULTS: [Fault; 28] = [
    ("genesis", |h| h.genesis += Fr::from(1u64)),
    ("policy", |h| h.policies[0].root += Fr::from(1u64)),
    ("contract_code", |h| h.code.rollup[0] ^= 1),
    ("contract_code", |h| h.code.governance[0] ^= 1),
    ("block_policy", |h| h.blocks[0].header.policy_root += Fr::from(1u64)),
    ("verifier_code", |h| h.verifiers[0].code[0] ^= 1),
    // One that was never announced.
    ("verifier_change", |h| {
        h.verifiers.push(Registration { circuit_id: [7; 32], ..h.verifiers[0] })
    }),
    ("circuit", |h| h.blocks[0].proving.as_mut().unwrap().circuit_id[0] ^= 1),
    ("forged_departure", |h| {
        h.departures.push(Departure {
            index: 1 << 17,
            to: Address([7; 20]),
            token: 0,
            amount: 1,
            time: 1,
        })
    }),
    ("forged_refund", |h| {
        h.refunds.push(Refund { entry: 1, to: Address([7; 20]), token: 0, amount: 1 })
    }),
    ("root_continuity", |h| h.blocks[0].header.old_root += Fr::from(1u64)),
    ("root", |h| h.blocks[0].header.new_root += Fr::from(1u64)),
    ("finalized_root", |h| h.blocks[0].finalized = Some(Fr::from(1u64))),
    ("state_root", |h| h.state_root += Fr::from(1u64)),
    // Altered calldata: another amount in the first signed operation.
    ("public_inputs", |h| edit(h, |b| records(b, Section::L2)[0][14] ^= 1)),
    ("root", |h| edit(h, |b| records(b, Section::L2)[0][14] ^= 1)),
    // Withheld records.
    ("public_inputs", |h| edit(h, |b| drop(records(b, Section::L2).remove(0)))),
    ("replay", |h| edit(h, |b| drop(records(b, Section::Exits).pop()))),
    ("data", |h| h.blocks[0].data.truncate(40)),
    ("data", |h| h.blocks[0].data.push(0)),
    ("exit_root", |h| h.blocks[0].exit_root[31] ^= 1),
    ("queue", |h| h.queue.swap(0, 1)),
    ("queue_count", |h| h.blocks[0].processed += 1),
    ("proof_missing", |h| h.blocks[0].proving = None),
    ("proof", |h| h.blocks[0].proving.as_mut().unwrap().proof[40] ^= 1),
    ("double_claim", |h| h.claims.push(h.claims[0])),
    ("forged_exit", |h| h.claims[0].to = Address([7; 20])),
    ("early_claim", |h| h.claims[0].time = 0),
];

fn records(batch: &mut BatchData, section: Section) -> &mut Vec<Vec<u8>> {
    &mut batch.records[section as usize]
}

/// Changes the posted data of the first block.
fn edit(history: &mut History, change: impl FnOnce(&mut BatchData)) {
    let data = &mut history.blocks[0].data;
    let mut batch = BatchData::read(&mut data.as_slice()).unwrap();
    change(&mut batch);
    *data = batch.to_bytes();
}

fn run(
    history: &History,
    settlement: &RollupClient,
    contract: &VerifierArtifact,
    second: &SecondVerifier,
    from: usize,
) -> (Report, Replay) {
    let circuits = [Circuit {
        id: settlement.circuit_id.0,
        code: keccak256(&contract.deployed_bytecode).0,
        verifier: second.block(),
    }];
    audit(
        history,
        &Expectation {
            policies: &[dev_policy()],
            circuits: &circuits,
            code: code::expected(history).unwrap(),
            from,
            to: None,
        },
    )
}

/// What an audit says.
pub fn report(
    history: &History,
    settlement: &RollupClient,
    contract: &VerifierArtifact,
    second: &SecondVerifier,
) -> Report {
    run(history, settlement, contract, second, 1).0
}

pub fn finds_every_planted_fault(
    l1: &mut EmbeddedL1,
    settlement: &RollupClient,
    contract: &VerifierArtifact,
    second: &SecondVerifier,
    state: &State,
) -> History {
    let honest = collect(l1, settlement.rollup).unwrap();
    let run_from =
        |history: &History, from: usize| run(history, settlement, contract, second, from);
    let run = |history: &History| run_from(history, 1);
    let (report, replay) = run(&honest);
    assert!(report.clean, "{report:#?}");
    assert_eq!((report.blocks, report.batches, report.proofs), (1, 1, 1));
    assert_eq!(report.accounts, state.accounts().count());

    for (number, (name, plant)) in FAULTS.iter().enumerate() {
        let mut history = honest.clone();
        plant(&mut history);
        let (report, _) = run(&history);
        let names: Vec<_> = report.findings.iter().map(|f| f.name).collect();
        assert!(!report.clean && names.contains(name), "{number}: {name}: {names:?}");
    }
    two_blocks(&honest, &run);

    // An audit that goes on from an earlier one does not verify its proofs again.
    let mut checked = honest.clone();
    checked.blocks[0].proving.as_mut().unwrap().proof[40] ^= 1;
    let (later, _) = run_from(&checked, 2);
    assert!(later.clean && later.proofs == 0 && later.blocks == 1);

    // The rebuilt state is the operator's, and a store of it opens.
    let accounts = replay.accounts().map(|(i, a)| (i, *a));
    let rebuilt = State::with_accounts(accounts, replay.openings().copied()).unwrap();
    for (index, account) in state.accounts() {
        assert_eq!(rebuilt.account(index), Some(account));
        assert_eq!(rebuilt.opening(account.owner), state.opening(account.owner));
    }
    let dir = tempfile::tempdir().unwrap();
    drop(Store::restore(dir.path(), &rebuilt, report.batches).unwrap());
    let (store, opened) = Store::open(dir.path()).unwrap();
    assert_eq!((store.batches(), opened.root()), (1, state.root()));
    drop(store);
    assert!(Store::restore(dir.path(), &rebuilt, 1).is_err());
    honest
}

/// Faults that need a second block: the first once more.
fn two_blocks(honest: &History, run: &dyn Fn(&History) -> (Report, Replay)) {
    let mut history = honest.clone();
    history.blocks.push(honest.blocks[0].clone());
    let proof_of_another = run(&history).0;
    let names = |report: &Report| report.findings.iter().map(|f| f.name).collect::<Vec<_>>();
    assert!(names(&proof_of_another).contains(&"root_continuity"));

    history.blocks[1].header.old_root = honest.blocks[0].header.new_root;
    assert!(names(&run(&history).0).contains(&"public_inputs"));
    history.blocks[1].header.time -= 1;
    assert!(names(&run(&history).0).contains(&"time"));

    history.blocks[0].finalized = None;
    assert!(names(&run(&history).0).contains(&"missing_block"));
}
