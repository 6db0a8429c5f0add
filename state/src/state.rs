//! The ledger: accounts, openings of their owners, and the tree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::account::{leaf, FIRST_USER};
use crate::executor::{AccountTouch, NodeTouch, OpTrace, Rejection};
use crate::keys::owner;
use crate::ops::{Action, Op};
use crate::tree::Tree;
use crate::{Account, Address, Fr, Index, Policy, Token};

/// Key hash and exit address behind an owner.
pub type Opening = (Fr, Address);

/// The state of the rollup.
#[derive(Debug, Clone, Default)]
pub struct State {
    accounts: BTreeMap<Index, Account>,
    openings: HashMap<Fr, Opening>,
    /// User accounts by owner and token; an owner may have several in a token.
    by_owner: BTreeSet<(Fr, Token, Index)>,
    tree: Tree,
    next: Index,
}

impl State {
    /// The empty state.
    #[must_use]
    pub fn new() -> Self {
        Self {
            next: FIRST_USER,
            ..Self::default()
        }
    }

    /// A state with accounts at given places, for genesis states, restored stores and
    /// measurements; `openings` are the key hash and exit address behind the owners.
    ///
    /// # Errors
    /// [`crate::StateError::DuplicateAccount`].
    pub fn with_accounts(
        accounts: impl IntoIterator<Item = (Index, Account)>,
        openings: impl IntoIterator<Item = Opening>,
    ) -> Result<Self, crate::StateError> {
        let mut state = Self::new();
        for opening in openings {
            state.learn(opening);
        }
        for (index, account) in accounts {
            account.check()?;
            if state.accounts.contains_key(&index) {
                return Err(crate::StateError::DuplicateAccount(index));
            }
            state.put(index, account);
        }
        let leaves: Vec<_> = state.accounts.iter().map(|(i, a)| (*i, a.leaf())).collect();
        state.tree.update(&leaves);
        Ok(state)
    }

    /// The root (of the last finished batch).
    #[must_use]
    pub fn root(&self) -> Fr {
        self.tree.root()
    }

    /// The tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// An account.
    #[must_use]
    pub fn account(&self, index: Index) -> Option<&Account> {
        self.accounts.get(&index)
    }

    /// All accounts by index.
    pub fn accounts(&self) -> impl Iterator<Item = (Index, &Account)> {
        self.accounts.iter().map(|(i, a)| (*i, a))
    }

    /// All known openings.
    pub fn openings(&self) -> impl Iterator<Item = &Opening> {
        self.openings.values()
    }

    /// The user account of an owner in a token, the first if there are several.
    #[must_use]
    pub fn find(&self, owner: Fr, token: Token) -> Option<(Index, &Account)> {
        let all = (owner, token, 0)..=(owner, token, Index::MAX);
        let (_, _, index) = self.by_owner.range(all).next()?;
        self.accounts.get(index).map(|a| (*index, a))
    }

    /// Key hash and exit address behind an owner.
    #[must_use]
    pub fn opening(&self, owner: Fr) -> Option<Opening> {
        self.openings.get(&owner).copied()
    }

    /// The next free index.
    ///
    /// # Errors
    /// [`Rejection::TreeFull`].
    pub fn free_index(&self) -> Result<Index, Rejection> {
        if self.next == Index::MAX {
            return Err(Rejection::TreeFull);
        }
        Ok(self.next)
    }

    /// Makes the opening of the fee accounts' owner known.
    pub fn learn_policy(&mut self, policy: &Policy) {
        self.learn((policy.fee_keyhash, policy.fee_exit));
    }

    fn learn(&mut self, opening: Opening) {
        self.openings.insert(owner(opening.0, opening.1), opening);
    }

    fn put(&mut self, index: Index, account: Account) {
        if let Some(old) = self.accounts.insert(index, account) {
            if old.owner != account.owner {
                self.by_owner.remove(&(old.owner, old.token, index));
            }
        }
        if index >= FIRST_USER {
            self.by_owner.insert((account.owner, account.token, index));
            self.next = self.next.max(index.saturating_add(1));
        }
    }

    /// Applies what an operation did; the tree follows at the end of the batch.
    pub(crate) fn apply(&mut self, trace: &OpTrace) {
        match &trace.op {
            Op::Deposit(d) => self.learn((d.keyhash, d.exit)),
            Op::Signed(s) => match s.body.action {
                Action::TransferNew { keyhash, exit, .. } => self.learn((keyhash, exit)),
                Action::ChangeKey { keyhash } => {
                    if let Some((_, exit)) = trace.opening {
                        self.learn((keyhash, exit));
                    }
                }
                _ => {}
            },
            _ => {}
        }
        for access in trace.accesses.iter().flatten() {
            if let Some(account) = access.after {
                self.put(access.index, account);
            }
        }
    }

    pub(crate) fn update_tree(&mut self, touched: &[AccountTouch]) -> Vec<NodeTouch> {
        let leaves: Vec<_> = touched
            .iter()
            .map(|t| (t.index, leaf(t.after.as_ref())))
            .collect();
        self.tree.update_traced(&leaves)
    }
}
