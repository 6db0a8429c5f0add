#![doc = include_str!("README.md")]

use bastion_state::executor::LimiterTrace;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::core::{pow2, BlockWriter, Expr, RowBlock, Table, Tag, Term, Tuple};
use crate::policy;
use crate::ranges::{range128, range40};
use crate::witness::convert::{halves, small, to_halo2, wide};
use crate::witness::LookupCounts;

/// `2^127`: the largest theoretical arrival time.
pub const TAT_CAP: u128 = 1 << 127;

const ACTIVE: Expr = Expr::nth(0);
const TOKEN: Expr = Expr::nth(1);
const AMOUNT: Expr = Expr::nth(2);
const TAT: Expr = Expr::nth(3);
const TAT_NEW: Expr = Expr::nth(4);
const RELEASE: Expr = Expr::nth(5);
const RATE: Expr = Expr::nth(6);
const BURST: Expr = Expr::nth(7);
const DELAY: Expr = Expr::nth(8);
const TIME: Expr = Expr::nth(9);
const LIMITS_ROOT: Expr = Expr::nth(10);
const QUOTIENT: Expr = Expr::nth(11);
const REMAINDER: Expr = Expr::nth(12);
const BASE: Expr = Expr::nth(13);
const CHOSEN: Expr = Expr::nth(14);
/// Four selections: flag and range-checked difference.
const SELECT: [(Expr, Expr); 4] = [
    (Expr::nth(16), Expr::nth(17)),
    (Expr::nth(18), Expr::nth(19)),
    (Expr::nth(20), Expr::nth(21)),
    (Expr::nth(22), Expr::nth(23)),
];

/// The tuple of one use of the limiter.
pub fn tuple(token: Expr, amount: Expr, tat: Expr, tat_new: Expr, release: Expr) -> Tuple {
    Tuple::new(Tag::Exit, [token, amount, tat, tat_new, release])
}

/// `out` is the larger (or smaller) of `a` and `b`: `flag` says that `a >= b`, the difference has
/// the sign that the flag says.
struct Selection {
    name: &'static str,
    a: Expr,
    b: Expr,
    larger: bool,
    out: Expr,
}

fn selections() -> [Selection; 4] {
    let pick = |name, a, b, larger, out| Selection { name, a, b, larger, out };
    [
        pick("base", TAT, TIME, true, BASE),
        pick("cap", BASE + QUOTIENT, Expr::pow2(127), false, TAT_NEW),
        pick("earliest", TAT_NEW - BURST, TIME, true, CHOSEN),
        pick("latest", CHOSEN, TIME + DELAY, false, RELEASE),
    ]
}

/// Constraints of one use of the limiter.
pub fn limiter_block() -> RowBlock {
    let mut block = RowBlock::new(Table::Limiter);
    block.constrain("active_flag", ACTIVE.boolean());
    block.constrain("division", QUOTIENT * RATE - AMOUNT - REMAINDER);
    let mut terms = vec![
        Term::produce("exit", ACTIVE, tuple(TOKEN, AMOUNT, TAT, TAT_NEW, RELEASE)),
        Term::consume("limits", ACTIVE, policy::limits_tuple(TOKEN, RATE, BURST, DELAY)),
        Term::consume("context", ACTIVE, policy::context_tuple(LIMITS_ROOT, TIME)),
        Term::consume("quotient_range", ACTIVE, range128(QUOTIENT)),
        Term::consume("remainder_range", ACTIVE, range128(REMAINDER)),
        Term::consume("remainder_below_rate", ACTIVE, range128(RATE - Expr::one() - REMAINDER)),
        Term::consume("release_range", ACTIVE, range40(RELEASE)),
    ];
    for (s, (flag, difference)) in selections().into_iter().zip(SELECT) {
        let sign = flag * Expr::from(2) - Expr::one();
        block.constrain(format!("{}_flag", s.name), flag.boolean());
        block.constrain(format!("{}_difference", s.name), difference - sign * (s.a - s.b));
        let take_a = if s.larger { flag } else { !flag };
        block.constrain(s.name, s.out - s.b - take_a * (s.a - s.b));
        terms.push(Term::consume(format!("{}_order", s.name), ACTIVE, range128(difference)));
    }
    block.bus_packed(0, terms);
    block
}

/// Assigns one use of the limiter at `time` (or an unused block).
pub fn assign(
    writer: &mut BlockWriter<'_>,
    trace: Option<&LimiterTrace>,
    time: u64,
    limits_root: bastion_protocol::Fr,
    pools: &mut LookupCounts,
) {
    let active = trace.is_some();
    let (rate, burst, delay) =
        trace.map_or((0, 0, 0), |t| (t.limits.rate, t.limits.burst_seconds, t.limits.max_delay));
    let (token, amount, tat) = trace.map_or((0, 0, 0), |t| (t.token, t.amount, t.tat_before));
    let time = if active { time } else { 0 };
    let quotient = if rate == 0 { 0 } else { amount.div_ceil(u128::from(rate)) };
    let remainder = wide(quotient) * small(rate) - wide(amount);
    let set = |w: &mut BlockWriter<'_>, cell: &Expr, value: Fr| w.set(cell, value);
    set(writer, &ACTIVE, small(u64::from(active)));
    set(writer, &TOKEN, small(u64::from(token)));
    set(writer, &AMOUNT, wide(amount));
    set(writer, &TAT, wide(tat));
    set(writer, &RATE, small(rate));
    set(writer, &BURST, small(burst));
    set(writer, &DELAY, small(delay));
    set(writer, &TIME, small(time));
    set(writer, &LIMITS_ROOT, if active { to_halo2(limits_root) } else { Fr::zero() });
    set(writer, &QUOTIENT, wide(quotient));
    set(writer, &REMAINDER, remainder);

    let base = select(writer, 0, wide(tat), small(time), true);
    let tat_new = select(writer, 1, base.0 + wide(quotient), pow2(127), false);
    let chosen = select(writer, 2, tat_new.0 - small(burst), small(time), true);
    let release = select(writer, 3, chosen.0, small(time) + small(delay), false);
    set(writer, &BASE, base.0);
    set(writer, &TAT_NEW, tat_new.0);
    set(writer, &CHOSEN, chosen.0);
    set(writer, &RELEASE, release.0);
    if active {
        pools.range128(wide(quotient));
        pools.range128(remainder);
        pools.range128(small(rate) - Fr::one() - remainder);
        pools.range40(release.0);
        for difference in [base.1, tat_new.1, chosen.1, release.1] {
            pools.range128(difference);
        }
    }
}

/// Assigns a selection; returns its result and its difference.
fn select(writer: &mut BlockWriter<'_>, i: usize, a: Fr, b: Fr, larger: bool) -> (Fr, Fr) {
    let difference = a - b;
    // Both sides are below 2^130, so a difference in the upper half of the field is negative.
    let flag = halves(&difference).1 >> 64 == 0;
    let (flag_cell, difference_cell) = &SELECT[i];
    let absolute = if flag { difference } else { -difference };
    writer.set(flag_cell, small(u64::from(flag)));
    writer.set(difference_cell, absolute);
    (if flag == larger { a } else { b }, absolute)
}
