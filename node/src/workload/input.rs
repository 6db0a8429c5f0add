//! Bytes and kind of an input.

use std::io::Read;
use std::path::Path;

use crate::error::NodeError;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Kind of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Transfers, with a header.
    Csv,
    /// Operations, one JSON object a line.
    Jsonl,
}

/// An input, without the mark that some programs put before text.
#[derive(Debug, Clone)]
pub struct Input {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What it is.
    pub format: Format,
}

impl Input {
    /// Reads a file, or standard input for `-`. Its kind follows from what is in it, unless it is
    /// given: JSON lines begin with a brace. The name decides where there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is UTF-16.
    pub fn read(path: &Path, format: Option<Format>) -> Result<Self, NodeError> {
        let io = |source| NodeError::Io { path: path.display().to_string(), source };
        let mut bytes = Vec::new();
        if path == Path::new("-") {
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(io)?;
        } else {
            bytes = std::fs::read(path).map_err(io)?;
        }
        if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
            return Err(NodeError::Unreadable {
                path: path.display().to_string(),
                why: "it is UTF-16: save it as UTF-8".into(),
            });
        }
        if bytes.starts_with(UTF8_MARK) {
            bytes.drain(..UTF8_MARK.len());
        }
        let format = format.unwrap_or_else(|| guess(path, &bytes));
        Ok(Self { bytes, format })
    }
}

fn guess(path: &Path, bytes: &[u8]) -> Format {
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return Format::Jsonl;
    }
    let extension = path.extension().map(|e| e.to_ascii_lowercase());
    let named = |name: &str| extension.as_ref().is_some_and(|e| e == name);
    if ["jsonl", "ndjson", "json"].into_iter().any(named) {
        Format::Jsonl
    } else {
        Format::Csv
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bastion_prover::ErrorClass;

    fn read(name: &str, content: &[u8]) -> Result<Input, NodeError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        Input::read(&path, None)
    }

    #[test]
    fn the_content_tells_the_kind_and_the_name_only_where_it_does_not() {
        for (name, content, format) in [
            ("a.csv", &b"block,amount\n"[..], Format::Csv),
            ("A.CSV", b"\xef\xbb\xbfblock\n", Format::Csv),
            ("a", b"block,amount\n", Format::Csv),
            ("a.csv", b"\n {\"op\":\"noop\"}", Format::Jsonl),
            ("a", b"\xef\xbb\xbf{\"op\":\"noop\"}", Format::Jsonl),
            ("a.JSONL", b"garbage", Format::Jsonl),
            ("a.csv", b"", Format::Csv),
        ] {
            let input = read(name, content).unwrap();
            assert_eq!(input.format, format, "{name}");
            assert!(!input.bytes.starts_with(UTF8_MARK), "{name}");
        }
    }

    #[test]
    fn what_is_no_text_of_ours_is_told_as_such() {
        for mark in [&b"\xff\xfe{\0"[..], b"\xfe\xff\0{"] {
            let error = read("a.csv", mark).unwrap_err().to_string();
            assert!(error.contains("UTF-16"), "{error}");
        }
        let dir = tempfile::tempdir().unwrap();
        let error = Input::read(dir.path(), None).unwrap_err();
        assert!(error.to_string().contains("directory"), "{error}");
        assert_eq!(error.class(), ErrorClass::Failure);
        let error = Input::read(&dir.path().join("none"), None).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Missing);
    }
}
