//! All that a screener remembers, and how an included operation changes it.

use std::collections::BTreeMap;

use bastion_protocol::{Address, Index, Kind, Token};
use serde::{Deserialize, Serialize};

use super::Config;
use crate::features::View;
use crate::graph::Taint;
use crate::ledger::Ledger;
use crate::model::{vector, Models};
use crate::profile::{Event, Network, Profile, Target, TokenStats, DAY_MS};
use crate::rules::Lists;
use crate::table::Table;
use crate::{Input, SentinelError};

/// The form of a memory, and its first field. One of another form is not read: what it says of accounts means
/// something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Form;

impl Form {
    /// No number of operations, which older memories begin with.
    const NUMBER: u32 = 0xba57_0002;
}

impl From<Form> for u32 {
    fn from(_: Form) -> Self {
        Form::NUMBER
    }
}

impl TryFrom<u32> for Form {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        match number == Self::NUMBER {
            true => Ok(Self),
            false => Err(format!(
                "the memory has the form {number:#x}, and {:#x} is read: begin anew",
                Self::NUMBER
            )),
        }
    }
}

/// The memory. It serializes; restored, it goes on bit for bit as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    pub(crate) form: Form,
    pub(crate) observed: u64,
    pub(crate) clock_ms: u64,
    pub(crate) start_ms: Option<u64>,
    pub(crate) ledger: Ledger,
    pub(crate) accounts: Table<Index, Profile>,
    pub(crate) targets: Table<Address, Target>,
    pub(crate) tokens: BTreeMap<Token, TokenStats>,
    pub(crate) network: Network,
    pub(crate) taint: Taint,
    pub(crate) models: Models,
}

impl Memory {
    pub(super) fn new(config: &Config, ledger: Ledger) -> Result<Self, SentinelError> {
        Ok(Self {
            form: Form,
            observed: 0,
            clock_ms: 0,
            start_ms: None,
            ledger,
            accounts: Table::new(config.accounts),
            targets: Table::new(config.targets),
            tokens: BTreeMap::new(),
            network: Network::default(),
            taint: Taint::new(config.taint),
            models: Models::new(config.half_space)?,
        })
    }

    /// The time of an input by the screener's clock, which never goes back.
    pub(crate) fn now(&self, input: &Input) -> u64 {
        self.clock_ms.max(input.arrived_ms)
    }

    /// Takes an included operation in.
    pub(super) fn learn(&mut self, input: &Input, lists: &Lists) {
        let now = self.now(input);
        let view = View::new(input, self, lists);
        let signed = input.kind().by_owner();
        let vector = signed.then(|| vector(&view));
        let event = view.event();
        let chain = u32::try_from(view.value(crate::features::Feature::Chain, 1)).unwrap_or(0);
        let from_mark = view.taint();

        self.mix(input, from_mark, now);
        self.ledger.learn(input);
        self.network.learn(input.kind(), now);
        self.learn_token(input, now);
        self.learn_actor(input, event, now);
        self.learn_other_side(input, event, chain, now);
        if let Some(vector) = vector {
            self.models.learn(&vector);
        }
        self.clock_ms = now;
        self.start_ms.get_or_insert(now);
        self.observed += 1;
    }

    fn mix(&mut self, input: &Input, from: Option<crate::graph::Mark>, now: u64) {
        let amount = input.trace.amount;
        let (access, from) = match input.kind() {
            Kind::Transfer | Kind::TransferNew => (input.receiver(), from),
            Kind::Order => return self.taint_bought(input, from, now),
            Kind::Deposit => (input.acting(), None),
            Kind::DepositNew
            | Kind::ForcedExit
            | Kind::ForcedExitNoop
            | Kind::Withdraw
            | Kind::ChangeKey
            | Kind::Freeze
            | Kind::Unfreeze
            | Kind::Quote
            | Kind::Noop => return,
        };
        let Some(access) = access else { return };
        let mark = self.taint.of(access.index, false, now);
        if mark.is_none() && from.is_none() {
            return;
        }
        let held = access.before.map_or(0, |a| a.balance);
        let mixed = self.taint.mixed(from, mark, held, amount, now);
        self.taint.set(access.index, mixed);
    }

