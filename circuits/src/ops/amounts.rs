//! Kind flags, and amounts as the wire carries them.

use crate::core::{Block, Expr};
use crate::ops::cells::{Cells, FloatCells};
use crate::ops::kinds::Sets;
use crate::ops::rules::when;

/// Kind flags, floats and amounts.
pub(super) fn amounts(block: &mut Block, c: &Cells, s: &Sets) {
    for (i, flag) in c.kind.iter().enumerate() {
        block.constrain(format!("kind_flag{i}"), (*flag).boolean());
    }
    block.constrain(
        "one_kind",
        c.kind.iter().cloned().sum::<Expr>() - Expr::one(),
    );
    for (i, bit) in c.fee_bits.iter().enumerate() {
        block.constrain(format!("fee_bit{i}"), (*bit).boolean());
    }
    float(block, "amount_float", &c.amount_float);
    float(block, "fee_float", &c.fee_float);

    let value = |f: &FloatCells| f.mantissa * f.power;
    when(
        block,
        "amount_is_its_float",
        &s.floats,
        c.amount,
        value(&c.amount_float),
    );
    when(
        block,
        "amount_field_is_its_float",
        &s.floats,
        c.amount40,
        c.amount_float.encoded(),
    );
    when(
        block,
        "fee_is_its_float",
        &s.owner_signed,
        c.fee,
        value(&c.fee_float),
    );
    when(
        block,
        "guardian_pays_no_fee",
        &s.guardian_signed,
        c.fee_float.encoded(),
        Expr::zero(),
    );
    let no_amount = s.change_key + s.unfreeze;
    when(
        block,
        "amount_field_is_zero",
        &no_amount,
        c.amount40,
        Expr::zero(),
    );
    let nothing_moves = s.change_key + s.guardian_signed + s.forced_noop;
    when(
        block,
        "nothing_moves",
        &nothing_moves,
        c.amount,
        Expr::zero(),
    );
    when(
        block,
        "amount_is_not_zero",
        &s.floats,
        c.amount * c.amount_inverse,
        Expr::one(),
    );
    when(
        block,
        "forced_exit_takes_all",
        &s.forced_exit,
        c.amount,
        c.access[0].before.balance,
    );
}

/// `low_power = 10^(e mod 8)`, `power = 10^e`.
fn float(block: &mut Block, name: &str, f: &FloatCells) {
    let mut ten = Expr::from(10);
    let mut factors = f.exponent.iter().enumerate().map(|(i, bit)| {
        block.constrain(format!("{name}.bit{i}"), (*bit).boolean());
        let factor = Expr::one() + *bit * (ten - Expr::one());
        ten = ten * ten;
        factor
    });
    let low = factors.by_ref().take(3).fold(Expr::one(), |a, b| a * b);
    let high = factors.fold(Expr::one(), |a, b| a * b);
    block.constrain(format!("{name}.low_power"), f.low_power - low);
    block.constrain(
        format!("{name}.power"),
        f.power - f.low_power * high,
    );
}
