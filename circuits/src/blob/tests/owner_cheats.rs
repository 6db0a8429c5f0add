//! Cheating provers in the slots of owner records.

use super::*;
use crate::core::pow2;

#[test]
fn owner_records_are_those_of_the_operations() {
    let honest = Case::sample();
    let op = |case: &Case, name: &str| {
        assert_eq!(case.violated(|_| {}), set(&[name, "op.blob_owner"]));
    };
    // Another key hash, another address: other slots too.
    for (field, part, slot) in [(0, 0, 0), (1, 4, 3)] {
        let mut case = honest.clone();
        let owner = &mut case.trace.owners[1];
        let unit = if field == 0 { pow2(152) } else { Fr::one() };
        owner.record[field] += unit;
        owner.parts[part] += Fr::one();
        case.trace.words[64 + slot] += Fr::one();
        case.claim_what_comes_out(|_| {});
        op(&case, "split.record");
        // Slots that are not those of the record.
        let owner = &mut case.trace.owners[1];
        owner.record[field] -= unit;
        let rule = ["split.keyhash", "split.exit"][field];
        assert_eq!(case.violated(|_| {}), set(&[rule]));
    }
    // Slots before or behind those of the record, by a number that does not fit.
    let mut grid = honest.grid(&mut |_| {});
    let row = honest.row(Table::Split, 1);
    nudge(&mut grid, row, 6, -Fr::one());
    nudge(&mut grid, row, 9, Fr::from(4));
    let mut case = honest.clone();
    case.owners[1].0 = 0;
    assert_eq!(case.check(&grid), set(&["blob.owners", "split.from"]));
}

/// The rules of the slot that two parts share, and of where slots stand.
#[test]
fn slots_are_made_of_the_parts() {
    let case = Case::sample();
    for (cell, rule, slots) in [(4, "shared", 2..3), (1, "position", 0..4)] {
        let mut grid = case.grid(&mut |_| {});
        nudge(&mut grid, case.row(Table::Split, 0), cell, Fr::one());
        let names = case.check(&grid);
        let moved: Vec<String> = slots.map(|n| format!("split.slot{n}")).collect();
        assert!(names.contains(&format!("split.{rule}")), "{names:?}");
        assert!(moved.iter().all(|name| names.contains(name)), "{names:?}");
    }
}

/// The first owner record has the key hash `number` in its slots, and the operation has what it is in the field.
fn take_key_hash(case: &mut Case, number: &BigUint) {
    let part = |from: u32, bits: u32| {
        let part = (number >> from) & ((BigUint::from(1u8) << bits) - 1u8);
        let digits = part.to_u64_digits();
        let at = |i: usize| u128::from(digits.get(i).copied().unwrap_or(0));
        wide(at(0) | at(1) << 64)
    };
    let owner = &mut case.trace.owners[0];
    let [.., exit_high, exit_low] = owner.parts;
    owner.parts = [part(152, 104), part(48, 104), part(0, 48), exit_high, exit_low];
    let [high, middle, low, ..] = owner.parts;
    assert_eq!(high * pow2(152) + middle * pow2(48) + low, owner.record[0]);
    case.owners[0].1 = owner.record;
    let shared = low * pow2(56) + exit_high;
    case.trace.words[60..64].copy_from_slice(&[high, middle, shared, exit_low]);
    case.claim_what_comes_out(|_| {});
}

/// A key hash plus multiples of `p`: the same element in the operation and in `c_out`, another polynomial. A prover
/// could choose it after `z` is known.
#[test]
fn key_hashes_have_one_form() {
    let p = integer(&-Fr::one()) + 1u8;
    for times in 1..=5u8 {
        let mut case = Case::sample();
        // Any element that leaves room for it below 2^256.
        case.trace.owners[0].record[0] = Fr::from(77);
        let raised = BigUint::from(77u8) + &p * times;
        assert!(raised.bits() <= 256);
        take_key_hash(&mut case, &raised);
        assert_eq!(case.violated(|_| {}), set(&["split.canonical_high"]), "{times}");
        // Borrows that are none.
        for (n, rule) in ["low_borrow_flag", "middle_borrow_flag"].into_iter().enumerate() {
            let mut grid = case.grid(&mut |_| {});
            nudge(&mut grid, case.row(Table::Split, 0), 12 + n, -Fr::from(7));
            let names = case.check(&grid);
            assert!(names.contains(&format!("split.{rule}")), "{names:?}");
        }
    }
    // Exactly `p`, which is one more than the largest.
    let mut case = Case::sample();
    case.trace.owners[0].record[0] = Fr::zero();
    take_key_hash(&mut case, &p);
    let names = case.violated(|_| {});
    assert!(names.iter().all(|name| name.starts_with("split.canonical")), "{names:?}");
    assert!(!names.is_empty());
}

/// The extremes among key hashes have their parts, with and without borrows.
#[test]
fn honest_key_hashes_are_below_the_modulus() {
    let one = Fr::one();
    for keyhash in
        [Fr::zero(), one, -one, -one - one, pow2(48), pow2(152) - one, -pow2(48), -pow2(152)]
    {
        let mut case = Case::sample();
        case.trace.owners[0].record[0] = keyhash;
        take_key_hash(&mut case, &integer(&keyhash));
        assert_eq!(case.violated(|_| {}), set(&[]), "{keyhash:?}");
    }
}

/// Parts with more bits than their slot has, which the parts before them make up for.
#[test]
fn parts_of_owner_records_have_their_bits() {
    let one = Fr::one();
    for (rule, change) in [
        ("key_middle_range", [-one, pow2(104), Fr::zero(), Fr::zero(), Fr::zero()]),
        ("key_low_range", [Fr::zero(), -one, pow2(48), Fr::zero(), Fr::zero()]),
        ("exit_low_range", [Fr::zero(), Fr::zero(), Fr::zero(), -one, pow2(104)]),
        // An address of more than 160 bits.
        ("exit_high_range", [Fr::zero(), Fr::zero(), Fr::zero(), pow2(56), Fr::zero()]),
        // A key hash in the field, and no integer of 256 bits.
        ("key_high_range", [pow2(104), Fr::zero(), Fr::zero(), Fr::zero(), Fr::zero()]),
    ] {
        let mut case = Case::sample();
        // Whose low and middle parts are below those of `p - 1`.
        case.trace.owners[0].record[0] = pow2(152) * Fr::from(5) + pow2(48) + one;
        let number = (BigUint::from(5u8) << 152) + (BigUint::from(1u8) << 48) + 1u8;
        take_key_hash(&mut case, &number);
        let owner = &mut case.trace.owners[0];
        for (part, change) in owner.parts.iter_mut().zip(change) {
            *part += change;
        }
        let [high, middle, low, exit_high, exit_low] = owner.parts;
        owner.record =
            [high * pow2(152) + middle * pow2(48) + low, exit_high * pow2(104) + exit_low];
        case.owners[0].1 = owner.record;
        case.trace.words[60..64].copy_from_slice(&[
            high,
            middle,
            low * pow2(56) + exit_high,
            exit_low,
        ]);
        case.claim_what_comes_out(|_| {});
        let mut expected = set(&[&format!("split.{rule}")]);
        if rule == "key_high_range" {
            // Above 256 bits is above `p` too.
            expected.insert("split.canonical_high".into());
        }
        assert_eq!(case.violated(|_| {}), expected);
    }
}
