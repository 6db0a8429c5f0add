//! Section 6.3 of the protocol: proofs of inclusion.

use bastion_protocol::inputs::COUNT;
use bastion_protocol::order::{counts_word, next, InclusionProof, OrderTree};
use bastion_protocol::{field, Fr};
use serde_json::{json, Value};

use crate::random;

/// Operations of the batches of a block.
const SIZES: [usize; 5] = [3, 0, 6, 1, 0];

/// A change that a proof must not bear.
type Change = fn(&mut InclusionProof);

pub fn vectors() -> Value {
    let batches: Vec<(OrderTree, [u64; 4])> = SIZES
        .into_iter()
        .enumerate()
        .map(|(b, n)| {
            let leaves: Vec<Fr> = (0..n).map(|i| random(&format!("leaf {b} {i}"))).collect();
            (OrderTree::new(&leaves), [b as u64, n as u64, 1, 2])
        })
        .collect();
    let mut inputs: [Fr; COUNT] = std::array::from_fn(|i| random(&format!("input {i}")));
    inputs[3] = batches.iter().fold(Fr::from(0_u64), |c, (tree, counts)| {
        next(c, tree.root(), counts_word(*counts, tree.operations()))
    });
    let proof =
        |batch, position| InclusionProof::build(7, inputs, &batches, batch, position).unwrap();
    let proofs = [(0, 0), (0, 2), (2, 0), (2, 5), (3, 0)].map(|(b, p)| proof(b, p));
    let changes: [(&str, Change); 8] = [
        ("another position", |p| p.position -= 1),
        ("a position that is not there", |p| p.position = 6),
        ("another number of operations", |p| p.counts += field::pow2(64)),
        ("no word of counts", |p| p.counts += field::pow2(80)),
        ("a path that ends early", |p| p.siblings.truncate(2)),
        ("a root of a batch without operations", |p| p.later[1].root = Some(p.leaf)),
        ("no root of a batch with operations", |p| p.later[0].root = None),
        ("the first batch with a chain before it", |p| p.batch = 0),
    ];
    let refused: Vec<Value> = changes
        .into_iter()
        .map(|(name, change)| {
            let mut other = proof(2, 5);
            change(&mut other);
            assert!(other.verify().is_err(), "{name}");
            json!({ "name": name, "proof": other })
        })
        .collect();
    json!({ "proofs": proofs, "refused": refused })
}
