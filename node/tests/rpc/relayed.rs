//! Calls that reach the rollup through other contracts, as those of wallets and batchers do.

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolCall;
use bastion_contract::rollup::IRollup;
use bastion_l1::{EmbeddedL1, RpcL1, SendL1, DEV_OPERATOR};
use bastion_node::history::collect;
use bastion_node::settle::with_memo;
use bastion_node::NodeError;
use bastion_protocol::Memo;
use serde_json::json;

use crate::anvil::Anvil;
use crate::server::{forward, Reply, Server};
use crate::world::{check, creation, digest, forwarder, reciter, World};
use crate::TIME;

#[test]
fn a_relayed_call_is_found_in_the_calldata() {
    let mut l1 = EmbeddedL1::new(TIME);
    let mut world = World::deploy(&mut l1, 2);
    let plain = world.create(&mut l1, forwarder(world.rollup, 0));
    let wrapped = world.create(&mut l1, forwarder(world.rollup, 37));
    world.plain(&mut l1);
    // Committed, proven and finalized by a contract that passes on calldata as they are.
    let [commit, prove, finalize, ..] = world.block(&l1, &[1]);
    for call in [commit, prove, finalize] {
        world.send(&mut l1, plain, call);
    }
    world.next();
    // The same in one call, which stands at an odd place of other calldata.
    let [.., settle, _] = world.block(&l1, &[1, 7]);
    let outer = [&[0xab; 37][..], &settle].concat();
    world.send(&mut l1, wrapped, outer.into());
    world.next();
    world.plain(&mut l1);
    // Proven and finalized in one call.
    let [commit, .., both] = world.block(&l1, &[1]);
    for call in [commit, both] {
        world.send(&mut l1, plain, call);
    }
    world.next();
    let history = collect(&mut l1, world.rollup).unwrap();
    assert_eq!(history.blocks.len(), 5);
    assert!(history.blocks.iter().all(|block| block.finalized.is_some()));
    for (i, block) in history.blocks.iter().enumerate() {
        assert_eq!(block.data.len(), 8 * (i + 1));
        let proving = block.proving.as_ref().unwrap();
        assert_eq!(proving.inputs.is_none(), i == 2);
        assert_eq!(proving.proof, if i == 2 { vec![1, 7] } else { vec![1] });
    }
}

#[test]
fn what_only_looks_like_the_call_is_passed_over() {
    let mut l1 = EmbeddedL1::new(TIME);
    let mut world = World::deploy(&mut l1, 0);
    let [commit, prove, finalize, ..] = world.block(&l1, &[1, 9]);
    // A proof that the verifier refuses, before the one that it takes; and, last, one for another
    // block.
    let [_, decoy, ..] = world.block(&l1, &[0, 9]);
    let mut other = prove.to_vec();
    other[35] ^= 1;
    let relay = world.create(&mut l1, forwarder(world.rollup, decoy.len()));
    world.send(&mut l1, world.rollup, commit);
    let outer = [&decoy[..], &prove, &other].concat();
    world.send(&mut l1, relay, outer.into());
    world.send(&mut l1, world.rollup, finalize);
    world.next();
    let history = collect(&mut l1, world.rollup).unwrap();
    let proving = history.blocks[0].proving.as_ref().unwrap();
    assert_eq!(proving.proof, [1, 9]);
}

#[test]
fn a_commit_that_was_taken_back_needs_no_data() {
    let mut l1 = EmbeddedL1::new(TIME);
    let mut world = World::deploy(&mut l1, 1);
    let [commit, ..] = world.block(&l1, &[1]);
    let hidden = world.create(&mut l1, reciter(world.rollup, &commit));
    world.send(&mut l1, hidden, Bytes::new());
    // The call stands in no calldata, and the embedded L1 keeps no traces.
    let error = collect(&mut l1, world.rollup).unwrap_err();
    assert!(matches!(error, NodeError::NoCall { block: 1, .. }), "{error}");
    assert!(error.to_string().contains("debug_traceTransaction"));
    let revert = IRollup::revertCommitsCall {};
    world.send(&mut l1, world.rollup, revert.abi_encode().into());
    world.plain(&mut l1);
    let history = collect(&mut l1, world.rollup).unwrap();
    assert_eq!((history.blocks.len(), history.reverts, history.old_memos.len()), (1, 1, 0));

    // What was claimed with a commit stays claimed when the commit is taken back.
    let [commit, ..] = world.block(&l1, &[2]);
    let memo = Memo { findings: [7; 32], count: 3, indicators: [0; 32] };
    world.send(&mut l1, world.rollup, with_memo(&commit, &memo));
    world.send(&mut l1, world.rollup, revert.abi_encode().into());
    let history = collect(&mut l1, world.rollup).unwrap();
    let [old] = history.old_memos[..] else { panic!("{:?}", history.old_memos) };
    assert_eq!((old.block, old.memo, history.blocks.len(), history.reverts), (2, memo, 1, 2));
}

