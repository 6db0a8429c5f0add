//! A prover that breaks one rule is stopped by the constraint that carries the rule's name.
//!
//! The cheater is a clever one: it alters what an operation did, and then recomputes accounts,
//! Merkle nodes and roots so that everything else fits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use bastion_circuits::check::{check, names};
use bastion_circuits::witness::{compile, fill};
use bastion_circuits::{BatchCircuit, Shape};
use bastion_state::account::{leaf, FIRST_USER};
use bastion_state::executor::{
    Access, AccountTouch, BatchContext, BatchTrace, OpTrace, ResolvedKind,
};
use bastion_state::keys::owner;
use bastion_state::ops::{Action, Op};
use bastion_state::state::State;
use bastion_state::tree::Tree;
use bastion_state::{Account, Fr};
use halo2_proofs::dev::MockProver;
use support::{context, deposit, exit, forced, key, link, run, signed, world, FIRST, TIME};

type Make = fn(&State) -> Op;

/// Recomputes what follows from the accesses of the operations.
fn rebuild(trace: &mut BatchTrace, mut tree: Tree) {
    let mut touched: BTreeMap<u32, AccountTouch> = BTreeMap::new();
    for access in trace.ops.iter().flat_map(|op| op.accesses.iter().flatten()) {
        touched
            .entry(access.index)
            .and_modify(|t| t.after = access.after)
            .or_insert(AccountTouch {
                index: access.index,
                before: access.before,
                after: access.after,
            });
    }
    trace.accounts = touched.into_values().collect();
    let leaves: Vec<_> = trace
        .accounts
        .iter()
        .map(|t| (t.index, leaf(t.after.as_ref())))
        .collect();
    trace.nodes = tree.update_traced(&leaves);
    trace.new_root = tree.root();
}

/// The violated rules when the last of `ops` is altered.
fn cheat_in(
    context: &BatchContext,
    before: &[Make],
    make: Make,
    alter: impl Fn(&mut OpTrace),
) -> BTreeSet<String> {
    let mut state = world();
    run(&mut state, context, before).unwrap();
    let tree = state.tree().clone();
    let mut trace = run(&mut state, context, &[make]).unwrap();
    alter(&mut trace.ops[0]);
    rebuild(&mut trace, tree);
    violated(&trace)
}

fn violated(trace: &BatchTrace) -> BTreeSet<String> {
    let shape = Shape::tiny();
    let (grid, _) = fill(&shape, trace, &link()).unwrap();
    let names = names(&check(&shape, &grid));
    support::record("cheats", usize::from(!names.is_empty()));
    names
}

fn cheat(make: Make, alter: impl Fn(&mut OpTrace)) -> BTreeSet<String> {
    cheat_in(&context(), &[], make, alter)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_string()).collect()
}

fn after(op: &mut OpTrace, i: usize) -> &mut Account {
    op.accesses[i].as_mut().unwrap().after.as_mut().unwrap()
}

const TRANSFER: Make = |s| {
    signed(
        s,
        "alice",
        FIRST,
        30,
        Action::Transfer {
            to: FIRST + 1,
            amount: 5_000,
        },
    )
};
const TRANSFER_NEW: Make = |s| {
    let keyhash = key("frank").public().keyhash();
    signed(
        s,
        "alice",
        FIRST,
        0,
        Action::TransferNew {
            keyhash,
            exit: exit("frank"),
            amount: 10,
        },
    )
};
const WITHDRAW: Make = |s| {
    signed(
        s,
        "carol",
        FIRST + 2,
        10,
        Action::Withdraw {
            to: exit("elsewhere"),
            amount: 1_234,
        },
    )
};
const CHANGE_KEY: Make = |s| {
    signed(
        s,
        "bob",
        FIRST + 1,
        1,
        Action::ChangeKey {
            keyhash: key("bob2").public().keyhash(),
        },
    )
};
const FREEZE: Make = |s| {
    signed(
        s,
        "dave",
        FIRST + 3,
        0,
        Action::Freeze {
            until: TIME + 1_000,
            old_until: 0,
        },
    )
};
const UNFREEZE: Make = |s| {
    signed(
        s,
        "dave",
        FIRST + 3,
        0,
        Action::Unfreeze {
            old_until: TIME + 1_000,
        },
    )
};
const DEPOSIT: Make = |_| deposit("alice", 0, 123);
const DEPOSIT_NEW: Make = |_| deposit("erin", 0, 77);
const FORCED: Make = |_| forced(FIRST + 3, 3, "dave");
const FORCED_NOOP: Make = |_| forced(FIRST + 3, 3, "carol");

