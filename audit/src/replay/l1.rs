//! Operations of the L1 section.

use bastion_protocol::records::{L1Record, Section};
use bastion_protocol::{Account, Address, Fr, Index, Token};

use super::{no_limiter, Batch, Broken};

impl Batch<'_> {
    pub(super) fn request(&mut self, record: &[u8]) -> Result<(), Broken> {
        self.replay.order.absorb(Section::L1, record);
        match L1Record::read(record)? {
            L1Record::Deposit { token, index, amount, keyhash, exit } => {
                let owner = self.replay.learn((keyhash, exit));
                self.deposit(token, index, amount, owner)
            }
            L1Record::ForcedExit { token, index, exit } => self.forced_exit(token, index, exit),
        }
    }

    /// Credits the account, or creates it.
    fn deposit(
        &mut self,
        token: Token,
        index: Index,
        amount: u128,
        owner: Fr,
    ) -> Result<(), Broken> {
        let Ok(account) = self.account(index) else {
            return self.create(index, owner, token, amount);
        };
        if account.owner != owner {
            return Err(Broken::NotOwner(index));
        }
        if account.token != token {
            return Err(Broken::WrongToken { index, holds: account.token, token });
        }
        let balance = account.balance.checked_add(amount);
        let balance = balance.ok_or(Broken::Overflow(index))?;
        self.put(index, Account { balance, ..account });
        Ok(())
    }

    /// Takes the whole balance out if account, token and exit address match, and nothing otherwise.
    /// The circuit proves both: it takes no other choice of the operator's.
    fn forced_exit(&mut self, token: Token, index: Index, exit: Address) -> Result<(), Broken> {
        let Ok(account) = self.account(index) else {
            return Ok(());
        };
        // Whether it matches or not, the circuit opens the owner, and a limiter has none.
        no_limiter(index)?;
        let (_, own) = self.opening(index, &account)?;
        if account.token != token || own != exit {
            return Ok(());
        }
        self.leave(index, exit, token, account.balance)?;
        let balance = 0;
        self.put(index, Account { balance, ..account });
        Ok(())
    }
}
