//! The values of the features of one operation.

use bastion_protocol::{Address, Index, Kind};

use super::{paths, Feature};
use crate::fixed::{log16, permille, trailing_zeros, PPM};
use crate::graph::Mark;
use crate::invariants::imbalance;
use crate::profile::{alike, hour, Event, Profile, Target, TokenStats};
use crate::rules::Lists;
use crate::screener::Memory;
use crate::Input;

/// What stands for "never" in features that are times: more seconds than any window.
const NEVER: i128 = 1 << 40;

/// How unusual the learned models find an operation, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scores {
    /// The half-space trees.
    pub half_space: u32,
    /// The robust averages.
    pub robust: u32,
}

/// An operation before the memory of what came before it. Values are computed when they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    input: &'a Input,
    memory: &'a Memory,
    lists: &'a Lists,
    scores: Scores,
    now_ms: u64,
    actor: Option<&'a Profile>,
    receiver: Option<&'a Profile>,
    target: Option<&'a Target>,
    stats: Option<&'a TokenStats>,
}

/// An amount as a value; those above `2^127 - 1` are cut to it.
fn int(x: u128) -> i128 {
    i128::try_from(x).unwrap_or(i128::MAX)
}

impl<'a> View<'a> {
    pub(crate) fn new(input: &'a Input, memory: &'a Memory, lists: &'a Lists) -> Self {
        let receiver = input.receiver().map(|a| a.index);
        Self {
            input,
            memory,
            lists,
            scores: Scores::default(),
            now_ms: memory.now(input),
            actor: input.acting().and_then(|a| memory.accounts.get(&a.index)),
            receiver: receiver.and_then(|i| memory.accounts.get(&i)),
            target: input.target().and_then(|t| memory.targets.get(&t)),
            stats: memory.tokens.get(&input.token()),
        }
    }

    pub(crate) fn with(self, scores: Scores) -> Self {
        Self { scores, ..self }
    }

    fn balance(&self) -> u128 {
        self.input.actor_before().map_or(0, |a| a.balance)
    }

    fn balance_after(&self) -> u128 {
        self.input.acting().and_then(|a| a.after).map_or(0, |a| a.balance)
    }

    /// Seconds since a time, which is 0 for never.
    fn since(&self, ms: Option<u64>) -> i128 {
        match ms {
            None | Some(0) => NEVER,
            Some(ms) => i128::from(self.now_ms.saturating_sub(ms) / 1000),
        }
    }

    /// Seconds since an account was seen first; one that nobody has seen is as old as the memory.
    fn age(&self, profile: Option<&Profile>, exists: bool) -> i128 {
        let first = match profile {
            Some(profile) => profile.first_ms,
            None if exists => self.memory.start_ms.unwrap_or(self.now_ms),
            None => self.now_ms,
        };
        i128::from(self.now_ms.saturating_sub(first) / 1000)
    }

    /// This operation as a movement of the acting account, if it sends something.
    pub(crate) fn event(&self) -> Option<Event> {
        let peer = self.input.receiver().map(|a| a.index);
        let exit = match peer {
            Some(_) => self.input.receiver_exit,
            None => self.input.target(),
        };
        (self.input.sent() > 0).then(|| Event {
            at_ms: self.now_ms,
            amount: self.input.sent(),
            peer,
            exit: exit.unwrap_or_default(),
        })
    }

    /// Counts movements of the acting account in the window, this one included.
    fn sent(&self, window_ms: u64, wanted: impl Fn(&Event) -> bool) -> i128 {
        let Some(event) = self.event() else { return 0 };
        let from = self.now_ms.saturating_sub(window_ms);
        let ring = self.actor.map_or(0, |p| p.out.since(from).filter(|e| wanted(e)).count());
        (ring + usize::from(wanted(&event))) as i128
    }

