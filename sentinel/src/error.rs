//! What can go wrong, with values and what to do about it.

use std::path::PathBuf;

use bastion_protocol::{Index, ProtocolError};
use thiserror::Error;

/// An error of the screener, its rules' bundle or its log.
#[derive(Debug, Error)]
pub enum SentinelError {
    /// A file could not be read or written.
    #[error("{}: {source}; check the path, its rights and the space on the disk", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A rule does not load. A rule is never skipped: the whole set is refused.
    #[error("rule `{rule}`: {why}; correct it or take it out of the set")]
    Rule {
        /// Its id, or its file's name if the id could not be read.
        rule: String,
        /// What is wrong.
        why: String,
    },
    /// The rules of a set together ask for values that cost too much for each operation.
    #[error(
        "the values that the rules ask for cost {cost} for each operation, and with `{rule}` they are \
         above the {most} that are allowed: let rules share windows, or take some out of the set"
    )]
    Costly {
        /// The first rule, by id, that is above it.
        rule: String,
        /// What they cost, in looks at the movements of an account.
        cost: u32,
        /// What they may cost.
        most: u32,
    },
    /// A condition does not parse.
    #[error("condition, at byte {at}: {why}")]
    Condition {
        /// Offset in the text.
        at: usize,
        /// What is wrong.
        why: String,
    },
    /// A step of an example cannot be done.
    #[error("step {step} of the example: {why}; correct the example")]
    Example {
        /// Number of the step, from 0, after repetitions are unrolled.
        step: usize,
        /// What is wrong.
        why: String,
    },
    /// An example does not have the result that its rule claims.
    #[error("rule `{rule}`, example `{note}`: {why}; correct the rule or the example")]
    ExampleResult {
        /// The rule.
        rule: String,
        /// The example's note.
        note: String,
        /// What happened instead.
        why: String,
    },
    /// A setting is out of its range.
    #[error("setting `{name}` is {value}, and must be in {range}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        range: &'static str,
    },
    /// Metadata of a bundle do not parse or contradict themselves.
    #[error("{role} metadata: {why}; sign a correct file")]
    Metadata {
        /// The role or the file.
        role: String,
        /// What is wrong.
        why: String,
    },
    /// Too few valid signatures.
    #[error(
        "{role} version {version} has {valid} valid signatures of its role's keys, and needs \
         {threshold}; collect the missing ones"
    )]
    Threshold {
        /// The role.
        role: String,
        /// Version of the file.
        version: u64,
        /// Signatures that count.
        valid: usize,
        /// Signatures that it takes.
        threshold: usize,
    },
    /// Metadata are past their end.
    #[error(
        "{role} version {version} expired at {expires}, and it is {now}; fetch a newer bundle"
    )]
    Expired {
        /// The role.
        role: String,
        /// Version of the file.
        version: u64,
        /// Unix time in seconds at which it ended.
        expires: u64,
        /// Unix time in seconds.
        now: u64,
    },
    /// Metadata are older than what was accepted before.
    #[error(
        "{role} version {got} is below the accepted version {accepted}: an old bundle; fetch the \
         newest one, or pin the previous bundle if you mean to go back"
    )]
    Rollback {
        /// The role.
        role: String,
        /// What was accepted before.
        accepted: u64,
        /// What came.
        got: u64,
    },
    /// Two different files carry the same version.
    #[error(
        "{role} version {version} is not the file that was accepted under this version: somebody \
         signed two; treat the role's keys as stolen"
    )]
    Equivocation {
        /// The role.
        role: String,
        /// The version.
        version: u64,
    },
    /// Files of two bundles were mixed, or one was changed.
    #[error("{file}: {what} is {got}, and the signed metadata say {expected}; fetch it again")]
    Mixed {
        /// The file.
        file: String,
        /// What differs: length, hash or version.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Something else than a file has the name of one.
    #[error("{}: it is {what}, and a file is needed; remove it, and fetch the file again", path.display())]
    NoFile {
        /// Which.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file lies in the bundle's folder that the metadata do not list.
    #[error("{file} is not listed in the signed metadata; list it or remove it")]
    Unlisted {
        /// The file.
        file: String,
    },
    /// There is no earlier bundle to go back to, or a pin cannot be set.
    #[error("pin: {0}")]
    Pin(String),
    /// The log of findings is damaged or was changed.
    #[error("log of findings, entry {entry}: {why}; keep the file and compare it with a copy")]
    Log {
        /// Number of the entry, from 0.
        entry: u64,
        /// What is wrong.
        why: String,
    },
    /// A batch that is taken back was not observed.
    #[error(
        "token of account {account}: more is taken back than was observed; start the screener \
         anew from the state"
    )]
    TakenBack {
        /// Where.
        account: Index,
    },
    /// A value does not encode or decode.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
}

impl SentinelError {
    /// For `map_err` after an access to a file.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }
}
