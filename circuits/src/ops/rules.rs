//! What each kind does to the accounts, and when it may.

use crate::core::{Block, Expr};
use crate::ops::cells::Cells;
use crate::ops::kinds::Sets;

/// `if flag then a = b`.
pub(super) fn when(block: &mut Block, name: &str, flag: &Expr, a: Expr, b: Expr) {
    block.constrain(name, flag.clone() * (a - b));
}

/// The primary account.
pub(super) fn primary(block: &mut Block, c: &Cells, s: &Sets) {
    let (b, a) = (&c.access[0].before, &c.access[0].after);
    let known = s.deposit.clone() + s.forced_exit.clone() + s.l2.clone();
    when(
        block,
        "account_exists",
        &known,
        b.exists.clone(),
        Expr::one(),
    );
    when(
        block,
        "deposit_creates_on_empty",
        &s.deposit_new,
        b.exists.clone(),
        Expr::zero(),
    );
    let present = known + s.deposit_new.clone();
    when(
        block,
        "account_stays",
        &present,
        a.exists.clone(),
        Expr::one(),
    );
    when(
        block,
        "noop_leaves_existence",
        &s.forced_noop,
        a.exists.clone(),
        b.exists.clone(),
    );
    let active = s.noop.clone().flipped();
    let not_created = active - s.deposit_new.clone();

    let keeps_owner = not_created.clone() - s.change_key.clone();
    when(
        block,
        "owner_unchanged",
        &keeps_owner,
        a.owner.clone(),
        b.owner.clone(),
    );
    when(
        block,
        "created_owner",
        &s.deposit_new,
        a.owner.clone(),
        c.opened.clone(),
    );
    when(
        block,
        "changed_owner",
        &s.change_key,
        a.owner.clone(),
        c.new_owner.clone(),
    );

    when(
        block,
        "token_unchanged",
        &not_created,
        a.token.clone(),
        b.token.clone(),
    );
    when(
        block,
        "created_token",
        &s.deposit_new,
        a.token.clone(),
        c.requested_token.clone(),
    );
    let token_matches = s.deposit.clone() + s.forced_exit.clone();
    when(
        block,
        "token_matches",
        &token_matches,
        b.token.clone(),
        c.requested_token.clone(),
    );

    when(
        block,
        "nonce_increments",
        &s.owner_signed,
        a.nonce.clone(),
        b.nonce.clone() + Expr::one(),
    );
    let keeps_nonce = not_created.clone() - s.owner_signed.clone();
    when(
        block,
        "nonce_unchanged",
        &keeps_nonce,
        a.nonce.clone(),
        b.nonce.clone(),
    );
    when(
        block,
        "created_nonce",
        &s.deposit_new,
        a.nonce.clone(),
        Expr::zero(),
    );

    when(
        block,
        "deposit_credits",
        &s.deposit,
        a.balance.clone(),
        b.balance.clone() + c.amount.clone(),
    );
    when(
        block,
        "created_balance",
        &s.deposit_new,
        a.balance.clone(),
        c.amount.clone(),
    );
    when(
        block,
        "forced_exit_empties",
        &s.forced_exit,
        a.balance.clone(),
        Expr::zero(),
    );
    when(
        block,
        "sender_pays",
        &s.owner_signed,
        a.balance.clone(),
        b.balance.clone() - c.amount.clone() - c.fee.clone(),
    );
    let keeps_balance = s.forced_noop.clone() + s.guardian_signed.clone();
    when(
        block,
        "balance_unchanged",
        &keeps_balance,
        a.balance.clone(),
        b.balance.clone(),
    );

    when(
        block,
        "freeze_sets",
        &s.freeze,
        a.frozen_until.clone(),
        c.amount40.clone(),
    );
    when(
        block,
        "unfreeze_sets",
        &s.unfreeze,
        a.frozen_until.clone(),
        c.context.time.clone(),
    );
    let keeps_freeze = not_created - s.guardian_signed.clone();
    when(
        block,
        "freeze_unchanged",
        &keeps_freeze,
        a.frozen_until.clone(),
        b.frozen_until.clone(),
    );
    when(
        block,
        "created_unfrozen",
        &s.deposit_new,
        a.frozen_until.clone(),
        Expr::zero(),
    );
}

