//! The small part of STIX patterns that is acted on.
//!
//! ```text
//! pattern     = observation *( "OR" observation )
//! observation = "[" choice "]"
//! choice      = conjunction *( "OR" conjunction )
//! conjunction = comparison *( "AND" comparison )
//! comparison  = "x-evm-account:address" "=" text
//!             | "x-evm-account:chain_id" "=" number
//!             | "cryptocurrency-wallet:value" "=" text
//! ```
//!
//! A conjunction is an address, an address and its chain in any order, or a wallet. A pattern with
//! anything else in it means nothing here as a whole: half of a pattern that is understood is not what its
//! author said.

use super::subject::{hex_address, Subject};

/// Bytes of a pattern at most.
pub(super) const MOST_BYTES: usize = 8 << 10;
/// Subjects of a pattern at most; one with more is not acted on.
const MOST_SUBJECTS: usize = 64;

/// Whom a pattern matches; nobody if there is anything in it that is not understood.
pub fn subjects(pattern: &str) -> Vec<Subject> {
    read(pattern).unwrap_or_default()
}

/// The pattern for some subjects; none if there are none, or more than a pattern may have.
pub fn write(subjects: &[Subject]) -> Option<String> {
    let one = |subject: &Subject| match subject {
        Subject::Evm { chain: None, address } => {
            format!("[x-evm-account:address = '0x{}']", hex::encode(address))
        }
        Subject::Evm { chain: Some(chain), address } => format!(
            "[x-evm-account:address = '0x{}' AND x-evm-account:chain_id = {chain}]",
            hex::encode(address)
        ),
        Subject::Wallet(text) => format!("[cryptocurrency-wallet:value = '{text}']"),
    };
    if subjects.is_empty() || subjects.len() > MOST_SUBJECTS {
        return None;
    }
    Some(subjects.iter().map(one).collect::<Vec<_>>().join(" OR "))
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Equals,
    Text(String),
    Word(String),
}

fn read(pattern: &str) -> Option<Vec<Subject>> {
    let mut tokens = tokens(pattern)?.into_iter().peekable();
    let mut subjects = Vec::new();
    loop {
        if tokens.next()? != Token::Open {
            return None;
        }
        let mut parts = Parts::default();
        loop {
            let Token::Word(path) = tokens.next()? else { return None };
            if tokens.next()? != Token::Equals {
                return None;
            }
            parts.add(&path, tokens.next()?)?;
            match tokens.next()? {
                Token::Word(word) if word == "AND" => {}
                Token::Word(word) if word == "OR" => {
                    subjects.push(std::mem::take(&mut parts).subject()?);
                }
                Token::Close => break,
                Token::Open | Token::Equals | Token::Text(_) | Token::Word(_) => return None,
            }
        }
        subjects.push(parts.subject()?);
        if subjects.len() > MOST_SUBJECTS {
            return None;
        }
        match tokens.next() {
            None => break,
            Some(Token::Word(word)) if word == "OR" => {}
            Some(_) => return None,
        }
    }
    subjects.sort();
    subjects.dedup();
    Some(subjects)
}

/// What a conjunction has said so far.
#[derive(Default)]
struct Parts {
    address: Option<[u8; 20]>,
    chain: Option<u64>,
    wallet: Option<Subject>,
}

impl Parts {
    fn add(&mut self, path: &str, value: Token) -> Option<()> {
        let twice = match (path, value) {
            ("x-evm-account:address", Token::Text(text)) => {
                self.address.replace(hex_address(&text)?).is_some()
            }
            ("x-evm-account:chain_id", Token::Word(word)) => {
                let plain = word.bytes().all(|c| c.is_ascii_digit());
                self.chain.replace(plain.then(|| word.parse().ok())??).is_some()
            }
            ("cryptocurrency-wallet:value", Token::Text(text)) => {
                self.wallet.replace(Subject::wallet(&text)?).is_some()
            }
            _ => return None,
        };
        (!twice).then_some(())
    }

