//! Accounts as of the last sealed batch, with their place in the tree.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bastion_protocol::path::DEPTH;
use bastion_protocol::{Account, Fr, Index};
use bastion_state::store::Store;
use bastion_state::tree::Tree;

use crate::error::NodeError;

/// Tree and store, which the sealer writes and others read. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<RwLock<Sealed>>);

/// Both are as of the same batch.
pub(super) struct Sealed {
    pub(super) tree: Tree,
    pub(super) store: Store,
}

/// An account, and the proof that it stands in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAt {
    /// Its content; none for an empty leaf.
    pub account: Option<Account>,
    /// Siblings from the leaf up.
    pub path: [Fr; DEPTH],
    /// Root of the tree.
    pub root: Fr,
    /// Batches after which that is the root.
    pub batches: u64,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl Ledger {
    pub(super) fn new(tree: Tree, store: Store) -> Self {
        Self(Arc::new(RwLock::new(Sealed { tree, store })))
    }

    /// An account with its proof. Waits while a batch is sealed.
    ///
    /// # Errors
    /// [`NodeError::State`] if the store cannot be read.
    pub fn prove(&self, index: Index) -> Result<AccountAt, NodeError> {
        let sealed = self.read();
        Ok(AccountAt {
            account: sealed.store.account(index)?,
            path: sealed.tree.path(index),
            root: sealed.tree.root(),
            batches: sealed.store.batches(),
        })
    }

    /// The root, and after how many batches it is.
    pub fn root(&self) -> (Fr, u64) {
        let sealed = self.read();
        (sealed.tree.root(), sealed.store.batches())
    }

    fn read(&self) -> RwLockReadGuard<'_, Sealed> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a panic in the midst of a batch tree and store differ; the sealer has ended then, and the
    /// node with it.
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Sealed> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
