//! Cheating provers: each does one thing wrong and everything else as if it were right, and fails by
//! the rule that is there for it. A look-up that fails names both sides of the bus.

use ark_ff::Field;

use super::*;
use crate::blob::powers::REDUCTIONS;
use crate::blob::reduce::{Reduction, MODULUS};
use crate::core::{pow2, WIDTH};
use crate::witness::convert::{halves, inverse_or_zero};
use bastion_protocol::blob::point::from_limbs;

/// Half of each of two blocks that are the same: what they put on the bus is that of one.
fn half() -> Fr {
    inverse_or_zero(Fr::from(2))
}

/// Another value for a reduction, with the quotient and carry that make it right modulo `p`.
pub(super) fn replace(reduction: &mut Reduction<Fr>, value: Pieces<Fr>) {
    let [low, high] = *MODULUS;
    let difference = |l: usize| reduction.value.limbs()[l] - value.limbs()[l];
    let taken = difference(0) + difference(1) * pow2(127);
    let quotient = taken * inverse_or_zero(low + high * pow2(127));
    reduction.carry += (difference(0) - quotient * low) * inverse_or_zero(pow2(127));
    reduction.quotient += quotient;
    reduction.value = value;
}

/// Something in the value's pieces, and in the carry, by names of the rules that then fail.
type Alteration = (&'static str, fn(&mut Reduction<Fr>));

const REDUCTION_CHEATS: [Alteration; 4] = [
    ("low", |r| {
        r.carry += Fr::one();
        r.value.0[2] += Fr::one();
    }),
    ("high", |r| r.value.0[2] += Fr::one()),
    // The same value in pieces that are not in range.
    ("value", |r| {
        r.value.0[0] += pow2(120);
        r.value.0[1] -= Fr::one();
    }),
    // Any value at all: the quotient and the carry that fit it in the field are not in range.
    ("quotient", |r| replace(r, Pieces([11, 12, 13, 14].map(Fr::from)))),
];

#[test]
fn multipliers_are_the_powers() {
    let mut case = Case::sample();
    for (rule, cheat) in REDUCTION_CHEATS {
        for place in 0..QUARTERS * REDUCTIONS {
            let alter = |stage: Stage<'_>| {
                if let Stage::Power { quarter, number, reduction } = stage {
                    if quarter * REDUCTIONS + number == place {
                        cheat(reduction);
                    }
                }
            };
            case.claim_what_comes_out(alter);
            let name = format!("powers.reduction{}.{rule}", place % REDUCTIONS);
            let names = case.violated(alter);
            assert_eq!(names, BTreeSet::from([name]), "{place}");
        }
    }
}

#[test]
fn values_are_what_groups_come_to() {
    let mut case = Case::sample();
    for (rule, cheat) in REDUCTION_CHEATS {
        for place in 0..case.trace.groups() {
            let alter = |stage: Stage<'_>| {
                if let Stage::Group { group, reduction } = stage {
                    if group == place {
                        cheat(reduction);
                    }
                }
            };
            case.claim_what_comes_out(alter);
            assert_eq!(case.violated(alter), set(&[&format!("horner.{rule}")]), "{place}");
        }
    }
}

#[test]
fn the_point_is_that_of_the_head() {
    // Another point than the head's, everywhere.
    let mut case = Case::sample();
    case.trace.z ^= 1;
    case.claim_what_comes_out(|_| {});
    assert_eq!(case.violated(|_| {}), set(&["blob.statement", "head.blob"]));
    // The head's point at the edge, another one in the multipliers.
    for place in 0..QUARTERS {
        for part in 0..3 {
            let mut case = Case::sample();
            let alter = |stage: Stage<'_>| match stage {
                Stage::Quarter { quarter, z, .. } if quarter >= place && part < 2 => {
                    z[part] += Fr::one();
                }
                Stage::Quarter { quarter, start, .. } if quarter == place && part == 2 => {
                    start[0] += Fr::one();
                }
                _ => {}
            };
            case.claim_what_comes_out(alter);
            let before = if place == 0 { "blob.power" } else { "powers.next" };
            assert_eq!(case.violated(alter), set(&[before, "powers.start"]), "{place} {part}");
        }
    }
    // The words of the point are its only ones.
    let mut case = Case::sample();
    case.trace.z |= 1 << 127;
    case.statement.z = wide(case.trace.z);
    case.claim_what_comes_out(|_| {});
    let alter = |stage: Stage<'_>| {
        if let Stage::Edge(edge) = stage {
            edge.z.0[1] += pow2(7);
            edge.z.0[2] -= Fr::one();
        }
    };
    assert_eq!(case.violated(alter), set(&["blob.z_range"]));
}

