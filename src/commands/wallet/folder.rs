//! The wallet's folder: `keys/NAME.json`, `receipts/HASH.json`, `rollup.json`.

use std::fs;
use std::path::{Path, PathBuf};

use bastion_client::check::Rollup;
use bastion_client::keys::file::write_new;
use bastion_client::keys::{KeyFile, Strength};
use bastion_client::types::Hash;
use bastion_client::{ClientError, SignedReceipt};
use bastion_protocol::keys::SecretKey;
use bastion_protocol::{field, Address};
use bastion_prover::artifact::write_bytes_atomic;
use rand::rngs::OsRng;
use rand::RngCore;
use serde::{Deserialize, Serialize};

use super::Wallet;
use crate::exit::CliError;
use crate::output;

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// The rollup that the wallet knows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    chain_id: u64,
    contract: Address,
    sequencer: Address,
    /// Sequencers of earlier receipts: the operator may change his key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former_sequencers: Vec<Address>,
}

impl Folder {
    /// A folder, or the one in the home folder.
    pub(super) fn at(dir: Option<PathBuf>) -> Result<Self, CliError> {
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".bastion-wallet"));
        let missing = || CliError::Usage("there is no home folder: name one by --wallet".into());
        dir.or_else(home).map(Self).ok_or_else(missing)
    }

    /// A file of the folder.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// The path of a key's file.
    fn key_path(&self, name: &str) -> Result<PathBuf, CliError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
            true => Ok(self.0.join("keys").join(format!("{name}.json"))),
            false => Err(CliError::Usage(format!(
                "{name:?} is no name of a key: take letters, digits, - and _, at most 64"
            ))),
        }
    }

    /// A key's file.
    pub(crate) fn key(&self, name: &str) -> eyre::Result<(KeyFile, PathBuf)> {
        let path = self.key_path(name)?;
        Ok((KeyFile::read(&path)?, path))
    }

    /// Keeps a receipt. One that is there stays as it is.
    pub(super) fn keep(&self, receipt: &SignedReceipt) -> eyre::Result<PathBuf> {
        let hash = Hash(receipt.receipt.operation);
        let path = self.0.join("receipts").join(format!("{hash}.json"));
        match write_new(&path, &serde_json::to_vec_pretty(receipt)?) {
            Ok(()) | Err(ClientError::Exists { .. }) => Ok(path),
            Err(error) => Err(error.into()),
        }
    }

    /// All receipts that were kept, in the order of their places.
    pub(super) fn receipts(&self) -> eyre::Result<Vec<SignedReceipt>> {
        let mut found = Vec::new();
        for path in files(&self.0.join("receipts"))? {
            let text = read(&path)?;
            let receipt: SignedReceipt = serde_json::from_slice(&text)
                .map_err(|e| CliError::BadFile { what: "receipt", path, why: e.to_string() })?;
            found.push(receipt);
        }
        found.sort_by_key(|signed| (signed.receipt.epoch, signed.receipt.place));
        Ok(found)
    }

    /// The rollup of the first node that was asked.
    pub(super) fn rollup(&self) -> eyre::Result<Option<Rollup>> {
        Ok(self.known()?.map(|known| {
            let Known { chain_id, contract, sequencer, .. } = known;
            Rollup { chain_id, contract, sequencer }
        }))
    }

    /// The rollup with sequencers that it had before.
    pub(super) fn former(&self) -> eyre::Result<Vec<Rollup>> {
        let known = self.known()?.into_iter();
        Ok(known
            .flat_map(|Known { chain_id, contract, former_sequencers, .. }| {
                let rollup = move |sequencer| Rollup { chain_id, contract, sequencer };
                former_sequencers.into_iter().map(rollup)
            })
            .collect())
    }

    fn known(&self) -> eyre::Result<Option<Known>> {
        let path = self.0.join("rollup.json");
        if !path.exists() {
            return Ok(None);
        }
        let text = read(&path)?;
        let known = serde_json::from_slice(&text).map_err(|e| CliError::BadFile {
            what: "rollup",
            path,
            why: e.to_string(),
        })?;
        Ok(Some(known))
    }

    /// Remembers a rollup, and the sequencers that it had before. That of another contract is kept.
    pub(super) fn remember(&self, rollup: &Rollup) -> eyre::Result<()> {
        let Rollup { chain_id, contract, sequencer } = *rollup;
        let mut former_sequencers = Vec::new();
        if let Some(known) = self.known()? {
            let same = (known.chain_id, known.contract) == (chain_id, contract);
            if !same || known.sequencer == sequencer {
                return Ok(());
            }
            former_sequencers = known.former_sequencers;
            former_sequencers.push(known.sequencer);
        }
        let known = Known { chain_id, contract, sequencer, former_sequencers };
        let path = self.0.join("rollup.json");
        let json = serde_json::to_vec_pretty(&known)?;
        if path.exists() {
            return Ok(write_bytes_atomic(&path, &json)?);
        }
        match write_new(&path, &json) {
            Ok(()) | Err(ClientError::Exists { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ClientError> {
    fs::read(path).map_err(|source| ClientError::File { action: "read", path: path.into(), source })
}

/// The JSON files of a folder, by name. A folder that is not there has none.
fn files(folder: &Path) -> eyre::Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[derive(Serialize)]
struct Key {
    name: String,
    public_key: String,
    keyhash: String,
    exit: String,
    owner: String,
    file: String,
}

impl Key {
    fn of(name: &str, file: &KeyFile, path: &Path) -> Self {
        Self {
            name: name.into(),
            public_key: file.public_key().to_string(),
            keyhash: field::to_hex(&file.public_key().keyhash()),
            exit: file.exit().to_string(),
            owner: field::to_hex(&file.owner()),
            file: path.display().to_string(),
        }
    }

    fn text(&self) -> String {
        let Self { name, keyhash, exit, owner, .. } = self;
        format!("key        {name}\nkey hash   {keyhash}\nexit       {exit}\nowner      {owner}\n")
    }
}

pub(super) fn new(wallet: &Wallet<'_>, name: &str, exit: Address) -> eyre::Result<()> {
    let path = wallet.folder.key_path(name)?;
    if path.exists() {
        return Err(ClientError::Exists { path }.into());
    }
    let password = wallet.password.read_new()?;
    let mut seed = zeroize::Zeroizing::new([0; 64]);
    OsRng.try_fill_bytes(seed.as_mut_slice())?;
    let key = SecretKey::from_seed(seed.as_slice());
    let file = KeyFile::lock(&key, exit, &password, Strength::default())?;
    file.write(&path)?;
    output::report(wallet.settings, &Key::of(name, &file, &path), |key| {
        format!("{}file       {}\nKeep a copy of the file: without it and its password the account leaves only by a forced exit.", key.text(), key.file)
    })
}

#[derive(Serialize)]
struct Keys {
    keys: Vec<Key>,
    receipts: usize,
}

pub(super) fn list(wallet: &Wallet<'_>) -> eyre::Result<()> {
    let mut keys = Vec::new();
    for path in files(&wallet.folder.join("keys"))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        keys.push(Key::of(&name, &KeyFile::read(&path)?, &path));
    }
    let receipts = files(&wallet.folder.join("receipts"))?.len();
    output::report(wallet.settings, &Keys { keys, receipts }, |all| {
        let keys: Vec<String> = all.keys.iter().map(Key::text).collect();
        format!("{}\n{} keys, {} receipts", keys.join("\n"), all.keys.len(), all.receipts)
    })
}
