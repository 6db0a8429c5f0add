use super::*;

fn reader(n: u8) -> Reader {
    Reader::Peer { name: format!("peer {n}"), identity: Some(id(n)) }
}

/// Which of the readers 2 (up to green), 3 (up to amber+strict, and named), 4 (up to amber), 9 (a peer who
/// is not trusted) and anybody get what a chain makes with a level.
fn who(world: &World, maker: u8, tlp: Tlp) -> [bool; 5] {
    let object = draft::indicator(&id(maker), &world.draft(7, tlp), world.now()).unwrap();
    let sent = world.send(maker, object).unwrap();
    [reader(2), reader(3), reader(4), reader(9), Reader::Anyone].map(|reader| {
        let page = world.here.page(MAIN, &Query::all(None, 100), &reader).unwrap();
        page.entries.iter().any(|entry| *entry.object.id() == sent)
    })
}

#[test]
fn what_we_say_goes_as_far_as_its_level_and_theirs() {
    let world = World::new(1);
    assert_eq!(who(&world, 1, Tlp::Clear), [true, true, true, true, true]);
    assert_eq!(who(&world, 1, Tlp::Green), [true, true, true, false, false]);
    assert_eq!(who(&world, 1, Tlp::Amber), [false, true, true, false, false]);
    assert_eq!(who(&world, 1, Tlp::AmberStrict), [false, true, false, false, false]);
    assert_eq!(who(&world, 1, Tlp::Red), [false; 5]);
}

#[test]
fn what_others_said_to_us_goes_no_further_than_they_said() {
    let world = World::new(1);
    assert_eq!(who(&world, 4, Tlp::Clear), [true, true, true, true, true]);
    assert_eq!(who(&world, 4, Tlp::Green), [true, true, true, false, false]);
    // Its maker alone gets it back.
    assert_eq!(who(&world, 4, Tlp::Amber), [false, false, true, false, false]);
    assert_eq!(who(&world, 4, Tlp::AmberStrict), [false, false, true, false, false]);
    assert_eq!(who(&world, 4, Tlp::Red), [false; 5]);
}

#[test]
fn being_named_is_not_enough() {
    let world = World::new(1);
    let mut members = vec![member(1, Tlp::Red), member(2, Tlp::Green), member(3, Tlp::Amber)];
    members[2].up_to = Tlp::Amber;
    world.here.set_trust(TrustList::new(id(1), 1, members).unwrap());
    assert_eq!(who(&world, 1, Tlp::AmberStrict), [false; 5]);
}

#[test]
fn being_trusted_that_far_is_not_enough() {
    let world = World::new(1);
    let members =
        vec![member(1, Tlp::Red), member(2, Tlp::AmberStrict), member(3, Tlp::AmberStrict)];
    world.here.set_trust(TrustList::new(id(1), 1, members).unwrap());
    // Chain 3 alone is named.
    assert_eq!(who(&world, 1, Tlp::AmberStrict), [false, true, false, false, false]);
}

#[test]
fn a_marking_that_nobody_knows_stops_it_and_a_statement_does_not() {
    let world = World::new(1);
    let marking = "marking-definition--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
    let mut object = world.indicator(1, 7);
    object["object_marking_refs"] = json!([Tlp::Green.marking(), marking]);
    world.send(1, object).unwrap();
    let count = || {
        let query = Query { types: Some(vec!["indicator".into()]), ..Query::all(None, 9) };
        world.here.page(MAIN, &query, &reader(2)).unwrap().entries.len()
    };
    assert_eq!(count(), 0);
    let statement = json!({
        "type": "marking-definition", "spec_version": "2.1", "id": marking,
        "created_by_ref": id(1), "created": world.now(), "name": "Copyright",
        "definition_type": "statement", "definition": { "statement": "(c) Chain 1" },
        "object_marking_refs": [Tlp::Clear.marking()],
    });
    world.send(1, statement).unwrap();
    assert_eq!(count(), 1);
}

#[test]
fn unsigned_things_go_to_their_sender_and_where_they_are_clear() {
    let world = World::new(1);
    let mut clear = world.indicator(2, 7);
    clear["object_marking_refs"] = json!([Tlp::Clear.marking()]);
    let mut plain = world.indicator(2, 7);
    plain.as_object_mut().unwrap().remove("object_marking_refs");
    for outcome in world.here.accept(OPEN, "peer 5", vec![clear, plain]) {
        outcome.unwrap();
    }
    let count =
        |reader| world.here.page(OPEN, &Query::all(None, 9), &reader).unwrap().entries.len();
    let stranger = |name: &str| Reader::Peer { name: name.into(), identity: None };
    assert_eq!(count(stranger("peer 5")), 2);
    assert_eq!(count(stranger("peer 6")), 1);
    assert_eq!(count(reader(4)), 1);
    assert_eq!(count(Reader::Anyone), 1);
}

#[test]
fn a_new_version_follows_the_old_one_into_every_collection() {
    let world = World::new(1);
    let first = signer(1).sign(world.indicator(1, 7)).unwrap();
    for collection in [MAIN, OPEN] {
        world.here.accept(collection, "own", vec![raw(&first)]).pop().unwrap().unwrap();
    }
    world.pass(1);
    let last = signer(1).sign(draft::revocation(&first, world.now())).unwrap();
    world.here.accept(MAIN, "own", vec![raw(&last)]).pop().unwrap().unwrap();
    let query = Query { versions: crate::sharing::store::Versions::LAST, ..Query::all(None, 9) };
    for collection in [MAIN, OPEN] {
        let page = world.here.page(collection, &query, &reader(2)).unwrap();
        assert!(page.entries.len() == 1 && page.entries[0].object.revoked(), "{collection}");
    }
}
