//! What an operation does to accounts, and when it may.

use super::*;

#[test]
fn balances() {
    for (make, rule) in [
        (TRANSFER, "op.sender_pays"),
        (WITHDRAW, "op.sender_pays"),
        (CHANGE_KEY, "op.sender_pays"),
        (DEPOSIT, "op.deposit_credits"),
        (DEPOSIT_NEW, "op.created_balance"),
        (FORCED, "op.forced_exit_empties"),
        (FORCED_NOOP, "op.balance_unchanged"),
        (FREEZE, "op.balance_unchanged"),
    ] {
        assert_eq!(cheat(make, |op| after(op, 0).balance += 1), set(&[rule]));
    }
    for (make, rule) in
        [(TRANSFER, "op.receiver_is_paid"), (TRANSFER_NEW, "op.receiver_created_balance")]
    {
        assert_eq!(cheat(make, |op| after(op, 1).balance += 1), set(&[rule]));
    }
    assert_eq!(cheat(TRANSFER, |op| after(op, 2).balance += 1), set(&["op.fee_is_paid"]));
}

#[test]
fn more_than_the_balance() {
    // The cheater sends what the sender has not, and lets the balance run below zero.
    let names = cheat(TRANSFER, |op| {
        let before = op.accesses[0].as_mut().unwrap().before.as_mut().unwrap();
        before.balance = 100;
        after(op, 0).balance = 0;
    });
    assert!(names.contains("op.sender_pays"), "{names:?}");
}

#[test]
fn nonces_owners_tokens() {
    assert_eq!(cheat(TRANSFER, |op| after(op, 0).nonce -= 1), set(&["op.nonce_increments"]));
    assert_eq!(cheat(FREEZE, |op| after(op, 0).nonce += 1), set(&["op.nonce_unchanged"]));
    assert_eq!(cheat(DEPOSIT_NEW, |op| after(op, 0).nonce = 5), set(&["op.created_nonce"]));
    assert_eq!(
        cheat(TRANSFER_NEW, |op| after(op, 1).nonce = 5),
        set(&["op.receiver_created_nonce"])
    );
    assert_eq!(
        cheat(TRANSFER, |op| after(op, 1).nonce += 1),
        set(&["op.receiver_nonce_unchanged"])
    );
    assert_eq!(cheat(TRANSFER, |op| after(op, 2).nonce += 1), set(&["op.fee_nonce"]));
    let mine = owner(key("mallory").public().keyhash(), exit("mallory"));
    for (make, i, rules) in [
        (TRANSFER, 0, vec!["op.owner_unchanged"]),
        (FORCED_NOOP, 0, vec!["op.owner_unchanged"]),
        (FREEZE, 0, vec!["op.owner_unchanged"]),
        (CHANGE_KEY, 0, vec!["op.changed_owner"]),
        (DEPOSIT_NEW, 0, vec!["op.created_owner", "op.opened_is_created"]),
        (TRANSFER, 1, vec!["op.receiver_owner_unchanged"]),
        (TRANSFER_NEW, 1, vec!["op.receiver_created_owner"]),
        (WITHDRAW, 1, vec!["op.receiver_owner_unchanged"]),
        (TRANSFER, 2, vec!["op.fee_owner"]),
    ] {
        assert_eq!(cheat(make, |op| after(op, i).owner = mine), set(&rules));
    }
    for (make, i, rule) in [
        (TRANSFER, 0, "op.token_unchanged"),
        (DEPOSIT_NEW, 0, "op.created_token"),
        (TRANSFER, 1, "op.second_token"),
        (WITHDRAW, 1, "op.second_token"),
        (TRANSFER, 2, "op.fee_token"),
    ] {
        assert_eq!(cheat(make, |op| after(op, i).token = 9), set(&[rule]));
    }
}

#[test]
fn freezes() {
    for (make, i, rule) in [
        (TRANSFER, 0, "op.freeze_unchanged"),
        (DEPOSIT_NEW, 0, "op.created_unfrozen"),
        (FREEZE, 0, "op.freeze_sets"),
        (TRANSFER, 1, "op.receiver_freeze_unchanged"),
        (TRANSFER_NEW, 1, "op.receiver_created_unfrozen"),
        (TRANSFER, 2, "op.fee_freeze"),
    ] {
        assert_eq!(cheat(make, |op| after(op, i).frozen_until += 1), set(&[rule]));
    }
    assert_eq!(
        cheat_in(&context(), &[FREEZE], UNFREEZE, |op| after(op, 0).frozen_until = 0),
        set(&["op.unfreeze_sets"])
    );
}

/// The same operation under another time or policy, as a cheating executor would let it through.
fn under(change: impl Fn(&mut BatchContext), before: &[Make], make: Make) -> BTreeSet<String> {
    let mut state = world();
    run(&mut state, &context(), before).unwrap();
    let mut trace = run(&mut state, &context(), &[make]).unwrap();
    change(&mut trace.context);
    violated(&trace)
}

