//! Blobs of committed blocks: from whom they are had, and where this node keeps its own.
//!
//! L1 keeps the hash of a blob for ever and the blob itself for about 18 days. What a source gives is held
//! against the hash by the auditor's code, so sources need not be trusted: the worst that they can do is
//! not to have it.
//!
//! | module | content |
//! |---|---|
//! | `beacon` | a beacon node, as long as the network keeps blobs |
//! | [`keep`] | a folder of blobs: this node's own, or an archive's copy |

mod beacon;
pub mod keep;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bastion_audit::blob::versioned_hash;
use bastion_audit::History;
use bastion_l1::{L1Error, Web};

use crate::error::NodeError;
use beacon::Beacon;
pub use keep::Keep;

/// A blob that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The hash that L1 has of it.
    pub versioned_hash: [u8; 32],
    /// Number of the L1 block that it came with.
    pub l1_block: u64,
    /// Time of this block: it tells the slot.
    pub time: u64,
}

/// Somebody who may have blobs.
#[derive(Debug)]
enum Source {
    /// A beacon node.
    Beacon(Beacon),
    /// Who serves them as this node's API does: `GET /v1/blobs/{versioned_hash}`.
    Archive(Web),
    /// A folder of files that are named by their versioned hashes.
    Folder(Keep),
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Beacon(beacon) => format!("the beacon node {}", beacon.host()),
            Self::Archive(web) => format!("the archive {}", web.host()),
            Self::Folder(keep) => format!("the folder {}", keep.dir().display()),
        }
    }

    /// What it has by this hash, unchecked.
    fn ask(&mut self, wanted: &Wanted) -> Result<Option<Vec<u8>>, NodeError> {
        match self {
            Self::Beacon(beacon) => Ok(beacon.ask(wanted)?),
            Self::Archive(web) => {
                let path = format!("/v1/blobs/{}", keep::file_name(&wanted.versioned_hash));
                Ok(web.get(&path, &[])?)
            }
            Self::Folder(keep) => keep.read(&wanted.versioned_hash),
        }
    }
}

/// Where blobs are looked for, in this order.
#[derive(Debug, Default)]
pub struct Blobs {
    sources: Vec<Source>,
    /// Sources that do not answer, by their places: none is waited for twice.
    silent: BTreeMap<usize, String>,
    /// How many wrong blobs a source gave, by its place: those with the fewest are asked first.
    wrong: BTreeMap<usize, u64>,
    /// Why a blob could not be had.
    reasons: BTreeMap<[u8; 32], NodeError>,
}

impl Blobs {
    /// Nobody is asked: for whoever needs nothing of what blobs hold.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Asks a beacon node too.
    ///
    /// # Errors
    /// [`NodeError::L1`] if the URL is none.
    pub fn with_beacon(mut self, url: &str) -> Result<Self, NodeError> {
        self.sources.push(Source::Beacon(Beacon::new(url)?));
        Ok(self)
    }

    /// Asks an archive too: another node of this rollup, or whoever serves blobs as it does.
    ///
    /// # Errors
    /// [`NodeError::L1`] if the URL is none.
    pub fn with_archive(mut self, url: &str) -> Result<Self, NodeError> {
        self.sources.push(Source::Archive(Web::new(url)?));
        Ok(self)
    }

    /// Looks into a folder too.
    #[must_use]
    pub fn with_folder(mut self, dir: impl Into<PathBuf>) -> Self {
        self.sources.push(Source::Folder(Keep::new(dir)));
        self
    }

    /// The blob, from the first who has it. If nobody has, [`Self::require`] tells why.
    pub fn fetch(&mut self, wanted: &Wanted) -> Option<Vec<u8>> {
        match self.look(wanted) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.reasons.insert(wanted.versioned_hash, error);
                None
            }
        }
    }

    fn look(&mut self, wanted: &Wanted) -> Result<Vec<u8>, NodeError> {
        let hash = keep::file_name(&wanted.versioned_hash);
        let mut reasons = Vec::new();
        let mut wrong = None;
        let mut order: Vec<usize> = (0..self.sources.len()).collect();
        order.sort_by_key(|i| self.wrong.get(i));
        for i in order {
            let Some(source) = self.sources.get_mut(i) else { continue };
            let from = source.name();
            if let Some(why) = self.silent.get(&i) {
                reasons.push(format!("{from} does not answer ({why})"));
                continue;
            }
            match source.ask(wanted) {
                Ok(Some(bytes)) => match check(&bytes, &wanted.versioned_hash) {
                    Ok(()) => return Ok(bytes),
                    Err(why) => {
                        *self.wrong.entry(i).or_default() += 1;
                        wrong = wrong.or(Some((from, why)));
                    }
                },
                Ok(None) => reasons.push(format!("{from} does not have it")),
                Err(error) => {
                    reasons.push(format!("{from}: {error}"));
                    if matches!(error, NodeError::L1(L1Error::Transport { .. })) {
                        self.silent.insert(i, error.to_string());
                    }
                }
            }
        }
        if let Some((from, why)) = wrong {
            return Err(NodeError::BadBlob { hash, from, why });
        }
        let why = match reasons.is_empty() {
            true => "nobody was asked".into(),
            false => reasons.join("; "),
        };
        Err(NodeError::NoBlob { hash, why })
    }

    /// Why a blob could not be had.
    #[must_use]
    pub fn reason(&self, versioned_hash: &[u8; 32]) -> String {
        let reason = self.reasons.get(versioned_hash);
        reason.map_or_else(|| "nobody was asked".into(), ToString::to_string)
    }

    /// Checks that a history has the blobs of its final blocks, up to block `to` if it is given.
    ///
    /// # Errors
    /// For the first block without its blob: [`NodeError::BadBlob`] if only a wrong one was found, else
    /// [`NodeError::NoBlob`] with what each source said.
    pub fn require(&mut self, history: &History, to: Option<usize>) -> Result<(), NodeError> {
        let finals = history.blocks.iter().take_while(|block| block.finalized.is_some());
        let mut posted = finals.take(to.unwrap_or(usize::MAX)).flat_map(|b| &b.blobs);
        let Some(missing) = posted.find(|blob| blob.bytes.is_none()) else { return Ok(()) };
        let hash = missing.versioned_hash;
        Err(self.reasons.remove(&hash).unwrap_or_else(|| NodeError::NoBlob {
            hash: keep::file_name(&hash),
            why: "nobody was asked".into(),
        }))
    }
}

/// Holds bytes against the hash of a blob.
fn check(bytes: &[u8], expected: &[u8; 32]) -> Result<(), String> {
    match versioned_hash(bytes) {
        Ok(found) if found == *expected => Ok(()),
        Ok(found) => Err(format!("it is another one, {}", keep::file_name(&found))),
        Err(fault) => Err(fault.to_string()),
    }
}

#[cfg(test)]
mod tests;
