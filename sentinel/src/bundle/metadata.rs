//! The roles' files and their signatures.

use std::collections::{BTreeMap, BTreeSet};

use bastion_protocol::hash::keccak;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::findings::Hash;
use crate::SentinelError;

/// Most keys of a role.
const MAX_KEYS: usize = 64;

/// What a role signs.
pub trait Role: Serialize + DeserializeOwned {
    /// Its name, which is part of what is signed.
    const NAME: &'static str;
    /// Version of the file.
    fn version(&self) -> u64;
    /// Unix time in seconds from which it is void.
    fn expires(&self) -> u64;
}

/// Keys of a role, as 64 hexadecimal digits, and how many must sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleKeys {
    /// Signatures that it takes, at least 1.
    pub threshold: usize,
    /// The keys.
    pub keys: BTreeSet<Hash>,
}

/// Which keys may sign what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Version, from 1.
    pub version: u64,
    /// End, in seconds.
    pub expires: u64,
    /// Keys that sign the next root.
    pub root: RoleKeys,
    /// Keys that sign rules.
    pub targets: RoleKeys,
    /// Keys that sign which rules are the newest.
    pub timestamp: RoleKeys,
}

/// A file of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileInfo {
    /// Bytes.
    pub length: u64,
    /// keccak256.
    pub hash: Hash,
}

/// The rules' files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Version, from 1.
    pub version: u64,
    /// End, in seconds.
    pub expires: u64,
    /// Files by name.
    pub files: BTreeMap<String, FileInfo>,
}

/// The file of the targets role that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetsInfo {
    /// Its version.
    pub version: u64,
    /// Bytes of `targets.json`.
    pub length: u64,
    /// keccak256 of `targets.json`.
    pub hash: Hash,
}

/// Which rules are the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timestamp {
    /// Version, from 1.
    pub version: u64,
    /// End, in seconds.
    pub expires: u64,
    /// The targets.
    pub targets: TargetsInfo,
}

macro_rules! role {
    ($type:ident, $name:literal) => {
        impl Role for $type {
            const NAME: &'static str = $name;
            fn version(&self) -> u64 {
                self.version
            }
            fn expires(&self) -> u64 {
                self.expires
            }
        }
    };
}
role!(Root, "root");
role!(Targets, "targets");
role!(Timestamp, "timestamp");

/// A role's file with signatures by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// What is signed.
    pub signed: T,
    /// Signatures by public key, as 128 hexadecimal digits.
    pub signatures: BTreeMap<Hash, String>,
}

/// The bytes that are signed: a tag with the role's name, and the file's content as JSON without spaces,
/// fields in the order of their definition.
pub(super) fn message<T: Role>(signed: &T) -> Result<Vec<u8>, SentinelError> {
    let mut bytes = format!("bastion-sentinel/bundle/v1/{}\0", T::NAME).into_bytes();
    let fail = |why: String| SentinelError::Metadata { role: T::NAME.into(), why };
    bytes.extend(serde_json::to_vec(signed).map_err(|e| fail(e.to_string()))?);
    Ok(bytes)
}

impl<T: Role> Signed<T> {
    /// Reads a file.
    ///
    /// # Errors
    /// [`SentinelError::Metadata`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SentinelError> {
        serde_json::from_slice(bytes)
            .map_err(|e| SentinelError::Metadata { role: T::NAME.into(), why: e.to_string() })
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// None in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SentinelError> {
        let fail = |why: String| SentinelError::Metadata { role: T::NAME.into(), why };
        serde_json::to_vec_pretty(self).map_err(|e| fail(e.to_string()))
    }

    /// Hash of what is signed; the signatures do not matter for it.
    ///
    /// # Errors
    /// None in practice.
    pub fn hash(&self) -> Result<Hash, SentinelError> {
        Ok(Hash(keccak(&[&message(&self.signed)?])))
    }

    /// Checks that enough of a role's keys signed.
    ///
    /// # Errors
    /// [`SentinelError::Threshold`], and [`SentinelError::Metadata`] for keys that cannot be met.
    pub fn check(&self, role: &RoleKeys) -> Result<(), SentinelError> {
        role.check(T::NAME)?;
        let message = message(&self.signed)?;
        let holds = |key: &Hash| {
            let signature = self.signatures.get(key)?;
            let mut bytes = [0; 64];
            hex::decode_to_slice(signature, &mut bytes).ok()?;
            let key = VerifyingKey::from_bytes(&key.0).ok()?;
            key.verify_strict(&message, &Signature::from_bytes(&bytes)).ok()
        };
        let valid = role.keys.iter().filter(|key| holds(key).is_some()).count();
        match valid >= role.threshold {
            true => Ok(()),
            false => Err(SentinelError::Threshold {
                role: T::NAME.into(),
                version: self.signed.version(),
                valid,
                threshold: role.threshold,
            }),
        }
    }

    /// Checks that it is not past its end.
    ///
    /// # Errors
    /// [`SentinelError::Expired`].
    pub fn check_time(&self, now: u64) -> Result<(), SentinelError> {
        let expires = self.signed.expires();
        match now < expires {
            true => Ok(()),
            false => Err(SentinelError::Expired {
                role: T::NAME.into(),
                version: self.signed.version(),
                expires,
                now,
            }),
        }
    }
}

impl RoleKeys {
    fn check(&self, role: &str) -> Result<(), SentinelError> {
        let count = self.keys.len();
        if count > MAX_KEYS || !(1..=count).contains(&self.threshold) {
            return Err(SentinelError::Metadata {
                role: role.into(),
                why: format!(
                    "{} of {count} keys must sign; at least one and at most all of up to {MAX_KEYS} can",
                    self.threshold
                ),
            });
        }
        Ok(())
    }
}

impl Root {
    /// Checks that every role can be met.
    ///
    /// # Errors
    /// [`SentinelError::Metadata`].
    pub fn check(&self) -> Result<(), SentinelError> {
        self.root.check("root")?;
        self.targets.check("targets")?;
        self.timestamp.check("timestamp")
    }
}
