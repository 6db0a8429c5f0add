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
        assert_eq!(case.violated(|_| {}), set(&[&format!("split.{rule}")]));
    }
}
