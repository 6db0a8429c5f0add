//! What the simulation assumes of the world outside the registry.

/// The world. Money is in the unit of [`Params`](crate::rewards::Params). Rates are per day of 86 400
/// seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct World {
    /// Watchers, the player among them; the others are honest.
    pub watchers: u8,
    /// Attacks that end in a proven event.
    pub attacks_per_day: f64,
    /// What an event brings in: a slashed bond, or a levy on what was saved.
    pub event_amount: u128,
    /// How many subjects everybody suspects. Each attack is by one of them.
    pub suspects: u8,
    /// Chance that a watcher who executes sees an attack before its event.
    pub detection: f64,
    /// Harmless subjects that an honest watcher takes for attackers.
    pub alarms_per_day: f64,
    /// Chance that a report which asks for a freeze gets one.
    pub freeze_chance: f64,
    /// Length of a freeze.
    pub freeze_seconds: u64,
    /// Mean time from the first sign of an attack to its event.
    pub lead_seconds: f64,
    /// Mean time from the first sign to a watcher's commitment.
    pub sight_seconds: f64,
    /// Mean time from a commitment to its opening.
    pub reveal_seconds: f64,
    /// Cost of executing the chain again, per day.
    pub diligence_cost: f64,
    /// Chance that who did not execute guesses an epoch's digest from old ones.
    pub stale_chance: f64,
    /// Cost of one call of the registry.
    pub transaction_cost: f64,
    /// Cost of a unit of stake, per day.
    pub capital_cost: f64,
    /// For how many days a watcher comes.
    pub stay_days: f64,
    /// What an operator gains by signing two receipts for one place.
    pub equivocation_gain: f64,
    /// What a pair gains by one freeze of a harmless account.
    pub framing_gain: f64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            watchers: 4,
            attacks_per_day: 0.004,
            event_amount: 20_000,
            suspects: 5,
            detection: 0.8,
            alarms_per_day: 0.005,
            freeze_chance: 0.5,
            freeze_seconds: 21_600,
            lead_seconds: 900.0,
            sight_seconds: 60.0,
            reveal_seconds: 30.0,
            diligence_cost: 100.0,
            stale_chance: 0.5,
            transaction_cost: 1.0,
            capital_cost: 0.000_3,
            stay_days: 30.0,
            equivocation_gain: 2_000.0,
            framing_gain: 300.0,
        }
    }
}
