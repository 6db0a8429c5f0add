//! Where the L2 and owner records of blocks are posted, and what a batch has room for there.

use std::str::FromStr;

use bastion_circuits::{Shape, Slots};
use bastion_protocol::blob::{ELEMENTS, GROUP, MAX_BLOBS};
use bastion_protocol::data::{DataMode, COUNTS_LEN, MAX_DATA};
use bastion_protocol::records::Section;
use bastion_protocol::Kind;
use bastion_state::executor::Footprint;
use serde::{Deserialize, Serialize};

/// Most blobs of a block: from 1 to 6, which is as many as L1 lets a transaction carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "usize", into = "usize")]
pub struct MaxBlobs(usize);

impl Default for MaxBlobs {
    /// All that L1 allows. A block has no more blobs than its records take, so a lower number saves nothing
    /// and leaves less room for records.
    fn default() -> Self {
        Self(MAX_BLOBS)
    }
}

impl TryFrom<usize> for MaxBlobs {
    type Error = String;

    fn try_from(blobs: usize) -> Result<Self, String> {
        match (1..=MAX_BLOBS).contains(&blobs) {
            true => Ok(Self(blobs)),
            false => Err(format!("a block has 1 to {MAX_BLOBS} blobs, not {blobs}")),
        }
    }
}

impl From<MaxBlobs> for usize {
    fn from(MaxBlobs(blobs): MaxBlobs) -> Self {
        blobs
    }
}

impl FromStr for MaxBlobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<usize>().map_err(|e| e.to_string())?.try_into()
    }
}

impl MaxBlobs {
    /// What a batch has room for, in a block of at most so many. The batches share the blobs evenly, so that
    /// the records of a block fit whatever is in each batch.
    #[must_use]
    pub fn room(self, shape: &Shape, batches: usize) -> Slots {
        let share = self.0 * (ELEMENTS / GROUP) / batches.max(1);
        Slots { groups: shape.slots.groups.min(share), ..shape.slots }
    }
}

/// How blocks are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub mode: DataMode,
    /// In how many blobs at most.
    pub max_blobs: MaxBlobs,
}

impl From<DataMode> for Posting {
    fn from(mode: DataMode) -> Self {
        Self { mode, max_blobs: MaxBlobs::default() }
    }
}

impl Posting {
    /// What a batch has room for, in a block of at most so many.
    #[must_use]
    pub fn room(&self, shape: &Shape, batches: usize) -> Room {
        let slots = match self.mode {
            // The tables for blobs are those of an empty batch, whatever the records.
            DataMode::Calldata => {
                let (groups, limbs, owners) = (usize::MAX, usize::MAX, usize::MAX);
                Slots { groups, limbs, owners, ..shape.slots }
            }
            DataMode::Blob => self.max_blobs.room(shape, batches),
        };
        Room::new(slots, self.mode, batches)
    }
}

/// What a batch has room for: in the tables of its circuit, and in the calldata of its block. A contract takes no
/// block with more calldata (protocol, section 10.4), and then none that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of the tables.
    pub slots: Slots,
    mode: DataMode,
    calldata: usize,
}

/// What the operations of a batch take of a [`Room`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    slots: Slots,
    calldata: usize,
}

impl Usage {
    /// That of no operation.
    #[must_use]
    pub fn none() -> Self {
        Self { slots: Slots::empty(), calldata: 0 }
    }
}

impl Room {
    /// With these tables, in a block of at most so many batches, which share its calldata evenly.
    #[must_use]
    pub fn new(slots: Slots, mode: DataMode, batches: usize) -> Self {
        let calldata = (MAX_DATA / batches.max(1)).saturating_sub(COUNTS_LEN);
        Self { slots, mode, calldata }
    }

    /// What is taken with an operation more.
    #[must_use]
    pub fn with(&self, usage: Usage, f: &Footprint) -> Usage {
        let slots = usage.slots.with(f.kind, f.accounts, f.nodes, f.tokens);
        Usage { slots, calldata: usage.calldata + self.posted(f.kind) }
    }

    /// Whether there is room for this.
    #[must_use]
    pub fn holds(&self, usage: &Usage) -> bool {
        usage.slots.fits(&self.slots) && usage.calldata <= self.calldata
    }

