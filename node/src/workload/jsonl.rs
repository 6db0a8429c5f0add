//! Operations from a file with one JSON object a line, signed where they need to be.

use bastion_protocol::ops::Op;
use bastion_state::state::State;

use super::rules::L1Rules;
use crate::block::{Refused, Source, Waiting};
use crate::error::NodeError;

/// Operations of a file, in order.
#[derive(Debug, Clone)]
pub struct JsonlWorkload {
    ops: Vec<(usize, Op)>,
    next: usize,
    waiting: Waiting,
}

/// Reads operations; at most `limit` lines of them. Lines that are none, or that L1 would refuse,
/// are an error, or left out with `skip_invalid` and told.
///
/// # Errors
/// The line that cannot be read.
pub fn import_jsonl(
    input: &[u8],
    limit: Option<usize>,
    skip_invalid: bool,
) -> Result<(JsonlWorkload, Vec<Refused>), NodeError> {
    let mut ops = Vec::new();
    let mut refused = Vec::new();
    let mut rules = L1Rules::default();
    let lines = input.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines = (1..).zip(lines).filter(|(_, line)| !line.is_empty());
    for (number, line) in lines.take(limit.unwrap_or(usize::MAX)) {
        match read(line).and_then(|op| rules.check(&op).map(|()| op)) {
            Ok(op) => ops.push((number, op)),
            Err(why) if skip_invalid => {
                refused.push(Refused { place: format!("line {number}"), why })
            }
            Err(why) => return Err(NodeError::input(number, why)),
        }
    }
    Ok((JsonlWorkload { ops, next: 0, waiting: Waiting::default() }, refused))
}

fn read(line: &[u8]) -> Result<Op, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_string())?;
    serde_json::from_str(text).map_err(|e| {
        // It counts lines within the line.
        let message = e.to_string();
        let what = message.split(" at line ").next().unwrap_or_default();
        format!("{what} (column {})", e.column())
    })
}

impl JsonlWorkload {
    /// The operations.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.ops.iter().map(|(_, op)| op)
    }
}

impl Source for JsonlWorkload {
    fn next(&mut self, _: &State) -> Result<Option<(String, Op)>, NodeError> {
        let item = self.ops.get(self.next).map(|(line, op)| (format!("line {line}"), *op));
        self.next += 1;
        Ok(item)
    }

    fn put_back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }

    fn waiting(&mut self) -> &mut Waiting {
        &mut self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPOSIT: &str = r#"{"op":"deposit","token":0,"amount":"5","keyhash":"0x0000000000000000000000000000000000000000000000000000000000000007","exit":"0x0000000000000000000000000000000000000009"}"#;

    #[test]
    fn every_kind_of_bad_line_is_told_with_its_number_or_left_out() {
        let zero = DEPOSIT.replace("000009\"", "000000\"");
        for (bad, why) in [
            (&b"{\"op\":\"noop\""[..], "EOF"),
            (b"nonsense", "column"),
            (b"{\"op\":\"noop\xe9\"}", "UTF-8"),
            (zero.as_bytes(), "zero address"),
            (DEPOSIT.replace("\"5\"", "\"1e18\"").as_bytes(), "1e18"),
            (DEPOSIT.replace("\"token\":0", "\"token\":70000").as_bytes(), "70000"),
        ] {
            let lines = [DEPOSIT.as_bytes(), b"\r", bad, DEPOSIT.as_bytes()].join(&b'\n');
            let error = import_jsonl(&lines, None, false).unwrap_err().to_string();
            assert!(error.contains("line 3") && error.contains(why), "{error}");
            assert!(!error.contains("line 1"), "{error}");
            let (workload, refused) = import_jsonl(&lines, None, true).unwrap();
            assert_eq!(workload.ops().count(), 2);
            assert_eq!(refused.len(), 1);
            assert_eq!(refused[0].place, "line 3");
            let (workload, _) = import_jsonl(&lines, Some(1), false).unwrap();
            assert_eq!(workload.ops().count(), 1);
        }
    }
}
