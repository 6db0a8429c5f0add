#![doc = include_str!("README.md")]

mod amounts;
mod assign;
mod cells;
mod kinds;
mod rules;
mod words;

pub use assign::{assign, assign_node, OpState};
pub use cells::{cells, Cells};

use crate::accounts;
use crate::blob;
use crate::core::{Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::hash;
use crate::limiter;
use crate::ranges::{range128, range40};
use crate::signatures;
use kinds::{sets, Sets};

/// Time stamps an operation has.
pub const TIMES: u64 = 4;

/// The tuple of the state between operations: number, position, polynomials, counts.
pub fn state_tuple(number: Expr, position: Expr, y: [Expr; 4], counts: [Expr; 4]) -> Tuple {
    Tuple::new(Tag::State, [number, position].into_iter().chain(y).chain(counts))
}

/// The tuple of the batch's constants.
pub fn context_tuple(entries: [Expr; 9]) -> Tuple {
    Tuple::new(Tag::Context, entries)
}

/// The tuple of a node of the order tree by its number; number 0 is the chain over batches.
pub fn place_tuple(number: Expr, value: Expr) -> Tuple {
    Tuple::new(Tag::Place, [number, value])
}

/// Constraints of an operation.
pub fn op_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Op);
    let c = cells();
    let s = sets(&c);
    amounts::amounts(&mut block, &c, &s);
    rules::primary(&mut block, &c, &s);
    rules::others(&mut block, &c, &s);
    rules::permissions(&mut block, &c, &s);
    words::message(&mut block, &c, &s);
    words::words(&mut block, &c, &s);
    words::leaf(&mut block, &c, &s);
    words::absorption(&mut block, &c, &s);

    // `opening` and the terms for the blob have multiplicities of degree 2; the others have degree 1.
    let terms = [
        access_terms(&c, &s),
        hash_terms(&c, &s),
        range_terms(&c, &s),
        batch_terms(&c, &s),
        place_terms(&c, &s),
        blob_terms(&c, &s),
    ]
    .concat();
    block.bus_packed(0, terms);
    block
}

/// The three account accesses.
fn access_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let names = ["primary", "second", "fee"];
    let active = access_flags(s);
    let mut terms = Vec::new();
    for (i, access) in c.access.iter().enumerate() {
        let now = c.number * Expr::from(TIMES) + Expr::from(i as u64 + 1);
        let name = |what: &str| format!("{}_{what}", names[i]);
        terms.push(Term::consume(
            name("before"),
            active[i],
            accounts::tuple(access.index, access.before, access.t_before),
        ));
        terms.push(Term::produce(
            name("after"),
            active[i],
            accounts::tuple(access.index, access.after, now),
        ));
        terms.push(Term::consume(
            name("order"),
            active[i],
            range40(now - access.t_before - Expr::one()),
        ));
    }
    terms
}

/// Which accesses a kind makes.
fn access_flags(s: &Sets) -> [Expr; 3] {
    [!s.noop, s.floats + s.forced_exit, s.owner_signed]
}

/// Openings, message and leaf.
fn hash_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let opens = s.deposit
        + s.deposit_new
        + s.forced_exit
        + s.owner_signed
        + s.forced_noop * c.access[0].before.exists;
    // Its leaf goes on where others have a message.
    let extended = s.l2 - s.transfer + s.forced_exit;
    let three = words::three_words(s);
    let [main, second, third, ..] = c.words;
    let [after_two, after_three] = c.leaf_chain;
    let [left, right] = c.children;
    let [m1, m2, m3] = c.message_chain;
    let fixed = [
        ("opening", opens, &c.keyhash, &c.exit, &c.opened),
        ("new_owner", s.owners, &c.x1, &c.x2, &c.new_owner),
        ("message_fields", s.l2, &c.context.m_domain, &c.message_word, &m1),
        ("message_x1", extended, &m1, &c.x1, &m2),
        ("message_x2", extended, &m2, &c.x2, &m3),
        ("leaf_second", three, &main, &second, &after_two),
        ("leaf_third", three, &after_two, &third, &after_three),
        ("tree_node", !s.noop, &left, &right, &c.node),
    ];
    fixed
        .into_iter()
        .map(|(name, flag, a, b, out)| Term::consume(name, flag, hash::tuple(*a, *b, *out)))
        .collect()
}

/// The operation's leaf, and the node of the order tree that it computes: that of its position. At
/// position 0 this is the step of the chain over batches.
fn place_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let active = !s.noop;
    let [left, right] = c.children;
    let twice = c.position * Expr::from(2);
    let leaf = c.context.operations + c.position;
    vec![
        Term::produce("leaf_place", active, place_tuple(leaf, c.leaf)),
        Term::consume("left_child", active, place_tuple(twice, left)),
        Term::consume("right_child", active, place_tuple(twice + Expr::one(), right)),
        Term::produce("node_place", active, place_tuple(c.position, c.node)),
    ]
}

/// Balances, times, and the other values with a range.
fn range_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let [mantissa, field, deadline, comparison, index] = c.small;
    let balance = |i: usize| c.access[i].after.balance;
    let next_nonce = c.access[0].after.nonce * Expr::from(256);
    vec![
        Term::consume("balance_is_enough", !s.noop, range128(balance(0))),
        Term::consume("second_range", Expr::one(), range128(c.second_range)),
        Term::consume("fee_balance_range", s.owner_signed, range128(balance(2))),
        Term::consume("mantissa_or_token_range", Expr::one(), range40(mantissa)),
        Term::consume("amount_field_or_token_range", Expr::one(), range40(field)),
        Term::consume("deadline_not_passed", Expr::one(), range40(deadline)),
        Term::consume("times_compare", Expr::one(), range40(comparison)),
        Term::consume("index_or_time_range", Expr::one(), range40(index)),
        Term::consume("nonce_range", s.owner_signed, range40(next_nonce)),
    ]
}

/// The records that stand in the blob, if the block's data do.
fn blob_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let [_, l2, _, owners] = words::section_flags(s);
    let [_, l2_count, _, owner_count] = c.counts;
    let [main, keyhash, exit, ..] = c.words;
    let mode = c.context.mode;
    vec![
        Term::produce("blob_word", mode * l2, blob::word_tuple(l2_count, main)),
        Term::produce("blob_owner", mode * owners, blob::owner_tuple(owner_count, keyhash, exit)),
    ]
}

/// Signature, limiter, constants and state.
fn batch_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let [l1, l2, exits, owners] = words::section_flags(s);
    let [n1, n2, n3, n4] = c.counts;
    vec![
        Term::consume("signature", s.l2, signatures::tuple(c.keyhash, c.message)),
        Term::consume(
            "limiter",
            s.exits,
            limiter::tuple(
                c.access[0].before.token,
                c.amount,
                c.access[1].before.balance,
                c.access[1].after.balance,
                c.release,
            ),
        ),
        Term::consume("context", Expr::one(), context_tuple(c.context.entries())),
        Term::consume(
            "state_before",
            Expr::one(),
            state_tuple(c.number, c.position, c.y_before, c.counts),
        ),
        Term::produce(
            "state_after",
            Expr::one(),
            state_tuple(
                c.number + Expr::one(),
                c.position + !s.noop,
                c.y_after,
                [n1 + l1, n2 + l2, n3 + exits, n4 + owners],
            ),
        ),
    ]
}
