//! What each kind does to the accounts, and when it may.

use crate::core::{Block, Expr};
use crate::ops::cells::Cells;
use crate::ops::kinds::Sets;

/// `if flag then a = b`.
pub(super) fn when(block: &mut Block, name: &str, flag: &Expr, a: Expr, b: Expr) {
    block.constrain(name, *flag * (a - b));
}

/// The primary account.
pub(super) fn primary(block: &mut Block, c: &Cells, s: &Sets) {
    let (b, a) = (&c.access[0].before, &c.access[0].after);
    let known = s.deposit + s.forced_exit + s.l2;
    when(
        block,
        "account_exists",
        &known,
        b.exists,
        Expr::one(),
    );
    when(
        block,
        "deposit_creates_on_empty",
        &s.deposit_new,
        b.exists,
        Expr::zero(),
    );
    let present = known + s.deposit_new;
    when(
        block,
        "account_stays",
        &present,
        a.exists,
        Expr::one(),
    );
    when(
        block,
        "noop_leaves_existence",
        &s.forced_noop,
        a.exists,
        b.exists,
    );
    let active = s.noop.flipped();
    let not_created = active - s.deposit_new;

    let keeps_owner = not_created - s.change_key;
    when(
        block,
        "owner_unchanged",
        &keeps_owner,
        a.owner,
        b.owner,
    );
    when(
        block,
        "created_owner",
        &s.deposit_new,
        a.owner,
        c.opened,
    );
    when(
        block,
        "changed_owner",
        &s.change_key,
        a.owner,
        c.new_owner,
    );

    when(
        block,
        "token_unchanged",
        &not_created,
        a.token,
        b.token,
    );
    when(
        block,
        "created_token",
        &s.deposit_new,
        a.token,
        c.requested_token,
    );
    let token_matches = s.deposit + s.forced_exit;
    when(
        block,
        "token_matches",
        &token_matches,
        b.token,
        c.requested_token,
    );

    when(
        block,
        "nonce_increments",
        &s.owner_signed,
        a.nonce,
        b.nonce + Expr::one(),
    );
    let keeps_nonce = not_created - s.owner_signed;
    when(
        block,
        "nonce_unchanged",
        &keeps_nonce,
        a.nonce,
        b.nonce,
    );
    when(
        block,
        "created_nonce",
        &s.deposit_new,
        a.nonce,
        Expr::zero(),
    );

    when(
        block,
        "deposit_credits",
        &s.deposit,
        a.balance,
        b.balance + c.amount,
    );
    when(
        block,
        "created_balance",
        &s.deposit_new,
        a.balance,
        c.amount,
    );
    when(
        block,
        "forced_exit_empties",
        &s.forced_exit,
        a.balance,
        Expr::zero(),
    );
    when(
        block,
        "sender_pays",
        &s.owner_signed,
        a.balance,
        b.balance - c.amount - c.fee,
    );
    let keeps_balance = s.forced_noop + s.guardian_signed;
    when(
        block,
        "balance_unchanged",
        &keeps_balance,
        a.balance,
        b.balance,
    );

    when(
        block,
        "freeze_sets",
        &s.freeze,
        a.frozen_until,
        c.amount40,
    );
    when(
        block,
        "unfreeze_sets",
        &s.unfreeze,
        a.frozen_until,
        c.context.time,
    );
    let keeps_freeze = not_created - s.guardian_signed;
    when(
        block,
        "freeze_unchanged",
        &keeps_freeze,
        a.frozen_until,
        b.frozen_until,
    );
    when(
        block,
        "created_unfrozen",
        &s.deposit_new,
        a.frozen_until,
        Expr::zero(),
    );
}

/// Receiver, limiter and fee account.
pub(super) fn others(block: &mut Block, c: &Cells, s: &Sets) {
    let token = &c.access[0].before.token;
    let (b, a) = (&c.access[1].before, &c.access[1].after);
    let second = s.floats + s.forced_exit;
    let keeps = s.transfer + s.exits;
    when(
        block,
        "receiver_exists",
        &s.transfer,
        b.exists,
        Expr::one(),
    );
    when(
        block,
        "transfer_creates_on_empty",
        &s.transfer_new,
        b.exists,
        Expr::zero(),
    );
    when(
        block,
        "second_exists_after",
        &second,
        a.exists,
        Expr::one(),
    );
    when(
        block,
        "receiver_owner_unchanged",
        &keeps,
        a.owner,
        b.owner,
    );
    when(
        block,
        "receiver_created_owner",
        &s.transfer_new,
        a.owner,
        c.new_owner,
    );
    when(
        block,
        "receiver_token",
        &s.transfer,
        b.token,
        *token,
    );
    when(
        block,
        "second_token",
        &second,
        a.token,
        *token,
    );
    when(
        block,
        "receiver_nonce_unchanged",
        &keeps,
        a.nonce,
        b.nonce,
    );
    when(
        block,
        "receiver_created_nonce",
        &s.transfer_new,
        a.nonce,
        Expr::zero(),
    );
    when(
        block,
        "receiver_freeze_unchanged",
        &keeps,
        a.frozen_until,
        b.frozen_until,
    );
    when(
        block,
        "receiver_created_unfrozen",
        &s.transfer_new,
        a.frozen_until,
        Expr::zero(),
    );
    when(
        block,
        "receiver_is_paid",
        &s.transfer,
        a.balance,
        b.balance + c.amount,
    );
    when(
        block,
        "receiver_created_balance",
        &s.transfer_new,
        a.balance,
        c.amount,
    );
    when(
        block,
        "limiter_index",
        &s.exits,
        c.access[1].index,
        *token + Expr::pow2(16),
    );
    when(
        block,
        "not_to_oneself",
        &s.transfer,
        (c.access[1].index - c.access[0].index) * c.distinct_inverse,
        Expr::one(),
    );
    block.constrain(
        "limiter_takes_no_part",
        (s.transfer * b.owner
            + s.guardian_signed * c.access[0].before.owner)
            * c.owner_inverse
            - s.transfer
            - s.guardian_signed,
    );

    let fees = &s.owner_signed;
    let (b, a) = (&c.access[2].before, &c.access[2].after);
    when(
        block,
        "fee_index",
        fees,
        c.access[2].index,
        *token,
    );
    when(
        block,
        "fee_exists_after",
        fees,
        a.exists,
        Expr::one(),
    );
    when(
        block,
        "fee_owner",
        fees,
        a.owner,
        b.owner + b.exists.flipped() * c.context.fee_owner,
    );
    when(block, "fee_token", fees, a.token, *token);
    when(block, "fee_nonce", fees, a.nonce, b.nonce);
    when(
        block,
        "fee_freeze",
        fees,
        a.frozen_until,
        b.frozen_until,
    );
    when(
        block,
        "fee_is_paid",
        fees,
        a.balance,
        b.balance + c.fee,
    );
}

