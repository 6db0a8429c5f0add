//! The transport that alloy is given: requests that only read are made again after failures that may
//! pass. alloy's `RetryBackoffLayer` would repeat transactions too, and knows neither the statuses of
//! gateways nor a limit to all waiting.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket, SerializedRequest};
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use tower::Service;

use super::transport::Http;
use crate::error::L1Error;

/// First wait before another try; it doubles from try to try.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest wait before another try, whatever the node asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// No try begins later than this after the first one.
const PATIENCE: Duration = Duration::from_secs(120);

/// Requests to a node, with patience.
#[derive(Clone)]
pub(super) struct Retry(pub(super) Arc<Http>);

impl Retry {
    async fn ask(&self, request: &SerializedRequest) -> Result<ResponsePacket, L1Error> {
        let start = Instant::now();
        let mut attempts = 1;
        loop {
            let error = match self.0.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = error.retry_after().unwrap_or_else(|| pause(attempts)).min(LONGEST_WAIT);
            if has_effect(request.method())
                || !error.is_passing()
                || attempts > self.0.options.retries
                || start.elapsed() + wait > PATIENCE
            {
                return Err(error.after(attempts));
            }
            tracing::debug!(attempts, %error, "trying again");
            tokio::time::sleep(wait).await;
            attempts += 1;
        }
    }
}

impl Service<RequestPacket> for Retry {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            match packet {
                RequestPacket::Single(request) => {
                    this.ask(&request).await.map_err(TransportErrorKind::custom)
                }
                // Limits and retries are those of one request.
                RequestPacket::Batch(_) => {
                    Err(TransportErrorKind::custom_str("requests are made one by one"))
                }
            }
        })
    }
}

/// Whether a request changes something each time that it is made.
fn has_effect(method: &str) -> bool {
    method.starts_with("eth_send") || method.starts_with("evm_")
}

/// The wait after a number of tries.
pub(super) fn pause(attempts: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << (attempts - 1).min(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double() {
        let waits: Vec<_> = (1..=4).map(|n| pause(n).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000]);
    }

    #[test]
    fn what_has_an_effect_is_not_repeated() {
        for method in ["eth_sendTransaction", "eth_sendRawTransaction", "evm_mine"] {
            assert!(has_effect(method));
        }
        assert!(!has_effect("eth_call") && !has_effect("anvil_setBalance"));
    }
}
