//! Loads a bundle and checks all of it.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::Path;

use bastion_protocol::hash::keccak;

use super::metadata::{FileInfo, Root, Signed, Targets, TargetsInfo, Timestamp};
use super::trust::{newer, Trusted};
use super::{ROOT_FOLDER, RULES_FOLDER, TARGETS_FILE, TIMESTAMP_FILE};
use crate::findings::Hash;
use crate::rules::RuleSet;
use crate::SentinelError;

/// Most bytes of a metadata file, and of a file of rules or lists.
const MAX_METADATA: u64 = 256 * 1024;
const MAX_RULES_FILE: u64 = 16 << 20;
/// Most new roots at once.
const MAX_ROOTS: u64 = 64;
/// Most files of a bundle.
const MAX_FILES: usize = 512;

/// A bundle that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Version of its rules.
    pub version: u64,
    /// The rules and lists.
    pub rules: RuleSet,
    /// What is trusted from here on: store it before the rules are used.
    pub trusted: Trusted,
    /// Unix time in seconds at which the first of its files expires.
    pub expires: u64,
    /// Its targets and rules as they were checked, by their paths in the folder. They are what a copy is made
    /// of: the folder may hold more, and may have changed since.
    pub content: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Loads a bundle from a folder. `now` is Unix time in seconds.
    ///
    /// # Errors
    /// [`SentinelError::Threshold`], [`Expired`](SentinelError::Expired),
    /// [`Rollback`](SentinelError::Rollback), [`Equivocation`](SentinelError::Equivocation),
    /// [`Mixed`](SentinelError::Mixed), [`Unlisted`](SentinelError::Unlisted),
    /// [`Metadata`](SentinelError::Metadata), [`NoFile`](SentinelError::NoFile),
    /// [`Pin`](SentinelError::Pin), [`Costly`](SentinelError::Costly),
    /// [`Rule`](SentinelError::Rule) and [`File`](SentinelError::File).
    pub fn load(folder: &Path, trusted: &Trusted, now: u64) -> Result<Self, SentinelError> {
        let mut trusted = trusted.clone();
        roots(folder, &mut trusted, now)?;
        let mut expires = trusted.root.expires;
        let path = folder.join(TARGETS_FILE);
        let bytes = read(&path, MAX_METADATA)?.ok_or_else(|| missing(&path))?;
        let targets = Signed::<Targets>::from_bytes(&bytes)?;
        if let Some(pin) = trusted.pinned(now) {
            if targets.hash()? != pin.targets.hash {
                return Err(SentinelError::Pin(format!(
                    "version {} is not the pinned version {}; load that one, or end the pin",
                    targets.signed.version, pin.targets.version
                )));
            }
        } else {
            let timestamp = newest(folder, &mut trusted, now)?;
            matches(&path, &bytes, &targets, &timestamp.targets)?;
            expires = expires.min(timestamp.expires);
            let accepted = newer(trusted.targets, &targets)?;
            if trusted.targets != Some(accepted) {
                trusted.previous = trusted.targets;
                trusted.targets = Some(accepted);
            }
            trusted.pin = None;
        }
        targets.check(&trusted.root.targets)?;
        targets.check_time(now)?;
        let files = files(&folder.join(RULES_FOLDER), &targets.signed.files)?;
        let version = targets.signed.version;
        let rules = RuleSet::from_files(version, &files)?;
        let expires = expires.min(targets.signed.expires);
        let named = |(name, bytes)| (format!("{RULES_FOLDER}/{name}"), bytes);
        let mut content: BTreeMap<String, Vec<u8>> = files.into_iter().map(named).collect();
        content.insert(TARGETS_FILE.into(), bytes);
        Ok(Self { version, rules, trusted, expires, content })
    }
}

/// Follows the root's versions up to the newest one in the folder.
fn roots(folder: &Path, trusted: &mut Trusted, now: u64) -> Result<(), SentinelError> {
    for _ in 0..MAX_ROOTS {
        let next = trusted.root.version.saturating_add(1);
        let path = folder.join(ROOT_FOLDER).join(format!("{next}.json"));
        let Some(bytes) = read(&path, MAX_METADATA)? else { break };
        trusted.next_root(&Signed::<Root>::from_bytes(&bytes)?)?;
    }
    let root = Signed { signed: trusted.root.clone(), signatures: BTreeMap::new() };
    root.check_time(now)
}

