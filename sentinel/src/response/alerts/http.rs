//! One request over HTTP. Redirects are not followed, and of an answer nothing but its head is read: its body
//! could be without end, or echo a secret.

use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Url};

use super::channel::Failure;
use super::Patience;

/// A client with Mozilla's roots.
pub(super) fn client(patience: &Patience) -> Result<Client, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(patience.timeout)
        .build()
        .map_err(|e| e.without_url().to_string())
}

/// Posts JSON.
pub(super) async fn post(
    client: &Client,
    url: &Url,
    body: Vec<u8>,
    headers: &[(&'static str, String)],
) -> Result<(), Failure> {
    let mut request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let response = request.send().await.map_err(|e| {
        let again = !e.is_builder();
        // The address may be a secret.
        Failure { why: chain(&e.without_url()), again, after: None }
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let seconds = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
    Err(Failure {
        why: format!("the server answers {status}"),
        again: status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429),
        after: seconds.map(std::time::Duration::from_secs),
    })
}

/// An error and what caused it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}
