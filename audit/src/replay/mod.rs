//! The L2 state from posted data alone (protocol section 6): no signatures, no witness.
//!
//! The data of a batch are executed as the circuit executes them: first the records of the L1
//! section in their order, then the words of the L2 section in theirs. Each operation takes its
//! owner record and its exit record from the front of their sections, as each wrote them, and every
//! rule of protocol section 5 is checked that posted data can show.
//!
//! They do not show signatures (and with them who signed), the deadlines and nonces that were
//! signed, and the `frozen_until` that a guardian's message named. For these there is the proof.
//! From the empty state on every owner of an account occurs in the data (or is the policy's, of a
//! fee account), so that the replay always knows whether a forced exit had to be executed.

mod error;
mod l1;
mod l2;
mod order;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bastion_protocol::account::{is_limiter, limiter_index, FIRST_USER};
use bastion_protocol::data::BatchData;
use bastion_protocol::keys::owner;
use bastion_protocol::limiter::limit;
use bastion_protocol::records::{read_owner, ExitRecord, Section};
use bastion_protocol::{Account, Address, Fr, Index, Opening, Policy, Token};

use crate::tree::Tree;

pub use error::{Broken, Place, ReplayError};
pub use order::{BatchLeaves, BlockOrder};

use order::Order;

/// Words that a section of a batch may have: more could not be told from the next section's.
const MAX_WORDS: usize = u16::MAX as usize;

/// The state as the data so far tell it.
#[derive(Debug, Clone)]
pub struct Replay {
    accounts: BTreeMap<Index, Account>,
    openings: HashMap<Fr, Opening>,
    tree: Tree,
    policy: Option<Arc<Policy>>,
    touched: BTreeSet<Index>,
    order: Order,
    /// Operations seen, padding aside.
    pub operations: u64,
}

impl Default for Replay {
    fn default() -> Self {
        Self::new()
    }
}

impl Replay {
    /// The empty state, under no policy yet.
    pub fn new() -> Self {
        Self {
            accounts: BTreeMap::new(),
            openings: HashMap::new(),
            tree: Tree::new(),
            policy: None,
            touched: BTreeSet::new(),
            order: Order::default(),
            operations: 0,
        }
    }

    /// A state that is known already, such as that of an earlier replay; `openings` are the key
    /// hashes and exit addresses behind the owners.
    pub fn starting_from(
        accounts: impl IntoIterator<Item = (Index, Account)>,
        openings: impl IntoIterator<Item = Opening>,
    ) -> Self {
        let mut replay = Self::new();
        for opening in openings {
            replay.learn(opening);
        }
        replay.accounts.extend(accounts);
        replay.touched.extend(replay.accounts.keys());
        replay
    }

    /// The policy of the blocks that follow.
    pub fn set_policy(&mut self, policy: &Policy) {
        self.learn((policy.fee_keyhash, policy.fee_exit));
        self.policy = Some(Arc::new(policy.clone()));
    }

    /// Exit address, token and balance of an account; `None` for a limiter, which has no owner.
    pub fn holding(&self, index: Index) -> Option<(Address, Token, u128)> {
        let account = self.accounts.get(&index)?;
        let (_, exit) = self.openings.get(&account.owner)?;
        Some((*exit, account.token, account.balance))
    }

    /// The accounts by index.
    pub fn accounts(&self) -> impl Iterator<Item = (Index, &Account)> {
        self.accounts.iter().map(|(i, a)| (*i, a))
    }

    /// Key hash and exit address behind every owner that occurred.
    pub fn openings(&self) -> impl Iterator<Item = &Opening> {
        self.openings.values()
    }

    /// Updates the tree and returns its root.
    pub fn root(&mut self) -> Fr {
        let touched = std::mem::take(&mut self.touched);
        let leaves: Vec<(Index, Fr)> =
            touched.into_iter().filter_map(|i| Some((i, self.accounts.get(&i)?.leaf()))).collect();
        self.tree.update(leaves);
        self.tree.root()
    }

    /// The order of operations in the batches since this was last asked: called after each block,
    /// that of the block.
    pub fn take_order(&mut self) -> BlockOrder {
        self.order.end_block()
    }

