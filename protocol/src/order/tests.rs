use super::*;
use proptest::prelude::*;

/// The root of the subtree under a node, by the definition.
fn node(leaves: &[Fr], j: usize) -> Fr {
    match j.checked_sub(leaves.len()) {
        Some(position) => leaves[position],
        None => compress(node(leaves, 2 * j), node(leaves, 2 * j + 1)),
    }
}

fn leaves(n: usize, seed: u64) -> Vec<Fr> {
    (0..n as u64).map(|i| Fr::from(1_000_003 * (seed + 1) + i)).collect()
}

/// Batches of these sizes, and public inputs with their chain.
fn block(sizes: &[usize]) -> (Vec<(OrderTree, [u64; 4])>, [Fr; COUNT]) {
    let batches: Vec<_> = sizes
        .iter()
        .enumerate()
        .map(|(b, n)| (OrderTree::new(&leaves(*n, b as u64)), [1, *n as u64, 0, b as u64]))
        .collect();
    let c_out = batches.iter().zip(sizes).enumerate().fold(Fr::ZERO, |c, (b, ((_, counts), n))| {
        let leaves = leaves(*n, b as u64);
        let middle = if *n == 0 { c } else { compress(c, node(&leaves, 1)) };
        let [l1, l2, exits, owners] = counts.map(u128::from);
        let low = l1 + (l2 << 16) + (exits << 32) + (owners << 48);
        compress(middle, Fr::from(low + ((*n as u128) << 64)))
    });
    let mut inputs = [5_u64; COUNT].map(Fr::from);
    inputs[3] = c_out;
    (batches, inputs)
}

#[test]
fn a_leaf_is_its_words_one_after_the_other() {
    let [a, b, c] = [7_u64, 8, 9].map(Fr::from);
    assert_eq!(leaf([]), None);
    assert_eq!(leaf([a]), Some(a));
    assert_eq!(leaf([a, b, c]), Some(compress(compress(a, b), c)));
}

#[test]
fn the_words_of_records_are_those_of_the_leaf() {
    let record = [&[0; 14][..], &[7], &[0; 31], &[8], &[0; 19], &[9]].concat();
    let (l2, owner) = record.split_at(15);
    let words = [7_u64, 8, 9].map(Fr::from);
    assert_eq!(leaf_of([l2, owner]), leaf(words));
    assert_eq!(leaf_of([l2]), Some(words[0]));
    assert_eq!(leaf_of([]), None);
    assert_eq!(leaf_of([&l2[1..]]), None);
    // A key hash that is not below p would be another one's leaf.
    assert_eq!(leaf_of([l2, &[0xff; 52][..]]), None);
}

#[test]
fn trees_are_those_of_the_definition() {
    assert_eq!(OrderTree::new(&[]).root(), None);
    for n in 1..40 {
        let leaves = leaves(n, 3);
        let tree = OrderTree::new(&leaves);
        assert_eq!(tree.root(), Some(node(&leaves, 1)), "{n}");
        assert_eq!(tree.siblings(n), None);
    }
    // Three leaves: node 2 has the last two, the first one stands at depth 1.
    let [a, b, c] = [1_u64, 2, 3].map(Fr::from);
    let root = compress(compress(b, c), a);
    assert_eq!(OrderTree::new(&[a, b, c]).root(), Some(root));
}

#[test]
fn known_answers() {
    let tree = OrderTree::new(&[1_u64, 2, 3].map(Fr::from));
    let word = counts_word([1, 2, 3, 4], 3);
    assert_eq!(
        field::to_hex(&word),
        "0x0000000000000000000000000000000000000000000000030004000300020001"
    );
    assert_eq!(operations_of(&word), Some(3));
    assert_eq!(operations_of(&field::pow2(80)), None);
    assert_eq!(operations_of(&-Fr::from(1_u64)), None);
    let known = [tree.root().unwrap(), next(Fr::ZERO, tree.root(), word), next(word, None, word)];
    assert_eq!(known.map(|x| field::to_hex(&x)), KNOWN);
}

const KNOWN: [&str; 3] = [
    "0x006bbb14abbd5de99d718adc3b7d888dfbfe91740ae1fde8ba830083f1976df8",
    "0x3013800a8e5d7db416fd80d7840e6b4cef5566856d2c917a1bb13363fd3e9d82",
    "0x267b61d1de7c1db98a0282384785d2b2a05fcdb679ba5dc0f46a9a7495fd89e0",
];

