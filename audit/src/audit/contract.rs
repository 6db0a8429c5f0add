//! The contracts: their code, what governance decided, and their counters.

use bastion_protocol::{field, Fr, Policy, TokenLimits};

use super::Audit;
use crate::chain::{Announced, Registration};
use bastion_protocol::times::{POLICY_GRACE, UPGRADE_DELAY, UPGRADE_GRACE};

impl Audit<'_> {
    /// Everything that is not of one block.
    pub(super) fn contract(&mut self) {
        let history = self.history;
        let (code, expected) = (history.code, self.expected.code);
        for (contract, same) in [
            ("rollup", code.rollup == expected.rollup),
            ("governance", code.governance == expected.governance),
        ] {
            if !same {
                let what = format!("the {contract} has other code than was published");
                self.find("contract_code", None, what);
            }
        }
        for policy in self.expected.policies {
            if let Err(why) = policy.check() {
                self.find("policy_bounds", None, why.to_string());
            }
        }
        self.policies();
        self.verifiers();
        self.counters();
        for alarm in &history.alarms {
            let what =
                format!("two accepted proofs contradicted each other about block {}", alarm.block);
            self.notice("alarm", what);
        }
        let last = self.finalized.checked_sub(1);
        let last = last.and_then(|i| history.blocks.get(i));
        if last.map_or(history.genesis, |b| b.header.new_root) != history.state_root {
            self.find("state_root", None, "the contract's root is not that of its last block");
        }
        let mut later = history.blocks.iter().skip(self.finalized);
        if later.any(|b| b.finalized.is_some()) {
            self.find("missing_block", None, "a block is final before the one before it");
        }
    }

    /// Whether blocks could be committed under a policy at a time.
    pub(super) fn in_force(&self, root: &Fr, time: u64) -> bool {
        let changes = &self.history.policies;
        changes.iter().enumerate().any(|(i, change)| {
            let replaced = changes.get(i + 1).map(|next| next.time);
            change.root == *root
                && change.time <= time
                && replaced.is_none_or(|at| time <= at.saturating_add(POLICY_GRACE))
        })
    }

    /// Every policy is published, and was either there from the start, announced for long enough,
    /// or tighter than the one before.
    fn policies(&mut self) {
        let history = self.history;
        let mut before: Option<&Policy> = None;
        for (i, change) in history.policies.iter().enumerate() {
            let shown = field::to_hex(&change.root);
            let policy = self.policy(&change.root);
            if policy.is_none() {
                self.find("policy", None, format!("no published policy has {shown}: name its file by --policy, beside those of all others"));
            }
            let announced = Announced::Policy(change.root);
            if change.tightened {
                if let (Some(before), Some(after)) = (before, policy) {
                    if !tighter(before, after) {
                        let what = format!("{shown} is not tighter than the policy before");
                        self.find("policy_change", None, what);
                    }
                }
            } else if i > 0 && !self.announced(announced, change.time) {
                let what = format!("{shown} was put in force without being announced in time");
                self.find("policy_change", None, what);
            }
            before = policy;
        }
        self.announced_policies();
    }

    /// Whoever does not know a policy can neither make blocks under it nor rebuild the state after
    /// them, so that a root that may come into force must be published while there is time to leave.
    fn announced_policies(&mut self) {
        let history = self.history;
        for announcement in &history.announcements {
            let Announced::Policy(root) = announcement.what else {
                continue;
            };
            let void = announcement.ready_at.saturating_add(UPGRADE_GRACE) < history.time;
            if void || self.policy(&root).is_some() {
                continue;
            }
            let what = format!(
                "{} may come into force from {} on, and no published policy has it: leave before",
                field::to_hex(&root),
                announcement.ready_at
            );
            self.find("announced_policy", None, what);
        }
    }

    /// Every verifier but the first was announced for long enough, and those of circuits that count
    /// have the code that counts. One that never proved a block is no fault.
    fn verifiers(&mut self) {
        let history = self.history;
        let mut known = false;
        for (i, verifier) in history.verifiers.iter().enumerate() {
            let shown = shown(verifier);
            let announced = Announced::Verifier {
                circuit_id: verifier.circuit_id,
                verifier: verifier.verifier,
            };
            if i > 0 && !self.announced(announced, verifier.time) {
                let what = format!("{shown} was registered without being announced in time");
                self.find("verifier_change", None, what);
            }
            let mut circuits = self.expected.circuits.iter();
            match circuits.find(|c| c.id == verifier.circuit_id) {
                Some(circuit) if circuit.code == verifier.code => {
                    known |= verifier.removed.is_none();
                }
                Some(_) => {
                    let what = format!("{shown} has other code than its manifest says");
                    self.find("verifier_code", None, what);
                }
                None if verifier.removed.is_none() => {
                    let what = format!("{shown} is registered, of a circuit that is not known");
                    self.notice("unknown_verifier", what);
                }
                None => {}
            }
        }
        if known {
            return;
        }
        let verifiers = &history.verifiers;
        if !verifiers.is_empty() && verifiers.iter().all(|r| r.removed.is_some()) {
            // The council may remove every verifier: no block follows, and that is no fault.
            self.notice("no_verifier", "every verifier was removed");
        } else {
            let what = "none of the contract's verifiers is one of those that were given";
            self.find("verifier_code", None, what);
        }
    }

    /// Whether a change was announced, and waited for, before a time.
    fn announced(&self, what: Announced, time: u64) -> bool {
        self.history.announcements.iter().any(|a| {
            a.what == what
                && a.ready_at <= time
                && a.time.saturating_add(UPGRADE_DELAY) <= a.ready_at
        })
    }

    /// What the events tell leads to what the contract counts.
    fn counters(&mut self) {
        let history = self.history;
        let blocks = history.blocks.iter();
        let proven = blocks.take_while(|b| b.proving.is_some()).count();
        let counters = history.counters;
        for (name, contract, events) in [
            ("committed blocks", counters.committed, history.blocks.len()),
            ("proven blocks", counters.proven, proven),
            ("final blocks", counters.finalized, self.finalized),
            ("queue entries", counters.queue, history.queue.len()),
            ("exodus", counters.exodus.into(), history.exodus.iter().count()),
        ] {
            if contract != events as u64 {
                let what = format!("{name}: the contract says {contract}, its events {events}");
                self.find("counters", None, what);
            }
        }
    }
}

fn shown(verifier: &Registration) -> String {
    format!("verifier {} of circuit 0x{}", verifier.verifier, hex::encode(verifier.circuit_id))
}

/// Whether a policy only takes power from the guardian and from whoever drains the bridge
/// (protocol section 10, `tightenPolicy`).
fn tighter(before: &Policy, after: &Policy) -> bool {
    let limits = |policy: &Policy, token| -> TokenLimits {
        let listed = policy.limits.get(&token).copied();
        listed.unwrap_or(policy.default_limits)
    };
    let tighter = |before: TokenLimits, after: TokenLimits| {
        after.rate <= before.rate
            && after.burst_seconds <= before.burst_seconds
            && after.max_delay == before.max_delay
    };
    let mut tokens = before.limits.keys().chain(after.limits.keys());
    after.guardian_keyhash == before.guardian_keyhash
        && after.fee_keyhash == before.fee_keyhash
        && after.fee_exit == before.fee_exit
        && after.max_freeze <= before.max_freeze
        && after.cooldown >= before.cooldown
        && tighter(before.default_limits, after.default_limits)
        && tokens.all(|token| tighter(limits(before, *token), limits(after, *token)))
}
