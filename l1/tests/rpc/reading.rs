//! Logs, blocks and state of a node that misbehaves: what is read is right, or it is an error.

use alloy::primitives::{Address, Bytes, LogData, B256, U256};
use bastion_l1::{
    At, DevChain, Event, Finality, Indexer, L1Error, Options, ReadL1, ReadLogs, RpcL1, SendL1,
    DEV_OPERATOR,
};
use serde_json::{json, Value};

use crate::anvil::Anvil;
use crate::server::{Asked, Reply, Server};
use crate::TIME;

/// Creation code of a contract that logs its calldata under one topic.
const LOGGER: [u8; 21] = [
    0x6b, // 12 bytes of code
    0x36, 0x60, 0, 0x60, 0, 0x37, // copies the calldata
    0x60, 7, 0x36, 0x60, 0, 0xa1, // logs them under topic 7
    0x60, 0, 0x52, 0x60, 12, 0x60, 20, 0xf3,
];

/// A change of an answer on its way.
type Change = fn(&mut Value);

/// A contract that has logged.
struct Logging {
    anvil: Anvil,
    contract: Address,
    /// What it logged.
    events: Vec<Event>,
}

impl Logging {
    /// Five logs with blocks between.
    fn new() -> Self {
        let anvil = Anvil::start(TIME);
        let mut l1 = RpcL1::connect(&anvil.url).unwrap();
        let (contract, _) = l1.deploy(DEV_OPERATOR, Bytes::from_static(&LOGGER)).unwrap();
        for i in 0..5_u8 {
            l1.send(DEV_OPERATOR, contract, U256::ZERO, vec![i; 3].into()).unwrap();
            for _ in 0..4 {
                l1.advance(12).unwrap();
            }
        }
        let pin = l1.pin().unwrap();
        let events = l1.events(&pin, &[contract]).unwrap();
        let data: Vec<LogData> = events.iter().map(|e| e.data.clone()).collect();
        let expected = |i| LogData::new_unchecked(vec![B256::with_last_byte(7)], vec![i; 3].into());
        assert_eq!(data, (0..5).map(expected).collect::<Vec<_>>());
        for pair in events.windows(2) {
            assert!(pair[0].block.number < pair[1].block.number);
            assert!(pair[0].block.time + 40 < pair[1].block.time);
        }
        Self { anvil, contract, events }
    }

