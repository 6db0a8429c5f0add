#![doc = include_str!("README.md")]

mod amounts;
mod assign;
mod cells;
mod kinds;
mod rules;
mod words;

pub use assign::{assign, OpState};
pub use cells::{cells, Cells};
pub use kinds::ORDER;

use crate::accounts;
use crate::core::{Block, Expr, Table, Tag, Term, Tuple};
use crate::hash;
use crate::limiter;
use crate::ranges::{range128, range40};
use crate::signatures;
use kinds::{sets, Sets};

/// Time stamps an operation has.
pub const TIMES: u64 = 4;

/// The tuple of the state between operations: number, word chain, polynomials, counts.
pub fn state_tuple(number: Expr, chain: Expr, y: [Expr; 4], counts: [Expr; 4]) -> Tuple {
    Tuple::new(
        Tag::State,
        [number, chain].into_iter().chain(y).chain(counts),
    )
}

/// The tuple of the batch's constants.
pub fn context_tuple(entries: [Expr; 7]) -> Tuple {
    Tuple::new(Tag::Context, entries)
}

/// Constraints of an operation.
pub fn op_block() -> Block {
    let mut block = Block::new(Table::Op);
    let c = cells();
    let s = sets(&c);
    amounts::amounts(&mut block, &c, &s);
    rules::primary(&mut block, &c, &s);
    rules::others(&mut block, &c, &s);
    rules::permissions(&mut block, &c, &s);
    words::message(&mut block, &c, &s);
    words::words(&mut block, &c, &s);
    words::absorption(&mut block, &c, &s);

    // `opening` has a multiplicity of degree 2; the others have degree 1.
    let terms = [
        access_terms(&c, &s),
        hash_terms(&c, &s),
        range_terms(&c, &s),
        batch_terms(&c, &s),
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
        let now = c.number.clone() * Expr::from(TIMES) + Expr::from(i as u64 + 1);
        let name = |what: &str| format!("{}_{what}", names[i]);
        terms.push(Term::consume(
            name("before"),
            active[i].clone(),
            accounts::tuple(
                access.index.clone(),
                access.before.clone(),
                access.t_before.clone(),
            ),
        ));
        terms.push(Term::produce(
            name("after"),
            active[i].clone(),
            accounts::tuple(access.index.clone(), access.after.clone(), now.clone()),
        ));
        terms.push(Term::consume(
            name("order"),
            active[i].clone(),
            range40(now - access.t_before.clone() - Expr::one()),
        ));
    }
    terms
}

/// Which accesses a kind makes.
fn access_flags(s: &Sets) -> [Expr; 3] {
    [
        s.noop.clone().flipped(),
        s.floats.clone() + s.forced_exit.clone(),
        s.owner_signed.clone(),
    ]
}

/// Openings, message and word chain.
fn hash_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let opens = s.deposit.clone()
        + s.deposit_new.clone()
        + s.forced_exit.clone()
        + s.owner_signed.clone()
        + s.forced_noop.clone() * c.access[0].before.exists.clone();
    let extended = s.l2.clone() - s.transfer.clone();
    let [m1, m2, m3] = c.message_chain.clone();
    let fixed = [
        ("opening", opens, &c.keyhash, &c.exit, &c.opened),
        ("new_owner", s.owners.clone(), &c.x1, &c.x2, &c.new_owner),
        (
            "message_fields",
            s.l2.clone(),
            &c.context.m_domain,
            &c.message_word,
            &m1,
        ),
        ("message_x1", extended.clone(), &m1, &c.x1, &m2),
        ("message_x2", extended, &m2, &c.x2, &m3),
    ];
    let mut terms: Vec<Term> = fixed
        .into_iter()
        .map(|(name, flag, a, b, out)| {
            Term::consume(name, flag, hash::tuple(a.clone(), b.clone(), out.clone()))
        })
        .collect();
    for (i, flag) in words::slot_flags(s).into_iter().enumerate() {
        terms.push(Term::consume(
            format!("chain{i}"),
            flag,
            hash::tuple(
                c.chain[i].clone(),
                c.words[i].clone(),
                c.chain[i + 1].clone(),
            ),
        ));
    }
    terms
}

/// Balances, times, and the other values with a range.
fn range_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let [mantissa, field, deadline, comparison, index] = c.small.clone();
    let balance = |i: usize| c.access[i].after.balance.clone();
    let next_nonce = c.access[0].after.nonce.clone() * Expr::from(256);
    vec![
        Term::consume(
            "balance_is_enough",
            s.noop.clone().flipped(),
            range128(balance(0)),
        ),
        Term::consume(
            "second_range",
            Expr::one(),
            range128(c.second_range.clone()),
        ),
        Term::consume(
            "fee_balance_range",
            s.owner_signed.clone(),
            range128(balance(2)),
        ),
        Term::consume("mantissa_or_token_range", Expr::one(), range40(mantissa)),
        Term::consume("amount_field_or_token_range", Expr::one(), range40(field)),
        Term::consume("deadline_not_passed", Expr::one(), range40(deadline)),
        Term::consume("times_compare", Expr::one(), range40(comparison)),
        Term::consume("index_or_time_range", Expr::one(), range40(index)),
        Term::consume("nonce_range", s.owner_signed.clone(), range40(next_nonce)),
    ]
}

/// Signature, limiter, constants and state.
fn batch_terms(c: &Cells, s: &Sets) -> Vec<Term> {
    let [l1, l2, exits, owners] = words::section_flags(s);
    let [n1, n2, n3, n4] = c.counts.clone();
    vec![
        Term::consume(
            "signature",
            s.l2.clone(),
            signatures::tuple(c.keyhash.clone(), c.message.clone()),
        ),
        Term::consume(
            "limiter",
            s.exits.clone(),
            limiter::tuple(
                c.access[0].before.token.clone(),
                c.amount.clone(),
                c.access[1].before.balance.clone(),
                c.access[1].after.balance.clone(),
                c.release.clone(),
            ),
        ),
        Term::consume("context", Expr::one(), context_tuple(c.context.entries())),
        Term::consume(
            "state_before",
            Expr::one(),
            state_tuple(
                c.number.clone(),
                c.chain[0].clone(),
                c.y_before.clone(),
                c.counts.clone(),
            ),
        ),
        Term::produce(
            "state_after",
            Expr::one(),
            state_tuple(
                c.number.clone() + Expr::one(),
                c.chain[5].clone(),
                c.y_after.clone(),
                [n1 + l1, n2 + l2, n3 + exits, n4 + owners],
            ),
        ),
    ]
}
