//! Every cell of a batch with every kind of operation is changed; each change must break a rule,
//! or the cell is free by design and stands below with its reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use bastion_circuits::check::{check, names};
use bastion_circuits::core::{Layout, Placement, Table, WIDTH};
use bastion_circuits::mutate::Mutator;
use bastion_circuits::witness::fill;
use bastion_circuits::{Fr, Shape};
use bastion_protocol::Kind;
use bastion_protocol::Kind::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use support::{blob_link, context, link, run, world, EVERY_KIND};

/// When cells may be free.
#[derive(Clone, Copy)]
enum When {
    /// In operations of these kinds.
    Kinds(&'static [Kind]),
    /// In blocks whose cell of this number is 0: slots that the batch does not use.
    Zero(&'static [usize]),
}

/// Cells that a prover may choose, by number in the block, and why that is no harm.
struct Free {
    table: Table,
    cells: RangeInclusive<i64>,
    when: When,
    reason: &'static str,
}

const POSTED_BY_NOBODY: When =
    When::Kinds(&[Deposit, DepositNew, ForcedExit, ForcedExitNoop, Noop]);
const UNSIGNED: When = When::Kinds(&[Deposit, DepositNew, ForcedExit, ForcedExitNoop, Quote, Noop]);
const NO_FEE: When =
    When::Kinds(&[Deposit, DepositNew, ForcedExit, ForcedExitNoop, Freeze, Unfreeze, Noop]);

const fn op(cells: RangeInclusive<i64>, when: When, reason: &'static str) -> Free {
    Free { table: Table::Op, cells, when, reason }
}

const fn unused(
    table: Table,
    cells: RangeInclusive<i64>,
    zero: &'static [usize],
    reason: &'static str,
) -> Free {
    Free { table, cells, when: When::Zero(zero), reason }
}

/// The numbers are those of `ops::cells`, in the order of its allocation.
const FREE: &[Free] = &[
    op(
        0..=0,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExit,
            ForcedExitNoop,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Quote,
        ]),
        "mantissa: the amount of these kinds is no float",
    ),
    op(1..=7, POSTED_BY_NOBODY, "bits of the fee: the posted word of these kinds has none"),
    op(22..=35, When::Kinds(&[Noop]), "a Noop accesses no account"),
    op(
        22..=35,
        When::Kinds(&[Quote]),
        "a quote accesses no account that acts: token aside, the cells mean nothing",
    ),
    op(
        36..=49,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExitNoop,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Quote,
        ]),
        "these kinds have no second access",
    ),
    op(50..=63, NO_FEE, "these kinds do not access the fee account"),
    op(71..=71, When::Kinds(&[Noop]), "a Noop moves nothing"),
    op(72..=72, NO_FEE, "these kinds pay no fee"),
    op(87..=88, POSTED_BY_NOBODY, "amount and receiver of the posted word: these kinds post none"),
    op(89..=89, When::Kinds(&[Noop, Quote]), "a Noop has no signer"),
    op(
        90..=91,
        When::Kinds(&[Freeze, Unfreeze, Noop, Quote]),
        "the guardian's key hash is that of the policy, no owner is opened",
    ),
    op(
        92..=92,
        When::Kinds(&[
            Transfer,
            TransferNew,
            Withdraw,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Order,
            Quote,
        ]),
        "the token that an L1 operation names",
    ),
    op(
        93..=93,
        When::Kinds(&[
            Deposit,
            DepositNew,
            Transfer,
            TransferNew,
            Withdraw,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Order,
            Quote,
        ]),
        "the exit address that a forced exit names",
    ),
    op(
        94..=95,
        When::Kinds(&[Deposit, DepositNew, ForcedExitNoop, Transfer, Noop, Quote]),
        "extra fields of the message: these kinds have none",
    ),
    op(
        96..=96,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExit,
            ForcedExitNoop,
            Transfer,
            Withdraw,
            Freeze,
            Unfreeze,
            Noop,
            Order,
            Quote,
        ]),
        "these kinds write no owner",
    ),
    op(97..=97, UNSIGNED, "message: these kinds are not signed"),
    op(
        98..=98,
        When::Kinds(&[Deposit, DepositNew, ForcedExitNoop, Noop, Quote]),
        "message chain: these kinds are not signed, and their leaf does not go on there",
    ),
    op(
        99..=100,
        When::Kinds(&[Deposit, DepositNew, ForcedExitNoop, Transfer, Noop, Quote]),
        "message chain behind the word: these kinds have no extra fields",
    ),
    op(101..=101, UNSIGNED, "message: these kinds are not signed"),
    op(
        104..=104,
        When::Kinds(&[Transfer, Freeze, Unfreeze, Noop, Order, Quote]),
        "third word: these kinds post one word",
    ),
    op(
        106..=106,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExitNoop,
            Transfer,
            TransferNew,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Order,
            Quote,
        ]),
        "word of an exit record: these kinds do not leave",
    ),
    op(
        107..=108,
        When::Kinds(&[Transfer, Freeze, Unfreeze, Noop]),
        "hashes on the way to the leaf: of these kinds the word is the leaf",
    ),
    op(108..=108, When::Kinds(&[Order, Quote]), "the leaf after three words: these kinds post two"),
    op(109..=112, When::Kinds(&[Noop]), "leaf and node: a Noop has none"),
    op(
        129..=130,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExitNoop,
            Transfer,
            TransferNew,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Order,
            Quote,
        ]),
        "release time and address of an exit: these kinds do not leave",
    ),
    op(131..=131, When::Kinds(&[Quote]), "nobody sends a quote"),
    op(131..=131, NO_FEE, "a freeze does not stop these kinds"),
    op(
        138..=138,
        When::Kinds(&Kind::ALL),
        "weight of the token's difference: the forced exit here differs in the address, others \
         need not differ",
    ),
    op(
        139..=139,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExit,
            Transfer,
            TransferNew,
            Withdraw,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Order,
            Quote,
        ]),
        "weight of the address's difference: only a forced exit that does not match must differ",
    ),
    op(
        140..=140,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExit,
            ForcedExitNoop,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Quote,
        ]),
        "inverse of the amount: these kinds may move 0",
    ),
    op(
        141..=141,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExit,
            ForcedExitNoop,
            TransferNew,
            Withdraw,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
            Quote,
        ]),
        "inverse of the distance of sender and receiver: only a Transfer has both",
    ),
    op(
        142..=142,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExit,
            ForcedExitNoop,
            TransferNew,
            Withdraw,
            ChangeKey,
            Noop,
            Order,
            Quote,
        ]),
        "inverse of an owner: only receivers and targets of a freeze must not be limiters",
    ),
    op(
        146..=147,
        When::Kinds(&[
            Deposit,
            DepositNew,
            ForcedExit,
            ForcedExitNoop,
            Transfer,
            TransferNew,
            Withdraw,
            ChangeKey,
            Freeze,
            Unfreeze,
            Noop,
        ]),
        "sold and paid: these kinds are no orders",
    ),
    unused(Table::Quote, 5..=8, &[3], "a quote that is not there"),
    unused(Table::Account, 151..=158, &[150], "an account block that is not active"),
    unused(Table::Node, 73..=74, &[148, 149], "a node block without touched children"),
    unused(Table::Limiter, 1..=22, &[0], "a limiter block that is not active"),
    unused(Table::Signature, 13..=23, &[1], "a signature block that is not active"),
    unused(Table::Horner, 1..=43, &[0], "a group that is not active"),
    unused(Table::Split, 12..=13, &[0], "an owner record that is not there"),
    unused(Table::Limbs, 175..=176, &[177], "digits are no part of a quotient and its carry"),
];

