//! `bastion sentinel bundle`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bastion_node::NodeError;
use bastion_sentinel::bundle::{
    describe, stamp, write, Bundle, Key, Release, Role, RoleKeys, Root, Signed, Targets, Timestamp,
    Trusted, TARGETS_FILE, TIMESTAMP_FILE,
};
use bastion_sentinel::findings::Hash;
use clap::{Subcommand, ValueEnum};
use eyre::{eyre, WrapErr};
use rand::rngs::OsRng;
use rand::RngCore as _;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::commands::sentinel::{rule_files, write_private};
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Signed bundles of rules. Keys stay with whoever writes rules; a node needs the root and the bundle alone.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples, one person and one key for all roles:\n  bastion sentinel bundle key me.key\n  \
bastion sentinel bundle root root.json --root PUBLIC --targets PUBLIC --timestamp PUBLIC\n  \
bastion sentinel bundle sign root.json --role root --key me.key\n  \
bastion sentinel bundle make my-rules bundle --version 1 --key me.key\n  \
bastion sentinel bundle check bundle --root root.json"
)]
pub(crate) enum Command {
    /// Makes a key, and prints its public part.
    Key {
        /// Where the key goes. The file must not exist.
        file: PathBuf,
    },
    /// Writes a root: which keys may sign what. It counts when its own root keys have signed it, and from
    /// version 2 on those of the version before, too.
    Root {
        /// Where it goes. The file must not exist.
        file: PathBuf,
        /// A public key that signs roots; may be given several times.
        #[arg(long, value_name = "PUBLIC", required = true, value_parser = public)]
        root: Vec<Hash>,
        /// A public key that signs rules; may be given several times.
        #[arg(long, value_name = "PUBLIC", required = true, value_parser = public)]
        targets: Vec<Hash>,
        /// A public key that signs which rules are the newest; may be given several times.
        #[arg(long, value_name = "PUBLIC", required = true, value_parser = public)]
        timestamp: Vec<Hash>,
        /// How many of the keys of root and of targets must sign; one suffices for the timestamp.
        #[arg(long, default_value_t = 1)]
        threshold: usize,
        /// Its version, from 1.
        #[arg(long, default_value_t = 1)]
        version: u64,
        /// Days until it ends.
        #[arg(long, default_value_t = 365)]
        days: u64,
    },
    /// Adds a signature to a file of a bundle; several people may do so one after another.
    Sign {
        /// The file.
        file: PathBuf,
        /// What it is.
        #[arg(long)]
        role: RoleName,
        /// File of the key.
        #[arg(long, value_name = "FILE", required = true)]
        key: Vec<PathBuf>,
    },
    /// Checks rules, runs their examples, and makes a bundle of them.
    Make {
        /// Folder of YAML files.
        rules: PathBuf,
        /// Folder of the bundle.
        bundle: PathBuf,
        /// Its version: above the last one.
        #[arg(long)]
        version: u64,
        /// Days until the rules end.
        #[arg(long, default_value_t = 90)]
        days: u64,
        /// Files of the keys for rules and timestamp.
        #[arg(long, value_name = "FILE", required = true)]
        key: Vec<PathBuf>,
        /// Days until the timestamp ends: it is signed anew before that (`stamp`).
        #[arg(long, default_value_t = 7)]
        stamp_days: u64,
        /// Further versions of the root, from 2 on.
        #[arg(long, value_name = "FILE")]
        next_root: Vec<PathBuf>,
    },
    /// Signs anew that the rules of a bundle are the newest: before the timestamp ends, or after others have
    /// signed the rules.
    Stamp {
        /// Folder of the bundle.
        bundle: PathBuf,
        /// File of a key for timestamps.
        #[arg(long, value_name = "FILE", required = true)]
        key: Vec<PathBuf>,
        /// Days until it ends.
        #[arg(long, default_value_t = 7)]
        days: u64,
    },
    /// Loads a bundle as a node that has seen none before would.
    Check {
        /// Folder of the bundle.
        bundle: PathBuf,
        /// The root that is trusted.
        #[arg(long, value_name = "FILE")]
        root: PathBuf,
    },
}

/// What a file of a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    Root,
    Targets,
    Timestamp,
}

#[derive(Serialize)]
struct Report {
    done: String,
    /// A public key, where one was made.
    public: Option<Hash>,
    /// Version of what was made or checked.
    version: Option<u64>,
}