/// The newest timestamp.
fn newest(folder: &Path, trusted: &mut Trusted, now: u64) -> Result<Timestamp, SentinelError> {
    let path = folder.join(TIMESTAMP_FILE);
    let bytes = read(&path, MAX_METADATA)?.ok_or_else(|| missing(&path))?;
    let timestamp = Signed::<Timestamp>::from_bytes(&bytes)?;
    timestamp.check(&trusted.root.timestamp)?;
    let accepted = newer(trusted.timestamp, &timestamp)?;
    timestamp.check_time(now)?;
    trusted.timestamp = Some(accepted);
    Ok(timestamp.signed)
}

/// Whether `targets.json` is the one that the timestamp names.
fn matches(
    path: &Path,
    bytes: &[u8],
    targets: &Signed<Targets>,
    named: &TargetsInfo,
) -> Result<(), SentinelError> {
    same(path, "length", named.length, bytes.len() as u64)?;
    same(path, "hash", named.hash, Hash(keccak(&[bytes])))?;
    same(path, "version", named.version, targets.signed.version)
}

fn same<T: PartialEq + ToString>(
    path: &Path,
    what: &'static str,
    expected: T,
    got: T,
) -> Result<(), SentinelError> {
    match expected == got {
        true => Ok(()),
        false => Err(SentinelError::Mixed {
            file: path.display().to_string(),
            what,
            expected: expected.to_string(),
            got: got.to_string(),
        }),
    }
}

/// Whether a name is that of a file right in the folder: lower-case letters, digits, hyphens, `.yaml`.
fn is_plain(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let stem = name.strip_suffix(".yaml");
    stem.is_some_and(|s| !s.is_empty() && s.len() <= 64 && s.bytes().all(fits))
}

fn files(
    folder: &Path,
    listed: &BTreeMap<String, FileInfo>,
) -> Result<BTreeMap<String, Vec<u8>>, SentinelError> {
    let fail = |why: String| SentinelError::Metadata { role: TARGETS_FILE.into(), why };
    if listed.len() > MAX_FILES {
        return Err(fail(format!("{} files, and {MAX_FILES} are allowed", listed.len())));
    }
    let entries = std::fs::read_dir(folder).map_err(SentinelError::file(folder))?;
    for entry in entries {
        let name = entry.map_err(SentinelError::file(folder))?.file_name();
        if name.to_str().is_none_or(|name| !listed.contains_key(name)) {
            let file = folder.join(name).display().to_string();
            return Err(SentinelError::Unlisted { file });
        }
    }
    let mut files = BTreeMap::new();
    for (name, info) in listed {
        if !is_plain(name) || info.length > MAX_RULES_FILE {
            return Err(fail(format!("`{name}` of {} bytes is no file of rules", info.length)));
        }
        let path = folder.join(name);
        let bytes = read(&path, MAX_RULES_FILE)?.ok_or_else(|| missing(&path))?;
        same(&path, "length", info.length, bytes.len() as u64)?;
        same(&path, "hash", info.hash, Hash(keccak(&[&bytes])))?;
        files.insert(name.clone(), bytes);
    }
    Ok(files)
}

fn missing(path: &Path) -> SentinelError {
    SentinelError::File { path: path.to_owned(), source: ErrorKind::NotFound.into() }
}

/// The content of a file, of which there may be none; never more than `most` bytes, and never from what is no
/// file: opening a pipe waits for whoever writes to it.
fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>, SentinelError> {
    let failed = || SentinelError::file(path);
    let long = || SentinelError::Metadata {
        role: path.display().to_string(),
        why: format!("it has more than {most} bytes"),
    };
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed()(e)),
    };
    is_file(path, &found)?;
    let file = File::open(path).map_err(failed())?;
    // It may be another one by now.
    let found = file.metadata().map_err(failed())?;
    is_file(path, &found)?;
    if found.len() > most {
        return Err(long());
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed())?;
    match bytes.len() as u64 > most {
        true => Err(long()),
        false => Ok(Some(bytes)),
    }
}

fn is_file(path: &Path, found: &Metadata) -> Result<(), SentinelError> {
    let what = match (found.is_file(), found.is_dir()) {
        (true, _) => return Ok(()),
        (false, true) => "a folder",
        (false, false) => "a pipe or a device",
    };
    Err(SentinelError::NoFile { path: path.to_owned(), what })
}
