//! What the values of features are made of.

use bastion_protocol::{Address, Index, Kind};

use super::paths;
use super::view::{View, NEVER};
use crate::fixed::{log16, permille};
use crate::graph::Mark;
use crate::profile::{alike, hour, Event, Profile, Target};

impl View<'_> {
    pub(super) fn balance(&self) -> u128 {
        self.input.actor_before().map_or(0, |a| a.balance)
    }

    pub(super) fn balance_after(&self) -> u128 {
        self.input.acting().and_then(|a| a.after).map_or(0, |a| a.balance)
    }

    /// Seconds since a time, which is 0 for never.
    pub(super) fn since(&self, ms: Option<u64>) -> i128 {
        match ms {
            None | Some(0) => NEVER,
            Some(ms) => i128::from(self.now_ms.saturating_sub(ms) / 1000),
        }
    }

    /// Seconds since an account was seen first; one that nobody has seen is as old as the memory.
    pub(super) fn age(&self, profile: Option<&Profile>, exists: bool) -> i128 {
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
    pub(super) fn sent(&self, window_ms: u64, wanted: impl Fn(&Event) -> bool) -> i128 {
        let Some(event) = self.event() else { return 0 };
        let from = self.now_ms.saturating_sub(window_ms);
        let ring = self.actor.map_or(0, |p| p.out.since(from).filter(|e| wanted(e)).count());
        (ring + usize::from(wanted(&event))) as i128
    }

    pub(super) fn out_window_share(&self, from: u64) -> i128 {
        let Some(event) = self.event() else { return 0 };
        let earlier = self.actor.into_iter().flat_map(|p| p.out.since(from));
        let sum = earlier.fold(event.amount, |sum, e| sum.saturating_add(e.amount));
        permille(sum, sum.saturating_add(self.balance_after())).into()
    }

    pub(super) fn versus(&self, value: u128, usual: Option<i32>) -> i128 {
        match usual {
            Some(usual) if usual != 0 && value != 0 => {
                i128::from(log16(value) as i32 - usual / 256)
            }
            _ => 0,
        }
    }

    pub(super) fn known(&self) -> bool {
        let (Some(profile), Some(event)) = (self.actor, self.event()) else { return false };
        profile.knows(&event)
    }

    pub(super) fn target_new(&self) -> bool {
        let known = |t: &Target| t.is_known(self.now_ms, self.input.sent());
        self.input.target().is_some() && !self.target.is_some_and(known)
    }

    pub(super) fn lookalike(&self) -> i128 {
        let like = self.like();
        if like != 0 && self.known() {
            return 0;
        }
        like
    }

    fn like(&self) -> i128 {
        let (Some(profile), Some(event)) = (self.actor, self.event()) else { return 0 };
        if Some(event.exit) == self.input.own_exit() {
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

    pub(super) fn poison(&self) -> i128 {
        let (Some(receiver), Some(exit)) = (self.receiver, self.input.own_exit()) else { return 0 };
        receiver.out.all().any(|e| alike(e.exit, exit)).into()
    }

    pub(super) fn peer_counts(&self, from: u64, distinct: bool) -> i128 {
        let Some(acting) = self.input.acting() else { return 0 };
        let Some(event) = self.event() else { return 0 };
        let came = Event { peer: Some(acting.index), ..event };
        let Some(receiver) = self.receiver else { return 1 };
        match distinct {
            true => receiver.into.senders(from, Some(came)) as i128,
            false => receiver.into.since(from).filter(|e| e.peer.is_some()).count() as i128 + 1,
        }
    }

    pub(super) fn target_senders(&self, from: u64) -> i128 {
        let Some(acting) = self.input.acting().filter(|_| self.input.target().is_some()) else {
            return 0;
        };
        let Some(event) = self.event() else { return 0 };
        let came = Event { peer: Some(acting.index), ..event };
        self.target.map_or(1, |t| t.into.senders(from, Some(came)) as i128)
    }

    pub(super) fn flagged(&self, index: Option<Index>, exit: Option<Address>) -> bool {
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

    pub(super) fn network(&self, kinds: &[Kind], window_ms: u64) -> i128 {
        let before = kinds.iter().map(|k| self.memory.network.count(*k, self.now_ms, window_ms));
        before.sum::<i128>() + i128::from(kinds.contains(&self.input.kind()))
    }

    pub(super) fn net_exit_share(&self, window_ms: u64) -> i128 {
        let before = self.stats.map_or(0, |s| s.exited.sum(self.now_ms, window_ms));
        let leaves = if self.input.kind().exits() { self.input.sent() } else { 0 };
        let out = before.saturating_add(leaves);
        let live = self.memory.ledger.totals(self.input.token()).live.saturated();
        permille(out, out.saturating_add(live.saturating_sub(leaves))).into()
    }

    pub(super) fn limiter_use(&self) -> i128 {
        let Some(used) = self.input.trace.limiter else { return 0 };
        let ahead = used.tat_after.saturating_sub(u128::from(self.input.time));
        permille(ahead, u128::from(used.limits.burst_seconds).max(1)).into()
    }

    pub(super) fn hour_share(&self) -> i128 {
        self.actor.map_or(0, |p| p.share_of_hour(hour(self.now_ms)).into())
    }

    pub(super) fn peak_loss(&self) -> i128 {
        let after = self.balance_after();
        let peak = self.actor.map_or(0, |p| p.peak).max(self.balance());
        permille(peak.saturating_sub(after), peak).into()
    }

    pub(super) fn chain(&self) -> i128 {
        let passes =
            self.actor.filter(|p| p.passes_on(self.now_ms, self.input.sent(), self.balance()));
        passes.map_or(0, |p| i128::from(p.chain) + 1)
    }

    pub(super) fn cycle(&self, from: u64) -> i128 {
        let (Some(acting), Some(receiver)) = (self.input.acting(), self.input.receiver()) else {
            return 0;
        };
        paths::cycle(&self.memory.accounts, acting.index, receiver.index, from) as i128
    }
}
