//! What is known of a promise when nothing that was shown breaks it.

use std::fmt;

use serde::Serialize;

/// What is known, and what was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub(super) enum Known {
    /// One promise alone.
    NotCompared,
    /// It is broken.
    Broken,
    /// The place has what was promised.
    AsPromised,
    /// An earlier block does not overtake the promise.
    NotOvertaken {
        /// The block of the proof.
        block: u64,
        /// The block of the promise.
        own: u64,
    },
    /// A blind receipt and a receipt say the same.
    Agree,
    /// The forfeit stands at the place, and the order was not revealed on L1.
    Forfeited,
    /// The forfeit stands at the place.
    ForfeitNotAsked,
    /// A position has what the closing lists.
    Entry {
        /// The position.
        position: u32,
    },
    /// A quote stands behind the closing, as it may.
    Quote {
        /// The position.
        position: u32,
    },
    /// What stands behind the closing was not read.
    Unread {
        /// The position.
        position: u32,
    },
}

impl Known {
    /// Of a proof that breaks nothing, at the promise's place or in an earlier block.
    pub(super) fn of(block: u64, own: u64) -> Self {
        match block < own {
            true => Self::NotOvertaken { block, own },
            false => Self::AsPromised,
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCompared => f.write_str("not compared with a block: give --proof"),
            Self::Broken => f.write_str("not as promised"),
            Self::AsPromised => f.write_str("as promised"),
            Self::NotOvertaken { block, own } => write!(
                f,
                "block {block} does not overtake it; not asked what stands in block {own}: give a --proof of its place there"
            ),
            Self::Agree => f.write_str(
                "the two agree; not asked what stands at the place: give a --proof with one of them",
            ),
            Self::Forfeited => {
                f.write_str("has the forfeit, and the order was not revealed on L1: the promise was kept")
            }
            Self::ForfeitNotAsked => f.write_str(
                "has the forfeit; not asked whether the order was revealed on L1: give --slashing and --owner",
            ),
            Self::Entry { position } => write!(
                f,
                "position {position} has what the closing lists; not asked about other positions: give a --proof of each"
            ),
            Self::Quote { position } => write!(
                f,
                "position {position} is behind the closing and has a quote, as it may; not asked about other \
                 positions: give a --proof of each"
            ),
            Self::Unread { position } => write!(
                f,
                "position {position} is behind the closing, and no operation of L2 was read there: if the block's \
                 data are in blobs, give --beacon or --blobs"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_not_asked_is_never_as_promised() {
        let unknown = [
            Known::NotCompared,
            Known::of(1, 9),
            Known::Agree,
            Known::ForfeitNotAsked,
            Known::Entry { position: 3 },
            Known::Quote { position: 3 },
            Known::Unread { position: 3 },
        ];
        for known in unknown {
            let text = known.to_string();
            assert!(text.contains("give "), "{text}");
            assert!(!text.contains("as promised") && !text.contains("kept"), "{text}");
        }
        assert_eq!(Known::of(9, 9).to_string(), "as promised");
        assert!(Known::of(1, 9).to_string().contains("block 9"));
        assert!(Known::ForfeitNotAsked.to_string().contains("--slashing and --owner"));
        let json = serde_json::to_value(Known::of(1, 9)).unwrap();
        assert_eq!(json, serde_json::json!({ "is": "not_overtaken", "block": 1, "own": 9 }));
    }
}
