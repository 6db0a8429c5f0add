//! Who may do what.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use axum::http::{header, HeaderMap};
use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use bastion_protocol::hash::keccak;
use rand::rngs::OsRng;
use rand::RngCore as _;
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::fault::Fault;
use super::{Session, Shared};
use crate::sharing::error::SharingError;
use crate::sharing::intelligence::Intelligence;
use crate::sharing::stix::Id;
use crate::sharing::trust::Reader;

/// Letters of a token at least: with fewer, it might be a password, and those are guessed.
const LEAST_TOKEN: usize = 32;
/// Bytes of a header with a name and a token at most.
const MOST_HEADER: usize = 1_024;

/// The hash of a token. Tokens are made by chance, so a plain hash is enough, and costs a flood nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a token that is there.
    ///
    /// # Errors
    /// [`SharingError::Setting`] for a token with fewer than 32 letters.
    pub fn of(token: &str) -> Result<Self, SharingError> {
        if token.len() < LEAST_TOKEN {
            let why = format!("it has fewer than {LEAST_TOKEN} letters: let one be made");
            return Err(SharingError::setting("token", why));
        }
        Ok(Self::hash(token))
    }

    /// A new token of 256 bits by chance, and its hash.
    pub fn generate() -> (Zeroizing<String>, Self) {
        let mut bytes = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(bytes.as_mut());
        let token = Zeroizing::new(hex::encode(bytes.as_ref()));
        let hash = Self::hash(&token);
        (token, hash)
    }

    fn hash(token: &str) -> Self {
        Self(keccak(&[b"bastion.intel.token.v1", token.as_bytes()]))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

impl Serialize for TokenHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut bytes = [0; 32];
        let text = String::deserialize(deserializer)?;
        hex::decode_to_slice(text, &mut bytes).map_err(de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// What a peer may do with a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rights {
    /// Read what its level allows.
    pub read: bool,
    /// Add objects.
    pub write: bool,
    /// Withdraw objects that it made.
    pub delete: bool,
}

/// Somebody who may log in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// The name that it logs in with.
    pub name: String,
    /// The identity that it stands for. The trust list says how far things are shared with it; without one
    /// it gets what is of TLP:CLEAR.
    #[serde(default)]
    pub identity: Option<Id>,
    /// The hash of its token.
    pub token: TokenHash,
    /// What it may do, by collection.
    pub rights: BTreeMap<String, Rights>,
}

pub(super) fn by_name(
    peers: &[Peer],
    intelligence: &Intelligence,
) -> Result<HashMap<String, Arc<Peer>>, SharingError> {
    let mut by_name = HashMap::new();
    for peer in peers {
        let bad = |why: &str| SharingError::setting("peer", format!("{:?}: {why}", peer.name));
        if peer.name.is_empty()
            || peer.name.contains(':')
            || peer.name.chars().any(char::is_control)
        {
            return Err(bad("its name must have letters, and no colon"));
        }
        for collection in peer.rights.keys() {
            intelligence.collection(collection)?;
        }
        if by_name.insert(peer.name.clone(), Arc::new(peer.clone())).is_some() {
            return Err(bad("it is there twice"));
        }
    }
    Ok(by_name)
}

/// Who asks. Whoever says nothing is let in as anybody if a collection is public.
pub(super) fn session(shared: &Shared, headers: &HeaderMap) -> Result<Session, Fault> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        let is_public = shared.intelligence.collections().values().any(|c| c.public);
        let anybody = Session { peer: None, reader: Reader::Anyone };
        return is_public.then_some(anybody).ok_or_else(Fault::unauthorized);
    };
    let (name, token) = basic(value.as_bytes()).ok_or_else(Fault::unauthorized)?;
    let found = TokenHash::hash(&token);
    let peer = shared.peers.get(&name);
    // The same work for a name that nobody has.
    let nobody = TokenHash([0; 32]);
    let expected = peer.map_or(&nobody, |peer| &peer.token);
    let is_right = bool::from(expected.0.ct_eq(&found.0));
    let peer = peer.filter(|_| is_right).cloned().ok_or_else(Fault::unauthorized)?;
    let reader = Reader::Peer { name, identity: peer.identity.clone() };
    Ok(Session { peer: Some(peer), reader })
}

/// The name and the token of HTTP Basic (RFC 7617).
fn basic(header: &[u8]) -> Option<(String, Zeroizing<String>)> {
    if header.len() > MOST_HEADER {
        return None;
    }
    let (scheme, rest) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(rest.trim_ascii()).ok()?);
    let text = std::str::from_utf8(&bytes).ok()?;
    let (name, token) = text.split_once(':')?;
    Some((name.into(), Zeroizing::new(token.into())))
}
