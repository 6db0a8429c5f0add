//! A beacon node: `GET /eth/v1/beacon/blobs/{slot}` since Fusaka, `/eth/v1/beacon/blob_sidecars/{slot}`
//! where that is not known.

use bastion_audit::blob::versioned_hash;
use bastion_l1::{L1Error, Web};
use serde::Deserialize;

use super::keep::file_name;
use super::Wanted;

/// A beacon node.
#[derive(Debug)]
pub(super) struct Beacon {
    web: Web,
    /// Once the node has told.
    slots: Option<Slots>,
}

/// How slots follow from L1 blocks.
#[derive(Debug, Clone, Copy)]
enum Slots {
    /// By time: that of slot 0, and seconds of a slot.
    Timed { genesis: u64, seconds: u64 },
    /// Development nodes (anvil) have no slots and take the number of the L1 block.
    Numbered,
}

/// What every answer is wrapped in.
#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Genesis {
    genesis_time: String,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(rename = "SECONDS_PER_SLOT")]
    seconds_per_slot: String,
}

#[derive(Deserialize)]
struct Sidecar {
    blob: String,
}

impl Beacon {
    pub(super) fn new(url: &str) -> Result<Self, L1Error> {
        Ok(Self { web: Web::new(url)?, slots: None })
    }

    pub(super) fn host(&self) -> &str {
        self.web.host()
    }

    /// The blob of this hash among those of its slot.
    pub(super) fn ask(&mut self, wanted: &Wanted) -> Result<Option<Vec<u8>>, L1Error> {
        let slot = match self.slots()? {
            Slots::Timed { genesis, seconds } => wanted.time.saturating_sub(genesis) / seconds,
            Slots::Numbered => wanted.l1_block,
        };
        let hash = file_name(&wanted.versioned_hash);
        let path = format!("/eth/v1/beacon/blobs/{slot}");
        let blobs = self.web.json::<Answer<Vec<String>>>(&path, &[("versioned_hashes", &hash)]);
        let newer = blobs.map(|answer| pick(answer.map(|a| a.data).unwrap_or_default(), wanted));
        if matches!(newer, Ok(Some(_))) {
            return newer;
        }
        let path = format!("/eth/v1/beacon/blob_sidecars/{slot}");
        match self.web.json::<Answer<Vec<Sidecar>>>(&path, &[]) {
            Ok(Some(older)) => Ok(pick(older.data.into_iter().map(|sidecar| sidecar.blob), wanted)),
            // What the newer form said counts: the older one is not everywhere any more.
            Ok(None) | Err(_) => newer,
        }
    }

    fn slots(&mut self) -> Result<Slots, L1Error> {
        if let Some(slots) = self.slots {
            return Ok(slots);
        }
        let genesis: Option<Answer<Genesis>> = self.web.json("/eth/v1/beacon/genesis", &[])?;
        let genesis = genesis.and_then(|answer| answer.data.genesis_time.parse().ok());
        let genesis = genesis.ok_or_else(|| L1Error::MissingHistory {
            host: self.host().into(),
            what: "the time of genesis (GET /eth/v1/beacon/genesis): is it a beacon node?".into(),
        })?;
        let spec: Option<Answer<Spec>> = self.web.json("/eth/v1/config/spec", &[])?;
        let slots = match spec {
            None => Slots::Numbered,
            Some(spec) => {
                let seconds = spec.data.seconds_per_slot.parse().ok().filter(|s| *s > 0);
                let seconds = seconds.ok_or_else(|| L1Error::MissingHistory {
                    host: self.host().into(),
                    what: "the seconds of a slot (SECONDS_PER_SLOT of GET /eth/v1/config/spec)"
                        .into(),
                })?;
                Slots::Timed { genesis, seconds }
            }
        };
        Ok(*self.slots.insert(slots))
    }
}

/// The blob of the hash. Others of the slot are other people's.
fn pick(blobs: impl IntoIterator<Item = String>, wanted: &Wanted) -> Option<Vec<u8>> {
    let decoded = blobs.into_iter().filter_map(|text| {
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        hex::decode(digits).ok()
    });
    let mut own = decoded.filter(|bytes| versioned_hash(bytes) == Ok(wanted.versioned_hash));
    own.next()
}
