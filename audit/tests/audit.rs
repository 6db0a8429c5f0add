//! The audit over a history made by hand from honestly executed blocks: clean as it is, and a named
//! finding for everything that a contract, its governance or a node could tell wrong. Proofs are
//! looked at in the tests of `bastion-node`, which has some.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bastion_audit::audit::{
    ALARM_DEADLINE, MAX_CLOCK_LAG, MAX_RELEASE_DELAY, POLICY_GRACE, QUEUE_DEADLINE, UPGRADE_DELAY,
    UPGRADE_GRACE,
};
use bastion_audit::chain::{
    Alarm, Announced, Announcement, Block, Claim, Code, Counters, Departure, Due, Entry,
    ExodusBegan, Header, History, PolicyChange, Proving, Refund, Registration,
};
use bastion_audit::{audit, Circuit, Description, Expectation, Replay, Report, Verifier};
use bastion_state::account::FIRST_USER as A;
use bastion_state::data::{exit_root, exit_tree, word_chain, BatchData, Section};
use bastion_state::executor::{BatchBuilder, BatchContext};
use bastion_state::keys::SecretKey;
use bastion_state::ops::{Action, Body, Deposit, ForcedExit, Op};
use bastion_state::policy::{Policy, TokenLimits};
use bastion_state::state::State;
use bastion_state::{Address, Fr};

const T: u64 = 1_700_000_000;
const CIRCUIT: [u8; 32] = [1; 32];
const VERIFIER: [u8; 32] = [2; 32];
const CODE: Code = Code {
    rollup: [3; 32],
    governance: [4; 32],
};

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
        default_limits: TokenLimits {
            rate: 10,
            burst_seconds: 10,
            max_delay: 1_000,
        },
        limits: Default::default(),
    }
}

/// A policy that `policy` may be tightened to.
fn tighter() -> Policy {
    Policy {
        max_freeze: 50,
        ..policy()
    }
}

fn looser() -> Policy {
    Policy {
        max_freeze: 150,
        ..policy()
    }
}

fn deposit(name: &str, token: u16, amount: u128) -> Op {
    Op::Deposit(Deposit {
        token,
        amount,
        keyhash: key(name).public().keyhash(),
        exit: exit(name),
    })
}

/// A block of one batch, committed 60 seconds after its time and final another 60 later.
fn block(state: &mut State, time: u64, processed: u64, ops: &[Op]) -> Block {
    let context = BatchContext {
        domain: Fr::from(9u64),
        time,
        policy: policy(),
    };
    let mut batch = BatchBuilder::new(state, context).unwrap();
    for op in ops {
        assert!(batch.push(op, |_| true).unwrap());
    }
    let trace = batch.finish();
    let posted = BatchData::of(&trace.ops);
    Block {
        header: Header {
            old_root: trace.old_root,
            new_root: trace.new_root,
            policy_root: policy().root(),
            time,
            c_out: word_chain(Fr::from(0u64), &trace.ops),
            batches: 1,
        },
        data: posted.to_bytes(),
        committed_at: time + 60,
        exit_root: exit_root(&exit_tree(&posted.records[Section::Exits as usize])),
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
    let request = |index, name| {
        Op::ForcedExit(ForcedExit {
            index,
            token: 0,
            exit: exit(name),
        })
    };
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
        action: Action::Withdraw {
            to: exit("zoe"),
            amount: 300,
        },
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
        policies: vec![PolicyChange {
            root: policy().root(),
            time: T,
            tightened: false,
        }],
        announcements: vec![],
        verifiers: vec![Registration {
            circuit_id: CIRCUIT,
            verifier: Address([7; 20]),
            code: VERIFIER,
            time: T,
            removed: None,
        }],
        state_root: state.root(),
        counters: Counters {
            committed: 2,
            proven: 2,
            finalized: 2,
            queue: 6,
            exodus: false,
        },
        queue: queue.map(entry).to_vec(),
        blocks: vec![first, second],
        // ben waits 100 - 10 seconds, zoe 130 - 10, both from the commit on.
        claims: vec![
            claim(0, "ben", 1_000, T + 2_060 + 90),
            claim(1, "zoe", 300, T + 2_060 + 120),
        ],
        alarms: vec![],
        exodus: None,
        departures: vec![],
        refunds: vec![],
        owed: vec![due("zoe", 0, 300)],
        collected: vec![due("zoe", 0, 300)],
        held: [(0, 700), (1, 1_050)].into(),
    }
}

