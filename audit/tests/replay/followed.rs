//! Honest batches: the replay comes out where the executor does.

use super::*;

#[test]
fn an_account_made_or_given_a_key_on_l2_is_credited_by_the_next_batch() {
    let (mut state, mut replay) = started();
    let first = execute(&mut state, TIME, &[deposit("anna", 0, 1_000)]);
    follows(&mut replay, &state, &first);
    let new = Action::TransferNew { keyhash: hash("ben"), exit: exit("ben"), amount: 7 };
    let made = signed(&state, "anna", A, 1, new);
    let made = execute(&mut state, TIME, &[made]);
    follows(&mut replay, &state, &made);
    let change = Action::ChangeKey { keyhash: hash("another") };
    let ops = [deposit("ben", 0, 5), signed(&state, "anna", A, 1, change)];
    let changed = execute(&mut state, TIME, &ops);
    follows(&mut replay, &state, &changed);
    let last = execute(&mut state, TIME, &[deposit("another", 0, 500)]);
    follows(&mut replay, &state, &last);
    assert_eq!(state.account(A).unwrap().balance, 1_000 - 7 - 1 - 1 + 500);
}

/// The exit of a forced exit and that of a withdrawal look alike: their order tells them apart.
#[test]
fn a_forced_exit_a_refill_and_a_withdrawal_of_the_same_amount() {
    let (mut state, mut replay) = started();
    let first = execute(&mut state, TIME, &[deposit("anna", 0, 1_000)]);
    follows(&mut replay, &state, &first);
    let out = Action::Withdraw { to: exit("zoe"), amount: 1_000 };
    let ops = [forced(A, 0, "anna"), deposit("anna", 0, 1_000), signed(&state, "anna", A, 0, out)];
    let trace = execute(&mut state, TIME, &ops);
    follows(&mut replay, &state, &trace);
    // Also to the own exit address: then the records differ in nothing but their release.
    let out = Action::Withdraw { to: exit("anna"), amount: 1_000 };
    let ops = [
        deposit("anna", 0, 1_000),
        forced(A, 0, "anna"),
        deposit("anna", 0, 1_000),
        signed(&state, "anna", A, 0, out),
        forced(A, 0, "zoe"),
    ];
    let ops = [ops[0], ops[1], ops[2], ops[4], ops[3]];
    let trace = execute(&mut state, TIME, &ops);
    follows(&mut replay, &state, &trace);
}

/// Random batches of all kinds, L1 first. What the executor refuses is left out.
#[test]
fn every_honest_batch_is_followed() {
    let mut rng = StdRng::seed_from_u64(77);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..6 {
        let (mut state, mut replay) = started();
        let mut time = TIME;
        for round in 0..12 {
            time += rng.gen_range(0..150);
            let mut batch = BatchBuilder::new(&mut state, context(time)).unwrap();
            for _ in 0..rng.gen_range(0..8) {
                let op = random_request(&mut rng);
                let _ = batch.push(&op, |_| true);
            }
            for _ in 0..if round == 0 { 0 } else { rng.gen_range(0..12) } {
                if let Some(op) = random_signed(&mut rng, batch.state(), time) {
                    let _ = batch.push(&op, |_| true);
                }
            }
            let trace = batch.finish().unwrap();
            seen.extend(trace.ops.iter().map(|op| op.kind));
            follows(&mut replay, &state, &trace);
        }
    }
    let all = [
        Kind::Deposit,
        Kind::DepositNew,
        Kind::ForcedExit,
        Kind::ForcedExitNoop,
        Kind::Transfer,
        Kind::TransferNew,
        Kind::Withdraw,
        Kind::ChangeKey,
        Kind::Freeze,
        Kind::Unfreeze,
    ];
    assert!(all.iter().all(|kind| seen.contains(kind)), "{seen:?}");
}

const NAMES: [&str; 4] = ["anna", "ben", "carl", "dora"];

fn random_request(rng: &mut StdRng) -> Op {
    let name = NAMES[rng.gen_range(0..4)];
    let token = rng.gen_range(0..2);
    if rng.gen_bool(0.7) {
        return deposit(name, token, rng.gen_range(1..5_000));
    }
    let index = if rng.gen_bool(0.1) { Index::from(token) } else { A + rng.gen_range(0..10) };
    let name = if index < A { "fees" } else { name };
    forced(index, token, name)
}

fn random_signed(rng: &mut StdRng, state: &State, time: u64) -> Option<Op> {
    let users: Vec<(Index, Account)> =
        state.accounts().filter(|(i, _)| *i >= A).map(|(i, a)| (i, *a)).collect();
    if users.is_empty() {
        return None;
    }
    let (from, account) = users[rng.gen_range(0..users.len())];
    let (keyhash, own) = state.opening(account.owner)?;
    let name = NAMES.into_iter().find(|n| hash(n) == keyhash)?;
    let (to, _) = users[rng.gen_range(0..users.len())];
    let to = if rng.gen_bool(0.1) { Index::from(account.token) } else { to };
    let amount = rng.gen_range(1..2_000);
    let action = match rng.gen_range(0..6) {
        0 => Action::Transfer { to, amount },
        1 => Action::TransferNew {
            keyhash: hash(NAMES[rng.gen_range(0..4)]),
            exit: exit(NAMES[rng.gen_range(0..4)]),
            amount,
        },
        2 => Action::Withdraw { to: if rng.gen() { own } else { exit("zoe") }, amount },
        3 => Action::ChangeKey { keyhash: hash(NAMES[rng.gen_range(0..4)]) },
        4 => {
            Action::Freeze { until: time + rng.gen_range(1..=100), old_until: account.frozen_until }
        }
        _ => Action::Unfreeze { old_until: account.frozen_until },
    };
    let fee = match action {
        Action::Freeze { .. } | Action::Unfreeze { .. } => 0,
        _ => rng.gen_range(0..100),
    };
    Some(signed(state, name, from, fee, action))
}

// What no batch has: anna (A) and ben (B) hold token 0, carl (C) token 1.
