use super::*;

#[test]
fn one_source_short_of_enough_does_not_freeze() {
    let world = World::new(3);
    world.send(2, world.indicator(2, 7)).unwrap();
    world.send(3, world.indicator(3, 7)).unwrap();
    let two = world.lookup(7);
    assert_eq!((two.sources.len(), two.may_freeze), (2, false));
    assert!(two.confidence > 0);
    world.send(4, world.indicator(4, 7)).unwrap();
    let three = world.lookup(7);
    assert_eq!((three.sources.len(), three.indicators.len(), three.may_freeze), (3, 3, true));
    assert!(three.confidence > two.confidence);
    assert_eq!(world.lookup(8), Lookup::default());
}

#[test]
fn confidence_is_what_no_source_leaves_open() {
    let world = World::new(3);
    world.send(2, world.indicator(2, 7)).unwrap();
    assert_eq!(world.lookup(7).confidence, 720);
    world.send(3, world.indicator(3, 7)).unwrap();
    assert_eq!(world.lookup(7).confidence, 921);
}

#[test]
fn a_sighting_is_a_further_source() {
    let world = World::new(2);
    let seen = world.send(2, world.indicator(2, 7)).unwrap();
    let sighting = |maker: u8, count: u32| {
        draft::sighting(&id(maker), &seen, count, 90, Tlp::Green, world.now()).unwrap()
    };
    world.send(3, sighting(3, 0)).unwrap();
    assert_eq!(world.lookup(7).sources.len(), 1, "it was looked for and not seen");
    world.send(2, sighting(2, 5)).unwrap();
    assert_eq!(world.lookup(7).sources.len(), 1, "its maker has seen it again");
    world.send(3, sighting(3, 1)).unwrap();
    assert!(world.lookup(7).may_freeze);
}

#[test]
fn a_sighting_that_is_taken_back_counts_no_more() {
    let world = World::new(2);
    let seen = world.send(2, world.indicator(2, 7)).unwrap();
    let sighting = draft::sighting(&id(3), &seen, 1, 90, Tlp::Green, world.now()).unwrap();
    let sighting = signer(3).sign(sighting).unwrap();
    world.bring(raw(&sighting)).unwrap();
    assert!(world.lookup(7).may_freeze);
    world.pass(1);
    world.send(3, draft::revocation(&sighting, world.now())).unwrap();
    assert!(!world.lookup(7).may_freeze);
}

/// Chains 5 and 6 have other identities, keys and names, and one operator.
#[test]
fn one_operator_is_one_source_under_any_identity_and_key() {
    let world = World::new(2);
    let of_one = |n: u8| Member { operator: "twins".into(), ..member(n, Tlp::Green) };
    let mut members = vec![member(1, Tlp::Red), of_one(5), of_one(6), member(2, Tlp::Green)];
    members[1].keys.push(signer(9).public());
    world.here.set_trust(TrustList::new(id(1), 2, members).unwrap());
    world.send(5, world.indicator(5, 7)).unwrap();
    world.send(6, world.indicator(6, 7)).unwrap();
    let second_key = Signer::new(id(5), &[9; 32]).unwrap();
    world.bring(raw(&second_key.sign(world.indicator(5, 7)).unwrap())).unwrap();
    let twins = world.lookup(7);
    assert_eq!((twins.sources.len(), twins.indicators.len(), twins.may_freeze), (1, 3, false));
    world.send(2, world.indicator(2, 7)).unwrap();
    assert!(world.lookup(7).may_freeze);
}

#[test]
fn who_weighs_nothing_is_not_counted() {
    let world = World::new(1);
    let mute = Member { weight: 0, ..member(2, Tlp::Green) };
    world.here.set_trust(TrustList::new(id(1), 1, vec![member(1, Tlp::Red), mute]).unwrap());
    world.send(2, world.indicator(2, 7)).unwrap();
    let found = world.lookup(7);
    assert_eq!((found.sources.len(), found.confidence, found.may_freeze), (0, 0, false));
}

