//! What went wrong in other managers of transactions, each as a test.

use std::sync::{Arc, Mutex};

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Bytes, TxKind, U256};
use alloy::signers::local::PrivateKeySigner;
use alloy::signers::SignerSync;
use bastion_l1::txmgr::{Judge, Notice, Request, State, Verdict};
use bastion_l1::{Finality, NonceFault, ReadL1, SendFault, SendL1, DEV_CHAIN_ID, DEV_OPERATOR};
use serde_json::json;

use crate::rig::*;
use crate::server::Reply;
use crate::TIME;

/// Nodes refuse a plain transaction of an account whose transaction with blobs waits, and the other way
/// round. The remedy is an account for each kind, which concerns whoever sends blobs; here the refusal is
/// understood, and passes.
#[test]
fn a_refusal_because_of_a_transaction_with_blobs_passes() {
    let rig = Rig::held();
    let node = rig.through(|asked| match asked.method {
        "eth_sendRawTransaction" if asked.count == 1 => {
            Reply::Error(-32000, "address already reserved")
        }
        _ => Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    let notices = manager.step(TIME).unwrap();
    let reserved =
        |n: &Notice| matches!(n, Notice::Refused { fault: Some(SendFault::Reserved), .. });
    assert!(notices.iter().any(reserved), "{notices:?}");
    calm(&manager.step(TIME + 12).unwrap());
    rig.mine(1);
    calm(&manager.step(TIME + 13).unwrap());
    assert_eq!((state(&manager, "gift"), hashes(&manager, "gift").len()), ("mined", 1));
}

/// "Nonce too high" is for a while only: what comes before is sent again, and then it is taken. And no more
/// than a few are on their way at once.
#[test]
fn a_nonce_that_is_too_high_is_sent_again_with_those_before_it() {
    let rig = Rig::held();
    let node = rig.through(|asked| match asked.method {
        // The first one is lost, and the second one refused for it.
        "eth_sendRawTransaction" if asked.count == 1 => {
            Reply::Result(json!(format!("0x{:064}", 1)))
        }
        "eth_sendRawTransaction" if asked.count == 2 => {
            Reply::Error(-32000, "nonce too high: tx nonce 1, gapped nonce 0")
        }
        _ => Reply::Forward,
    });
    let few = bastion_l1::txmgr::TxOptions { in_flight: 2, ..options() };
    let mut manager = rig.manager_at(&[&node.url], few, Judge::default());
    for name in ["a", "b", "c", "d"] {
        manager.submit(gift(name), TIME).unwrap();
    }
    let notices = manager.step(TIME).unwrap();
    let gap = Some(SendFault::Nonce(NonceFault::Gap));
    let refused = |n: &Notice| matches!(n, Notice::Refused { fault, .. } if *fault == gap);
    assert!(notices.iter().any(refused), "{notices:?}");
    let states: Vec<_> = manager.intents().iter().map(|i| i.state.word()).collect();
    assert_eq!(states, ["sent", "sent", "pending", "pending"]);
    // Without waiting for the usual time the one that was lost goes out again.
    manager.step(TIME + 1).unwrap();
    assert_eq!(node.count("eth_sendRawTransaction"), 3);
    calm(&manager.step(TIME + 12).unwrap());
    rig.mine(1);
    calm(&manager.step(TIME + 13).unwrap());
    rig.mine(1);
    calm(&manager.step(TIME + 14).unwrap());
    let nonces: Vec<_> = manager.intents().iter().map(|i| i.nonce).collect();
    assert_eq!(nonces, [Some(0), Some(1), Some(2), Some(3)]);
    assert!(manager.intents().iter().all(|i| i.state.word() == "mined" && i.attempts.len() == 1));
}

/// A node takes a transaction and drops it without a word: the same bytes are sent again every 12
/// seconds, that a node knows them counts as success, and only after 48 seconds something pays more.
#[test]
fn what_is_dropped_is_sent_again_and_bumped_only_later() {
    let rig = Rig::held();
    let node = rig.through(|_| Reply::Forward);
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    let hash = hashes(&manager, "gift")[0];
    rig.ask("anvil_dropTransaction", json!([hash]));
    assert!(rig.ask("eth_getTransactionByHash", json!([hash])).is_null());
    calm(&manager.step(TIME + 11).unwrap());
    assert_eq!(node.count("eth_sendRawTransaction"), 1);
    calm(&manager.step(TIME + 12).unwrap());
    assert!(!rig.ask("eth_getTransactionByHash", json!([hash])).is_null());
    // Known by now.
    calm(&manager.step(TIME + 24).unwrap());
    calm(&manager.step(TIME + 36).unwrap());
    assert_eq!((node.count("eth_sendRawTransaction"), hashes(&manager, "gift").len()), (4, 1));
    calm(&manager.step(TIME + 48).unwrap());
    assert_eq!(hashes(&manager, "gift").len(), 2);
    rig.mine(1);
    calm(&manager.step(TIME + 49).unwrap());
    assert_eq!(mined_hash(&manager, "gift"), hashes(&manager, "gift")[1]);
}

/// A replacement pays at least a tenth more in both fees, whatever the numbers: rounding down made some
/// that nodes refuse. That three fees double where there are blobs is tested with the arithmetic.
#[test]
fn replacements_are_taken_again_and_again() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    manager.submit(gift("gift"), TIME).unwrap();
    for bump in 0..12 {
        calm(&manager.step(TIME + 48 * bump).unwrap());
    }
    let attempts = &manager.get("gift").unwrap().attempts;
    assert_eq!(attempts.len(), 12);
    for pair in attempts.windows(2) {
        let [old, new] = pair else { panic!() };
        for (old, new) in [(old.fees.max, new.fees.max), (old.fees.tip, new.fees.tip)] {
            assert!(new * 100 >= old * 110, "{old} {new}");
        }
        assert!(new.gas >= old.gas && new.nonce == old.nonce);
    }
    rig.mine(1);
    calm(&manager.step(TIME + 1_000).unwrap());
    assert_eq!(mined_hash(&manager, "gift"), hashes(&manager, "gift")[11]);
    assert_eq!(rig.balance(SOMEBODY), U256::from(1));
}

/// The fee cap follows from the fee of the next block, as the latest one tells it, and not from an older
/// header. (The report is about the fee for blobs, which nothing here pays yet.)
#[test]
fn fees_follow_the_next_block() {
    let rig = Rig::held();
    let base = 40_000_000_000_u128;
    rig.ask("anvil_setNextBlockBaseFeePerGas", json!([U256::from(base)]));
    rig.mine(1);
    let mut manager = rig.manager();
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    let fees = manager.get("gift").unwrap().attempts[0].fees;
    // An empty block lowers the fee by an eighth.
    let next = base - base / 8;
    assert!(fees.max >= 2 * next && fees.max <= 2 * base + fees.tip, "{fees:?}");
    // When the market rises, so does a replacement, by more than a tenth.
    rig.ask("anvil_dropTransaction", json!([hashes(&manager, "gift")[0]]));
    rig.ask("anvil_setNextBlockBaseFeePerGas", json!([U256::from(2 * base)]));
    rig.mine(1);
    calm(&manager.step(TIME + 48).unwrap());
    let new = manager.get("gift").unwrap().attempts[1].fees;
    assert!(new.max >= 3 * base, "{new:?}");
}

/// Nonces by the pending count leave gaps when a pool forgets. They follow from what is mined and stored.
#[test]
fn a_pool_that_forgets_leaves_no_gap() {
    let rig = Rig::held();
    let node = rig.through(|asked| {
        let pending = asked.method == "eth_getTransactionCount" && asked.params[1] == "pending";
        assert!(!pending, "the pending count was asked for");
        Reply::Forward
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("a"), TIME).unwrap();
    manager.submit(gift("b"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    for name in ["b", "a"] {
        rig.ask("anvil_dropTransaction", json!([hashes(&manager, name)[0]]));
    }
    let pending = rig.ask("eth_getTransactionCount", json!([DEV_OPERATOR, "pending"]));
    assert_eq!(pending, "0x0");
    manager.submit(gift("c"), TIME + 1).unwrap();
    manager.step(TIME + 1).unwrap();
    assert_eq!(manager.get("c").unwrap().nonce, Some(2));
    // A new process knows as much.
    drop(manager);
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("d"), TIME + 2).unwrap();
    calm(&manager.step(TIME + 2).unwrap());
    assert_eq!(manager.get("d").unwrap().nonce, Some(3));
    rig.mine(1);
    calm(&manager.step(TIME + 3).unwrap());
    assert!(manager.intents().iter().all(|i| i.state.word() == "mined" && i.attempts.len() == 1));
    assert_eq!(rig.balance(SOMEBODY), U256::from(4));
}

/// The hash of an older attempt is mined after a bump: all are looked for.
#[test]
fn an_older_attempt_that_is_mined_is_found() {
    let rig = Rig::held();
    let node = rig.through(|asked| match asked.method {
        // The node says that it took the second attempt, and loses it.
        "eth_sendRawTransaction" if asked.count == 5 => {
            Reply::Result(json!(format!("0x{:064}", 1)))
        }
        _ => Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    for seconds in [0, 12, 24, 36, 48] {
        calm(&manager.step(TIME + seconds).unwrap());
    }
    assert_eq!(hashes(&manager, "gift").len(), 2);
    rig.mine(1);
    calm(&manager.step(TIME + 49).unwrap());
    assert_eq!(mined_hash(&manager, "gift"), hashes(&manager, "gift")[0]);
    rig.mine(2);
    calm(&manager.step(TIME + 50).unwrap());
    assert_eq!((state(&manager, "gift"), rig.balance(SOMEBODY)), ("final", U256::from(1)));
}

/// A judge for [`once`].
fn already() -> Judge {
    Judge::new(|_, revert| match revert.data == DONE[..] {
        true => Verdict::AlreadyDone,
        false => Verdict::Fatal(revert.to_string()),
    })
}

/// Somebody else has done it first: that is success, and nothing is sent.
#[test]
fn what_somebody_else_did_first_is_not_sent() {
    let rig = Rig::new();
    let contract = rig.create(&once());
    rig.read().send(OTHER, contract, U256::ZERO, Bytes::new()).unwrap();
    rig.hold();
    let mut manager = rig.manager_at(&[&rig.anvil.url], options(), already());
    manager.submit(Request::call("prove 7", contract, Bytes::new()), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    let intent = manager.get("prove 7").unwrap();
    assert!(intent.state == State::Superseded && intent.attempts.is_empty());
}

/// Somebody else is faster while ours is on its way: ours reverts, which is success when it is final.
#[test]
fn what_somebody_else_did_meanwhile_is_success_too() {
    let rig = Rig::new();
    let contract = rig.create(&once());
    rig.hold();
    let mut manager = rig.manager_at(&[&rig.anvil.url], options(), already());
    manager.submit(Request::call("prove 7", contract, Bytes::new()), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.sends(OTHER, contract, 50, None);
    rig.mine(1);
    let notices = manager.step(TIME + 1).unwrap();
    let failed = |n: &Notice| matches!(n, Notice::Mined { succeeded: false, .. });
    assert!(notices.iter().any(failed), "{notices:?}");
    assert_eq!(state(&manager, "prove 7"), "mined");
    rig.mine(2);
    calm(&manager.step(TIME + 2).unwrap());
    let intent = manager.get("prove 7").unwrap();
    assert!(intent.state == State::Superseded && intent.reverted.len() == 1, "{intent:?}");
    // What it cost counts.
    assert_eq!(manager.spent_today(TIME), intent.reverted[0].cost);
    // To somebody for whom every revert is for good, the same is a failure.
    let rig = Rig::new();
    let contract = rig.create(&once());
    rig.hold();
    let mut manager = rig.manager();
    manager.submit(Request::call("prove 7", contract, Bytes::new()), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.sends(OTHER, contract, 50, None);
    rig.mine(3);
    manager.step(TIME + 1).unwrap();
    assert!(
        matches!(&manager.get("prove 7").unwrap().state, State::Failed { cause } if cause.contains("d011e00e"))
    );
}

/// Blocks vanish, and numbers are skipped: what was in them goes out again, and what is final stays.
#[test]
fn a_reorganization_puts_back_what_was_mined() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    let snapshot = rig.ask("evm_snapshot", json!([]));
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.mine(2);
    calm(&manager.step(TIME + 1).unwrap());
    assert_eq!(state(&manager, "gift"), "mined");
    let hash = mined_hash(&manager, "gift");
    assert_eq!(rig.ask("evm_revert", json!([snapshot])), true);
    // The block of the same number is another one.
    rig.mine(1);
    let notices = manager.step(TIME + 2).unwrap();
    let gone =
        |n: &Notice| matches!(n, Notice::Reorged { transaction, .. } if *transaction == hash);
    assert!(notices.iter().any(gone), "{notices:?}");
    assert_eq!(state(&manager, "gift"), "sent");
    assert!(!rig.ask("eth_getTransactionByHash", json!([hash])).is_null(), "not sent again");
    rig.mine(1);
    calm(&manager.step(TIME + 3).unwrap());
    rig.mine(2);
    calm(&manager.step(TIME + 4).unwrap());
    assert_eq!((state(&manager, "gift"), mined_hash(&manager, "gift")), ("final", hash));
    assert_eq!(rig.balance(SOMEBODY), U256::from(1));
    assert_eq!(rig.read().nonce(DEV_OPERATOR).unwrap(), 1);
}

/// A receipt may tell of a block that is not the one of the final branch: nothing is final by it.
#[test]
fn a_receipt_of_another_branch_makes_nothing_final() {
    let rig = Rig::held();
    let wrong = Arc::new(Mutex::new(true));
    let is_wrong = wrong.clone();
    let node = rig.through(move |asked| match asked.method {
        "eth_getBlockByNumber" if asked.params[0] == "0x1" && *is_wrong.lock().unwrap() => {
            Reply::Changed(|answer| answer["result"]["hash"] = json!(format!("0x{:064}", 1)))
        }
        _ => Reply::Forward,
    });
    let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.mine(5);
    calm(&manager.step(TIME + 1).unwrap());
    assert_eq!(state(&manager, "gift"), "mined");
    *wrong.lock().unwrap() = false;
    calm(&manager.step(TIME + 2).unwrap());
    assert_eq!(state(&manager, "gift"), "final");
}

/// Blocks are replaced by as many others.
#[test]
fn a_replaced_block_puts_back_what_was_in_it() {
    let rig = Rig::held();
    rig.mine(3);
    let options = bastion_l1::txmgr::TxOptions { finality: Finality::Depth(5), ..options() };
    let mut manager = rig.manager_at(&[&rig.anvil.url], options, Judge::default());
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.mine(2);
    calm(&manager.step(TIME + 1).unwrap());
    let hash = mined_hash(&manager, "gift");
    rig.ask("anvil_reorg", json!([2, []]));
    let notices = manager.step(TIME + 2).unwrap();
    let gone =
        |n: &Notice| matches!(n, Notice::Reorged { transaction, .. } if *transaction == hash);
    assert!(notices.iter().any(gone), "{notices:?}");
    rig.mine(6);
    calm(&manager.step(TIME + 3).unwrap());
    assert_eq!((state(&manager, "gift"), rig.balance(SOMEBODY)), ("final", U256::from(1)));
}

/// A chain that takes back what is final leaves a gap that nothing stored can close: that is told.
#[test]
fn a_chain_that_takes_back_what_is_final_is_told() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    let snapshot = rig.ask("evm_snapshot", json!([]));
    manager.submit(gift("a"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    rig.mine(3);
    calm(&manager.step(TIME + 1).unwrap());
    assert_eq!(state(&manager, "a"), "final");
    rig.ask("evm_revert", json!([snapshot]));
    manager.submit(gift("b"), TIME + 2).unwrap();
    manager.step(TIME + 2).unwrap();
    assert_eq!(manager.get("b").unwrap().nonce, Some(1));
    let gap = |n: &Notice| matches!(n, Notice::Gap { mined: 0, first: 1 });
    assert!(manager.step(TIME + 3).unwrap().iter().any(gap));
    calm(&manager.step(TIME + 4).unwrap());
}

/// The same transaction may be mined again in another block.
#[test]
fn a_transaction_that_moves_to_another_block_is_followed() {
    let rig = Rig::held();
    let mut manager = rig.manager();
    manager.submit(gift("gift"), TIME).unwrap();
    calm(&manager.step(TIME).unwrap());
    let raw = manager.get("gift").unwrap().attempts[0].raw.clone();
    let snapshot = rig.ask("evm_snapshot", json!([]));
    rig.mine(2);
    calm(&manager.step(TIME + 1).unwrap());
    rig.ask("evm_revert", json!([snapshot]));
    rig.mine(1);
    let _ = crate::server::forward(
        &rig.anvil.url,
        json!({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]})
            .to_string()
            .as_bytes(),
    );
    rig.mine(3);
    let notices = manager.step(TIME + 2).unwrap();
    assert!(notices.iter().any(|n| matches!(n, Notice::Reorged { .. })), "{notices:?}");
    assert_eq!((state(&manager, "gift"), rig.balance(SOMEBODY)), ("final", U256::from(1)));
}

fn signed(nonce: u64, max: u128, tip: u128, value: U256) -> Bytes {
    let tx = TxEip1559 {
        chain_id: DEV_CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: max,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(SOMEBODY),
        value,
        ..TxEip1559::default()
    };
    let signer: PrivateKeySigner = KEY.parse().unwrap();
    let signature = signer.sign_hash_sync(&tx.signature_hash()).unwrap();
    TxEnvelope::from(tx.into_signed(signature)).encoded_2718().into()
}

/// Nodes say the same in different words. These are anvil's own; those of geth and reth stand in the test
/// of the classifier.
#[test]
fn the_words_of_a_real_node_are_understood() {
    let rig = Rig::held();
    let mut l1 = rig.read();
    const GWEI: u128 = 1_000_000_000;
    let first = signed(0, 10 * GWEI, GWEI, U256::from(1));
    l1.send_raw(&first).unwrap();
    // Known already.
    l1.send_raw(&first).unwrap();
    let fault = |raw: &Bytes| {
        let error = rig.read().send_raw(raw).unwrap_err();
        SendFault::of_error(&error).unwrap_or_else(|| panic!("{error}"))
    };
    assert_eq!(fault(&signed(0, 10 * GWEI, GWEI, U256::from(2))), SendFault::Underpriced);
    assert_eq!(fault(&signed(1, 10 * GWEI, GWEI, U256::MAX >> 8)), SendFault::Funds);
    assert_eq!(fault(&signed(1, 1, 1, U256::from(1))), SendFault::BelowBaseFee);
    rig.mine(1);
    let low = SendFault::Nonce(NonceFault::TooLow);
    assert_eq!(fault(&signed(0, 20 * GWEI, 2 * GWEI, U256::from(3))), low);
}

/// Whatever a node says about a transaction, the manager goes on, and it is mined once.
#[test]
fn no_refusal_ends_an_intent() {
    for words in [
        "nonce too low",
        "nonce too high",
        "replacement transaction underpriced",
        "insufficient funds for gas * price + value",
        "max fee per gas less than block base fee",
        "transaction underpriced",
        "txpool is full",
        "something that nobody has read before",
    ] {
        let rig = Rig::held();
        let refusing = Arc::new(Mutex::new(true));
        let refuses = refusing.clone();
        let node = rig.through(move |asked| match asked.method {
            "eth_sendRawTransaction" if *refuses.lock().unwrap() => Reply::Error(-32000, words),
            _ => Reply::Forward,
        });
        let mut manager = rig.manager_at(&[&node.url], options(), Judge::default());
        manager.submit(gift("gift"), TIME).unwrap();
        for seconds in [0, 12, 24] {
            manager.step(TIME + seconds).unwrap();
            assert_eq!(state(&manager, "gift"), "sent", "{words}");
        }
        *refusing.lock().unwrap() = false;
        manager.step(TIME + 36).unwrap();
        rig.mine(3);
        manager.step(TIME + 37).unwrap();
        assert_eq!(state(&manager, "gift"), "final", "{words}");
        assert_eq!(rig.balance(SOMEBODY), U256::from(1), "{words}");
    }
}
