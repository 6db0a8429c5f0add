//! The audit over a history made by hand from honestly executed blocks: clean as it is, and a named
//! finding for everything that a contract, its governance or a node could tell wrong. Proofs are
//! looked at in the tests of `bastion-node`, which has some.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blobs;
mod contract;
mod money;

use bastion_audit::chain::{
    Alarm, Announced, Announcement, Block, Claim, Code, Counters, Departure, Due, Entry,
    ExodusBegan, History, PolicyChange, Proving, Refund, Registration,
};
use bastion_audit::{audit, Circuit, Description, Expectation, Replay, Report, Verifier};
use bastion_protocol::account::FIRST_USER as A;
use bastion_protocol::exits::{exit_root, exit_tree};
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit, Op};
use bastion_protocol::policy::{Policy, TokenLimits};
use bastion_protocol::records::Section;
use bastion_protocol::times::{
    ALARM_DEADLINE, MAX_CLOCK_LAG, MAX_RELEASE_DELAY, POLICY_GRACE, QUEUE_DEADLINE, UPGRADE_DELAY,
    UPGRADE_GRACE,
};
use bastion_protocol::Header;
use bastion_protocol::{Address, Fr};
use bastion_state::executor::order_chain;
use bastion_state::executor::{posted_data, BatchBuilder, BatchContext};
use bastion_state::state::State;

const T: u64 = 1_700_000_000;
const CIRCUIT: [u8; 32] = [1; 32];
const VERIFIER: [u8; 32] = [2; 32];
const CODE: Code = Code { rollup: [3; 32], governance: [4; 32] };

fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(name.as_bytes())
}

fn exit(name: &str) -> Address {
    Address([name.as_bytes()[0]; 20])
}

fn policy() -> Policy {
    Policy {
        guardian_keyhash: key("guardian").public().keyhash(),
        max_freeze: 100,
        cooldown: 200,
        fee_keyhash: key("fees").public().keyhash(),
        fee_exit: exit("fees"),
        default_limits: TokenLimits { rate: 10, burst_seconds: 10, max_delay: 1_000 },
        limits: Default::default(),
    }
}

/// A policy that `policy` may be tightened to.
fn tighter() -> Policy {
    Policy { max_freeze: 50, ..policy() }
}

fn looser() -> Policy {
    Policy { max_freeze: 150, ..policy() }
}

fn deposit(name: &str, token: u16, amount: u128) -> Op {
    Op::Deposit(Deposit { token, amount, keyhash: key(name).public().keyhash(), exit: exit(name) })
}

/// A block of one batch, committed 60 seconds after its time and final another 60 later.
fn block(state: &mut State, time: u64, processed: u64, ops: &[Op]) -> Block {
    let context = BatchContext { domain: Fr::from(9u64), time, policy: policy() };
    let mut batch = BatchBuilder::new(state, context).unwrap();
    for op in ops {
        assert!(batch.push(op, |_| true).unwrap());
    }
    let trace = batch.finish().unwrap();
    let posted = posted_data(&trace.ops);
    Block {
        header: Header {
            old_root: trace.old_root,
            new_root: trace.new_root,
            policy_root: policy().root(),
            domain: trace.context.domain,
            time,
            c_out: order_chain(Fr::from(0u64), &trace.ops),
            batches: 1,
        },
        data: posted.to_bytes(),
        blobs: Vec::new(),
        memo: None,
        committed_at: time + 60,
        exit_root: exit_root(&exit_tree(&posted.records[Section::Exits as usize])),
        inputs_hash: [0; 32],
        processed,
        proving: Some(Proving {
            circuit_id: CIRCUIT,
            accumulator: vec![],
            inputs: None,
            proof: vec![],
            time: time + 120,
        }),
        finalized: Some(trace.new_root),
        finalized_at: Some(time + 120),
    }
}

