//! The operator's requests to his node, on its admin address.

use bastion_protocol::Index;
use reqwest::Url;
use serde_json::json;

use super::transport::{Options, Transport};
use crate::error::ClientError;
use crate::receipt::SignedReceipt;
use crate::types::rewards::{ConfirmRequest, FundRequest, WatcherAnswer};
use crate::types::sentinel::{PublishRequest, RollBackRequest};
use crate::types::{Amount, FreezeRequest, Hash, Health, Intents, Job, Quarantine, SentinelStatus};

/// An operator's client.
#[derive(Debug, Clone)]
pub struct Admin {
    transport: Transport,
}

impl Admin {
    /// A client of the admin address at `url`, such as `http://127.0.0.1:4001`, with the node's token.
    ///
    /// # Errors
    /// [`ClientError::Url`] or [`ClientError::Token`].
    pub fn new(url: &str, token: &str) -> Result<Self, ClientError> {
        Ok(Self { transport: Transport::new(url, Options::default())?.with_token(token)? })
    }

    /// Accepts nothing until [`Admin::resume`].
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn pause(&self) -> Result<(), ClientError> {
        self.post("pause").await
    }

    /// Accepts again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn resume(&self) -> Result<(), ClientError> {
        self.post("resume").await
    }

    /// Accepts nothing any more; the node ends when everything is final.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn drain(&self) -> Result<(), ClientError> {
        self.post("drain").await
    }

    /// The operations that the sentinel holds back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn quarantine(&self) -> Result<Quarantine, ClientError> {
        self.transport.get(&path(&["quarantine"])).await
    }

    /// Lets an operation go that is held back: it is executed at once, if it can be.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn release(&self, operation: Hash) -> Result<(), ClientError> {
        self.post_to(&path(&["quarantine", &operation.to_string(), "release"])).await
    }

    /// Forgets an operation that is held back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn drop_held(&self, operation: Hash) -> Result<(), ClientError> {
        self.post_to(&path(&["quarantine", &operation.to_string(), "drop"])).await
    }

    /// Freezes an account, by the guardian's key of the node.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn freeze(&self, account: Index, seconds: u64) -> Result<SignedReceipt, ClientError> {
        self.freeze_for(account, seconds, None).await
    }

    /// As [`Admin::freeze`], because of a watcher's report, which answers for it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn freeze_for(
        &self,
        account: Index,
        seconds: u64,
        report: Option<u64>,
    ) -> Result<SignedReceipt, ClientError> {
        let path = path(&["accounts", &account.to_string(), "freeze"]);
        self.transport.post(&path, &FreezeRequest { seconds, report }).await
    }

    /// Puts money that came into the rewards account into the pool.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn fund_rewards(&self, amount: Amount) -> Result<WatcherAnswer, ClientError> {
        let path = path(&["sentinel", "rewards", "fund"]);
        self.transport.post(&path, &FundRequest { amount }).await
    }

    /// Confirms that an account attacked, and what that brought in.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn confirm_event(
        &self,
        subject: Index,
        amount: Amount,
    ) -> Result<WatcherAnswer, ClientError> {
        let path = path(&["sentinel", "rewards", "confirm"]);
        self.transport.post(&path, &ConfirmRequest { subject, amount }).await
    }

    /// Ends the freeze of an account.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unfreeze(&self, account: Index) -> Result<SignedReceipt, ClientError> {
        let path = path(&["accounts", &account.to_string(), "unfreeze"]);
        self.transport.post(&path, &json!({})).await
    }

    /// Reads the rules of the sentinel anew, and tells their version.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn reload_rules(&self) -> Result<SentinelStatus, ClientError> {
        self.transport.post(&path(&["sentinel", "reload"]), &json!({})).await
    }

    /// Tells other chains of an address.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn publish(&self, request: &PublishRequest) -> Result<(), ClientError> {
        self.transport.post(&path(&["sentinel", "publish"]), request).await.map(|_: Health| ())
    }

    /// Goes back to the rules before the newest ones for a while.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn roll_back_rules(
        &self,
        seconds: u64,
        reason: &str,
    ) -> Result<SentinelStatus, ClientError> {
        let request = RollBackRequest { seconds, reason: reason.into() };
        self.transport.post(&path(&["sentinel", "roll-back"]), &request).await
    }

    /// Closes the open block before its time is up.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn close_block(&self) -> Result<(), ClientError> {
        self.post("close-block").await
    }

    /// A job, with the causes of its failures.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn job(&self, key: &str) -> Result<Job, ClientError> {
        self.transport.get(&path(&["jobs", key])).await
    }

    /// Grants a job new attempts.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn retry_job(&self, key: &str) -> Result<(), ClientError> {
        self.post_to(&path(&["jobs", key, "retry"])).await
    }

    /// Takes a job back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel_job(&self, key: &str) -> Result<(), ClientError> {
        self.post_to(&path(&["jobs", key, "cancel"])).await
    }

    /// The transactions that the node wants on L1, with all attempts.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn intents(&self) -> Result<Intents, ClientError> {
        self.transport.get(&path(&["l1", "intents"])).await
    }

    /// Pays more for a transaction, or begins one anew that has failed.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn resend(&self, intent: &str) -> Result<(), ClientError> {
        self.post_to(&path(&["l1", "intents", intent, "resend"])).await
    }

    /// Takes a transaction back that is not mined yet.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel(&self, intent: &str) -> Result<(), ClientError> {
        self.post_to(&path(&["l1", "intents", intent, "cancel"])).await
    }

    async fn post(&self, what: &str) -> Result<(), ClientError> {
        self.post_to(&path(&[what])).await
    }

    async fn post_to(&self, path: &str) -> Result<(), ClientError> {
        let _: Health = self.transport.post(path, &json!({})).await?;
        Ok(())
    }
}

/// A path of segments, each of which may hold anything.
fn path(segments: &[&str]) -> String {
    let base = Url::parse("http://node/admin/v1/");
    let mut url = match base {
        Ok(url) => url,
        // It is a constant.
        Err(_) => return String::new(),
    };
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url.path().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_blanks_are_one_segment() {
        assert_eq!(
            path(&["l1", "intents", "commit 7 again 1", "resend"]),
            "/admin/v1/l1/intents/commit%207%20again%201/resend"
        );
        assert_eq!(path(&["jobs", "../x", "retry"]), "/admin/v1/jobs/..%2Fx/retry");
    }

    #[test]
    fn the_token_is_not_shown() {
        let admin = Admin::new("http://127.0.0.1:1", "hunter2").unwrap();
        assert!(!format!("{admin:?}").contains("hunter2"));
        assert!(matches!(Admin::new("http://127.0.0.1:1", "a\nb"), Err(ClientError::Token)));
    }
}
