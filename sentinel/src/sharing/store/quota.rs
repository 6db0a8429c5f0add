//! How much a source may send. Whoever floods a feed hides what matters in it and fills the disk.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::sharing::error::SharingError;
use crate::sharing::stix::Timestamp;

const HOUR: u64 = 3_600_000_000;

/// How much a source may send. What one operator signs is one source, whoever brings it; what nobody signed
/// is the peer's that brings it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Versions of a source in an hour.
    pub per_hour: usize,
    /// Versions of a source in all.
    pub objects: usize,
    /// Bytes of a source in all, in canonical form.
    pub bytes: usize,
    /// Versions of all sources.
    pub all_objects: usize,
    /// Bytes of all sources, in canonical form. In memory they take a few times as much.
    pub all_bytes: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            per_hour: 2_000,
            objects: 20_000,
            bytes: 32 << 20,
            all_objects: 200_000,
            all_bytes: 256 << 20,
        }
    }
}

#[derive(Debug, Default)]
struct Usage {
    objects: usize,
    bytes: usize,
    /// When what came within the last hour came, in microseconds.
    recent: VecDeque<u64>,
}

/// How much each source has sent.
#[derive(Debug)]
pub(in crate::sharing) struct Ledger {
    quotas: Quotas,
    sources: HashMap<String, Usage>,
    objects: usize,
    bytes: usize,
}

impl Ledger {
    pub fn new(quotas: Quotas) -> Self {
        Self { quotas, sources: HashMap::new(), objects: 0, bytes: 0 }
    }

    /// Checks that a source may send one more version.
    pub fn check(
        &mut self,
        source: &str,
        bytes: usize,
        now: Timestamp,
    ) -> Result<(), SharingError> {
        let Quotas { per_hour, objects, bytes: most_bytes, all_objects, all_bytes } = self.quotas;
        let full = |limit: usize, what| SharingError::Quota {
            source_name: source.to_owned(),
            limit: limit as u64,
            what,
        };
        if self.objects >= all_objects {
            return Err(full(all_objects, "versions of all sources together"));
        }
        if self.bytes + bytes > all_bytes {
            return Err(full(all_bytes, "bytes of all sources together"));
        }
        let Some(usage) = self.sources.get_mut(source) else {
            return Ok(());
        };
        let since = now.micros().saturating_sub(HOUR);
        while usage.recent.front().is_some_and(|at| *at <= since) {
            usage.recent.pop_front();
        }
        if usage.recent.len() >= per_hour {
            return Err(full(per_hour, "versions in an hour"));
        }
        if usage.objects >= objects {
            return Err(full(objects, "versions in all"));
        }
        if usage.bytes + bytes > most_bytes {
            return Err(full(most_bytes, "bytes in all"));
        }
        Ok(())
    }

    /// Counts a version.
    pub fn count(&mut self, source: &str, bytes: usize, at: Timestamp) {
        let usage = self.sources.entry(source.to_owned()).or_default();
        usage.objects += 1;
        usage.bytes += bytes;
        usage.recent.push_back(at.micros());
        self.objects += 1;
        self.bytes += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn each_bound_holds_and_the_hour_passes() {
        let quotas = Quotas { per_hour: 2, objects: 3, bytes: 100, all_objects: 5, all_bytes: 150 };
        let mut ledger = Ledger::new(quotas);
        let mut send = |source: &str, bytes, at| {
            let result = ledger.check(source, bytes, at);
            if result.is_ok() {
                ledger.count(source, bytes, at);
            }
            result.map_err(|e| e.to_string())
        };
        assert_eq!(send("a", 10, at(0)), Ok(()));
        assert_eq!(send("a", 10, at(1)), Ok(()));
        assert!(send("a", 10, at(3_599)).unwrap_err().contains("2 versions in an hour"));
        assert_eq!(send("b", 10, at(3_599)), Ok(()));
        assert_eq!(send("a", 10, at(3_600)), Ok(()));
        assert!(send("a", 10, at(9_000)).unwrap_err().contains("3 versions in all"));
        assert!(send("b", 91, at(9_000)).unwrap_err().contains("100 bytes"));
        assert!(send("c", 111, at(9_000)).unwrap_err().contains("150 bytes of all"));
        assert_eq!(send("c", 1, at(9_000)), Ok(()));
        assert!(send("d", 1, at(9_000)).unwrap_err().contains("5 versions of all"));
    }
}