pub(crate) fn run(command: &Command, settings: &Settings) -> eyre::Result<()> {
    let report = match command {
        Command::Key { file } => {
            let mut seed = Zeroizing::new([0; 32]);
            OsRng.try_fill_bytes(seed.as_mut_slice())?;
            write_private(file, &hex::encode(seed.as_slice()))?;
            let public = Key::from_seed(&seed).public();
            Report { done: format!("public key {public}"), public: Some(public), version: None }
        }
        Command::Root { file, root, targets, timestamp, threshold, version, days } => {
            let keys = |keys: &[Hash], threshold| {
                let keys: BTreeSet<Hash> = keys.iter().copied().collect();
                RoleKeys { threshold, keys }
            };
            let (root, targets) = (keys(root, *threshold), keys(targets, *threshold));
            let timestamp = keys(timestamp, 1);
            let (version, expires) = (*version, after(*days));
            let made = Root { version, expires, root, targets, timestamp };
            made.check().map_err(|e| CliError::Usage(e.to_string()))?;
            if file.exists() {
                return Err(eyre!("{} is there already: choose another name", file.display()));
            }
            put(file, &Signed::unsigned(made))?;
            made_of("unsigned root", file, version)
        }
        Command::Sign { file, role, key } => {
            let keys = read_keys(key)?;
            let version = match role {
                RoleName::Root => sign::<Root>(file, &keys)?,
                RoleName::Targets => sign::<Targets>(file, &keys)?,
                RoleName::Timestamp => sign::<Timestamp>(file, &keys)?,
            };
            made_of("signed", file, version)
        }
        Command::Make { rules, bundle, version, days, key, stamp_days, next_root } => {
            let keys = read_keys(key)?;
            let before = bundle.join(TARGETS_FILE);
            if before.exists() {
                let last = read::<Targets>(&before)?.signed.version;
                if *version <= last {
                    return Err(CliError::Usage(format!(
                        "--version {version} is not above {last}, that of {}: nodes take two bundles of one version for \
                         theft of the keys",
                        bundle.display()
                    ))
                    .into());
                }
            }
            let files = rule_files(rules)?;
            let described = describe(*version, after(*days), &files);
            let described = described.map_err(|e| CliError::BadFile {
                what: "folder of rules",
                path: rules.clone(),
                why: e.to_string(),
            })?;
            let targets = signed(Signed::unsigned(described), &keys)?;
            let release = Release {
                version: *version,
                expires: after(*days),
                timestamp_version: next_timestamp(bundle)?,
                timestamp_expires: after(*stamp_days),
            };
            let timestamp = stamp(&targets, &release).map_err(NodeError::from)?;
            let timestamp = signed(Signed::unsigned(timestamp), &keys)?;
            let roots = next_root.iter().map(|path| read::<Root>(path));
            let roots = roots.collect::<eyre::Result<Vec<_>>>()?;
            write(bundle, &roots, &files, &targets, &timestamp).map_err(NodeError::from)?;
            made_of("made", bundle, *version)
        }
        Command::Stamp { bundle, key, days } => {
            let keys = read_keys(key)?;
            let targets = read::<Targets>(&bundle.join(TARGETS_FILE))?;
            let release = Release {
                version: targets.signed.version,
                expires: targets.signed.expires,
                timestamp_version: next_timestamp(bundle)?,
                timestamp_expires: after(*days),
            };
            let made = stamp(&targets, &release).map_err(NodeError::from)?;
            put(&bundle.join(TIMESTAMP_FILE), &signed(Signed::unsigned(made), &keys)?)?;
            made_of("stamped", bundle, targets.signed.version)
        }
        Command::Check { bundle, root } => {
            let trusted = Trusted::new(&read::<Root>(root)?).map_err(|e| bad(root, e))?;
            let loaded = Bundle::load(bundle, &trusted, now()).map_err(|e| bad(bundle, e))?;
            let done = format!(
                "{} is accepted: {} rules, version {}, until {}",
                bundle.display(),
                loaded.rules.rules().len(),
                loaded.version,
                loaded.expires
            );
            Report { done, public: None, version: Some(loaded.version) }
        }
    };
    output::report(settings, &report, |r| r.done.clone())
}

fn made_of(what: &str, file: &Path, version: u64) -> Report {
    let done = format!("{what}: {}, version {version}", file.display());
    Report { done, public: None, version: Some(version) }
}

fn sign<T: Role>(file: &Path, keys: &[Key]) -> eyre::Result<u64> {
    let signed = signed(read::<T>(file)?, keys)?;
    put(file, &signed)?;
    Ok(signed.signed.version())
}

fn signed<T: Role>(file: Signed<T>, keys: &[Key]) -> eyre::Result<Signed<T>> {
    let keys: Vec<&Key> = keys.iter().collect();
    Ok(file.sign(&keys).map_err(NodeError::from)?)
}

/// The version of the next timestamp of a bundle, which may not be there yet.
fn next_timestamp(bundle: &Path) -> eyre::Result<u64> {
    let path = bundle.join(TIMESTAMP_FILE);
    match path.exists() {
        true => Ok(read::<Timestamp>(&path)?.signed.version.saturating_add(1)),
        false => Ok(1),
    }
}

fn read<T: Role>(path: &Path) -> eyre::Result<Signed<T>> {
    let bytes = std::fs::read(path).wrap_err_with(|| path.display().to_string())?;
    Signed::from_bytes(&bytes).map_err(|e| bad(path, e).into())
}

fn put<T: Role>(path: &Path, file: &Signed<T>) -> eyre::Result<()> {
    let bytes = file.to_bytes().map_err(NodeError::from)?;
    std::fs::write(path, bytes).wrap_err_with(|| path.display().to_string())
}

fn read_keys(paths: &[PathBuf]) -> eyre::Result<Vec<Key>> {
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).wrap_err_with(|| path.display().to_string())?;
        let text = Zeroizing::new(text);
        let mut seed = Zeroizing::new([0; 32]);
        // The digits are secret: no message repeats them.
        hex::decode_to_slice(text.trim(), seed.as_mut_slice())
            .map_err(|_| bad(path, "a key is 64 hexadecimal digits, as `bundle key` writes it"))?;
        Ok(Key::from_seed(&seed))
    };
    paths.iter().map(read).collect()
}

fn bad(path: &Path, why: impl ToString) -> CliError {
    CliError::BadFile { what: "bundle of rules", path: path.into(), why: why.to_string() }
}

fn public(text: &str) -> Result<Hash, String> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).map_err(|e| format!("a public key is 64 digits: {e}"))?;
    Ok(Hash(key))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn after(days: u64) -> u64 {
    now().saturating_add(days.saturating_mul(86_400))
}
