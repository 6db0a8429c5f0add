//! A node that misbehaves in front of a sound rollup: the history is right, or it is an error, and
//! never another history.

use bastion_prover::ErrorClass;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use alloy_primitives::Address;
use bastion_l1::{At, DevChain, L1Error, Options, RpcL1};
use bastion_node::blobs::Blobs;
use bastion_node::history::{collect, collect_pinned};
use bastion_node::NodeError;
use serde_json::{json, Value};

use crate::anvil::Anvil;
use crate::server::{Asked, Reply, Server};
use crate::world::{digest, World};
use crate::TIME;

/// A rollup of two blocks with an entry that waits, on a chain of some hundred blocks.
struct Sound {
    anvil: Anvil,
    rollup: Address,
    digest: String,
}

impl Sound {
    fn new() -> Self {
        let anvil = Anvil::start(TIME);
        let mut l1 = RpcL1::connect(&anvil.url).unwrap();
        let mut world = World::deploy(&mut l1, 0);
        world.plain(&mut l1);
        for _ in 0..20 {
            l1.advance(12).unwrap();
        }
        world.plain(&mut l1);
        world.entry(&mut l1);
        let history = collect(&mut l1, world.rollup).unwrap();
        assert_eq!((history.blocks.len(), history.queue.len()), (2, 1));
        Self { anvil, rollup: world.rollup, digest: digest(&history) }
    }

