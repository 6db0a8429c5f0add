//! A folder of reference strings, and the one place where it is decided which of them is used.
//!
//! By identity, where a manifest or a verifier names one. Otherwise a ceremony's goes before a
//! development one, and the smallest that covers the circuit before larger ones. A folder that holds
//! a ceremony's is never taken for development: if that string is too small, there is none.
//! A development string is made only for those who have asked for an unsafe one.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use rand::{CryptoRng, RngCore};
use tracing::warn;

use super::{Srs, SrsOrigin};
use crate::{
    artifact::{remove_dead, Digest, Making, Storing},
    progress::Progress,
    ProverError, Result,
};

/// Which reference string of a folder is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrsChoice {
    /// The one of this identity: a manifest or a verifier names it.
    Named(Digest),
    /// The one that is there.
    Held,
    /// The one that is there, else a new one for development: the user has asked for an unsafe one.
    HeldOrUnsafeDev,
}

/// A reference string in a folder, by its file's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its file.
    pub path: PathBuf,
    /// log2 of its powers.
    pub k: u32,
    /// Where its secret came from.
    pub origin: SrsOrigin,
    /// Its identity.
    pub id: Digest,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match self.origin {
            SrsOrigin::UnsafeDev => "an UNSAFE one for development",
            SrsOrigin::Ceremony => "a ceremony's",
        };
        let Self { path, k, id, .. } = self;
        write!(f, "{origin}, 2^{k} powers, {id} ({})", path.display())
    }
}

/// A folder of reference strings.
#[derive(Clone, Debug)]
pub struct SrsDir {
    dir: PathBuf,
    storing: Storing,
}

