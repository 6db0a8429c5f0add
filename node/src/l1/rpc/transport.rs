//! Requests over HTTP: retried where that is safe, with answers that are checked before they are
//! believed.

use std::cell::Cell;
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{json, Value};
use ureq::http::header::{HeaderMap, AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};

use super::answer;
use super::endpoint::{place, Endpoint};
use super::failure::{Failure, RpcError};
use crate::error::NodeError;

/// First wait before another try; it doubles from try to try.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest wait before another try, whatever the node asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// No try begins later than this after the first one.
const PATIENCE: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(10);
/// Until the first byte of an answer.
const RESPOND: Duration = Duration::from_secs(60);
/// Until the last one.
const RECEIVE: Duration = Duration::from_secs(600);

/// How a node is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How often a request that only reads is repeated after a failure that may pass.
    pub retries: u32,
    /// Bytes of an answer at most.
    pub max_answer: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { retries: 5, max_answer: 1 << 30 }
    }
}

/// A connection to a node.
pub(super) struct Client {
    endpoint: Endpoint,
    agent: ureq::Agent,
    options: Options,
    last_id: Cell<u64>,
    /// Whether the node ever answered: only then is a refused connection a passing one.
    answered: Cell<bool>,
}

impl Client {
    pub(super) fn new(url: &str, options: Options) -> Result<Self, NodeError> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(RESPOND))
            .timeout_recv_body(Some(RECEIVE))
            .build()
            .into();
        Ok(Self {
            endpoint: Endpoint::parse(url)?,
            agent,
            options,
            last_id: Cell::new(0),
            answered: Cell::new(false),
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.endpoint.host
    }

    pub(super) fn retries(&self) -> u32 {
        self.options.retries
    }

    /// Asks something that changes nothing, again and again if need be.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let start = Instant::now();
        let mut attempts = 1;
        loop {
            let failure = match self.attempt(method, &params) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let wait = failure.retry_after().unwrap_or_else(|| pause(attempts)).min(LONGEST_WAIT);
            if !failure.is_passing()
                || attempts > self.options.retries
                || start.elapsed() + wait > PATIENCE
            {
                return Err(self.error(method, attempts, failure));
            }
            tracing::debug!(method, host = self.host(), attempts, %failure, "trying again");
            std::thread::sleep(wait);
            attempts += 1;
        }
    }

    /// Asks once: for requests that have an effect.
    pub(super) fn once<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcError> {
        let answer = self.attempt(method, &params);
        answer.map_err(|failure| self.error(method, 1, failure))
    }

    pub(super) fn error(&self, method: &'static str, attempts: u32, failure: Failure) -> RpcError {
        RpcError { method, host: self.host().into(), attempts, failure }
    }

    fn attempt<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &Value,
    ) -> Result<T, Failure> {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut post =
            self.agent.post(self.endpoint.uri.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.endpoint.authorization {
            post = post.header(AUTHORIZATION, authorization);
        }
        let response = post.send(request.to_string()).map_err(|e| self.transport(&e))?;
        self.answered.set(true);
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        if head.status.is_redirection() {
            let to = head.headers.get(LOCATION).and_then(|v| v.to_str().ok());
            let to = to.map_or_else(|| "nowhere".into(), place);
            return Err(Failure::Redirect { status, to });
        }
        let limit = self.options.max_answer;
        let mut bytes = Vec::new();
        body.into_with_config()
            .limit(u64::MAX)
            .reader()
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|e| self.io(&e))?;
        if bytes.len() as u64 > limit {
            return Err(Failure::TooLong { limit });
        }
        let result = if head.status.is_success() {
            answer::read(&bytes, id)
        } else {
            // Some nodes answer a refusal with a status of its own. What asks for patience keeps it.
            let refusal = answer::refusal(&bytes).filter(|_| status != 429);
            Err(refusal.unwrap_or_else(|| Failure::Status {
                status,
                body: answer::start(&bytes),
                retry_after: retry_after(&head.headers),
            }))
        };
        result.map_err(|failure| self.scrub(failure))
    }

    /// What the node says may repeat the key that it was asked with.
    fn scrub(&self, failure: Failure) -> Failure {
        let scrub = |text: String| self.endpoint.scrub(&text);
        match failure {
            Failure::Status { status, body, retry_after } => {
                Failure::Status { status, body: scrub(body), retry_after }
            }
            Failure::Refused { code, message } => {
                Failure::Refused { code, message: scrub(message) }
            }
            Failure::Malformed { why, body } => {
                Failure::Malformed { why: scrub(why), body: scrub(body) }
            }
            Failure::Transport { why, passing } => Failure::Transport { why: scrub(why), passing },
            other @ (Failure::Redirect { .. }
            | Failure::Reverted { .. }
            | Failure::TooLong { .. }) => other,
        }
    }

    fn transport(&self, error: &ureq::Error) -> Failure {
        let passing = match error {
            ureq::Error::Io(e) => return self.io(e),
            ureq::Error::Timeout(_) => true,
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => self.answered.get(),
            _ => false,
        };
        let why = match error {
            ureq::Error::Timeout(_) => "no answer in time".into(),
            ureq::Error::HostNotFound => "there is no such host".into(),
            ureq::Error::Rustls(e) => format!(
                "no secure connection: {e} (only certificates of public authorities are known)"
            ),
            error => self.endpoint.scrub(&error.to_string()),
        };
        Failure::Transport { why, passing }
    }

    fn io(&self, error: &std::io::Error) -> Failure {
        let passing = match error.kind() {
            ErrorKind::ConnectionRefused => self.answered.get(),
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
            | ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::Interrupted => true,
            _ => matches!(
                error.get_ref().and_then(|e| e.downcast_ref::<ureq::Error>()),
                Some(ureq::Error::Timeout(_))
            ),
        };
        Failure::Transport { why: self.endpoint.scrub(&error.to_string()), passing }
    }
}

/// The wait after a number of tries.
pub(super) fn pause(attempts: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << (attempts - 1).min(8))
}

/// Seconds that the node names. A date, the other form, counts as nothing: clocks differ.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_a_node_may_name_its_own() {
        let waits: Vec<_> = (1..=4).map(|n| pause(n).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000]);
        let named = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(named("7"), Some(Duration::from_secs(7)));
        assert_eq!(named("Sun, 06 Nov 1994 08:49:37 GMT"), None);
        assert_eq!(named("soon"), None);
    }
}
