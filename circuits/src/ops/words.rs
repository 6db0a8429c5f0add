//! The signed message, the posted words, their leaf and their polynomial.

use crate::core::{Expr, RowBlock};
use crate::ops::cells::Cells;
use crate::ops::kinds::Sets;

/// Kinds whose leaf has a second and a third word.
pub(super) fn three_words(s: &Sets) -> Expr {
    s.l1 + s.owners + s.withdraw
}

/// Records that a kind adds to each section.
pub(super) fn section_flags(s: &Sets) -> [Expr; 4] {
    [s.l1, s.l2, s.exits, s.owners]
}

/// The posted L2 word.
fn l2word(c: &Cells, s: &Sets) -> Expr {
    s.number * Expr::pow2(116)
        + c.fee_float.encoded() * Expr::pow2(104)
        + c.access[0].index * Expr::pow2(72)
        + c.to * Expr::pow2(40)
        + c.amount40
}

/// What is signed.
pub(super) fn message(block: &mut RowBlock, c: &Cells, s: &Sets) {
    block.when(s.sends).equal("to_is_receiver", c.to, c.access[1].index);
    let no_receiver = s.signed - s.sends;
    block.when(no_receiver).zero("to_is_zero", c.to);

    let deadline = c.context.time + c.small[2];
    let word = l2word(c, s) - s.transfer_new * c.to * Expr::pow2(40)
        + s.owner_signed * c.access[0].before.nonce * Expr::pow2(120)
        + c.access[0].before.token * Expr::pow2(152)
        + deadline * Expr::pow2(168);
    block.when(s.signed).equal("message_word", c.message_word, word);
    block.when(s.transfer).equal("short_message", c.message, c.message_chain[0]);
    let extended = s.signed - s.transfer;
    block.when(extended).equal("long_message", c.message, c.message_chain[2]);
    block.when(s.guardian_signed).equal("freeze_names_old", c.x1, c.access[0].before.frozen_until);
    let no_x2 = s.withdraw + s.guardian_signed;
    block.when(no_x2).zero("x2_is_zero", c.x2);
    // The posted word names the account that is paid, whose token the operator may have chosen.
    block.when(s.order).equal("order_signs_bought_token", c.x2, c.access[1].before.token);
    block.when(s.keeps_exit).equal("exit_address_stays", c.x2, c.exit);
    block.when(s.withdraw).equal("withdraw_to_signed", c.exit_to, c.x1);
    block.when(s.forced_exit).equal("forced_exit_to_requested", c.exit_to, c.requested_exit);
}

/// The words of each slot.
pub(super) fn words(block: &mut RowBlock, c: &Cells, s: &Sets) {
    let [main, keyhash, exit, exit1, exit2] = c.words;
    let deposits = s.deposit + s.deposit_new;
    let forced = s.forced_exit + s.forced_noop;
    let l1word = deposits * Expr::pow2(176)
        + deposits * c.amount
        + forced * Expr::pow2(177)
        + c.requested_token * Expr::pow2(160)
        + c.access[0].index * Expr::pow2(128);
    // Posted sections keep the order within them; this keeps the order between the first two.
    block.when(s.l1).zero("l1_before_l2", c.counts[1]).equal("l1_word", main, l1word);
    block.when(s.l2).equal("l2_word", main, l2word(c, s));
    block.when(deposits).equal("l1_keyhash_word", keyhash, c.keyhash);
    block.when(forced).zero("l1_keyhash_word_is_zero", keyhash);
    block.when(s.owners).equal("owner_keyhash_word", keyhash, c.x1);
    block.when(deposits).equal("l1_exit_word", exit, c.exit);
    block.when(forced).equal("forced_exit_word", exit, c.requested_exit);
    block.when(s.owners).equal("owner_exit_word", exit, c.x2);
    block.when(s.auction).equal("auction_value_word", keyhash, c.x1);
    let release =
        c.exit_to * Expr::pow2(56) + c.access[0].before.token * Expr::pow2(40) + c.release;
    block.when(s.exits).equal("exit_record_address", exit1, release);
    let amount = c.amount * Expr::pow2(32) + c.access[0].index;
    block.when(s.exits).equal("exit_record_amount", exit2, amount);
}

/// The leaf of the order tree, over the words of the kind. A forced exit that pays has five: it takes
/// the hashes of a message, which it does not have, for the last two.
pub(super) fn leaf(block: &mut RowBlock, c: &Cells, s: &Sets) {
    let [main, second, third, exit1, exit2] = c.words;
    let [after_two, after_three] = c.leaf_chain;
    let [four, _, after_five] = c.message_chain;
    let three = three_words(s);
    block.when(s.withdraw).equal("withdraw_second_word", second, exit1).equal(
        "withdraw_third_word",
        third,
        exit2,
    );
    block
        .when(s.forced_exit)
        .equal("forced_exit_goes_on", four, after_three)
        .equal("forced_exit_fourth_word", c.x1, exit1)
        .equal("forced_exit_fifth_word", c.x2, exit2)
        .equal("leaf_of_five_words", c.leaf, after_five);
    block.when(!s.noop - three - s.auction).equal("leaf_of_one_word", c.leaf, main);
    block.when(s.auction).equal("leaf_of_two_words", c.leaf, after_two);
    block.when(three - s.forced_exit).equal("leaf_of_three_words", c.leaf, after_three);
}

/// Each section's polynomial absorbs its words.
pub(super) fn absorption(block: &mut RowBlock, c: &Cells, s: &Sets) {
    let r = c.context.r;
    let [main, keyhash, exit, exit1, exit2] = c.words;
    let [l1_first, l1_second, exit_first, owner_first] = c.y_partial;
    let absorb = |y: Expr, word: Expr| y * r + word;
    for (name, partial, y, word) in [
        ("y_l1_first", l1_first, c.y_before[0], main),
        ("y_l1_second", l1_second, l1_first, keyhash),
        ("y_exit_first", exit_first, c.y_before[2], exit1),
        ("y_owner_first", owner_first, c.y_before[3], keyhash),
        ("y_l2_first", c.y_l2_first, c.y_before[1], main),
    ] {
        block.constrain(name, partial - absorb(y, word));
    }
    let last = [
        ("y_l1", absorb(l1_second, exit)),
        ("y_l2", c.y_l2_first),
        ("y_exits", absorb(exit_first, exit2)),
        ("y_owners", absorb(owner_first, exit)),
    ];
    for (i, ((name, absorbed), flag)) in last.into_iter().zip(section_flags(s)).enumerate() {
        let (before, after) = (c.y_before[i], c.y_after[i]);
        // An order and a quote post two L2 words.
        let second = match i {
            1 => s.auction * (absorb(absorbed, keyhash) - absorbed),
            _ => Expr::zero(),
        };
        block.constrain(name, after - before - flag * (absorbed - before) - second);
    }
}
