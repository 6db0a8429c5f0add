//! Honest batches against a plain computation with big integers, bounds, and the number of cells.

use proptest::prelude::*;
use rand::Rng;

use super::*;
use crate::blob::reduce::MODULUS;
use crate::core::WIDTH;
use bastion_protocol::blob::{GROUP, SLOT_BITS};

/// The order of the scalar field of BN254.
fn field() -> BigUint {
    let digits = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
    BigUint::parse_bytes(digits.as_bytes(), 16).unwrap()
}

/// `sum slot 2^(120 odd) z^i + z^n to` by the definition, without anything of the crate.
fn value(slots: &[BigUint], z: u128, to: &BigUint) -> BigUint {
    let mut power = BigUint::from(1u8);
    let mut sum = BigUint::from(0u8);
    for pair in slots.chunks(2) {
        sum += (&pair[0] + (&pair[1] << 120)) * &power;
        power = power * z % modulus();
    }
    (sum + to * power) % modulus()
}

fn agrees(case: &Case) {
    let (grid, written) = fill(&case.room, &case.trace, &mut |_| {});
    assert_eq!(case.check(&grid), set(&[]));
    assert_eq!(written.out_of_range, []);
    let slots: Vec<BigUint> = case.trace.words.iter().map(integer).collect();
    let to = of_limbs(case.statement.to);
    let z = case.trace.z;
    assert_eq!(of_limbs(case.statement.from), value(&slots, z, &to));
    assert_eq!(of_limbs(written.from.limbs()), value(&slots, z, &to));
}

#[test]
fn the_sample_agrees() {
    agrees(&Case::sample());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    #[test]
    fn random_batches_agree(seed: u64, l2 in 0usize..80, owners in 0usize..5, z: u128) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let data = batch(&mut rng, l2, owners);
        agrees(&Case::of(&data, z, Scalar::rand(&mut rng)));
    }
}

/// The ends of all ranges: empty batch, no padding and most padding, zeros and the largest words,
/// points and values.
#[test]
fn extremes_agree() {
    let largest = L2Record {
        kind: 7,
        fee12: (1 << 12) - 1,
        from: u32::MAX,
        to: u32::MAX,
        amount40: (1 << 40) - 1,
    };
    for (record, z, to) in [
        (vec![0; 15], 0, Scalar::from(0u64)),
        (largest.to_bytes(), u128::MAX, -Scalar::from(1u64)),
        (largest.to_bytes(), 0, -Scalar::from(1u64)),
        (vec![0; 15], u128::MAX, Scalar::from(0u64)),
        (largest.to_bytes(), 1, Scalar::from(1u64)),
    ] {
        for records in [0, 1, 31, 32, 33, 64] {
            let mut data = BatchData::default();
            data.records[Section::L2 as usize] = vec![record.clone(); records];
            agrees(&Case::of(&data, z, to));
        }
    }
}

/// Batches of a block hand the value on, the last one first, and the first has that of the blob.
#[test]
fn batches_make_the_value_of_the_blob() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let batches = [(5, 1), (0, 0), (70, 2)].map(|(l2, owners)| batch(&mut rng, l2, owners));
    let z: u128 = rng.gen();
    let mut to = Scalar::from(0u64);
    for n in (0..batches.len()).rev() {
        let case = Case::of(&batches[n], z, to);
        agrees(&case);
        let rest = coefficients(&batches[n..]).unwrap();
        to = evaluate(&rest, z);
        assert_eq!(Pieces::of(&to).limbs(), case.statement.from);
    }
}

/// Every sum of a reduction is an integer that `p` does not wrap, with room for what ranges allow
/// beyond what is honest. The README's section "Bounds" has the same figures.
#[test]
fn no_sum_wraps() {
    let bits = |n: u32| BigUint::from(1u8) << n;
    let (p, q) = (field(), modulus());
    let [q_low, q_high] = MODULUS.map(|limb| integer(&limb));
    assert_eq!(&q_low + (&q_high << 127), q);
    // Words of slots (two of a quote, below 9 2^116 and 2^112, are below two others; the first one may be the
    // last of its group), then those of a value.
    assert!(bits(116) * 9u8 + bits(112) < bits(119) * 2u8);
    let words = bits(119) * 32u8 + bits(116) + bits(120) + bits(117) + bits(18);
    // Largest of what is added, and of what is taken away, in each limb.
    let low = &words * bits(127) + bits(125) * bits(127);
    let low_taken = bits(125) * &q_low + bits(127) + bits(125) * bits(127);
    let high = &words * bits(128) + bits(125);
    let high_taken = bits(125) * &q_high + bits(128) + bits(125);
    for sum in [&low, &low_taken, &high, &high_taken] {
        assert!(sum < &p, "{sum:x}");
    }
    // An honest quotient and carry fit: quotient below 2^125, carry from -2^125 to 2^125.
    let largest = &words * bits(255);
    let quotient = &largest / &q;
    assert!(quotient < bits(125));
    assert!(&words * bits(127) / bits(127) < bits(125));
    assert!((&quotient * &q_low + bits(127)) / bits(127) < bits(125));
    // Words of the multipliers' reductions are smaller: the words of z, 2^120 and 2^117.
    for sum in [bits(120) + bits(117), bits(120), bits(117)] {
        assert!(sum < words);
    }
    // An element is below the modulus, and a slot below what the circuit takes.
    assert!(bits(2 * SLOT_BITS) < q);
}

/// Advice cells, those of the bus included.
fn cells(groups: usize) -> (usize, usize) {
    let mut data = BatchData::default();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    data.records[Section::L2 as usize] =
        (0..groups * GROUP_SLOTS).map(|_| batch(&mut rng, 1, 0).records[1][0].clone()).collect();
    let case = Case::of(&data, rng.gen(), Scalar::from(0u64));
    let (grid, _) = fill(&case.room, &case.trace, &mut |_| {});
    let rows = case.room.rows();
    (grid.assigned_in(0, rows) + rows, rows)
}

/// The figures of the README.
#[test]
fn cells_of_a_full_blob() {
    let (full, rows) = cells(4096 / GROUP);
    let (share, share_rows) = cells(1024 / GROUP);
    assert_eq!((full, rows, share, share_rows), (58_980, 8_394, 18_852, 2_826));
    assert!(full <= 60_000);
    // A hundredth of the cells of the standard circuit.
    let standard = (WIDTH + 1) << Shape::standard().k;
    assert!(100 * share <= standard && 100 * (WIDTH + 1) * share_rows <= standard);
}
