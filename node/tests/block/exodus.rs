//! The operator falls silent, and everybody leaves: on the embedded L1 and on a node.

use alloy_primitives::{Address, U256};
use bastion_audit::chain::History;
use bastion_audit::Report;
use bastion_l1::DevChain;
use bastion_node::devnet::{dev_exit, dev_policy, DemoSource};
use bastion_node::exodus::{departure, rebuild};
use bastion_node::history::collect;
use bastion_node::settle::RollupClient;
use bastion_protocol::{field, Fr};

use crate::audit::Fault;

/// Gas that an account's departure may cost.
const DEPARTURE: u64 = 500_000;

/// Takes everybody out by L1 data alone; returns what L1 tells afterwards.
pub fn everybody_leaves(l1: &mut dyn DevChain, settlement: &RollupClient) -> History {
    let mut settlement = settlement.clone();
    for op in DemoSource::new(Fr::from(0u64), 0, 0).censored() {
        settlement.enqueue(l1, &op).unwrap();
    }
    let stranger = Address::from(dev_exit("stranger").0);
    let history = collect(l1, settlement.rollup).unwrap();
    let policies = [dev_policy()];
    let state = rebuild(&history, &policies).unwrap();
    assert_eq!(field::to_hex(&state.root()), field::to_hex(&history.state_root));
    assert!(rebuild(&history, &[]).is_err());
    let mut other = history.clone();
    other.state_root += Fr::from(1u64);
    assert!(rebuild(&other, &policies).is_err());

    let early = settlement.exodus(l1, stranger, &history, &state);
    let early = early.unwrap_err().to_string();
    assert!(early.contains("NothingOverdue"), "{early}");
    let deadline = settlement.queue_deadline(l1).unwrap();
    l1.advance(deadline + 1).unwrap();
    let done = settlement.exodus(l1, stranger, &history, &state).unwrap();
    println!("exodus: {done:?}");
    assert_eq!(done.refunds.len(), 1);
    assert!(done.departures.len() >= 5);
    let dearest = done.departures.iter().max().unwrap();
    assert!(*dearest <= DEPARTURE, "{dearest} gas for an account");
    assert_eq!(l1.balance(settlement.rollup).unwrap(), U256::ZERO);
    assert_eq!(settlement.held(l1, 0).unwrap(), U256::ZERO);

    // Nobody leaves twice, and limiters not at all.
    for (index, account) in state.accounts().filter(|(_, a)| a.balance > 0) {
        let Ok(call) = departure(&state, index, account) else {
            continue;
        };
        let data = alloy_sol_types::SolCall::abi_encode(&call);
        let again = l1.send(stranger, settlement.rollup, U256::ZERO, data.into());
        let again = again.unwrap_err().to_string();
        assert!(
            again.contains("AlreadyLeft") || again.contains("SystemAccount"),
            "{index}: {again}"
        );
    }
    collect(l1, settlement.rollup).unwrap()
}

/// An audit accepts what exodus paid, and names what it did not have to pay.
pub fn is_audited(left: &History, run: &dyn Fn(&History) -> Report) {
    let report = run(left);
    assert!(report.clean, "{report:#?}");
    let began = left.exodus.unwrap();
    assert!(began.block == 1 && !left.departures.is_empty());
    let faults: [Fault; 5] = [
        ("forged_departure", |h| h.departures[0].amount += 1),
        ("double_departure", |h| h.departures.push(h.departures[0])),
        ("forged_refund", |h| h.refunds[0].amount += 1),
        ("forged_refund", |h| h.refunds.push(h.refunds[0])),
        ("forged_departure", |h| h.exodus = None),
    ];
    for (name, plant) in faults {
        let mut history = left.clone();
        plant(&mut history);
        let report = run(&history);
        assert!(report.findings.iter().any(|f| f.name == name), "{name}: {:?}", report.findings);
    }
}
