//! A transaction takes effect once, however its answer is lost.

use std::sync::{Arc, Mutex};

use alloy_primitives::{Address, Bytes, U256};
use bastion_node::l1::{RpcL1, DEV_OPERATOR, L1};

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
    let code = crate::world::creation(&[0x00]);
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
            other.send(DEV_OPERATOR, SOMEBODY, U256::from(9), vec![1].into()).unwrap();
            Reply::Hangup
        }
        _ => Reply::Forward,
    });
    let mut l1 = RpcL1::connect(&racing.url).unwrap();
    let error = l1.send(DEV_OPERATOR, SOMEBODY, U256::from(5), Bytes::new());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("somebody else"), "{error}");
    assert_eq!(racing.count("eth_sendTransaction"), 1);
}
