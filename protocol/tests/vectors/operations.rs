//! Section 5 of the protocol: floats, encodings, messages, signatures; records of section 6.

use bastion_protocol::header::domain;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, Float, ForcedExit, Op, AMOUNT_BITS, FEE_BITS};
use bastion_protocol::order::leaf_of;
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::records::{owner_record, value_record, ExitRecord, L1Record};
use bastion_protocol::{field, Address, Limit, Quote, TIME_BOUND};
use serde_json::{json, Value};

use crate::{bytes, element, random, EXIT};

const CHAIN_ID: u64 = 31_337;
const CONTRACT: Address = Address([0xc0; 20]);
/// The account that is created or credited.
const CREATED: u32 = 131_099;
const RELEASE_TIME: u64 = 1_800_000_500;

pub fn floats() -> Value {
    let ten = |e: u32| 10u128.pow(e);
    let values = [
        0,
        1,
        9,
        10,
        100,
        120,
        127,
        128,
        129,
        130,
        1_270,
        1_271,
        12_345,
        (1 << 35) - 1,
        1 << 35,
        (1 << 35) + 1,
        343_597_383_670,
        343_597_383_671,
        ten(18),
        1_234_567_890_123_456_789,
        ten(31),
        127 * ten(31),
        127 * ten(31) + 1,
        128 * ten(31),
        ten(33),
        ten(34),
        101 * ten(32),
        13 * ten(34),
        ten(38),
        34_028_236_692 * ten(28),
        34_028_236_692 * ten(28) + 1,
        u128::MAX,
    ];
    let each = |value: u128, bits: u32| {
        let floor = Float::floor(value, bits);
        json!({
            "value": value.to_string(),
            "bits": bits,
            "encoded": floor.encoded(),
            "floor": floor.value().map(|v| v.to_string()),
            "error": Float::exact("value", value, bits).err().map(|e| e.to_string()),
        })
    };
    let encoded: Vec<Value> =
        values.iter().flat_map(|v| [AMOUNT_BITS, FEE_BITS].map(|bits| each(*v, bits))).collect();
    let decoded: Vec<Value> = [
        0,
        1,
        31,
        32,
        63,
        4_095,
        (1 << 40) - 1,
        34_028_236_692 << 5 | 28,
        34_028_236_693 << 5 | 28,
    ]
    .into_iter()
    .map(|e| json!({ "encoded": e, "value": Float::decode(e).value().map(|v| v.to_string()) }))
    .collect();
    json!({ "encoded": encoded, "decoded": decoded })
}

fn bodies() -> Vec<Body> {
    let body = Body {
        account: 131_072,
        token: 3,
        nonce: 7,
        deadline: 1_900_000_000,
        fee: 120,
        action: Action::Transfer { to: 131_073, amount: 34_359_738_367 },
    };
    let guardian = Body { nonce: 0, fee: 0, ..body };
    let keyhash = random("keyhash");
    vec![
        body,
        Body {
            account: u32::MAX,
            token: u16::MAX,
            nonce: u32::MAX,
            deadline: TIME_BOUND - 1,
            fee: 127 * 10u128.pow(31),
            action: Action::Transfer { to: u32::MAX, amount: 34_028_236_692 * 10u128.pow(28) },
        },
        Body {
            fee: 0,
            action: Action::TransferNew { keyhash, exit: Address([9; 20]), amount: 10 },
            ..body
        },
        Body {
            action: Action::Withdraw { to: Address([0xff; 20]), amount: 10u128.pow(18) },
            ..body
        },
        Body { action: Action::ChangeKey { keyhash }, ..body },
        Body {
            action: Action::Freeze { until: 1_900_000_100, old_until: 1_800_000_000 },
            ..guardian
        },
        Body { action: Action::Freeze { until: TIME_BOUND - 1, old_until: 0 }, ..guardian },
        Body { action: Action::Unfreeze { old_until: 1_900_000_100 }, ..guardian },
        Body {
            action: Action::Order {
                to: 131_074,
                buy: 5,
                amount: 34_359_738_367,
                limit: Limit::of(9, 10).unwrap(),
            },
            ..body
        },
        Body {
            action: Action::Order {
                to: u32::MAX,
                buy: 0,
                amount: 10u128.pow(33),
                limit: Limit::new(u64::MAX, Limit::MAX_EXPONENT).unwrap(),
            },
            ..body
        },
    ]
}

/// Records that are posted, in the order of section 13.1.
fn records(op: &Op) -> Vec<Vec<u8>> {
    match op {
        Op::Signed(signed) => {
            let body = &signed.body;
            let wire = body.wire(EXIT).unwrap();
            let mut records = vec![wire.record(body.account, body.posted_to(CREATED)).to_bytes()];
            records.extend(body.value_word().map(value_record));
            records.extend(body.new_owner(EXIT).as_ref().map(owner_record));
            records.extend(body.action.leaves_to().map(|to| {
                ExitRecord {
                    to,
                    token: body.token,
                    release_time: RELEASE_TIME,
                    amount: body.action.amount().unwrap(),
                    index: body.account,
                }
                .to_bytes()
            }));
            records
        }
        Op::Deposit(_) | Op::ForcedExit(_) => {
            vec![L1Record::of(op, CREATED).unwrap().to_bytes()]
        }
        Op::Quote(quote) => vec![quote.record().to_bytes(), value_record(quote.value)],
        Op::Noop => vec![],
    }
}