#[test]
fn what_is_not_at_its_place_is_refused() {
    let (batches, inputs) = block(&[3, 0, 6, 0, 1]);
    let build = |batch, position| InclusionProof::build(9, inputs, &batches, batch, position);
    assert_eq!(build(1, 0), Err(OrderError::NoPlace { batch: 1, position: 0 }));
    assert_eq!(build(5, 0), Err(OrderError::NoPlace { batch: 5, position: 0 }));
    let proof = build(2, 4).unwrap();
    let broken = |change: &dyn Fn(&mut InclusionProof)| {
        let mut other = proof.clone();
        change(&mut other);
        other.verify().unwrap_err()
    };
    let one = Fr::from(1_u64);
    let changes: [&dyn Fn(&mut InclusionProof); 10] = [
        &|p| p.leaf += one,
        &|p| p.position -= 1,
        &|p| p.position += 1,
        &|p| p.siblings[1] += one,
        &|p| p.earlier[0].root = Some(one),
        &|p| p.earlier[1].counts += one,
        &|p| p.counts += one,
        &|p| p.inputs[3] += one,
        &|p| p.later[1].root = Some(one),
        &|p| p.later[0].counts += one,
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let error = broken(change);
        assert!(matches!(error, OrderError::Chain { .. }), "{i}: {error}");
    }
    assert!(matches!(broken(&|p| p.position = 6), OrderError::Position { operations: 6, .. }));
    // An inner node in place of a leaf: the depth is fixed by position and number of operations.
    let error = broken(&|p| {
        p.leaf = match (6 + p.position) & 1 {
            0 => compress(p.leaf, p.siblings[0]),
            _ => compress(p.siblings[0], p.leaf),
        };
        p.siblings.remove(0);
    });
    assert_eq!(error, OrderError::Siblings { got: 2, depth: 3 });
    // A smaller tree would have it at this depth, but the chain says how many operations there are.
    let error = broken(&|p| {
        p.leaf = compress(p.leaf, p.siblings[0]);
        p.siblings.remove(0);
        p.counts -= Fr::from(3_u64) * field::pow2(OPERATIONS);
        p.position = 2;
    });
    assert!(matches!(error, OrderError::Chain { .. }), "{error}");
    assert!(matches!(
        broken(&|p| p.counts += field::pow2(80)),
        OrderError::Counts { batch: 2, .. }
    ));
    assert!(matches!(
        broken(&|p| p.later[0].counts += field::pow2(90)),
        OrderError::Counts { batch: 3, .. }
    ));
    assert_eq!(
        broken(&|p| p.later[0].root = Some(one)),
        OrderError::Root { batch: 3, operations: 0 }
    );
    assert_eq!(broken(&|p| p.later[1].root = None), OrderError::Root { batch: 4, operations: 1 });
    assert_eq!(broken(&|p| p.batch = 0), OrderError::Earlier { batch: 0, got: 2 });
    assert_eq!(broken(&|p| p.earlier.truncate(1)), OrderError::Earlier { batch: 2, got: 1 });
    assert_eq!(
        broken(&|p| p.earlier[1].root = Some(one)),
        OrderError::Root { batch: 1, operations: 0 }
    );
    // The third batch as if it were the second.
    let error = broken(&|p| {
        p.earlier.remove(0);
        p.batch = 1;
    });
    assert!(matches!(error, OrderError::Chain { .. }), "{error}");
    assert!(matches!(broken(&|p| p.later.truncate(1)), OrderError::Chain { .. }));
}

#[test]
fn json_is_strict() {
    let (batches, inputs) = block(&[2, 0]);
    let proof = InclusionProof::build(1, inputs, &batches, 0, 1).unwrap();
    let json = serde_json::to_value(&proof).unwrap();
    assert_eq!(json["later"][0]["root"], serde_json::Value::Null);
    assert_eq!(json["leaf"], field::to_hex(&proof.leaf));
    assert_eq!(serde_json::from_value::<InclusionProof>(json.clone()).unwrap(), proof);
    let changes: [fn(&mut serde_json::Value); 4] = [
        |v| v["more"] = 1.into(),
        |v| v["later"][0]["more"] = 1.into(),
        |v| drop(v["inputs"].as_array_mut().unwrap().pop()),
        |v| v["leaf"] = format!("0x{}", "ff".repeat(32)).into(),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut other = json.clone();
        change(&mut other);
        assert!(serde_json::from_value::<InclusionProof>(other).is_err(), "{i}");
    }
}

proptest! {
    #[test]
    fn every_operation_of_a_block_is_at_its_place(
        sizes in prop::collection::vec(0_usize..20, 1..5),
        pick in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let (batches, inputs) = block(&sizes);
        let places: Vec<(usize, usize)> =
            sizes.iter().enumerate().flat_map(|(b, n)| (0..*n).map(move |p| (b, p))).collect();
        prop_assume!(!places.is_empty());
        let (batch, position) = *pick.0.get(&places);
        let proof = InclusionProof::build(1, inputs, &batches, batch, position).unwrap();
        prop_assert_eq!(proof.leaf, leaves(sizes[batch], batch as u64)[position]);
        // At every other place of the batch the same leaf is refused.
        let other = pick.1.index(sizes[batch]);
        let moved = InclusionProof { position: other as u32, ..proof };
        prop_assert_eq!(moved.verify().is_ok(), other == position);
    }
}
