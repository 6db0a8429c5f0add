//! The log of findings: what was found, held, frozen and released, as a hash chain whose head can be
//! posted. Whoever has the head can check that nothing was added, changed or removed before it.

mod entry;
mod file;

#[cfg(test)]
mod tests;

pub use entry::{extend, genesis, verify, Entry, Finding, Hash};
pub use file::{file_of, read, FindingsLog, Opened, MAX_ENTRY};
