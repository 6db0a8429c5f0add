//! A small ledger of named accounts that makes inputs of a screener without signatures: for the examples
//! of rules, and for measurements. It follows the executor's arithmetic and checks nothing else.

mod step;

pub use step::Step;

use std::collections::BTreeMap;

use bastion_protocol::account::{fee_index, limiter_index, FIRST_USER};
use bastion_protocol::field::reduce;
use bastion_protocol::hash::keccak;
use bastion_protocol::keys::{owner, SecretKey};
use bastion_protocol::limiter::limit;
use bastion_protocol::ops::{Action, Body, Deposit, ForcedExit, Op, SignedOp};
use bastion_protocol::{Account, Address, Fr, Index, Kind, TokenLimits, TIME_BOUND};
use bastion_state::executor::{Access, LimiterTrace, OpTrace};

use crate::{Input, SentinelError};

/// When a stage begins, in milliseconds: 2027-01-15, 08:00 UTC.
pub const STAGE_START_MS: u64 = 1_800_000_000_000;
/// Milliseconds between operations.
const PACE_MS: u64 = 100;
/// Longest freeze of its policy, in seconds.
const MAX_FREEZE: u64 = 72 * 3600;
/// Limits of its tokens: an hour's worth may leave at once.
const LIMITS: TokenLimits =
    TokenLimits { rate: 1_000_000, burst_seconds: 3600, max_delay: 7 * 86_400 };

/// The ledger.
#[derive(Debug, Clone)]
pub struct Stage {
    names: BTreeMap<String, Index>,
    accounts: BTreeMap<Index, Account>,
    openings: BTreeMap<Index, (Fr, Address)>,
    now_ms: u64,
    count: u64,
    fee_owner: Fr,
    blank: SignedOp,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// The address that derives from a name.
#[must_use]
pub fn address_of(name: &str) -> Address {
    let mut address = Address::default();
    address.0.copy_from_slice(&keccak(&[b"address", name.as_bytes()])[..20]);
    address
}

fn keyhash_of(name: &str, number: u64) -> Fr {
    reduce(&keccak(&[b"key", name.as_bytes(), &number.to_be_bytes()]))
}

type Failure = Result<OpTrace, String>;

impl Stage {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        let key = SecretKey::from_seed(b"stage");
        let zero = Fr::from(0u64);
        let action = Action::ChangeKey { keyhash: zero };
        let body = Body { account: 0, token: 0, nonce: 0, deadline: 0, fee: 0, action };
        Self {
            names: BTreeMap::new(),
            accounts: BTreeMap::new(),
            openings: BTreeMap::new(),
            now_ms: STAGE_START_MS,
            count: 0,
            fee_owner: owner(keyhash_of("fees", 0), address_of("fees")),
            blank: SignedOp { body, key: key.public(), signature: key.sign(zero) },
        }
    }

