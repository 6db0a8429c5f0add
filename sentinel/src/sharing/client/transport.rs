//! One request.

use std::sync::Arc;
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use reqwest::header::{HeaderValue, ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, Response, Url};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::sharing::error::{tame, SharingError};
use crate::sharing::server::media::is_taxii;
use crate::sharing::taxii::{ErrorMessage, MEDIA_TYPE};

const CONNECT: Duration = Duration::from_secs(10);

/// How a peer is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// Until an answer has come whole.
    pub timeout: Duration,
    /// Bytes of an answer at most.
    pub most: usize,
    /// Whether the token may go over plain HTTP to another machine. It can be read on the way then.
    pub plain: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), most: 16 << 20, plain: false }
    }
}

/// A root of a server of TAXII 2.1.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    pub(super) root: Url,
    options: ClientOptions,
    /// It is marked as secret.
    login: HeaderValue,
}

impl Client {
    /// A client for a root, such as `https://chain.example/intel/`, and the name and token to log in with.
    ///
    /// # Errors
    /// [`SharingError::Setting`] for what is no such address, or a name or token that cannot be sent.
    pub fn new(
        url: &str,
        name: &str,
        token: &str,
        options: ClientOptions,
    ) -> Result<Self, SharingError> {
        let bad = |why: &dyn std::fmt::Display| SharingError::setting("address of a peer", why);
        let root = Url::parse(url).map_err(|e| bad(&e))?;
        if !root.username().is_empty() || root.password().is_some() || root.query().is_some() {
            return Err(bad(&"it must have no name, password or query in it"));
        }
        if !root.path().ends_with('/') || root.fragment().is_some() {
            return Err(bad(&format!("{root} must end with a slash")));
        }
        let is_here = match root.host_str() {
            Some("localhost" | "127.0.0.1" | "[::1]") => true,
            Some(_) => false,
            None => return Err(bad(&format!("{root} has no host"))),
        };
        match root.scheme() {
            "https" => {}
            "http" if is_here || options.plain => {}
            "http" => {
                return Err(bad(&format!("{root} would send the token in the open: use https")))
            }
            _ => return Err(bad(&format!("{root} must begin with https"))),
        }
        if name.contains(':') {
            return Err(SharingError::setting("name of a peer", "it has a colon"));
        }
        let pair = Zeroizing::new(format!("{name}:{token}"));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut login = HeaderValue::from_str(&basic).map_err(|e| bad(&e))?;
        login.set_sensitive(true);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| bad(&e))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .build()
            .map_err(|e| bad(&e.without_url()))?;
        Ok(Self { http, root, options, login })
    }

    /// An address below the root.
    pub(super) fn at(&self, parts: &[&str]) -> Result<Url, SharingError> {
        let mut url = self.root.clone();
        let mut path = url
            .path_segments_mut()
            .map_err(|()| SharingError::setting("address of a peer", "nothing can lie below it"))?;
        path.pop_if_empty().extend(parts).push("");
        drop(path);
        Ok(url)
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, SharingError> {
        let (bytes, _) = self.ask(Method::GET, url.clone(), None).await?;
        self.parsed(&url, &bytes)
    }

    pub(super) fn parsed<T: DeserializeOwned>(
        &self,
        url: &Url,
        bytes: &[u8],
    ) -> Result<T, SharingError> {
        serde_json::from_slice(bytes).map_err(|e| self.strange(url, &e))
    }

    /// The body of an answer, and the header of one name.
    pub(super) async fn ask(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
    ) -> Result<(Vec<u8>, reqwest::header::HeaderMap), SharingError> {
        let exchange = async {
            let mut response = self.send(method, &url, body, MEDIA_TYPE).await?;
            let headers = std::mem::take(response.headers_mut());
            let bytes = self.body(&url, response).await?;
            Ok::<_, SharingError>((bytes, headers))
        };
        let late = |_| self.unreachable(&url, &"no answer in time");
        let (bytes, headers) = timeout(self.options.timeout, exchange).await.map_err(late)??;
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !bytes.is_empty() && !kind.is_some_and(|kind| is_taxii(kind, false)) {
            let kind = kind.unwrap_or("nothing");
            return Err(self.strange(&url, &format!("its Content-Type is {kind}")));
        }
        Ok((bytes, headers))
    }

    /// A response whose body is a stream.
    pub(super) async fn open(&self, url: &Url) -> Result<Response, SharingError> {
        let sent =
            timeout(self.options.timeout, self.send(Method::GET, url, None, "text/event-stream"));
        let late = |_| self.unreachable(url, &"no answer in time");
        let response = sent.await.map_err(late)??;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Err(self.strange(url, &"it is no stream of events"));
        }
        Ok(response)
    }

    /// Sends, and judges the status of the answer.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        body: Option<Vec<u8>>,
        accept: &str,
    ) -> Result<Response, SharingError> {
        let request = self.http.request(method, url.clone());
        let mut request = request.header(ACCEPT, accept).header(AUTHORIZATION, self.login.clone());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, MEDIA_TYPE).body(body);
        }
        let unreachable = |e: reqwest::Error| self.unreachable(url, &chain(e));
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = self.body(url, response).await.unwrap_or_default();
        let detail = match serde_json::from_slice::<ErrorMessage>(&bytes) {
            Ok(message) => message.description.unwrap_or(message.title),
            Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
        };
        let (peer, request) = (self.peer(), url.path().to_owned());
        Err(SharingError::Refused { peer, request, status: status.as_u16(), detail: tame(&detail) })
    }

    async fn body(&self, url: &Url, mut response: Response) -> Result<Vec<u8>, SharingError> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|e| self.unreachable(url, &chain(e)))?;
            let Some(chunk) = chunk else { return Ok(body) };
            if body.len() + chunk.len() > self.options.most {
                let why = format!("it has more than {} bytes", self.options.most);
                return Err(self.strange(url, &why));
            }
            body.extend_from_slice(&chunk);
        }
    }

    pub(super) fn strange(&self, url: &Url, why: &dyn std::fmt::Display) -> SharingError {
        let (peer, request) = (self.peer(), url.path().to_owned());
        SharingError::Answer { peer, request, why: tame(&why.to_string()) }
    }

    pub(super) fn unreachable(&self, url: &Url, why: &dyn std::fmt::Display) -> SharingError {
        let (peer, request) = (self.peer(), url.path().to_owned());
        SharingError::Unreachable { peer, request, why: tame(&why.to_string()) }
    }

    /// The host that is asked.
    pub fn peer(&self) -> String {
        let port = self.root.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.root.host_str().unwrap_or_default())
    }
}

/// An error with its causes.
fn chain(error: reqwest::Error) -> String {
    use std::error::Error as _;
    let error = error.without_url();
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        let new = |url: &str, plain| {
            Client::new(url, "a", "token", ClientOptions { plain, ..ClientOptions::default() })
        };
        for good in
            ["https://chain.example/intel/", "http://127.0.0.1:8000/intel/", "http://[::1]:1/x/"]
        {
            assert!(new(good, false).is_ok(), "{good}");
        }
        assert!(new("http://chain.example/intel/", true).is_ok());
        for bad in [
            "http://chain.example/intel/",
            "http://localhost.example/intel/",
            "ftp://127.0.0.1/intel/",
            "https://chain.example/intel",
            "https://me:secret@chain.example/intel/",
            "https://chain.example/intel/?a=b",
            "chain.example",
        ] {
            let error = new(bad, false).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(Client::new("https://a/", "a:b", "t", ClientOptions::default()).is_err());
        let client = new("https://chain.example/intel/", false).unwrap();
        assert!(!format!("{client:?}").contains("YTp0b2tlbg"));
        let url = client.at(&["collections", "../x?y"]).unwrap();
        assert_eq!(url.path(), "/intel/collections/..%2Fx%3Fy/");
    }
}
