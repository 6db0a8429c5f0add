#![doc = include_str!("README.md")]

use bastion_protocol::hash::TAG_LIMIT;
use bastion_protocol::policy::TokenLimits;
use bastion_protocol::Token;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::hash;
use crate::witness::convert::{small, to_halo2};
use crate::witness::LookupCounts;

/// Depth of the tree of limits.
pub const DEPTH: usize = bastion_protocol::policy::LIMITS_DEPTH;

const ACTIVE: Expr = Expr::nth(0);
const COUNT: Expr = Expr::nth(1);
const TOKEN: Expr = Expr::nth(2);
const RATE: Expr = Expr::nth(3);
const BURST: Expr = Expr::nth(4);
const DELAY: Expr = Expr::nth(5);
const TIME: Expr = Expr::nth(6);
const CHAIN: [Expr; 3] = [Expr::nth(7), Expr::nth(8), Expr::nth(9)];
/// Bit, left, right and parent of each step, from the leaf to the root.
const STEPS: usize = 12;

/// The tuple of a token's limits.
pub fn limits_tuple(token: Expr, rate: Expr, burst: Expr, delay: Expr) -> Tuple {
    Tuple::new(Tag::Limits, [token, rate, burst, delay])
}

/// The tuple of what this table and the limiter need of the batch.
pub fn context_tuple(limits_root: Expr, time: Expr) -> Tuple {
    Tuple::new(Tag::PolicyContext, [limits_root, time])
}

fn step(i: usize) -> [Expr; 4] {
    std::array::from_fn(|j| Expr::nth(STEPS + 4 * i + j))
}

/// The start of the chain that hashes a token's limits.
fn chain_head() -> Fr {
    to_halo2(bastion_protocol::hash::compress(
        bastion_protocol::Fr::from(TAG_LIMIT),
        bastion_protocol::Fr::from(3u64),
    ))
}

/// Constraints of the limits of one token.
pub fn policy_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Policy);
    block.constrain("active_flag", ACTIVE.boolean());
    block.constrain("unused_has_no_limits", !ACTIVE * COUNT);

    let [c1, c2, leaf] = CHAIN;
    let mut terms = vec![
        Term::produce("limits", COUNT, limits_tuple(TOKEN, RATE, BURST, DELAY)),
        Term::consume("leaf_rate", ACTIVE, hash::tuple(chain_head().into(), RATE, c1)),
        Term::consume("leaf_burst", ACTIVE, hash::tuple(c1, BURST, c2)),
        Term::consume("leaf_delay", ACTIVE, hash::tuple(c2, DELAY, leaf)),
    ];
    let mut current = leaf;
    let mut token = Expr::zero();
    for i in 0..DEPTH {
        let [bit, left, right, parent] = step(i);
        block.constrain(format!("bit{i}"), bit.boolean());
        block.constrain(format!("child{i}"), left + bit * (right - left) - current);
        terms.push(Term::consume(format!("parent{i}"), ACTIVE, hash::tuple(left, right, parent)));
        token = token + bit * Expr::pow2(i as u32);
        current = parent;
    }
    block.constrain("token", TOKEN - token);
    terms.push(Term::consume("context", ACTIVE, context_tuple(current, TIME)));
    block.bus_packed(0, terms);
    block
}

/// The limits of a token with their path.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The token.
    pub token: Token,
    /// Its limits.
    pub limits: TokenLimits,
    /// Siblings from the leaf to the root.
    pub siblings: [bastion_protocol::Fr; DEPTH],
}

/// Assigns the limits of one token, looked up `count` times (or an unused block).
pub fn assign(
    writer: &mut BlockWriter<'_>,
    opening: Option<(&Opening, u64)>,
    time: u64,
    pools: &mut LookupCounts,
) {
    let Some((opening, count)) = opening else {
        for n in 0..STEPS - 2 {
            writer.nth(n, Fr::zero());
        }
        for n in STEPS..STEPS + 4 * DEPTH {
            writer.nth(n, Fr::zero());
        }
        return;
    };
    writer.set(&ACTIVE, Fr::one());
    writer.set(&COUNT, small(count));
    writer.set(&TOKEN, small(u64::from(opening.token)));
    writer.set(&RATE, small(opening.limits.rate));
    writer.set(&BURST, small(opening.limits.burst_seconds));
    writer.set(&DELAY, small(opening.limits.max_delay));
    writer.set(&TIME, small(time));
    let c1 = pools.compress(chain_head(), small(opening.limits.rate));
    let c2 = pools.compress(c1, small(opening.limits.burst_seconds));
    let leaf = pools.compress(c2, small(opening.limits.max_delay));
    for (cell, value) in CHAIN.iter().zip([c1, c2, leaf]) {
        writer.set(cell, value);
    }
    let mut current = leaf;
    for (i, sibling) in opening.siblings.iter().enumerate() {
        let bit = (opening.token >> i) & 1;
        let sibling = to_halo2(*sibling);
        let (left, right) = if bit == 0 { (current, sibling) } else { (sibling, current) };
        let parent = pools.compress(left, right);
        for (cell, value) in step(i).iter().zip([small(u64::from(bit)), left, right, parent]) {
            writer.set(cell, value);
        }
        current = parent;
    }
}
