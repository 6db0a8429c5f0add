use proptest::prelude::*;

use super::*;

const T: u64 = 1_700_000_000_000;

fn alert(key: &str, event: Event, severity: Severity, at_ms: u64) -> Alert {
    let (title, text, fields) = Default::default();
    Alert { key: key.into(), event, severity, title, text, at_ms, fields }
}

fn warning(key: &str, at_ms: u64) -> Alert {
    alert(key, Event::Trigger, Severity::Warning, at_ms)
}

#[test]
fn repetitions_are_dropped_until_it_was_quiet() {
    let mut gate = Gate::new(300, 100);
    assert_eq!(gate.pass(&warning("a", T)), Pass::Go(0));
    assert_eq!(gate.pass(&warning("a", T + 1)), Pass::Repeated);
    assert_eq!(gate.pass(&warning("b", T + 1)), Pass::Go(1));
    assert_eq!(gate.pass(&warning("a", T + 299_999)), Pass::Repeated);
    assert_eq!(gate.pass(&warning("a", T + 300_000)), Pass::Go(1));
}

#[test]
fn a_resolve_ends_what_a_trigger_began() {
    let mut gate = Gate::new(300, 100);
    let resolve = |at| alert("a", Event::Resolve, Severity::Info, at);
    assert_eq!(gate.pass(&warning("a", T)), Pass::Go(0));
    assert_eq!(gate.pass(&resolve(T + 1)), Pass::Go(0));
    assert_eq!(gate.pass(&resolve(T + 2)), Pass::Repeated);
    assert_eq!(gate.pass(&warning("a", T + 3)), Pass::Go(1));
}

#[test]
fn others_do_not_crowd_out_critical_ones() {
    let mut gate = Gate::new(0, 3);
    for i in 0..3 {
        assert_eq!(gate.pass(&warning(&format!("w{i}"), T)), Pass::Go(0));
    }
    assert_eq!(gate.pass(&warning("w3", T)), Pass::Limited);
    let critical = |i: u64| alert(&format!("c{i}"), Event::Trigger, Severity::Critical, T);
    assert_eq!(gate.pass(&critical(0)), Pass::Go(1));
    assert_eq!(gate.pass(&critical(1)), Pass::Go(0));
    assert_eq!(gate.pass(&critical(2)), Pass::Go(0));
    assert_eq!(gate.pass(&critical(3)), Pass::Limited);
    assert_eq!(gate.pass(&warning("w4", T + 60_000)), Pass::Go(1));
}

#[test]
fn what_did_not_arrive_is_no_repetition() {
    let mut gate = Gate::new(300, 100);
    let first = warning("a", T);
    assert_eq!(gate.pass(&first), Pass::Go(0));
    gate.forget(&first);
    assert_eq!(gate.pass(&warning("a", T + 1)), Pass::Go(0));
    // An old failure forgets nothing newer.
    gate.forget(&first);
    assert_eq!(gate.pass(&warning("a", T + 2)), Pass::Repeated);
}

#[test]
fn a_clock_that_goes_back_silences_nothing_for_longer() {
    let mut gate = Gate::new(300, 1);
    assert_eq!(gate.pass(&warning("a", T + 1_000_000_000)), Pass::Go(0));
    assert_eq!(gate.pass(&warning("a", T)), Pass::Go(0));
}

#[test]
fn memory_is_bounded() {
    let mut gate = Gate::new(86_400, 600);
    for i in 0..2 * MAX_KEYS as u64 {
        gate.pass(&warning(&format!("k{i}"), T + i * 200));
    }
    assert!(gate.keys.len() <= MAX_KEYS && gate.keys.len() > MAX_KEYS / 2);
    assert!(gate.keys.contains_key(&format!("k{}", 2 * MAX_KEYS - 1)));
}

proptest! {
    #[test]
    fn no_minute_has_more_than_the_rate(
        steps in proptest::collection::vec((0..5_u8, any::<bool>(), 0..20_000_u64), 1..100), rate in 1..5_u32,
    ) {
        let mut gate = Gate::new(30, rate);
        let (mut now, mut out) = (T, Vec::new());
        for (key, critical, wait) in steps {
            now += wait;
            let severity = if critical { Severity::Critical } else { Severity::Info };
            if let Pass::Go(_) = gate.pass(&alert(&key.to_string(), Event::Trigger, severity, now)) {
                out.push((now, critical));
            }
        }
        for (end, kind) in &out {
            let count = out.iter().filter(|(t, k)| k == kind && t <= end && end - t < 60_000).count();
            prop_assert!(count <= rate as usize);
        }
    }
}
