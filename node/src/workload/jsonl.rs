//! Operations from a file with one JSON object a line, signed where they need to be.

use std::io::BufRead;

use bastion_state::ops::Op;
use bastion_state::state::State;

use crate::block::Source;
use crate::error::NodeError;

/// Operations of a file, in order.
#[derive(Debug, Clone)]
pub struct JsonlWorkload {
    ops: Vec<(usize, Op)>,
    next: usize,
}

/// Reads a file of operations; at most `limit`.
///
/// # Errors
/// The line that cannot be read.
pub fn import_jsonl(input: impl BufRead, limit: Option<usize>) -> Result<JsonlWorkload, NodeError> {
    let mut ops = Vec::new();
    for (i, line) in input.lines().enumerate() {
        let line = line.map_err(|e| NodeError::input(i + 1, e))?;
        if line.trim().is_empty() {
            continue;
        }
        if limit.is_some_and(|n| ops.len() >= n) {
            break;
        }
        let op = serde_json::from_str(&line).map_err(|e| NodeError::input(i + 1, e))?;
        ops.push((i + 1, op));
    }
    Ok(JsonlWorkload { ops, next: 0 })
}

impl JsonlWorkload {
    /// The operations.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.ops.iter().map(|(_, op)| op)
    }
}

impl Source for JsonlWorkload {
    fn next(&mut self, _: &State) -> Result<Option<(String, Op)>, NodeError> {
        let item = self
            .ops
            .get(self.next)
            .map(|(line, op)| (format!("line {line}"), *op));
        self.next += 1;
        Ok(item)
    }

    fn put_back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }
}
