//! What the contract and its governance tell of themselves: alarms, blocks, counters, policies,
//! verifiers.

use super::*;

/// An alarm takes a false block back, and what was claimed by it is lost; the same block may be made
/// again under another number.
#[test]
fn alarms_take_blocks_back() {
    let rung = |mut history: History| {
        history.alarms.push(Alarm { block: 2, time: T + 2_150 });
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
    finds(&exodus, &[("exodus", &|h| h.alarms.clear()), ("exodus", &|h| h.alarms[0].time += 1)]);
}

#[test]
fn blocks_follow_each_other_under_a_policy_in_force_and_in_time() {
    finds(
        &honest(),
        &[
            ("genesis", &|h| h.genesis += Fr::from(1u64)),
            ("root_continuity", &|h| h.blocks[1].header.old_root += Fr::from(1u64)),
            ("root", &|h| h.blocks[1].header.new_root += Fr::from(1u64)),
            ("chain", &|h| h.blocks[1].header.c_out += Fr::from(1u64)),
            ("finalized_root", &|h| h.blocks[1].finalized = Some(Fr::from(1u64))),
            ("state_root", &|h| h.state_root += Fr::from(1u64)),
            ("missing_block", &|h| h.blocks[0].finalized = None),
            ("time", &|h| h.blocks[0].header.time = T - 1),
            ("time", &|h| h.blocks[1].header.time = T + 999),
            ("clock", &|h| h.blocks[1].committed_at = T + 1_999),
            ("clock", &|h| h.blocks[1].committed_at = T + 2_001 + MAX_CLOCK_LAG),
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
            ("circuit", &|h| h.blocks[1].proving.as_mut().unwrap().circuit_id[0] ^= 1),
            ("block_policy", &|h| h.blocks[1].header.policy_root += Fr::from(1u64)),
            // Published, and never in force.
            ("block_policy", &|h| h.blocks[1].header.policy_root = tighter().root()),
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
    let change = |root, time, tightened| PolicyChange { root, time, tightened };
    // Tightened between the two blocks; the second was made before and is within the grace.
    let mut history = honest();
    let at = history.blocks[1].committed_at - POLICY_GRACE;
    history.policies.push(change(tighter().root(), at.max(T + 1_060), true));
    clean(&history);
    history.policies[1].time = at - 1;
    history.blocks[0].committed_at = at - 2;
    finds(
        &history,
        &[("block_policy", &|h| h.blocks[1].committed_at = h.policies[1].time + POLICY_GRACE + 1)],
    );
    finds(
        &honest(),
        &[
            ("policy", &|h| h.policies[0].root += Fr::from(1u64)),
            ("block_policy", &|h| h.policies[0].time = T + 1_061),
            ("policy_change", &|h| h.policies.push(change(tighter().root(), T + 5_000, false))),
            ("policy_change", &|h| h.policies.push(change(looser().root(), T + 5_000, true))),
        ],
    );
    let announced = |ready_at| {
        let mut history = honest();
        history.announcements.push(Announcement {
            what: Announced::Policy(looser().root()),
            time: T + 5,
            ready_at,
        });
        history.policies.push(change(looser().root(), T + 6 + UPGRADE_DELAY, false));
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
            what: Announced::Verifier { circuit_id: added.circuit_id, verifier: added.verifier },
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
                h.announcements[0].what =
                    Announced::Verifier { circuit_id: added.circuit_id, verifier: Address([7; 20]) }
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
