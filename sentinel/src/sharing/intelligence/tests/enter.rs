use super::*;

#[test]
fn signatures_are_judged() {
    let world = World::new(1);
    assert!(names(&world.bring(world.indicator(2, 7)), "Unsigned"));
    let stranger = raw(&signer(9).sign(world.indicator(9, 7)).unwrap());
    assert!(names(&world.bring(stranger), "UnknownSigner"));
    let wrong_key = Signer::new(id(2), &[9; 32]).unwrap();
    let forged = raw(&wrong_key.sign(world.indicator(2, 7)).unwrap());
    assert!(names(&world.bring(forged), "Signature"));
    let mut changed = raw(&signer(2).sign(world.indicator(2, 7)).unwrap());
    changed["confidence"] = json!(100);
    assert!(names(&world.bring(changed), "Signature"));
    // Signed by one, made by another.
    let mut without = world.indicator(3, 7);
    without.as_object_mut().unwrap().remove("created_by_ref");
    let mut lent = raw(&signer(3).sign(without).unwrap());
    lent["created_by_ref"] = json!(id(2));
    assert!(names(&world.bring(lent), "Signature"));
    assert_eq!(world.lookup(7), Lookup::default());
}

/// A member signs, with its own good key, what says that another member made it.
#[test]
fn nobody_speaks_in_the_name_of_another() {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use base64::Engine as _;
    use ed25519_dalek::{Signer as _, SigningKey};
    let world = World::new(1);
    let mut object = world.indicator(2, 7);
    let mut sign = |kid: Id| {
        object.as_object_mut().unwrap().remove("extensions");
        let content = Object::from_value(object.clone()).unwrap().content();
        let header = json!({ "alg": "EdDSA", "kid": kid, "typ": "stix+jws" }).to_string();
        let header = URL_SAFE_NO_PAD.encode(header);
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(content));
        let n = if kid == id(3) { 3 } else { 2 };
        let signature = SigningKey::from_bytes(&[n; 32]).sign(input.as_bytes()).to_bytes();
        let jws = format!("{header}..{}", URL_SAFE_NO_PAD.encode(signature));
        let extension = json!({ "extension_type": "property-extension", "jws": jws });
        object["extensions"] = json!({ crate::sharing::sign::SIGNATURE_EXTENSION: extension });
        object.clone()
    };
    let (by_another, by_its_maker) = (sign(id(3)), sign(id(2)));
    assert!(names(&world.bring(by_another), "Signature"));
    assert_eq!(world.lookup(7), Lookup::default());
    world.bring(by_its_maker).unwrap();
}

#[test]
fn an_old_version_that_is_replayed_changes_nothing() {
    let world = World::new(1);
    let first = signer(2).sign(world.indicator(2, 7)).unwrap();
    world.pass(10);
    let second = Value::Object(draft::next_version(&first, world.now()));
    let second = signer(2).sign(second).unwrap();
    world.pass(10);
    let last = signer(2).sign(draft::revocation(&second, world.now())).unwrap();
    world.bring(raw(&second)).unwrap();
    assert!(names(&world.bring(raw(&first)), "Stale"));
    world.bring(raw(&last)).unwrap();
    assert!(names(&world.bring(raw(&first)), "Withdrawn"));
    // A version that is known is no error: feeds repeat themselves.
    world.bring(raw(&second)).unwrap();
    assert_eq!(world.lookup(7), Lookup::default());
    // Nothing comes after the end, not even a later version.
    world.pass(10);
    let mut again = Value::Object(draft::next_version(&last, world.now()));
    again["revoked"] = json!(false);
    assert!(names(&world.send(2, again), "Withdrawn"));
}

#[test]
fn one_version_has_one_content() {
    let world = World::new(1);
    let mut object = world.indicator(2, 7);
    world.send(2, object.clone()).unwrap();
    world.send(2, object.clone()).unwrap();
    object["name"] = json!("Another");
    assert!(names(&world.send(2, object), "Conflict"));
}

#[test]
fn versions_from_the_future_are_refused() {
    let world = World::new(1);
    let later = Timestamp::from_micros(world.now().micros() + 400_000_000);
    let mut object = world.indicator(2, 7);
    object["modified"] = json!(later);
    assert!(names(&world.send(2, object.clone()), "Future"));
    world.pass(200);
    world.send(2, object).unwrap();
}

