//! What only the asker knows of an intent: what a revert means, and whether the effect is there.

use std::fmt;

use super::intent::Intent;
use crate::error::L1Error;
use crate::revert::Revert;
use crate::rpc::Failover;

/// What follows from a revert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody else has done it: success.
    AlreadyDone,
    /// It may succeed later, such as after another transaction of the account.
    Wait,
    /// It will never succeed.
    Fatal(String),
}

type OnRevert = dyn Fn(&Intent, &Revert) -> Verdict + Send;
type IsDone = dyn Fn(&mut Failover, &Intent) -> Result<bool, L1Error> + Send;

/// What the asker knows.
pub struct Judge {
    on_revert: Box<OnRevert>,
    is_done: Box<IsDone>,
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}

/// Every revert is for good, and no effect is there.
impl Default for Judge {
    fn default() -> Self {
        Self::new(|_, revert| Verdict::Fatal(revert.to_string()))
    }
}

impl Judge {
    /// Says what reverts mean.
    pub fn new(on_revert: impl Fn(&Intent, &Revert) -> Verdict + Send + 'static) -> Self {
        Self { on_revert: Box::new(on_revert), is_done: Box::new(|_, _| Ok(false)) }
    }

    /// Says also whether the effect of an intent is there. It is asked before an intent is given a nonce,
    /// be it the first or another.
    #[must_use]
    pub fn with_check(
        self,
        is_done: impl Fn(&mut Failover, &Intent) -> Result<bool, L1Error> + Send + 'static,
    ) -> Self {
        Self { is_done: Box::new(is_done), ..self }
    }

    pub(super) fn on_revert(&self, intent: &Intent, revert: &Revert) -> Verdict {
        (self.on_revert)(intent, revert)
    }

    pub(super) fn is_done(&self, l1: &mut Failover, intent: &Intent) -> Result<bool, L1Error> {
        (self.is_done)(l1, intent)
    }
}
