//! Operations of the L2 section.

use bastion_protocol::account::fee_index;
use bastion_protocol::kinds::AmountField;
use bastion_protocol::records::{L2Record, RecordError, Section};
use bastion_protocol::{Account, Index, Kind, Token};

use super::{no_limiter, Batch, Broken};

impl Batch<'_> {
    pub(super) fn signed(&mut self, record: &[u8]) -> Result<(), Broken> {
        self.replay.order.absorb(Section::L2, record);
        let word = L2Record::read(record)?;
        let kind = word.known_kind()?;
        let L2Record { from, to, .. } = word;
        let account = self.account(from)?;
        no_limiter(from)?;
        let (amount, fee) = (word.amount(), word.fee());
        if kind.description().amount == AmountField::Float && amount == Some(0) {
            return Err(Broken::ZeroAmount);
        }
        match kind {
            Kind::Freeze => return self.freeze(from, account, word.amount40),
            Kind::Unfreeze => return self.unfreeze(from, account),
            Kind::Transfer => {
                self.not_frozen(from, &account)?;
                if to == from {
                    return Err(Broken::ToItself(from));
                }
                self.pay(from, account, amount, fee)?;
                self.receive(to, account.token, amount.unwrap_or_default())?;
            }
            Kind::TransferNew => {
                self.not_frozen(from, &account)?;
                self.pay(from, account, amount, fee)?;
                let opening = self.next_owner()?;
                let owner = self.replay.learn(opening);
                self.create(to, owner, account.token, amount.unwrap_or_default())?;
            }
            Kind::Withdraw => {
                let exit = self.next_exit()?;
                let (_, own) = self.opening(from, &account)?;
                if exit.to != own {
                    self.not_frozen(from, &account)?;
                }
                self.pay(from, account, amount, fee)?;
                self.leave(from, exit.to, account.token, amount.unwrap_or_default())?;
            }
            Kind::ChangeKey => {
                self.not_frozen(from, &account)?;
                let (keyhash, posted) = self.next_owner()?;
                let (_, is) = self.opening(from, &account)?;
                if posted != is {
                    return Err(Broken::ExitAddress { index: from, is, posted });
                }
                let owner = self.replay.learn((keyhash, posted));
                self.pay(from, Account { owner, ..account }, Some(0), fee)?;
            }
            Kind::Deposit
            | Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::Noop => return Err(RecordError::Kind(word.kind).into()),
        }
        self.collect_fee(account.token, fee)
    }

    fn unfreeze(&mut self, index: Index, account: Account) -> Result<(), Broken> {
        if !account.is_frozen(self.time) {
            return Err(Broken::NotFrozen(index));
        }
        let frozen_until = self.time;
        self.put(index, Account { frozen_until, ..account });
        Ok(())
    }

    fn not_frozen(&self, index: Index, account: &Account) -> Result<(), Broken> {
        if account.is_frozen(self.time) {
            let until = account.frozen_until;
            return Err(Broken::Frozen { index, until });
        }
        Ok(())
    }

    fn freeze(&mut self, index: Index, account: Account, until: u64) -> Result<(), Broken> {
        let (time, max) = (self.time, self.policy.max_freeze);
        if until <= time || until > time.saturating_add(max) {
            return Err(Broken::FreezeBounds { until, time, max });
        }
        let from = account.frozen_until.saturating_add(self.policy.cooldown);
        if time < from {
            return Err(Broken::Cooldown { index, from });
        }
        let frozen_until = until;
        let account = Account { frozen_until, ..account };
        self.put(index, account);
        Ok(())
    }

    /// Takes amount and fee from the sender and counts its nonce. Sums beyond 128 bits are more
    /// than any balance.
    fn pay(
        &mut self,
        index: Index,
        account: Account,
        amount: Option<u128>,
        fee: Option<u128>,
    ) -> Result<(), Broken> {
        let paid = |amount: u128| account.balance.checked_sub(amount)?.checked_sub(fee?);
        let balance = amount.and_then(paid).ok_or(Broken::Balance {
            index,
            balance: account.balance,
            amount: amount.unwrap_or(u128::MAX),
            fee: fee.unwrap_or(u128::MAX),
        })?;
        let nonce = account.nonce.checked_add(1).ok_or(Broken::Nonce(index))?;
        let account = Account { balance, nonce, ..account };
        self.put(index, account);
        Ok(())
    }

    fn receive(&mut self, index: Index, token: Token, amount: u128) -> Result<(), Broken> {
        let account = self.account(index)?;
        no_limiter(index)?;
        if account.token != token {
            return Err(Broken::WrongToken { index, holds: account.token, token });
        }
        let balance = account.balance.checked_add(amount);
        let balance = balance.ok_or(Broken::Overflow(index))?;
        self.put(index, Account { balance, ..account });
        Ok(())
    }

    /// Pays the fee account of the token, which may be the sender or the receiver itself; it is
    /// made at its first use, for a fee of 0 as well.
    fn collect_fee(&mut self, token: Token, fee: Option<u128>) -> Result<(), Broken> {
        let index = fee_index(token);
        let account = self.account(index);
        let account = account.unwrap_or_else(|_| Account::new(self.policy.fee_owner(), token));
        let balance = account.balance.checked_add(fee.unwrap_or_default());
        let balance = balance.ok_or(Broken::Overflow(index))?;
        self.put(index, Account { balance, ..account });
        Ok(())
    }
}