#[test]
fn a_source_has_its_quota_and_may_always_take_back() {
    let world = World::with(1, Quotas { per_hour: 2, ..Quotas::default() });
    let first = signer(2).sign(world.indicator(2, 7)).unwrap();
    world.bring(raw(&first)).unwrap();
    world.send(2, world.indicator(2, 8)).unwrap();
    assert!(names(&world.send(2, world.indicator(2, 9)), "Quota"));
    world.send(3, world.indicator(3, 9)).unwrap();
    world.pass(1);
    world.send(2, draft::revocation(&first, world.now())).unwrap();
    world.pass(3_600);
    world.send(2, world.indicator(2, 9)).unwrap();
    // What comes again is no second version, and uses nothing up.
    let world = World::with(1, Quotas { per_hour: 1, ..Quotas::default() });
    let only = raw(&signer(2).sign(world.indicator(2, 7)).unwrap());
    for _ in 0..3 {
        world.bring(only.clone()).unwrap();
    }
}

#[test]
fn a_quota_outlives_a_restart() {
    let world = World::with(1, Quotas { per_hour: 1, ..Quotas::default() });
    world.send(2, world.indicator(2, 7)).unwrap();
    let world = world.reopened(trust(1));
    assert!(names(&world.send(2, world.indicator(2, 8)), "Quota"));
}

#[test]
fn each_object_of_a_batch_is_judged_on_its_own() {
    let world = World::new(1);
    let first = signer(2).sign(world.indicator(2, 7)).unwrap();
    let second = signer(2).sign(draft::revocation(&first, world.now())).unwrap();
    let batch = vec![raw(&first), json!(7), raw(&first), raw(&second), world.indicator(2, 8)];
    let outcomes = world.here.accept(MAIN, "peer", batch);
    let new: Vec<_> = outcomes.iter().map(|o| o.as_ref().ok().map(|a| a.is_new)).collect();
    assert_eq!(new, [Some(true), None, Some(false), Some(true), None]);
    let outcomes = world.here.accept("nowhere", "peer", vec![raw(&first)]);
    assert!(matches!(outcomes[..], [Err(SharingError::NoCollection { .. })]));
}

#[test]
fn everything_is_there_after_a_restart() {
    let world = World::new(1);
    world.send(2, world.indicator(2, 7)).unwrap();
    let gone = world.send(3, world.indicator(3, 8)).unwrap();
    let before = world.here.page(MAIN, &Query::all(None, 10), &everything()).unwrap();
    let key = Key { maker: Maker::Signer(id(3)), id: gone };
    assert!(world.here.withdraw(&key).unwrap());
    assert!(!world.here.withdraw(&key).unwrap());
    let world = world.reopened(trust(1));
    let after = world.here.page(MAIN, &Query::all(None, 10), &everything()).unwrap();
    assert_eq!(after.entries.len(), 1);
    assert_eq!(after.entries[0].added, before.entries[0].added);
    assert!(world.lookup(7).may_freeze && !world.lookup(8).may_freeze);
    // What was withdrawn does not come back.
    assert!(names(&world.bring(raw(&before.entries[1].object)), "Withdrawn"));
    // New entries are later than old ones, even if the clock was set back.
    world.clock.fetch_sub(60_000_000, std::sync::atomic::Ordering::SeqCst);
    world.send(4, world.indicator(4, 7)).unwrap();
    let last = world.here.page(MAIN, &Query::all(None, 10), &everything()).unwrap();
    assert!(last.entries[1].added > last.entries[0].added);
}

#[test]
fn what_has_expired_for_long_makes_room() {
    let world = World::with(1, Quotas { objects: 2, ..Quotas::default() });
    let mut short = world.draft(7, Tlp::Green);
    short.valid_until = Some(Timestamp::from_micros(world.now().micros() + 1_000_000));
    let expiring = signer(2).sign(draft::indicator(&id(2), &short, world.now()).unwrap()).unwrap();
    world.bring(raw(&expiring)).unwrap();
    world.send(2, world.indicator(2, 8)).unwrap();
    world.pass(29 * 86_400);
    assert_eq!(world.here.compact().unwrap(), 0);
    assert!(names(&world.send(2, world.indicator(2, 9)), "Quota"));
    world.pass(2 * 86_400);
    assert_eq!(world.here.compact().unwrap(), 1);
    world.send(2, world.indicator(2, 9)).unwrap();
    assert!(names(&world.bring(raw(&expiring)), "Past"));
    let world = world.reopened(trust(1));
    assert!(world.lookup(8).may_freeze && world.lookup(9).may_freeze);
}

fn everything() -> Reader {
    Reader::Peer { name: "x".into(), identity: Some(id(3)) }
}