fn allowed(grid_cell: impl Fn(usize) -> Fr, free: &Free, kind: Option<Kind>) -> bool {
    match free.when {
        When::Kinds(kinds) => kind.is_some_and(|kind| kinds.contains(&kind)),
        When::Zero(cells) => cells.iter().all(|cell| grid_cell(*cell) == Fr::zero()),
    }
}

#[test]
fn every_changed_cell_is_noticed() {
    // With a signature block more than every kind needs.
    let mut shape = Shape { k: 13, ..Shape::tiny() };
    shape.slots.signatures += 1;
    shape.check().unwrap();
    let trace = run(&mut world(), &context(), &EVERY_KIND).unwrap();
    let kinds: BTreeSet<_> = trace.ops.iter().map(|op| op.kind).collect();
    assert_eq!(kinds.len(), Kind::ALL.len());
    // In a blob: all tables are used.
    let (grid, _) = fill(&shape, &trace, &blob_link()).unwrap();
    assert!(check(&shape, &grid).is_empty());
    let mutator = Mutator::new(&shape, &grid);
    let cells: Vec<_> = mutator.cells().into_iter().collect();
    let tried: Vec<(usize, usize, BTreeSet<String>)> = cells
        .par_iter()
        .flat_map_iter(|&(row, col)| {
            let mut rng = ChaCha20Rng::seed_from_u64((row * WIDTH + col) as u64);
            let old = grid.get(row, col);
            let other_row = grid.get(rng.gen_range(0..grid.rows()), col);
            let random = Fr::from_raw([rng.gen(), rng.gen(), rng.gen(), rng.gen::<u64>() >> 4]);
            let mutator = &mutator;
            [old + Fr::one(), Fr::zero(), random, -Fr::one(), other_row]
                .into_iter()
                .filter(move |value| *value != old)
                .map(move |value| (row, col, mutator.broken_by(row, col, value)))
        })
        .collect();
    let mut silent = mutator.rules();
    let rules = silent.len();
    let mut free_cells = BTreeSet::new();
    for (row, col, broken) in &tried {
        if broken.is_empty() {
            free_cells.insert((*row, *col));
        }
        silent.retain(|rule| !broken.contains(rule));
    }

    let op_rows: Vec<usize> = Layout::new(&shape).rows_of(Table::Op);
    let kind_of = |placement: &Placement| {
        let slot = op_rows.iter().position(|row| *row == placement.row)?;
        Some(trace.ops.get(slot).map_or(Noop, |op| op.kind))
    };
    let mut used = vec![0; FREE.len()];
    let mut survivors = Vec::new();
    for (row, col) in &free_cells {
        let readers = mutator.readers(*row, *col);
        // A cell is free only if everything that reads it lets it be.
        let reasons: Option<Vec<usize>> = readers
            .iter()
            .map(|(placement, n)| {
                let cell = |n: usize| grid.get(placement.row + n / WIDTH, n % WIDTH);
                FREE.iter().position(|free| {
                    free.table == placement.table
                        && free.cells.contains(n)
                        && allowed(cell, free, kind_of(placement))
                })
            })
            .collect();
        match reasons {
            Some(reasons) => reasons.into_iter().for_each(|i| used[i] += 1),
            None => survivors.push(format!("row {row} column {col}, read as {readers:?}")),
        }
    }
    println!(
        "{} cells, {} changes: {} cells killed, {} allowed, {} survivors; {} of {rules} rules noticed one",
        cells.len(),
        tried.len(),
        cells.len() - free_cells.len(),
        free_cells.len() - survivors.len(),
        survivors.len(),
        rules - silent.len()
    );
    support::record("cells", cells.len());
    support::record("changes", tried.len());
    support::record("killed", cells.len() - free_cells.len());
    support::record("allowed", free_cells.len() - survivors.len());
    support::record("survivors", survivors.len());
    assert!(survivors.is_empty(), "under-constrained: {survivors:#?}");
    // Made of public inputs and of the running sum, not of cells: the cheats and the structure tests
    // break these.
    let others = [
        "head.chain_before",
        "head.first_key",
        "head.first_state",
        "head.mode_flag",
        "head.sum_starts_at_zero",
    ]
    .map(String::from);
    assert_eq!(silent, others.into(), "rules that no change breaks");
    support::record("rules", rules);
    for (free, used) in FREE.iter().zip(used) {
        assert!(used > 0, "no cell is free because of: {}", free.reason);
    }
}