fn due(name: &str, token: u16, amount: u128) -> Due {
    Due {
        account: exit(name),
        token,
        amount,
    }
}

/// The same after exodus: anna's account left, and dora's deposit went back.
fn left() -> History {
    let mut history = honest();
    history.counters.exodus = true;
    history.exodus = Some(ExodusBegan {
        block: 2,
        root: history.state_root,
        time: T + 11 + QUEUE_DEADLINE,
    });
    history.departures.push(Departure {
        index: A,
        to: exit("anna"),
        token: 0,
        amount: 699,
        time: T + 2_120 + MAX_RELEASE_DELAY,
    });
    history.refunds.push(Refund {
        entry: 5,
        to: exit("dora"),
        token: 1,
        amount: 50,
    });
    history.held = [(0, 1), (1, 1_000)].into();
    history
}

fn run(history: &History, to: Option<usize>) -> (Report, Replay) {
    let document = Description::from_json(include_bytes!("data/plain.json")).unwrap();
    let verifier = Verifier::new(document).unwrap();
    let circuits = [Circuit {
        id: CIRCUIT,
        code: VERIFIER,
        verifier: &verifier,
    }];
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
    assert_eq!(
        (report.blocks, report.batches, report.operations),
        (2, 2, 5)
    );
    assert_eq!(
        (report.queue_waiting, report.pending, report.proofs),
        (2, 0, 0)
    );
    assert!(report.notices.is_empty());
    clean(&left());
}

#[test]
fn claims_are_of_final_blocks_and_of_their_exits() {
    finds(
        &honest(),
        &[
            ("forged_exit", &|h| h.claims[0].block = 99),
            ("forged_exit", &|h| h.claims[0].block = 0),
            ("forged_exit", &|h| h.claims[0].block = u64::MAX),
            ("forged_exit", &|h| h.claims[0].block = 1),
            ("forged_exit", &|h| h.claims[0].position = 2),
            ("forged_exit", &|h| h.claims[0].position = u64::MAX),
            ("forged_exit", &|h| h.claims[0].to = exit("zoe")),
            ("forged_exit", &|h| h.claims[0].amount += 1),
            ("forged_exit", &|h| h.claims[0].token += 1),
            ("double_claim", &|h| h.claims.push(h.claims[0])),
            ("early_claim", &|h| h.claims[1].time -= 1),
            ("early_claim", &|h| {
                h.blocks[1].finalized_at = Some(T + 9_000)
            }),
            // The wait counts from the commit.
            ("early_claim", &|h| h.blocks[1].committed_at += 1),
            ("vault", &|h| h.claims.truncate(1)),
        ],
    );
    // A block that is committed and not final has no claims.
    let mut history = honest();
    history.claims.clear();
    (history.owed, history.collected) = (vec![], vec![]);
    history.blocks[1].finalized = None;
    history.counters.finalized = 1;
    history.state_root = history.blocks[0].header.new_root;
    history.held = [(0, 2_000), (1, 1_050)].into();
    assert_eq!(clean(&history).pending, 1);
    history.claims = honest().claims;
    let (report, _) = run(&history, None);
    assert!(names(&report.findings).contains(&"forged_exit"));
    // An audit of the first block alone cannot judge them, and says so.
    let (report, _) = run(&honest(), Some(1));
    assert!(report.clean, "{:?}", report.findings);
    assert_eq!(names(&report.notices), ["claims"]);
}

