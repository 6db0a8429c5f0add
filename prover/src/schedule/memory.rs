//! Amounts of memory, and what there is.

use std::{fmt, path::Path, str::FromStr};

use super::limits;
use crate::{ProverError, Result};

pub(super) const KIB: u64 = 1 << 10;

/// An amount of memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryBudget(pub u64);

impl MemoryBudget {
    /// Reads `16GiB`, `900MB`, `1.5 GiB`, `8589934592`. Units: B, KB, MB, GB, TB (powers of
    /// 1000), KiB, MiB, GiB, TiB (powers of 1024), in any case.
    ///
    /// # Errors
    /// [`ProverError::BadMemorySize`] with the text and the reason.
    pub fn parse(input: &str) -> Result<Self> {
        let bad = |reason| ProverError::BadMemorySize { input: input.to_owned(), reason };
        let text = input.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1000,
            "mb" => 1000u64.pow(2),
            "gb" => 1000u64.pow(3),
            "tb" => 1000u64.pow(4),
            "kib" => KIB,
            "mib" => KIB.pow(2),
            "gib" => KIB.pow(3),
            "tib" => KIB.pow(4),
            _ => return Err(bad("unknown unit")),
        };
        let bytes = match number.parse::<u64>() {
            Ok(whole) => whole.checked_mul(unit).ok_or(bad("too large"))?,
            Err(_) => {
                let fraction: f64 = number.parse().map_err(|_| bad("no number"))?;
                let bytes = fraction * unit as f64;
                if bytes >= u64::MAX as f64 {
                    return Err(bad("too large"));
                }
                bytes as u64
            }
        };
        match bytes {
            0 => Err(bad("it is zero")),
            bytes => Ok(Self(bytes)),
        }
    }

    /// Four fifths of what this process may still take: the least of the memory that Linux calls
    /// available and of what the limits of its control groups leave; `None` on other systems.
    pub fn available() -> Option<Self> {
        Some(Self(limits::available(Path::new("/"))? / 5 * 4))
    }
}

impl FromStr for MemoryBudget {
    type Err = ProverError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            b if b >= KIB.pow(3) => write!(f, "{:.1} GiB", bytes / KIB.pow(3) as f64),
            b if b >= KIB.pow(2) => write!(f, "{:.1} MiB", bytes / KIB.pow(2) as f64),
            b => write!(f, "{b} B"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let gib = KIB.pow(3);
        for (text, bytes) in [
            ("16GiB", 16 * gib),
            ("16 gib", 16 * gib),
            (" 1.5GiB ", 3 * gib / 2),
            ("900MB", 900_000_000),
            ("8589934592", 8 * gib),
            ("512b", 512),
        ] {
            assert_eq!(MemoryBudget::parse(text).unwrap(), MemoryBudget(bytes), "{text}");
        }
        for text in ["", "GiB", "16 apples", "-1GiB", "0", "1.2.3GB", "99999999999TiB", "1e9", "."]
        {
            let error = text.parse::<MemoryBudget>().unwrap_err();
            assert!(error.to_string().contains("16GiB"), "{text}: {error}");
        }
        assert_eq!(MemoryBudget(3 * gib / 2).to_string(), "1.5 GiB");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells_what_is_available() {
        assert!(MemoryBudget::available().unwrap() > MemoryBudget(1 << 20));
    }
}
