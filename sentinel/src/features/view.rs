//! The values of the features of one operation.

use bastion_protocol::Kind;

use super::Feature;
use crate::fixed::{permille, trailing_zeros, PPM};
use crate::invariants::imbalance;
use crate::profile::{hour, Profile, Target, TokenStats};
use crate::rules::Lists;
use crate::screener::Memory;
use crate::Input;

/// What stands for "never" in features that are times: more seconds than any window.
pub(super) const NEVER: i128 = 1 << 40;

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
    pub(super) input: &'a Input,
    pub(super) memory: &'a Memory,
    pub(super) lists: &'a Lists,
    pub(super) scores: Scores,
    pub(super) now_ms: u64,
    pub(super) actor: Option<&'a Profile>,
    pub(super) receiver: Option<&'a Profile>,
    pub(super) target: Option<&'a Target>,
    pub(super) stats: Option<&'a TokenStats>,
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
            Feature::Idle => match profile.map(|p| p.quiet_ms(self.now_ms)) {
                None | Some(0) => self.value(Feature::Age, window),
                quiet => self.since(quiet),
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
            Feature::TargetNew => self.target_new().into(),
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
