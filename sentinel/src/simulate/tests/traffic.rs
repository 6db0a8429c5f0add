use bastion_protocol::account::FIRST_USER;
use bastion_protocol::Kind;

use super::*;

fn bytes(traffic: &Traffic) -> Vec<u8> {
    let mut all = Vec::new();
    play(traffic, |step| {
        all.extend(step.candidate.arrived_ms.to_be_bytes());
        all.extend(step.candidate.trace.op.to_bytes());
        Ok(())
    })
    .unwrap();
    all
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let plan = Plan { look_alikes: vec![LookAlike::WhaleMove], ..plan(&[Family::Drain], 1, 60) };
    let first = Traffic::new(&rows(), &plan).unwrap();
    let again = Traffic::new(&rows(), &plan).unwrap();
    assert_eq!(first.planned(), again.planned());
    assert_eq!(bytes(&first), bytes(&again));
    let other = Traffic::new(&rows(), &Plan { seed: 6, ..plan }).unwrap();
    assert_ne!(bytes(&first), bytes(&other));
}

/// Balances, fees included, are what came in less what left, token by token, plus what was forged.
#[test]
fn value_is_conserved_but_where_it_is_forged() {
    let plan = plan(&[Family::BridgeForgery, Family::SlowLeak], 2, 200);
    let traffic = Traffic::new(&rows(), &plan).unwrap();
    let mut sums = std::collections::BTreeMap::<u16, u128>::new();
    let (mut forgeries, mut last) = (0, 0);
    let state = play(&traffic, |step| {
        let Candidate { trace, state, .. } = step.candidate;
        assert!(step.planned.at_ms >= last);
        last = step.planned.at_ms;
        // The state is the one before the operation.
        let access = trace.accesses[0].unwrap();
        assert_eq!(state.account(access.index).copied(), access.before);
        let sum = sums.entry(step.planned.token).or_default();
        match trace.kind {
            Kind::Deposit | Kind::DepositNew => *sum += trace.amount,
            Kind::Withdraw => *sum -= trace.amount,
            _ => {}
        }
        if let Draft::Transfer { forged, .. } = step.planned.draft {
            *sum += forged;
            forgeries += u32::from(forged > 0);
            let [from, to, fee] = trace.accesses.map(Option::unwrap);
            let paid = from.before.unwrap().balance - from.after.unwrap().balance;
            let got = to.after.unwrap().balance - to.before.unwrap().balance;
            let fee = fee.after.unwrap().balance - fee.before.map_or(0, |a| a.balance);
            assert_eq!(paid + forged, got + fee);
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(forgeries, 1);
    for (index, account) in state.accounts() {
        if !(FIRST_USER / 2..FIRST_USER).contains(&index) {
            *sums.get_mut(&account.token).unwrap() -= account.balance;
        }
    }
    assert!(sums.values().all(|rest| *rest == 0), "{sums:?}");
}

#[test]
fn everyday_traffic_is_as_long_as_asked_and_honest() {
    let traffic = Traffic::new(&rows(), &plan(&[], 0, 5_000)).unwrap();
    let n = traffic.planned().len();
    assert!((5_000..8_000).contains(&n), "{n}");
    assert!(traffic.planned().iter().all(|op| op.label == Label::Ordinary));
    assert!(traffic.warm_up() > n / 10 && traffic.warm_up() < n / 2);
    let kinds = |is: fn(&Draft) -> bool| traffic.planned().iter().filter(|p| is(&p.draft)).count();
    assert!(kinds(|d| matches!(d, Draft::Withdraw { .. })) > 100);
    assert!(kinds(|d| matches!(d, Draft::ChangeKey { .. })) > 2);
    assert!(kinds(|d| matches!(d, Draft::TransferNew { .. })) > 10);
}

#[test]
fn plans_without_sense_are_refused() {
    for plan in [Plan { days: 0, ..plan(&[], 0, 1) }, plan(&[], 0, 0)] {
        let error = Traffic::new(&rows(), &plan).unwrap_err();
        assert!(matches!(error, SimulateError::Plan(_)), "{error}");
    }
}