    /// The index of a name.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<Index> {
        self.names.get(name).copied()
    }

    /// An account.
    #[must_use]
    pub fn account(&self, index: Index) -> Option<&Account> {
        self.accounts.get(&index)
    }

    /// The inputs of steps in order. Each operation comes 100 ms after the one before.
    ///
    /// # Errors
    /// [`SentinelError::Example`] with the number of the step: an unknown name, or too little balance.
    pub fn run(&mut self, steps: &[Step]) -> Result<Vec<Input>, SentinelError> {
        let steps = Step::unroll(steps)?;
        let mut inputs = Vec::with_capacity(steps.len());
        for (number, step) in steps.iter().enumerate() {
            let fail = |why| SentinelError::Example { step: number, why };
            inputs.extend(self.step(step).map_err(fail)?);
        }
        Ok(inputs)
    }

    fn step(&mut self, step: &Step) -> Result<Option<Input>, String> {
        let trace = match step {
            Step::Wait { seconds } => {
                self.now_ms = self.now_ms.saturating_add(seconds.saturating_mul(1000));
                return match self.now_ms / 1000 < TIME_BOUND / 2 {
                    true => Ok(None),
                    false => Err(format!("{seconds} seconds are too long a wait")),
                };
            }
            Step::Flag { .. } | Step::Repeat { .. } => return Ok(None),
            Step::Deposit { to, amount, token, exit } => {
                self.deposit(to, *amount, *token, *exit)?
            }
            Step::Mint { to, amount } => self.mint(to, *amount)?,
            Step::Transfer { from, to, amount, fee } => {
                let to = self.find(to)?;
                self.sign(from, *fee, Action::Transfer { to, amount: *amount })?
            }
            Step::TransferNew { from, to, amount, fee, exit } => {
                let opening = (keyhash_of(to, 0), exit.unwrap_or_else(|| address_of(to)));
                let (keyhash, exit) = opening;
                let index = self.create(to, opening)?;
                let action = Action::TransferNew { keyhash, exit, amount: *amount };
                let trace = self.sign(from, *fee, action)?;
                debug_assert_eq!(trace.accesses[1].map(|a| a.index), Some(index));
                trace
            }
            Step::Withdraw { from, to, amount, fee } => {
                let to = match to.as_str() {
                    "own" => self.openings.get(&self.find(from)?).map(|o| o.1).unwrap_or_default(),
                    hex if hex.starts_with("0x") => hex.parse().map_err(|e| format!("{e}"))?,
                    name => address_of(name),
                };
                self.sign(from, *fee, Action::Withdraw { to, amount: *amount })?
            }
            Step::ChangeKey { account } => {
                let keyhash = keyhash_of(account, self.count + 1);
                self.sign(account, 0, Action::ChangeKey { keyhash })?
            }
            Step::Freeze { account, seconds } => {
                let until = self.now_ms / 1000 + seconds;
                self.guard(account, Kind::Freeze, until)?
            }
            Step::Unfreeze { account } => {
                self.guard(account, Kind::Unfreeze, self.now_ms / 1000)?
            }
            Step::ForcedExit { account } => self.forced_exit(account)?,
        };
        Ok(Some(self.input(trace)))
    }

    fn find(&self, name: &str) -> Result<Index, String> {
        self.index(name).ok_or_else(|| format!("there is no account `{name}`"))
    }

    fn create(&mut self, name: &str, opening: (Fr, Address)) -> Result<Index, String> {
        if self.names.contains_key(name) {
            return Err(format!("there is an account `{name}` already"));
        }
        let index = FIRST_USER + self.names.len() as Index;
        self.names.insert(name.to_owned(), index);
        self.openings.insert(index, opening);
        Ok(index)
    }

    fn access(&mut self, index: Index, after: Account) -> Access {
        let before = self.accounts.insert(index, after);
        Access { index, before, after: Some(after) }
    }

    fn deposit(&mut self, to: &str, amount: u128, token: u16, exit: Option<Address>) -> Failure {
        let index = match self.index(to) {
            Some(index) => index,
            None => self.create(to, (keyhash_of(to, 0), exit.unwrap_or_else(|| address_of(to))))?,
        };
        let opening = self.openings.get(&index).copied().unwrap_or_default();
        let old = self.accounts.get(&index).copied();
        let kind = if old.is_some() { Kind::Deposit } else { Kind::DepositNew };
        let mut account = old.unwrap_or_else(|| Account::new(owner(opening.0, opening.1), token));
        account.balance = account.balance.checked_add(amount).ok_or("the balance overflows")?;
        let (keyhash, exit) = opening;
        let op = Op::Deposit(Deposit { token: account.token, amount, keyhash, exit });
        let access = self.access(index, account);
        Ok(OpTrace {
            op,
            kind,
            accesses: [Some(access), None, None],
            amount,
            opening: Some(opening),
            ..OpTrace::noop()
        })
    }

    fn mint(&mut self, to: &str, amount: u128) -> Failure {
        let index = self.find(to)?;
        let mut trace = self.deposit(to, 1, 0, None)?;
        if let Some(after) = trace.accesses[0].as_mut().and_then(|a| a.after.as_mut()) {
            after.balance = after.balance.saturating_add(amount);
            self.accounts.insert(index, *after);
        }
        Ok(trace)
    }

    fn leave(&mut self, token: u16, amount: u128, trace: &mut OpTrace) {
        let index = limiter_index(token);
        let old = self.accounts.get(&index).copied();
        let account = old.unwrap_or_else(|| Account::new(Fr::from(0u64), token));
        let tat_before = account.balance;
        let (tat_after, release_time) = limit(tat_before, amount, self.now_ms / 1000, &LIMITS);
        trace.limiter = Some(LimiterTrace {
            token,
            amount,
            tat_before,
            tat_after,
            release_time,
            limits: LIMITS,
        });
        trace.accesses[1] = Some(self.access(index, Account { balance: tat_after, ..account }));
    }

    fn forced_exit(&mut self, name: &str) -> Failure {
        let index = self.find(name)?;
        let account = self.accounts.get(&index).copied().ok_or("the account is empty")?;
        let opening = self.openings.get(&index).copied().unwrap_or_default();
        let (token, exit) = (account.token, opening.1);
        let mut trace = OpTrace {
            op: Op::ForcedExit(ForcedExit { index, token, exit }),
            kind: Kind::ForcedExit,
            amount: account.balance,
            opening: Some(opening),
            ..OpTrace::noop()
        };
        trace.accesses[0] = Some(self.access(index, Account { balance: 0, ..account }));
        self.leave(token, account.balance, &mut trace);
        Ok(trace)
    }

    fn guard(&mut self, name: &str, kind: Kind, until: u64) -> Failure {
        let index = self.find(name)?;
        let account = self.accounts.get(&index).copied().ok_or("the account is empty")?;
        let old_until = account.frozen_until;
        let action = match kind {
            Kind::Freeze => Action::Freeze { until, old_until },
            _ => Action::Unfreeze { old_until },
        };
        let body = Body { account: index, token: account.token, action, ..self.blank.body };
        let access = self.access(index, Account { frozen_until: until, ..account });
        Ok(OpTrace {
            op: Op::Signed(SignedOp { body, ..self.blank }),
            kind,
            accesses: [Some(access), None, None],
            opening: self.openings.get(&index).copied(),
            ..OpTrace::noop()
        })
    }

    fn sign(&mut self, from: &str, fee: u128, action: Action) -> Failure {
        let index = self.find(from)?;
        let mut account = self.accounts.get(&index).copied().ok_or("the account is empty")?;
        let amount = action.amount().unwrap_or(0);
        let token = account.token;
        let nonce = account.nonce;
        let body = Body { account: index, token, nonce, deadline: TIME_BOUND - 1, fee, action };
        let opening = self.openings.get(&index).copied();
        let cost = amount.checked_add(fee).ok_or("the cost overflows")?;
        account.balance = account
            .balance
            .checked_sub(cost)
            .ok_or_else(|| format!("`{from}` has {}, and {cost} are needed", account.balance))?;
        account.nonce += 1;
        if let (Action::ChangeKey { keyhash }, Some((_, exit))) = (action, opening) {
            account.owner = owner(keyhash, exit);
            self.openings.insert(index, (keyhash, exit));
        }
        let mut trace = OpTrace {
            op: Op::Signed(SignedOp { body, ..self.blank }),
            kind: action.kind(),
            amount,
            fee,
            opening,
            ..OpTrace::noop()
        };
        trace.accesses[0] = Some(self.access(index, account));
        match action {
            Action::Transfer { to, .. } => {
                if to == index {
                    return Err(format!("`{from}` pays itself"));
                }
                let mut paid = self.accounts.get(&to).copied().ok_or("the receiver is empty")?;
                paid.balance = paid.balance.checked_add(amount).ok_or("the balance overflows")?;
                trace.accesses[1] = Some(self.access(to, paid));
            }
            Action::TransferNew { keyhash, exit, .. } => {
                let to = FIRST_USER + self.names.len() as Index - 1;
                let paid = Account::new(owner(keyhash, exit), token);
                trace.accesses[1] = Some(self.access(to, Account { balance: amount, ..paid }));
            }
            Action::Withdraw { .. } => self.leave(token, amount, &mut trace),
            Action::Order { .. } => return Err("the stage has no auctions".into()),
            Action::ChangeKey { .. } | Action::Freeze { .. } | Action::Unfreeze { .. } => {}
        }
        let fees = self.accounts.get(&fee_index(token)).copied();
        let mut fees = fees.unwrap_or_else(|| Account::new(self.fee_owner, token));
        fees.balance = fees.balance.checked_add(fee).ok_or("the balance overflows")?;
        trace.accesses[2] = Some(self.access(fee_index(token), fees));
        Ok(trace)
    }

    fn input(&mut self, trace: OpTrace) -> Input {
        self.count += 1;
        let input = Input {
            hash: keccak(&[b"stage", &self.count.to_be_bytes()]),
            time: self.now_ms / 1000,
            arrived_ms: self.now_ms,
            receiver_exit: None,
            stale: None,
            max_freeze: MAX_FREEZE,
            fee_owner: Some(self.fee_owner),
            trace,
        };
        self.now_ms += PACE_MS;
        let receiver = input.receiver().and_then(|a| self.openings.get(&a.index));
        Input { receiver_exit: receiver.map(|o| o.1), ..input }
    }
}
