//! Hashes the tree of closed batches and writes their accounts, behind the sequencer.

use bastion_state::executor::BatchTrace;
use bastion_state::store::Store;
use bastion_state::tree::Tree;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::ledger::Ledger;
use super::{BatchRow, Closed};
use crate::error::NodeError;

/// A batch that can be proven.
#[derive(Debug)]
pub struct Sealed {
    /// Its number since genesis.
    pub number: u64,
    /// Its place.
    pub row: BatchRow,
    /// What a prover needs.
    pub trace: BatchTrace,
}

/// Holds the tree and the state store.
///
/// Its hashing has threads of its own: in those of the sequencer, a signature would wait for a tree.
pub struct Sealer {
    ledger: Ledger,
    threads: ThreadPool,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({} batches)", self.batches())
    }
}

impl Sealer {
    pub(super) fn new(tree: Tree, store: Store) -> Result<Self, NodeError> {
        let count = (rayon::current_num_threads() / 2).max(1);
        let threads = ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|n| format!("sealer {n}"))
            .build()
            .map_err(|e| NodeError::Io {
                path: "the threads of the sealer".into(),
                source: std::io::Error::other(e),
            })?;
        Ok(Self { ledger: Ledger::new(tree, store), threads })
    }

    /// Batches in the store.
    pub fn batches(&self) -> u64 {
        self.ledger.root().1
    }

    /// Reads the accounts as of the last sealed batch.
    pub fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Seals a batch, which must be the next one and be in the log. `keep` gets it before the store does:
    /// a batch that is in the store does not come again after a crash, one that `keep` has may.
    ///
    /// # Errors
    /// [`NodeError::LogBroken`] if it is not the next one; that of `keep`; [`NodeError::State`] if it
    /// cannot be written. Tree and store may then differ: the service starts again from the log.
    pub fn seal(
        &mut self,
        closed: Closed,
        keep: impl FnOnce(&Sealed) -> Result<(), NodeError>,
    ) -> Result<Sealed, NodeError> {
        let Closed { number, row, batch, accepted: _ } = closed;
        let mut ledger = self.ledger.write();
        let batches = ledger.store.batches();
        if number != batches {
            let why = format!("batch {number} follows {batches} batches");
            return Err(NodeError::LogBroken { why });
        }
        let tree = &mut ledger.tree;
        let trace = self.threads.install(|| batch.seal(tree));
        let sealed = Sealed { number, row, trace };
        keep(&sealed)?;
        ledger.store.commit(&sealed.trace)?;
        Ok(sealed)
    }
}
