//! Hashes of ceremony files, as people paste them.

use std::{fmt, str::FromStr};

const BYTES: usize = 64;

/// A BLAKE2b-512 hash.
///
/// It is read with or without `0x`, in either case, grouped by blanks or line breaks as ceremonies
/// publish it, and from the line that `b2sum` prints, with `--tag` or without. It is written as 128
/// lower-case digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct B2sum(pub [u8; BYTES]);

/// A text that is no BLAKE2b-512.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no BLAKE2b-512: {0}; give the 128 hex digits that `b2sum FILE` prints")]
pub struct NotAB2sum(String);

impl fmt::Display for B2sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for B2sum {
    type Err = NotAB2sum;

    fn from_str(text: &str) -> Result<Self, NotAB2sum> {
        let text = text.trim();
        let text = match text.rsplit_once(" = ") {
            // `b2sum --tag`: BLAKE2b (FILE) = HASH
            Some((tag, hash)) => match tag.split_once(' ') {
                Some(("BLAKE2b" | "BLAKE2b-512", _)) => hash,
                Some((other, _)) => return Err(NotAB2sum(format!("it says `{other}`"))),
                None => return Err(NotAB2sum(format!("it says `{tag}`"))),
            },
            None => text,
        };
        // b2sum escapes file names, and says so at the beginning of the line.
        let text = text.strip_prefix('\\').unwrap_or(text);
        let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let text = prefixed.unwrap_or(text);

        let mut digits = String::with_capacity(2 * BYTES);
        let mut rest = "";
        for (at, c) in text.char_indices() {
            if digits.len() == 2 * BYTES {
                rest = text.get(at..).unwrap_or_default();
                break;
            }
            match c {
                _ if c.is_ascii_hexdigit() => digits.push(c),
                _ if c.is_whitespace() => {}
                _ => {
                    let found = digits.len();
                    return Err(NotAB2sum(format!("`{c}` follows {found} hex digits")));
                }
            }
        }
        if digits.len() < 2 * BYTES {
            let length = match digits.len() {
                64 => ", as many as a SHA-256 or BLAKE2b-256 has",
                _ => "",
            };
            return Err(NotAB2sum(format!("it has {} hex digits{length}", digits.len())));
        }
        // What follows on the line is the name of the file.
        let name = rest.trim_start();
        if name.len() == rest.len() && !rest.is_empty() {
            return Err(NotAB2sum("it has more than 128 hex digits".into()));
        }
        if name.contains('\n') {
            return Err(NotAB2sum("it is more than one line of b2sum".into()));
        }
        let mut bytes = [0; BYTES];
        hex::decode_to_slice(&digits, &mut bytes).map_err(|e| NotAB2sum(e.to_string()))?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash() -> String {
        B2sum(std::array::from_fn(|i| (i * 37 + 11) as u8)).to_string()
    }

    fn groups(width: usize, by: &str) -> String {
        let hash = hash();
        let groups: Vec<&str> = hash
            .as_bytes()
            .chunks(width)
            .map(|group| std::str::from_utf8(group).unwrap())
            .collect();
        groups.join(by)
    }

    #[test]
    fn one_hash_in_every_usual_spelling() {
        let hash = hash();
        let expected: B2sum = hash.parse().unwrap();
        assert_eq!(expected.to_string(), hash);
        for text in [
            hash.to_uppercase(),
            format!("0x{hash}"),
            format!("0X{}", hash.to_uppercase()),
            format!("  {hash}\n"),
            groups(8, " "),
            groups(2, " "),
            groups(32, "\n"),
            groups(32, "\r\n\t"),
            format!("{hash}  powersOfTau28_hez_final_17.ptau"),
            format!("{hash} *powers of tau.ptau\n"),
            format!("{hash}  deadbeef"),
            format!("\\{hash}  a\\\\b.ptau"),
            format!("BLAKE2b (a = b.ptau) = {hash}"),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        let hash = hash();
        for (text, why) in [
            (String::new(), "0 hex digits"),
            (hash[..64].to_owned(), "SHA-256"),
            (format!("{}  file.ptau", &hash[..64]), "`i` follows 65 hex"),
            (hash[..127].to_owned(), "127 hex digits"),
            (format!("{hash}0"), "more than 128"),
            (format!("{hash}.ptau"), "more than 128"),
            (groups(8, "-"), "`-` follows 8"),
            (format!("{hash}  a\n{hash}  b"), "more than one line"),
            (format!("SHA512 (a.ptau) = {hash}"), "`SHA512`"),
            ("a.ptau".to_owned(), "`.` follows 1 hex"),
            ("\u{e9}".to_owned(), "follows 0"),
        ] {
            let error = text.parse::<B2sum>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(error.contains("128 hex digits"), "{error}");
        }
    }
}
