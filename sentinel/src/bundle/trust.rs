//! What was accepted so far: the caller keeps it, and every load starts from it.

use serde::{Deserialize, Serialize};

use super::metadata::{Role, RoleKeys, Root, Signed};
use crate::findings::Hash;
use crate::SentinelError;

/// Longest pin, in seconds: seven days.
pub const MAX_PIN: u64 = 7 * 86_400;

/// A file that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Its version.
    pub version: u64,
    /// Hash of what is signed in it.
    pub hash: Hash,
}

/// The decision to go back to the bundle before, for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The one file of the targets role that is admitted.
    pub targets: Accepted,
    /// Unix time in seconds at which it ends.
    pub until: u64,
    /// Why.
    pub reason: String,
}

/// What was accepted so far. It serializes; whoever can change it can change what is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    /// The root in force.
    pub root: Root,
    /// The newest timestamp.
    pub timestamp: Option<Accepted>,
    /// The newest targets.
    pub targets: Option<Accepted>,
    /// The targets before.
    pub previous: Option<Accepted>,
    /// Where to stay for a while.
    pub pin: Option<Pin>,
}

impl Trusted {
    /// Trust in a root that came by a safe way, such as with the program.
    ///
    /// # Errors
    /// [`SentinelError::Threshold`] if it does not sign itself, and [`SentinelError::Metadata`].
    pub fn new(root: &Signed<Root>) -> Result<Self, SentinelError> {
        root.signed.check()?;
        root.check(&root.signed.root)?;
        Ok(Self {
            root: root.signed.clone(),
            timestamp: None,
            targets: None,
            previous: None,
            pin: None,
        })
    }

    /// Goes back to the bundle before the newest one until a time. The caller loads that bundle from where
    /// it kept it.
    ///
    /// # Errors
    /// [`SentinelError::Pin`] if there was none, or the time is past or more than [`MAX_PIN`] away.
    pub fn pin_previous(&self, now: u64, until: u64, reason: &str) -> Result<Self, SentinelError> {
        let Some(targets) = self.previous else {
            let why = "no bundle was accepted before the newest one; publish a corrected one";
            return Err(SentinelError::Pin(why.into()));
        };
        if until <= now || until - now > MAX_PIN {
            return Err(SentinelError::Pin(format!(
                "its end {until} is not within {MAX_PIN} seconds after {now}; choose an earlier one"
            )));
        }
        let pin = Pin { targets, until, reason: reason.into() };
        Ok(Self { pin: Some(pin), ..self.clone() })
    }

    /// Ends a pin.
    #[must_use]
    pub fn unpin(&self) -> Self {
        Self { pin: None, ..self.clone() }
    }

    /// The pin, if it is in force.
    pub(super) fn pinned(&self, now: u64) -> Option<&Pin> {
        self.pin.as_ref().filter(|pin| now < pin.until)
    }

    /// Takes the next root: both the old keys and its own must have signed it. Where it changes the keys
    /// of another role, the versions of that role start anew: a thief may have used up the numbers.
    pub(super) fn next_root(&mut self, next: &Signed<Root>) -> Result<(), SentinelError> {
        let expected = self.root.version.saturating_add(1);
        if next.signed.version != expected {
            return Err(SentinelError::Metadata {
                role: Root::NAME.into(),
                why: format!("version {} follows {}", next.signed.version, self.root.version),
            });
        }
        next.signed.check()?;
        next.check(&self.root.root)?;
        next.check(&next.signed.root)?;
        let changed = |old: &RoleKeys, new: &RoleKeys| old != new;
        if changed(&self.root.timestamp, &next.signed.timestamp) {
            self.timestamp = None;
        }
        if changed(&self.root.targets, &next.signed.targets) {
            self.targets = None;
            self.previous = None;
        }
        self.root = next.signed.clone();
        Ok(())
    }
}

/// Refuses what is older than what was accepted, and a second file of the same version.
pub(super) fn newer<T: Role>(
    accepted: Option<Accepted>,
    file: &Signed<T>,
) -> Result<Accepted, SentinelError> {
    let got = Accepted { version: file.signed.version(), hash: file.hash()? };
    let role = || T::NAME.to_owned();
    match accepted {
        Some(old) if got.version < old.version => {
            Err(SentinelError::Rollback { role: role(), accepted: old.version, got: got.version })
        }
        Some(old) if got.version == old.version && got.hash != old.hash => {
            Err(SentinelError::Equivocation { role: role(), version: got.version })
        }
        Some(_) | None => Ok(got),
    }
}