/// Receiver, limiter and fee account.
pub(super) fn others(block: &mut Block, c: &Cells, s: &Sets) {
    let token = &c.access[0].before.token;
    let (b, a) = (&c.access[1].before, &c.access[1].after);
    let second = s.floats.clone() + s.forced_exit.clone();
    let keeps = s.transfer.clone() + s.exits.clone();
    when(
        block,
        "receiver_exists",
        &s.transfer,
        b.exists.clone(),
        Expr::one(),
    );
    when(
        block,
        "transfer_creates_on_empty",
        &s.transfer_new,
        b.exists.clone(),
        Expr::zero(),
    );
    when(
        block,
        "second_exists_after",
        &second,
        a.exists.clone(),
        Expr::one(),
    );
    when(
        block,
        "receiver_owner_unchanged",
        &keeps,
        a.owner.clone(),
        b.owner.clone(),
    );
    when(
        block,
        "receiver_created_owner",
        &s.transfer_new,
        a.owner.clone(),
        c.new_owner.clone(),
    );
    when(
        block,
        "receiver_token",
        &s.transfer,
        b.token.clone(),
        token.clone(),
    );
    when(
        block,
        "second_token",
        &second,
        a.token.clone(),
        token.clone(),
    );
    when(
        block,
        "receiver_nonce_unchanged",
        &keeps,
        a.nonce.clone(),
        b.nonce.clone(),
    );
    when(
        block,
        "receiver_created_nonce",
        &s.transfer_new,
        a.nonce.clone(),
        Expr::zero(),
    );
    when(
        block,
        "receiver_freeze_unchanged",
        &keeps,
        a.frozen_until.clone(),
        b.frozen_until.clone(),
    );
    when(
        block,
        "receiver_created_unfrozen",
        &s.transfer_new,
        a.frozen_until.clone(),
        Expr::zero(),
    );
    when(
        block,
        "receiver_is_paid",
        &s.transfer,
        a.balance.clone(),
        b.balance.clone() + c.amount.clone(),
    );
    when(
        block,
        "receiver_created_balance",
        &s.transfer_new,
        a.balance.clone(),
        c.amount.clone(),
    );
    when(
        block,
        "limiter_index",
        &s.exits,
        c.access[1].index.clone(),
        token.clone() + Expr::pow2(16),
    );
    when(
        block,
        "not_to_oneself",
        &s.transfer,
        (c.access[1].index.clone() - c.access[0].index.clone()) * c.distinct_inverse.clone(),
        Expr::one(),
    );
    block.constrain(
        "limiter_takes_no_part",
        (s.transfer.clone() * b.owner.clone()
            + s.guardian_signed.clone() * c.access[0].before.owner.clone())
            * c.owner_inverse.clone()
            - s.transfer.clone()
            - s.guardian_signed.clone(),
    );

    let fees = &s.owner_signed;
    let (b, a) = (&c.access[2].before, &c.access[2].after);
    when(
        block,
        "fee_index",
        fees,
        c.access[2].index.clone(),
        token.clone(),
    );
    when(
        block,
        "fee_exists_after",
        fees,
        a.exists.clone(),
        Expr::one(),
    );
    when(
        block,
        "fee_owner",
        fees,
        a.owner.clone(),
        b.owner.clone() + b.exists.clone().flipped() * c.context.fee_owner.clone(),
    );
    when(block, "fee_token", fees, a.token.clone(), token.clone());
    when(block, "fee_nonce", fees, a.nonce.clone(), b.nonce.clone());
    when(
        block,
        "fee_freeze",
        fees,
        a.frozen_until.clone(),
        b.frozen_until.clone(),
    );
    when(
        block,
        "fee_is_paid",
        fees,
        a.balance.clone(),
        b.balance.clone() + c.fee.clone(),
    );
}

