//! Answers of a node, and their types: nothing is taken for data that is not of the form that the
//! method has.

use alloy_primitives::{hex, Address, Bytes, B256, U256};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::failure::Failure;

/// Bytes of a body that an error keeps.
const START: usize = 1_000;

/// A number of 64 bits as nodes write it: `0x` and hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Quantity(pub(super) u64);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wei = Wei::deserialize(deserializer)?.0;
        let small = u64::try_from(wei);
        small.map(Self).map_err(|_| D::Error::custom("a number of more than 64 bits"))
    }
}

/// A number of 256 bits, written the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wei(pub(super) U256);

impl<'de> Deserialize<'de> for Wei {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|digits| !digits.is_empty());
        let number = digits.and_then(|digits| U256::from_str_radix(digits, 16).ok());
        number.map(Self).ok_or_else(|| D::Error::custom(format!("`{text}` is no 0x number")))
    }
}

/// A block, as far as it is needed.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Header {
    pub(super) number: Quantity,
    pub(super) hash: B256,
    pub(super) timestamp: Quantity,
}

/// A block that may not be mined yet, and then has neither number nor hash.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Time {
    pub(super) timestamp: Quantity,
}

/// An event.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log {
    pub(super) address: Address,
    pub(super) topics: Vec<B256>,
    pub(super) data: Bytes,
    pub(super) block_number: Quantity,
    pub(super) block_hash: B256,
    pub(super) transaction_hash: B256,
    pub(super) log_index: Quantity,
    #[serde(default)]
    pub(super) removed: bool,
}

/// A transaction.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Transaction {
    pub(super) hash: B256,
    pub(super) from: Address,
    pub(super) to: Option<Address>,
    pub(super) nonce: Quantity,
    #[serde(alias = "data")]
    pub(super) input: Bytes,
}

/// A block with its transactions.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Filled {
    pub(super) transactions: Vec<Transaction>,
}

/// What became of a transaction.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Receipt {
    pub(super) status: Quantity,
    pub(super) gas_used: Quantity,
    pub(super) contract_address: Option<Address>,
    pub(super) logs: Vec<Log>,
}

/// A call inside a transaction, in the flat form of `trace_transaction`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trace {
    pub(super) action: Action,
    #[serde(default)]
    pub(super) error: Option<String>,
    pub(super) trace_address: Vec<usize>,
}

/// What a trace did; creations have neither recipient nor kind of call.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    #[serde(default)]
    pub(super) call_type: Option<String>,
    #[serde(default)]
    pub(super) to: Option<Address>,
    #[serde(default)]
    pub(super) input: Bytes,
}

#[derive(Deserialize)]
struct Answer<T> {
    id: u64,
    result: T,
}

#[derive(Deserialize)]
struct Refusal {
    error: Value,
}

/// The result in an answer to request `id`.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], id: u64) -> Result<T, Failure> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let malformed = |why: String| Failure::Malformed { why, body: start(body) };
    if let Some(refusal) = refusal(body) {
        return Err(refusal);
    }
    let answer: Answer<T> = serde_json::from_slice(body).map_err(|e| malformed(e.to_string()))?;
    if answer.id != id {
        return Err(malformed(format!("it answers request {}, not {id}", answer.id)));
    }
    Ok(answer.result)
}

/// The error in an answer, if it has one.
pub(super) fn refusal(body: &[u8]) -> Option<Failure> {
    let Refusal { error } = serde_json::from_slice(body).ok()?;
    if error.is_null() {
        return None;
    }
    let message = error["message"].as_str().or(error.as_str());
    let message = message.unwrap_or("no message").to_string();
    let code = error["code"].as_i64().unwrap_or(0);
    let data = [&error["data"], &error["data"]["data"]]
        .into_iter()
        .filter_map(Value::as_str)
        .map(|text| text.trim_start_matches("Reverted "))
        .find_map(|text| hex::decode(text).ok());
    Some(match data {
        Some(data) if !data.is_empty() => Failure::Reverted { data: data.into() },
        _ => Failure::Refused { code, message },
    })
}

/// The start of a body as text.
pub(super) fn start(body: &[u8]) -> String {
    let end = body.len().min(START);
    String::from_utf8_lossy(&body[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why<T: DeserializeOwned + std::fmt::Debug>(body: &str) -> String {
        match read::<T>(body.as_bytes(), 7) {
            Err(Failure::Malformed { why, .. }) => why,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn only_the_expected_form_is_data() {
        let good = br#"{"jsonrpc":"2.0","id":7,"result":"0x10"}"#;
        assert_eq!(read::<Quantity>(good, 7).unwrap(), Quantity(16));
        let marked = [b"\xef\xbb\xbf", &good[..]].concat();
        assert_eq!(read::<Quantity>(&marked, 7).unwrap(), Quantity(16));
        for body in [
            "",
            "[]",
            "null",
            "\"0x10\"",
            "<html></html>",
            "{}",
            r#"{"id":7}"#,
            r#"{"result":[]}"#,
            r#"{"id":7,"result":null}"#,
            r#"{"id":7,"result":{}}"#,
            r#"{"id":7,"result":"0x"}"#,
            r#"{"id":8,"result":[]}"#,
            r#"{"id":7,"result":[{}]}"#,
            r#"{"id":7,"result":[]"#,
            r#"{"message":"rate limited"}"#,
        ] {
            why::<Vec<Log>>(body);
        }
        assert!(why::<Vec<Log>>(r#"{"id":8,"result":[]}"#).contains("request 8"));
        for number in ["16", "\"16\"", "\"0x\"", "\"0xg\"", "\"-0x1\"", "\"0x10000000000000000\""] {
            why::<Quantity>(&format!(r#"{{"id":7,"result":{number}}}"#));
        }
        assert!(read::<Option<Header>>(br#"{"id":7,"result":null}"#, 7).unwrap().is_none());
    }

    #[test]
    fn errors_come_in_many_forms() {
        for (body, code, words) in [
            (r#"{"id":7,"error":{"code":-32005,"message":"no"}}"#, -32005, "no"),
            (r#"{"id":null,"result":null,"error":{"code":1,"message":"no","data":"x"}}"#, 1, "no"),
            (r#"{"error":"broken"}"#, 0, "broken"),
            (r#"{"error":{}}"#, 0, "no message"),
        ] {
            match read::<Vec<Log>>(body.as_bytes(), 7) {
                Err(Failure::Refused { code: c, message }) => {
                    assert_eq!((c, message.as_str()), (code, words));
                }
                other => panic!("{body}: {other:?}"),
            }
        }
        for data in [r#""0x12345678""#, r#"{"data":"0x12345678"}"#, r#""Reverted 0x12345678""#] {
            let body = format!(r#"{{"id":7,"error":{{"code":3,"message":"r","data":{data}}}}}"#);
            let failure = read::<Bytes>(body.as_bytes(), 7).unwrap_err();
            assert!(matches!(failure, Failure::Reverted { data } if data.len() == 4));
        }
    }
}
