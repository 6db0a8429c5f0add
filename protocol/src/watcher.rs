//! What a watcher of the sentinel signs (protocol section 15): calls of the registry of rewards, with the key
//! of its L2 account. No proof depends on them.

use serde::{Deserialize, Serialize};

use crate::field::{self, serde_decimal};
use crate::hash::{chain, keccak, TAG_WATCHER};
use crate::keys::{owner, PublicKey, SecretKey, Signature};
use crate::receipt::hash;
use crate::{Address, Fr, Index};

/// What a watcher asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum WatcherCall {
    /// Takes the hash of a report, which stays sealed.
    Commit {
        /// Hash of the report and its salt.
        #[serde(with = "hash")]
        commitment: [u8; 32],
    },
    /// Opens a report.
    Reveal {
        /// Its number.
        report: u64,
        /// The account that it is about.
        subject: Index,
        /// Whether it asks for a freeze, and answers for it.
        asks_freeze: bool,
        /// Hash of the evidence.
        #[serde(with = "hash")]
        evidence: [u8; 32],
        /// What made the commitment unguessable.
        #[serde(with = "hash")]
        salt: [u8; 32],
    },
    /// Announces that a part of the stake is to leave.
    Leave {
        /// How much.
        #[serde(with = "serde_decimal")]
        amount: u128,
    },
    /// Takes what was announced.
    Withdraw,
}

impl WatcherCall {
    /// Its kind (1 byte) and its fields, in order and big-endian.
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Commit { commitment } => [&[1][..], &commitment].concat(),
            Self::Reveal { report, subject, asks_freeze, evidence, salt } => [
                &[2][..],
                &report.to_be_bytes(),
                &subject.to_be_bytes(),
                &[u8::from(asks_freeze)],
                &evidence,
                &salt,
            ]
            .concat(),
            Self::Leave { amount } => [&[3][..], &amount.to_be_bytes()].concat(),
            Self::Withdraw => vec![4],
        }
    }
}

/// A call with its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCall {
    /// The watcher's account.
    pub account: Index,
    /// Number of the call among this watcher's, from 0: each is taken once.
    pub number: u64,
    /// What is asked for.
    pub call: WatcherCall,
    /// The account's exit address. With the key's hash it makes the account's owner.
    pub exit: Address,
    /// The account's key.
    pub key: PublicKey,
    /// Its signature.
    pub signature: Signature,
}

/// Where a call counts: in one registry of one rollup. A registry that begins anew numbers calls from 0 again;
/// what was signed for the one before it must not hold there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registry {
    /// Domain of the rollup.
    pub domain: Fr,
    /// Which of the rollup's registries: see protocol section 15.3.
    pub id: [u8; 32],
}

/// What is signed: `chain(TAG_WATCHER; domain, keccak256(bytes) mod p)`.
fn message(registry: &Registry, account: Index, number: u64, call: WatcherCall) -> Fr {
    let (account, number) = (account.to_be_bytes(), number.to_be_bytes());
    let name = b"bastion.watcher.v2";
    let digest = keccak(&[name, &registry.id, &account, &number, &call.to_bytes()]);
    chain(TAG_WATCHER, &[registry.domain, field::reduce(&digest)])
}

impl SignedCall {
    /// Signs a call for a registry.
    #[must_use]
    pub fn sign(
        (account, exit): (Index, Address),
        number: u64,
        call: WatcherCall,
        key: &SecretKey,
        registry: &Registry,
    ) -> Self {
        let signature = key.sign(message(registry, account, number, call));
        Self { account, number, call, exit, key: key.public(), signature }
    }

    /// Whether the signature is the key's. Whose account it is says [`SignedCall::owner`].
    #[must_use]
    pub fn is_signed(&self, registry: &Registry) -> bool {
        self.key.verify(message(registry, self.account, self.number, self.call), &self.signature)
    }

    /// The owner that the account must have.
    #[must_use]
    pub fn owner(&self) -> Fr {
        owner(self.key.keyhash(), self.exit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> Vec<WatcherCall> {
        let reveal = |report, subject, asks_freeze| WatcherCall::Reveal {
            report,
            subject,
            asks_freeze,
            evidence: [3; 32],
            salt: [4; 32],
        };
        vec![
            WatcherCall::Commit { commitment: [1; 32] },
            WatcherCall::Commit { commitment: [2; 32] },
            reveal(1, 2, true),
            reveal(1, 2, false),
            reveal(1, 3, true),
            reveal(2, 2, true),
            WatcherCall::Leave { amount: 5 },
            WatcherCall::Withdraw,
        ]
    }

    #[test]
    fn every_field_is_signed() {
        let registry = Registry { domain: Fr::from(7_u64), id: [9; 32] };
        let key = SecretKey::from_seed(b"a watcher");
        let at = (131_072, Address([5; 20]));
        let mut seen = Vec::new();
        for call in calls() {
            let signed = SignedCall::sign(at, 3, call, &key, &registry);
            assert!(signed.is_signed(&registry));
            let elsewhere = Registry { domain: Fr::from(8_u64), ..registry };
            assert!(!signed.is_signed(&elsewhere), "another rollup");
            assert!(!signed.is_signed(&Registry { id: [8; 32], ..registry }), "another registry");
            assert!(!SignedCall { number: 4, ..signed }.is_signed(&registry));
            assert!(!SignedCall { account: 1, ..signed }.is_signed(&registry));
            let other = SecretKey::from_seed(b"another").public();
            assert!(!SignedCall { key: other, ..signed }.is_signed(&registry));
            assert_ne!(SignedCall { exit: Address([6; 20]), ..signed }.owner(), signed.owner());
            let text = serde_json::to_string(&signed).unwrap();
            assert_eq!(serde_json::from_str::<SignedCall>(&text).unwrap(), signed);
            let message = message(&registry, at.0, 3, call);
            assert!(!seen.contains(&message), "two calls are one message");
            seen.push(message);
        }
    }
}
