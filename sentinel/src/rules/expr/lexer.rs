//! Text to tokens.

use super::Comparison;
use crate::SentinelError;

/// A token and the byte at which it starts.
pub(super) type Spanned = (usize, Token);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    Int(i128),
    Compare(Comparison),
    Open,
    Close,
    Comma,
    Minus,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Spanned>, SentinelError> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let run = |wanted: fn(u8) -> bool| {
            bytes[at..].iter().position(|b| !wanted(*b)).unwrap_or(bytes.len() - at)
        };
        let equals = bytes.get(at + 1) == Some(&b'=');
        let compare = |strict, loose| match equals {
            true => (Token::Compare(loose), 2),
            false => (Token::Compare(strict), 1),
        };
        let (token, length) = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'(' => (Token::Open, 1),
            b')' => (Token::Close, 1),
            b',' => (Token::Comma, 1),
            b'-' => (Token::Minus, 1),
            b'<' => compare(Comparison::Less, Comparison::AtMost),
            b'>' => compare(Comparison::More, Comparison::AtLeast),
            b'=' if equals => (Token::Compare(Comparison::Equal), 2),
            b'!' if equals => (Token::Compare(Comparison::Differs), 2),
            b'a'..=b'z' => {
                let length = run(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                (Token::Name(text[at..at + length].into()), length)
            }
            b'0'..=b'9' => {
                let length = run(|b| b.is_ascii_digit() || b == b'_');
                let digits: String = text[at..at + length].replace('_', "");
                let value = digits.parse().map_err(|e| SentinelError::Condition {
                    at,
                    why: format!("{digits}: {e}; integers are below 2^127"),
                })?;
                (Token::Int(value), length)
            }
            other => {
                return Err(SentinelError::Condition {
                    at,
                    why: format!("`{}` begins no token", other.escape_ascii()),
                })
            }
        };
        tokens.push((at, token));
        at += length;
    }
    Ok(tokens)
}