#[test]
fn honest_operations_violate_nothing() {
    for make in [
        TRANSFER,
        TRANSFER_NEW,
        WITHDRAW,
        CHANGE_KEY,
        FREEZE,
        DEPOSIT,
        DEPOSIT_NEW,
        FORCED,
        FORCED_NOOP,
    ] {
        assert_eq!(cheat(make, |_| {}), set(&[]));
    }
    assert_eq!(cheat_in(&context(), &[FREEZE], UNFREEZE, |_| {}), set(&[]));
}

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
    for (make, rule) in [
        (TRANSFER, "op.receiver_is_paid"),
        (TRANSFER_NEW, "op.receiver_created_balance"),
    ] {
        assert_eq!(cheat(make, |op| after(op, 1).balance += 1), set(&[rule]));
    }
    assert_eq!(
        cheat(TRANSFER, |op| after(op, 2).balance += 1),
        set(&["op.fee_is_paid"])
    );
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
    assert_eq!(
        cheat(TRANSFER, |op| after(op, 0).nonce -= 1),
        set(&["op.nonce_increments"])
    );
    assert_eq!(
        cheat(FREEZE, |op| after(op, 0).nonce += 1),
        set(&["op.nonce_unchanged"])
    );
    assert_eq!(
        cheat(DEPOSIT_NEW, |op| after(op, 0).nonce = 5),
        set(&["op.created_nonce"])
    );
    assert_eq!(
        cheat(TRANSFER_NEW, |op| after(op, 1).nonce = 5),
        set(&["op.receiver_created_nonce"])
    );
    assert_eq!(
        cheat(TRANSFER, |op| after(op, 1).nonce += 1),
        set(&["op.receiver_nonce_unchanged"])
    );
    assert_eq!(
        cheat(TRANSFER, |op| after(op, 2).nonce += 1),
        set(&["op.fee_nonce"])
    );
    let mine = owner(key("mallory").public().keyhash(), exit("mallory"));
    for (make, i, rules) in [
        (TRANSFER, 0, vec!["op.owner_unchanged"]),
        (FORCED_NOOP, 0, vec!["op.owner_unchanged"]),
        (FREEZE, 0, vec!["op.owner_unchanged"]),
        (CHANGE_KEY, 0, vec!["op.changed_owner"]),
        (
            DEPOSIT_NEW,
            0,
            vec!["op.created_owner", "op.opened_is_created"],
        ),
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
        assert_eq!(
            cheat(make, |op| after(op, i).frozen_until += 1),
            set(&[rule])
        );
    }
    assert_eq!(
        cheat_in(&context(), &[FREEZE], UNFREEZE, |op| after(op, 0)
            .frozen_until = 0),
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
    assert_eq!(
        under(|c| c.time = TIME + 601, &[], TRANSFER),
        set(&["op.deadline_not_passed"])
    );
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
    const DAVE_PAYS: Make = |s| {
        signed(
            s,
            "dave",
            FIRST + 3,
            0,
            Action::Transfer {
                to: FIRST + 2,
                amount: 5,
            },
        )
    };
    const DAVE_LEAVES: Make = |s| {
        signed(
            s,
            "dave",
            FIRST + 3,
            0,
            Action::Withdraw {
                to: exit("elsewhere"),
                amount: 5,
            },
        )
    };
    let freeze_first = |op: &mut OpTrace| {
        // The account was frozen all along; the cheater leaves it so and sends.
        let access = op.accesses[0].as_mut().unwrap();
        for account in [&mut access.before, &mut access.after] {
            account.as_mut().unwrap().frozen_until = TIME + 1_000;
        }
    };
    for (make, rule) in [
        (DAVE_PAYS, "op.frozen_sends_nothing"),
        (DAVE_LEAVES, "op.frozen_withdraws_to_exit"),
    ] {
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
        op.kind = ResolvedKind::ForcedExitNoop;
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
        op.accesses[1] = Some(Access {
            index: access.index,
            before: access.after,
            after: Some(paid),
        });
        if let Op::Signed(s) = &mut op.op {
            s.body.action = Action::Transfer {
                to: FIRST,
                amount: 5_000,
            };
            let message = s.body.message(context().domain, exit("alice")).unwrap();
            s.signature = key("alice").sign(message);
            op.message = Some(message);
        }
    });
    assert_eq!(names, set(&["op.not_to_oneself"]));
}