    fn out_window_share(&self, from: u64) -> i128 {
        let Some(event) = self.event() else { return 0 };
        let earlier = self.actor.into_iter().flat_map(|p| p.out.since(from));
        let sum = earlier.fold(event.amount, |sum, e| sum.saturating_add(e.amount));
        permille(sum, sum.saturating_add(self.balance_after())).into()
    }

    fn versus(&self, value: u128, usual: Option<i32>) -> i128 {
        match usual {
            Some(usual) if usual != 0 && value != 0 => {
                i128::from(log16(value) as i32 - usual / 256)
            }
            _ => 0,
        }
    }

    fn known(&self) -> bool {
        let (Some(profile), Some(event)) = (self.actor, self.event()) else { return false };
        profile.knows(event.peer, event.exit)
    }

    fn lookalike(&self) -> i128 {
        let (Some(profile), Some(event)) = (self.actor, self.event()) else { return 0 };
        if self.known() || Some(event.exit) == self.input.own_exit() {
            return 0;
        }
        let exit = |e: &Event| e.exit != Address::default() && alike(e.exit, event.exit);
        if event.exit != Address::default() && profile.out.all().any(exit) {
            return if event.peer.is_some() { 2 } else { 3 };
        }
        let index = |e: &Event| match (e.peer, event.peer) {
            (Some(a), Some(b)) => paths::swapped(a, b),
            _ => false,
        };
        profile.out.all().any(index).into()
    }

    fn poison(&self) -> i128 {
        let (Some(receiver), Some(exit)) = (self.receiver, self.input.own_exit()) else { return 0 };
        receiver.out.all().any(|e| alike(e.exit, exit)).into()
    }

    fn peer_counts(&self, from: u64, distinct: bool) -> i128 {
        let Some(acting) = self.input.acting() else { return 0 };
        let Some(event) = self.event() else { return 0 };
        let came = Event { peer: Some(acting.index), ..event };
        let Some(receiver) = self.receiver else { return 1 };
        match distinct {
            true => receiver.into.senders(from, Some(came)) as i128,
            false => receiver.into.since(from).filter(|e| e.peer.is_some()).count() as i128 + 1,
        }
    }

    fn target_senders(&self, from: u64) -> i128 {
        let Some(acting) = self.input.acting().filter(|_| self.input.target().is_some()) else {
            return 0;
        };
        let Some(event) = self.event() else { return 0 };
        let came = Event { peer: Some(acting.index), ..event };
        self.target.map_or(1, |t| t.into.senders(from, Some(came)) as i128)
    }

    fn flagged(&self, index: Option<Index>, exit: Option<Address>) -> bool {
        self.lists.flags(index, exit)
    }

    /// Whether the acting account is a source of taint.
    pub(crate) fn actor_flagged(&self) -> bool {
        self.flagged(self.input.acting().map(|a| a.index), self.input.own_exit())
    }

    /// Whether what is paid goes to a flagged account or address.
    pub(crate) fn receiver_flagged(&self) -> bool {
        let receiver = self.input.receiver().map(|a| a.index);
        self.flagged(receiver, self.input.receiver_exit) || self.flagged(None, self.input.target())
    }

    /// Taint of the acting account.
    pub(crate) fn taint(&self) -> Option<Mark> {
        let index = self.input.acting()?.index;
        self.memory.taint.of(index, self.actor_flagged(), self.now_ms)
    }

    fn network(&self, kinds: &[Kind], window_ms: u64) -> i128 {
        let before = kinds.iter().map(|k| self.memory.network.count(*k, self.now_ms, window_ms));
        before.sum::<i128>() + i128::from(kinds.contains(&self.input.kind()))
    }

    fn net_exit_share(&self, window_ms: u64) -> i128 {
        let before = self.stats.map_or(0, |s| s.exited.sum(self.now_ms, window_ms));
        let leaves = if self.input.kind().exits() { self.input.sent() } else { 0 };
        let out = before.saturating_add(leaves);
        let live = self.memory.ledger.totals(self.input.token()).live.saturated();
        permille(out, out.saturating_add(live.saturating_sub(leaves))).into()
    }

