//! What each kind does to the accounts, and when it may.

use crate::core::{Expr, RowBlock};
use crate::ops::cells::Cells;
use crate::ops::kinds::Sets;

/// The primary account.
pub(super) fn primary(block: &mut RowBlock, c: &Cells, s: &Sets) {
    let (b, a) = (&c.access[0].before, &c.access[0].after);
    let known = s.deposit + s.forced_exit + s.signed;
    block.when(known).holds("account_exists", b.exists);
    block.when(s.deposit_new).zero("deposit_creates_on_empty", b.exists);
    let present = known + s.deposit_new;
    block.when(present).holds("account_stays", a.exists);
    block.when(s.forced_noop).equal("noop_leaves_existence", a.exists, b.exists);
    let active = !s.noop;
    let not_created = active - s.deposit_new;

    let keeps_owner = not_created - s.change_key;
    block.when(keeps_owner).equal("owner_unchanged", a.owner, b.owner);
    block.when(s.deposit_new).equal("created_owner", a.owner, c.opened);
    block.when(s.change_key).equal("changed_owner", a.owner, c.new_owner);

    block.when(not_created).equal("token_unchanged", a.token, b.token);
    block.when(s.deposit_new).equal("created_token", a.token, c.requested_token);
    let token_matches = s.deposit + s.forced_exit;
    block.when(token_matches).equal("token_matches", b.token, c.requested_token);

    block.when(s.owner_signed).equal("nonce_increments", a.nonce, b.nonce + Expr::one());
    let keeps_nonce = not_created - s.owner_signed;
    block.when(keeps_nonce).equal("nonce_unchanged", a.nonce, b.nonce);
    block.when(s.deposit_new).zero("created_nonce", a.nonce);

    block.when(s.deposit).equal("deposit_credits", a.balance, b.balance + c.amount);
    block.when(s.deposit_new).equal("created_balance", a.balance, c.amount);
    block.when(s.forced_exit).zero("forced_exit_empties", a.balance);
    let sends_amount = s.owner_signed - s.order;
    block.when(sends_amount).equal("sender_pays", a.balance, b.balance - c.amount - c.fee);
    block.when(s.order).equal("seller_sells", a.balance, b.balance - c.sold - c.fee);
    let keeps_balance = s.forced_noop + s.guardian_signed;
    block.when(keeps_balance).equal("balance_unchanged", a.balance, b.balance);

    block.when(s.freeze).equal("freeze_sets", a.frozen_until, c.amount40);
    block.when(s.unfreeze).equal("unfreeze_sets", a.frozen_until, c.context.time);
    let keeps_freeze = not_created - s.guardian_signed;
    block.when(keeps_freeze).equal("freeze_unchanged", a.frozen_until, b.frozen_until);
    block.when(s.deposit_new).zero("created_unfrozen", a.frozen_until);
}

/// Receiver, limiter and fee account.
pub(super) fn others(block: &mut RowBlock, c: &Cells, s: &Sets) {
    let token = c.access[0].before.token;
    let (b, a) = (&c.access[1].before, &c.access[1].after);
    let second = s.floats + s.forced_exit;
    let keeps = s.transfer + s.exits + s.order;
    block.when(s.transfer + s.order).holds("receiver_exists", b.exists);
    block.when(s.transfer_new).zero("transfer_creates_on_empty", b.exists);
    block.when(second).holds("second_exists_after", a.exists);
    block.when(keeps).equal("receiver_owner_unchanged", a.owner, b.owner);
    block.when(s.transfer_new).equal("receiver_created_owner", a.owner, c.new_owner);
    block.when(s.transfer).equal("receiver_token", b.token, token);
    block.when(second - s.order).equal("second_token", a.token, token);
    block.when(s.order).equal("bought_token", a.token, b.token);
    block.when(s.order).holds("order_names_two_tokens", (b.token - token) * c.distinct_inverse);
    block.when(s.order).equal("order_has_one_owner", b.owner, c.access[0].before.owner);
    block.when(s.order).equal("buyer_is_paid", a.balance, b.balance + c.paid);
    // A quote accesses neither account: their tokens are those that it names.
    block.when(s.quote).equal("quote_account_is_token", c.access[0].index, token);
    block.when(s.quote).equal("quote_names_second_token", c.to, b.token);
    block.when(keeps).equal("receiver_nonce_unchanged", a.nonce, b.nonce);
    block.when(s.transfer_new).zero("receiver_created_nonce", a.nonce);
    block.when(keeps).equal("receiver_freeze_unchanged", a.frozen_until, b.frozen_until);
    block.when(s.transfer_new).zero("receiver_created_unfrozen", a.frozen_until);
    block.when(s.transfer).equal("receiver_is_paid", a.balance, b.balance + c.amount);
    block.when(s.transfer_new).equal("receiver_created_balance", a.balance, c.amount);
    block.when(s.exits).equal("limiter_index", c.access[1].index, token + Expr::pow2(16));
    block
        .when(s.transfer)
        .holds("not_to_oneself", (c.access[1].index - c.access[0].index) * c.distinct_inverse);
    block.constrain(
        "limiter_takes_no_part",
        (s.transfer * b.owner + s.guardian_signed * c.access[0].before.owner) * c.owner_inverse
            - s.transfer
            - s.guardian_signed,
    );

    let fees = s.owner_signed + s.quote;
    let (b, a) = (&c.access[2].before, &c.access[2].after);
    block
        .when(fees)
        .equal("fee_index", c.access[2].index, token)
        .holds("fee_exists_after", a.exists)
        .equal("fee_owner", a.owner, b.owner + !b.exists * c.context.fee_owner)
        .equal("fee_token", a.token, token)
        .equal("fee_nonce", a.nonce, b.nonce)
        .equal("fee_freeze", a.frozen_until, b.frozen_until)
        .equal("fee_is_paid", a.balance, b.balance + c.fee);
}

