//! Work that a run of `bastion prove` left unfinished: its batch proofs, each written as soon as it
//! is made, in a folder `.proving` of the blocks' folder. A run that is killed loses what it was at,
//! and no more: the next run of the same input takes the rest up. The folder goes with the last block.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bastion_protocol::{field, BatchProof, CircuitId, Fr};
use bastion_prover::artifact::{write_bytes_atomic, Digest};
use bastion_prover::keys::VerifierKey;
use bastion_prover::proof::verify;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::error::NodeError;

/// Name of the folder.
pub const WORK: &str = ".proving";
const RUN: &str = "run.json";

/// What a run was asked for: another run takes its proofs up if it is asked for the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Digest of the input's bytes.
    pub input: Digest,
    /// Name of the shape.
    pub shape: String,
    /// Batches in a block.
    pub batches: usize,
    /// Rows or operations read at most.
    pub limit: Option<usize>,
    /// Whether what is not valid is left out.
    pub skip_invalid: bool,
    /// Time of the blocks.
    pub time: u64,
}

/// How a run stands to an earlier one that was cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It goes on with it, at the earlier one's time.
    GoesOn,
    /// It would, but at that time L1 would soon refuse the blocks, and no time was asked for.
    TooLate,
    /// It was asked for something else.
    Other,
}

/// Seconds after which the time of a run counts as too late: half of what L1 allows, since proving
/// and committing take time too.
const STALE: u64 = 43_200;

impl Run {
    /// How this run stands to an earlier one. Its own time counts only if it was `asked` for.
    pub fn standing(&self, earlier: &Self, asked: bool, now: u64) -> Standing {
        let time = if asked { self.time } else { earlier.time };
        let same = Self { time, ..self.clone() } == *earlier;
        match same {
            false => Standing::Other,
            true if !asked && time.saturating_add(STALE) < now => Standing::TooLate,
            true => Standing::GoesOn,
        }
    }
}

/// The folder.
#[derive(Debug, Clone)]
pub struct WorkFolder {
    path: PathBuf,
}

impl WorkFolder {
    /// That of a folder of blocks.
    pub fn of(blocks: &Path) -> Self {
        Self { path: blocks.join(WORK) }
    }

    /// The run that was not finished, if there is one that can be read.
    pub fn run(&self) -> Option<Run> {
        let bytes = fs::read(self.path.join(RUN)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Begins a run, or goes on with it: what another one left is removed.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn begin(&self, run: &Run) -> Result<(), NodeError> {
        if self.run().as_ref() == Some(run) {
            return Ok(());
        }
        self.finish()?;
        let json = serde_json::to_vec(run).map_err(|e| NodeError::Malformed {
            path: self.path.display().to_string(),
            why: e.to_string(),
        })?;
        Ok(write_bytes_atomic(&self.path.join(RUN), &json)?)
    }

    /// Keeps a proof.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, proof: &BatchProof) -> Result<(), NodeError> {
        let path = self.file(proof.circuit_id, &proof.public_inputs);
        Ok(write_bytes_atomic(&path, &proof.to_json()?)?)
    }

    /// The proof of a statement, if one is kept that holds.
    pub fn find(&self, key: &VerifierKey, public_inputs: &[Fr]) -> Option<BatchProof> {
        let path = self.file(key.circuit_id(), public_inputs);
        let bytes = fs::read(&path).ok()?;
        let path = path.display();
        let proof = BatchProof::from_json(&bytes)
            .map_err(NodeError::from)
            .and_then(|proof| Ok(verify(&proof, key.proofs()).map(|()| proof)?))
            .map_err(|error| warn!(%error, %path, "a kept proof does not hold and is made again"))
            .ok()?;
        if proof.public_inputs != public_inputs {
            warn!(%path, "a kept proof is of something else and is made again");
            return None;
        }
        info!(%path, "a kept proof is taken up");
        Some(proof)
    }

    /// Removes the folder.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn finish(&self) -> Result<(), NodeError> {
        match fs::remove_dir_all(&self.path) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                Err(NodeError::Io { path: self.path.display().to_string(), source: e })
            }
            _ => Ok(()),
        }
    }

    fn file(&self, circuit: CircuitId, public_inputs: &[Fr]) -> PathBuf {
        let words: Vec<_> = public_inputs.iter().map(field::to_bytes).collect();
        let id = circuit.to_bytes();
        let parts: Vec<&[u8]> =
            std::iter::once(id.as_slice()).chain(words.iter().map(<[u8; 32]>::as_slice)).collect();
        let name = Digest::of_parts("bastion.kept.v1", &parts).short();
        self.path.join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(time: u64) -> Run {
        Run {
            input: Digest::of(b"rows"),
            shape: "tiny".into(),
            batches: 2,
            limit: None,
            skip_invalid: false,
            time,
        }
    }

    #[test]
    fn the_same_run_goes_on_and_another_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let work = WorkFolder::of(dir.path());
        assert_eq!(work.run(), None);
        work.begin(&run(1)).unwrap();
        let kept = dir.path().join(WORK).join("kept.json");
        fs::write(&kept, "{}").unwrap();
        work.begin(&run(1)).unwrap();
        assert_eq!(work.run(), Some(run(1)));
        assert!(kept.exists());
        work.begin(&run(2)).unwrap();
        assert_eq!(work.run(), Some(run(2)));
        assert!(!kept.exists());
        work.finish().unwrap();
        work.finish().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_earlier_run_is_taken_up_at_its_time_while_l1_takes_it() {
        let earlier = run(1_000);
        let standing = |run: &Run, asked, now| run.standing(&earlier, asked, now);
        assert_eq!(standing(&run(5_000), false, 5_000), Standing::GoesOn);
        assert_eq!(standing(&run(5_000), true, 5_000), Standing::Other);
        let late = 1_000 + STALE + 1;
        assert_eq!(standing(&run(late), false, late), Standing::TooLate);
        assert_eq!(standing(&run(1_000), true, late), Standing::GoesOn);
        for other in [
            Run { input: Digest::of(b"other rows"), ..run(1_000) },
            Run { shape: "small".into(), ..run(1_000) },
            Run { batches: 1, ..run(1_000) },
            Run { limit: Some(1), ..run(1_000) },
            Run { skip_invalid: true, ..run(1_000) },
        ] {
            assert_eq!(standing(&other, true, 1_000), Standing::Other);
        }
    }
}
