//! The L2 state from posted data alone (protocol section 6): no signatures, no witness.
//!
//! The order between L1 and L2 operations is not posted, and need not be: what an operation adds to
//! or takes from a balance is, so that balances come out in any order. Everything that depends on
//! an order depends on that within one section.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bastion_state::account::{fee_index, is_limiter, limiter_index};
use bastion_state::data::{BatchData, Section};
use bastion_state::executor::limit;
use bastion_state::keys::owner;
use bastion_state::ops::Float;
use bastion_state::tree::Tree;
use bastion_state::{Account, Address, Fr, Index, Opening, Policy};

/// What posted data say that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A record that names an account which does not fit it.
    #[error("{record}: account {index} {why}")]
    Account {
        /// Which record.
        record: String,
        /// The account.
        index: Index,
        /// Why it does not fit.
        why: &'static str,
    },
    /// Data before any policy is known.
    #[error("the policy of the block is not known")]
    NoPolicy,
    /// An operation word that no operation has.
    #[error("operation {0} is none of the protocol's")]
    Word(usize),
    /// As many owner records as operations that write one.
    #[error("{records} owner records for {operations} operations that write one")]
    Owners {
        /// Records.
        records: usize,
        /// Operations.
        operations: usize,
    },
    /// An exit that no withdrawal and no forced exit explains, or a withdrawal without its exit.
    #[error("exit {position}: {why}")]
    Exit {
        /// Position in the batch.
        position: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// An exit that is released at another time than the policy says.
    #[error("exit {position} is released at {posted}, the policy says {expected}")]
    ReleaseTime {
        /// Position in the batch.
        position: usize,
        /// Posted time.
        posted: u64,
        /// Time by the limiter.
        expected: u64,
    },
}

/// A record of an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Receiver on L1.
    pub to: Address,
    /// Token.
    pub token: u16,
    /// From when on.
    pub release_time: u64,
    /// Amount.
    pub amount: u128,
    /// Account it left.
    pub index: Index,
}

impl Exit {
    /// Reads a record of 47 bytes.
    pub fn read(record: &[u8]) -> Option<Self> {
        if record.len() != Section::Exits.record_len() {
            return None;
        }
        Some(Self {
            to: Address(record.get(..20)?.try_into().ok()?),
            token: number(record, 20, 2) as u16,
            release_time: number(record, 22, 5) as u64,
            amount: number(record, 27, 16),
            index: number(record, 43, 4) as u32,
        })
    }
}

/// A big-endian number of up to 16 bytes.
fn number(bytes: &[u8], at: usize, len: usize) -> u128 {
    let field = bytes.get(at..at + len).unwrap_or_default();
    field.iter().fold(0, |x, byte| x << 8 | u128::from(*byte))
}

