//! The same block on a real node (anvil), and its history over JSON-RPC.

use alloy_primitives::Address;
use bastion_audit::chain::History;
use bastion_l1::{DevChain, RpcL1};
use bastion_node::history::collect;
use bastion_node::settle::RollupClient;

use crate::anvil::Anvil;
use crate::TIME;

/// Settles by `settle` on a fresh node; what the node tells must be what the embedded L1 told, claims and
/// times aside. Then everybody leaves.
pub fn tells_the_same(honest: &History, settle: impl FnOnce(&mut dyn DevChain) -> RollupClient) {
    let anvil = Anvil::start(TIME);
    let mut l1 = RpcL1::connect(&anvil.url).unwrap();
    let settlement = settle(&mut l1);
    let contract = settlement.rollup;
    let mut told = collect(&mut l1, contract).unwrap();
    assert!(told.claims.is_empty());
    let mut expected = honest.clone();
    // Nobody has claimed there yet, and its clock is its own.
    let claimed: u128 = expected.claims.drain(..).map(|c| c.amount).sum();
    *expected.held.get_mut(&0).unwrap() += claimed;
    for history in [&mut told, &mut expected] {
        (history.time, history.genesis_time) = (0, 0);
        history.queue.iter_mut().for_each(|entry| entry.time = 0);
        history.policies.iter_mut().for_each(|change| change.time = 0);
        history.verifiers.iter_mut().for_each(|added| added.time = 0);
        for block in &mut history.blocks {
            (block.committed_at, block.finalized_at) = (0, None);
            block.proving.as_mut().unwrap().time = 0;
        }
    }
    assert_eq!(told, expected);

    let mut late = RpcL1::connect(&anvil.url).unwrap().since(1_000);
    let nothing = collect(&mut late, contract).unwrap_err().to_string();
    assert!(nothing.contains("block 1000"), "{nothing}");
    assert!(collect(&mut l1, Address::repeat_byte(7)).is_err());
    crate::exodus::everybody_leaves(&mut l1, &settlement);
}