    /// What an order buys is no cleaner than what it sells. How much that is shows when the batch is closed, so it
    /// counts as all that the account has; nothing makes the account cleaner. Both are one owner's.
    fn taint_bought(&mut self, input: &Input, from: Option<crate::graph::Mark>, now: u64) {
        let Some(access) = input.trace.accesses[1].as_ref() else { return };
        let came = self.taint.mixed(from, None, 0, 1, now);
        if came.is_some() {
            let mark = self.taint.of(access.index, false, now);
            self.taint.set(access.index, mark.max(came));
        }
    }

    fn learn_token(&mut self, input: &Input, now: u64) {
        if input.acting().is_none() {
            return;
        }
        let stats = self.tokens.entry(input.token()).or_default();
        if input.kind().by_owner() {
            stats.sign(input.trace.amount, input.trace.fee);
        }
        if matches!(input.kind(), Kind::Deposit | Kind::DepositNew) {
            stats.deposits = stats.deposits.saturating_add(1);
        }
        if input.kind().exits() {
            stats.exited.add(now, input.sent());
        }
    }

    fn learn_actor(&mut self, input: &Input, event: Option<Event>, now: u64) {
        // A forced exit may name an account that is not there: nothing is remembered of it.
        let Some(access) = input.acting().filter(|a| a.after.is_some()) else { return };
        let kind = input.kind();
        let born = access.before.is_none();
        // Older than the memory, if it was there before and is new here.
        let first = if born { now } else { self.start_ms.unwrap_or(now) };
        let profile = self.accounts.touch(access.index, || Profile::new(first, born));
        profile.exit = input.own_exit().or(profile.exit);
        if kind.by_owner() {
            let held = access.before.map_or(0, |a| a.balance);
            let sent = input.sent();
            let moves = sent > 0 && sent.saturating_mul(100) >= held;
            profile.sign(now, moves || kind == Kind::ChangeKey);
        }
        profile.mark(kind, now);
        if matches!(kind, Kind::Deposit | Kind::DepositNew) {
            let exit = Address::default();
            profile.receive(Event { at_ms: now, amount: input.trace.amount, peer: None, exit });
        }
        if let Some(before) = access.before {
            profile.balance(before.balance);
        }
        if let Some(after) = access.after {
            profile.balance(after.balance);
        }
        if let Some(event) = event {
            profile.send(event);
        }
    }

    fn learn_other_side(&mut self, input: &Input, event: Option<Event>, chain: u32, now: u64) {
        let (Some(acting), Some(event)) = (input.acting(), event) else { return };
        let exit = input.own_exit().unwrap_or_default();
        let came = Event { peer: Some(acting.index), exit, ..event };
        if let Some(target) = input.target() {
            let new = || Target { first_ms: now, ..Target::default() };
            self.targets.touch(target, new).into.push(came);
        }
        let Some(access) = input.receiver() else { return };
        let born = access.before.is_none();
        let parent = self.accounts.get(&acting.index);
        let young = parent.filter(|p| p.born && now.saturating_sub(p.first_ms) <= DAY_MS);
        let generation = young.map_or(0, |p| p.generation).saturating_add(1);
        let first = if born { now } else { self.start_ms.unwrap_or(now) };
        let profile = self.accounts.touch(access.index, || Profile::new(first, born));
        if born {
            profile.generation = generation;
        }
        profile.exit = input.receiver_exit.or(profile.exit);
        profile.receive(came);
        let after = access.after.map_or(0, |a| a.balance);
        profile.link(now, chain, came.amount, after);
        profile.balance(after);
    }
}
