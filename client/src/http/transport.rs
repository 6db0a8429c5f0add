//! One request over HTTP. Answers are bounded, redirects are refused, reads are repeated.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderValue, AUTHORIZATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::Serialize;
use tokio::time::{sleep, timeout};

use crate::error::ClientError;
use crate::types::Problem;

const CONNECT: Duration = Duration::from_secs(10);
/// Characters of a foreign text that are shown at most.
const SHOWN: usize = 300;

/// How a node is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How often a read is repeated when the node is busy, fails or hangs up.
    pub retries: u32,
    /// Until the first repetition; each later one waits twice as long.
    pub patience: Duration,
    /// Until an answer has come whole.
    pub timeout: Duration,
    /// Bytes of an answer at most.
    pub most: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retries: 4,
            patience: Duration::from_millis(250),
            timeout: Duration::from_secs(30),
            most: 16 << 20,
        }
    }
}

/// A node over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    options: Options,
    /// Sent with every request; it is marked as secret.
    bearer: Option<HeaderValue>,
}

impl Transport {
    /// The same, with a token in every request.
    pub(crate) fn with_token(self, token: &str) -> Result<Self, ClientError> {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
        let mut value = value.map_err(|_| ClientError::Token)?;
        value.set_sensitive(true);
        Ok(Self { bearer: Some(value), ..self })
    }

    pub(crate) fn new(url: &str, options: Options) -> Result<Self, ClientError> {
        let bad = |why: String| ClientError::Url { url: without_password(url), why };
        let base = Url::parse(url).map_err(|e| bad(e.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(bad("it must begin with http:// or https:// and a host".into()));
        }
        if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
            return Err(bad("leave out everything after the host and port".into()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| bad(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .build()
            .map_err(|e| bad(e.without_url().to_string()))?;
        Ok(Self { http, base, options, bearer: None })
    }

    /// Reads, again and again if that may help.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.repeat(Method::GET, path, None, is_passing).await
    }

    async fn repeat<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        may_help: fn(&ClientError) -> bool,
    ) -> Result<T, ClientError> {
        let mut pause = self.options.patience;
        let mut repeated = 0;
        loop {
            let error = match self.ask(method.clone(), path, body.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if repeated >= self.options.retries || !may_help(&error) {
                return Err(error);
            }
            let asked = match &error {
                ClientError::Refused { retry_after: Some(seconds), .. } => *seconds,
                _ => 0,
            };
            sleep(pause.max(Duration::from_secs(asked.min(60)))).await;
            pause = pause.saturating_mul(2);
            repeated += 1;
        }
    }

    /// Reads once.
    pub(crate) async fn once<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.ask(Method::GET, path, None).await
    }

    /// Sends something, once.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.ask(Method::POST, path, Some(self.written(path, body)?)).await
    }

    /// Sends something that may arrive twice, again and again if that may help.
    pub(crate) async fn post_repeatable<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.repeat(Method::POST, path, Some(self.written(path, body)?), is_lost).await
    }

