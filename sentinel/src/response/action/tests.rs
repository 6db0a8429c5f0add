use bastion_protocol::hash::compress;
use bastion_protocol::{Address, Fr};
use proptest::prelude::*;

use super::*;

/// Root of the limits with another leaf for a token, by the path from the current tree, as L1 does it.
fn root_by_path(policy: &Policy, token: Token, limits: &TokenLimits) -> Fr {
    let (path, _) = policy.limits_tree().path(token);
    path.iter().enumerate().fold(limits.leaf(), |x, (height, sibling)| match token >> height & 1 {
        0 => compress(x, *sibling),
        _ => compress(*sibling, x),
    })
}

/// `Policies.tightenPolicy`: the root after it, or nothing where it reverts.
fn tighten_policy(current: &Policy, next: &Policy, token: Token) -> Option<Fr> {
    let (limits, tighter) = (current.limits_of(token), next.limits_of(token));
    if root_by_path(current, token, &limits) != current.limits_tree().root() {
        return None;
    }
    let refused = next.max_freeze > current.max_freeze
        || next.cooldown < current.cooldown
        || next.cooldown < next.max_freeze
        || next.cooldown == 0
        || tighter.rate == 0
        || tighter.rate > limits.rate
        || tighter.burst_seconds > limits.burst_seconds
        || tighter.max_delay != limits.max_delay;
    let mut changed = current.clone();
    (changed.max_freeze, changed.cooldown) = (next.max_freeze, next.cooldown);
    (!refused).then(|| changed.root_with(root_by_path(current, token, &tighter)))
}

fn limits() -> impl Strategy<Value = TokenLimits> {
    let rate = prop_oneof![Just(1), Just(u64::MAX), 1..1000_u64, 1..=u64::MAX];
    (rate, 0..1_u64 << 40, 0..1_u64 << 40)
        .prop_map(|(rate, burst_seconds, max_delay)| TokenLimits { rate, burst_seconds, max_delay })
}

fn policies() -> impl Strategy<Value = Policy> {
    let listed = proptest::collection::btree_map(any::<Token>(), limits(), 0..3);
    (0..1_u64 << 39, 0..1_u64 << 39, limits(), listed).prop_map(
        |(max_freeze, more, default_limits, limits)| Policy {
            guardian_keyhash: Fr::from(5_u64),
            max_freeze,
            cooldown: max_freeze.max(1) + more,
            fee_keyhash: Fr::from(6_u64),
            fee_exit: Address([7; 20]),
            default_limits,
            limits,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_contract_takes_what_is_tightened(
        policy in policies(), other in any::<Token>(), listed in any::<prop::sample::Index>(), percent in 0..=u8::MAX,
    ) {
        policy.check().unwrap();
        let tokens: Vec<Token> = policy.limits.keys().copied().chain([other]).collect();
        let token = *listed.get(&tokens);
        let next = tightened(&policy, token, percent);
        next.check().unwrap();
        // L1 comes to the same root.
        prop_assert_eq!(tighten_policy(&policy, &next, token), Some(next.root()));

        let (before, after) = (policy.limits_of(token), next.limits_of(token));
        prop_assert!(after.rate >= 1 && after.rate <= before.rate);
        let exact = u128::from(before.rate) * u128::from(100 - percent.min(100)) / 100;
        prop_assert_eq!(u128::from(after.rate), exact.max(1));
        prop_assert_eq!(TokenLimits { rate: before.rate, ..after }, before);
        for token in tokens.into_iter().filter(|t| *t != token) {
            prop_assert_eq!(policy.limits_of(token), next.limits_of(token));
        }
    }

    #[test]
    fn the_rule_of_the_contract_refuses_what_is_looser(policy in policies(), token in any::<Token>()) {
        let limits = policy.limits_of(token);
        let changes: [fn(&mut TokenLimits); 5] = [
            |l| l.rate = l.rate.saturating_add(1),
            |l| l.rate = 0,
            |l| l.burst_seconds += 1,
            |l| l.max_delay += 1,
            |l| l.max_delay = l.max_delay.wrapping_sub(1),
        ];
        for change in changes {
            let mut looser = limits;
            change(&mut looser);
            if looser != limits {
                let mut next = policy.clone();
                next.limits.insert(token, looser);
                prop_assert_eq!(tighten_policy(&policy, &next, token), None);
            }
        }
    }
}

#[test]
fn actions_are_read_strictly() {
    let text = r#"{"action":"freeze","account":7,"seconds":60}"#;
    let freeze = Action::Freeze { account: 7, seconds: 60 };
    assert_eq!(serde_json::from_str::<Action>(text).unwrap(), freeze);
    assert_eq!(serde_json::to_string(&freeze).unwrap(), text);
    assert!(serde_json::from_str::<Action>(
        r#"{"action":"freeze","account":7,"seconds":60,"x":1}"#
    )
    .is_err());
    assert!(serde_json::from_str::<Action>(r#"{"action":"seize","account":7}"#).is_err());
}
