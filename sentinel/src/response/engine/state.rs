//! What an engine remembers, on disk.

use std::collections::VecDeque;
use std::io::Read;
use std::path::Path;

use bastion_protocol::hash::keccak;
use serde::{Deserialize, Serialize};

use super::{Engine, Spent};
use crate::response::journal::replace;
use crate::response::{Budget, Playbooks, ResponseError, Subject};

/// Version of the form.
const VERSION: u32 = 1;
/// Most bytes of a state: 10 000 windows of 100 times each are 15 MB.
const MAX_STATE: u64 = 64 << 20;

/// What an engine remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineState {
    version: u32,
    spent: Spent,
    windows: Vec<(String, Subject, VecDeque<u64>)>,
}

impl Engine {
    /// What it remembers now.
    #[must_use]
    pub fn state(&self) -> EngineState {
        // By age, so that the same ones make room after a restart.
        let one = |(_, name, subject): &(u64, String, Subject)| {
            let times = self.windows.get(&(name.clone(), *subject)).cloned();
            (name.clone(), *subject, times.unwrap_or_default())
        };
        let windows = self.oldest.iter().map(one).collect();
        EngineState { version: VERSION, spent: self.spent.clone(), windows }
    }

    /// An engine that goes on from a state.
    ///
    /// # Errors
    /// Those of [`Budget::check`].
    pub fn restore(
        playbooks: Playbooks,
        budget: Budget,
        state: EngineState,
    ) -> Result<Self, ResponseError> {
        let mut new = Self::new(Playbooks::default(), budget)?;
        new.spent = state.spent;
        for (name, subject, times) in state.windows {
            new.put((name, subject), times);
        }
        new.set_playbooks(playbooks);
        Ok(new)
    }

    /// Goes on from a file, or begins with nothing spent if there is none.
    ///
    /// # Errors
    /// [`ResponseError::Damaged`]: a file that cannot be read is no reason to begin with a full budget.
    pub fn open(path: &Path, playbooks: Playbooks, budget: Budget) -> Result<Self, ResponseError> {
        match EngineState::load(path)? {
            Some(state) => Self::restore(playbooks, budget, state),
            None => Self::new(playbooks, budget),
        }
    }

    /// Writes what it remembers, and syncs it. A crash leaves the old or the new file.
    ///
    /// # Errors
    /// [`ResponseError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ResponseError> {
        self.state().save(path)
    }
}

impl EngineState {
    /// Writes the file: 32 bytes of hash, then JSON.
    ///
    /// # Errors
    /// [`ResponseError::File`].
    pub fn save(&self, path: &Path) -> Result<(), ResponseError> {
        let text =
            serde_json::to_vec(self).map_err(|e| ResponseError::Encode { why: e.to_string() })?;
        replace(path, &[&keccak(&[&text])[..], &text].concat())
    }

    /// Reads a file, if there is one.
    ///
    /// # Errors
    /// [`ResponseError::File`] and [`ResponseError::Damaged`].
    pub fn load(path: &Path) -> Result<Option<Self>, ResponseError> {
        let fail = |source| ResponseError::File { path: path.to_owned(), source };
        let damaged = |why: String| ResponseError::Damaged { path: path.to_owned(), at: 0, why };
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(fail(e)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_STATE + 1).read_to_end(&mut bytes).map_err(fail)?;
        if bytes.len() as u64 > MAX_STATE {
            return Err(damaged(format!("it has more than {MAX_STATE} bytes")));
        }
        let text = match bytes.split_first_chunk::<32>() {
            Some((hash, text)) if *hash == keccak(&[text]) => text,
            Some(_) | None => return Err(damaged("its checksum is wrong".into())),
        };
        let state: Self = serde_json::from_slice(text).map_err(|e| damaged(e.to_string()))?;
        match state.version {
            VERSION => Ok(Some(state)),
            other => Err(damaged(format!("its version is {other}, this program reads {VERSION}"))),
        }
    }
}
