//! What the guardian signs. The circuit bounds it: a freeze ends by itself, has a pause after it, and
//! never closes the way out.

use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, SignedOp};
use bastion_protocol::{Account, Address, Fr, Index, Policy};

use crate::error::NodeError;
use crate::service::config::SentinelConfig;
use crate::service::keys;

/// Seconds for which the guardian's signature is good.
const VALID: u64 = 3_600;

/// The guardian's key.
#[derive(Clone)]
pub struct Guardian {
    key: SecretKey,
    domain: Fr,
}

impl std::fmt::Debug for Guardian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guardian")
    }
}

impl Guardian {
    /// The guardian whose key the configuration names, if it does.
    ///
    /// # Errors
    /// [`NodeError::Key`] if the key cannot be read.
    pub fn open(config: &SentinelConfig, domain: Fr) -> Result<Option<Self>, NodeError> {
        let key = keys::guardian(config)?;
        Ok(key.map(|key| Self { key, domain }))
    }

    /// Whether the policy names this key.
    pub fn is_of(&self, policy: &Policy) -> bool {
        self.key.public().keyhash() == policy.guardian_keyhash
    }

    /// Freezes an account for as long as is asked for and the policy allows, from the time of the batch
    /// on. `exit` is the account's exit address.
    ///
    /// # Errors
    /// [`NodeError::Freeze`] if the policy allows none now.
    pub fn freeze(
        &self,
        (index, account, exit): (Index, &Account, Address),
        seconds: u64,
        policy: &Policy,
        time: u64,
    ) -> Result<SignedOp, NodeError> {
        let none = |why: String| NodeError::Freeze { account: index, why };
        if !self.is_of(policy) {
            return Err(none("the policy in force names another guardian".into()));
        }
        if account.is_frozen(time) {
            return Err(none(format!("it is frozen until {}", account.frozen_until)));
        }
        let from = account.frozen_until.saturating_add(policy.cooldown);
        if account.frozen_until > 0 && time < from {
            return Err(none(format!(
                "it was frozen until {}; the next freeze may begin at {from}",
                account.frozen_until
            )));
        }
        let until = time.saturating_add(seconds.clamp(1, policy.max_freeze));
        let action = Action::Freeze { until, old_until: account.frozen_until };
        self.sign((index, account, exit), action, time)
    }

    /// Ends the freeze of an account.
    ///
    /// # Errors
    /// [`NodeError::Freeze`] if it is not frozen.
    pub fn unfreeze(
        &self,
        (index, account, exit): (Index, &Account, Address),
        time: u64,
    ) -> Result<SignedOp, NodeError> {
        if !account.is_frozen(time) {
            return Err(NodeError::Freeze { account: index, why: "it is not frozen".into() });
        }
        let action = Action::Unfreeze { old_until: account.frozen_until };
        self.sign((index, account, exit), action, time)
    }

    fn sign(
        &self,
        (index, account, exit): (Index, &Account, Address),
        action: Action,
        time: u64,
    ) -> Result<SignedOp, NodeError> {
        let deadline = time.saturating_add(VALID);
        let body =
            Body { account: index, token: account.token, nonce: 0, deadline, fee: 0, action };
        Ok(body.sign(&self.key, self.domain, exit)?)
    }
}
