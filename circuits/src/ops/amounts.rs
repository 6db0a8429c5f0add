//! Kind flags, and amounts as the wire carries them.

use crate::core::{Expr, RowBlock};
use crate::ops::cells::{Cells, FloatCells};
use crate::ops::kinds::Sets;

/// Kind flags, floats and amounts.
pub(super) fn amounts(block: &mut RowBlock, c: &Cells, s: &Sets) {
    for (i, flag) in c.kind.iter().enumerate() {
        block.constrain(format!("kind_flag{i}"), (*flag).boolean());
    }
    block.constrain("one_kind", c.kind.iter().cloned().sum::<Expr>() - Expr::one());
    for (i, bit) in c.fee_bits.iter().enumerate() {
        block.constrain(format!("fee_bit{i}"), (*bit).boolean());
    }
    float(block, "amount_float", &c.amount_float);
    float(block, "fee_float", &c.fee_float);

    let value = |f: &FloatCells| f.mantissa * f.power;
    block.when(s.floats).equal("amount_is_its_float", c.amount, value(&c.amount_float)).equal(
        "amount_field_is_its_float",
        c.amount40,
        c.amount_float.encoded(),
    );
    block.when(s.owner_signed).equal("fee_is_its_float", c.fee, value(&c.fee_float));
    block.when(s.guardian_signed).zero("guardian_pays_no_fee", c.fee_float.encoded());
    block.when(s.quote).zero("quote_pays_no_fee", c.fee_float.encoded());
    block.when(s.quote).equal("surplus_is_credited", c.fee, c.sold);
    block.when(s.no_amount).zero("amount_field_is_zero", c.amount40);
    block.when(s.moves_nothing).zero("nothing_moves", c.amount);
    block.when(s.floats).holds("amount_is_not_zero", c.amount * c.amount_inverse);
    block.when(s.forced_exit).equal("forced_exit_takes_all", c.amount, c.access[0].before.balance);
}

/// `low_power = 10^(e mod 8)`, `power = 10^e`.
fn float(block: &mut RowBlock, name: &str, f: &FloatCells) {
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
    block.constrain(format!("{name}.power"), f.power - f.low_power * high);
}
