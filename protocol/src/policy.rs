//! The policy: guardian, freezes, fees and the limits of each token (protocol §4).

use crate::{
    account::check_u40,
    field::serde_fr,
    hash::{chain, compress, TAG_LIMIT, TAG_POLICY},
    Address, Fr, ProtocolError, Token,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Depth of the tree of limits: one leaf for each token.
pub const LIMITS_DEPTH: usize = 16;

/// Bridge limits of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenLimits {
    /// Units per second that may leave in the long run, at least 1.
    pub rate: u64,
    /// Burst in seconds (u40): how much of the rate may leave at once.
    pub burst_seconds: u64,
    /// Longest delay of an exit in seconds (u40).
    pub max_delay: u64,
}

impl TokenLimits {
    /// `chain(TAG_LIMIT; rate, burst_seconds, max_delay)`.
    #[must_use]
    pub fn leaf(&self) -> Fr {
        chain(TAG_LIMIT, &[self.rate, self.burst_seconds, self.max_delay].map(Fr::from))
    }

    fn check(&self) -> Result<(), ProtocolError> {
        if self.rate == 0 {
            return Err(ProtocolError::Policy(
                "rate is 0: nothing could ever leave; set at least 1 unit per second".into(),
            ));
        }
        check_u40("burst_seconds", self.burst_seconds)?;
        check_u40("max_delay", self.max_delay)
    }
}

/// What the guardian and the bridge may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Hash of the key that may freeze.
    #[serde(with = "serde_fr")]
    pub guardian_keyhash: Fr,
    /// Longest freeze in seconds (u40).
    pub max_freeze: u64,
    /// Seconds (u40) between the end of a freeze and the next one.
    pub cooldown: u64,
    /// Key of new fee accounts.
    #[serde(with = "serde_fr")]
    pub fee_keyhash: Fr,
    /// Exit address of new fee accounts.
    pub fee_exit: Address,
    /// Limits of the tokens that are not listed.
    pub default_limits: TokenLimits,
    /// Limits of single tokens.
    #[serde(default)]
    pub limits: BTreeMap<Token, TokenLimits>,
}

impl Policy {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`ProtocolError::Policy`] or [`ProtocolError::Range`] with the field at fault.
    pub fn check(&self) -> Result<(), ProtocolError> {
        check_u40("max_freeze", self.max_freeze)?;
        check_u40("cooldown", self.cooldown)?;
        if self.cooldown < self.max_freeze.max(1) {
            return Err(ProtocolError::Policy(format!(
                "cooldown {} is below max_freeze {} (or 0): an unfreeze could be replayed against \
                 a later freeze; raise the cooldown",
                self.cooldown, self.max_freeze
            )));
        }
        self.default_limits.check()?;
        self.limits.values().try_for_each(TokenLimits::check)
    }

    /// The largest `max_delay` of any token.
    #[must_use]
    pub fn longest_delay(&self) -> u64 {
        let listed = self.limits.values().map(|l| l.max_delay);
        listed.fold(self.default_limits.max_delay, u64::max)
    }

    /// The limits of a token.
    #[must_use]
    pub fn limits_of(&self, token: Token) -> TokenLimits {
        self.limits.get(&token).copied().unwrap_or(self.default_limits)
    }

    /// The tree of limits.
    #[must_use]
    pub fn limits_tree(&self) -> LimitsTree {
        LimitsTree::new(self.default_limits, &self.limits)
    }

    /// The policy root over a given limits root.
    #[must_use]
    pub fn root_with(&self, limits_root: Fr) -> Fr {
        chain(
            TAG_POLICY,
            &[
                self.guardian_keyhash,
                Fr::from(self.max_freeze),
                Fr::from(self.cooldown),
                self.fee_keyhash,
                self.fee_exit.to_fr(),
                limits_root,
            ],
        )
    }

    /// `chain(TAG_POLICY; guardian, max_freeze, cooldown, fee_keyhash, fee_exit, limits_root)`.
    #[must_use]
    pub fn root(&self) -> Fr {
        self.root_with(self.limits_tree().root())
    }

    /// Owner of new fee accounts.
    #[must_use]
    pub fn fee_owner(&self) -> Fr {
        crate::keys::owner(self.fee_keyhash, self.fee_exit)
    }
}

/// Binary tree over the limits of all 2^16 tokens; bit 0 of the token is the lowest level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsTree {
    default: TokenLimits,
    limits: BTreeMap<Token, TokenLimits>,
    /// `empty[h]`: a subtree of height `h` with default limits only.
    empty: [Fr; LIMITS_DEPTH + 1],
    /// `levels[h]`: the other nodes of height `h`.
    levels: Vec<BTreeMap<Token, Fr>>,
}