#[test]
fn what_is_revoked_expired_or_not_yet_valid_counts_for_nothing() {
    let world = World::new(1);
    let revoked = signer(2).sign(world.indicator(2, 7)).unwrap();
    world.bring(raw(&revoked)).unwrap();
    assert!(world.lookup(7).may_freeze);
    world.pass(1);
    world.send(2, draft::revocation(&revoked, world.now())).unwrap();
    assert_eq!(world.lookup(7), Lookup::default());

    let mut short = world.draft(8, Tlp::Green);
    short.valid_until = Some(Timestamp::from_micros(world.now().micros() + 10_000_000));
    world.send(2, draft::indicator(&id(2), &short, world.now()).unwrap()).unwrap();
    assert!(world.lookup(8).may_freeze);
    world.pass(10);
    assert_eq!(world.lookup(8), Lookup::default());

    let mut later = world.draft(9, Tlp::Green);
    later.valid_from = Timestamp::from_micros(world.now().micros() + 10_000_000);
    world.send(2, draft::indicator(&id(2), &later, world.now()).unwrap()).unwrap();
    assert_eq!(world.lookup(9), Lookup::default());
    world.pass(10);
    assert!(world.lookup(9).may_freeze);
}

#[test]
fn a_new_version_replaces_the_pattern() {
    let world = World::new(1);
    let first = signer(2).sign(world.indicator(2, 7)).unwrap();
    world.bring(raw(&first)).unwrap();
    world.pass(1);
    let mut second = Value::Object(draft::next_version(&first, world.now()));
    second["pattern"] = world.indicator(2, 8)["pattern"].clone();
    world.send(2, second).unwrap();
    assert!(!world.lookup(7).may_freeze && world.lookup(8).may_freeze);
}

#[test]
fn the_chain_of_an_address_matters_unless_none_is_said() {
    let world = World::new(1);
    let mut draft_of = world.draft(7, Tlp::Green);
    draft_of.subjects = vec![Subject::Evm { chain: None, address: [8; 20] }, subject(7)];
    world.send(2, draft::indicator(&id(2), &draft_of, world.now()).unwrap()).unwrap();
    let on = |chain: u64, n: u8| {
        let subject = Subject::Evm { chain: Some(chain), address: [n; 20] };
        world.here.lookup(&subject).may_freeze
    };
    assert!(on(1, 7) && !on(10, 7) && on(1, 8) && on(10, 8));
}

#[test]
fn what_nobody_signed_never_counts() {
    let world = World::new(1);
    let outcome = world.here.accept(OPEN, "peer", vec![world.indicator(2, 7)]).pop().unwrap();
    assert!(outcome.unwrap().is_new);
    assert_eq!(world.lookup(7), Lookup::default());
}

/// Who takes another's identifier neither suppresses the other's indicator nor gains its sightings.
#[test]
fn a_taken_identifier_gains_nothing() {
    let world = World::new(2);
    let theirs = world.indicator(2, 7);
    let mut taken = world.indicator(3, 8);
    taken["id"] = theirs["id"].clone();
    world.send(3, taken).unwrap();
    let seen = world.send(2, theirs).unwrap();
    let sighting = draft::sighting(&id(4), &seen, 1, 90, Tlp::Green, world.now()).unwrap();
    world.send(4, sighting).unwrap();
    assert_eq!(world.lookup(7).sources.len(), 1);
    assert_eq!(world.lookup(8).sources.len(), 1);
}

#[test]
fn the_trust_list_decides_at_once() {
    let world = World::new(1);
    world.send(2, world.indicator(2, 7)).unwrap();
    let without = TrustList::new(id(1), 1, vec![member(1, Tlp::Red)]).unwrap();
    world.here.set_trust(without);
    assert_eq!(world.lookup(7), Lookup::default());
    world.here.set_trust(trust(1));
    assert!(world.lookup(7).may_freeze);
}

/// A thief of a key takes the owner's indicator back. Once the key is out of the list, it was never said.
#[test]
fn what_a_stolen_key_said_is_undone() {
    let world = World::new(1);
    let old = Signer::new(id(2), &[9; 32]).unwrap();
    let both = vec![signer(2).public(), old.public()];
    let member = |keys| Member { keys, ..member(2, Tlp::Green) };
    let list = |keys| {
        let own = crate::sharing::testing::member(1, Tlp::Red);
        TrustList::new(id(1), 1, vec![own, member(keys)]).unwrap()
    };
    world.here.set_trust(list(both));
    let indicator = signer(2).sign(world.indicator(2, 7)).unwrap();
    world.bring(raw(&indicator)).unwrap();
    world.pass(1);
    world.bring(raw(&old.sign(draft::revocation(&indicator, world.now())).unwrap())).unwrap();
    assert!(!world.lookup(7).may_freeze);
    world.here.set_trust(list(vec![signer(2).public()]));
    assert!(world.lookup(7).may_freeze);
}
