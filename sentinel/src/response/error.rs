//! What can go wrong, with values and what to do about it.

use std::path::PathBuf;

use thiserror::Error;

/// An error of the response.
#[derive(Debug, Error)]
pub enum ResponseError {
    /// A file could not be read or written.
    #[error("{}: {source}; check the path, its rights and the space on the disk", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds something that this program did not write.
    #[error(
        "{}, at byte {at}: {why}; restore the file from a backup, or move it away to start empty",
        path.display()
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// Where.
        at: u64,
        /// What is wrong.
        why: String,
    },
    /// A write failed before, so that nobody knows what the file holds.
    #[error("{}: an earlier write failed and the file is no longer written; open it again", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
    },
    /// A record or a state could not be encoded.
    #[error("a record could not be encoded: {why}; this is a defect, please report it")]
    Encode {
        /// Why.
        why: String,
    },
    /// A limit of the configuration is out of its range.
    #[error("{what} is {value}, but must be from {least} to {most}; correct the configuration")]
    Limit {
        /// Its name.
        what: &'static str,
        /// The value.
        value: u64,
        /// Smallest.
        least: u64,
        /// Largest.
        most: u64,
    },
    /// An operation is not held.
    #[error("operation {hash} is not held; it was released or dropped, or was never here")]
    NotHeld {
        /// Its hash, in hexadecimal.
        hash: String,
    },
    /// The file of playbooks cannot be read.
    #[error("the playbooks do not parse: {why}; correct the file")]
    Toml {
        /// Where and why.
        why: String,
    },
    /// A playbook does not make sense. None is skipped: the whole file is refused.
    #[error("playbook `{playbook}`: {why}; correct it or take it out")]
    Playbook {
        /// Its name.
        playbook: String,
        /// What is wrong.
        why: String,
    },
    /// A channel of alerts is not usable.
    #[error("channel `{channel}`: {why}; correct its configuration")]
    Channel {
        /// Its name.
        channel: String,
        /// What is wrong.
        why: String,
    },
    /// A secret could not be read. The secret itself is never shown.
    #[error("the secret in {place}: {why}")]
    Secret {
        /// The file or the variable.
        place: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// No channel has this name.
    #[error(
        "no channel is called `{channel}`; add it to the configuration or correct the playbook"
    )]
    UnknownChannel {
        /// The name.
        channel: String,
    },
    /// A channel's queue is full.
    #[error(
        "channel `{channel}` has {capacity} alerts waiting and takes no more; check that it is reachable"
    )]
    QueueFull {
        /// Its name.
        channel: String,
        /// How many it takes.
        capacity: usize,
    },
    /// An alert could not be delivered.
    #[error("channel `{channel}` did not take the alert after {attempts} attempts: {why}")]
    Delivery {
        /// Its name.
        channel: String,
        /// How often it was tried.
        attempts: u32,
        /// Why, without secrets.
        why: String,
    },
    /// A signature of a webhook does not hold.
    #[error("the webhook's signature is refused: {why}")]
    Signature {
        /// Why.
        why: String,
    },
}
