//! Whoever says very much about one address makes no lookup long.

use super::*;
use crate::sharing::store::said::MOST_SAID;

const SHOWN: usize = 8;

fn flood(world: &World, maker: u8, count: usize) -> Vec<Value> {
    (0..count).map(|_| raw(&signer(maker).sign(world.indicator(maker, 7)).unwrap())).collect()
}

fn accepted(world: &World, objects: Vec<Value>) -> usize {
    world.here.accept(MAIN, "peer", objects).iter().filter(|outcome| outcome.is_ok()).count()
}

#[test]
fn of_1500_indicators_about_one_address_16_are_taken() {
    let world = World::new(2);
    // At once, and one after the other.
    let mut objects = flood(&world, 2, 1_500);
    let rest = objects.split_off(750);
    assert_eq!(accepted(&world, objects), MOST_SAID);
    let refused = rest.into_iter().map(|object| world.bring(object));
    assert!(refused.into_iter().all(|outcome| names(&outcome, "Crowded")));
    world.send(3, world.indicator(3, 7)).unwrap();
    let found = world.lookup(7);
    assert_eq!((found.sources.len(), found.indicators.len(), found.may_freeze), (2, SHOWN, true));
    // Another address is another matter, and what is about many needs room at each.
    world.send(2, world.indicator(2, 8)).unwrap();
    let mut both = world.draft(7, Tlp::Green);
    both.subjects = vec![subject(9), subject(7)];
    let both = draft::indicator(&id(2), &both, world.now()).unwrap();
    assert!(names(&world.send(2, both), "Crowded"));
    assert_eq!(world.lookup(9), Lookup::default());

    let world = world.reopened(trust(2));
    assert_eq!(world.lookup(7), found);
    assert!(names(&world.send(2, world.indicator(2, 7)), "Crowded"));
}

#[test]
fn what_is_replaced_taken_back_or_ended_frees_its_place() {
    let world = World::new(1);
    let first = signer(2).sign(world.indicator(2, 7)).unwrap();
    world.bring(raw(&first)).unwrap();
    let mut short = world.draft(7, Tlp::Green);
    short.valid_until = Some(Timestamp::from_micros(world.now().micros() + 10_000_000));
    world.send(2, draft::indicator(&id(2), &short, world.now()).unwrap()).unwrap();
    assert_eq!(accepted(&world, flood(&world, 2, 20)), MOST_SAID - 2);

    world.pass(1);
    let second = Value::Object(draft::next_version(&first, world.now()));
    let second = signer(2).sign(second).unwrap();
    world.bring(raw(&second)).unwrap();
    assert!(names(&world.send(2, world.indicator(2, 7)), "Crowded"));
    world.pass(1);
    world.send(2, draft::revocation(&second, world.now())).unwrap();
    assert_eq!(accepted(&world, flood(&world, 2, 3)), 1);
    world.pass(10);
    assert_eq!(accepted(&world, flood(&world, 2, 3)), 1);
    // A new version about somebody else needs room there, and frees it here.
    let moving = signer(3).sign(world.indicator(3, 7)).unwrap();
    world.bring(raw(&moving)).unwrap();
    assert_eq!(accepted(&world, flood(&world, 3, 20)), MOST_SAID - 1);
    world.pass(1);
    let mut moved = Value::Object(draft::next_version(&moving, world.now()));
    moved["pattern"] = world.indicator(3, 8)["pattern"].clone();
    world.send(3, moved).unwrap();
    assert_eq!(accepted(&world, flood(&world, 3, 3)), 1);
}

/// Of a batch, what is new and what replaces are told apart.
#[test]
fn new_versions_in_a_batch_take_no_second_place() {
    let world = World::new(1);
    let first = signer(2).sign(world.indicator(2, 7)).unwrap();
    world.bring(raw(&first)).unwrap();
    assert_eq!(accepted(&world, flood(&world, 2, MOST_SAID - 2)), MOST_SAID - 2);
    world.pass(1);
    let second = Value::Object(draft::next_version(&first, world.now()));
    let mut batch = vec![raw(&signer(2).sign(second).unwrap())];
    batch.extend(flood(&world, 2, 2));
    assert_eq!(accepted(&world, batch), 2);
}

#[test]
fn many_sightings_of_one_indicator_are_bounded_too() {
    let world = World::new(2);
    let seen = world.send(2, world.indicator(2, 7)).unwrap();
    let sighting = |count| {
        let made = draft::sighting(&id(3), &seen, count, 90, Tlp::Green, world.now()).unwrap();
        raw(&signer(3).sign(made).unwrap())
    };
    assert_eq!(accepted(&world, (1..=100).map(sighting).collect()), MOST_SAID);
    assert!(names(&world.bring(sighting(200)), "Crowded"));
    let found = world.lookup(7);
    assert_eq!((found.sources.len(), found.indicators, found.may_freeze), (2, vec![seen], true));
}

/// Who weighs nothing takes no time, and hides nobody.
#[test]
fn who_weighs_nothing_is_passed_over() {
    let world = World::new(1);
    let mute = Member { weight: 0, ..member(2, Tlp::Green) };
    let members = vec![member(1, Tlp::Red), mute, member(3, Tlp::Green)];
    world.here.set_trust(TrustList::new(id(1), 1, members).unwrap());
    assert_eq!(accepted(&world, flood(&world, 2, 50)), MOST_SAID);
    let honest = world.send(3, world.indicator(3, 7)).unwrap();
    assert_eq!(world.lookup(7).indicators, vec![honest]);
}

/// A journal from before the bound may hold any number: the surest of each signer are looked at.
#[test]
fn a_crowded_journal_is_cut_to_the_surest() {
    let world = World::new(1);
    let stamp = |n: u64| Timestamp::from_micros(world.now().micros() + n);
    let entry = |n: u64| {
        let mut object = world.indicator(2, 7);
        object["confidence"] = json!(n % 100);
        let object = Arc::new(signer(2).sign(object).unwrap());
        let (maker, key) = (Maker::Signer(id(2)), Some(signer(2).public()));
        Arc::new(Entry { object, collection: MAIN.into(), added: stamp(n), maker, key })
    };
    let entries = (0..1_500).map(entry).collect();
    let state = State::of(entries, HashMap::new(), world.now());
    let said: Vec<usize> =
        state.subjects().about(&subject(7)).map(|(_, said)| said.len()).collect();
    assert_eq!(said, [MOST_SAID]);
    let found = look(&state, &trust(1), &subject(7), world.now());
    // The weight is 800 of 1000.
    assert_eq!((found.indicators.len(), found.sources[0].score), (SHOWN, 792));
}
