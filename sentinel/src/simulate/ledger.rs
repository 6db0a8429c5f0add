//! A small ledger that turns wishes into operations which the executor accepts.
//!
//! It knows of balances, nonces, keys and the order in which accounts are made, and of no hash and no
//! signature, so that a million operations are planned in a second. That it says what the executor
//! says is checked when they are played.

use std::collections::{BTreeSet, HashMap};

use bastion_protocol::account::FIRST_USER;
use bastion_protocol::ops::{Float, AMOUNT_BITS, FEE_BITS};
use bastion_protocol::{Address, Index, Token};

use super::cast::{KeyId, Person};
use super::label::{Label, Role};
use super::script::{Amount, Deed, Script, Wish};
use super::{Random, SimulateError};

/// What an operation does, with keys by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draft {
    /// A deposit.
    Deposit {
        /// Key of the owner.
        key: KeyId,
    },
    /// A transfer.
    Transfer {
        /// Receiver.
        to: Index,
        /// What the forged trace credits beyond the amount.
        forged: u128,
    },
    /// A transfer that makes an account.
    TransferNew {
        /// Key of the new owner, who is also the exit.
        key: KeyId,
    },
    /// A withdrawal.
    Withdraw {
        /// L1 address.
        to: Address,
    },
    /// A change of key.
    ChangeKey {
        /// The new one.
        key: KeyId,
    },
}

/// An operation that is not signed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// When it arrives, in milliseconds since 1970.
    pub at_ms: u64,
    /// The truth about it.
    pub label: Label,
    /// Whose account acts or is credited.
    pub person: Person,
    /// How much is out of reach after it.
    pub loses: u128,
    /// Account that acts, or that a deposit credits.
    pub account: Index,
    /// Its token.
    pub token: Token,
    /// Its nonce.
    pub nonce: u32,
    /// The key that signs.
    pub key: KeyId,
    /// What moves.
    pub amount: u128,
    /// What is paid.
    pub fee: u128,
    /// What it does.
    pub draft: Draft,
    /// The balance of the account after it, for a check.
    pub left: u128,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    person: Person,
    balance: u128,
    nonce: u32,
    key: KeyId,
}

#[derive(Debug, Default)]
struct Ledger {
    slots: Vec<Slot>,
    by: HashMap<(Person, Token), usize>,
    versions: HashMap<Person, u32>,
    /// Whom an attack or a move counts on: they keep some money.
    reserved: BTreeSet<Person>,
    planned: Vec<Planned>,
}

/// No account gets more than this, so that nothing overflows.
const MOST: u128 = 1 << 120;

/// The operations of a script in order.
///
/// # Errors
/// [`SimulateError::Broke`] for an attack that finds an empty account.
pub fn resolve(mut script: Script, random: &mut Random) -> Result<Vec<Planned>, SimulateError> {
    script.wishes.sort_by_key(|wish| wish.at_ms);
    let mut robbed: HashMap<Person, u64> = HashMap::new();
    for (person, at) in script.robbed {
        let first = robbed.entry(person).or_insert(at);
        *first = at.min(*first);
    }
    let mut ledger = Ledger { reserved: script.reserved, ..Ledger::default() };
    ledger.planned.reserve(script.wishes.len() * 5 / 4);
    for wish in &script.wishes {
        let part = wish.label.part();
        let gone = robbed.get(&wish.deed.who()).is_some_and(|at| *at <= wish.at_ms);
        if part.is_none() && gone {
            continue;
        }
        ledger.take(wish, random)?;
    }
    Ok(ledger.planned)
}

impl Ledger {
    fn take(&mut self, wish: &Wish, random: &mut Random) -> Result<(), SimulateError> {
        match wish.deed {
            Deed::Deposit { who, token, amount } => self.deposit(wish, who, token, amount),
            Deed::Pay { from, to, .. } if from == to => {}
            Deed::Pay { from, to, token, amount, forged } => {
                let Some((slot, amount, fee)) = self.spend(wish, from, token, amount, random)?
                else {
                    return Ok(());
                };
                self.pay(wish, slot, (to, token), (amount, fee), forged);
            }
            Deed::Leave { who, token, to, amount } => {
                if let Some((slot, amount, fee)) = self.spend(wish, who, token, amount, random)? {
                    self.sign(wish, slot, token, (amount, fee), Draft::Withdraw { to });
                }
            }
            Deed::Rekey { who, token, by } => {
                if let Some(slot) = self.by.get(&(who, token)).copied() {
                    let version = self.versions.entry(by).or_default();
                    *version += 1;
                    let key = KeyId { person: by, version: *version };
                    self.sign(wish, slot, token, (0, 0), Draft::ChangeKey { key });
                    self.slots[slot].key = key;
                }
            }
        }
        Ok(())
    }