/// The mutator looks only at what reads a cell; the checker looks at everything.
#[test]
fn the_mutator_agrees_with_the_checker() {
    let shape = Shape::tiny();
    let trace = run(&mut world(), &context(), &EVERY_KIND).unwrap();
    let (grid, _) = fill(&shape, &trace, &link()).unwrap();
    let mutator = Mutator::new(&shape, &grid);
    let cells: Vec<_> = mutator.cells().into_iter().collect();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let op_rows = Layout::new(&shape).rows_of(Table::Op);
    let behind = |row: usize| cells.partition_point(|(other, _)| *other < row);
    let of_ops = behind(op_rows[0])..behind(op_rows[op_rows.len() - 1]);
    let mut unnoticed = 0;
    for _ in 0..150 {
        // One in three among operations, where cells may be free.
        let range = if rng.gen_ratio(1, 3) { of_ops.clone() } else { 0..cells.len() };
        let (row, col) = cells[rng.gen_range(range)];
        let value = grid.get(row, col) + Fr::one();
        let mut changed = grid.clone();
        changed.overwrite(row, col, value);
        let failures = names(&check(&shape, &changed));
        let broken = mutator.broken_by(row, col, value);
        // A term that puts nothing on the bus any more has no name there: its partner has.
        let gone = mutator.gone_by(row, col, value);
        let named: BTreeSet<_> = broken.difference(&gone).cloned().collect();
        assert!(named.is_subset(&failures), "{named:?}: {failures:?}");
        assert_eq!(broken.is_empty(), failures.is_empty());
        unnoticed += usize::from(broken.is_empty());
    }
    assert!(unnoticed > 0);
}
