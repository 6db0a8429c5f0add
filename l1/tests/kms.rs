//! A key that AWS KMS keeps, against a server that answers as KMS does: it signs with a key of its own.
#![cfg(feature = "aws-kms")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;

use alloy::primitives::{hex, Address, B256};
use alloy::signers::local::PrivateKeySigner;
use alloy::signers::SignerSync;
use bastion_l1::txmgr::Wallet;
use serde_json::{json, Value};

const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// Tells [`the_process_that_signs`] to sign.
const SIGN: &str = "BASTION_TEST_KMS";

/// Not a test of its own: credentials are a matter of the environment, which belongs to a process.
#[test]
fn the_process_that_signs() {
    if std::env::var(SIGN).is_err() {
        return;
    }
    let wallet = Wallet::kms("a-key").unwrap();
    let signer: PrivateKeySigner = KEY.parse().unwrap();
    assert_eq!(wallet.address(), signer.address());
    assert_eq!(format!("{wallet:?}"), format!("Wallet({})", signer.address()));
}

#[test]
fn a_key_at_kms_signs() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(serve));
    let run = |sign: &str, folder: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", sign])
            .env(SIGN, folder)
            .env("AWS_ENDPOINT_URL", &url)
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .output()
            .unwrap()
    };
    for test in ["the_process_that_signs", "the_process_that_sends"] {
        let folder = tempfile::tempdir().unwrap();
        let output = run(test, folder.path().to_str().unwrap());
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}{errors}");
    }
}

#[path = "support/anvil.rs"]
mod anvil;

/// Not a test of its own either: a transaction that KMS signed is mined.
#[test]
fn the_process_that_sends() {
    use bastion_l1::txmgr::{Judge, Request, TxOptions};
    use bastion_l1::{Failover, FailoverOptions, Finality, ReadL1, TxManager};
    let Ok(folder) = std::env::var(SIGN) else { return };
    const TIME: u64 = 1_800_000_000;
    let node = anvil::Anvil::start(TIME);
    let l1 =
        Failover::connect(std::slice::from_ref(&node.url), FailoverOptions::default()).unwrap();
    let options = TxOptions { finality: Finality::Depth(0), ..TxOptions::default() };
    let wallet = Wallet::kms("a-key").unwrap();
    let folder = std::path::Path::new(&folder);
    let mut manager = TxManager::open(folder, l1, wallet, options, Judge::default()).unwrap();
    let somebody = Address::repeat_byte(7);
    let gift = Request {
        value: alloy::primitives::U256::from(1),
        ..Request::call("gift", somebody, Default::default())
    };
    manager.submit(gift, TIME).unwrap();
    manager.step(TIME).unwrap();
    manager.step(TIME + 1).unwrap();
    assert_eq!(manager.get("gift").unwrap().state.word(), "final");
    assert_eq!(manager.l1().balance(somebody).unwrap().to_string(), "1");
}

fn serve(mut stream: std::net::TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut target, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim().to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(name) = line.strip_prefix("x-amz-target:") {
                target = name.trim().into();
            }
            if let Some(n) = line.strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let asked: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(asked["KeyId"], "a-key");
        let signer: PrivateKeySigner = KEY.parse().unwrap();
        let answer = match target.as_str() {
            "trentservice.getpublickey" => {
                let mut der =
                    hex::decode("3056301006072a8648ce3d020106052b8104000a03420004").unwrap();
                der.extend(signer.public_key());
                json!({ "PublicKey": base64(&der) })
            }
            "trentservice.sign" => {
                assert_eq!(asked["MessageType"], "DIGEST");
                let digest = B256::from_slice(&unbase64(asked["Message"].as_str().unwrap()));
                let signature = signer.sign_hash_sync(&digest).unwrap();
                let mut numbers = integer(&signature.r().to_be_bytes::<32>());
                numbers.extend(integer(&signature.s().to_be_bytes::<32>()));
                let der = [vec![0x30, numbers.len() as u8], numbers].concat();
                json!({ "Signature": base64(&der) })
            }
            other => panic!("{other}"),
        };
        let body = answer.to_string();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n";
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }
}

/// A number in DER.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|b| *b != 0).unwrap();
    let mut bytes = bytes[start..].to_vec();
    if bytes[0] >= 0x80 {
        bytes.insert(0, 0);
    }
    [vec![0x02, bytes.len() as u8], bytes].concat()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63] as char;
            text.push(if i <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

fn unbase64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let value = |c: &u8| DIGITS.iter().position(|d| d == c).unwrap() as u32;
        let word = chunk.iter().fold(0, |word, c| word << 6 | value(c));
        let word = (word << (6 * (4 - chunk.len()))).to_be_bytes();
        bytes.extend(&word[1..chunk.len()]);
    }
    bytes
}