/// The state as the data so far tell it.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    accounts: BTreeMap<Index, Account>,
    openings: HashMap<Fr, Opening>,
    tree: Tree,
    policy: Option<Policy>,
    touched: BTreeSet<Index>,
    /// Operations seen, padding aside.
    pub operations: u64,
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
            operations: 0,
        }
    }

    /// The policy of the blocks that follow.
    pub fn set_policy(&mut self, policy: &Policy) {
        self.learn(policy.fee_keyhash, policy.fee_exit);
        self.policy = Some(policy.clone());
    }

    /// Exit address, token and balance of an account.
    pub fn holding(&self, index: Index) -> Option<(Address, u16, u128)> {
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
        let leaves: Vec<(Index, Fr)> = touched
            .into_iter()
            .filter_map(|i| Some((i, self.accounts.get(&i)?.leaf())))
            .collect();
        self.tree.update(&leaves);
        self.tree.root()
    }

    fn policy(&self) -> Result<&Policy, ReplayError> {
        self.policy.as_ref().ok_or(ReplayError::NoPolicy)
    }

    fn learn(&mut self, keyhash: Fr, exit: Address) -> Fr {
        let owner = owner(keyhash, exit);
        self.openings.insert(owner, (keyhash, exit));
        owner
    }

    fn account(
        &mut self,
        index: Index,
        record: impl FnOnce() -> String,
    ) -> Result<&mut Account, ReplayError> {
        self.touched.insert(index);
        self.accounts
            .get_mut(&index)
            .ok_or_else(|| ReplayError::Account {
                record: record(),
                index,
                why: "does not exist",
            })
    }

    fn create(
        &mut self,
        index: Index,
        account: Account,
        record: impl FnOnce() -> String,
    ) -> Result<(), ReplayError> {
        let wrong = |why| ReplayError::Account {
            record: record(),
            index,
            why,
        };
        if index < bastion_state::account::FIRST_USER {
            return Err(wrong("is none that a user can have"));
        }
        if self.accounts.insert(index, account).is_some() {
            return Err(wrong("exists already"));
        }
        self.touched.insert(index);
        Ok(())
    }

    /// Applies the data of a batch.
    ///
    /// # Errors
    /// [`ReplayError`]; the state is of no use after it.
    pub fn apply(&mut self, data: &BatchData, time: u64) -> Result<(), ReplayError> {
        let section = |s: Section| &data.records[s as usize];
        let mut forced: Vec<(Index, u16, Address)> = Vec::new();
        for (i, record) in section(Section::L1).iter().enumerate() {
            forced.extend(self.l1(i, record)?);
        }
        let mut owners = section(Section::Owners).iter();
        let mut withdrawals: Vec<(Index, u128)> = Vec::new();
        let mut written = 0;
        for (i, word) in section(Section::L2).iter().enumerate() {
            let word = Word::read(word).ok_or(ReplayError::Word(i))?;
            let owner = if word.writes_owner() {
                written += 1;
                let record = owners.next().map(Vec::as_slice).unwrap_or_default();
                let keyhash = record.get(..32).and_then(|k| k.try_into().ok());
                let keyhash = keyhash.and_then(crate::chain::element);
                let exit = record.get(32..).and_then(|e| e.try_into().ok());
                keyhash.zip(exit.map(Address))
            } else {
                None
            };
            withdrawals.extend(self.l2(i, &word, owner, time)?);
        }
        let records = section(Section::Owners).len();
        if written != records {
            return Err(ReplayError::Owners {
                records,
                operations: written,
            });
        }
        self.exits(section(Section::Exits), withdrawals, forced, time)?;
        let counts = [Section::L1, Section::L2].map(|s| section(s).len() as u64);
        self.operations += counts[0] + counts[1];
        Ok(())
    }

    /// A deposit is applied; a forced exit is returned, to be matched with the exits.
    fn l1(
        &mut self,
        i: usize,
        record: &[u8],
    ) -> Result<Option<(Index, u16, Address)>, ReplayError> {
        let name = || format!("L1 record {i}");
        let token = number(record, 1, 2) as u16;
        let index = number(record, 3, 4) as u32;
        let amount = number(record, 7, 16);
        let exit = Address(
            record
                .get(55..75)
                .and_then(|e| e.try_into().ok())
                .unwrap_or_default(),
        );
        if record.first() != Some(&1) {
            return Ok(Some((index, token, exit)));
        }
        let keyhash = record.get(23..55).and_then(|k| k.try_into().ok());
        let keyhash =
            keyhash
                .and_then(crate::chain::element)
                .ok_or_else(|| ReplayError::Account {
                    record: name(),
                    index,
                    why: "has no key hash",
                })?;
        let owner = self.learn(keyhash, exit);
        if !self.accounts.contains_key(&index) {
            let account = Account {
                balance: amount,
                ..Account::new(owner, token)
            };
            self.create(index, account, name)?;
            return Ok(None);
        }
        let account = self.account(index, name)?;
        if account.owner != owner || account.token != token {
            return Err(ReplayError::Account {
                record: name(),
                index,
                why: "is not that of the deposit",
            });
        }
        account.balance = account.balance.wrapping_add(amount);
        Ok(None)
    }

    /// Applies a signed operation; a withdrawal is returned, to be matched with the exits.
    fn l2(
        &mut self,
        i: usize,
        word: &Word,
        owner: Option<Opening>,
        time: u64,
    ) -> Result<Option<(Index, u128)>, ReplayError> {
        let name = || format!("operation {i}");
        if is_limiter(word.from) {
            return Err(ReplayError::Account {
                record: name(),
                index: word.from,
                why: "is a limiter",
            });
        }
        let sender = self.account(word.from, name)?;
        let token = sender.token;
        match word.kind {
            5 => sender.frozen_until = word.amount40,
            6 => sender.frozen_until = time,
            _ => {
                sender.nonce = sender.nonce.wrapping_add(1);
                sender.balance = sender.balance.wrapping_sub(word.fee);
            }
        }
        if word.kind <= 2 {
            sender.balance = sender.balance.wrapping_sub(word.amount);
        }
        let old_owner = sender.owner;
        if word.kind <= 4 {
            let owner = self.policy()?.fee_owner();
            let fees = Account::new(owner, token);
            let index = fee_index(token);
            let fees = self.accounts.entry(index).or_insert(fees);
            fees.balance = fees.balance.wrapping_add(word.fee);
            self.touched.insert(index);
        }
        match (word.kind, owner) {
            (1, _) => {
                let receiver = self.account(word.to, name)?;
                receiver.balance = receiver.balance.wrapping_add(word.amount);
            }
            (2, Some((keyhash, exit))) => {
                let account = Account {
                    balance: word.amount,
                    ..Account::new(self.learn(keyhash, exit), token)
                };
                self.create(word.to, account, name)?;
            }
            (3, _) => return Ok(Some((word.from, word.amount))),
            (4, Some((keyhash, exit))) => {
                let same = self
                    .openings
                    .get(&old_owner)
                    .is_some_and(|(_, e)| *e == exit);
                let new = self.learn(keyhash, exit);
                if !same {
                    return Err(ReplayError::Account {
                        record: name(),
                        index: word.from,
                        why: "would change its exit address",
                    });
                }
                self.account(word.from, name)?.owner = new;
            }
            (5 | 6, _) => {}
            _ => return Err(ReplayError::Word(i)),
        }
        Ok(None)
    }

    fn exits(
        &mut self,
        records: &[Vec<u8>],
        mut withdrawals: Vec<(Index, u128)>,
        mut forced: Vec<(Index, u16, Address)>,
        time: u64,
    ) -> Result<(), ReplayError> {
        let limits = self.policy()?.limits_tree();
        for (position, record) in records.iter().enumerate() {
            let wrong = |why| ReplayError::Exit { position, why };
            let exit = Exit::read(record).ok_or(wrong("is malformed"))?;
            let request = (exit.index, exit.token, exit.to);
            let signed =
                |(index, amount): &(Index, u128)| (*index, *amount) == (exit.index, exit.amount);
            if let Some(at) = withdrawals.iter().position(signed) {
                withdrawals.remove(at);
            } else if let Some(at) = forced.iter().position(|f| *f == request) {
                forced.remove(at);
            } else {
                return Err(wrong("nobody asked for it"));
            }
            let account = self.account(exit.index, || format!("exit {position}"))?;
            if account.token != exit.token {
                return Err(wrong("is of another token than its account"));
            }
            account.balance = account.balance.wrapping_sub(exit.amount);
            let index = limiter_index(exit.token);
            let limiter = self
                .accounts
                .entry(index)
                .or_insert(Account::new(Fr::from(0u64), exit.token));
            let (tat, expected) = limit(
                limiter.balance,
                exit.amount,
                time,
                &limits.limits(exit.token),
            );
            limiter.balance = tat;
            self.touched.insert(index);
            if expected != exit.release_time {
                return Err(ReplayError::ReleaseTime {
                    position,
                    posted: exit.release_time,
                    expected,
                });
            }
        }
        if withdrawals.is_empty() {
            return Ok(());
        }
        Err(ReplayError::Exit {
            position: records.len(),
            why: "is missing: an operation withdraws",
        })
    }
}

/// A posted operation word.
struct Word {
    kind: u8,
    fee: u128,
    from: Index,
    to: Index,
    amount40: u64,
    amount: u128,
}

impl Word {
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = number(bytes, 0, 15);
        let kind = (word >> 116) as u8;
        let amount40 = (word & ((1 << 40) - 1)) as u64;
        let fee = Float::decode((word >> 104) as u64 & 0xfff).value()?;
        // A freeze has a time in the place of the amount.
        let amount = match kind {
            1..=3 => Float::decode(amount40).value()?,
            4..=6 => 0,
            _ => return None,
        };
        Some(Self {
            kind,
            fee,
            from: (word >> 72) as u32,
            to: (word >> 40) as u32,
            amount40,
            amount,
        })
    }

    fn writes_owner(&self) -> bool {
        matches!(self.kind, 2 | 4)
    }
}
