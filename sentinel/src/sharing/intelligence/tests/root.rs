use super::*;

fn key(maker: u8, id_of: &Id) -> Key {
    Key { maker: Maker::Signer(id(maker)), id: id_of.clone() }
}

#[test]
fn every_indicator_can_be_proven_and_nothing_else() {
    let world = World::new(1);
    assert_eq!(world.here.root(world.now()).count, 0);
    let mut objects = Vec::new();
    for n in 0..11 {
        let object = signer(2).sign(world.indicator(2, n)).unwrap();
        world.bring(raw(&object)).unwrap();
        objects.push(object);
        world.pass(1);
        let root = world.here.root(world.now());
        assert_eq!(root.count, u64::from(n) + 1);
        for object in &objects {
            let proof = world.here.prove(&key(2, object.id()), world.now()).unwrap();
            assert!(proof.holds(object, &root.root));
        }
    }
    let root = world.here.root(world.now());
    let proof = world.here.prove(&key(2, objects[3].id()), world.now()).unwrap();
    assert!(!proof.holds(&objects[4], &root.root));
    assert!(!proof.holds(&objects[3], &world.here.root(Timestamp::ZERO).root));
    for change in [
        |p: &mut Inclusion| p.at += 1,
        |p: &mut Inclusion| p.count += 1,
        |p: &mut Inclusion| p.index ^= 1,
        |p: &mut Inclusion| p.index = p.count,
        |p: &mut Inclusion| p.added += 1,
        |p: &mut Inclusion| p.path[0][0] ^= 1,
        |p: &mut Inclusion| p.path.push([0; 32]),
        |p: &mut Inclusion| p.path.truncate(p.path.len() - 1),
        |p: &mut Inclusion| p.count = u64::MAX,
    ] {
        let mut changed = proof.clone();
        change(&mut changed);
        assert!(!changed.holds(&objects[3], &root.root), "{changed:?}");
    }
}

#[test]
fn what_is_taken_back_or_unsigned_is_not_in_it() {
    let world = World::new(1);
    let object = signer(2).sign(world.indicator(2, 7)).unwrap();
    world.bring(raw(&object)).unwrap();
    world.here.accept(OPEN, "peer", vec![world.indicator(2, 8)]).pop().unwrap().unwrap();
    let before = world.now();
    let root = world.here.root(before);
    assert_eq!(root.count, 1);
    world.pass(1);
    world.send(2, draft::revocation(&object, world.now())).unwrap();
    assert_eq!(world.here.root(world.now()).count, 0);
    assert!(world.here.prove(&key(2, object.id()), world.now()).is_none());
    // What was posted before can still be proven.
    assert_eq!(world.here.root(before), root);
    let proof = world.here.prove(&key(2, object.id()), before).unwrap();
    assert!(proof.holds(&object, &root.root));
}
