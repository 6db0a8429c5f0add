//! What happens in one epoch, whatever the player does.

use super::{rng::Rng, World};
use crate::rewards::Params;

/// Number of the player among the watchers.
pub(super) const PLAYER: u8 = 0;

/// The kind of an epoch. Attacks are rare, so each kind is played for itself and weighted by its chance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) attack: bool,
    /// Whether the player, if it reports, takes a harmless subject for an attacker.
    pub(super) alarm: bool,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [
        Self { attack: false, alarm: false },
        Self { attack: false, alarm: true },
        Self { attack: true, alarm: false },
        Self { attack: true, alarm: true },
    ];

    /// Its chance in an epoch.
    pub(super) fn weight(self, world: &World, params: &Params) -> f64 {
        let days = days(params);
        let chance = |rate: f64| 1.0 - (-rate * days).exp();
        let (attack, alarm) = (chance(world.attacks_per_day), chance(world.alarms_per_day));
        let part = |flag, p: f64| if flag { p } else { 1.0 - p };
        part(self.attack, attack) * part(self.alarm, alarm)
    }

    /// How many samples of it, where a quiet epoch has `samples`.
    pub(super) fn samples(self, samples: u32) -> u32 {
        match (self.attack, self.alarm) {
            (true, false) => samples * 4,
            (false, _) => samples,
            (true, true) => samples.div_ceil(4),
        }
    }
}

/// Days of an epoch.
pub(super) fn days(params: &Params) -> f64 {
    params.epoch_seconds as f64 / 86_400.0
}

/// An attack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attack {
    pub(super) subject: u8,
    /// When its event is proven.
    pub(super) event: u64,
}

/// The chances of an epoch, drawn before anybody acts, so that all strategies meet the same.
#[derive(Debug, Clone)]
pub(super) struct Day {
    pub(super) attack: Option<Attack>,
    /// When each watcher commits to a report of the attack, if it sees it.
    pub(super) sights: Vec<Option<u64>>,
    /// How long each watcher takes to open a commitment.
    pub(super) openings: Vec<u64>,
    /// When the player takes a harmless subject for an attacker.
    pub(super) alarm: Option<u64>,
    /// Whether the reports of the attack and of the harmless subject get their freezes.
    pub(super) freezes: [bool; 2],
    /// Whether an old digest is right.
    pub(super) stale_right: bool,
    /// The suspect that is reported blindly, and when it is committed to for hindsight.
    pub(super) guess: (u8, u64),
}

impl Day {
    /// Sample `k` of `n` of a kind.
    pub(super) fn draw(
        world: &World,
        params: &Params,
        kind: Kind,
        seed: u64,
        (k, n): (u32, u32),
    ) -> Self {
        let label = u64::from(kind.attack) * 2 + u64::from(kind.alarm);
        let mut rng = Rng::new(seed, label, k.into());
        let epoch = params.epoch_seconds;
        let first = epoch / 8 + rng.below(epoch / 2);
        let suspects = u64::from(world.suspects);
        let subject = rng.below(suspects) as u8;
        let event = first.saturating_add(1).saturating_add(rng.wait(world.lead_seconds));
        let watchers = 0..world.watchers;
        let sight = |rng: &mut Rng| {
            let (seen, after) = (rng.chance(world.detection), rng.wait(world.sight_seconds));
            let at = first.saturating_add(after);
            (seen && kind.attack && at < event).then_some(at)
        };
        let sights = watchers.clone().map(|_| sight(&mut rng)).collect();
        // Nobody opens before the commitment has its place in the order.
        let opening = |rng: &mut Rng| rng.wait(world.reveal_seconds).saturating_add(1);
        let openings = watchers.map(|_| opening(&mut rng)).collect();
        let alarm = epoch / 8 + rng.below(epoch / 2);
        let freezes = [(); 2].map(|()| rng.chance(world.freeze_chance));
        let guess = (rng.below(suspects) as u8, rng.below(epoch));
        Self {
            attack: kind.attack.then_some(Attack { subject, event }),
            sights,
            openings,
            alarm: kind.alarm.then_some(alarm),
            freezes,
            // Spread evenly over the samples, which makes its mean exact.
            stale_right: f64::from(k) + 0.5 < world.stale_chance * f64::from(n),
            guess,
        }
    }

    /// When the first of the others opens a report of the attack.
    pub(super) fn first_opening(&self) -> Option<u64> {
        let all = self.sights.iter().zip(&self.openings).skip(1);
        all.filter_map(|(sight, wait)| sight.map(|at| at.saturating_add(*wait))).min()
    }
}