    /// Whether there is room for a transfer between accounts that the batch touches.
    #[must_use]
    pub fn holds_another(&self, usage: Usage) -> bool {
        let Slots { accounts, nodes, policies: tokens, .. } = usage.slots;
        let transfer = Footprint { kind: Kind::Transfer, accounts, nodes, tokens };
        self.holds(&self.with(usage, &transfer))
    }

    /// Answers whether something fits, and counts it if it does.
    pub fn count<'a>(&'a self, usage: &'a mut Usage) -> impl FnMut(&Footprint) -> bool + 'a {
        move |f| {
            let next = self.with(*usage, f);
            let fits = self.holds(&next);
            if fits {
                *usage = next;
            }
            fits
        }
    }

    /// Bytes that an operation posts in calldata at most: none for L2 and owner records if blobs hold them.
    fn posted(&self, kind: Kind) -> usize {
        let counts = |section: &&Section| match (section, self.mode) {
            (Section::L1 | Section::Exits, _) | (_, DataMode::Calldata) => true,
            (Section::L2 | Section::Owners, DataMode::Blob) => false,
        };
        kind.description().sections.iter().filter(counts).map(|section| section.record_len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calldata_of_all_batches_is_taken() {
        let shape = Shape::standard();
        for batches in [1, 2, 3, 8, 256] {
            let share = Room::new(shape.slots, DataMode::Blob, batches).calldata;
            let all = batches * (share + COUNTS_LEN);
            assert!(all <= MAX_DATA && all + batches > MAX_DATA, "{batches}");
        }
        let [blob, calldata] =
            [DataMode::Blob, DataMode::Calldata].map(|mode| Posting::from(mode).room(&shape, 2));
        let bytes = |kind| (blob.posted(kind), calldata.posted(kind));
        assert_eq!(bytes(Kind::Transfer), (0, 15));
        assert_eq!(bytes(Kind::Order), (0, 30));
        assert_eq!(bytes(Kind::TransferNew), (0, 67));
        assert_eq!(bytes(Kind::Withdraw), (47, 62));
        assert_eq!(bytes(Kind::DepositNew), (75, 75));
    }

    #[test]
    fn what_does_not_fit_is_not_counted() {
        let room = Room::new(Shape::tiny().slots, DataMode::Calldata, MAX_DATA / (COUNTS_LEN + 40));
        let order = Footprint { kind: Kind::Order, accounts: 3, nodes: 40, tokens: 0 };
        let mut usage = Usage::none();
        assert!(room.count(&mut usage)(&order));
        let one = usage;
        assert_ne!(one, Usage::none());
        // The tables have room for two orders, the calldata for one of 30 bytes.
        assert!(!room.count(&mut usage)(&order) && !room.holds_another(usage));
        assert_eq!(usage, one);
        let wide = Room::new(Shape::tiny().slots, DataMode::Blob, 1);
        assert!(wide.count(&mut usage)(&order) && !wide.count(&mut usage)(&order));
    }

    #[test]
    fn a_block_has_one_to_six_blobs() {
        for blobs in 0..9 {
            let read = blobs.to_string().parse::<MaxBlobs>();
            assert_eq!(read.is_ok(), (1..=6).contains(&blobs), "{blobs}");
            let from_json = serde_json::from_value::<MaxBlobs>(blobs.into());
            assert_eq!(from_json.ok(), read.ok(), "{blobs}");
        }
        assert!("two".parse::<MaxBlobs>().is_err() && "-1".parse::<MaxBlobs>().is_err());
        assert_eq!(serde_json::to_value(MaxBlobs::default()).unwrap(), 6);
    }

    #[test]
    fn batches_share_the_blobs_of_their_block() {
        let shape = Shape::standard();
        let groups = |blobs, batches| {
            let room = MaxBlobs::try_from(blobs).unwrap().room(&shape, batches);
            assert_eq!(Slots { groups: 0, ..room }, Slots { groups: 0, ..shape.slots });
            room.groups
        };
        // 256 groups fill a blob; a batch of the shape has no room for that many.
        assert_eq!((groups(1, 1), groups(6, 1)), (shape.slots.groups, shape.slots.groups));
        assert_eq!((groups(1, 4), groups(2, 8), groups(1, 8)), (64, 64, 32));
        for batches in 1..=24 {
            for blobs in 1..=6 {
                let elements = (batches * groups(blobs, batches) * GROUP) as u64;
                assert!(bastion_protocol::blob::blobs_for(elements) <= blobs as u64);
            }
        }
    }
}
