//! Makes and signs bundles: for the command line and for tests.

use std::collections::BTreeMap;
use std::path::Path;

use bastion_protocol::hash::keccak;
use ed25519_dalek::{Signer, SigningKey};

use super::metadata::{message, FileInfo, Role, Root, Signed, Targets, TargetsInfo, Timestamp};
use super::{ROOT_FOLDER, RULES_FOLDER, TARGETS_FILE, TIMESTAMP_FILE};
use crate::findings::Hash;
use crate::rules::{check_examples, RuleSet};
use crate::SentinelError;

/// A secret key of a role. It is wiped when it is dropped, and never shown.
pub struct Key(SigningKey);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.public())
    }
}

impl Key {
    /// The key of 32 secret random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> Hash {
        Hash(self.0.verifying_key().to_bytes())
    }
}

impl<T: Role> Signed<T> {
    /// A file without signatures.
    #[must_use]
    pub fn unsigned(signed: T) -> Self {
        Self { signed, signatures: BTreeMap::new() }
    }

    /// Adds signatures; several people may do so one after another.
    ///
    /// # Errors
    /// None in practice.
    pub fn sign(mut self, keys: &[&Key]) -> Result<Self, SentinelError> {
        let message = message(&self.signed)?;
        for key in keys {
            let signature = hex::encode(key.0.sign(&message).to_bytes());
            self.signatures.insert(key.public(), signature);
        }
        Ok(self)
    }
}

/// Numbers and ends of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Version of the rules: above the last one.
    pub version: u64,
    /// Their end, in seconds.
    pub expires: u64,
    /// Version of the timestamp: above the last one.
    pub timestamp_version: u64,
    /// Its end, in seconds. It is signed anew before that, with a higher version.
    pub timestamp_expires: u64,
}

/// Lists files with length and hash, after loading them as rules and running their examples.
///
/// # Errors
/// [`SentinelError::Rule`] and [`SentinelError::ExampleResult`]: what does not load is not signed.
pub fn describe(
    version: u64,
    expires: u64,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Targets, SentinelError> {
    check_examples(&RuleSet::from_files(version, files)?)?;
    let info =
        |bytes: &Vec<u8>| FileInfo { length: bytes.len() as u64, hash: Hash(keccak(&[bytes])) };
    let files = files.iter().map(|(name, bytes)| (name.clone(), info(bytes))).collect();
    Ok(Targets { version, expires, files })
}

/// The timestamp that names a file of the targets role.
///
/// # Errors
/// None in practice.
pub fn stamp(targets: &Signed<Targets>, release: &Release) -> Result<Timestamp, SentinelError> {
    let bytes = targets.to_bytes()?;
    Ok(Timestamp {
        version: release.timestamp_version,
        expires: release.timestamp_expires,
        targets: TargetsInfo {
            version: targets.signed.version,
            length: bytes.len() as u64,
            hash: Hash(keccak(&[&bytes])),
        },
    })
}

/// Checks, signs and writes a whole bundle where one person holds all keys.
///
/// # Errors
/// Those of [`describe`] and [`write()`].
pub fn publish(
    folder: &Path,
    roots: &[Signed<Root>],
    files: &BTreeMap<String, Vec<u8>>,
    release: &Release,
    targets_keys: &[&Key],
    timestamp_keys: &[&Key],
) -> Result<(), SentinelError> {
    let targets = describe(release.version, release.expires, files)?;
    let targets = Signed::unsigned(targets).sign(targets_keys)?;
    let timestamp = Signed::unsigned(stamp(&targets, release)?).sign(timestamp_keys)?;
    write(folder, roots, files, &targets, &timestamp)
}

/// Writes a bundle into a folder, which is made if it is not there. Files of earlier rules that are not
/// listed any more are removed.
///
/// # Errors
/// [`SentinelError::File`].
pub fn write(
    folder: &Path,
    roots: &[Signed<Root>],
    files: &BTreeMap<String, Vec<u8>>,
    targets: &Signed<Targets>,
    timestamp: &Signed<Timestamp>,
) -> Result<(), SentinelError> {
    let rules = folder.join(RULES_FOLDER);
    let root_folder = folder.join(ROOT_FOLDER);
    for folder in [&rules, &root_folder] {
        std::fs::create_dir_all(folder).map_err(SentinelError::file(folder))?;
    }
    let put =
        |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).map_err(SentinelError::file(path));
    for entry in std::fs::read_dir(&rules).map_err(SentinelError::file(&rules))? {
        let entry = entry.map_err(SentinelError::file(&rules))?;
        let name = entry.file_name();
        let yaml = name.to_str().filter(|n| n.ends_with(".yaml") && !files.contains_key(*n));
        if yaml.is_some() {
            std::fs::remove_file(entry.path()).map_err(SentinelError::file(&entry.path()))?;
        }
    }
    for (name, bytes) in files {
        put(&rules.join(name), bytes)?;
    }
    for root in roots {
        put(&root_folder.join(format!("{}.json", root.signed.version)), &root.to_bytes()?)?;
    }
    put(&folder.join(TARGETS_FILE), &targets.to_bytes()?)?;
    put(&folder.join(TIMESTAMP_FILE), &timestamp.to_bytes()?)
}
