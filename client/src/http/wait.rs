//! Waiting for an operation to come far enough.

use std::time::Duration;

use tokio::time::{sleep, Instant};

use super::Client;
use crate::error::ClientError;
use crate::types::{Hash, Operation, Progressed};

/// How often the node is asked.
const EVERY: Duration = Duration::from_secs(1);

impl Client {
    /// Waits until an operation has come as far as `status`, at most for a time.
    ///
    /// # Errors
    /// [`ClientError::NotYet`], and those of [`Client::operation`].
    pub async fn wait_until(
        &self,
        hash: Hash,
        status: Progressed,
        most: Duration,
    ) -> Result<Operation, ClientError> {
        let start = Instant::now();
        loop {
            let operation = self.operation(hash).await?;
            if operation.status >= status {
                return Ok(operation);
            }
            if start.elapsed() >= most {
                let status = format!("{:?}", operation.status).to_lowercase();
                let seconds = most.as_secs();
                return Err(ClientError::NotYet { operation: hash, status, seconds });
            }
            sleep(EVERY.min(most.saturating_sub(start.elapsed()))).await;
        }
    }
}
