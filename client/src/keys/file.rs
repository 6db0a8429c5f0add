//! A key file: JSON with what everybody may know in the clear, and the secret encrypted.
//!
//! The key of the cipher is the password's argon2id hash. Everything in the clear is authenticated with
//! the secret, so a file that was altered anywhere does not open.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use bastion_protocol::keys::{owner, PublicKey, SecretKey};
use bastion_protocol::{Address, Fr};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::rngs::OsRng;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::ClientError;
use crate::types::Bytes;

const FORMAT: &str = "bastion-key-argon2id";
const VERSION: u32 = 1;
const KDF: &str = "argon2id";
const CIPHER: &str = "xchacha20-poly1305";
const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 24;
/// A key file is shorter.
const MOST_BYTES: u64 = 64 << 10;
/// Costs that a file may ask for: more would stop whoever opens a stranger's file.
const MOST_MEMORY_KIB: u32 = 1 << 20;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 64;

/// What a guess of the password costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strength {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Strength {
    /// 64 MiB and three passes: a fraction of a second (RFC 9106, second choice).
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3, lanes: 4 }
    }
}

/// A key file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    format: String,
    version: u32,
    public_key: PublicKey,
    exit: Address,
    kdf: Kdf,
    cipher: Cipher,
}

/// How the password becomes the key of the cipher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    strength: Strength,
    salt: Bytes,
}

/// The secret, encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: Bytes,
    content: Bytes,
}

impl KeyFile {
    /// Encrypts a key. `exit` is the L1 address that its accounts leave to.
    ///
    /// # Errors
    /// [`ClientError::Password`] for an empty password, [`ClientError::Crypto`].
    pub fn lock(
        key: &SecretKey,
        exit: Address,
        password: &str,
        strength: Strength,
    ) -> Result<Self, ClientError> {
        let (mut salt, mut nonce) = ([0; SALT_LEN], [0; NONCE_LEN]);
        let random = |bytes: &mut [u8]| OsRng.try_fill_bytes(bytes).map_err(crypto);
        random(&mut salt)?;
        random(&mut nonce)?;
        let mut file = Self {
            format: FORMAT.into(),
            version: VERSION,
            public_key: key.public(),
            exit,
            kdf: Kdf { name: KDF.into(), strength, salt: Bytes(salt.to_vec()) },
            cipher: Cipher {
                name: CIPHER.into(),
                nonce: Bytes(nonce.to_vec()),
                content: Bytes::default(),
            },
        };
        let secret = Zeroizing::new(key.expose_bytes());
        let aad = file.in_the_clear()?;
        let payload = Payload { msg: secret.as_slice(), aad: &aad };
        let cipher = file.kdf.cipher(password)?;
        file.cipher.content = Bytes(cipher.encrypt(&XNonce::from(nonce), payload).map_err(crypto)?);
        Ok(file)
    }

    /// Decrypts the key. `path` is named in errors.
    ///
    /// # Errors
    /// [`ClientError::Locked`] if the password is another, or the file was altered;
    /// [`ClientError::NoKeyFile`] if it asks for costs that nobody can pay.
    pub fn unlock(&self, password: &str, path: &Path) -> Result<SecretKey, ClientError> {
        let locked = || ClientError::Locked { path: path.into() };
        let strength = self.kdf.strength;
        if strength.memory_kib > MOST_MEMORY_KIB
            || strength.passes > MOST_PASSES
            || strength.lanes > MOST_LANES
        {
            let why = format!("it asks for {strength:?}, which is more than this version spends");
            return Err(ClientError::NoKeyFile { path: path.into(), why });
        }
        let nonce: [u8; NONCE_LEN] =
            self.cipher.nonce.0.as_slice().try_into().map_err(|_| locked())?;
        let aad = self.in_the_clear()?;
        let payload = Payload { msg: &self.cipher.content.0, aad: &aad };
        let cipher = self.kdf.cipher(password)?;
        let secret = cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| locked())?;
        let secret = Zeroizing::new(secret);
        let bytes: &[u8; 32] = secret.as_slice().try_into().map_err(|_| locked())?;
        let key = SecretKey::from_bytes(bytes).map_err(|_| locked())?;
        match key.public() == self.public_key {
            true => Ok(key),
            false => Err(locked()),
        }
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The L1 address that its accounts leave to.
    #[must_use]
    pub fn exit(&self) -> Address {
        self.exit
    }

