//! Follows the logs of contracts over blocks that are final, chunk by chunk. The caller stores the
//! cursor of each chunk with what it makes of it, and resumes there: no log comes twice.
//!
//! Nothing is kept by the chain between two calls, so each chunk is bound to one branch by hashes: its
//! last block is read before and after the logs, and the cursor's block last. Was a block replaced
//! meanwhile, one of the two differs. An indexer that lies deeper than the chain ever reorganizes meets
//! no [`L1Error::Reorg`]; one that meets it must undo what came after the block named there.
//!
//! **Logs may be missing.** A node answers with what it has, and says nothing of what it lacks: one that
//! is behind, or has lost logs, gives a part of them, or none. Behind one URL there may be many nodes,
//! and the one that gives the logs need not be the one that gave the hashes. Nothing in the logs shows
//! it, and [`Indexer::next`] does not notice: whoever must have them all compares each chunk with what
//! the contract counts, as of the chunk's last block, which is [`Chunk::pin`]. That belongs into
//! [`Indexer::next_checked`], which goes on only if the comparison holds:
//!
//! ```
//! use alloy::primitives::{Address, Bytes, U256};
//! use bastion_l1::{Chunk, Indexer, L1Error, ReadL1};
//!
//! /// Reads a chunk of a contract that answers any call with the number of all of its logs.
//! fn step(
//!     indexer: &mut Indexer,
//!     l1: &mut dyn ReadL1,
//!     contract: Address,
//!     logs_before: usize,
//! ) -> Result<Option<Chunk>, Box<dyn std::error::Error>> {
//!     indexer.next_checked(l1, |l1, chunk| {
//!         let counted = l1.view_at(&chunk.pin(), contract, Bytes::new())?;
//!         match U256::try_from_be_slice(&counted) {
//!             Some(counted) if counted == logs_before + chunk.events.len() => Ok(()),
//!             _ => Err("the node lacks logs: try again later, or use another".into()),
//!         }
//!     })
//! }
//! ```

mod cursor;

pub use cursor::Cursor;

use std::collections::VecDeque;

use alloy::primitives::Address;

use crate::chain::ReadLogs;
use crate::error::L1Error;
use crate::span::Span;
use crate::types::{At, Event, Pin};

/// Cursors that are kept to find the last common block after a reorganization.
const KEPT: usize = 64;
/// How often a chunk is read anew because the chain changed while it was read.
const TRIES: u32 = 3;

/// Which blocks are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finality {
    /// Those that the chain calls finalized; on a chain without this notion, those at a depth. A chain
    /// has the notion unless its node does not know the name: one that knows it, and has no such block,
    /// is an error. So is a node that knows it no longer, as long as the indexer lives.
    Tag {
        /// Blocks below the latest one, for chains that call none finalized.
        otherwise: u64,
    },
    /// Those at a depth, whatever the chain says.
    Depth(u64),
}

impl Finality {
    /// The last final block, if there is one. `tagged` is kept by the caller, and at first `false`:
    /// whether the chain ever called a block finalized.
    ///
    /// # Errors
    /// [`L1Error::NoNamed`] if a chain that had the notion has it no longer, or if the node does not
    /// answer.
    pub fn last<R: ReadLogs + ?Sized>(
        self,
        reader: &mut R,
        tagged: &mut bool,
    ) -> Result<Option<Pin>, L1Error> {
        let depth = match self {
            Self::Tag { otherwise } => match reader.block(At::Finalized)? {
                Some(pin) => {
                    *tagged = true;
                    return Ok(Some(pin));
                }
                None if *tagged => return Err(L1Error::NoNamed { name: "finalized" }),
                None => otherwise,
            },
            Self::Depth(depth) => depth,
        };
        let head = reader.block(At::Latest)?.ok_or(L1Error::NoNamed { name: "latest" })?;
        match head.number.checked_sub(depth) {
            Some(number) => reader.block(At::Number(number)),
            None => Ok(None),
        }
    }
}

/// The logs of some blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// What the contracts logged, in order, each with number, hash and time of its block.
    pub events: Vec<Event>,
    /// Where the next chunk begins. To be stored together with what follows from the events.
    pub cursor: Cursor,
    /// Time of the cursor's block, in seconds.
    pub time: u64,
}

impl Chunk {
    /// The cursor's block: as of it the contracts' counters are those after the last of the events.
    pub fn pin(&self) -> Pin {
        Pin { number: self.cursor.number, hash: self.cursor.hash, time: self.time }
    }
}

/// Follows the logs of contracts.
#[derive(Debug, Clone)]
pub struct Indexer {
    of: Vec<Address>,
    finality: Finality,
    /// The last block whose logs were given, unless none was.
    cursor: Option<Cursor>,
    /// The block to begin with while there is no cursor.
    first: u64,
    /// Earlier cursors, oldest first.
    known: VecDeque<Cursor>,
    span: Span,
    /// Whether the chain ever called a block finalized.
    tagged: bool,
}

impl Indexer {
    /// Follows the logs of contracts from a block on, such as that of their deployment.
    pub fn from_block(first: u64, of: Vec<Address>, finality: Finality) -> Self {
        let (known, span) = (VecDeque::new(), Span::default());
        Self { of, finality, cursor: None, first, known, span, tagged: false }
    }

    /// Goes on after the block of a cursor.
    pub fn resume(cursor: Cursor, of: Vec<Address>, finality: Finality) -> Self {
        let indexer = Self::from_block(cursor.number, of, finality);
        Self { cursor: Some(cursor), ..indexer }
    }

