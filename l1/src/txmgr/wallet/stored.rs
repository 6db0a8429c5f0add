//! What of a keystore is looked at before it is opened: the library that opens it takes for granted that
//! all is of the right length, and that there is memory enough.

use alloy::primitives::Address;
use serde::Deserialize;

/// Memory that opening a keystore may take, in bytes. What other wallets write takes a quarter of it.
const MOST_MEMORY: u64 = 1 << 30;
/// Rounds of PBKDF2 at most.
const MOST_ROUNDS: u64 = 1 << 24;

/// What is looked at.
#[derive(Deserialize)]
pub(super) struct Stored {
    version: u64,
    address: Option<String>,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    kdf: String,
    kdfparams: KdfParams,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
struct KdfParams {
    dklen: u64,
    n: Option<u64>,
    r: Option<u64>,
    p: Option<u64>,
    c: Option<u64>,
}

impl Stored {
    /// The address that the file names, if it names one: `Some(None)` is one that is none.
    pub(super) fn address(&self) -> Option<Option<Address>> {
        let text = self.address.as_ref().filter(|text| !text.is_empty())?;
        Some(text.parse().ok())
    }

    /// Refuses what the library would fail at, with the reason.
    pub(super) fn check(&self) -> Result<(), String> {
        let Crypto { cipher, cipherparams, ciphertext, kdf, kdfparams } = &self.crypto;
        let bytes =
            |text: &str| alloy::primitives::hex::decode(text).map_or(0, |bytes| bytes.len());
        if self.version != 3 {
            return Err(format!("it is of version {}, and 3 is read", self.version));
        }
        if cipher != "aes-128-ctr" {
            return Err("its cipher is another than aes-128-ctr".into());
        }
        if kdfparams.dklen != 32 || bytes(&cipherparams.iv) != 16 || bytes(ciphertext) != 32 {
            return Err("one of dklen, iv and ciphertext has not the length of this format".into());
        }
        match (kdf.as_str(), kdfparams) {
            ("scrypt", KdfParams { n: Some(n), r: Some(r), p: Some(p), .. }) => {
                let memory = n.checked_mul(*r).and_then(|product| product.checked_mul(128));
                let in_bounds = memory.is_some_and(|m| (1..=MOST_MEMORY).contains(&m));
                // As scrypt is defined; the library takes the nearest power of two for any number.
                let fits = n.is_power_of_two() && u64::from(n.ilog2()) < r.saturating_mul(16);
                if !fits || *n < 2 || !in_bounds || !(1..=16).contains(p) {
                    return Err(format!("scrypt with n = {n}, r = {r}, p = {p} is not opened"));
                }
                Ok(())
            }
            ("pbkdf2", KdfParams { c: Some(c), .. }) if (1..=MOST_ROUNDS).contains(c) => Ok(()),
            _ => Err("its key derivation is neither scrypt nor pbkdf2, or is too long".into()),
        }
    }
}
