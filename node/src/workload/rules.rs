//! What L1 refuses, asked before anything is proven: a block with such an operation would cost its
//! proving time and then be refused.

use std::collections::BTreeMap;

use bastion_protocol::account::FIRST_USER;
use bastion_protocol::ops::Op;
use bastion_protocol::{Address, Token};

const NOBODY: Address = Address([0; 20]);
/// Any address but that.
const SOMEBODY: Address = Address([1; 20]);

/// The queue and the vault of L1 after the operations so far.
#[derive(Debug, Default)]
pub(super) struct L1Rules {
    deposited: BTreeMap<Token, u128>,
}

impl L1Rules {
    /// Checks the next operation of a workload, and counts it if L1 takes it.
    pub(super) fn check(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Deposit(d) => self.deposit(d.token, d.amount, d.exit),
            Op::ForcedExit(f) if f.index < FIRST_USER => Err(format!(
                "account {} is no user's (those begin at {FIRST_USER}): L1 takes no forced exit of it",
                f.index
            )),
            // Tokens are registered in order, ETH is number 0.
            Op::ForcedExit(f) if f.token > self.deposited.keys().last().copied().unwrap_or(0) => {
                Err(format!(
                    "token {} is not registered on L1: no deposit before names it or a later one",
                    f.token
                ))
            }
            Op::Signed(signed) if signed.body.action.leaves_to() == Some(NOBODY) => {
                Err("an exit to the zero address is lost".into())
            }
            // The exit address of an account that changes its key is what it was.
            Op::Signed(signed) => match signed.body.new_owner(SOMEBODY) {
                Some((_, NOBODY)) => Err("an account of the zero address cannot be left".into()),
                Some(_) | None => Ok(()),
            },
            Op::ForcedExit(_) | Op::Quote(_) | Op::Noop => Ok(()),
        }
    }

    /// Checks a deposit, or what is added to one.
    pub(super) fn deposit(
        &mut self,
        token: Token,
        amount: u128,
        exit: Address,
    ) -> Result<(), String> {
        if exit == NOBODY {
            return Err("L1 takes no deposit for the zero address (a mint is no transfer)".into());
        }
        if amount == 0 {
            return Err("amount is 0: L1 takes no deposit of nothing".into());
        }
        let sum = self.deposited.get(&token).copied().unwrap_or(0);
        let sum = sum.checked_add(amount).ok_or_else(|| {
            format!("deposits of token {token} would exceed 2^128 in all, which L1 does not hold")
        })?;
        self.deposited.insert(token, sum);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bastion_protocol::ops::Action;

    use super::*;
    use bastion_protocol::keys::SecretKey;
    use bastion_protocol::ops::{Body, Deposit, ForcedExit};
    use bastion_protocol::Fr;

    const SOMEBODY: Address = Address([7; 20]);

    fn deposit(token: Token, amount: u128, exit: Address) -> Op {
        Op::Deposit(Deposit { token, amount, keyhash: Fr::from(7u64), exit })
    }

    fn forced(index: u32, token: Token) -> Op {
        Op::ForcedExit(ForcedExit { index, token, exit: SOMEBODY })
    }

    fn signed(action: Action) -> Op {
        let body = Body { account: FIRST_USER, token: 0, nonce: 0, deadline: 1, fee: 0, action };
        let key = SecretKey::from_seed(b"rules");
        Op::Signed(body.sign(&key, Fr::from(1u64), SOMEBODY).unwrap())
    }

    #[test]
    fn what_l1_refuses_is_refused_with_its_reason() {
        let withdraw = |to| signed(Action::Withdraw { to, amount: 1 });
        let new = |exit| signed(Action::TransferNew { keyhash: Fr::from(7u64), exit, amount: 1 });
        let mut rules = L1Rules::default();
        rules.check(&deposit(2, 5, SOMEBODY)).unwrap();
        for (op, why) in [
            (deposit(0, 5, NOBODY), "zero address"),
            (deposit(0, 0, SOMEBODY), "amount is 0"),
            (deposit(2, u128::MAX - 4, SOMEBODY), "2^128"),
            (forced(FIRST_USER - 1, 0), "no user's"),
            (forced(FIRST_USER, 3), "not registered"),
            (withdraw(NOBODY), "zero address"),
            (new(NOBODY), "zero address"),
        ] {
            let error = rules.check(&op).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        // What was refused does not count.
        for op in [
            deposit(2, u128::MAX - 5, SOMEBODY),
            forced(FIRST_USER, 0),
            forced(FIRST_USER, 2),
            withdraw(SOMEBODY),
            new(SOMEBODY),
            Op::Noop,
        ] {
            rules.check(&op).unwrap();
        }
    }
}