    /// Cursors of earlier chunks, in any order, among which the last common block is sought after a
    /// reorganization. Those that do not lie before the cursor are left out, and the
    /// oldest of many.
    #[must_use]
    pub fn with_known(mut self, known: impl IntoIterator<Item = Cursor>) -> Self {
        let end = self.cursor.map_or(self.first, |cursor| cursor.number);
        let mut known: Vec<Cursor> = known.into_iter().filter(|k| k.number < end).collect();
        known.sort_by_key(|cursor| cursor.number);
        self.known = known.into();
        self.trim();
        self
    }

    /// The last block whose logs were given.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The next chunk, or `None` if there is no further final block, after a check of it: whether the
    /// events are all that there are, which only their contracts know. After an error, be it one of the
    /// check, the same chunk is read again.
    ///
    /// # Errors
    /// Those of [`Self::next`], and those of the check.
    pub fn next_checked<R, E>(
        &mut self,
        reader: &mut R,
        check: impl FnOnce(&mut R, &Chunk) -> Result<(), E>,
    ) -> Result<Option<Chunk>, E>
    where
        R: ReadLogs + ?Sized,
        E: From<L1Error>,
    {
        let Some(chunk) = self.read(reader)? else { return Ok(None) };
        check(reader, &chunk)?;
        self.advance(chunk.cursor);
        Ok(Some(chunk))
    }

    /// The next chunk, or `None` if there is no further final block. After an error the same chunk is
    /// read again. Logs that the node lacks are missing in it: for contracts that count their logs use
    /// [`Self::next_checked`].
    ///
    /// # Errors
    /// [`L1Error::Reorg`] if the cursor's block is no longer on the chain, with the last known block
    /// that is; [`L1Error::is_passing`] if the node is busy beyond the reader's own patience.
    pub fn next<R>(&mut self, reader: &mut R) -> Result<Option<Chunk>, L1Error>
    where
        R: ReadLogs + ?Sized,
    {
        self.next_checked(reader, |_, _| Ok(()))
    }

    fn read<R>(&mut self, reader: &mut R) -> Result<Option<Chunk>, L1Error>
    where
        R: ReadLogs + ?Sized,
    {
        let mut tries = 1;
        loop {
            match self.attempt(reader) {
                // A request that covered too much, or a chain that changed behind the cursor.
                Ok(Attempt::Again { changed: false }) => {}
                Ok(Attempt::Again { changed: true }) if tries < TRIES => tries += 1,
                // It changes faster than it can be read; what was given stands.
                Ok(Attempt::Again { changed: true }) => {
                    let block = self.cursor.map_or(self.first, |c| c.number.saturating_add(1));
                    return Err(L1Error::Reorg { block, common: self.cursor });
                }
                Ok(Attempt::Nothing) => return Ok(None),
                Ok(Attempt::Chunk(chunk)) => return Ok(Some(chunk)),
                Err(error) => return Err(error),
            }
        }
    }

    fn attempt<R: ReadLogs + ?Sized>(&mut self, reader: &mut R) -> Result<Attempt, L1Error> {
        let from = match self.cursor {
            None => Some(self.first),
            Some(cursor) => cursor.number.checked_add(1),
        };
        let last = self.last(reader)?;
        let range = from.zip(last.map(|pin| pin.number)).filter(|(from, last)| from <= last);
        let Some((from, last)) = range else {
            self.is_there(reader)?;
            return Ok(Attempt::Nothing);
        };
        let to = self.span.end(from, last);
        let Some(before) = reader.block(At::Number(to))? else {
            self.is_there(reader)?;
            return Ok(Attempt::Again { changed: true });
        };
        let events = match reader.logs(from, to, &self.of) {
            Ok(events) => events,
            Err(error) if error.is_too_much() && to > from => {
                self.span.refused(to - from + 1);
                return Ok(Attempt::Again { changed: false });
            }
            Err(L1Error::Reorg { .. }) => {
                self.is_there(reader)?;
                return Ok(Attempt::Again { changed: true });
            }
            Err(error) => return Err(error),
        };
        let after = reader.block(At::Number(to))?;
        let there = self.is_there(reader)?;
        if !there || after.is_none_or(|after| after.hash != before.hash) {
            return Ok(Attempt::Again { changed: true });
        }
        self.span.good();
        let cursor = Cursor { number: before.number, hash: before.hash };
        Ok(Attempt::Chunk(Chunk { events, cursor, time: before.time }))
    }

    /// The last final block, if there is one.
    fn last<R: ReadLogs + ?Sized>(&mut self, reader: &mut R) -> Result<Option<Pin>, L1Error> {
        self.finality.last(reader, &mut self.tagged)
    }

    /// Whether the node knows a block of the cursor's number. One that lags behind the one asked before
    /// does not: that is no reorganization.
    fn is_there<R: ReadLogs + ?Sized>(&self, reader: &mut R) -> Result<bool, L1Error> {
        let Some(cursor) = self.cursor else { return Ok(true) };
        let Some(found) = reader.block(At::Number(cursor.number))? else { return Ok(false) };
        if found.hash == cursor.hash {
            return Ok(true);
        }
        for known in self.known.iter().rev() {
            let found = reader.block(At::Number(known.number))?;
            if found.is_some_and(|found| found.hash == known.hash) {
                return Err(L1Error::Reorg { block: cursor.number, common: Some(*known) });
            }
        }
        Err(L1Error::Reorg { block: cursor.number, common: None })
    }

    fn advance(&mut self, cursor: Cursor) {
        self.known.extend(self.cursor);
        self.trim();
        self.cursor = Some(cursor);
    }

    fn trim(&mut self) {
        while self.known.len() > KEPT {
            self.known.pop_front();
        }
    }
}

/// What one reading gave.
enum Attempt {
    /// No further final block.
    Nothing,
    /// To be read anew.
    Again {
        /// Because the chain changed, not because the request covered too much.
        changed: bool,
    },
    /// The logs.
    Chunk(Chunk),
}
