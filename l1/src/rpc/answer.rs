//! What an HTTP body is: an answer to the request that was made, or a refusal, and nothing else.

use alloy::primitives::hex;
use alloy::rpc::json_rpc::{Id, Response, ResponsePacket, ResponsePayload};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::Value;

use crate::asked::Asked;
use crate::error::L1Error;
use crate::revert::Revert;

/// Bytes of a body that are looked at for an error, which keeps less of them.
const START: usize = 64 << 10;

/// Bytes of an error at most; longer ones are not looked into.
const LONGEST_ERROR: usize = 1 << 20;

#[derive(Deserialize)]
struct Answer {
    id: Id,
    result: Box<RawValue>,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    /// Not a value yet: as one it would take many times its length.
    #[serde(borrow)]
    error: &'a RawValue,
}

/// The answer to request `id` in a body.
pub(super) fn read(asked: &Asked, id: &Id, body: &[u8]) -> Result<ResponsePacket, L1Error> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let malformed =
        |why: String| L1Error::Malformed { asked: asked.clone(), why, body: start(body) };
    if let Some(refusal) = refusal(asked, body) {
        return Err(refusal);
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|e| malformed(e.to_string()))?;
    if answer.id != *id {
        return Err(malformed(format!("it answers request {}, not {id}", answer.id)));
    }
    let payload = ResponsePayload::Success(answer.result);
    Ok(ResponsePacket::Single(Response { id: answer.id, payload }))
}

/// The error in a body, if it has one. Nodes write it in more forms than the standard knows.
pub(super) fn refusal(asked: &Asked, body: &[u8]) -> Option<L1Error> {
    let Refusal { error } = serde_json::from_slice(body).ok()?;
    let length = error.get().len();
    if length > LONGEST_ERROR {
        let message = format!("an error of {length} bytes");
        return Some(L1Error::Refused { asked: asked.clone(), code: 0, message });
    }
    let error: Value = serde_json::from_str(error.get()).ok()?;
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
        Some(data) if !data.is_empty() => {
            L1Error::Reverted { what: asked.to_string(), revert: Revert::new(data.into()) }
        }
        _ => L1Error::Refused { asked: asked.clone(), code, message },
    })
}

/// The start of a body as text, longer than what will be shown of it.
pub(super) fn start(body: &[u8]) -> String {
    let end = body.len().min(START);
    String::from_utf8_lossy(&body[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::forms::{Log, Small, Time};
    use serde::de::DeserializeOwned;

    fn asked() -> Asked {
        Asked::once("eth_getLogs", "http://h:1".into())
    }

    fn result<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
        let packet = read(&asked(), &Id::Number(7), body).map_err(|e| match e {
            L1Error::Malformed { why, .. } => why,
            other => panic!("{other}"),
        })?;
        let ResponsePacket::Single(response) = packet else { panic!("a batch") };
        let ResponsePayload::Success(result) = response.payload else { panic!("a refusal") };
        serde_json::from_str(result.get()).map_err(|e| e.to_string())
    }

    #[test]
    fn only_the_expected_form_is_data() {
        type Logs = Vec<Log>;
        let good = br#"{"jsonrpc":"2.0","id":7,"result":"0x10"}"#;
        assert_eq!(result::<Small>(good).unwrap(), Small(16));
        let marked = [b"\xef\xbb\xbf", &good[..]].concat();
        assert_eq!(result::<Small>(&marked).unwrap(), Small(16));
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
            result::<Logs>(body.as_bytes()).unwrap_err();
        }
        let other = result::<Logs>(br#"{"id":8,"result":[]}"#).unwrap_err();
        assert!(other.contains("request 8"), "{other}");
        for number in ["16", "\"16\"", "\"0x\"", "\"0xg\"", "\"-0x1\"", "\"0x10000000000000000\""] {
            let body = format!(r#"{{"id":7,"result":{number}}}"#);
            result::<Small>(body.as_bytes()).unwrap_err();
        }
        let absent = result::<Option<Time>>(br#"{"id":7,"result":null,"error":null}"#);
        assert!(absent.unwrap().is_none());
    }

    #[test]
    fn errors_come_in_many_forms() {
        let error = |body: &str| read(&asked(), &Id::Number(7), body.as_bytes()).unwrap_err();
        for (body, code, words) in [
            (r#"{"id":7,"error":{"code":-32005,"message":"no"}}"#, -32005, "no"),
            (r#"{"id":null,"result":null,"error":{"code":1,"message":"no","data":"x"}}"#, 1, "no"),
            (r#"{"error":"broken"}"#, 0, "broken"),
            (r#"{"error":{}}"#, 0, "no message"),
        ] {
            match error(body) {
                L1Error::Refused { code: c, message, .. } => {
                    assert_eq!((c, message.as_str()), (code, words));
                }
                other => panic!("{body}: {other:?}"),
            }
        }
        // A long one is not looked into.
        let long = format!(r#"{{"id":7,"error":[{}0]}}"#, "0,".repeat(LONGEST_ERROR / 2));
        assert!(error(&long).to_string().contains("an error of 10485"), "{}", error(&long));
        for data in [r#""0x12345678""#, r#"{"data":"0x12345678"}"#, r#""Reverted 0x12345678""#] {
            let body = format!(r#"{{"id":7,"error":{{"code":3,"message":"r","data":{data}}}}}"#);
            let revert = error(&body).revert().cloned().unwrap();
            assert!(revert.data.len() == 4 && revert.error.is_none());
        }
    }
}
