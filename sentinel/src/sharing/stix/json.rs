//! JSON that every reader understands alike. What is signed must not mean one thing here and another
//! elsewhere: no key twice, no integer that a double cannot hold (RFC 7493).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::sharing::error::SharingError;

/// Levels of nesting at most.
const DEPTH: usize = 32;
/// The largest integer that a double holds with all smaller ones: 2^53 - 1.
const MOST_INTEGER: u64 = (1 << 53) - 1;

/// Reads JSON strictly.
///
/// # Errors
/// [`SharingError::Malformed`] for what is no JSON, has a key twice, an integer beyond 2^53 - 1, or more
/// than 32 levels.
pub fn parse(bytes: &[u8]) -> Result<Value, SharingError> {
    let value = read(bytes)?;
    check(&value)?;
    Ok(value)
}

/// Reads JSON without a look at integers and levels, for what has several objects in it that are to be
/// checked each on its own.
///
/// # Errors
/// [`SharingError::Malformed`] for what is no JSON, or has a key twice.
pub fn read(bytes: &[u8]) -> Result<Value, SharingError> {
    let read = serde_json::from_slice(bytes);
    let Strict(value) = read.map_err(|e| SharingError::malformed("the JSON", e))?;
    Ok(value)
}

/// Checks a value that another parser has read; keys that were there twice are not seen any more.
///
/// # Errors
/// As [`parse`].
pub fn check(value: &Value) -> Result<(), SharingError> {
    walk(value, 0).map_err(|why| SharingError::malformed("the JSON", why))
}

fn walk(value: &Value, depth: usize) -> Result<(), String> {
    if depth > DEPTH {
        return Err(format!("it has more than {DEPTH} levels"));
    }
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => exact(number),
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, depth + 1)),
        Value::Object(map) => map.values().try_for_each(|item| walk(item, depth + 1)),
    }
}

fn exact(number: &Number) -> Result<(), String> {
    let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    match size {
        Some(size) if size > MOST_INTEGER => {
            Err(format!("the integer {number} does not fit a double: write it as text"))
        }
        Some(_) | None => Ok(()),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number is not finite"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} is there twice")));
            }
            let Strict(value) = access.next_value()?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_json_is_read() {
        let value = parse(br#"{"a":[1,-2,3.5,null,true,"x"],"b":{}}"#).unwrap();
        assert_eq!(value, serde_json::json!({"a": [1, -2, 3.5, null, true, "x"], "b": {}}));
    }

    #[test]
    fn what_readers_understand_differently_is_refused() {
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"x":{"a":1,"a":1}}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"n":9007199254740992}"#,
            r#"{"n":-9007199254740992}"#,
            r#"{"n":1e999}"#,
            r#"{"a":1} {"#,
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(br#"{"n":9007199254740991}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(DEPTH).as_bytes()).is_ok());
        assert!(parse(nested(DEPTH + 1).as_bytes()).is_err());
        assert!(parse(nested(100_000).as_bytes()).is_err());
    }
}
