//! What a batch has in the blob: where it begins and ends, the padding, the point.

use bastion_protocol::blob::{GROUP_SLOTS, OWNER_SLOTS};
use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::horner::rest_tuple;
use crate::blob::limbs::{value_tuple, LimbCounts};
use crate::blob::powers::power_tuple;
use crate::blob::reduce::Pieces;
use crate::blob::split::from_tuple;
use crate::blob::{word_tuple, Statement};
use crate::core::{BlockWriter, Expr, RowBlock, Table, Term};

const L2: Expr = Expr::nth(0);
const OWNERS: Expr = Expr::nth(1);
const GROUPS: Expr = Expr::nth(2);
const PADS: usize = 3;
/// Most slots of padding: one less than would be a group.
const PADDING: usize = GROUP_SLOTS - 1;
const TO: usize = PADS + PADDING;
const FROM: usize = TO + 4;
/// Pieces of `z`; there is no fourth.
const Z: usize = FROM + 4;

fn pieces(first: usize) -> Pieces<Expr> {
    Pieces([0, 1, 2, 3].map(|i| Expr::nth(first + i)))
}

/// The block of a batch.
pub fn block() -> RowBlock {
    let mut block = RowBlock::new(Table::Blob);
    let (from, to) = (pieces(FROM), pieces(TO));
    let z = Pieces([Expr::nth(Z), Expr::nth(Z + 1), Expr::nth(Z + 2), Expr::zero()]);
    let [z_low, z_high, _] = z.words();
    let statement = Statement {
        z: z_low + z_high * Expr::pow2(120),
        l2: L2,
        owners: OWNERS,
        from: from.limbs(),
        to: to.limbs(),
    };
    let start = [Expr::one(), Expr::zero()];
    let mut terms = vec![
        Term::consume("statement", Expr::one(), statement.tuple()),
        Term::produce("power", Expr::one(), power_tuple(Expr::zero(), [z_low, z_high], start)),
        Term::produce("last", Expr::one(), rest_tuple(GROUPS, to)),
        Term::consume("first", Expr::one(), rest_tuple(Expr::zero(), from)),
        Term::consume("to_range", Expr::one(), value_tuple(to.0)),
        Term::consume("z_range", Expr::one(), value_tuple(z.0)),
        Term::produce("owners", OWNERS, from_tuple(L2)),
    ];
    let used = L2 + OWNERS * Expr::from(OWNER_SLOTS as u64);
    for i in 0..PADDING {
        let tuple = word_tuple(used + Expr::from(i as u64), Expr::zero());
        terms.push(Term::produce(format!("padding{i}"), Expr::nth(PADS + i), tuple));
    }
    block.bus_packed(0, terms);
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
    [l2, owners, edge.groups].into_iter().enumerate().for_each(|(n, v)| writer.nth(n, Fr::from(v)));
    for i in 0..PADDING {
        writer.nth(PADS + i, Fr::from(u64::from((i as u64) < padding)));
    }
    let [z0, z1, z2, _] = edge.z.0;
    let values = edge.to.0.into_iter().chain(edge.from.0).chain([z0, z1, z2]);
    values.enumerate().for_each(|(n, value)| writer.nth(TO + n, value));
    limbs.value(&edge.to.0);
    limbs.value(&edge.z.0);
}
