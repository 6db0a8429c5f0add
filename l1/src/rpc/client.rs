//! alloy's provider, driven from code that is not asynchronous.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use alloy::network::AnyNetwork;
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::{RpcError, RpcRecv, RpcSend};
use alloy::transports::{TransportError, TransportErrorKind};
use tokio::runtime::{Builder, Handle, Runtime};

use super::answer::start;
use super::forms::{Quantity, Small};
use super::retry::Retry;
use super::transport::Http;
use super::Options;
use crate::error::L1Error;

/// A provider for chains with any kinds of transactions: L1s gain new ones.
pub(super) type Node = RootProvider<AnyNetwork>;

/// A connection to a node.
pub(super) struct Client {
    http: Arc<Http>,
    node: Node,
    /// Always there until the drop.
    runtime: Option<Runtime>,
}

impl Drop for Client {
    fn drop(&mut self) {
        // The plain drop may not happen in a task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    pub(super) fn new(url: &str, options: Options, respond: Duration) -> Result<Self, L1Error> {
        let http = Arc::new(Http::new(url, options, respond)?);
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|e| L1Error::Client { why: e.to_string() })?;
        let node = RootProvider::new(RpcClient::new(Retry(http.clone()), true));
        Ok(Self { http, node, runtime: Some(runtime) })
    }

    /// What to ask.
    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    pub(super) fn host(&self) -> &str {
        &self.http.endpoint.host
    }

    pub(super) fn retries(&self) -> u32 {
        self.http.options.retries
    }

    /// The error of an answer that is of the right form, and still wrong.
    pub(super) fn malformed(&self, method: &str, why: String, body: &str) -> L1Error {
        let asked = self.http.asked(method);
        self.http.scrub(L1Error::Malformed { asked, why, body: start(body.as_bytes()) })
    }

    /// Waits for what a method gives.
    pub(super) fn wait<T>(
        &self,
        method: &str,
        future: impl IntoFuture<Output = Result<T, TransportError>>,
    ) -> Result<T, L1Error> {
        let runtime = self.runtime.as_ref().filter(|_| Handle::try_current().is_err());
        let Some(runtime) = runtime else {
            let why = "they wait, which an asynchronous task may not do: use spawn_blocking";
            return Err(L1Error::Client { why: why.into() });
        };
        runtime.block_on(future.into_future()).map_err(|error| self.failed(method, error))
    }

    /// Asks for something by the name of its method.
    pub(super) fn ask<T: RpcRecv>(
        &self,
        method: &'static str,
        params: impl RpcSend,
    ) -> Result<T, L1Error> {
        self.wait(method, self.node.raw_request(method.into(), params))
    }

    /// Asks for a number.
    pub(super) fn quantity(
        &self,
        method: &'static str,
        params: impl RpcSend,
    ) -> Result<Quantity, L1Error> {
        self.ask(method, params)
    }

    /// Asks for a number of 64 bits.
    pub(super) fn small(&self, method: &'static str, params: impl RpcSend) -> Result<u64, L1Error> {
        self.ask(method, params).map(|Small(number)| number)
    }

    fn failed(&self, method: &str, error: TransportError) -> L1Error {
        let (why, body) = match error {
            RpcError::Transport(TransportErrorKind::Custom(error)) => {
                match error.downcast::<L1Error>() {
                    Ok(error) => return *error,
                    Err(error) => return L1Error::Client { why: error.to_string() },
                }
            }
            RpcError::DeserError { err, text } => (err.to_string(), text),
            RpcError::NullResp => ("null".to_string(), "null".to_string()),
            other => return L1Error::Client { why: self.http.endpoint.tame(&other.to_string()) },
        };
        self.malformed(method, why, &body)
    }
}