#[test]
fn a_call_that_stands_nowhere_is_found_in_the_trace() {
    let anvil = Anvil::start(TIME);
    let mut l1 = RpcL1::connect(&anvil.url).unwrap();
    let mut world = World::deploy(&mut l1, 1);
    let [commit, prove, finalize, ..] = world.block(&l1, &[1, 2]);
    let committer = world.create(&mut l1, reciter(world.rollup, &commit));
    world.send(&mut l1, committer, Bytes::new());
    let prover = world.create(&mut l1, reciter(world.rollup, &prove));
    // Calldata that would be taken for the call, if the verifier were not asked.
    let [_, decoy, ..] = world.block(&l1, &[0]);
    world.send(&mut l1, prover, decoy);
    world.send(&mut l1, world.rollup, finalize);
    world.next();
    world.plain(&mut l1);
    let history = collect(&mut l1, world.rollup).unwrap();
    let proving = history.blocks[0].proving.as_ref().unwrap();
    assert_eq!((history.blocks.len(), &proving.proof[..]), (2, &[1, 2][..]));

    // By the other method, which geth has, in the same form.
    let upstream = anvil.url.clone();
    let geth = Server::start(Some(&anvil.url), move |asked| match asked.method {
        "trace_transaction" => Reply::Error(-32601, "the method does not exist"),
        "debug_traceTransaction" => {
            assert_eq!(asked.params[1]["tracer"], "flatCallTracer");
            let params = [&asked.params[0]];
            let method = "trace_transaction";
            let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let answer = forward(&upstream, request.to_string().as_bytes());
            Reply::Result(answer["result"].clone())
        }
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&geth.url).unwrap();
    let same = collect(&mut l1, world.rollup).unwrap();
    assert_eq!(digest(&same), digest(&history));
    assert!(geth.count("debug_traceTransaction") > 0);

    // By none.
    let bare = Server::start(Some(&anvil.url), |asked| match asked.method {
        "trace_transaction" | "debug_traceTransaction" => {
            Reply::Error(-32601, "the method does not exist")
        }
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&bare.url).unwrap();
    let error = collect(&mut l1, world.rollup).unwrap_err();
    assert!(matches!(error, NodeError::NoCall { block: 1, .. }), "{error}");
}

#[test]
fn a_call_that_was_undone_counts_for_nothing() {
    // The first of two calls reverts inside: the same commit, sent before its time.
    let anvil = Anvil::start(TIME);
    let mut l1 = RpcL1::connect(&anvil.url).unwrap();
    let mut world = World::deploy(&mut l1, 0);
    let [commit, prove, ..] = world.block(&l1, &[1]);
    let [_, refused, ..] = world.block(&l1, &[0]);
    world.send(&mut l1, world.rollup, commit);
    let first = world.create(&mut l1, reciter(world.rollup, &refused));
    let second = world.create(&mut l1, reciter(world.rollup, &prove));
    // Calls both, whatever becomes of the first.
    let mut both = Vec::new();
    for (to, end) in [(first, &[0x50][..]), (second, &[])] {
        both.extend([0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x60, 0, 0x73]);
        both.extend(to.as_slice());
        both.extend([0x5a, 0xf1]);
        both.extend(end);
    }
    let both = world.create(&mut l1, creation(&check(both)));
    l1.send(DEV_OPERATOR, both, U256::ZERO, Bytes::new()).unwrap();
    world.next();
    let history = collect(&mut l1, world.rollup).unwrap();
    let proving = history.blocks[0].proving.as_ref().unwrap();
    assert_eq!(proving.proof, [1]);
}
