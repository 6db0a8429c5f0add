//! Signed sets of rules, after The Update Framework: roles with thresholds of Ed25519 keys, versions that
//! only grow, and ends of validity.
//!
//! | file | role | says |
//! |---|---|---|
//! | `root/N.json` | root | which keys may sign what; each version is signed by the one before and itself |
//! | `targets.json` | targets | length and hash of every rule's file |
//! | `timestamp.json` | timestamp (and snapshot) | which `targets.json` is the newest |
//! | `rules/*.yaml` | | the rules and lists |
//!
//! What was accepted is kept in a [`Trusted`], which the caller stores. [`Bundle::load`] returns a new one
//! only if all checks pass: nothing of a refused bundle is remembered.
//!
//! Going back is a local pin ([`Trusted::pin_previous`]): it needs no key, so that an operator can undo a
//! bad bundle at once; it admits exactly the bundle that was in force before, and it ends by itself within
//! seven days. A signed way back is a new version with the old files.

mod load;
mod metadata;
mod sign;
mod trust;

#[cfg(test)]
mod tests;

pub use load::Bundle;
pub use metadata::{FileInfo, Role, RoleKeys, Root, Signed, Targets, TargetsInfo, Timestamp};
pub use sign::{describe, publish, stamp, write, Key, Release};
pub use trust::{Accepted, Pin, Trusted, MAX_PIN};

/// Folder of the rules within a bundle.
pub const RULES_FOLDER: &str = "rules";
/// Folder of the root's versions.
pub const ROOT_FOLDER: &str = "root";
/// File of the targets role.
pub const TARGETS_FILE: &str = "targets.json";
/// File of the timestamp role.
pub const TIMESTAMP_FILE: &str = "timestamp.json";