    fn limiter_use(&self) -> i128 {
        let Some(used) = self.input.trace.limiter else { return 0 };
        let ahead = used.tat_after.saturating_sub(u128::from(self.input.time));
        permille(ahead, u128::from(used.limits.burst_seconds).max(1)).into()
    }

    fn hour_share(&self) -> i128 {
        self.actor.map_or(0, |p| p.share_of_hour(hour(self.now_ms)).into())
    }

    fn peak_loss(&self) -> i128 {
        let after = self.balance_after();
        let peak = self.actor.map_or(0, |p| p.peak).max(self.balance());
        permille(peak.saturating_sub(after), peak).into()
    }

    fn chain(&self) -> i128 {
        let passes =
            self.actor.filter(|p| p.passes_on(self.now_ms, self.input.sent(), self.balance()));
        passes.map_or(0, |p| i128::from(p.chain) + 1)
    }

    fn cycle(&self, from: u64) -> i128 {
        let (Some(acting), Some(receiver)) = (self.input.acting(), self.input.receiver()) else {
            return 0;
        };
        paths::cycle(&self.memory.accounts, acting.index, receiver.index, from) as i128
    }

    /// The value of a feature, over a window in seconds.
    #[must_use]
    pub fn value(&self, feature: Feature, window: u64) -> i128 {
        let window_ms = window.saturating_mul(1000);
        let from = self.now_ms.saturating_sub(window_ms);
        let trace = &self.input.trace;
        let kind = self.input.kind();
        let profile = self.actor;
        match feature {
            Feature::Kind => kind as i128,
            Feature::Token => self.input.token().into(),
            Feature::Amount => int(trace.amount),
            Feature::Fee => int(trace.fee),
            Feature::FeeShare => permille(trace.fee, trace.amount).into(),
            Feature::Balance => int(self.balance()),
            Feature::Nonce => self.input.actor_before().map_or(0, |a| a.nonce.into()),
            Feature::OutShare => permille(self.input.sent(), self.balance()).into(),
            Feature::RoundDigits => trailing_zeros(trace.amount).into(),
            Feature::Hour => hour(self.now_ms) as i128,
            Feature::Frozen => {
                self.input.actor_before().is_some_and(|a| a.is_frozen(self.input.time)).into()
            }
            Feature::ToOwnExit => (kind == Kind::Withdraw && self.input.is_exit_lane()).into(),
            Feature::Minted => int(imbalance(self.input).0),
            Feature::ReleaseDelay => {
                let release = trace.limiter.map_or(0, |l| l.release_time);
                release.saturating_sub(self.input.time).into()
            }
            Feature::LimiterUse => self.limiter_use(),
            Feature::ShareOfToken => {
                let live = self.memory.ledger.totals(self.input.token()).live.saturated();
                permille(trace.amount, live).into()
            }
            Feature::Age => self.age(profile, self.input.actor_before().is_some()),
            Feature::Idle => match profile.map(|p| p.active_ms) {
                None | Some(0) => self.value(Feature::Age, window),
                active => self.since(active),
            },
            Feature::SinceDeposit => self.since(profile.map(|p| p.deposit_ms)),
            Feature::SinceReceived => self.since(profile.map(|p| p.received_ms)),
            Feature::SinceKeyChange => self.since(profile.map(|p| p.key_ms)),
            Feature::SinceFreeze => self.since(profile.map(|p| p.freeze_ms)),
            Feature::Freezes => profile.map_or(0, |p| p.freezes.into()),
            Feature::Signed => profile.map_or(0, |p| p.signed.into()),
            Feature::AmountVsOwn => self.versus(trace.amount, profile.map(|p| p.usual)),
            Feature::AmountVsToken => self.versus(trace.amount, self.stats.map(|s| s.amount)),
            Feature::FeeVsToken => self.versus(trace.fee, self.stats.map(|s| s.fee)),
            Feature::TokenSigned => self.stats.map_or(0, |s| s.signed.into()),
            Feature::TokenDeposits => self.stats.map_or(0, |s| s.deposits.into()),
            Feature::HourShare => self.hour_share(),
            Feature::PeakLoss => self.peak_loss(),
            Feature::Generation => profile.map_or(0, |p| p.generation.into()),
            Feature::Chain => self.chain(),
            Feature::Known => self.known().into(),
            Feature::OutCount => self.sent(window_ms, |_| true),
            Feature::OutPeers => match (self.event(), profile) {
                (None, _) => 0,
                (Some(_), None) => 1,
                (event, Some(p)) => p.out.peers(from, event) as i128,
            },
            Feature::OutWindowShare => self.out_window_share(from),
            Feature::SameAmount => self.sent(window_ms, |e| e.amount == trace.amount),
            Feature::RoundCount => self.sent(window_ms, |e| trailing_zeros(e.amount) >= 3),
            Feature::ToPeer => {
                let this = self.event();
                self.sent(window_ms, |e| {
                    this.is_some_and(|t| e.peer == t.peer && (e.peer.is_some() || e.exit == t.exit))
                })
            }
            Feature::ExitCount if kind.exits() => self.sent(window_ms, |e| e.peer.is_none()),
            Feature::ExitCount => 0,
            Feature::InCount => profile.map_or(0, |p| p.into.since(from).count() as i128),
            Feature::InPeers => profile.map_or(0, |p| p.into.senders(from, None) as i128),
            Feature::FromPeer => match (self.receiver, self.input.acting()) {
                (Some(receiver), Some(acting)) => {
                    let back = receiver.out.since(from).filter(|e| e.peer == Some(acting.index));
                    back.count() as i128
                }
                _ => 0,
            },
            Feature::Cycle => self.cycle(from),
            Feature::ReceiverNew => (kind == Kind::TransferNew).into(),
            Feature::ReceiverAge => {
                self.age(self.receiver, self.input.receiver().is_some_and(|a| a.before.is_some()))
            }
            Feature::ReceiverBalance => {
                let before = self.input.receiver().and_then(|a| a.before);
                int(before.map_or(0, |a| a.balance))
            }
            Feature::ReceiverInCount if self.input.receiver().is_some() => {
                self.peer_counts(from, false)
            }
            Feature::ReceiverInPeers if self.input.receiver().is_some() => {
                self.peer_counts(from, true)
            }
            Feature::ReceiverInCount | Feature::ReceiverInPeers => 0,
            Feature::ReceiverSigned => self.receiver.map_or(0, |p| p.signed.into()),
            Feature::Lookalike => self.lookalike(),
            Feature::Poison => self.poison(),
            Feature::TargetAge => self.target.map_or(0, |t| self.since(Some(t.first_ms.max(1)))),
            Feature::TargetNew => (self.input.target().is_some() && self.target.is_none()).into(),
            Feature::TargetSenders => self.target_senders(from),
            Feature::Taint => self.taint().map_or(0, |m| i128::from(u64::from(m.ppm) * 1000 / PPM)),
            Feature::TaintHops => self.taint().map_or(0, |m| m.hops.into()),
            Feature::Flagged => self.actor_flagged().into(),
            Feature::ToFlagged => self.receiver_flagged().into(),
            Feature::NetForcedExits => self.network(&[Kind::ForcedExit], window_ms),
            Feature::NetFreezes => self.network(&[Kind::Freeze], window_ms),
            Feature::NetKeyChanges => self.network(&[Kind::ChangeKey], window_ms),
            Feature::NetNewAccounts => {
                self.network(&[Kind::DepositNew, Kind::TransferNew], window_ms)
            }
            Feature::NetExitShare => self.net_exit_share(window_ms),
            Feature::HalfSpace => self.scores.half_space.into(),
            Feature::Robust => self.scores.robust.into(),
        }
    }
}