#[test]
fn multipliers_are_those_of_the_table() {
    // A word that is 0 hides its multiplier: the last group's padding.
    let case = Case::sample();
    let padding = case.used() % GROUP_SLOTS;
    for slot in padding..GROUP_SLOTS {
        let mut grid = case.grid(&mut |_| {});
        let (quarter, slot) = (slot / QUARTER_SLOTS, slot % QUARTER_SLOTS);
        let cell = WIDTH * (slot / 2) + 6 + 2 * (slot % 2);
        nudge(&mut grid, case.row(Table::Slots, 4 + quarter), cell, Fr::one());
        let names = set(&["slots.multipliers", "powers.multipliers"]);
        assert_eq!(case.check(&grid), names, "{slot}");
    }
    // So does a value that is 0.
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let case = Case::of(&batch(&mut rng, 3, 0), rng.gen(), Scalar::from(0u64));
    for limb in WIDTH + 5..WIDTH + 11 {
        let mut grid = case.grid(&mut |_| {});
        nudge(&mut grid, case.row(Table::Horner, 0), limb, Fr::one());
        let names = set(&["horner.value_multipliers", "powers.value_multipliers"]);
        assert_eq!(case.check(&grid), names);
    }
}

/// The rule that consumes a slot: the first run of a block has the even groups.
fn word(slot: usize) -> String {
    let run = slot / GROUP_SLOTS % 2;
    format!("slots.word{}", QUARTER_SLOTS * run + slot % QUARTER_SLOTS)
}

#[test]
fn elements_are_the_records() {
    let honest = Case::sample();
    let used = honest.used();
    for place in 0..honest.trace.words.len() {
        let mut case = honest.clone();
        case.trace.words[place] += Fr::one();
        case.claim_what_comes_out(|_| {});
        let producer = match place {
            n if n < 60 => "op.blob_word".into(),
            n if n < used => format!("split.slot{}", (n - 60) % OWNER_SLOTS),
            // A trailing element that is not 0.
            n => format!("blob.padding{}", n - used),
        };
        let consumer = word(place);
        assert_eq!(case.violated(|_| {}), set(&[&consumer, &producer]), "{place}");
    }
    // Two swapped: in an element, in a group, across groups.
    for (a, b) in [(0, 1), (2, 7), (5, 40)] {
        let mut case = honest.clone();
        case.trace.words.swap(a, b);
        case.claim_what_comes_out(|_| {});
        let [a, b] = [a, b].map(word);
        assert_eq!(case.violated(|_| {}), set(&[&a, &b, "op.blob_word"]));
    }
}

/// Another blob for the same commitment: its value stands in the head, the words are the batch's.
#[test]
fn another_blob_has_another_value() {
    let mut case = Case::sample();
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let other = Case::of(&batch(&mut rng, 60, 3), case.trace.z, Scalar::from(0u64));
    case.statement.from = other.statement.from;
    assert_eq!(case.violated(|_| {}), set(&["blob.statement", "head.blob"]));
    // A prover who makes the tables come to it: one rule at the end of the chain.
    let alter = |stage: Stage<'_>| {
        if let Stage::Group { group: 0, reduction } = stage {
            let value = point_value(&other.statement.from);
            replace(reduction, Pieces::of(&value));
        }
    };
    assert_eq!(case.violated(alter), set(&["horner.quotient"]));
    // Without the sum being right modulo p either.
    let alter = |stage: Stage<'_>| {
        if let Stage::Edge(edge) = stage {
            edge.from = Pieces::of(&point_value(&other.statement.from));
        }
    };
    assert_eq!(case.violated(alter), set(&["blob.first", "horner.result"]));
}

fn point_value(limbs: &[Fr; 2]) -> Scalar {
    from_limbs(limbs.map(|limb| halves(&limb).0)).unwrap()
}

