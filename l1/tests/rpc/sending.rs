//! A transaction takes effect once, however its answer is lost.

use std::sync::{Arc, Mutex};

use alloy::primitives::{Address, Bytes, B256, U256};
use bastion_l1::{L1Error, NonceFault, Pin, ReadL1, RpcL1, SendL1, DEV_OPERATOR};

use crate::anvil::Anvil;
use crate::server::{Reply, Server};
use crate::TIME;

const SOMEBODY: Address = Address::repeat_byte(7);

#[test]
fn a_lost_answer_is_looked_up_before_anything_is_sent_again() {
    let anvil = Anvil::start(TIME);
    let mut direct = RpcL1::connect(&anvil.url).unwrap();
    let before = direct.nonce(DEV_OPERATOR).unwrap();
    // The node takes the transaction, and the answer is lost.
    let taken = Server::start(Some(&anvil.url), |asked| match asked.method {
        "eth_sendTransaction" => Reply::Changed(|answer| *answer = serde_json::json!("lost")),
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&taken.url).unwrap();
    l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new()).unwrap();
    assert_eq!(taken.count("eth_sendTransaction"), 1);
    assert_eq!(direct.nonce(DEV_OPERATOR).unwrap(), before + 1);
    assert_eq!(direct.balance(SOMEBODY).unwrap(), U256::from(5));

    // The node never gets it: it is sent again.
    let lost = Server::start(Some(&anvil.url), |asked| match asked.method {
        "eth_sendTransaction" if asked.count == 1 => Reply::Hangup,
        "eth_sendTransaction" if asked.count == 2 => {
            Reply::Raw(503, String::new(), b"restarting".to_vec())
        }
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&lost.url).unwrap();
    l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new()).unwrap();
    assert_eq!(lost.count("eth_sendTransaction"), 3);
    assert_eq!(direct.nonce(DEV_OPERATOR).unwrap(), before + 2);
    assert_eq!(direct.balance(SOMEBODY).unwrap(), U256::from(10));

    // A deployment whose receipt comes late.
    let late = Server::start(Some(&anvil.url), |asked| match asked.method {
        "eth_getTransactionReceipt" if asked.count < 3 => Reply::Result(serde_json::Value::Null),
        "eth_getTransactionReceipt" if asked.count == 3 => {
            Reply::Raw(502, String::new(), Vec::new())
        }
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&late.url).unwrap();
    // Leaves one byte of code, a stop.
    let code = Bytes::from_static(&[0x60, 0x01, 0x60, 0x00, 0xf3]);
    let (address, _) = l1.deploy(DEV_OPERATOR, code).unwrap();
    assert_eq!(l1.code(address).unwrap().as_ref(), [0x00]);
    assert_eq!(direct.nonce(DEV_OPERATOR).unwrap(), before + 3);
}

#[test]
fn a_refusal_is_final_and_another_sender_is_noticed() {
    let anvil = Anvil::start(TIME);
    let refusing = Server::start(Some(&anvil.url), |asked| match asked.method {
        "eth_sendTransaction" => Reply::Error(-32000, "insufficient funds"),
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&refusing.url).unwrap();
    let error = l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new());
    assert!(error.unwrap_err().to_string().contains("insufficient funds"));
    assert_eq!(refusing.count("eth_sendTransaction"), 1);

    // The answer is lost, and meanwhile somebody else used the nonce.
    let other = Arc::new(Mutex::new(RpcL1::connect(&anvil.url).unwrap()));
    let racing = Server::start(Some(&anvil.url), move |asked| match asked.method {
        "eth_sendTransaction" => {
            let mut other = other.lock().unwrap();
            other.send(DEV_OPERATOR, SOMEBODY, U256::from(9), Bytes::new()).unwrap();
            Reply::Hangup
        }
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&racing.url).unwrap();
    let error = l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new());
    let error = error.unwrap_err();
    assert!(matches!(error, L1Error::NonceTaken { account: DEV_OPERATOR, .. }), "{error}");
    assert!(error.to_string().contains("somebody else"), "{error}");
    assert_eq!(racing.count("eth_sendTransaction"), 1);
}

#[test]
fn nothing_is_sent_while_another_transaction_waits() {
    let anvil = Anvil::start(TIME);
    let waiting = Server::start(Some(&anvil.url), |asked| match asked.method {
        "eth_getTransactionCount" if asked.params[1] == "pending" => {
            Reply::Result(serde_json::json!("0x5"))
        }
        "eth_getTransactionCount" => Reply::Result(serde_json::json!("0x3")),
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&waiting.url).unwrap();
    let sent = l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new()).unwrap_err();
    let deployed = l1.deploy(DEV_OPERATOR, Bytes::from_static(&[0])).unwrap_err();
    for error in [sent, deployed] {
        assert!(matches!(error, L1Error::Waiting { account: DEV_OPERATOR, nonce: 3 }), "{error}");
        assert!(!error.is_lost() && !error.is_refused_call());
    }
    assert_eq!(waiting.count("eth_sendTransaction"), 0);
}

#[test]
fn a_transaction_names_the_chain_that_was_connected_to() {
    let anvil = Anvil::start(TIME);
    let exact = Server::start(Some(&anvil.url), |asked| match asked.method {
        "eth_estimateGas" | "eth_sendTransaction" => {
            assert_eq!(asked.params[0]["chainId"], "0x7a69", "{}", asked.params);
            Reply::Forward
        }
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&exact.url).unwrap();
    l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new()).unwrap();
    // Another chain is behind the URL by now.
    let other = Server::start(Some(&anvil.url), |asked| match asked.method {
        "eth_chainId" => Reply::Result(serde_json::json!("0x1")),
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&other.url).unwrap();
    l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new()).unwrap_err();
    assert_eq!(l1.balance(SOMEBODY).unwrap(), U256::from(5));
}

#[test]
fn a_node_does_not_say_how_much_is_searched() {
    let anvil = Anvil::start(TIME);
    let far = Server::start(Some(&anvil.url), |asked| match asked.method {
        "eth_sendTransaction" => Reply::Hangup,
        "eth_blockNumber" if asked.count > 1 => {
            Reply::Result(serde_json::json!("0xffffffffffffffff"))
        }
        "eth_getTransactionCount" if asked.count > 2 => Reply::Result(serde_json::json!("0xff")),
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&far.url).unwrap();
    let error = l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new()).unwrap_err();
    assert!(matches!(error, L1Error::Unseen { nonce: 0, .. }), "{error}");
    assert!(far.count("eth_getBlockByNumber") <= 258);
    let pin = Pin { number: u64::MAX, hash: B256::ZERO, time: TIME };
    let error = l1.events(&pin, &[SOMEBODY]).unwrap_err();
    assert!(matches!(error, L1Error::TooMuchToRead { first: 0, .. }), "{error}");
    assert_eq!(far.count("eth_getLogs"), 0);
    let mut late = RpcL1::connect(&far.url).unwrap().since(u64::MAX);
    // The last block of all is read without counting past it.
    late.events(&pin, &[SOMEBODY]).unwrap_err();
    assert_eq!(far.count("eth_getLogs"), 1);
}

#[test]
fn a_wrong_nonce_and_a_revert_are_told_apart() {
    let anvil = Anvil::start(TIME);
    for (words, fault) in [
        ("nonce too low: next nonce 5, tx nonce 3", NonceFault::TooLow),
        ("nonce too high", NonceFault::TooHigh),
        ("gapped nonce", NonceFault::Gap),
    ] {
        let refusing = Server::start(Some(&anvil.url), move |asked| match asked.method {
            "eth_sendTransaction" => Reply::Error(-32000, words),
            _ => Reply::Forward,
        });
        let mut l1 = RpcL1::connect(&refusing.url).unwrap();
        let error = l1.send(DEV_OPERATOR, SOMEBODY, U256::ZERO, Bytes::new()).unwrap_err();
        match error {
            L1Error::Nonce { account: DEV_OPERATOR, fault: found, .. } => assert_eq!(found, fault),
            other => panic!("{other}"),
        }
    }
    // A contract whose code reverts with the four bytes of `NotInExodus()`.
    let selector = alloy::primitives::keccak256("NotInExodus()");
    let mut runtime = vec![0x63];
    runtime.extend(&selector[..4]);
    runtime.extend([0x60, 0, 0x52, 0x60, 4, 0x60, 28, 0xfd]);
    let mut creation = vec![0x60, runtime.len() as u8, 0x80, 0x60, 9, 0x3d, 0x39, 0x3d, 0xf3];
    creation.extend(&runtime);
    let mut l1 = RpcL1::connect(&anvil.url).unwrap();
    let (contract, _) = l1.deploy(DEV_OPERATOR, creation.into()).unwrap();
    let sent = l1.send(DEV_OPERATOR, contract, U256::ZERO, Bytes::new()).unwrap_err();
    let viewed = l1.view(contract, Bytes::new()).unwrap_err();
    for error in [sent, viewed] {
        assert!(error.is_refused_call() && !error.is_passing(), "{error}");
        let revert = error.revert().unwrap_or_else(|| panic!("{error}"));
        assert!(revert.is("NotInExodus") && revert.data == selector[..4], "{revert:?}");
    }
}
