//! Errors of this crate.

use bastion_protocol::Kind;
use std::collections::BTreeSet;

use crate::blob::TraceError;
use crate::core::Table;

/// Why a batch cannot be compiled into a witness.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CircuitError {
    /// The batch needs more blocks of a table than the shape has.
    #[error("the batch needs {needed} blocks of table `{}`, shape `{shape}` has {capacity}: put fewer operations into the batch or use a larger shape", table.name())]
    TableFull {
        /// The table.
        table: Table,
        /// Blocks that the batch needs.
        needed: usize,
        /// Blocks that the shape has.
        capacity: usize,
        /// The shape.
        shape: String,
    },
    /// The shape does not fit its number of rows.
    #[error("shape `{shape}` needs {rows} rows, 2^{k} hold {usable}: raise k or lower the slots")]
    ShapeTooLarge {
        /// The shape.
        shape: String,
        /// Rows in use.
        rows: usize,
        /// log2 of the rows of the circuit.
        k: u32,
        /// Rows that are not reserved for blinding.
        usable: usize,
    },
    /// No shape has this name.
    #[error("no shape is called `{name}`: use one of {known}")]
    UnknownShape {
        /// The name.
        name: String,
        /// Those that exist.
        known: String,
    },
    /// There is no shape of this size.
    #[error("no batch of transfers has 2^{k} rows: choose 2^{least} to 2^{most}")]
    NoSuchSize {
        /// log2 of the rows.
        k: u32,
        /// The least that exists.
        least: u32,
        /// The most that exists.
        most: u32,
    },
    /// A value is out of the range that the executor guarantees: the trace was not made by it.
    #[error("{what} is {value}, outside of {bits} bits: the trace was not made by the executor")]
    OutOfRange {
        /// What it is.
        what: &'static str,
        /// Its value, in hexadecimal.
        value: String,
        /// Bits it may have.
        bits: u32,
    },
    /// A batch that breaks rules of the circuit: no proof of it exists.
    #[error("{} cannot be proven, it breaks {}: leave it out of the batch and report it, the executor should have refused it", named(operation), list(rules))]
    Unprovable {
        /// Number of the first operation at fault in the batch, and what it is, if one is.
        operation: Option<(usize, Kind)>,
        /// Broken rules by table and name.
        rules: BTreeSet<String>,
    },
    /// Records that make no blob.
    #[error("data in a blob: {0}")]
    Blob(#[from] TraceError),
    /// A public key of the trace is not a valid key.
    #[error("public key of operation {op} is not on the curve or not in the prime subgroup: the trace was not made by the executor")]
    BadKey {
        /// Number of the operation.
        op: usize,
    },
}

fn named(operation: &Option<(usize, Kind)>) -> String {
    match operation {
        Some((n, kind)) => format!("operation {n} ({kind:?})"),
        None => "the batch".into(),
    }
}

/// The first few: one broken account can break many.
fn list(rules: &BTreeSet<String>) -> String {
    const MOST: usize = 8;
    let shown: Vec<&str> = rules.iter().take(MOST).map(String::as_str).collect();
    let more = rules.len().saturating_sub(MOST);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
