//! What can go wrong with shared intelligence.

use std::path::PathBuf;

/// What can go wrong with shared intelligence. Nothing that a peer sends causes a panic.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharingError {
    /// Something that is not what the standard says.
    #[error("{what} is not valid: {why}; it must be corrected where it was made")]
    Malformed {
        /// What it is: an object's identifier where there is one.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// More than the bound.
    #[error("{what} is too large: {found}, and at most {most} is taken; split it or leave something out")]
    TooLarge {
        /// What is counted, and of what.
        what: String,
        /// How much there is.
        found: usize,
        /// How much there may be.
        most: usize,
    },
    /// An object without a signature where one is needed.
    #[error("{id} has no signature, and the collection takes signed objects only: sign it")]
    Unsigned {
        /// The object.
        id: String,
    },
    /// A signature that does not hold.
    #[error("the signature of {id} does not hold: {why}")]
    Signature {
        /// The object.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// A signature by somebody who is not trusted.
    #[error(
        "{id} is signed by {signer}, who is not in the trust list: add it there if it is known"
    )]
    UnknownSigner {
        /// The object.
        id: String,
        /// Who signed.
        signer: String,
    },
    /// An older version than one that is known.
    #[error(
        "the version {modified} of {id} is older than {newest}, which is known: it changes nothing"
    )]
    Stale {
        /// The object.
        id: String,
        /// The version.
        modified: String,
        /// The newest version that is known.
        newest: String,
    },
    /// Two contents under one version. If both are signed, they are evidence against the signer.
    #[error("the version {modified} of {id} is known with other content: its maker must publish a new version")]
    Conflict {
        /// The object.
        id: String,
        /// The version.
        modified: String,
    },
    /// A further version of what was withdrawn.
    #[error("{id} was withdrawn: publish a new object instead")]
    Withdrawn {
        /// The object.
        id: String,
    },
    /// A version from the future.
    #[error("the version {modified} of {id} lies in the future: set the clock of its maker")]
    Future {
        /// The object.
        id: String,
        /// The version.
        modified: String,
    },
    /// An indicator that has not held for long.
    #[error("{id} holds until {until} only: it is not kept any more")]
    Past {
        /// The object.
        id: String,
        /// Until when it held.
        until: String,
    },
    /// A source that sends more than its part.
    #[error("{source_name} has reached its {limit} {what}: wait, or raise the quota")]
    Quota {
        /// Who sends too much.
        source_name: String,
        /// How many there may be.
        limit: u64,
        /// Of what.
        what: &'static str,
    },
    /// More about one thing than one signer may say at a time.
    #[error("{signer} has {most} objects in force about {about}, and {id} would be one more: publish a new version of one of them, take one back, or let one end")]
    Crowded {
        /// The object.
        id: String,
        /// Who signed.
        signer: String,
        /// Whom or what it is about.
        about: String,
        /// How many there may be.
        most: usize,
    },
    /// A collection that is not there.
    #[error("there is no collection {id}")]
    NoCollection {
        /// What was asked for.
        id: String,
    },
    /// A setting that cannot be.
    #[error("the {what} cannot be used: {why}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A file that cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// A journal that was altered.
    #[error("{} is damaged at line {line}: {why}; restore it from a backup, or move it away and follow the feeds anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from one.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A journal after a failed write.
    #[error("{} takes no more since a write failed: free the disk and start again", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
    /// A journal that another process has.
    #[error("{} is in use by another process: stop that one first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A peer that does not answer.
    #[error("{peer} does not answer {request}: {why}")]
    Unreachable {
        /// Its host.
        peer: String,
        /// What was asked.
        request: String,
        /// What went wrong.
        why: String,
    },
    /// A peer that answers with an error.
    #[error("{peer} refuses {request} with {status}: {detail}")]
    Refused {
        /// Its host.
        peer: String,
        /// What was asked.
        request: String,
        /// The status of its answer.
        status: u16,
        /// What it says.
        detail: String,
    },
    /// A peer that answers with something else than the standard says.
    #[error("{peer} answers {request} with something else than TAXII 2.1: {why}")]
    Answer {
        /// Its host.
        peer: String,
        /// What was asked.
        request: String,
        /// What is wrong.
        why: String,
    },
    /// Work that was cut off.
    #[error("the work was cut off: {why}; ask again")]
    Interrupted {
        /// Why.
        why: String,
    },
}

impl SharingError {
    pub(super) fn malformed(what: impl ToString, why: impl ToString) -> Self {
        Self::Malformed { what: tame(&what.to_string()), why: tame(&why.to_string()) }
    }

    pub(super) fn setting(what: &'static str, why: impl ToString) -> Self {
        Self::Setting { what, why: why.to_string() }
    }
}

/// Characters of a foreign text that are shown at most.
const SHOWN: usize = 300;

/// A foreign text as it may be shown: short, and without what moves a terminal's cursor.
pub(super) fn tame(text: &str) -> String {
    let shown = text.chars().take(SHOWN);
    shown.map(|c| if c.is_control() { ' ' } else { c }).collect()
}