#[test]
fn counts_and_ends_are_those_of_the_head() {
    let honest = Case::sample();
    let statement = set(&["blob.statement", "head.blob"]);
    let changes: [fn(&mut Statement<Fr>); 7] = [
        |s| s.z += Fr::one(),
        |s| s.l2 += Fr::one(),
        |s| s.owners += Fr::one(),
        |s| s.from[0] += Fr::one(),
        |s| s.from[1] += Fr::one(),
        |s| s.to[0] += Fr::one(),
        |s| s.to[1] += Fr::one(),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut case = honest.clone();
        change(&mut case.statement);
        assert_eq!(case.violated(|_| {}), statement, "{n}");
    }
    // A group more than there are.
    let mut grid = honest.grid(&mut |_| {});
    nudge(&mut grid, honest.row(Table::Blob, 0), 7, Fr::one());
    assert_eq!(honest.check(&grid), set(&["blob.last", "horner.rest"]));
    // A group of zeros behind the last one, and everything fits it: there are no such slots.
    let mut case = honest.clone();
    case.trace.words.extend([Fr::zero(); GROUP_SLOTS]);
    case.room = BlobSlots::for_batch(4, 3);
    case.claim_what_comes_out(|_| {});
    // Slots 72 to 102 are padding, and slot 103, the eighth of the fourth group, would be the slot
    // of padding too many.
    let mut expected: BTreeSet<String> = (104..128).map(word).collect();
    expected.insert("blob.padding_end".into());
    assert_eq!(case.violated(|_| {}), expected);
}

/// The value plus the modulus. The circuit fixes a value modulo the modulus, and lets this one
/// through where it has 255 bits; whoever reads the public input takes canonical values alone.
#[test]
fn a_value_plus_the_modulus() {
    let raise = |stage: Stage<'_>| {
        if let Stage::Group { group: 0, reduction } = stage {
            replace(reduction, raised(&reduction.value, 1));
        }
    };
    // Of 256 bits: no piece above 255 bits is in range.
    let mut case = Case::sample();
    case.claim_what_comes_out(raise);
    assert_eq!(case.violated(raise), set(&["horner.value"]));
    // Of 255 bits, where the batch's value is 5: it is refused by its reader.
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let (data, z) = (batch(&mut rng, 20, 0), rng.gen::<u128>());
    let own = evaluate(&coefficients(std::slice::from_ref(&data)).unwrap(), z);
    let to = (Scalar::from(5u64) - own) / Scalar::from(z).pow([16]);
    let mut case = Case::of(&data, z, to);
    assert_eq!(case.statement.from, [Fr::from(5), Fr::zero()]);
    case.claim_what_comes_out(raise);
    assert_eq!(case.statement.from, [Fr::from(5) + MODULUS[0], MODULUS[1]]);
    assert_eq!(case.violated(raise), set(&[]));
    let limbs = case.statement.from.map(|limb| halves(&limb).0);
    assert!(from_limbs(limbs).is_err());
    // The head says so, the tables do not.
    assert_eq!(case.violated(|_| {}), set(&["blob.statement", "head.blob"]));
}

#[test]
fn the_value_behind_a_batch_is_in_range() {
    let mut case = Case::sample();
    let [e0, e1, e2, e3] = case.trace.to.0;
    case.trace.to = Pieces([e0, e1 + pow2(7), e2 - Fr::one(), e3]);
    case.claim_what_comes_out(|_| {});
    assert_eq!(case.violated(|_| {}), set(&["blob.to_range"]));
}

#[test]
fn flags_are_flags() {
    let mut case = Case::sample();
    case.room.groups += 3;
    case.room.owners += 1;
    // A block twice, and each counts half: what they put on the bus is that of one.
    for (table, unused, cells, flags) in [
        (Table::Horner, 3, 2 * WIDTH, &[0][..]),
        (Table::Slots, 8, 5 * WIDTH, &[0, WIDTH]),
        (Table::Split, 3, WIDTH, &[0]),
    ] {
        let mut grid = case.grid(&mut |_| {});
        let (from, to) = (case.row(table, 0), case.row(table, unused));
        for n in 0..cells {
            let (row, col) = (n / WIDTH, n % WIDTH);
            grid.overwrite(to + row, col, grid.get(from + row, col));
        }
        if table == Table::Slots {
            // The second run stays where it was.
            [2, 3].into_iter().for_each(|row| grid.overwrite(to + row, 0, Fr::zero()));
        }
        for flag in flags {
            let (row, col) = (flag / WIDTH, flag % WIDTH);
            let half = grid.get(from + row, col) * half();
            grid.overwrite(from + row, col, half);
            grid.overwrite(to + row, col, half);
        }
        let flag = if table == Table::Slots { "active_flag0" } else { "active_flag" };
        assert_eq!(case.check(&grid), set(&[&format!("{}.{flag}", table.name())]));
    }
}