/// Who may, and when: openings, freezes, forced exits that do not match, values to range-check.
pub(super) fn permissions(block: &mut Block, c: &Cells, s: &Sets) {
    let (b, context) = (&c.access[0].before, &c.context);
    when(
        block,
        "guardian_signs",
        &s.guardian_signed,
        c.keyhash.clone(),
        context.guardian.clone(),
    );
    when(
        block,
        "opened_is_created",
        &s.deposit_new,
        c.opened.clone(),
        c.access[0].after.owner.clone(),
    );
    let opened =
        s.deposit.clone() + s.forced_exit.clone() + s.forced_noop.clone() + s.owner_signed.clone();
    when(
        block,
        "opened_is_owner",
        &opened,
        c.opened.clone(),
        b.owner.clone(),
    );

    block.constrain("frozen_flag", c.frozen.clone().boolean());
    when(
        block,
        "frozen_sends_nothing",
        &(s.transfer.clone() + s.transfer_new.clone() + s.change_key.clone()),
        c.frozen.clone(),
        Expr::zero(),
    );
    when(
        block,
        "frozen_withdraws_to_exit",
        &s.withdraw,
        c.frozen.clone() * (c.x1.clone() - c.exit.clone()),
        Expr::zero(),
    );
    when(
        block,
        "forced_exit_to_owner",
        &s.forced_exit,
        c.requested_exit.clone(),
        c.exit.clone(),
    );
    let [alpha, beta] = c.mismatch.clone();
    block.constrain(
        "noop_does_not_match",
        s.forced_noop.clone()
            * b.exists.clone()
            * ((b.token.clone() - c.requested_token.clone()) * alpha
                + (c.exit.clone() - c.requested_exit.clone()) * beta
                - Expr::one()),
    );

    let time = context.time.clone();
    let until = b.frozen_until.clone();
    let [mantissa, field, _, comparison, index] = c.small.clone();
    when(
        block,
        "mantissa_range",
        &s.floats,
        mantissa.clone(),
        c.amount_float.mantissa.clone(),
    );
    when(
        block,
        "requested_token_range",
        &s.l1,
        mantissa.clone(),
        c.requested_token.clone(),
    );
    when(
        block,
        "freeze_is_bounded",
        &s.freeze,
        mantissa,
        time.clone() + context.max_freeze.clone() - c.amount40.clone(),
    );
    when(
        block,
        "amount_field_range",
        &(s.floats.clone() + s.freeze.clone()),
        field.clone(),
        c.amount40.clone(),
    );
    when(
        block,
        "requested_token_top",
        &s.l1,
        field,
        c.requested_token.clone() * Expr::pow2(24),
    );
    let frozen = until.clone() - time.clone() - Expr::one();
    when(
        block,
        "frozen_compares",
        &s.owner_signed,
        comparison.clone(),
        time.clone() - until.clone()
            + c.frozen.clone() * (frozen.clone() - time.clone() + until.clone()),
    );
    when(
        block,
        "freeze_cools_down",
        &s.freeze,
        comparison.clone(),
        time.clone() - until - context.cooldown.clone(),
    );
    when(block, "unfreeze_of_frozen", &s.unfreeze, comparison, frozen);
    when(
        block,
        "freeze_is_in_future",
        &s.freeze,
        index.clone(),
        c.amount40.clone() - time - Expr::one(),
    );
    let first_user = Expr::pow2(17);
    when(
        block,
        "deposit_creates_user",
        &s.deposit_new,
        index.clone(),
        c.access[0].index.clone() - first_user.clone(),
    );
    when(
        block,
        "transfer_creates_user",
        &s.transfer_new,
        index.clone(),
        c.access[1].index.clone() - first_user,
    );
    let deposits = s.deposit.clone() + s.deposit_new.clone();
    when(
        block,
        "deposit_amount_range",
        &deposits,
        c.second_range.clone(),
        c.amount.clone(),
    );
    when(
        block,
        "second_balance_range",
        &(s.transfer.clone() + s.transfer_new.clone()),
        c.second_range.clone(),
        c.access[1].after.balance.clone(),
    );
    // Below 2^168, so that the exit record's word cannot wrap: its 27 posted bytes then fix the
    // address, the token and the release time one by one. A forced exit's address is itself a
    // posted word, and the new arrival time of a limiter is bounded in the limiter table.
    when(
        block,
        "exit_address_range",
        &s.withdraw,
        c.exit_to.clone(),
        c.second_range.clone() + index * Expr::pow2(128),
    );
}
