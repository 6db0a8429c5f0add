use std::collections::BTreeMap;

use bastion_protocol::Kind;

use super::*;

/// Over many seeds: no attack finds an empty account, and none begins in the warm-up.
#[test]
fn every_family_is_there_whole_and_loses_money() {
    for seed in 0..20 {
        let plan = Plan { seed, ..plan(&Family::ALL, 2, 2_000) };
        let plan = Plan { look_alikes: LookAlike::ALL.to_vec(), ..plan };
        let traffic = Traffic::new(&rows(), &plan).unwrap();
        let mut lost = BTreeMap::<(Family, u32), u128>::new();
        let mut honest = BTreeMap::<&str, u32>::new();
        for (n, op) in traffic.planned().iter().enumerate() {
            match op.label {
                Label::Attack(part) => {
                    assert!(n >= traffic.warm_up());
                    *lost.entry((part.family, part.id)).or_default() += op.loses;
                    assert_eq!(op.loses > 0, part.role == Role::Lose, "{op:?}");
                }
                Label::LookAlike(kind) => *honest.entry(kind.name()).or_default() += 1,
                Label::Ordinary => assert_eq!(op.loses, 0),
            }
        }
        assert_eq!(lost.len(), 2 * Family::ALL.len());
        assert!(lost.values().all(|lost| *lost > 0), "{lost:?}");
        assert_eq!(honest.len(), LookAlike::ALL.len(), "{honest:?}");
    }
}

/// Played on the executor when nobody holds anything: the thief's exits carry what the labels say.
#[test]
fn every_family_executes_and_the_money_is_gone_at_the_end() {
    for family in Family::ALL {
        let traffic = Traffic::new(&rows(), &plan(&[family], 2, 40)).unwrap();
        let (mut operations, mut gone, mut tampered) = (0, 0u128, 0);
        let state = play(&traffic, |step| {
            let Some(part) = step.planned.label.part() else { return Ok(()) };
            assert_eq!(part.family, family);
            operations += 1;
            if part.role == Role::Lose {
                let trace = step.candidate.trace;
                let paid_out = part.family == Family::Sandwich;
                assert_eq!(trace.kind == Kind::Withdraw, !paid_out);
                assert!(trace.amount > 0 && trace.amount >= step.planned.loses);
                // Nothing goes home: the exit is not the account's own.
                let to = trace.signed().unwrap().body.action.leaves_to();
                assert_ne!(to, Some(trace.opening.unwrap().1));
                gone += step.planned.loses;
            }
            let unit = step.candidate.trace.accesses[1];
            tampered += u32::from(matches!(step.planned.draft,
                Draft::Transfer { forged, .. } if forged > 0 && unit.is_some()));
            Ok(())
        })
        .unwrap();
        assert!(operations >= 4 && gone > 0, "{family:?} {operations}");
        assert_eq!(tampered, u32::from(family == Family::BridgeForgery), "{family:?}");
        assert!(state.accounts().count() > 5);
    }
}

#[test]
fn the_stolen_key_signs_and_the_owner_is_silent_afterwards() {
    let traffic = Traffic::new(&rows(), &plan(&[Family::KeyTheft], 2, 500)).unwrap();
    let mut stolen = BTreeMap::new();
    for op in traffic.planned() {
        if let (Some(_), Draft::ChangeKey { key }) = (op.label.part(), op.draft) {
            assert_ne!(key.person, op.person);
            stolen.insert(op.account, key);
        } else if let Some(key) = stolen.get(&op.account) {
            let deposit = matches!(op.draft, Draft::Deposit { .. });
            assert!(op.label.part().is_some() && !deposit, "{op:?}");
            assert_eq!(op.key, *key);
        }
    }
    assert_eq!(stolen.len(), 2);
}
