//! What an attacker tries on the way from a verdict to its effect.

use super::*;
use crate::service::Control;

/// A playbook that freezes for a theft, with room for so many freezes.
fn freezing(world: &mut World) {
    world.config.playbooks = None;
    world.open();
}

#[test]
fn what_others_say_does_not_hold_back_the_guardian() {
    let mut world = World::new(Mode::Enforce);
    world.config.feed = Some(feed_of(&world));
    world.open();
    world.fund(2);
    world.sentinel().publish(dev_exit("user"), "a theft", 950, wall_ms()).unwrap();
    until(|| world.sentinel().claims().unwrap().memo().indicators != [0; 32]);
    let time = world.time;
    let freeze = world.sequencer().sign_as_guardian(FIRST_USER, Some(600), None, time).unwrap();
    world.send(freeze).unwrap();
    assert!(world.sequencer().state().account(FIRST_USER).unwrap().is_frozen(time));
    // What the owner of such an account sends to others is held back.
    let pay = world.sign(&key(1), 1, 0, Action::Transfer { to: FIRST_USER, amount: 1_000 });
    assert!(matches!(world.send(pay), Err(Decline::Held { .. })));
}

#[test]
fn while_nothing_is_accepted_nothing_held_back_is_executed() {
    let mut world = World::new(Mode::Enforce);
    world.fund(2);
    let control = Control::default();
    world.sequencer().controlled_by(control.clone());
    let (drain, answer) = world.theft();
    assert!(matches!(answer, Err(Decline::Held { .. })), "{answer:?}");
    let hash = operation_hash(&Op::Signed(drain));
    control.set_paused(true);
    assert!(world.sentinel().release(&hash).unwrap());
    let time = world.time;
    world.sequencer().run_due(time).unwrap();
    assert!(world.sequencer().log().find(&hash).unwrap().is_none(), "it was executed");
    control.set_paused(false);
    world.sequencer().run_due(time).unwrap();
    assert!(world.sequencer().log().find(&hash).unwrap().is_some(), "it is forgotten");
}

#[test]
fn who_was_let_go_is_not_frozen_for_the_same_operation() {
    let mut world = World::new(Mode::Enforce);
    freezing(&mut world);
    world.fund(2);
    let (drain, answer) = world.theft();
    assert!(matches!(answer, Err(Decline::Held { .. })), "{answer:?}");
    // The freeze that it led to is lost, as if there had been no room for it.
    world.sentinel().responder.orders.clear();
    let hash = operation_hash(&Op::Signed(drain));
    assert!(world.sentinel().release(&hash).unwrap());
    let time = world.time;
    world.sequencer().run_due(time).unwrap();
    assert!(world.sequencer().log().find(&hash).unwrap().is_some(), "it is not executed");
    assert!(world.sentinel().responder.orders.is_empty(), "it is frozen after the fact");
}

#[test]
fn a_failure_to_write_is_not_taken_away_from_the_sequencer() {
    let mut world = World::new(Mode::Watch);
    world.fund(1);
    world.sentinel().unwritten = Some("the disk is full".into());
    // Whoever asks first, such as an admin's request, is told, and so is the sequencer.
    for _ in 0..2 {
        assert!(world.sentinel().sync().is_err());
    }
    let pay = world.sign(&key(0), 0, 0, Action::Transfer { to: FIRST_USER, amount: 1 });
    let time = world.time;
    assert!(world.sequencer().sequence(&[pay], time).is_err());
}

#[test]
fn a_start_and_other_rules_leave_a_trace() {
    let mut world = World::new(Mode::Enforce);
    world.config.mode = Mode::Watch;
    world.open();
    let findings = world.findings();
    let said = |text: &str| findings.iter().any(|finding| finding.contains(text));
    assert!(said("started in mode enforce") && said("started in mode watch"), "{findings:?}");
    let rules = RuleSet::builtin().unwrap();
    let now = wall_ms();
    world.sentinel().put_in_force(Ok(rules), "pinned for 60 s: a trial", now).unwrap();
    let findings = world.findings();
    assert!(findings.last().unwrap().contains("pinned for 60 s: a trial"), "{findings:?}");
}