    fn subject(self) -> Option<Subject> {
        match (self.address, self.chain, self.wallet) {
            (Some(address), chain, None) => Some(Subject::Evm { chain, address }),
            (None, None, Some(wallet)) => Some(wallet),
            _ => None,
        }
    }
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    if pattern.len() > MOST_BYTES {
        return None;
    }
    let mut tokens = Vec::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        let token = match letter {
            ' ' | '\t' | '\n' | '\r' => continue,
            '[' => Token::Open,
            ']' => Token::Close,
            '=' => Token::Equals,
            '\'' => {
                let mut text = String::new();
                loop {
                    match letters.next()? {
                        '\'' => break,
                        '\\' => match letters.next()? {
                            escaped @ ('\\' | '\'') => text.push(escaped),
                            _ => return None,
                        },
                        other => text.push(other),
                    }
                }
                Token::Text(text)
            }
            first if is_word(first) => {
                let mut word = String::from(first);
                while let Some(next) = letters.next_if(|c| is_word(*c)) {
                    word.push(next);
                }
                Token::Word(word)
            }
            _ => return None,
        };
        tokens.push(token);
    }
    Some(tokens)
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0x00000000000000000000000000000000000000aA";

    fn evm(chain: Option<u64>) -> Subject {
        Subject::Evm { chain, address: hex_address(A).unwrap() }
    }

    #[test]
    fn what_is_acted_on_is_read() {
        let address = format!("[x-evm-account:address = '{A}']");
        let on_one = format!("[x-evm-account:address = '{A}' AND x-evm-account:chain_id = 1]");
        let turned = format!("[x-evm-account:chain_id=1 AND x-evm-account:address='{A}']");
        let wallet = "[cryptocurrency-wallet:value = 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq']";
        let other = Subject::wallet("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq").unwrap();
        assert_eq!(subjects(&address), [evm(None)]);
        assert_eq!(subjects(&on_one), [evm(Some(1))]);
        assert_eq!(subjects(&turned), [evm(Some(1))]);
        assert_eq!(subjects(wallet), std::slice::from_ref(&other));
        assert_eq!(subjects(&format!("[cryptocurrency-wallet:value = '{A}']")), [evm(None)]);
        assert_eq!(subjects(&format!("{on_one} OR {wallet}")), [evm(Some(1)), other]);
        let inside = format!(
            "[x-evm-account:address = '{A}' AND x-evm-account:chain_id = 1 OR x-evm-account:address = '{A}']"
        );
        assert_eq!(subjects(&inside), [evm(None), evm(Some(1))]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let all = [evm(None), evm(Some(10)), Subject::Wallet("bc1q".into())];
        assert_eq!(subjects(&write(&all).unwrap()), all);
        assert_eq!(write(&[]), None);
    }

    #[test]
    fn anything_else_matches_nobody() {
        let good = format!("[x-evm-account:address = '{A}']");
        for bad in [
            String::new(),
            "[]".into(),
            "[ipv4-addr:value = '198.51.100.1']".into(),
            format!("{good} OR [ipv4-addr:value = '198.51.100.1']"),
            format!("{good} AND {good}"),
            format!("{good} FOLLOWEDBY {good}"),
            format!("{good} WITHIN 5 SECONDS"),
            format!("{good} OR"),
            format!("[x-evm-account:address != '{A}']"),
            format!("[NOT x-evm-account:address = '{A}']"),
            format!("[x-evm-account:address IN ('{A}')]"),
            format!("[x-evm-account:address = '{A}' AND x-evm-account:address = '{A}']"),
            format!("[x-evm-account:address = '{A}' AND x-evm-account:balance = 1]"),
            format!("[x-evm-account:address = '{A}' AND cryptocurrency-wallet:value = 'x']"),
            format!("[x-evm-account:address = '{A}' AND x-evm-account:chain_id = -1]"),
            format!("[x-evm-account:address = '{A}' AND x-evm-account:chain_id = '1']"),
            format!(
                "[x-evm-account:address = '{A}' AND x-evm-account:chain_id = 18446744073709551616]"
            ),
            "[x-evm-account:chain_id = 1]".into(),
            "[x-evm-account:address = '0x12']".into(),
            "[x-evm-account:address = 'é']".into(),
            "[x-evm-account:address = '0x".into(),
            "[cryptocurrency-wallet:value = 'a\\n']".into(),
            format!("[{}x-evm-account:address = '{A}']", " ".repeat(MOST_BYTES)),
            vec![good.as_str(); MOST_SUBJECTS + 1].join(" OR "),
        ] {
            assert_eq!(subjects(&bad), [], "{bad}");
        }
    }
}