impl SrsDir {
    /// The folder `dir`, which is created when the first reference string is stored.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), storing: Storing::BestEffort }
    }

    /// Whether a Lagrange basis that cannot be stored is an error.
    pub fn storing(self, storing: Storing) -> Self {
        Self { storing, ..self }
    }

    /// The reference string for circuits up to `k`; none if it is to be made.
    ///
    /// # Errors
    /// [`ProverError::SrsAbsent`] if there is none and none may be made. If there is a file that
    /// cannot be read, which may be the one that is missed, its error.
    pub fn find(&self, choice: SrsChoice, k: u32) -> Result<Option<Held>> {
        let (mut held, unreadable) = self.list()?;
        let ceremony = held.iter().any(|held| held.origin == SrsOrigin::Ceremony);
        held.sort_by_key(|held| held.k);
        let found = held.iter().find(|held| {
            held.k >= k
                && match choice {
                    SrsChoice::Named(id) => held.id == id,
                    SrsChoice::Held | SrsChoice::HeldOrUnsafeDev => {
                        (held.origin == SrsOrigin::Ceremony) == ceremony
                    }
                }
        });
        if let Some(found) = found {
            return Ok(Some(found.clone()));
        }
        if let Some(error) = unreadable.into_iter().next() {
            return Err(error);
        }
        if choice == SrsChoice::HeldOrUnsafeDev && !ceremony {
            return Ok(None);
        }
        Err(ProverError::SrsAbsent {
            dir: self.dir.clone(),
            needed: k,
            identity: match choice {
                SrsChoice::Named(id) => Some(id),
                SrsChoice::Held | SrsChoice::HeldOrUnsafeDev => None,
            },
            held,
        })
    }

    /// Opens the reference string for circuits up to `k`, or makes it with the Lagrange bases
    /// `lagrange_ks` and the packed ones `packed_ks`.
    ///
    /// # Errors
    /// Those of [`SrsDir::find`], [`Srs::open`], [`Srs::generate_unsafe_dev`] and [`Srs::save`].
    pub fn obtain(
        &self,
        choice: SrsChoice,
        k: u32,
        lagrange_ks: &[u32],
        packed_ks: &[u32],
        rng: impl RngCore + CryptoRng,
        progress: &Progress,
    ) -> Result<Srs> {
        remove_dead(&self.dir);
        if let Some(held) = self.find(choice, k)? {
            return self.open(&held, progress);
        }
        let _turn = self.turn(progress)?;
        if let Some(held) = self.find(choice, k)? {
            return self.open(&held, progress);
        }
        let stage = progress.stage(STAGE, format!("2^{k} powers, UNSAFE, new"), 1);
        let mut srs = Srs::generate_unsafe_dev_packed(k, lagrange_ks, packed_ks, rng)?;
        let path = self.path(SrsOrigin::UnsafeDev, k);
        let srs = match srs.save(&path)? {
            true => srs,
            // Without locks another process may have been faster: its string is the one.
            false => Srs::open(&path)?,
        };
        stage.advance();
        Ok(self.with_storing(srs))
    }

    /// Stores a ceremony's reference string, unless it is there.
    ///
    /// # Errors
    /// [`ProverError::SrsConflict`] if the folder holds that of another ceremony,
    /// [`ProverError::Io`] if it cannot be stored.
    pub fn adopt(&self, mut srs: Srs, progress: &Progress) -> Result<Srs> {
        remove_dead(&self.dir);
        let _turn = self.turn(progress)?;
        let (held, _) = self.list()?;
        let ceremonies = held.iter().filter(|held| held.origin == SrsOrigin::Ceremony);
        if let Some(other) = ceremonies.clone().find(|held| held.id != srs.id()) {
            return Err(ProverError::SrsConflict {
                dir: self.dir.clone(),
                held: other.id,
                got: srs.id(),
            });
        }
        let same = ceremonies.filter(|held| held.k >= srs.k());
        if let Some(same) = same.min_by_key(|held| held.k) {
            return self.open(same, progress);
        }
        let path = self.path(SrsOrigin::Ceremony, srs.k());
        let srs = match srs.save(&path)? {
            true => srs,
            false => {
                let stored = Srs::open(&path)?;
                if stored.id() != srs.id() {
                    return Err(ProverError::SrsConflict {
                        dir: self.dir.clone(),
                        held: stored.id(),
                        got: srs.id(),
                    });
                }
                stored
            }
        };
        Ok(self.with_storing(srs))
    }

    /// Where a reference string of this size is stored.
    pub fn path(&self, origin: SrsOrigin, k: u32) -> PathBuf {
        self.dir.join(match origin {
            SrsOrigin::UnsafeDev => format!("dev-k{k}.srs"),
            SrsOrigin::Ceremony => format!("ceremony-k{k}.srs"),
        })
    }

    fn turn(&self, progress: &Progress) -> Result<Making> {
        Making::begin(&self.dir.join("srs"), "the reference string", progress)
    }

    fn open(&self, held: &Held, progress: &Progress) -> Result<Srs> {
        let stage = progress.stage(STAGE, held.to_string(), 1);
        let srs = Srs::open(&held.path)?;
        // Between the look at its header and this, somebody may have exchanged the file.
        if srs.id() != held.id {
            return Err(ProverError::DamagedArtifact {
                what: "SRS",
                path: held.path.clone(),
                reason: format!("it was {}, and is now {}", held.id, srs.id()),
            });
        }
        stage.advance();
        Ok(self.with_storing(srs))
    }

    fn with_storing(&self, mut srs: Srs) -> Srs {
        srs.storing = self.storing;
        srs
    }

    /// What the headers of the files say, by file name, and the errors of those that have none.
    fn list(&self) -> Result<(Vec<Held>, Vec<ProverError>)> {
        let (mut held, mut unreadable) = (Vec::new(), Vec::new());
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((held, unreadable)),
            Err(e) => return Err(ProverError::io("read", &self.dir, e)),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| is_srs(path)) {
            match Srs::peek(&path) {
                Ok((k, origin, id)) => held.push(Held { path, k, origin, id }),
                Err(error) => {
                    warn!(%error, "passed over");
                    unreadable.push(error);
                }
            }
        }
        Ok((held, unreadable))
    }
}

const STAGE: &str = "reference string";

fn is_srs(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let basis = name.contains("-lagrange-") || name.contains("-packed-");
    name.ends_with(".srs") && !basis && !name.starts_with('.')
}