#[test]
fn times_and_policy() {
    // 601 seconds later: one after the deadline of the signed operation.
    assert_eq!(under(|c| c.time = TIME + 601, &[], TRANSFER), set(&["op.deadline_not_passed"]));
    // The freeze would be longer than the policy allows.
    assert_eq!(
        under(|c| c.policy.max_freeze = 999, &[], FREEZE),
        set(&["op.mantissa_or_token_range"])
    );
    // Another guardian.
    assert_eq!(
        under(|c| c.policy.guardian_keyhash = Fr::from(5u64), &[], FREEZE),
        set(&["op.guardian_signs"])
    );
    // Another owner of fee accounts: the fee account that is created has the wrong one.
    assert_eq!(
        under(|c| c.policy.fee_exit = exit("mallory"), &[], TRANSFER),
        set(&["op.fee_owner"])
    );
}

#[test]
fn a_frozen_account_sends_nothing() {
    const DAVE_PAYS: Make =
        |s| signed(s, "dave", FIRST + 3, 0, Action::Transfer { to: FIRST + 2, amount: 5 });
    const DAVE_LEAVES: Make =
        |s| signed(s, "dave", FIRST + 3, 0, Action::Withdraw { to: exit("elsewhere"), amount: 5 });
    let freeze_first = |op: &mut OpTrace| {
        // The account was frozen all along; the cheater leaves it so and sends.
        let access = op.accesses[0].as_mut().unwrap();
        for account in [&mut access.before, &mut access.after] {
            account.as_mut().unwrap().frozen_until = TIME + 1_000;
        }
    };
    for (make, rule) in
        [(DAVE_PAYS, "op.frozen_sends_nothing"), (DAVE_LEAVES, "op.frozen_withdraws_to_exit")]
    {
        let mut state = world();
        // The tree holds the frozen account, the executor is made to forget it.
        let mut trace = run(&mut state, &context(), &[make]).unwrap();
        freeze_first(&mut trace.ops[0]);
        let mut tree = world().tree().clone();
        let before = trace.ops[0].accesses[0].unwrap().before;
        tree.set(FIRST + 3, leaf(before.as_ref()));
        trace.old_root = tree.root();
        rebuild(&mut trace, tree);
        assert_eq!(violated(&trace), set(&[rule]));
    }
}

#[test]
fn the_limiter() {
    let names = cheat(WITHDRAW, |op| {
        op.limiter.as_mut().unwrap().limits.max_delay = 0;
    });
    assert!(names.iter().any(|n| n.starts_with("policy.")), "{names:?}");
    let names = cheat(WITHDRAW, |op| after(op, 1).balance -= 1);
    assert_eq!(names, set(&["limiter.exit", "op.limiter"]));
    let names = cheat(WITHDRAW, |op| {
        op.limiter.as_mut().unwrap().release_time -= 1;
    });
    assert_eq!(names, set(&["limiter.exit", "op.limiter"]));
    let names = cheat(WITHDRAW, |op| op.accesses[1].as_mut().unwrap().index += 1);
    assert_eq!(names, set(&["op.limiter_index"]));
}

#[test]
fn forced_exits_cannot_be_dodged() {
    // A matching request is claimed not to match: nothing leaves.
    let names = cheat(FORCED, |op| {
        op.kind = Kind::ForcedExitNoop;
        op.amount = 0;
        op.limiter = None;
        op.accesses[1] = None;
        let before = op.accesses[0].unwrap().before;
        op.accesses[0].as_mut().unwrap().after = before;
    });
    assert_eq!(names, set(&["op.noop_does_not_match"]));
}

#[test]
fn accounts_are_created_once_and_in_their_place() {
    // Over an existing account.
    let names = cheat(TRANSFER_NEW, |op| {
        let access = op.accesses[1].as_mut().unwrap();
        let victim = world().account(FIRST + 1).copied();
        access.index = FIRST + 1;
        access.before = victim;
    });
    assert_eq!(names, set(&["op.transfer_creates_on_empty"]));
    // Among the system accounts: the index minus 2^17 is out of range.
    let names = cheat(DEPOSIT_NEW, |op| {
        op.accesses[0].as_mut().unwrap().index = FIRST_USER - 1;
    });
    assert_eq!(names, set(&["op.index_or_time_range"]));
}

#[test]
fn transfers_to_oneself() {
    let names = cheat(TRANSFER, |op| {
        let access = op.accesses[0].unwrap();
        let mut paid = access.after.unwrap();
        paid.balance += 5_000;
        op.accesses[1] =
            Some(Access { index: access.index, before: access.after, after: Some(paid) });
        if let Op::Signed(s) = &mut op.op {
            s.body.action = Action::Transfer { to: FIRST, amount: 5_000 };
            let message = s.body.message(context().domain, exit("alice")).unwrap();
            s.signature = key("alice").sign(message);
            op.message = Some(message);
        }
    });
    assert_eq!(names, set(&["op.not_to_oneself"]));
}