#[test]
fn debts_are_payments_that_were_refused() {
    finds(
        &honest(),
        &[
            ("forged_debt", &|h| h.owed.push(due("zoe", 0, 300))),
            ("forged_debt", &|h| h.owed[0].account = exit("anna")),
            ("forged_debt", &|h| h.collected[0].amount += 1),
            ("forged_debt", &|h| h.collected[0].token += 1),
            ("vault", &|h| h.collected.clear()),
            ("vault", &|h| *h.held.get_mut(&0).unwrap() -= 1),
            ("vault", &|h| *h.held.get_mut(&1).unwrap() += 1),
            ("vault", &|h| {
                h.held.remove(&1);
            }),
            ("vault", &|h| {
                h.held.insert(2, 1);
            }),
        ],
    );
    let mut waiting = honest();
    waiting.collected.clear();
    *waiting.held.get_mut(&0).unwrap() += 300;
    clean(&waiting);
}

#[test]
fn a_rollup_that_anybody_may_end_or_has_ended_is_noticed() {
    assert_eq!(names(&clean(&left()).notices), ["exodus"]);
    let mut late = honest();
    let waiting = late.queue.last().unwrap().time;
    late.time = waiting + QUEUE_DEADLINE;
    assert!(clean(&late).notices.is_empty());
    late.time += 1;
    assert_eq!(names(&clean(&late).notices), ["exodus"]);
}

#[test]
fn exodus_pays_what_the_last_state_and_the_queue_hold() {
    finds(
        &left(),
        &[
            ("exodus", &|h| h.exodus.as_mut().unwrap().block = 7),
            ("exodus", &|h| h.exodus.as_mut().unwrap().block = 1),
            ("exodus", &|h| h.exodus.as_mut().unwrap().root = h.genesis),
            ("exodus", &|h| h.exodus.as_mut().unwrap().time -= 1),
            ("exodus", &|h| {
                h.blocks[1].finalized_at = Some(T + 12 + QUEUE_DEADLINE)
            }),
            ("exodus", &|h| h.queue.truncate(4)),
            ("forged_departure", &|h| h.exodus = None),
            ("forged_refund", &|h| h.exodus = None),
            ("counters", &|h| h.exodus = None),
            ("forged_departure", &|h| h.departures[0].amount += 1),
            ("forged_departure", &|h| h.departures[0].to = exit("zoe")),
            ("forged_departure", &|h| h.departures[0].index = A + 9),
            // The limiter of token 0.
            ("forged_departure", &|h| h.departures[0].index = 1 << 16),
            // Whatever number ExodusBegan names.
            ("forged_departure", &|h| {
                h.exodus.as_mut().unwrap().block = 7;
                h.departures[0].amount += 1;
            }),
            ("early_departure", &|h| h.departures[0].time -= 1),
            ("double_departure", &|h| h.departures.push(h.departures[0])),
            ("forged_refund", &|h| h.refunds[0].amount += 1),
            ("forged_refund", &|h| h.refunds[0].entry = 1),
            ("forged_refund", &|h| h.refunds[0].entry = 0),
            ("forged_refund", &|h| h.refunds[0].entry = 6),
            ("forged_refund", &|h| h.refunds[0].entry = 7),
            ("forged_refund", &|h| h.refunds.push(h.refunds[0])),
        ],
    );
}

/// An alarm takes a false block back, and what was claimed by it is lost; the same block may be made
/// again under another number.
#[test]
fn alarms_take_blocks_back() {
    let rung = |mut history: History| {
        history.alarms.push(Alarm {
            block: 2,
            time: T + 2_150,
        });
        history
    };
    let report = clean(&rung(honest()));
    assert_eq!(names(&report.notices), ["alarm"]);
    // Claimed by a block that another one has replaced.
    let lost = |h: &mut History| {
        let header = h.claims[0].header.as_mut().unwrap();
        header.new_root += Fr::from(1u64);
    };
    finds(&rung(honest()), &[("lost_claim", &lost), ("vault", &lost)]);
    finds(&honest(), &[("forged_exit", &lost)]);
    // The same block again: later, and under another number.
    let mut again = rung(honest());
    again.blocks[1].committed_at += 10_000;
    again.blocks[1].finalized_at = Some(T + 20_000);
    again.claims[0].block = 3;
    clean(&again);
    finds(
        &again,
        &[("double_claim", &|h| {
            let mut second = h.claims[0];
            second.block = 2;
            h.claims.push(second);
        })],
    );
    // Unanswered, it lets exodus begin.
    let mut exodus = rung(left());
    exodus.exodus.as_mut().unwrap().time = T + 2_150 + ALARM_DEADLINE;
    clean(&exodus);
    finds(
        &exodus,
        &[
            ("exodus", &|h| h.alarms.clear()),
            ("exodus", &|h| h.alarms[0].time += 1),
        ],
    );
}

