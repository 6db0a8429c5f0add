//! The operator's key.

mod stored;

use std::fmt;
use std::path::Path;

use alloy::primitives::{Address, Signature, B256};
use alloy::signers::local::PrivateKeySigner;
use alloy::signers::SignerSync;
use zeroize::Zeroizing;

use crate::error::L1Error;
use stored::Stored;

/// Bytes of a keystore file, or of a file with a password, at most.
const LONGEST: u64 = 64 << 10;

/// Where a password is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password<'a> {
    /// In a file; a line break at its end does not count.
    File(&'a Path),
    /// In an environment variable of this name.
    Variable(&'a str),
}

/// A key that signs transactions. Its memory is overwritten when it is dropped, and nothing shows more of
/// it than its address.
pub struct Wallet {
    address: Address,
    key: Key,
}

enum Key {
    /// In memory.
    Local(PrivateKeySigner),
    /// At AWS.
    #[cfg(feature = "aws-kms")]
    Kms(super::kms::Kms),
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wallet({})", self.address)
    }
}

impl Wallet {
    /// Opens an encrypted keystore file (Web3 secret storage, version 3), as geth, `cast` and most wallets
    /// write it.
    ///
    /// # Errors
    /// [`L1Error::Wallet`] if one of the files cannot be read, the file is no keystore, takes too much
    /// memory, or does not open with the password.
    pub fn keystore(path: &Path, password: Password<'_>) -> Result<Self, L1Error> {
        let password = password.read()?;
        let text = read(path)?;
        let in_file = |why: String| wrong(format!("{}: {why}", path.display()));
        let stored: Stored = serde_json::from_slice(&text)
            .map_err(|e| in_file(format!("no keystore of version 3: {e}")))?;
        stored.check().map_err(in_file)?;
        let secret = eth_keystore::decrypt_key(path, password.as_bytes());
        let secret = Zeroizing::new(secret.map_err(|e| match e {
            eth_keystore::KeystoreError::MacMismatch => {
                in_file("it does not open with this password".into())
            }
            other => in_file(other.to_string()),
        })?);
        let wallet = Self::local(PrivateKeySigner::from_slice(&secret).ok())?;
        match stored.address() {
            Some(address) if address != Some(wallet.address) => Err(in_file(format!(
                "its key is that of {}, and the file names another address",
                wallet.address
            ))),
            _ => Ok(wallet),
        }
    }

    /// Takes a key from an environment variable: 64 hexadecimal digits. For development: whoever sees the
    /// process's environment sees the key.
    ///
    /// # Errors
    /// [`L1Error::Wallet`] if the variable is not set or holds no key. What it holds is not shown.
    pub fn variable(name: &str) -> Result<Self, L1Error> {
        Self::hex(&variable(name)?)
    }

    /// Takes a key: 64 hexadecimal digits. For tests and development.
    ///
    /// # Errors
    /// [`L1Error::Wallet`] if it is none; it is not shown.
    pub fn hex(key: &str) -> Result<Self, L1Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        let key = key.trim();
        let digits = key.strip_prefix("0x").unwrap_or(key);
        let read = alloy::primitives::hex::decode_to_slice(digits, &mut *bytes);
        let signer = read.ok().and_then(|()| PrivateKeySigner::from_slice(&*bytes).ok());
        Self::local(signer)
    }

    /// Uses a key that AWS KMS keeps and never gives away: one for signing on the curve secp256k1.
    /// Credentials and region are those of the AWS command line.
    ///
    /// # Errors
    /// [`L1Error::Wallet`] if KMS does not answer, or the key is none of this curve.
    #[cfg(feature = "aws-kms")]
    pub fn kms(key_id: &str) -> Result<Self, L1Error> {
        let kms = super::kms::Kms::connect(key_id)?;
        Ok(Self { address: kms.address(), key: Key::Kms(kms) })
    }

    fn local(signer: Option<PrivateKeySigner>) -> Result<Self, L1Error> {
        let signer = signer.ok_or_else(|| {
            wrong("it is no private key: give 64 hexadecimal digits, not all zero".into())
        })?;
        Ok(Self { address: signer.address(), key: Key::Local(signer) })
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Signs a hash.
    pub(crate) fn sign(&self, hash: &B256) -> Result<Signature, L1Error> {
        match &self.key {
            Key::Local(signer) => signer.sign_hash_sync(hash).map_err(|e| wrong(e.to_string())),
            #[cfg(feature = "aws-kms")]
            Key::Kms(kms) => kms.sign(hash),
        }
    }
}

impl Password<'_> {
    fn read(self) -> Result<Zeroizing<String>, L1Error> {
        match self {
            Self::Variable(name) => variable(name),
            Self::File(path) => {
                let bytes = read(path)?;
                let text = std::str::from_utf8(&bytes);
                let text = text.map_err(|_| wrong(format!("{}: no text", path.display())))?;
                let text = text.strip_suffix('\n').unwrap_or(text);
                Ok(Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
            }
        }
    }
}

fn variable(name: &str) -> Result<Zeroizing<String>, L1Error> {
    let value = std::env::var(name);
    value.map(Zeroizing::new).map_err(|e| match e {
        std::env::VarError::NotPresent => {
            wrong(format!("the variable {name} is not set: set it, or name an encrypted keystore"))
        }
        // The error of the library would show it.
        std::env::VarError::NotUnicode(_) => wrong(format!("the variable {name} holds no text")),
    })
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, L1Error> {
    let failed = |why: String| wrong(format!("{}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
    if length > LONGEST {
        return Err(failed(format!("a file of {length} bytes is none of this kind")));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(|e| failed(e.to_string()))
}

fn wrong(why: String) -> L1Error {
    L1Error::Wallet { why }
}

#[cfg(test)]
mod tests;
