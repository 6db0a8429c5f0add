//! What left the contract, and what it must still hold.

use super::*;

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
            ("early_claim", &|h| h.blocks[1].finalized_at = Some(T + 9_000)),
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
            ("exodus", &|h| h.blocks[1].finalized_at = Some(T + 12 + QUEUE_DEADLINE)),
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