/// Three deposits and a forced exit in two final blocks, a withdrawal, both exits claimed, the
/// second one refused by its receiver and collected; one deposit and one request wait.
fn honest() -> History {
    let request = |index, name| Op::ForcedExit(ForcedExit { index, token: 0, exit: exit(name) });
    let queue = [
        deposit("anna", 0, 1_000),
        deposit("ben", 0, 1_000),
        deposit("carl", 1, 1_000),
        request(A + 1, "ben"),
        deposit("dora", 1, 50),
        request(A, "anna"),
    ];
    let mut state = State::new();
    let genesis = state.root();
    let first = block(&mut state, T + 1_000, 3, &queue[..3]);
    let body = Body {
        account: A,
        token: 0,
        nonce: 0,
        deadline: T + 10_000,
        fee: 1,
        action: Action::Withdraw { to: exit("zoe"), amount: 300 },
    };
    let out = body.sign(&key("anna"), Fr::from(9u64), exit("anna"));
    let ops = [queue[3], Op::Signed(out.unwrap())];
    let second = block(&mut state, T + 2_000, 4, &ops);
    let header = Some(second.header);
    let claim = |position, name, amount, time| Claim {
        block: 2,
        header,
        position,
        to: exit(name),
        token: 0,
        amount,
        time,
    };
    let entry = |op| Entry { op, time: T + 10 };
    History {
        chain_id: 1,
        contract: Address([9; 20]),
        governance: Address([8; 20]),
        time: T + 9_000,
        code: CODE,
        genesis,
        genesis_time: T,
        policies: vec![PolicyChange { root: policy().root(), time: T, tightened: false }],
        announcements: vec![],
        verifiers: vec![Registration {
            circuit_id: CIRCUIT,
            verifier: Address([7; 20]),
            code: VERIFIER,
            time: T,
            removed: None,
        }],
        state_root: state.root(),
        counters: Counters { committed: 2, proven: 2, finalized: 2, queue: 6, exodus: false },
        queue: queue.map(entry).to_vec(),
        blocks: vec![first, second],
        // ben waits 100 - 10 seconds, zoe 130 - 10, both from the commit on.
        claims: vec![claim(0, "ben", 1_000, T + 2_060 + 90), claim(1, "zoe", 300, T + 2_060 + 120)],
        alarms: vec![],
        exodus: None,
        reverts: 0,
        old_memos: vec![],
        departures: vec![],
        refunds: vec![],
        owed: vec![due("zoe", 0, 300)],
        collected: vec![due("zoe", 0, 300)],
        held: [(0, 700), (1, 1_050)].into(),
    }
}

fn due(name: &str, token: u16, amount: u128) -> Due {
    Due { account: exit(name), token, amount }
}

/// The same after exodus: anna's account left, and dora's deposit went back.
fn left() -> History {
    let mut history = honest();
    history.counters.exodus = true;
    history.exodus =
        Some(ExodusBegan { block: 2, root: history.state_root, time: T + 11 + QUEUE_DEADLINE });
    history.departures.push(Departure {
        index: A,
        to: exit("anna"),
        token: 0,
        amount: 699,
        time: T + 2_120 + MAX_RELEASE_DELAY,
    });
    history.refunds.push(Refund { entry: 5, to: exit("dora"), token: 1, amount: 50 });
    history.held = [(0, 1), (1, 1_000)].into();
    history
}

fn run(history: &History, to: Option<usize>) -> (Report, Replay) {
    let document = Description::from_json(include_bytes!("../data/plain.json")).unwrap();
    let verifier = Verifier::new(document).unwrap();
    let circuits = [Circuit { id: CIRCUIT, code: VERIFIER, verifier: &verifier }];
    let expected = Expectation {
        policies: &[policy(), tighter(), looser()],
        circuits: &circuits,
        code: CODE,
        from: usize::MAX,
        to,
    };
    audit(history, &expected)
}

fn names(findings: &[bastion_audit::Finding]) -> Vec<&'static str> {
    findings.iter().map(|f| f.name).collect()
}

/// The finding that a fault must lead to, and what plants it.
type Fault<'a> = (&'a str, &'a dyn Fn(&mut History));

/// All faults are planted one by one, and each is named, alone or among what follows from it.
fn finds(honest: &History, faults: &[Fault<'_>]) {
    for (number, (name, plant)) in faults.iter().enumerate() {
        let mut history = honest.clone();
        plant(&mut history);
        let (report, _) = run(&history, None);
        let found = names(&report.findings);
        assert!(found.contains(name), "{number}: {name}: {found:?}");
        assert!(!report.clean);
    }
}

fn clean(history: &History) -> Report {
    let (report, _) = run(history, None);
    assert!(report.clean, "{:#?}", report.findings);
    report
}

#[test]
fn an_honest_history_is_clean() {
    let report = clean(&honest());
    assert_eq!((report.blocks, report.batches, report.operations), (2, 2, 5));
    assert_eq!((report.queue_waiting, report.pending, report.proofs), (2, 0, 0));
    assert!(report.notices.is_empty());
    clean(&left());
}