/// Look-ups that do not count, or slots that do not.
#[test]
fn counts_are_those_of_the_block() {
    let case = Case::sample();
    for row in 0..5 {
        let mut grid = case.grid(&mut |_| {});
        nudge(&mut grid, case.row(Table::Powers, 1), WIDTH * (1 + row), Fr::one());
        let names = case.check(&grid);
        assert!(names.contains(&format!("powers.counted{row}")), "{names:?}");
    }
    for run in 0..2 {
        let mut grid = case.grid(&mut |_| {});
        nudge(&mut grid, case.row(Table::Slots, 1), WIDTH * (2 * run + 1), Fr::one());
        let names = case.check(&grid);
        assert!(names.contains(&format!("slots.count{run}")), "{names:?}");
    }
}

/// Slots of one place that count for another, where all words are the same.
#[test]
fn slots_stand_one_after_the_other() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut data = batch(&mut rng, 1, 0);
    let record = data.records[Section::L2 as usize][0].clone();
    data.records[Section::L2 as usize] = vec![record; 64];
    let case = Case::of(&data, rng.gen(), Scalar::from(0u64));
    let row = case.row(Table::Slots, 0);
    // The second rows of two runs swap their places.
    let mut grid = case.grid(&mut |_| {});
    nudge(&mut grid, row, WIDTH + 1, Fr::from(32));
    nudge(&mut grid, row, 3 * WIDTH + 1, -Fr::from(32));
    assert_eq!(case.check(&grid), set(&["slots.position0", "slots.position1"]));
    // Two quarters of a group swap theirs: each has the multipliers of the other.
    let mut grid = case.grid(&mut |_| {});
    for (n, by) in [(0, Fr::from(8)), (1, -Fr::from(8))] {
        let row = case.row(Table::Slots, n);
        (0..2).for_each(|r| nudge(&mut grid, row, WIDTH * r + 1, by));
    }
    assert_eq!(case.check(&grid), set(&["slots.sums0", "horner.sums0", "horner.sums1"]));
}

/// Sums of a run that are not its own.
#[test]
fn runs_come_to_what_they_say() {
    let case = Case::sample();
    for run in 0..2 {
        for (limb, rule) in ["low", "high"].into_iter().enumerate() {
            let mut grid = case.grid(&mut |_| {});
            let cell = 4 * WIDTH + 1 + 2 * run + limb;
            nudge(&mut grid, case.row(Table::Slots, 2), cell, Fr::one());
            let (sums, rule) = (format!("slots.sums{run}"), format!("slots.{rule}{run}"));
            assert_eq!(case.check(&grid), set(&["horner.sums2", &sums, &rule]));
        }
    }
}

/// The place beside a group's reduction is empty.
#[test]
fn nothing_stands_beside_a_group() {
    let case = Case::sample();
    for n in 0..6 {
        let mut grid = case.grid(&mut |_| {});
        nudge(&mut grid, case.row(Table::Horner, 0), 7 + n, Fr::one());
        let names = case.check(&grid);
        assert!(names.contains(&format!("horner.empty{n}")), "{names:?}");
    }
}

/// Slots of padding somewhere else, and one more than there may be.
#[test]
fn padding_stands_behind_the_records() {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let case = Case::of(&batch(&mut rng, 32, 0), rng.gen(), Scalar::from(0u64));
    let row = case.row(Table::Blob, 0);
    for n in 0..8 {
        let mut grid = case.grid(&mut |_| {});
        nudge(&mut grid, row, WIDTH * n + 4, Fr::one());
        assert_eq!(case.check(&grid), set(&[&format!("blob.position{n}")]));
    }
    // A group of nothing but padding behind a batch that fills its groups.
    let mut longer = case.clone();
    longer.trace.words.extend([Fr::zero(); GROUP_SLOTS]);
    longer.room = BlobSlots::for_batch(2, 0);
    longer.claim_what_comes_out(|_| {});
    assert_eq!(longer.violated(|_| {}), set(&["blob.padding_end"]));
}
