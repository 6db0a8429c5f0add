//! The ledger: accounts, openings of their owners, and the tree.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::executor::{AccountTouch, BatchTrace, OpTrace, Rejection};
use crate::tree::Tree;
use bastion_protocol::account::{leaf, FIRST_USER};
use bastion_protocol::keys::owner;
use bastion_protocol::{Account, Fr, Index, Opening, Policy, Token};

/// The state of the rollup.
#[derive(Debug, Clone)]
pub struct State {
    accounts: BTreeMap<Index, Account>,
    openings: HashMap<Fr, Opening>,
    /// User accounts by owner and token; an owner may have several in a token.
    by_owner: BTreeSet<(Fr, Token, Index)>,
    tree: Tree,
    /// The smallest free user index; `2^32` if there is none.
    free: u64,
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// The empty state.
    #[must_use]
    pub fn new() -> Self {
        Self {
            accounts: BTreeMap::new(),
            openings: HashMap::new(),
            by_owner: BTreeSet::new(),
            tree: Tree::default(),
            free: u64::from(FIRST_USER),
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
        self.held_by(owner, token).next()
    }

    /// The user accounts of an owner in a token, by index.
    pub fn held_by(&self, owner: Fr, token: Token) -> impl Iterator<Item = (Index, &Account)> {
        let all = (owner, token, 0)..=(owner, token, Index::MAX);
        let indices = self.by_owner.range(all).map(|(_, _, index)| *index);
        indices.filter_map(|index| self.accounts.get(&index).map(|a| (index, a)))
    }

    /// The user accounts of an owner, by token and index.
    pub fn owned_by(&self, owner: Fr) -> impl Iterator<Item = (Index, Account)> + '_ {
        let all = (owner, 0, 0)..=(owner, Token::MAX, Index::MAX);
        let indices = self.by_owner.range(all).map(|(_, _, index)| *index);
        indices.filter_map(|index| self.accounts.get(&index).map(|a| (index, *a)))
    }

    /// Key hash and exit address behind an owner.
    #[must_use]
    pub fn opening(&self, owner: Fr) -> Option<Opening> {
        self.openings.get(&owner).copied()
    }

    /// The smallest free user index. Gaps are filled: another operator may have left some, and one
    /// account at the last index must not end the handing out.
    ///
    /// # Errors
    /// [`Rejection::TreeFull`] if every user index has an account.
    pub fn free_index(&self) -> Result<Index, Rejection> {
        Index::try_from(self.free).map_err(|_| Rejection::TreeFull)
    }

    /// As if every user index had an account: no test can make so many.
    #[cfg(test)]
    pub(crate) fn without_free_index(mut self) -> Self {
        self.free = 1 << 32;
        self
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
            // Accounts go away only with a batch that is taken back: nearly every index is passed
            // once over all calls.
            while Index::try_from(self.free).is_ok_and(|i| self.accounts.contains_key(&i)) {
                self.free += 1;
            }
        }
    }

    /// Applies what an operation did; the tree follows at the end of the batch.
    pub(crate) fn apply(&mut self, trace: &OpTrace) {
        if let Some(opening) = trace.learned() {
            self.learn(opening);
        }
        for access in trace.accesses.iter().flatten() {
            if let Some(account) = access.after {
                self.put(access.index, account);
            }
        }
    }

    /// Takes the last batch back: accounts and tree are as before it. What it made known of owners
    /// stays known.
    pub fn undo(&mut self, batch: &BatchTrace) {
        self.restore(batch.accounts.iter().map(|touch| (touch.index, touch.before)));
        let leaf_of = |touch: &AccountTouch| (touch.index, leaf(touch.before.as_ref()));
        let leaves: Vec<_> = batch.accounts.iter().map(leaf_of).collect();
        self.tree.update(&leaves);
    }

    /// Puts accounts back as they were. The tree stays as it is.
    pub(crate) fn restore(&mut self, before: impl IntoIterator<Item = (Index, Option<Account>)>) {
        for (index, account) in before {
            match account {
                Some(account) => self.put(index, account),
                None => self.remove(index),
            }
        }
    }

    fn remove(&mut self, index: Index) {
        if let Some(old) = self.accounts.remove(&index) {
            self.by_owner.remove(&(old.owner, old.token, index));
        }
        if index >= FIRST_USER {
            self.free = self.free.min(u64::from(index));
        }
    }

    pub(crate) fn tree_mut(&mut self) -> &mut Tree {
        &mut self.tree
    }

    /// Takes the tree out, for those who update it elsewhere
    /// ([`ClosedBatch::seal`](crate::executor::ClosedBatch::seal)). From then on the root and the tree
    /// of this state are those of the empty one.
    #[must_use]
    pub fn take_tree(&mut self) -> Tree {
        std::mem::take(&mut self.tree)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn with(indices: &[Index]) -> State {
        let account = |i: &Index| (*i, Account::new(Fr::from(u64::from(*i)), 0));
        State::with_accounts(indices.iter().map(account), []).unwrap()
    }

    #[test]
    fn gaps_are_filled() {
        let first = FIRST_USER;
        for (taken, free) in [
            (vec![], first),
            (vec![0, 7, FIRST_USER - 1], first),
            (vec![first], first + 1),
            (vec![first + 1], first),
            (vec![first + 2, first, first + 1, first + 4], first + 3),
            (vec![Index::MAX], first),
            (vec![Index::MAX - 1, Index::MAX, first], first + 1),
        ] {
            assert_eq!(with(&taken).free_index(), Ok(free), "{taken:?}");
        }
        assert_eq!(State::default().free_index(), Ok(first));
    }

    /// The cursor after each step is that of a state which is read from the same accounts.
    #[test]
    fn the_cursor_follows_every_account() {
        let mut state = with(&[FIRST_USER + 3, Index::MAX]);
        for expected in [0, 1, 2, 4, 5] {
            let index = state.free_index().unwrap();
            assert_eq!(index, FIRST_USER + expected);
            state.put(index, Account::new(Fr::from(1u64), 0));
            let taken: Vec<Index> = state.accounts().map(|(i, _)| i).collect();
            assert_eq!(with(&taken).free_index(), state.free_index());
        }
        let full = state.without_free_index();
        assert_eq!(full.free_index(), Err(Rejection::TreeFull));
        // The very last index is one like the others.
        let mut last = full;
        last.free = u64::from(Index::MAX);
        assert_eq!(last.free_index(), Ok(Index::MAX));
    }
}