    fn written(&self, path: &str, body: &impl Serialize) -> Result<Vec<u8>, ClientError> {
        let written = serde_json::to_vec(body);
        written.map_err(|e| self.malformed(&format!("POST {path}"), e.to_string()))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<T, ClientError> {
        let request = format!("{method} {path}");
        let exchange = async {
            let response = self.send(method, path, body).await?;
            let (status, retry_after) = (response.status(), retry_after(&response));
            let bytes = self.body(&request, response).await?;
            Ok::<_, ClientError>((status, retry_after, bytes))
        };
        let late = |_| self.unreachable(&request, "no answer in time");
        let (status, retry_after, bytes) =
            timeout(self.options.timeout, exchange).await.map_err(late)??;
        if !status.is_success() {
            let problem = Box::new(problem(status, &bytes));
            return Err(ClientError::Refused { request, problem, retry_after });
        }
        serde_json::from_slice(&bytes).map_err(|e| self.malformed(&request, e.to_string()))
    }

    /// A response whose body is a stream.
    pub(crate) async fn stream(&self, path: &str) -> Result<Response, ClientError> {
        let request = format!("GET {path}");
        let late = |_| self.unreachable(&request, "no answer in time");
        let sent = timeout(self.options.timeout, self.send(Method::GET, path, None));
        let response = sent.await.map_err(late)??;
        let (status, retry_after) = (response.status(), retry_after(&response));
        if status.is_success() {
            return Ok(response);
        }
        let bytes = self.body(&request, response).await?;
        let problem = Box::new(problem(status, &bytes));
        Err(ClientError::Refused { request, problem, retry_after })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response, ClientError> {
        let request = format!("{method} {path}");
        let url = self.base.join(path).map_err(|e| self.malformed(&request, e.to_string()))?;
        let mut sending = self.http.request(method, url);
        if let Some(bearer) = &self.bearer {
            sending = sending.header(AUTHORIZATION, bearer.clone());
        }
        if let Some(body) = body {
            sending = sending.header("content-type", "application/json").body(body);
        }
        sending.send().await.map_err(|e| self.unreachable(&request, why(e)))
    }

    async fn body(&self, request: &str, mut response: Response) -> Result<Vec<u8>, ClientError> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|e| self.unreachable(request, why(e)))?;
            let Some(chunk) = chunk else { return Ok(body) };
            if body.len() + chunk.len() > self.options.most {
                let most = self.options.most;
                return Err(self.malformed(request, format!("more than {most} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
    }

    pub(crate) fn malformed(&self, request: &str, why: String) -> ClientError {
        ClientError::Malformed { node: self.host(), request: request.into(), why: tame(&why) }
    }

    pub(crate) fn unreachable(&self, request: &str, why: impl ToString) -> ClientError {
        ClientError::Unreachable {
            node: self.host(),
            request: request.into(),
            why: why.to_string(),
        }
    }

    fn host(&self) -> String {
        let port = self.base.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.base.host_str().unwrap_or_default())
    }
}

/// The problem of an answer; made up for one that has none, such as a proxy's.
fn problem(status: StatusCode, body: &[u8]) -> Problem {
    if let Ok(mut problem) = serde_json::from_slice::<Problem>(body) {
        problem.detail = tame(&problem.detail);
        problem.code = tame(&problem.code);
        return problem;
    }
    Problem {
        kind: "about:blank".into(),
        title: status.canonical_reason().unwrap_or("error").into(),
        status: status.as_u16(),
        detail: tame(&String::from_utf8_lossy(body)),
        code: "unknown".into(),
    }
}

/// A foreign text that may be shown on a terminal.
pub(crate) fn tame(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(SHOWN).collect::<String>().trim().to_owned()
}

/// Whether the same request may be answered in a moment.
pub(crate) fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused { problem, .. } => {
            matches!(problem.status, 408 | 429 | 500 | 502 | 503 | 504)
        }
        _ => false,
    }
}

/// Whether something that was sent may not have arrived, or waits only for its turn. A node that accepts
/// nothing says so for long.
fn is_lost(error: &ClientError) -> bool {
    is_passing(error) && !matches!(error.code(), Some("not_accepting" | "stopped"))
}

/// Seconds that the node names.
fn retry_after(response: &Response) -> Option<u64> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

/// What went wrong, without the URL, to the last cause.
pub(crate) fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(source) = cause {
        words.push(source.to_string());
        cause = source.source();
    }
    words.dedup();
    tame(&words.join(": "))
}

fn without_password(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("***"));
            url.to_string()
        }
        _ => tame(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_of_nodes() {
        assert!(Transport::new("http://127.0.0.1:8000", Options::default()).is_ok());
        assert!(Transport::new("https://node.example/", Options::default()).is_ok());
        for url in ["", "node", "ftp://node", "http://node/v1", "http://node/?a=b"] {
            let error = Transport::new(url, Options::default()).unwrap_err();
            assert!(matches!(error, ClientError::Url { .. }), "{url}");
        }
        let error = Transport::new("ftp://me:secret@node", Options::default()).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn what_a_proxy_says_is_a_problem_too() {
        let made = problem(StatusCode::BAD_GATEWAY, b"<html>\x1b[31mbad");
        assert_eq!((made.status, made.code.as_str()), (502, "unknown"));
        assert!(!made.detail.contains('\x1b'));
        let json =
            br#"{"type":"urn:bastion:problem:x","title":"t","status":404,"detail":"d","code":"x"}"#;
        assert_eq!(problem(StatusCode::NOT_FOUND, json).code, "x");
    }
}