#[test]
fn blocks_follow_each_other_under_a_policy_in_force_and_in_time() {
    finds(
        &honest(),
        &[
            ("genesis", &|h| h.genesis += Fr::from(1u64)),
            ("root_continuity", &|h| {
                h.blocks[1].header.old_root += Fr::from(1u64)
            }),
            ("root", &|h| h.blocks[1].header.new_root += Fr::from(1u64)),
            ("chain", &|h| h.blocks[1].header.c_out += Fr::from(1u64)),
            ("finalized_root", &|h| {
                h.blocks[1].finalized = Some(Fr::from(1u64))
            }),
            ("state_root", &|h| h.state_root += Fr::from(1u64)),
            ("missing_block", &|h| h.blocks[0].finalized = None),
            ("time", &|h| h.blocks[0].header.time = T - 1),
            ("time", &|h| h.blocks[1].header.time = T + 999),
            ("clock", &|h| h.blocks[1].committed_at = T + 1_999),
            ("clock", &|h| {
                h.blocks[1].committed_at = T + 2_001 + MAX_CLOCK_LAG
            }),
            ("data", &|h| h.blocks[1].data.push(0)),
            ("data", &|h| {
                h.blocks[1].data.pop();
            }),
            ("exit_root", &|h| h.blocks[1].exit_root[0] ^= 1),
            ("replay", &|h| h.blocks[1].data[8 + 6] ^= 1),
            ("queue", &|h| h.queue.swap(1, 2)),
            ("queue", &|h| h.queue.truncate(3)),
            ("queue_count", &|h| h.blocks[1].processed += 1),
            ("proof_missing", &|h| h.blocks[1].proving = None),
            ("circuit", &|h| {
                h.blocks[1].proving.as_mut().unwrap().circuit_id[0] ^= 1
            }),
            ("block_policy", &|h| {
                h.blocks[1].header.policy_root += Fr::from(1u64)
            }),
            // Published, and never in force.
            ("block_policy", &|h| {
                h.blocks[1].header.policy_root = tighter().root()
            }),
        ],
    );
}

#[test]
fn counters_find_events_that_a_node_leaves_out() {
    finds(
        &honest(),
        &[
            ("counters", &|h| h.counters.committed += 1),
            ("counters", &|h| h.counters.proven += 1),
            ("counters", &|h| h.counters.finalized += 1),
            ("counters", &|h| h.counters.queue += 1),
            ("counters", &|h| h.counters.exodus = true),
            ("counters", &|h| {
                h.queue.pop();
            }),
            ("counters", &|h| {
                h.blocks.pop();
            }),
        ],
    );
}

