//! What a playbook looks at.

use bastion_protocol::ops::{Action as Operation, SignedOp};
use bastion_protocol::{Index, Token};
use serde::{Deserialize, Serialize};

use crate::{Reason, Verdict};

/// Something that a detector found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The detector: `rule.drain-new-receiver`. What stands before the first dot is its family.
    pub detector: String,
    /// How sure it is, from 0 to 1000.
    pub score: u16,
    /// The account that acted, if one did.
    #[serde(default)]
    pub account: Option<Index>,
    /// The token that it is about, if it is about one.
    #[serde(default)]
    pub token: Option<Token>,
    /// Hash of the operation, if it is about one.
    #[serde(default, with = "hash_option")]
    pub operation: Option<[u8; 32]>,
    /// What the detector saw, as names and values.
    #[serde(default)]
    pub evidence: Vec<(String, String)>,
}

impl Finding {
    /// The findings of a verdict, one for each reason. The guardian's operations name the account that they
    /// freeze and not one that acted, so that theirs have no account.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict, op: &SignedOp, hash: [u8; 32]) -> Vec<Self> {
        let acted = match op.body.action {
            Operation::Transfer { .. }
            | Operation::TransferNew { .. }
            | Operation::Withdraw { .. }
            | Operation::ChangeKey { .. }
            | Operation::Order { .. } => true,
            Operation::Freeze { .. } | Operation::Unfreeze { .. } => false,
        };
        let one = |reason: &Reason| Self {
            detector: reason.detector.clone(),
            score: reason.score,
            account: acted.then_some(op.body.account),
            token: Some(op.body.token),
            operation: Some(hash),
            evidence: reason.evidence.clone(),
        };
        verdict.reasons.iter().map(one).collect()
    }

    /// What stands before the first dot of the detector.
    #[must_use]
    pub fn family(&self) -> &str {
        self.detector.split('.').next().unwrap_or_default()
    }
}

/// Whom a playbook counts findings of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// An account.
    Account(Index),
    /// A token.
    Token(Token),
    /// All together.
    Network,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account {account}"),
            Self::Token(token) => write!(f, "token {token}"),
            Self::Network => f.write_str("the network"),
        }
    }
}

/// A hash as hexadecimal text, or nothing.
pub(super) mod hash_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Hash(#[serde(with = "super::super::held::hash_hex")] [u8; 32]);

    #[allow(clippy::ref_option)] // Serde's signature.
    pub fn serialize<S: Serializer>(hash: &Option<[u8; 32]>, s: S) -> Result<S::Ok, S::Error> {
        hash.map(Hash).serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<[u8; 32]>, D::Error> {
        Ok(Option::<Hash>::deserialize(d)?.map(|hash| hash.0))
    }
}
