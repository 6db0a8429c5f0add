use super::*;
use crate::rewards::Params;

fn margin(study: &Study, params: &Params, strategy: Strategy) -> Margin {
    study.compare(params, &[strategy]).unwrap().margins[0]
}

#[test]
fn honesty_is_best_at_the_defaults() {
    let params = Params::default();
    params.check().unwrap();
    let region = is_best_reply(&params).unwrap();
    assert!(region.inside(), "{region:#?}");
    assert_eq!(region.broken().count(), 0);
    assert!(region.honest > 0.0);
    // The same seed draws the same chances.
    let again = Study::default().compare(&params, &[Strategy::Stale]).unwrap();
    assert_eq!(again.honest, region.honest);
    let stale = region.margins.iter().find(|m| m.strategy == Strategy::Stale);
    assert_eq!(Some(&again.margins[0]), stale);
}

#[test]
fn defaults_hold_for_another_seed() {
    let study = Study { samples: 16, seed: 2, ..Study::default() };
    let region = study.region(&Params::default()).unwrap();
    // Fewer samples: the sign, without the two standard errors.
    assert!(region.margins.iter().all(|m| m.margin > 0.0), "{region:#?}");
}

/// For each parameter a value outside, and who breaks it there.
const OUTSIDE: [(Knob, u64, Strategy); 14] = [
    (Knob::Stake, 500, Strategy::Silent),
    (Knob::Stake, 300_000, Strategy::Absent),
    (Knob::RewardPermille, 50, Strategy::Silent),
    (Knob::BurnPermille, 50, Strategy::SelfSlasher),
    (Knob::Penalty, 100, Strategy::Framing),
    (Knob::Penalty, 5_000, Strategy::Silent),
    (Knob::NoiseFee, 0, Strategy::Spammer),
    (Knob::EpochSeconds, 604_800, Strategy::Absent),
    (Knob::EpochBudget, 1_000, Strategy::Silent),
    (Knob::DiligencePot, 200, Strategy::Absent),
    (Knob::DiligenceFine, 0, Strategy::Stale),
    (Knob::RevealWindow, 5, Strategy::Silent),
    (Knob::EventWindow, 60, Strategy::FrontRunning),
    (Knob::WithdrawDelay, 189_216_000, Strategy::Absent),
];

#[test]
fn each_parameter_has_values_outside() {
    let base = Params::default();
    for knob in Knob::ALL {
        assert!(OUTSIDE.iter().any(|(k, ..)| *k == knob), "{}", knob.name());
    }
    for (knob, value, strategy) in OUTSIDE {
        // A front-runner wins rarely and much.
        let samples = if strategy == Strategy::FrontRunning { 64 } else { 16 };
        let study = Study { samples, ..Study::default() };
        let margin = margin(&study, &knob.set(&base, value), strategy);
        assert!(!margin.holds(), "{} = {value}: {margin:?}", knob.name());
    }
}

#[test]
fn self_slashing_loses_exactly_what_is_burned() {
    let (study, base) = (Study { samples: 8, ..Study::default() }, Params::default());
    let calls = 2.0 * study.world.transaction_cost;
    for burn in [300_u64, 500, 600] {
        let params = Knob::BurnPermille.set(&base, burn);
        let burned = study.world.event_amount as f64 * burn as f64 / 1000.0;
        let margin = margin(&study, &params, Strategy::SelfSlasher).margin;
        // Beside that, an attack of the same epoch shares its budget.
        assert!(
            (margin - (burned - study.world.equivocation_gain + calls)).abs() < 30.0,
            "{margin}"
        );
    }
}

#[test]
fn framing_loses_the_penalty_less_its_gain() {
    let (study, base) = (Study { samples: 8, ..Study::default() }, Params::default());
    for penalty in [100_u64, 290, 310, 1_000] {
        let params = Knob::Penalty.set(&base, penalty);
        let margin = margin(&study, &params, Strategy::Framing).margin;
        let expected =
            penalty as f64 - study.world.framing_gain + 2.0 * study.world.transaction_cost;
        assert!((margin - expected).abs() < 1e-6, "{margin} {expected}");
    }
}

#[test]
fn copies_never_earn_a_reward() {
    // With answers and stakes out of the way, a copycat has only what it copies.
    let world = World { capital_cost: 0.0, stale_chance: 0.0, ..World::default() };
    let params = Params { diligence_pot: 0, diligence_fine: 0, ..Params::default() };
    let study = Study { world, samples: 16, seed: 1 };
    for strategy in [Strategy::Copycat, Strategy::Stale] {
        assert!(margin(&study, &params, strategy).profit < 0.0);
    }
    let front = margin(&study, &params, Strategy::FrontRunning);
    assert!(front.margin > 0.0);
}

#[test]
fn delaying_is_a_known_gap() {
    let study = Study { samples: 16, ..Study::default() };
    for strategy in Strategy::OPEN {
        let margin = margin(&study, &Params::default(), strategy);
        assert!(margin.margin < 0.0, "closed: move it to COVERED: {margin:?}");
    }
}
