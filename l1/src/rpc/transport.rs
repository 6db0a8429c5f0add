//! One request over HTTP, and what its answer is. alloy makes the requests and reads the results; what
//! its own transport lacks is here: a limit to the length of an answer, no redirects, a check of the
//! answer's number, and errors that tell no secret.

use std::error::Error as _;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alloy::rpc::json_rpc::{ResponsePacket, SerializedRequest};
use http::header::{HeaderMap, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::StatusCode;
use reqwest::{RequestBuilder, Url};
use tokio::time::timeout;

use super::answer;
use super::endpoint::{place, Endpoint};
use super::Options;
use crate::asked::Asked;
use crate::error::L1Error;

const CONNECT: Duration = Duration::from_secs(10);
/// Until the first byte of an answer, unless the caller says otherwise.
pub(super) const RESPOND: Duration = Duration::from_secs(60);
/// Until the last one.
const RECEIVE: Duration = Duration::from_secs(600);
/// A connection that is idle for longer is likely cut by the other side.
const IDLE: Duration = Duration::from_secs(15);
/// Bytes of an answer at most to a method whose answers are short.
const SHORT: u64 = 32 << 20;

/// A node.
pub(super) struct Http {
    pub(super) endpoint: Endpoint,
    pub(super) options: Options,
    /// Until the first byte of an answer.
    respond: Duration,
    client: reqwest::Client,
    /// Whether the node ever answered: only then is a refused connection a passing one.
    answered: AtomicBool,
}

impl Http {
    pub(super) fn new(url: &str, options: Options, respond: Duration) -> Result<Self, L1Error> {
        let endpoint = Endpoint::parse(url)?;
        let failed = |why: String| L1Error::Client { why };
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| failed(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|e| failed(e.without_url().to_string()))?;
        Ok(Self { endpoint, options, respond, client, answered: AtomicBool::new(false) })
    }

    pub(super) fn asked(&self, method: &str) -> Asked {
        Asked::once(method.to_owned(), self.endpoint.host.clone())
    }

    /// Asks once.
    pub(super) async fn attempt(
        &self,
        request: &SerializedRequest,
    ) -> Result<ResponsePacket, L1Error> {
        let asked = self.asked(request.method());
        let answer = self.exchange(&asked, request).await;
        answer.map_err(|error| self.scrub(error))
    }

    async fn exchange(
        &self,
        asked: &Asked,
        request: &SerializedRequest,
    ) -> Result<ResponsePacket, L1Error> {
        let post = self
            .client
            .post(self.endpoint.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(request.serialized().get().to_owned());
        let (status, headers, body) = self.receive(asked, post).await?;
        if status.is_success() {
            return answer::read(asked, request.id(), &body);
        }
        // Some nodes answer a refusal with a status of its own. What asks for patience keeps it.
        let refusal = answer::refusal(asked, &body).filter(|_| status != 429);
        Err(refusal.unwrap_or_else(|| refused(asked, status, &headers, &body)))
    }

    /// Gets what is at a URL, once; `None` if nothing is there (404).
    pub(super) async fn get(&self, asked: &Asked, url: Url) -> Result<Option<Vec<u8>>, L1Error> {
        let received = self.receive(asked, self.client.get(url)).await;
        let (status, headers, body) = received.map_err(|error| self.scrub(error))?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            _ if status.is_success() => Ok(Some(body)),
            _ => Err(self.scrub(refused(asked, status, &headers, &body))),
        }
    }

    /// Sends a request, and waits for all of the answer.
    async fn receive(
        &self,
        asked: &Asked,
        mut request: RequestBuilder,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), L1Error> {
        if let Some((user, password)) = &self.endpoint.user {
            request = request.basic_auth(user, password.as_ref());
        }
        let response = timeout(self.respond, request.send()).await.map_err(|_| late(asked))?;
        let response = response.map_err(|e| self.transport(asked, e))?;
        self.answered.store(true, Ordering::Relaxed);
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_redirection() {
            let to = headers.get(LOCATION).and_then(|v| v.to_str().ok());
            let to = to.map_or_else(|| "nowhere".into(), place);
            return Err(L1Error::Redirect { asked: asked.clone(), status: status.as_u16(), to });
        }
        let body =
            timeout(RECEIVE, self.body(asked, response)).await.map_err(|_| late(asked))??;
        Ok((status, headers, body))
    }

    /// The body, up to the limit.
    async fn body(
        &self,
        asked: &Asked,
        mut response: reqwest::Response,
    ) -> Result<Vec<u8>, L1Error> {
        let most = self.options.max_answer;
        let limit = if asked.may_be_long() { most } else { most.min(SHORT) };
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|e| self.transport(asked, e))?;
            let Some(chunk) = chunk else { return Ok(body) };
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(L1Error::TooLong { asked: asked.clone(), limit });
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// What the node says may repeat the key that it was asked with, and may be meant for a terminal.
    pub(super) fn scrub(&self, mut error: L1Error) -> L1Error {
        let tame = |text: &mut String| *text = self.endpoint.tame(text);
        match &mut error {
            L1Error::Transport { why, .. } => tame(why),
            L1Error::Status { body, .. } => tame(body),
            L1Error::Redirect { to, .. } => tame(to),
            L1Error::Refused { message, .. } => tame(message),
            L1Error::Reverted { revert, .. } => tame(&mut revert.reason),
            L1Error::Malformed { why, body, .. } => {
                tame(why);
                tame(body);
            }
            _ => {}
        }
        error
    }

    fn transport(&self, asked: &Asked, error: reqwest::Error) -> L1Error {
        let answered = self.answered.load(Ordering::Relaxed);
        let error = error.without_url();
        if error.is_timeout() {
            return late(asked);
        }
        let mut passing = if error.is_connect() { answered } else { !error.is_builder() };
        let mut why = Vec::new();
        let mut hint = "";
        let mut cause = error.source();
        while let Some(source) = cause {
            if let Some(io) = source.downcast_ref::<std::io::Error>() {
                match io.kind() {
                    ErrorKind::ConnectionRefused => {
                        passing = answered;
                        hint = match asked.is_get() {
                            true => ": does anything run there?",
                            false => ": does a node run there? (--l1, or l1.urls)",
                        };
                    }
                    ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof
                    | ErrorKind::TimedOut
                    | ErrorKind::Interrupted => passing = true,
                    _ => {}
                }
                let inner = io.get_ref();
                if inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
                    passing = false;
                    hint = " (only certificates of public authorities are known)";
                }
            }
            let text = source.to_string();
            if why.last() != Some(&text) {
                why.push(text);
            }
            cause = source.source();
        }
        if why.is_empty() {
            why.push(error.to_string());
        }
        let why = format!("{}{hint}", why.join(": "));
        L1Error::Transport { asked: asked.clone(), why, passing }
    }
}

/// The error of an answer with a status that is none of success.
fn refused(asked: &Asked, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> L1Error {
    L1Error::Status {
        asked: asked.clone(),
        status: status.as_u16(),
        body: answer::start(body),
        retry_after: retry_after(headers),
    }
}

fn late(asked: &Asked) -> L1Error {
    L1Error::Transport { asked: asked.clone(), why: "no answer in time".into(), passing: true }
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
    fn a_node_may_name_the_time_to_wait() {
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