    /// Applies the data of a batch.
    ///
    /// # Errors
    /// [`ReplayError`]; the state is of no use after it.
    pub fn apply(&mut self, data: &BatchData, time: u64) -> Result<(), ReplayError> {
        let whole = |broken| ReplayError { at: Place::Batch, broken };
        for (section, (records, kind)) in data.records.iter().zip(Section::ALL).enumerate() {
            let words = records.len() * kind.words().len();
            if words > MAX_WORDS {
                return Err(whole(Broken::TooLong { section, words, most: MAX_WORDS }));
            }
        }
        let section = |s: Section| data.records[s as usize].as_slice();
        let policy = self.policy.clone().ok_or(whole(Broken::NoPolicy))?;
        let mut batch = Batch {
            policy: &policy,
            time,
            owners: section(Section::Owners),
            exits: section(Section::Exits),
            position: 0,
            replay: self,
        };
        for (i, record) in section(Section::L1).iter().enumerate() {
            let at = Place::L1(i);
            batch.request(record).map_err(|broken| ReplayError { at, broken })?;
            batch.replay.order.end_operation();
        }
        for (i, record) in section(Section::L2).iter().enumerate() {
            let at = Place::L2(i);
            batch.signed(record).map_err(|broken| ReplayError { at, broken })?;
            batch.replay.order.end_operation();
        }
        match (batch.owners.len(), batch.exits.len()) {
            (0, 0) => {}
            (0, exits) => return Err(whole(Broken::Exits(exits))),
            (owners, _) => return Err(whole(Broken::Owners(owners))),
        }
        let counts = data.counts();
        self.order.end_batch(counts);
        let [l1, l2, ..] = counts;
        self.operations += l1 + l2;
        Ok(())
    }

    fn learn(&mut self, opening: Opening) -> Fr {
        let owner = owner(opening.0, opening.1);
        self.openings.insert(owner, opening);
        owner
    }
}

/// A batch that is being applied: what of its sections is left.
struct Batch<'a> {
    replay: &'a mut Replay,
    policy: &'a Policy,
    time: u64,
    owners: &'a [Vec<u8>],
    exits: &'a [Vec<u8>],
    /// Position of the next exit in the batch.
    position: usize,
}

impl Batch<'_> {
    fn account(&self, index: Index) -> Result<Account, Broken> {
        let account = self.replay.accounts.get(&index);
        account.copied().ok_or(Broken::NoAccount(index))
    }

    fn opening(&self, index: Index, account: &Account) -> Result<Opening, Broken> {
        let opening = self.replay.openings.get(&account.owner);
        opening.copied().ok_or(Broken::UnknownOwner(index))
    }

    fn put(&mut self, index: Index, account: Account) {
        self.replay.touched.insert(index);
        self.replay.accounts.insert(index, account);
    }

    /// Makes a user's account with a balance on an empty leaf.
    fn create(
        &mut self,
        index: Index,
        owner: Fr,
        token: Token,
        balance: u128,
    ) -> Result<(), Broken> {
        if index < FIRST_USER {
            return Err(Broken::SystemIndex(index));
        }
        if self.replay.accounts.contains_key(&index) {
            return Err(Broken::Exists(index));
        }
        let account = Account { balance, ..Account::new(owner, token) };
        self.put(index, account);
        Ok(())
    }

    /// The next owner record.
    fn next_owner(&mut self) -> Result<Opening, Broken> {
        let (record, rest) = self.owners.split_first().ok_or(Broken::NoOwner)?;
        self.owners = rest;
        self.replay.order.absorb(Section::Owners, record);
        Ok(read_owner(record)?)
    }

    /// The next exit record, which stays where it is.
    fn next_exit(&self) -> Result<ExitRecord, Broken> {
        let record = self.exits.first().ok_or(Broken::NoExit(self.position))?;
        Ok(ExitRecord::read(record)?)
    }

    /// Takes the next exit record, which must be this one, through the limiter of its token.
    fn leave(
        &mut self,
        index: Index,
        to: Address,
        token: Token,
        amount: u128,
    ) -> Result<(), Broken> {
        let exit = self.next_exit()?;
        let position = self.position;
        for (same, field) in [
            (exit.index == index, "account"),
            (exit.to == to, "receiver"),
            (exit.token == token, "token"),
            (exit.amount == amount, "amount"),
        ] {
            if !same {
                return Err(Broken::Exit { position, field });
            }
        }
        let limiter = limiter_index(token);
        let accounts = &self.replay.accounts;
        let account = accounts.get(&limiter).copied();
        let account = account.unwrap_or_else(|| Account::new(Fr::from(0u64), token));
        let limits = self.policy.limits.get(&token);
        let limits = limits.unwrap_or(&self.policy.default_limits);
        let (tat, expected) = limit(account.balance, amount, self.time, limits);
        if expected != exit.release_time {
            return Err(Broken::ReleaseTime { position, posted: exit.release_time, expected });
        }
        let account = Account { balance: tat, ..account };
        self.put(limiter, account);
        if let Some((record, rest)) = self.exits.split_first() {
            self.replay.order.absorb(Section::Exits, record);
            self.exits = rest;
        }
        self.position += 1;
        Ok(())
    }
}

/// Limiters have no owner: nobody signs for them, and nothing is paid to them.
fn no_limiter(index: Index) -> Result<(), Broken> {
    if is_limiter(index) {
        return Err(Broken::Limiter(index));
    }
    Ok(())
}