impl LimitsTree {
    fn new(default: TokenLimits, limits: &BTreeMap<Token, TokenLimits>) -> Self {
        let mut empty = [default.leaf(); LIMITS_DEPTH + 1];
        for h in 1..=LIMITS_DEPTH {
            empty[h] = compress(empty[h - 1], empty[h - 1]);
        }
        let leaves = limits.iter().map(|(token, l)| (*token, l.leaf()));
        let mut levels: Vec<BTreeMap<Token, Fr>> = vec![leaves.collect()];
        for h in 0..LIMITS_DEPTH {
            let below = &levels[h];
            let get = |i: Token| below.get(&i).copied().unwrap_or(empty[h]);
            let node = |i: &Token| (i >> 1, compress(get(i & !1), get(i | 1)));
            let level = below.keys().map(node).collect();
            levels.push(level);
        }
        Self { default, limits: limits.clone(), empty, levels }
    }

    fn node(&self, height: usize, index: Token) -> Fr {
        let stored = self.levels.get(height).and_then(|l| l.get(&index));
        stored.copied().unwrap_or(self.empty[height])
    }

    /// `limits_root`.
    #[must_use]
    pub fn root(&self) -> Fr {
        self.node(LIMITS_DEPTH, 0)
    }

    /// The limits of a token.
    #[must_use]
    pub fn limits(&self, token: Token) -> TokenLimits {
        self.limits.get(&token).copied().unwrap_or(self.default)
    }

    /// The siblings of a token's leaf from the lowest level up, and its limits.
    #[must_use]
    pub fn path(&self, token: Token) -> ([Fr; LIMITS_DEPTH], TokenLimits) {
        let siblings = std::array::from_fn(|h| self.node(h, (token >> h) ^ 1));
        (siblings, self.limits(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let limits = |rate| TokenLimits { rate, burst_seconds: 60, max_delay: 3600 };
        Policy {
            guardian_keyhash: Fr::from(5_u64),
            max_freeze: 100,
            cooldown: 200,
            fee_keyhash: Fr::from(6_u64),
            fee_exit: Address([7; 20]),
            default_limits: limits(10),
            limits: [(0, limits(1)), (3, limits(2)), (65535, limits(3))].into(),
        }
    }

    #[test]
    fn tree_is_the_naive_one() {
        let policy = policy();
        let tree = policy.limits_tree();
        let all: Vec<TokenLimits> = (0..=u16::MAX).map(|t| tree.limits(t)).collect();
        let listed: BTreeMap<u64, Fr> = all.iter().map(|l| (l.rate, l.leaf())).collect();
        let mut level: Vec<Fr> = all.iter().map(|l| listed[&l.rate]).collect();
        let leaves = level.clone();
        while level.len() > 1 {
            level = level.chunks(2).map(|c| compress(c[0], c[1])).collect();
        }
        assert_eq!(tree.root(), level[0]);
        for token in [0, 1, 2, 3, 1000, 65534, 65535] {
            let (path, limits) = tree.path(token);
            assert_eq!(limits.leaf(), leaves[usize::from(token)]);
            let root = path.iter().enumerate().fold(limits.leaf(), |x, (h, s)| {
                if token >> h & 1 == 0 {
                    compress(x, *s)
                } else {
                    compress(*s, x)
                }
            });
            assert_eq!(root, tree.root());
        }
    }

    #[test]
    fn ranges_are_checked_and_json_is_strict() {
        assert!(policy().check().is_ok());
        let mut bad = policy();
        bad.limits.entry(3).and_modify(|l| l.rate = 0);
        assert!(matches!(bad.check(), Err(ProtocolError::Policy(_))));
        let mut bad = policy();
        bad.default_limits.max_delay = 1 << 40;
        assert!(matches!(bad.check(), Err(ProtocolError::Range { .. })));
        let mut bad = policy();
        bad.max_freeze = 1 << 40;
        assert!(matches!(bad.check(), Err(ProtocolError::Range { .. })));

        let text = serde_json::to_string(&policy()).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy());
        let more = text.replacen('{', "{\"surprise\":1,", 1);
        assert!(serde_json::from_str::<Policy>(&more).is_err());
    }

    #[test]
    fn every_field_changes_the_root() {
        let base = policy();
        let changes: [fn(&mut Policy); 7] = [
            |p| p.guardian_keyhash += Fr::from(1_u64),
            |p| p.max_freeze += 1,
            |p| p.cooldown += 1,
            |p| p.fee_keyhash += Fr::from(1_u64),
            |p| p.fee_exit.0[0] ^= 1,
            |p| p.default_limits.rate += 1,
            |p| {
                p.limits.remove(&3);
            },
        ];
        for change in changes {
            let mut other = base.clone();
            change(&mut other);
            assert_ne!(other.root(), base.root());
        }
    }
}