    /// A reader through a node that misbehaves.
    fn through(
        &self,
        answer: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> (RpcL1, Server) {
        let server = Server::start(Some(&self.anvil.url), answer);
        let options = Options { retries: 2, ..Options::default() };
        (RpcL1::with(&server.url, options).unwrap(), server)
    }

    /// Receipts of the block of the first log, which is changed.
    fn receipts(&self, change: Change) -> Value {
        let event = &self.events[0];
        let mut log = json!({
            "address": event.address, "topics": event.data.topics(), "data": event.data.data,
            "blockNumber": format!("{:#x}", event.block.number), "blockHash": event.block.hash,
            "transactionHash": event.transaction, "logIndex": "0x0",
        });
        change(&mut log);
        json!([{ "blockNumber": format!("{:#x}", event.block.number), "logs": [log] }])
    }

    fn events(&self, l1: &mut RpcL1) -> Result<Vec<Event>, L1Error> {
        let pin = l1.pin()?;
        l1.events(&pin, &[self.contract])
    }
}

fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// A node that gives logs of at most seven blocks.
fn seven(asked: &Asked<'_>) -> Reply {
    let range = &asked.params[0];
    match asked.method {
        "eth_getLogs" if number(&range["toBlock"]) - number(&range["fromBlock"]) > 6 => {
            Reply::Error(-32602, "block range is too large, max is 7")
        }
        _ => Reply::Forward,
    }
}

#[test]
fn what_is_read_is_right_or_an_error() {
    let sound = Logging::new();
    limits(&sound);
    answers_that_are_no_logs(&sound);
    logs_of_receipts(&sound);
    reorganizations(&sound);
    state_of_a_block(&sound);
    calls_in_a_transaction(&sound);
    names_of_blocks(&sound);
    an_indexer_meets_the_same(&sound);
}

fn limits(sound: &Logging) {
    let (mut l1, server) = sound.through(seven);
    assert_eq!(sound.events(&mut l1).unwrap(), sound.events);
    assert!(server.count("eth_getLogs") > 3);
    // No single block's logs are given: its receipts hold the same.
    let (mut l1, server) = sound.through(|asked| match asked.method {
        "eth_getLogs" => Reply::Error(-32005, "query returned more than 0 results"),
        _ => Reply::Forward,
    });
    assert_eq!(sound.events(&mut l1).unwrap(), sound.events);
    assert!(server.count("eth_getBlockReceipts") > 20);
}

fn answers_that_are_no_logs(sound: &Logging) {
    for result in [json!(null), json!({}), json!("0x"), json!([{"address": null}]), json!([7])] {
        let (mut l1, _server) = sound.through(move |asked| match asked.method {
            "eth_getLogs" => Reply::Result(result.clone()),
            _ => Reply::Forward,
        });
        let error = sound.events(&mut l1).unwrap_err();
        assert!(matches!(error, L1Error::Malformed { .. }), "{error}");
    }
    let changes: [(Change, &str); 4] = [
        (|a| a["result"][0]["address"] = json!(Address::repeat_byte(9)), "not asked for"),
        (|a| a["result"][0]["blockNumber"] = json!("0xffff"), "not asked for"),
        (|a| a["result"][1]["blockHash"] = json!(null), "without its block"),
        (
            |a| {
                let logs = a["result"].as_array_mut().unwrap();
                logs.push(logs[0].clone());
            },
            "twice",
        ),
    ];
    for (change, words) in changes {
        let (mut l1, _server) = sound.through(move |asked| match asked.method {
            "eth_getLogs" => Reply::Changed(change),
            _ => Reply::Forward,
        });
        let error = sound.events(&mut l1).unwrap_err();
        assert!(matches!(error, L1Error::Malformed { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

fn logs_of_receipts(sound: &Logging) {
    let changes: [(Change, &str); 5] = [
        (|log| log["blockNumber"] = json!("0xffff"), "block 65535 that was not asked for"),
        (|log| log["topics"] = json!(vec![B256::ZERO; 5]), "not asked for"),
        (|log| log["logIndex"] = json!(null), "without its block"),
        (|log| log["removed"] = json!(true), "no longer"),
        (|log| log["blockHash"] = json!(B256::repeat_byte(7)), "no longer"),
    ];
    for (change, words) in changes {
        let receipts = sound.receipts(change);
        let (mut l1, _server) = sound.through(move |asked| match asked.method {
            "eth_getLogs" => Reply::Error(-32005, "query returned more than 0 results"),
            "eth_getBlockReceipts" => Reply::Result(receipts.clone()),
            _ => Reply::Forward,
        });
        let number = sound.events[0].block.number;
        let error = l1.logs(number, number, &[sound.contract]).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    // No contract would mean all.
    let (mut l1, server) = sound.through(|_| Reply::Forward);
    let error = l1.logs(0, 5, &[]).unwrap_err();
    assert!(matches!(error, L1Error::NoContracts), "{error}");
    assert_eq!(server.count("eth_getLogs"), 0);
}

fn reorganizations(sound: &Logging) {
    let left: [Change; 2] = [
        |answer| answer["result"][3]["blockHash"] = json!(format!("0x{}", "7".repeat(64))),
        |answer| answer["result"][3]["removed"] = json!(true),
    ];
    for change in left {
        let (mut l1, _server) = sound.through(move |asked| match asked.method {
            "eth_getLogs" => Reply::Changed(change),
            _ => Reply::Forward,
        });
        let error = sound.events(&mut l1).unwrap_err();
        let block = sound.events[3].block.number;
        assert!(matches!(error, L1Error::Reorg { block: b, .. } if b == block), "{error}");
    }
    let mut l1 = RpcL1::connect(&sound.anvil.url).unwrap();
    let mut pin = l1.pin().unwrap();
    l1.hold(&pin).unwrap();
    pin.hash = B256::repeat_byte(7);
    assert!(matches!(l1.hold(&pin).unwrap_err(), L1Error::Reorg { .. }));
}

fn state_of_a_block(sound: &Logging) {
    let mut l1 = RpcL1::connect(&sound.anvil.url).unwrap();
    let before = l1.block(At::Number(0)).unwrap().unwrap();
    assert!(l1.code_at(&before, sound.contract).unwrap().is_empty());
    let pin = l1.pin().unwrap();
    let hash = json!(pin.hash);
    let (mut exact, server) = sound.through(move |asked| {
        let by_hash = asked.params[1]["blockHash"] == hash;
        assert!(asked.method != "eth_getCode" || by_hash, "{}", asked.params);
        Reply::Forward
    });
    assert_eq!(exact.code_at(&pin, sound.contract).unwrap().len(), 12);
    assert_eq!(server.count("eth_getCode"), 1);
    // By number, from a node that knows no hashes.
    let (mut old, _server) = sound.through(|asked| match asked.method {
        "eth_getCode" if asked.params[1].is_object() => {
            Reply::Error(-32602, "invalid argument 1: hex string expected")
        }
        _ => Reply::Forward,
    });
    assert_eq!(old.code_at(&pin, sound.contract).unwrap().len(), 12);
    let (mut pruned, _server) = sound.through(|asked| match asked.method {
        "eth_getCode" => Reply::Error(-32000, "missing trie node 12ab (path )"),
        _ => Reply::Forward,
    });
    let error = pruned.code_at(&pin, sound.contract).unwrap_err();
    assert!(matches!(error, L1Error::MissingHistory { .. }), "{error}");
}

fn calls_in_a_transaction(sound: &Logging) {
    let mut l1 = RpcL1::connect(&sound.anvil.url).unwrap();
    let transaction = sound.events[2].transaction;
    let input = Bytes::from(vec![2; 3]);
    let called = l1.called(transaction).unwrap();
    assert_eq!((called.to, &called.input), (Some(sound.contract), &input));
    assert_eq!(l1.inner_calls(transaction, sound.contract).unwrap(), [input]);
    assert!(l1.inner_calls(transaction, Address::ZERO).unwrap().is_empty());
    // Of two steps only one lasts; geth's tracer tells of them.
    let to = sound.contract;
    let step = move |input: &str, place: Value, error: Value| {
        json!({
            "type": "call", "traceAddress": place, "error": error, "more": [0, [0], {}],
            "action": { "callType": "call", "to": to, "input": input, "from": to },
        })
    };
    let (mut geth, _server) = sound.through(move |asked| match asked.method {
        "trace_transaction" => Reply::Error(-32601, "unknown method"),
        "debug_traceTransaction" => Reply::Result(json!([
            step("0x01", json!([]), Value::Null),
            step("0x02", json!([0]), json!("Reverted")),
            step("0x03", json!([0, 1]), Value::Null),
            { "type": "create", "action": {}, "traceAddress": [1] },
        ])),
        _ => Reply::Forward,
    });
    assert_eq!(geth.inner_calls(transaction, to).unwrap(), [Bytes::from(vec![1])]);
    let (mut wrong, _server) = sound.through(|asked| match asked.method {
        "trace_transaction" => {
            Reply::Result(json!([{ "type": "call", "action": {}, "traceAddress": [] }]))
        }
        _ => Reply::Forward,
    });
    let error = wrong.inner_calls(transaction, to).unwrap_err();
    assert!(matches!(error, L1Error::Malformed { .. }), "{error}");
}

/// A node that answers for one name otherwise than it should.
fn with_name(
    sound: &Logging,
    name: &'static str,
    answer: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> RpcL1 {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let misled = move |asked: &Asked<'_>| match asked.method {
        "eth_getBlockByNumber" if asked.params[0] == name => {
            answer(count.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
        }
        _ => Reply::Forward,
    };
    sound.through(misled).0
}

fn names_of_blocks(sound: &Logging) {
    let follow = |l1: &mut RpcL1| {
        let finality = Finality::Tag { otherwise: 2 };
        Indexer::from_block(0, vec![sound.contract], finality).next(l1)
    };
    // Only a node that does not know the name makes a chain one without it.
    let unknown = |_| Reply::Error(-32602, "hex string without 0x prefix");
    let mut old = with_name(sound, "finalized", unknown);
    assert_eq!(old.block(At::Finalized).unwrap(), None);
    let head = old.block(At::Latest).unwrap().unwrap();
    assert_eq!(follow(&mut old).unwrap().unwrap().cursor.number, head.number - 2);
    let mut old = with_name(sound, "latest", unknown);
    assert!(old.block(At::Latest).unwrap_err().is_refusal());
    // Each of these says something else: that it is busy, broken or behind.
    for name in ["finalized", "latest"] {
        let answers: [fn(usize) -> Reply; 5] = [
            |_| Reply::Error(-32000, "finalized block not found"),
            |_| Reply::Error(-39001, "unknown block"),
            |_| Reply::Error(-32603, "internal error"),
            |_| Reply::Error(429, "slow down"),
            |_| Reply::Result(Value::Null),
        ];
        for answer in answers {
            let mut l1 = with_name(sound, name, answer);
            let at = name.parse().unwrap();
            let error = l1.block(at).unwrap_err();
            assert!(error.to_string().contains("http://127.0.0.1:"), "{error}");
            match name {
                "finalized" => {
                    assert_eq!(follow(&mut l1).unwrap_err().to_string(), error.to_string())
                }
                _ => {
                    let mut depth =
                        Indexer::from_block(0, vec![sound.contract], Finality::Depth(2));
                    depth.next(&mut l1).unwrap_err();
                }
            }
        }
    }
    // What may pass stays an error that may pass.
    let mut busy = with_name(sound, "latest", |_| Reply::Error(429, "slow down"));
    assert!(busy.pin().unwrap_err().is_passing());
    let mut behind = with_name(sound, "latest", |_| Reply::Result(Value::Null));
    assert!(matches!(behind.pin().unwrap_err(), L1Error::NoBlock { .. }));
    // A name that was known once is not forgotten.
    let mut forgets = with_name(sound, "finalized", |count| match count {
        0 => Reply::Forward,
        _ => Reply::Error(-32602, "invalid params"),
    });
    let finality = Finality::Tag { otherwise: 0 };
    let mut indexer = Indexer::from_block(0, vec![sound.contract], finality);
    let first = indexer.next(&mut forgets).unwrap().map(|chunk| chunk.cursor);
    let error = indexer.next(&mut forgets).unwrap_err();
    assert!(matches!(error, L1Error::NoNamed { name: "finalized" }), "{error}");
    assert_eq!(indexer.cursor(), first);
}

fn an_indexer_meets_the_same(sound: &Logging) {
    // Too large ranges, and a node that is busy at times.
    let (mut l1, server) = sound.through(|asked| match (asked.method, asked.count % 3) {
        ("eth_getLogs", 0) => Reply::Raw(429, "Retry-After: 0\r\n".into(), Vec::new()),
        _ => seven(asked),
    });
    let mut indexer = Indexer::from_block(0, vec![sound.contract], Finality::Depth(2));
    let mut events = Vec::new();
    let mut last = None;
    while let Some(chunk) = indexer.next(&mut l1).unwrap() {
        events.extend(chunk.events);
        last = Some(chunk.cursor);
    }
    assert_eq!(events, sound.events);
    assert!(server.count("eth_getLogs") > 6);
    let head = l1.block(At::Latest).unwrap().unwrap();
    let cursor = last.unwrap();
    assert_eq!(cursor.number, head.number - 2);
    // Resumed, there is nothing new; on another branch it is a reorganization.
    let of = || vec![sound.contract];
    let mut resumed = Indexer::resume(cursor, of(), Finality::Depth(2));
    assert_eq!(resumed.next(&mut l1).unwrap(), None);
    let other = bastion_l1::Cursor { hash: B256::repeat_byte(7), ..cursor };
    let mut lost = Indexer::resume(other, of(), Finality::Depth(2));
    let error = lost.next(&mut l1).unwrap_err();
    assert!(matches!(error, L1Error::Reorg { common: None, .. }), "{error}");
    // The same with a chunk known before.
    let early = l1.block(At::Number(3)).unwrap().unwrap();
    let early = bastion_l1::Cursor { number: early.number, hash: early.hash };
    let mut lost = Indexer::resume(other, of(), Finality::Depth(2)).with_known([early]);
    match lost.next(&mut l1).unwrap_err() {
        L1Error::Reorg { common, block } => {
            assert_eq!((common, block), (Some(early), cursor.number));
        }
        other => panic!("{other}"),
    }
    // A node that stays busy is an error that may pass, and the chunk is read later.
    let (mut busy, _server) = sound.through(|asked| match asked.method {
        "eth_getLogs" if asked.count <= 3 => {
            Reply::Raw(429, "Retry-After: 0\r\n".into(), Vec::new())
        }
        _ => Reply::Forward,
    });
    let mut indexer = Indexer::from_block(0, of(), Finality::Depth(2));
    assert!(indexer.next(&mut busy).unwrap_err().is_passing());
    assert_eq!(indexer.next(&mut busy).unwrap().unwrap().events, sound.events);
}
