//! What the posted data say of the rewards account, of watchers' owners and of freezes.

use std::collections::{BTreeMap, BTreeSet};

use bastion_protocol::keys::owner;
use bastion_protocol::records::{read_owner, L1Record, L2Posted, L2Record, Section};
use bastion_protocol::{Address, Fr, Index, Kind, Token};

use super::{Opening, Posted};

/// What the data say of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Move {
    In {
        from: Option<Index>,
        amount: u128,
    },
    /// Signed by its key.
    Out {
        nonce: u32,
        kind: Kind,
        to: Index,
        amount: u128,
        fee: u128,
    },
    ForcedExit {
        amount: u128,
    },
}

/// The account as the data tell it.
pub(super) struct Walk {
    opening: Opening,
    /// Balance and nonce, once it is there.
    stands: Option<(u128, u32)>,
    /// Time of the block in which it stood first as the log says that it began.
    pub(super) begun: Option<u64>,
    /// Its exit address.
    pub(super) exit: Option<Address>,
    /// The token of each account.
    tokens: BTreeMap<Index, Token>,
    /// Accounts, and all owners that they had.
    owners: BTreeMap<Index, BTreeSet<Fr>>,
    /// Freezes: the account and the end of each.
    freezes: Vec<(Index, u64)>,
}

impl Walk {
    /// `accounts` are those whose owners are asked for.
    pub(super) fn new(opening: Opening, accounts: impl Iterator<Item = Index>) -> Self {
        let owners = accounts.map(|account| (account, BTreeSet::new())).collect();
        Self {
            opening,
            stands: None,
            begun: None,
            exit: None,
            tokens: BTreeMap::new(),
            owners,
            freezes: Vec::new(),
        }
    }

    /// The account's token.
    pub(super) fn token(&self) -> Option<Token> {
        self.tokens.get(&self.opening.account).copied()
    }

    /// Whether an account had an owner at some time.
    pub(super) fn had_owner(&self, account: Index, owner: &Fr) -> bool {
        self.owners.get(&account).is_some_and(|had| had.contains(owner))
    }

    /// Takes a freeze out of those that the data have; `false` if there is none.
    pub(super) fn take_freeze(&mut self, account: Index, until: u64) -> bool {
        let place = self.freezes.iter().position(|freeze| *freeze == (account, until));
        place.map(|place| self.freezes.swap_remove(place)).is_some()
    }

    /// What a block does after the beginning.
    pub(super) fn block(&mut self, block: &Posted) -> Vec<Move> {
        let mut steps = Vec::new();
        for batch in &block.batches {
            let l1 = batch.section(Section::L1).iter().filter_map(|r| L1Record::read(r).ok());
            for record in l1 {
                if let L1Record::Deposit { token, index, keyhash, exit, .. } = record {
                    self.tokens.insert(index, token);
                    self.owns(index, keyhash, exit);
                }
                steps.extend(self.of_l1(&record).and_then(|step| self.take(step, block.time)));
            }
            let mut l2 = batch.section(Section::L2);
            let mut owners = batch.section(Section::Owners).iter();
            // The audit of the state has read them all.
            while let Ok(Some(L2Posted { main: record, .. })) = L2Posted::take(&mut l2) {
                self.note(&record, &mut owners);
                steps.extend(self.signed(&record).and_then(|step| self.take(step, block.time)));
            }
        }
        steps
    }

    fn owns(&mut self, account: Index, keyhash: Fr, exit: Address) {
        if account == self.opening.account {
            self.exit = Some(exit);
        }
        if let Some(owners) = self.owners.get_mut(&account) {
            owners.insert(owner(keyhash, exit));
        }
    }

    /// Notes new owners and freezes.
    fn note<'a>(&mut self, record: &L2Record, owners: &mut impl Iterator<Item = &'a Vec<u8>>) {
        let Ok(kind) = record.known_kind() else { return };
        if kind == Kind::TransferNew {
            if let Some(token) = self.tokens.get(&record.from).copied() {
                self.tokens.insert(record.to, token);
            }
        }
        if kind.writes_owner() {
            let account = if kind == Kind::TransferNew { record.to } else { record.from };
            if let Some((keyhash, exit)) = owners.next().and_then(|r| read_owner(r).ok()) {
                self.owns(account, keyhash, exit);
            }
        }
        if kind == Kind::Freeze {
            self.freezes.push((record.from, record.amount40));
        }
    }

    fn of_l1(&self, record: &L1Record) -> Option<Move> {
        // What the log says of token and exit address is compared, and not believed.
        let account = self.opening.account;
        let own = (Some(account), self.token(), self.exit);
        match *record {
            L1Record::Deposit { index, amount, .. } if index == account => {
                Some(Move::In { from: None, amount })
            }
            L1Record::ForcedExit { index, token: of, exit: to }
                if (Some(index), Some(of), Some(to)) == own =>
            {
                self.stands.map(|(amount, _)| Move::ForcedExit { amount })
            }
            L1Record::Deposit { .. } | L1Record::ForcedExit { .. } => None,
        }
    }

    fn signed(&self, record: &L2Record) -> Option<Move> {
        let account = self.opening.account;
        let L2Record { from, to, .. } = *record;
        let (kind, fee) = (record.known_kind().ok()?, record.fee().unwrap_or(0));
        let amount = record.amount().unwrap_or(0);
        match kind {
            Kind::Transfer | Kind::TransferNew if to == account => {
                Some(Move::In { from: Some(from), amount })
            }
            // An order is no payment: it is shown with the most that it may sell.
            Kind::Transfer | Kind::TransferNew | Kind::Withdraw | Kind::Order
                if from == account =>
            {
                let (_, nonce) = self.stands?;
                Some(Move::Out { nonce, kind, to, amount, fee })
            }
            Kind::ChangeKey if from == account => {
                let (_, nonce) = self.stands?;
                Some(Move::Out { nonce, kind, to, amount: 0, fee })
            }
            // The guardian's, and what is of other accounts.
            Kind::Transfer
            | Kind::TransferNew
            | Kind::Withdraw
            | Kind::ChangeKey
            | Kind::Freeze
            | Kind::Unfreeze
            | Kind::Order
            | Kind::Quote
            | Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::Noop => None,
        }
    }

    /// Follows the account; gives the step if rewards had begun before it.
    fn take(&mut self, step: Move, time: u64) -> Option<Move> {
        let begun = self.begun.is_some();
        let (balance, nonce) = self.stands.unwrap_or((0, 0));
        // The audit of the state has checked the sums.
        let after = match step {
            Move::In { amount, .. } => (balance.saturating_add(amount), nonce),
            Move::Out { amount, fee, .. } => {
                (balance.saturating_sub(amount).saturating_sub(fee), nonce.saturating_add(1))
            }
            Move::ForcedExit { .. } => (0, nonce),
        };
        self.stands = Some(after);
        if after == (self.opening.balance, self.opening.nonce) {
            self.begun.get_or_insert(time);
        }
        begun.then_some(step)
    }
}