    /// The owner of its accounts.
    #[must_use]
    pub fn owner(&self) -> Fr {
        owner(self.public_key.keyhash(), self.exit)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ClientError::File`], [`ClientError::NoKeyFile`].
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let failed = |source| ClientError::File { action: "read", path: path.into(), source };
        let none = |why: String| ClientError::NoKeyFile { path: path.into(), why };
        if fs::metadata(path).map_err(failed)?.len() > MOST_BYTES {
            return Err(none(format!("it has more than {MOST_BYTES} bytes")));
        }
        let text = fs::read(path).map_err(failed)?;
        let file: Self = serde_json::from_slice(&text).map_err(|e| none(e.to_string()))?;
        let Self { format, version, .. } = &file;
        let (kdf, cipher) = (&file.kdf.name, &file.cipher.name);
        if (format.as_str(), *version, kdf.as_str(), cipher.as_str())
            != (FORMAT, VERSION, KDF, CIPHER)
        {
            let why = format!(
                "it is {format} version {version} with {kdf} and {cipher}, and this version reads \
                 {FORMAT} version {VERSION} with {KDF} and {CIPHER}"
            );
            return Err(none(why));
        }
        Ok(file)
    }

    /// Writes the file whole or not at all, for its owner's eyes only. Nothing is overwritten.
    ///
    /// # Errors
    /// [`ClientError::Exists`], [`ClientError::File`].
    pub fn write(&self, path: &Path) -> Result<(), ClientError> {
        let json = serde_json::to_vec_pretty(self).map_err(crypto)?;
        write_new(path, &json)
    }

    /// Everything but the secret, as it is authenticated.
    fn in_the_clear(&self) -> Result<Vec<u8>, ClientError> {
        let mut file = self.clone();
        file.cipher.content = Bytes::default();
        serde_json::to_vec(&file).map_err(crypto)
    }
}

impl Kdf {
    fn cipher(&self, password: &str) -> Result<XChaCha20Poly1305, ClientError> {
        if password.is_empty() {
            return Err(ClientError::Password { why: "an empty one protects nothing".into() });
        }
        let Strength { memory_kib, passes, lanes } = self.strength;
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(crypto)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = Zeroizing::new([0; 32]);
        argon
            .hash_password_into(password.as_bytes(), &self.salt.0, key.as_mut_slice())
            .map_err(crypto)?;
        XChaCha20Poly1305::new_from_slice(key.as_slice()).map_err(crypto)
    }
}

fn crypto(error: impl ToString) -> ClientError {
    ClientError::Crypto { why: error.to_string() }
}

/// Writes a new file with mode 0600, synced, by way of a temporary one beside it.
///
/// # Errors
/// [`ClientError::Exists`], [`ClientError::File`].
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let failed =
        |path: &Path, source| ClientError::File { action: "write", path: path.into(), source };
    fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
    let temporary = temporary(path);
    let written = create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    // A link fails if there is a file of that name, where a renaming would replace it.
    let linked = written.and_then(|()| fs::hard_link(&temporary, path));
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => File::open(&folder).and_then(|f| f.sync_all()).map_err(|e| failed(&folder, e)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(ClientError::Exists { path: path.into() })
        }
        Err(error) => Err(failed(path, error)),
    }
}

/// A name beside the file that no other process takes.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.{:08x}", std::process::id(), OsRng.next_u32()))
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXIT: Address = Address([7; 20]);
    const WEAK: Strength = Strength { memory_kib: 64, passes: 1, lanes: 1 };

    fn locked() -> (SecretKey, KeyFile) {
        let key = SecretKey::from_seed(b"a key file");
        let file = KeyFile::lock(&key, EXIT, "correct horse", WEAK).unwrap();
        (key, file)
    }

    #[test]
    fn the_password_opens_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/alice.json");
        let (key, file) = locked();
        file.write(&path).unwrap();
        let read = KeyFile::read(&path).unwrap();
        assert_eq!(read, file);
        assert_eq!(*read.public_key(), key.public());
        assert_eq!(read.owner(), owner(key.public().keyhash(), EXIT));
        let opened = read.unlock("correct horse", &path).unwrap();
        assert_eq!(opened.expose_bytes(), key.expose_bytes());
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&hex::encode(key.expose_bytes())));
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn another_password_does_not() {
        let (key, file) = locked();
        let path = Path::new("x");
        for password in ["Correct horse", "correct horse ", "x"] {
            let error = file.unlock(password, path).unwrap_err();
            assert!(matches!(error, ClientError::Locked { .. }), "{error}");
        }
        let error = file.unlock("", path).unwrap_err();
        assert!(matches!(error, ClientError::Password { .. }), "{error}");
        assert!(KeyFile::lock(&key, EXIT, "", WEAK).is_err());
    }

    #[test]
    fn an_altered_file_does_not_open() {
        let (_, file) = locked();
        let other = SecretKey::from_seed(b"another").public();
        let changes: [fn(&mut KeyFile, PublicKey); 8] = [
            |f, _| f.cipher.content.0[0] ^= 1,
            |f, _| f.cipher.content.0.truncate(47),
            |f, _| f.cipher.nonce.0[0] ^= 1,
            |f, _| f.cipher.nonce.0.truncate(1),
            |f, _| f.kdf.salt.0[0] ^= 1,
            |f, _| f.exit.0[0] ^= 1,
            |f, _| f.kdf.strength.passes += 1,
            |f, other| f.public_key = other,
        ];
        for (i, change) in changes.into_iter().enumerate() {
            let mut altered = file.clone();
            change(&mut altered, other);
            let error = altered.unlock("correct horse", Path::new("x")).unwrap_err();
            assert!(matches!(error, ClientError::Locked { .. }), "{i}: {error}");
        }
        let mut greedy = file;
        greedy.kdf.strength.memory_kib = u32::MAX;
        let error = greedy.unlock("correct horse", Path::new("x")).unwrap_err();
        assert!(matches!(error, ClientError::NoKeyFile { .. }), "{error}");
    }

    #[test]
    fn nothing_is_overwritten_and_nobody_else_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alice.json");
        let (_, file) = locked();
        file.write(&path).unwrap();
        let before = fs::read(&path).unwrap();
        let (_, second) = locked();
        assert!(matches!(second.write(&path).unwrap_err(), ClientError::Exists { .. }));
        assert_eq!(fs::read(&path).unwrap(), before);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        assert!(matches!(KeyFile::read(&path).unwrap_err(), ClientError::File { .. }));
        let (_, file) = locked();
        let mut json: serde_json::Value = serde_json::to_value(&file).unwrap();
        json["version"] = 2.into();
        for text in ["", "{}", &json.to_string(), &" ".repeat(70_000)] {
            fs::write(&path, text).unwrap();
            assert!(matches!(KeyFile::read(&path).unwrap_err(), ClientError::NoKeyFile { .. }));
        }
    }
}
