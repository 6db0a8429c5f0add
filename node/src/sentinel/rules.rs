//! The rules in force: a signed bundle, or those that come with the program.
//!
//! What was accepted is kept: the newest versions, so that an older bundle is refused, and a copy of each
//! of the last bundles, so that one command goes back to the one before.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bastion_prover::artifact::write_bytes_atomic;
use bastion_sentinel::bundle::{Bundle, Root, Signed, Trusted};
use bastion_sentinel::rules::RuleSet;

use crate::error::NodeError;
use crate::service::config::SentinelConfig;

/// Bundles of which a copy is kept.
const KEPT: usize = 8;

/// Where rules come from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The bundle's folder and its trusted root.
    bundle: Option<(PathBuf, PathBuf)>,
    /// What was accepted so far.
    trusted: PathBuf,
    /// Copies of bundles, by version.
    copies: PathBuf,
    /// Who changes the rules: of two at once, one would undo what the other has accepted.
    turn: Arc<Mutex<()>>,
}

impl Source {
    /// # Errors
    /// [`NodeError::Key`] if a bundle is named and no root.
    pub(super) fn new(dir: &Path, config: &SentinelConfig) -> Result<Self, NodeError> {
        let bundle = match (&config.rules, &config.rules_root) {
            (None, _) => None,
            (Some(rules), Some(root)) => Some((rules.clone(), root.clone())),
            (Some(rules), None) => {
                let why = format!(
                    "sentinel.rules is {}, but sentinel.rules-root names no root: without it nobody \
                     could tell whose rules they are",
                    rules.display()
                );
                return Err(NodeError::Key { what: "the rules' root", why });
            }
        };
        Ok(Self {
            bundle,
            trusted: dir.join("trusted.json"),
            copies: dir.join("bundles"),
            turn: Arc::default(),
        })
    }

    /// To be held from before rules are loaded until they are in force.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        // Nothing is kept under it that a panic could leave half done.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads the rules. `now` is the time in seconds.
    ///
    /// # Errors
    /// If the bundle is not accepted: nothing changed.
    pub(crate) fn load(&self, now: u64) -> Result<RuleSet, NodeError> {
        let Some((folder, root)) = &self.bundle else {
            return Ok(RuleSet::builtin()?);
        };
        let trusted = self.read_trusted(root)?;
        let pinned = trusted.pin.as_ref().filter(|pin| now < pin.until);
        let from = match pinned {
            Some(pin) => self.copies.join(pin.targets.version.to_string()),
            None => folder.clone(),
        };
        let bundle = Bundle::load(&from, &trusted, now)?;
        if from == *folder {
            self.keep(&bundle)?;
        }
        self.write_trusted(&bundle.trusted)?;
        Ok(bundle.rules)
    }

    /// Whether the rules would load. Nothing is kept.
    ///
    /// # Errors
    /// As [`Source::load`].
    pub(super) fn check(&self, now: u64) -> Result<String, NodeError> {
        let Some((folder, root)) = &self.bundle else {
            return Ok("rules of the program".into());
        };
        let bundle = Bundle::load(folder, &self.read_trusted(root)?, now)?;
        Ok(format!("rules {}", bundle.version))
    }

    /// Goes back to the bundle before the newest one, until a time in seconds, and loads it.
    ///
    /// # Errors
    /// If there is none, or it is not accepted any more: then nothing changed.
    pub(crate) fn roll_back(&self, now: u64, until: u64, why: &str) -> Result<RuleSet, NodeError> {
        let Some((_, root)) = &self.bundle else {
            let why = "the rules that come with the program have none before them".into();
            return Err(bastion_sentinel::SentinelError::Pin(why).into());
        };
        let trusted = self.read_trusted(root)?.pin_previous(now, until, why)?;
        let version = trusted.pin.as_ref().map(|pin| pin.targets.version.to_string());
        let from = self.copies.join(version.unwrap_or_default());
        let bundle = Bundle::load(&from, &trusted, now)?;
        self.write_trusted(&bundle.trusted)?;
        Ok(bundle.rules)
    }

    fn read_trusted(&self, root: &Path) -> Result<Trusted, NodeError> {
        let read = |path: &Path| {
            let shown = path.display().to_string();
            fs::read(path).map_err(|source| NodeError::Io { path: shown, source })
        };
        if self.trusted.exists() {
            let path = self.trusted.display().to_string();
            return serde_json::from_slice(&read(&self.trusted)?)
                .map_err(|e| NodeError::Malformed { path, why: e.to_string() });
        }
        Ok(Trusted::new(&Signed::<Root>::from_bytes(&read(root)?)?)?)
    }

    fn write_trusted(&self, trusted: &Trusted) -> Result<(), NodeError> {
        let path = self.trusted.display().to_string();
        let bytes = serde_json::to_vec_pretty(trusted)
            .map_err(|e| NodeError::Malformed { path, why: e.to_string() })?;
        Ok(write_bytes_atomic(&self.trusted, &bytes)?)
    }

    /// Keeps a copy of a bundle that was accepted: what was checked of it, and nothing else.
    fn keep(&self, bundle: &Bundle) -> Result<(), NodeError> {
        let to = self.copies.join(bundle.version.to_string());
        if to.exists() {
            return Ok(());
        }
        let io = |path: &Path| {
            let path = path.display().to_string();
            move |source| NodeError::Io { path, source }
        };
        let unfinished = self.copies.join("unfinished");
        let _ = fs::remove_dir_all(&unfinished);
        for (name, bytes) in &bundle.content {
            let path = unfinished.join(name);
            let within = path.parent().unwrap_or(&unfinished);
            fs::create_dir_all(within).map_err(io(within))?;
            write_bytes_atomic(&path, bytes)?;
        }
        fs::rename(&unfinished, &to).map_err(io(&to))?;
        let mut versions: Vec<u64> = fs::read_dir(&self.copies)
            .map_err(io(&self.copies))?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        versions.sort_unstable();
        let old = versions.len().saturating_sub(KEPT);
        for version in versions.into_iter().take(old) {
            // It is only not needed any more.
            let _ = fs::remove_dir_all(self.copies.join(version.to_string()));
        }
        Ok(())
    }
}