/// Who may, and when: openings, freezes, forced exits that do not match, values to range-check.
pub(super) fn permissions(block: &mut RowBlock, c: &Cells, s: &Sets) {
    let (b, context) = (&c.access[0].before, &c.context);
    block.when(s.guardian_signed).equal("guardian_signs", c.keyhash, context.guardian);
    block.when(s.deposit_new).equal("opened_is_created", c.opened, c.access[0].after.owner);
    let opened = s.deposit + s.forced_exit + s.forced_noop + s.owner_signed;
    block.when(opened).equal("opened_is_owner", c.opened, b.owner);

    block.constrain("frozen_flag", c.frozen.boolean());
    block
        .when(s.transfer + s.transfer_new + s.change_key + s.order)
        .zero("frozen_sends_nothing", c.frozen);
    block.when(s.withdraw).zero("frozen_withdraws_to_exit", c.frozen * (c.x1 - c.exit));
    block.when(s.forced_exit).equal("forced_exit_to_owner", c.requested_exit, c.exit);
    let [alpha, beta] = c.mismatch;
    block.constrain(
        "noop_does_not_match",
        s.forced_noop
            * b.exists
            * ((b.token - c.requested_token) * alpha + (c.exit - c.requested_exit) * beta
                - Expr::one()),
    );

    let time = context.time;
    let until = b.frozen_until;
    let [mantissa, field, _, comparison, index] = c.small;
    block.when(s.floats).equal("mantissa_range", mantissa, c.amount_float.mantissa);
    block.when(s.l1).equal("requested_token_range", mantissa, c.requested_token);
    block.when(s.freeze).equal(
        "freeze_is_bounded",
        mantissa,
        time + context.max_freeze - c.amount40,
    );
    block.when(s.floats + s.freeze).equal("amount_field_range", field, c.amount40);
    block.when(s.l1).equal("requested_token_top", field, c.requested_token * Expr::pow2(24));
    let frozen = until - time - Expr::one();
    block.when(s.owner_signed).equal(
        "frozen_compares",
        comparison,
        time - until + c.frozen * (frozen - time + until),
    );
    block.when(s.freeze).equal("freeze_cools_down", comparison, time - until - context.cooldown);
    block.when(s.unfreeze).equal("unfreeze_of_frozen", comparison, frozen);
    block.when(s.freeze).equal("freeze_is_in_future", index, c.amount40 - time - Expr::one());
    let first_user = Expr::pow2(17);
    block.when(s.deposit_new).equal("deposit_creates_user", index, c.access[0].index - first_user);
    block.when(s.transfer_new).equal(
        "transfer_creates_user",
        index,
        c.access[1].index - first_user,
    );
    let deposits = s.deposit + s.deposit_new;
    block.when(deposits).equal("deposit_amount_range", c.second_range, c.amount);
    block.when(s.transfer + s.transfer_new + s.order).equal(
        "second_balance_range",
        c.second_range,
        c.access[1].after.balance,
    );
    // Below 2^168, so that the exit record's word cannot wrap: its 27 posted bytes then fix the
    // address, the token and the release time one by one. A forced exit's address is itself a
    // posted word, and the new arrival time of a limiter is bounded in the limiter table.
    block.when(s.withdraw).equal(
        "exit_address_range",
        c.exit_to,
        c.second_range + index * Expr::pow2(128),
    );
}