fn vector(op: &Op) -> Value {
    let records = records(op);
    json!({
        "json": op,
        "bytes": bytes(&op.to_bytes()),
        "hash": bytes(&operation_hash(op)),
        "records": records.iter().map(|r| bytes(r)).collect::<Vec<_>>(),
        "leaf": leaf_of(records.iter().map(Vec::as_slice)).map(|leaf| field::to_hex(&leaf)),
    })
}

/// Bytes that are no operation.
fn refused() -> Vec<Value> {
    let key = SecretKey::from_seed(b"refused");
    let body = bodies()[2];
    let good = Op::Signed(body.sign(&key, domain(CHAIN_ID, CONTRACT), EXIT).unwrap()).to_bytes();
    let with = |at: usize, content: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + content.len()].copy_from_slice(content);
        bytes
    };
    let limit = Limit::of(9, 10).unwrap();
    let action = Action::Order { to: 131_074, buy: 5, amount: 10, limit };
    let signed = Body { action, ..body }.sign(&key, domain(CHAIN_ID, CONTRACT), EXIT).unwrap();
    let order = |at: usize, byte: u8| {
        let mut bytes = Op::Signed(signed).to_bytes();
        bytes[at] = byte;
        bytes
    };
    let cases: Vec<Vec<u8>> = vec![
        vec![],
        vec![7],
        vec![8; 20],
        vec![9],
        vec![0x80],
        vec![0x83],
        vec![0, 0],
        vec![0x81; 10],
        vec![0x82; 28],
        good[..good.len() - 1].to_vec(),
        [&good[..], &[0]].concat(),
        // The key hash of the new owner, the key, R and S.
        with(35, &[0xff; 32]),
        with(103, &[0xff; 32]),
        with(103, &[0; 64]),
        with(167, &[0; 64]),
        with(231, &[0xff; 32]),
        // Transfer, although the fields are those of another kind.
        with(0, &[1]),
        // A mantissa without its top bit, and an exponent of more than 7 bits.
        order(57, 0x7f),
        order(65, 0x80),
    ];
    cases
        .iter()
        .map(|b| json!({ "bytes": bytes(b), "error": Op::from_bytes(b).unwrap_err().to_string() }))
        .collect()
}

/// What has no message: it does not fit the wire.
fn unsignable() -> Vec<Value> {
    let body = bodies()[0];
    let cases = [
        Body { fee: 129, ..body },
        Body { action: Action::Transfer { to: 1, amount: (1 << 35) + 1 }, ..body },
        Body { deadline: TIME_BOUND, ..body },
        Body {
            action: Action::Order {
                to: 1,
                buy: 0,
                amount: 6 * 10u128.pow(33),
                limit: Limit::of(1, 1).unwrap(),
            },
            ..body
        },
        Body { action: Action::Freeze { until: TIME_BOUND, old_until: 0 }, fee: 0, ..body },
    ];
    cases
        .iter()
        .map(|b| {
            let error = b.message(domain(CHAIN_ID, CONTRACT), EXIT).unwrap_err();
            json!({ "body": b, "error": error.to_string() })
        })
        .collect()
}

/// Limit prices of quotients.
fn limits() -> Vec<Value> {
    let one = 1u128;
    [
        (1, 1),
        (9, 10),
        (1, 3),
        (3, 1),
        (1, one << 64),
        (u128::from(u64::MAX), 1),
        ((one << 100) - 1, one << 100),
        ((one << 64) - 1, one << 64),
        ((one << 65) - 1, one << 64),
        (u128::MAX, u128::MAX - 1),
        (10u128.pow(18), 2_500 * 10u128.pow(6)),
        (0, 1),
        (1, 0),
        (one << 64, 1),
        (1, (one << 64) + (1 << 10)),
    ]
    .into_iter()
    .map(|(bought, sold)| {
        let limit = Limit::of(bought, sold);
        json!({
            "bought": bought.to_string(),
            "sold": sold.to_string(),
            "limit": limit.as_ref().ok(),
            "error": limit.as_ref().err().map(|e| e.to_string()),
        })
    })
    .collect()
}

pub fn vectors() -> Value {
    let key = SecretKey::from_seed(b"operations");
    let domain = domain(CHAIN_ID, CONTRACT);
    let signed: Vec<Value> = bodies()
        .into_iter()
        .map(|body| {
            let mut vector = vector(&Op::Signed(body.sign(&key, domain, EXIT).unwrap()));
            vector["message"] = element(&body.message(domain, EXIT).unwrap());
            vector
        })
        .collect();
    let queued = [
        Op::Noop,
        Op::Deposit(Deposit {
            token: 3,
            amount: u128::MAX,
            keyhash: random("keyhash"),
            exit: EXIT,
        }),
        Op::ForcedExit(ForcedExit { index: 131_072, token: 3, exit: EXIT }),
    ];
    let quotes = [
        Quote::price(3, 1, 1 << 95),
        Quote::price(u16::MAX, u16::MAX, (1 << 96) - 1),
        Quote::price(3, 0, 0),
        Quote::fraction(3, 4, 1 << 31),
        Quote::fraction(u16::MAX, 0, 1 << 32),
    ]
    .map(|quote| Op::Quote(quote.unwrap()));
    json!({
        "chain_id": CHAIN_ID,
        "contract": CONTRACT,
        "domain": element(&domain),
        "secret": bytes(&key.expose_bytes()),
        "own_exit": EXIT,
        "created": CREATED,
        "release_time": RELEASE_TIME,
        "signed": signed,
        "queued": queued.iter().map(vector).collect::<Vec<_>>(),
        "quotes": quotes.iter().map(vector).collect::<Vec<_>>(),
        "limits": limits(),
        "refused": refused(),
        "unsignable": unsignable(),
    })
}
