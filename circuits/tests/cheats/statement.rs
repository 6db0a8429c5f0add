//! What holds a batch together: signatures, the tree, memory, public inputs, order.

use super::*;

#[test]
fn signatures() {
    let forged = |name: &'static str| {
        cheat(TRANSFER, move |op| {
            if let Op::Signed(s) = &mut op.op {
                s.signature = key(name).sign(op.message.unwrap());
            }
        })
    };
    assert_eq!(forged("mallory"), set(&["signature.equation.x", "signature.equation.y"]));
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
        assert_eq!(names.iter().filter(|n| n.starts_with("window.")).collect::<Vec<_>>(), [rule]);
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
    assert!(names.contains("account.open") && names.contains("account.leaf"), "{names:?}");
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
    for link in [link(), blob_link()] {
        let (honest, _) = fill(&shape, &trace, &link).unwrap();
        for i in 0..honest.public().len() {
            let mut grid = honest.clone();
            let mut public = grid.public().to_vec();
            public[i] += bastion_circuits::Fr::one();
            grid.set_public(public);
            assert!(!check(&shape, &grid).is_empty(), "public input {i}");
        }
    }
}

/// Data are in one of the two places, and all of them.
#[test]
fn the_mode_is_that_of_the_head() {
    let shape = Shape::tiny();
    let trace = run(&mut world(), &context(), &[TRANSFER, TRANSFER_NEW]).unwrap();
    let mode = bastion_protocol::inputs::NAMES.iter().position(|n| *n == "mode").unwrap();
    let with = |link: &ChainedInputs, value: u64| {
        let (mut grid, _) = fill(&shape, &trace, link).unwrap();
        let mut public = grid.public().to_vec();
        public[mode] = value.into();
        grid.set_public(public);
        names(&check(&shape, &grid))
    };
    // Operations have the mode of the head, whose counts and sums are those of the other one.
    let counts = ["head.blob_l2", "head.blob_owners", "head.context", "op.context"];
    let sums = ["head.data_sum0", "head.data_sum2"];
    let [counts, sums] = [set(&counts), set(&sums)];
    let all: BTreeSet<String> = counts.union(&sums).cloned().collect();
    assert!(with(&link(), 1).is_superset(&counts));
    assert!(with(&blob_link(), 0).is_subset(&all));
    assert!(with(&blob_link(), 0).is_superset(&counts));
    assert!(with(&blob_link(), 2).contains("head.mode_flag"));
}

/// What operations post is what stands in the blob: a prover who takes the tables of another batch.
#[test]
fn the_blob_is_that_of_the_operations() {
    use bastion_circuits::core::{Layout, Table, WIDTH};
    let shape = Shape::tiny();
    let fill = |make: Make| {
        let trace = run(&mut world(), &context(), &[make]).unwrap();
        fill(&shape, &trace, &blob_link()).unwrap().0
    };
    let (mut grid, other) = (fill(TRANSFER), fill(WITHDRAW));
    for placement in Layout::new(&shape).blocks {
        if !Table::BLOB.contains(&placement.table) {
            continue;
        }
        for row in placement.row..placement.row + placement.table.rows() {
            for col in 0..WIDTH {
                grid.overwrite(row, col, other.get(row, col));
            }
        }
    }
    let broken = names(&check(&shape, &grid));
    let words = ["slots.word0", "op.blob_word"];
    assert_eq!(broken, set(&[&words[..], &["blob.statement", "head.blob"]].concat()));
    // The head claims the value of the other batch: the words are left.
    let mut public = grid.public().to_vec();
    public[12..16].copy_from_slice(&other.public()[12..16]);
    grid.set_public(public);
    assert_eq!(names(&check(&shape, &grid)), set(&words));
}

#[test]
fn the_mock_prover_refuses_what_the_checker_refuses() {
    let shape = Shape::tiny();
    let mut state = world();
    let tree = state.tree().clone();
    let mut trace = run(&mut state, &context(), &[TRANSFER]).unwrap();
    after(&mut trace.ops[0], 1).balance += 1;
    rebuild(&mut trace, tree);
    let circuit: BatchCircuit = generate_witness(&shape, &trace, &link()).unwrap();
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
        (DEPOSIT, Kind::Deposit),
        (DEPOSIT_NEW, Kind::DepositNew),
        (FORCED, Kind::ForcedExit),
        (FORCED_NOOP, Kind::ForcedExitNoop),
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
