//! The operator's keys.

use std::path::Path;

use alloy_primitives::B256;
use bastion_l1::txmgr::{Password, Wallet};

use bastion_protocol::data::DataMode;
use bastion_protocol::keys::SecretKey;

use super::config::{L1Config, SentinelConfig, SequencerConfig};
use crate::error::NodeError;

/// Variable with the password of the keystore.
const PASSWORD: &str = "BASTION_L1_PASSWORD";
/// The same of the account that sends blobs.
const BLOB_PASSWORD: &str = "BASTION_L1_BLOB_PASSWORD";

/// The key that signs receipts.
///
/// # Errors
/// [`NodeError::Key`] if there is none, it is malformed, or others may read its file.
pub fn sequencer(config: &SequencerConfig) -> Result<B256, NodeError> {
    let (place, text) = match &config.key_file {
        Some(path) => (path.display().to_string(), read_private("the sequencer's key", path)?),
        None => {
            let name = &config.key_env;
            let text = std::env::var(name).map_err(|_| NodeError::Key {
                what: "the sequencer's key",
                why: format!(
                    "neither sequencer.key-file nor the variable {name} is set: make a key with \
                     `openssl rand -hex 32 > sequencer.key && chmod 600 sequencer.key`"
                ),
            })?;
            (format!("the variable {name}"), text)
        }
    };
    text.trim().parse().map_err(|_| NodeError::Key {
        what: "the sequencer's key",
        why: format!("{place} does not hold 64 hexadecimal digits"),
    })
}

/// The key that freezes accounts, if the configuration names one.
///
/// # Errors
/// [`NodeError::Key`] if it is malformed, or others may read its file.
pub fn guardian(config: &SentinelConfig) -> Result<Option<SecretKey>, NodeError> {
    let SentinelConfig { guardian_key_file, guardian_key_env, .. } = config;
    of_l2("the guardian's key", guardian_key_file.as_deref(), guardian_key_env)
}

/// The key of the rewards account, if the configuration names one.
///
/// # Errors
/// As [`guardian`].
pub fn rewards(config: &SentinelConfig) -> Result<Option<SecretKey>, NodeError> {
    let SentinelConfig { rewards_key_file, rewards_key_env, .. } = config;
    of_l2("the key of the rewards account", rewards_key_file.as_deref(), rewards_key_env)
}

/// A key of L2 from a file, or from a variable.
fn of_l2(
    what: &'static str,
    file: Option<&Path>,
    variable: &str,
) -> Result<Option<SecretKey>, NodeError> {
    let (place, text) = match file {
        Some(path) => (path.display().to_string(), read_private(what, path)?),
        None => match std::env::var(variable) {
            Ok(text) => (format!("the variable {variable}"), text),
            Err(_) => return Ok(None),
        },
    };
    let bytes: Option<[u8; 32]> = hex::decode(text.trim().trim_start_matches("0x"))
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    let key = bytes.and_then(|bytes| SecretKey::from_bytes(&bytes).ok());
    key.map(Some).ok_or_else(|| NodeError::Key {
        what,
        why: format!("{place} does not hold 64 hexadecimal digits of a key"),
    })
}

/// The account that sends transactions.
///
/// # Errors
/// [`bastion_l1::L1Error::Wallet`].
pub fn operator(config: &L1Config) -> Result<Wallet, NodeError> {
    Ok(match &config.keystore {
        Some(path) => {
            let password = match &config.password_file {
                Some(file) => Password::File(file),
                None => Password::Variable(PASSWORD),
            };
            Wallet::keystore(path, password)?
        }
        None => Wallet::variable(&config.key_env)?,
    })
}

/// The account that sends blobs, if the configuration has one.
///
/// # Errors
/// [`bastion_l1::L1Error::Wallet`].
pub fn blobs(config: &L1Config) -> Result<Option<Wallet>, NodeError> {
    let Some(path) = &config.blob_keystore else {
        return match std::env::var_os(&config.blob_key_env) {
            Some(_) => Ok(Some(Wallet::variable(&config.blob_key_env)?)),
            None => Ok(None),
        };
    };
    let password = match &config.blob_password_file {
        Some(file) => Password::File(file),
        None => Password::Variable(BLOB_PASSWORD),
    };
    Ok(Some(Wallet::keystore(path, password)?))
}

/// The same for a node that posts in a mode: in blobs it takes one.
///
/// # Errors
/// [`NodeError::Key`] if there is none and it takes one, or as [`blobs`].
pub fn of_mode(config: &L1Config, mode: DataMode) -> Result<Option<Wallet>, NodeError> {
    let wallet = blobs(config)?;
    if mode == DataMode::Blob && wallet.is_none() {
        return Err(NodeError::Key {
            what: "the account for blobs",
            why: format!(
                "neither l1.blob-keystore nor the variable {} is set, and rollup.data-mode is blob: set one \
                 of them, or rollup.data-mode to calldata",
                config.blob_key_env
            ),
        });
    }
    Ok(wallet)
}

/// Reads a file that nobody but its owner may read.
pub(crate) fn read_private(what: &'static str, path: &Path) -> Result<String, NodeError> {
    let io = |source| NodeError::Io { path: path.display().to_string(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            let shown = path.display();
            return Err(NodeError::Key {
                what,
                why: format!(
                    "others may read {shown}: run `chmod 600 {shown}`, and make a new key if \
                              they may have"
                ),
            });
        }
    }
    std::fs::read_to_string(path).map_err(io)
}