#[test]
fn signatures() {
    let forged = |name: &'static str| {
        cheat(TRANSFER, move |op| {
            if let Op::Signed(s) = &mut op.op {
                s.signature = key(name).sign(op.message.unwrap());
            }
        })
    };
    assert_eq!(
        forged("mallory"),
        set(&["signature.equation.x", "signature.equation.y"])
    );
    assert_eq!(forged("alice"), set(&[]));
    // Signed by another key under its own name: nobody consumes that signature, and the one that is
    // needed is missing.
    let names = cheat(TRANSFER, |op| {
        if let Op::Signed(s) = &mut op.op {
            s.key = key("mallory").public();
            s.signature = key("mallory").sign(op.message.unwrap());
        }
    });
    assert_eq!(names, set(&["op.signature", "signature.signed"]));
}

/// Every exit record that a signer could smuggle through the address.
#[test]
fn a_withdrawal_address_is_an_address() {
    let shape = Shape::tiny();
    let mut state = world();
    let trace = run(&mut state, &context(), &[WITHDRAW]).unwrap();
    let (mut grid, _) = fill(&shape, &trace, &link()).unwrap();
    // `x1 = exit_to` far outside of 160 bits, everything that copies it along.
    let cells = bastion_circuits::ops::cells();
    let row =
        bastion_circuits::core::Layout::new(&shape).rows_of(bastion_circuits::core::Table::Op)[0];
    for cell in [&cells.x1, &cells.exit_to] {
        if let bastion_circuits::core::Expr::Cell { row: r, col } = cell {
            let huge = bastion_circuits::core::pow2(200);
            grid.overwrite(row + *r as usize, *col, huge);
        }
    }
    let names = names(&check(&shape, &grid));
    assert!(names.contains("op.exit_address_range"), "{names:?}");
}

/// A digit has no cell: it is what a window adds to the digits so far. Moving 1 from a window to the
/// next one (where it counts 16) leaves the scalar as it is, and makes a digit that is none of
/// 0 .. 15, or belongs to another multiple than the one that is added.
#[test]
fn digits_are_those_of_the_multiples() {
    use bastion_circuits::core::{Layout, Table};
    use bastion_circuits::signatures::window_columns::{H, S};
    let shape = Shape::tiny();
    let trace = run(&mut world(), &context(), &[TRANSFER]).unwrap();
    let windows = Layout::new(&shape).rows_of(Table::Window);
    for (col, rule) in [(H, "window.key_multiple"), (S, "window.base_multiple")] {
        let (mut grid, _) = fill(&shape, &trace, &link()).unwrap();
        let row = windows[10];
        grid.overwrite(row, col, grid.get(row, col) - bastion_circuits::Fr::one());
        let names = names(&check(&shape, &grid));
        assert_eq!(
            names
                .iter()
                .filter(|n| n.starts_with("window."))
                .collect::<Vec<_>>(),
            [rule]
        );
    }
}

#[test]
fn tree_and_memory() {
    let honest = |alter: fn(&mut BatchTrace)| {
        let mut state = world();
        let mut trace = run(&mut state, &context(), &[TRANSFER]).unwrap();
        alter(&mut trace);
        violated(&trace)
    };
    // Another sibling beside the path.
    let names = honest(|t| {
        let node = t.nodes.iter_mut().find(|n| !n.right_touched).unwrap();
        node.right.new += Fr::from(1u64);
    });
    assert!(names.contains("node.right_untouched"), "{names:?}");
    // Another root.
    let names = honest(|t| t.new_root += Fr::from(1u64));
    assert_eq!(names, set(&["head.root", "node.node"]));
    // An account opened twice, so that two histories could diverge.
    let names = honest(|t| t.accounts.push(t.accounts[0]));
    assert!(
        names.contains("account.open") && names.contains("account.leaf"),
        "{names:?}"
    );
    // An account that was touched is left out.
    let names = honest(|t| {
        t.accounts.pop();
    });
    assert!(names.iter().any(|n| n.starts_with("op.")), "{names:?}");
}