/// Who may, and when: openings, freezes, forced exits that do not match, values to range-check.
pub(super) fn permissions(block: &mut Block, c: &Cells, s: &Sets) {
    let (b, context) = (&c.access[0].before, &c.context);
    when(
        block,
        "guardian_signs",
        &s.guardian_signed,
        c.keyhash,
        context.guardian,
    );
    when(
        block,
        "opened_is_created",
        &s.deposit_new,
        c.opened,
        c.access[0].after.owner,
    );
    let opened =
        s.deposit + s.forced_exit + s.forced_noop + s.owner_signed;
    when(
        block,
        "opened_is_owner",
        &opened,
        c.opened,
        b.owner,
    );

    block.constrain("frozen_flag", c.frozen.boolean());
    when(
        block,
        "frozen_sends_nothing",
        &(s.transfer + s.transfer_new + s.change_key),
        c.frozen,
        Expr::zero(),
    );
    when(
        block,
        "frozen_withdraws_to_exit",
        &s.withdraw,
        c.frozen * (c.x1 - c.exit),
        Expr::zero(),
    );
    when(
        block,
        "forced_exit_to_owner",
        &s.forced_exit,
        c.requested_exit,
        c.exit,
    );
    let [alpha, beta] = c.mismatch;
    block.constrain(
        "noop_does_not_match",
        s.forced_noop
            * b.exists
            * ((b.token - c.requested_token) * alpha
                + (c.exit - c.requested_exit) * beta
                - Expr::one()),
    );

    let time = context.time;
    let until = b.frozen_until;
    let [mantissa, field, _, comparison, index] = c.small;
    when(
        block,
        "mantissa_range",
        &s.floats,
        mantissa,
        c.amount_float.mantissa,
    );
    when(
        block,
        "requested_token_range",
        &s.l1,
        mantissa,
        c.requested_token,
    );
    when(
        block,
        "freeze_is_bounded",
        &s.freeze,
        mantissa,
        time + context.max_freeze - c.amount40,
    );
    when(
        block,
        "amount_field_range",
        &(s.floats + s.freeze),
        field,
        c.amount40,
    );
    when(
        block,
        "requested_token_top",
        &s.l1,
        field,
        c.requested_token * Expr::pow2(24),
    );
    let frozen = until - time - Expr::one();
    when(
        block,
        "frozen_compares",
        &s.owner_signed,
        comparison,
        time - until
            + c.frozen * (frozen - time + until),
    );
    when(
        block,
        "freeze_cools_down",
        &s.freeze,
        comparison,
        time - until - context.cooldown,
    );
    when(block, "unfreeze_of_frozen", &s.unfreeze, comparison, frozen);
    when(
        block,
        "freeze_is_in_future",
        &s.freeze,
        index,
        c.amount40 - time - Expr::one(),
    );
    let first_user = Expr::pow2(17);
    when(
        block,
        "deposit_creates_user",
        &s.deposit_new,
        index,
        c.access[0].index - first_user,
    );
    when(
        block,
        "transfer_creates_user",
        &s.transfer_new,
        index,
        c.access[1].index - first_user,
    );
    let deposits = s.deposit + s.deposit_new;
    when(
        block,
        "deposit_amount_range",
        &deposits,
        c.second_range,
        c.amount,
    );
    when(
        block,
        "second_balance_range",
        &(s.transfer + s.transfer_new),
        c.second_range,
        c.access[1].after.balance,
    );
    // Below 2^168, so that the exit record's word cannot wrap: its 27 posted bytes then fix the
    // address, the token and the release time one by one. A forced exit's address is itself a
    // posted word, and the new arrival time of a limiter is bounded in the limiter table.
    when(
        block,
        "exit_address_range",
        &s.withdraw,
        c.exit_to,
        c.second_range + index * Expr::pow2(128),
    );
}
