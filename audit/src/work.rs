//! What verifying a proof costs, told from the document alone: a document within its limits could
//! otherwise ask for days.

use crate::description::{Description, Node, Scheme};
use crate::shplonk::Set;

/// Multiplications that a verification may take, about: hundreds of times those of the largest
/// circuit, and some ten seconds.
pub(crate) const MAX_WORK: u64 = 1 << 28;

/// Of a power or an inverse.
const POWER: u64 = 400;
/// Of a point: read from the proof (a square root, if it is compressed), absorbed, and multiplied.
const POINT: u64 = 2_000;
/// Of an element: read and absorbed.
const ELEMENT: u64 = 500;

/// Multiplications that a verification takes, about.
pub(crate) fn work(d: &Description, sets: &[Set]) -> u64 {
    let count = |n: usize| n as u64;
    let instances: u64 = d.instances.iter().map(|rows| count(*rows)).sum();
    let points = d.fixed.len() + d.witness_count() + d.quotient_pieces() + 2;
    let elements = instances + count(d.evaluations.len() + d.challenge_count());
    let nodes = d.nodes.iter().map(|node| match node {
        Node::Lagrange(_) => 2 * POWER,
        // Each row has a Lagrange polynomial of its own.
        Node::Instance(column, _) => {
            let rows = d.instances.get(*column).copied().unwrap_or_default();
            count(rows).saturating_mul(2 * POWER)
        }
        Node::Constant(_)
        | Node::Z
        | Node::Evaluation(_)
        | Node::Challenge(_)
        | Node::Negated(_)
        | Node::Sum(..)
        | Node::Product(..) => 1,
    });
    let packs = match &d.scheme {
        Scheme::Shplonk { .. } => &[][..],
        Scheme::Packed { packs, .. } => packs,
    };
    let packs = packs.iter().map(|pack| (pack.rotations.len(), pack.polynomials));
    let sets = sets.iter().map(|set| (set.rotations.len(), set.polys.len())).chain(packs);
    let sets = sets.map(|(rotations, polys)| {
        let (rotations, polys) = (count(rotations), count(polys));
        // The basis: a numerator, a denominator and an inverse for each rotation.
        let basis = rotations.saturating_mul(2 * rotations + 2 * POWER);
        basis.saturating_add(rotations.saturating_mul(polys))
    });
    [
        count(points).saturating_mul(POINT),
        elements.saturating_mul(ELEMENT),
        count(d.constraints.len()),
    ]
    .into_iter()
    .chain(nodes)
    .chain(sets)
    .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

    use super::*;
    use crate::error::BadDescription;
    use crate::Verifier;

    fn document() -> Value {
        serde_json::from_slice(include_bytes!("../tests/data/plain.json")).unwrap()
    }

    fn made(document: &Value) -> Result<Verifier, BadDescription> {
        Description::from_json(document.to_string().as_bytes()).and_then(Verifier::new)
    }

    fn refused(document: &Value) -> u64 {
        match made(document).unwrap_err() {
            BadDescription::TooMuchWork { work, most } => {
                assert_eq!(most, MAX_WORK);
                work
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_honest_document_is_far_below_the_bound() {
        let verifier = made(&document()).unwrap();
        let work = work(verifier.description(), verifier.sets());
        assert!((100_000..MAX_WORK / 100).contains(&work), "{work}");
    }

    /// As many rows of public inputs, and as many steps that sum over them, as the limits allow.
    #[test]
    fn sums_over_public_inputs_are_counted() {
        let mut hostile = document();
        let column = hostile["fixed"].as_array().unwrap().len();
        hostile["instances"] = json!([65_536, 1]);
        let nodes = hostile["nodes"].as_array_mut().unwrap();
        while nodes.len() < 65_536 {
            let rotation = nodes.len() % 1_000;
            nodes.push(json!({ "polynomial": [column, rotation] }));
        }
        assert!(refused(&hostile) > 1_000_000_000_000);
        // Each of the two alone is cheap enough, or is not.
        hostile["instances"] = json!([1, 1]);
        made(&hostile).unwrap();
    }

    /// One polynomial at every rotation: its basis is quadratic in them.
    #[test]
    fn large_opening_sets_are_counted() {
        let mut hostile = document();
        let quotient = hostile["openings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|q| q[0].as_u64().unwrap())
            .max()
            .unwrap();
        let mut queries = Vec::new();
        for poly in 0..10 {
            let rotations = -1_024..1_024 - i64::from(poly);
            queries.extend(rotations.map(|rotation| json!([poly, rotation])));
        }
        let nodes = json!([{ "constant": format!("0x{:064x}", 1) }]);
        (hostile["nodes"], hostile["constraints"]) = (nodes, json!([0]));
        hostile["evaluations"] = json!(queries);
        queries.push(json!([quotient, 0]));
        hostile["openings"] = json!(queries);
        made(&hostile).unwrap();
        for poly in 10..14 {
            let rotations = (-1_024..1_024).map(|rotation| json!([poly, rotation]));
            for list in ["evaluations", "openings"] {
                let list = hostile[list].as_array_mut().unwrap();
                list.extend(rotations.clone());
            }
        }
        made(&hostile).unwrap();
        hostile["instances"] = json!([65_536, 65_536]);
        let absorbed = 2 * 65_536 * ELEMENT;
        let verifier = made(&hostile).unwrap();
        assert!(work(verifier.description(), verifier.sets()) > absorbed + 14 * 2 * 2_000 * 2_000);
    }

    /// Proofs longer than any: points cost most.
    #[test]
    fn points_are_counted() {
        let mut hostile = document();
        hostile["rounds"] = json!([{ "points": 65_536, "challenges": 4 },
            { "points": 65_536, "challenges": 0 }, { "points": 65_536, "challenges": 0 }]);
        let fixed = hostile["fixed"].as_array().unwrap().len();
        let only = json!([[0, 0]]);
        hostile["nodes"] = json!([{ "polynomial": [0, 0] }]);
        hostile["constraints"] = json!([0]);
        hostile["evaluations"] = only;
        hostile["openings"] = json!([[0, 0], [fixed + 2 + 3 * 65_536, 0]]);
        assert!(refused(&hostile) > 3 * 65_536 * POINT);
    }
}