#[test]
fn public_inputs_are_bound() {
    let shape = Shape::tiny();
    let mut state = world();
    let trace = run(&mut state, &context(), &[TRANSFER]).unwrap();
    let (honest, _) = fill(&shape, &trace, &link()).unwrap();
    for i in 0..honest.public().len() {
        let mut grid = honest.clone();
        let mut public = grid.public().to_vec();
        public[i] += bastion_circuits::Fr::one();
        grid.set_public(public);
        assert!(!check(&shape, &grid).is_empty(), "public input {i}");
    }
}

#[test]
fn the_mock_prover_refuses_what_the_checker_refuses() {
    let shape = Shape::tiny();
    let mut state = world();
    let tree = state.tree().clone();
    let mut trace = run(&mut state, &context(), &[TRANSFER]).unwrap();
    after(&mut trace.ops[0], 1).balance += 1;
    rebuild(&mut trace, tree);
    let circuit: BatchCircuit = compile(&shape, &trace, &link()).unwrap();
    let mock = MockProver::run(shape.k, &circuit, vec![circuit.instances()]).unwrap();
    let failures = mock.verify().unwrap_err();
    let text = format!("{failures:?}");
    assert!(text.contains("receiver_is_paid"), "{text}");
}

/// Every L1 kind behind a signed operation, otherwise as an honest executor would have it: what is
/// posted would be the same for both orders.
#[test]
fn l1_operations_come_first() {
    for (last, kind) in [
        (DEPOSIT, ResolvedKind::Deposit),
        (DEPOSIT_NEW, ResolvedKind::DepositNew),
        (FORCED, ResolvedKind::ForcedExit),
        (FORCED_NOOP, ResolvedKind::ForcedExitNoop),
    ] {
        for first in [TRANSFER, FREEZE] {
            let mut state = world();
            let tree = state.tree().clone();
            let mut trace = run(&mut state, &context(), &[first]).unwrap();
            let second = run(&mut state, &context(), &[last]).unwrap();
            assert_eq!(second.ops[0].kind, kind);
            trace.ops.extend(second.ops);
            rebuild(&mut trace, tree.clone());
            assert_eq!(violated(&trace), set(&["op.l1_before_l2"]), "{kind:?}");
        }
        // The other way round nothing is wrong.
        let mut state = world();
        let trace = run(&mut state, &context(), &[last, TRANSFER]).unwrap();
        assert_eq!(violated(&trace), set(&[]), "{kind:?}");
    }
}

/// Alice's transfer, executed a second time with its first signature.
#[test]
fn a_signature_is_good_once() {
    let mut state = world();
    let first = run(&mut state, &context(), &[TRANSFER]).unwrap().ops[0].clone();
    let tree = state.tree().clone();
    let mut trace = run(&mut state, &context(), &[TRANSFER]).unwrap();
    trace.ops[0].op = first.op;
    trace.ops[0].message = first.message;
    rebuild(&mut trace, tree);
    // The message of the circuit has the account's nonce, for which there is no signature.
    let names = violated(&trace);
    assert_eq!(names, set(&["op.signature", "signature.signed"]));
}

/// The second of two transfers reads the sender as the first one found it: the same money twice.
#[test]
fn a_stale_balance_is_not_read() {
    let mut state = world();
    let tree = state.tree().clone();
    let mut trace = run(&mut state, &context(), &[TRANSFER, CHANGE_KEY, WITHDRAW]).unwrap();
    let stale = trace.ops[0].accesses[1].unwrap().before;
    let access = trace.ops[1].accesses[0].as_mut().unwrap();
    let spent = access.before.unwrap().balance - stale.unwrap().balance;
    access.before = stale;
    let after = access.after.as_mut().unwrap();
    after.balance -= spent;
    rebuild(&mut trace, tree);
    let names = violated(&trace);
    // What the first put back nobody takes, and what the second takes nobody put back.
    assert_eq!(names, set(&["op.primary_before", "op.second_after"]));
}