#[test]
fn policies_are_published_and_change_as_announced() {
    let change = |root, time, tightened| PolicyChange {
        root,
        time,
        tightened,
    };
    // Tightened between the two blocks; the second was made before and is within the grace.
    let mut history = honest();
    let at = history.blocks[1].committed_at - POLICY_GRACE;
    history
        .policies
        .push(change(tighter().root(), at.max(T + 1_060), true));
    clean(&history);
    history.policies[1].time = at - 1;
    history.blocks[0].committed_at = at - 2;
    finds(
        &history,
        &[("block_policy", &|h| {
            h.blocks[1].committed_at = h.policies[1].time + POLICY_GRACE + 1
        })],
    );
    finds(
        &honest(),
        &[
            ("policy", &|h| h.policies[0].root += Fr::from(1u64)),
            ("block_policy", &|h| h.policies[0].time = T + 1_061),
            ("policy_change", &|h| {
                h.policies.push(change(tighter().root(), T + 5_000, false))
            }),
            ("policy_change", &|h| {
                h.policies.push(change(looser().root(), T + 5_000, true))
            }),
        ],
    );
    let announced = |ready_at| {
        let mut history = honest();
        history.announcements.push(Announcement {
            what: Announced::Policy(looser().root()),
            time: T + 5,
            ready_at,
        });
        history
            .policies
            .push(change(looser().root(), T + 6 + UPGRADE_DELAY, false));
        history
    };
    clean(&announced(T + 5 + UPGRADE_DELAY));
    for ready_at in [T + 4 + UPGRADE_DELAY, T + 7 + UPGRADE_DELAY] {
        let (report, _) = run(&announced(ready_at), None);
        assert_eq!(names(&report.findings), ["policy_change"]);
    }
    // What is announced must be published while there is time to leave.
    let secret = |ready_at: u64| {
        let mut history = honest();
        history.announcements.push(Announcement {
            what: Announced::Policy(Fr::from(77u64)),
            time: ready_at - UPGRADE_DELAY,
            ready_at,
        });
        history
    };
    let now = honest().time;
    for ready_at in [now + UPGRADE_DELAY, now - UPGRADE_GRACE] {
        let (report, _) = run(&secret(ready_at), None);
        assert_eq!(names(&report.findings), ["announced_policy"]);
    }
    // One that nobody took up in time is void.
    clean(&secret(now - UPGRADE_GRACE - 1));
}

#[test]
fn verifiers_are_known_where_they_prove_and_announced_where_they_are_added() {
    let added = Registration {
        circuit_id: [5; 32],
        verifier: Address([6; 20]),
        code: [6; 32],
        time: T + 6 + UPGRADE_DELAY,
        removed: None,
    };
    let upgraded = || {
        let mut history = honest();
        history.verifiers.push(added);
        history.announcements.push(Announcement {
            what: Announced::Verifier {
                circuit_id: added.circuit_id,
                verifier: added.verifier,
            },
            time: T + 5,
            ready_at: T + 5 + UPGRADE_DELAY,
        });
        history
    };
    // A regular upgrade is no fault, and is told.
    let report = clean(&upgraded());
    assert_eq!(names(&report.notices), ["unknown_verifier"]);
    finds(
        &upgraded(),
        &[
            ("verifier_change", &|h| h.announcements.clear()),
            ("verifier_change", &|h| {
                h.announcements[0].what = Announced::Verifier {
                    circuit_id: added.circuit_id,
                    verifier: Address([7; 20]),
                }
            }),
            ("verifier_change", &|h| h.verifiers[1].time -= 2),
            ("verifier_change", &|h| h.announcements[0].ready_at -= 1),
            // It proved a block, and nobody knows it.
            ("circuit", &|h| {
                let proving = h.blocks[1].proving.as_mut().unwrap();
                (proving.circuit_id, proving.time) = (added.circuit_id, added.time);
            }),
        ],
    );
    finds(
        &honest(),
        &[
            ("contract_code", &|h| h.code.rollup[0] ^= 1),
            ("contract_code", &|h| h.code.governance[0] ^= 1),
            ("verifier_code", &|h| h.verifiers[0].code[0] ^= 1),
            ("verifier_code", &|h| h.verifiers[0].circuit_id[0] ^= 1),
            ("verifier_code", &|h| h.verifiers.clear()),
            // Registered only after the block, or removed before.
            ("circuit", &|h| h.verifiers[0].time = T + 2_121),
            ("circuit", &|h| h.verifiers[0].removed = Some(T + 2_119)),
        ],
    );
    let mut removed = honest();
    removed.verifiers[0].removed = Some(T + 3_000);
    assert_eq!(names(&clean(&removed).notices), ["no_verifier"]);
}
