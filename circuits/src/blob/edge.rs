//! What a batch has in the blob: where it begins and ends, the padding, the point.

use bastion_protocol::blob::{GROUP_SLOTS, OWNER_SLOTS};
use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::horner::rest_tuple;
use crate::blob::limbs::{value_tuple, LimbCounts};
use crate::blob::powers::power_tuple;
use crate::blob::reduce::Pieces;
use crate::blob::split::from_tuple;
use crate::blob::{word_tuple, Statement};
use crate::core::{BlockWriter, Expr, RowBlock, RowKind, Table, Term, TERMS};

/// Slots of padding that the rows have room for.
const PADDING: usize = GROUP_SLOTS;
/// Rows of padding; what stands beside and below them is in the columns behind theirs.
const ROWS: usize = PADDING / TERMS;
const BESIDE: usize = TERMS + 1;

const L2: Expr = Expr::cell(0, BESIDE);
const OWNERS: Expr = Expr::cell(0, BESIDE + 1);
const GROUPS: Expr = Expr::cell(0, BESIDE + 2);
const TO: i32 = 1;
const FROM: i32 = 2;
/// The point has three pieces; there is no fourth.
const Z: i32 = 3;

/// How often slot `i` of the padding is used.
fn uses(i: usize) -> Expr {
    Expr::cell((i / TERMS) as i32, i % TERMS)
}

/// Position of the first slot of a row of padding.
fn position(row: usize) -> Expr {
    Expr::cell(row as i32, TERMS)
}

fn pieces(row: i32) -> [Expr; 4] {
    [0, 1, 2, 3].map(|i| Expr::cell(row, BESIDE + i))
}

/// The block of a batch.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Blob);
    let (from, to) = (Pieces(pieces(FROM)), Pieces(pieces(TO)));
    let [z0, z1, z2, _] = pieces(Z);
    let z = Pieces([z0, z1, z2, Expr::zero()]);
    let [z_low, z_high, _] = z.words();
    let statement = Statement {
        z: z_low + z_high * Expr::pow2(120),
        l2: L2,
        owners: OWNERS,
        from: from.limbs(),
        to: to.limbs(),
    };
    let used = L2 + OWNERS * Expr::from(OWNER_SLOTS as u64);
    for row in 0..ROWS {
        let expected = used + Expr::from((TERMS * row) as u64);
        block.constrain(format!("position{row}"), position(row) - expected);
        block.of_kind(row, RowKind::Padding);
        for i in TERMS * row..TERMS * (row + 1) {
            let place = position(row) + Expr::from((i % TERMS) as u64);
            let tuple = word_tuple(place, Expr::zero());
            block.bus(row, [Term::produce(format!("padding{i}"), uses(i), tuple)]);
        }
    }
    // As many slots of padding as a group has would be one more group.
    block.constrain("padding_end", uses(PADDING - 1));
    let start = [Expr::one(), Expr::zero()];
    let terms = vec![
        Term::consume("statement", Expr::one(), statement.tuple()),
        Term::produce("power", Expr::one(), power_tuple(Expr::zero(), [z_low, z_high], start)),
        Term::produce("last", Expr::one(), rest_tuple(GROUPS, to)),
        Term::consume("first", Expr::one(), rest_tuple(Expr::zero(), from)),
        Term::consume("to_range", Expr::one(), value_tuple(to.0)),
        Term::consume("z_range", Expr::one(), value_tuple(z.0)),
        Term::produce("owners", OWNERS, from_tuple(L2)),
    ];
    block.bus_packed(ROWS, terms);
    block
}

/// What [`assign`] writes.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// L2 and owner records.
    pub counts: [u64; 2],
    /// Groups.
    pub groups: u64,
    /// Value of the polynomial's rest from the batch on, and behind it.
    pub from: Pieces<Fr>,
    /// Value behind the batch.
    pub to: Pieces<Fr>,
    /// The point.
    pub z: Pieces<Fr>,
}

/// Assigns the block of a batch.
pub fn assign(writer: &mut BlockWriter<'_>, edge: &Edge, limbs: &mut LimbCounts) {
    let [l2, owners] = edge.counts;
    let used = l2 + owners * OWNER_SLOTS as u64;
    let padding = (edge.groups * GROUP_SLOTS as u64).saturating_sub(used);
    for (cell, count) in [L2, OWNERS, GROUPS].iter().zip([l2, owners, edge.groups]) {
        writer.set(cell, Fr::from(count));
    }
    for row in 0..ROWS {
        writer.set(&position(row), Fr::from(used + (TERMS * row) as u64));
    }
    for i in 0..PADDING {
        writer.set(&uses(i), Fr::from(u64::from((i as u64) < padding)));
    }
    let [z0, z1, z2, _] = edge.z.0;
    let rows = [(TO, &edge.to.0[..]), (FROM, &edge.from.0), (Z, &[z0, z1, z2])];
    for (row, values) in rows {
        pieces(row).iter().zip(values).for_each(|(cell, value)| writer.set(cell, *value));
    }
    limbs.value(&edge.to.0);
    limbs.value(&edge.z.0);
}