    /// Account, amount and fee of who pays, after a deposit if an honest one is needed.
    fn spend(
        &mut self,
        wish: &Wish,
        who: Person,
        token: Token,
        amount: Amount,
        random: &mut Random,
    ) -> Result<Option<(usize, u128, u128)>, SimulateError> {
        let honest = wish.label.part().is_none_or(|part| part.role == Role::Bystander);
        let ordinary = wish.label == Label::Ordinary;
        if ordinary && matches!(amount, Amount::Share(_)) && self.reserved.contains(&who) {
            return Ok(None);
        }
        if let (true, Amount::Exactly(amount)) = (honest, amount) {
            let holds = self.by.get(&(who, token)).map_or(0, |slot| self.slots[*slot].balance);
            let kept = if self.reserved.contains(&who) { holds / 2 } else { holds };
            if kept < amount + amount / 500 {
                let more = random.stretch(amount, 2).saturating_mul(3).min(MOST);
                let label = Label::Ordinary;
                let top_up = Wish { label, loses: None, ..*wish };
                self.deposit(&top_up, who, token, more.max(amount.saturating_mul(2)));
            }
        }
        let Some(slot) = self.by.get(&(who, token)).copied() else {
            return self.none(honest, who);
        };
        let holds = self.slots[slot].balance;
        let asked = match amount {
            Amount::Exactly(amount) => amount.min(holds),
            Amount::Share(share) => {
                let share = u128::from(share.min(1000));
                holds / 1000 * share + holds % 1000 * share / 1000
            }
        };
        let fee = Float::floor(asked / 1000, FEE_BITS).value().unwrap_or(0);
        let amount = Float::floor(asked.min(holds - fee), AMOUNT_BITS).value().unwrap_or(0);
        match amount {
            0 => self.none(honest, who),
            amount => Ok(Some((slot, amount, fee))),
        }
    }

    fn none<T>(&self, honest: bool, person: Person) -> Result<Option<T>, SimulateError> {
        match honest {
            true => Ok(None),
            false => Err(SimulateError::Broke { operation: self.planned.len(), person }),
        }
    }

    fn open(&mut self, person: Person, token: Token) -> usize {
        let slots = &mut self.slots;
        *self.by.entry((person, token)).or_insert_with(|| {
            let key = KeyId { person, version: 0 };
            slots.push(Slot { person, balance: 0, nonce: 0, key });
            slots.len() - 1
        })
    }

    fn deposit(&mut self, wish: &Wish, who: Person, token: Token, amount: u128) {
        let slot = self.open(who, token);
        let Slot { key, nonce, .. } = self.slots[slot];
        // L1 takes any amount; what the people of a simulation send is round.
        let amount = Float::floor(amount.clamp(1, MOST), AMOUNT_BITS).value().unwrap_or(1);
        self.slots[slot].balance = self.slots[slot].balance.saturating_add(amount);
        self.push(wish, slot, token, nonce, (amount, 0), Draft::Deposit { key });
    }

    fn pay(
        &mut self,
        wish: &Wish,
        slot: usize,
        (to, token): (Person, Token),
        (amount, fee): (u128, u128),
        forged: u128,
    ) {
        let draft = match self.by.get(&(to, token)) {
            Some(to) => Draft::Transfer { to: index(*to), forged },
            None => Draft::TransferNew { key: KeyId { person: to, version: 0 } },
        };
        let receiver = self.open(to, token);
        self.sign(wish, slot, token, (amount, fee), draft);
        // A forged credit is for a receiver who has an account: its trace names both sides.
        let more = if let Draft::Transfer { forged, .. } = draft { forged } else { 0 };
        self.slots[receiver].balance = self.slots[receiver].balance.saturating_add(amount + more);
    }

    fn sign(&mut self, wish: &Wish, slot: usize, token: Token, moved: (u128, u128), draft: Draft) {
        let (amount, fee) = moved;
        let nonce = self.slots[slot].nonce;
        self.slots[slot].nonce += 1;
        self.slots[slot].balance -= amount + fee;
        self.push(wish, slot, token, nonce, moved, draft);
    }

    fn push(
        &mut self,
        wish: &Wish,
        slot: usize,
        token: Token,
        nonce: u32,
        (amount, fee): (u128, u128),
        draft: Draft,
    ) {
        let Slot { person, key, balance, .. } = self.slots[slot];
        let lost = wish.label.part().is_some_and(|part| part.role == Role::Lose);
        let loses = if lost { wish.loses.unwrap_or(amount) } else { 0 };
        let account = index(slot);
        let (at_ms, label, left) = (wish.at_ms, wish.label, balance);
        self.planned.push(Planned {
            at_ms,
            label,
            person,
            loses,
            account,
            token,
            nonce,
            key,
            amount,
            fee,
            draft,
            left,
        });
    }
}

fn index(slot: usize) -> Index {
    FIRST_USER + slot as Index
}