    /// What is read through a node that misbehaves.
    fn read(
        &self,
        answer: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> (Result<(), NodeError>, Server) {
        let server = Server::start(Some(&self.anvil.url), answer);
        let options = Options { retries: 2, ..Options::default() };
        let mut l1 = RpcL1::with(&server.url, options).unwrap();
        let read = collect(&mut l1, self.rollup).map(|history| {
            assert_eq!(digest(&history), self.digest, "another history");
        });
        (read, server)
    }

    /// The error of a node that misbehaves.
    fn error(&self, answer: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static) -> NodeError {
        self.read(answer).0.unwrap_err()
    }
}

/// The error of the L1 in another.
fn l1_error(error: &NodeError) -> &L1Error {
    match error {
        NodeError::L1(error) => error,
        other => panic!("{other}"),
    }
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn a_node_that_misbehaves_never_makes_another_history() {
    let sound = Sound::new();
    limits(&sound);
    failures_that_pass(&sound);
    answers_that_are_no_logs(&sound);
    lost_logs(&sound);
    pruned_history(&sound);
    reorganizations(&sound);
    ways_to_ask_for_state(&sound);
    blocks_to_read_as_of(&sound);
}

fn limits(sound: &Sound) {
    let (read, server) = sound.read(|asked| match asked.method {
        "eth_getLogs" => {
            let range = &asked.params[0];
            match number(&range["toBlock"]) - number(&range["fromBlock"]) {
                0..=6 => Reply::Forward,
                _ => Reply::Error(-32602, "block range is too large, max is 7"),
            }
        }
        _ => Reply::Forward,
    });
    read.unwrap();
    assert!(server.count("eth_getLogs") > 4);
    // With a status of its own, and by the number of results, which a single block can exceed.
    let (read, server) = sound.read(|asked| match asked.method {
        "eth_getLogs" => {
            let range = &asked.params[0];
            match number(&range["toBlock"]) - number(&range["fromBlock"]) {
                0 if number(&range["toBlock"]) > 2 => Reply::Forward,
                _ => Reply::Raw(
                    400,
                    String::new(),
                    br#"{"id":1,"error":{"code":-32005,"message":"query returned more than 3 results"}}"#.to_vec(),
                ),
            }
        }
        _ => Reply::Forward,
    });
    read.unwrap();
    assert!(server.count("eth_getBlockReceipts") > 0);
    // A refusal that halving cannot help stays one.
    let error = sound.error(|asked| match asked.method {
        "eth_getLogs" => Reply::Raw(413, String::new(), Vec::new()),
        "eth_getBlockReceipts" => Reply::Error(-32601, "unknown method"),
        _ => Reply::Forward,
    });
    assert!(error.to_string().contains("413"), "{error}");
}

fn failures_that_pass(sound: &Sound) {
    for method in ["eth_getLogs", "eth_call", "eth_getTransactionByHash", "eth_getBlockByNumber"] {
        let (read, _) = sound.read(move |asked| match (asked.method == method, asked.count) {
            (true, 1) => Reply::Raw(502, String::new(), b"<html>".to_vec()),
            (true, 3) => Reply::Hangup,
            (true, 5) => Reply::Raw(429, "Retry-After: 0\r\n".into(), Vec::new()),
            _ => Reply::Forward,
        });
        read.unwrap_or_else(|e| panic!("{method}: {e}"));
    }
}

fn answers_that_are_no_logs(sound: &Sound) {
    for (status, body) in [
        (200, r#"{"jsonrpc":"2.0","id":ID,"result":null}"#),
        (200, r#"{"jsonrpc":"2.0","id":ID,"result":{}}"#),
        (200, r#"{"jsonrpc":"2.0","id":ID,"result":"0x"}"#),
        (200, r#"{"jsonrpc":"2.0","id":ID,"result":[{"address":null}]}"#),
        (200, r#"{"jsonrpc":"2.0","id":ID}"#),
        (200, r#"{"message":"rate limited"}"#),
        (200, "[]"),
        (400, r#"{"message":"rate limited"}"#),
    ] {
        let error = sound.error(move |asked| match asked.method {
            "eth_getLogs" => Reply::Raw(status, String::new(), body.into()),
            _ => Reply::Forward,
        });
        let text = error.to_string();
        let asked = l1_error(&error).asked().unwrap_or_else(|| panic!("{text}"));
        assert!(asked.method == "eth_getLogs" && text.contains("eth_getLogs"), "{text}");
    }
    // Logs of another contract.
    let error = sound.error(|asked| match asked.method {
        "eth_getLogs" => Reply::Changed(|answer| {
            answer["result"][0]["address"] = json!(Address::repeat_byte(9));
        }),
        _ => Reply::Forward,
    });
    assert!(error.to_string().contains("not asked for"), "{error}");
}

fn lost_logs(sound: &Sound) {
    let losses: [fn(&mut Value); 5] = [
        |answer| answer["result"] = json!([]),
        // The entry that waits.
        |answer| drop(answer["result"].as_array_mut().unwrap().pop()),
        // The last block became final.
        |answer| {
            let logs = answer["result"].as_array_mut().unwrap();
            logs.remove(logs.len() - 2);
        },
        // The last block was proven.
        |answer| {
            let logs = answer["result"].as_array_mut().unwrap();
            logs.remove(logs.len() - 3);
        },
        // The last block was committed.
        |answer| {
            let logs = answer["result"].as_array_mut().unwrap();
            logs.remove(logs.len() - 4);
        },
    ];
    for (i, loss) in losses.into_iter().enumerate() {
        let error = sound.error(move |asked| match asked.method {
            "eth_getLogs" => Reply::Changed(loss),
            _ => Reply::Forward,
        });
        assert!(matches!(error, NodeError::Incomplete { .. }), "{i}: {error}");
        assert_eq!(error.class(), ErrorClass::Failure);
    }
    // A log twice, and an entry that nobody made.
    let error = sound.error(|asked| match asked.method {
        "eth_getLogs" => Reply::Changed(|answer| {
            let logs = answer["result"].as_array_mut().unwrap();
            logs.push(logs[0].clone());
        }),
        _ => Reply::Forward,
    });
    assert!(error.to_string().contains("twice"), "{error}");
    let error = sound.error(|asked| match asked.method {
        "eth_getLogs" => Reply::Changed(|answer| {
            let last = answer["result"].as_array_mut().unwrap().last_mut().unwrap();
            let data = last["data"].as_str().unwrap();
            last["data"] = json!(format!("{}7", &data[..data.len() - 1]));
        }),
        _ => Reply::Forward,
    });
    assert!(error.to_string().contains("queue"), "{error}");
}

fn pruned_history(sound: &Sound) {
    for method in ["eth_getTransactionByHash", "eth_getBlockByNumber"] {
        let error = sound.error(move |asked| match asked.method {
            m if m == method && asked.params[0] != "latest" => Reply::Result(Value::Null),
            _ => Reply::Forward,
        });
        let text = error.to_string();
        assert!(matches!(l1_error(&error), L1Error::MissingHistory { .. }), "{text}");
        assert!(text.contains("archive node"), "{text}");
    }
    let error = sound.error(|asked| match asked.method {
        "eth_call" | "eth_getCode" => Reply::Error(-32000, "missing trie node 12ab (path )"),
        _ => Reply::Forward,
    });
    assert!(matches!(l1_error(&error), L1Error::MissingHistory { .. }), "{error}");
}

fn reorganizations(sound: &Sound) {
    // The chain holds another block when all is read.
    let read = Arc::new(AtomicBool::new(false));
    let error = sound.error(move |asked| {
        if asked.method == "eth_getTransactionByHash" {
            read.store(true, Ordering::SeqCst);
        }
        match asked.method {
            "eth_getBlockByNumber" if read.load(Ordering::SeqCst) => Reply::Changed(|answer| {
                answer["result"]["hash"] = json!(format!("0x{}", "7".repeat(64)));
            }),
            _ => Reply::Forward,
        }
    });
    assert!(matches!(l1_error(&error), L1Error::Reorg { .. }), "{error}");
    assert!(error.to_string().contains("run again"), "{error}");
    // Logs of a branch that was left.
    let left: [fn(&mut Value); 2] = [
        |answer| answer["result"][3]["blockHash"] = json!(format!("0x{}", "7".repeat(64))),
        |answer| answer["result"][3]["removed"] = json!(true),
    ];
    for change in left {
        let error = sound.error(move |asked| match asked.method {
            "eth_getLogs" => Reply::Changed(change),
            _ => Reply::Forward,
        });
        assert!(matches!(l1_error(&error), L1Error::Reorg { .. }), "{error}");
    }
}

fn ways_to_ask_for_state(sound: &Sound) {
    // All state is that of one block, by its hash.
    let latest = Arc::new(OnceLock::new());
    let asked_for = latest.clone();
    let (read, _) = sound.read(move |asked| {
        if matches!(asked.method, "eth_call" | "eth_getCode") {
            let block = asked_for.get_or_init(|| asked.params[1].clone());
            assert_eq!(&asked.params[1], block);
        }
        Reply::Forward
    });
    read.unwrap();
    assert!(latest.get().unwrap()["blockHash"].is_string());
    // A node that only knows numbers.
    let (read, server) = sound.read(|asked| match asked.method {
        "eth_call" | "eth_getCode" if asked.params[1].is_object() => {
            Reply::Error(-32602, "invalid argument 1: hex string expected")
        }
        _ => Reply::Forward,
    });
    read.unwrap();
    assert!(server.count("eth_call") > 5);
}

fn blocks_to_read_as_of(sound: &Sound) {
    let connect = || RpcL1::connect(&sound.anvil.url).unwrap();
    let (_, now) = collect_pinned(&mut connect(), sound.rollup, &mut Blobs::none()).unwrap();
    // As of an earlier block there is less.
    let earlier = At::Number(now.number - 1);
    let (history, pin) =
        collect_pinned(&mut connect().at(earlier), sound.rollup, &mut Blobs::none()).unwrap();
    assert_eq!((pin.number, history.queue.len()), (now.number - 1, 0));
    let before = collect(&mut connect().at(At::Number(1)), sound.rollup).unwrap_err();
    assert!(before.to_string().contains("L1 block 1"), "{before}");
    let late = collect(&mut connect().at(At::Number(1 << 40)), sound.rollup).unwrap_err();
    assert!(late.to_string().contains("--at"), "{late}");
    let since = collect(&mut connect().since(now.number - 1), sound.rollup).unwrap_err();
    assert!(matches!(since, NodeError::Incomplete { .. }), "{since}");
    // A chain with money is read as of what is final; a node without that says so.
    let main = |tag: Option<&'static str>| {
        Server::start(Some(&sound.anvil.url), move |asked| match asked.method {
            "eth_chainId" => Reply::Result(json!("0x1")),
            "eth_getBlockByNumber" if asked.params[0] == "finalized" => match tag {
                Some(_) => Reply::Forward,
                None => Reply::Error(-39001, "unknown block"),
            },
            _ => Reply::Forward,
        })
    };
    let node = main(None);
    let mut l1 = RpcL1::connect(&node.url).unwrap();
    let error = collect(&mut l1, sound.rollup).unwrap_err().to_string();
    assert!(error.contains("finalized") && error.contains("--at"), "{error}");
    let node = main(Some("finalized"));
    let mut l1 = RpcL1::connect(&node.url).unwrap();
    // The node's last final block lies before the contract.
    let error = collect(&mut l1, sound.rollup).unwrap_err().to_string();
    assert!(error.contains("no contract as of L1 block 0"), "{error}");
}
