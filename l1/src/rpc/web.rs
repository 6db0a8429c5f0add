//! What others than nodes of L1 answer to GET, such as beacon nodes: with the limits, the patience and the
//! discretion of requests to L1.

use std::time::Duration;

use reqwest::Url;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Handle, Runtime};

use super::answer::start;
use super::retry::pause;
use super::transport::{Http, RESPOND};
use super::Options;
use crate::asked::{Asked, GET};
use crate::error::L1Error;

/// Longest wait before another try, whatever the other side asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Tries after the first one.
const RETRIES: u32 = 3;

/// A place that is asked by GET. Its calls wait, and must not be made in an asynchronous task.
pub struct Web {
    http: Http,
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Web({})", self.host())
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // The plain drop may not happen in a task.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Web {
    /// A place below a URL, which is not asked yet.
    ///
    /// # Errors
    /// [`L1Error::BadUrl`] if the URL is none.
    pub fn new(url: &str) -> Result<Self, L1Error> {
        let http = Http::new(url, Options::default(), RESPOND)?;
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|e| L1Error::Client { why: e.to_string() })?;
        Ok(Self { http, runtime: Some(runtime) })
    }

    /// Scheme, host and port: what of the URL may be shown.
    pub fn host(&self) -> &str {
        &self.http.endpoint.host
    }

    /// What is at a path below the URL, at most 32 MiB; `None` if nothing is there.
    ///
    /// # Errors
    /// If no answer comes, or one that tells of a failure.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Vec<u8>>, L1Error> {
        let runtime = self.runtime.as_ref().filter(|_| Handle::try_current().is_err());
        let Some(runtime) = runtime else {
            let why = "they wait, which an asynchronous task may not do: use spawn_blocking";
            return Err(L1Error::Client { why: why.into() });
        };
        let (url, asked) = (self.url(path, query), self.asked(path));
        runtime.block_on(async {
            let mut attempts = 1;
            loop {
                let error = match self.http.get(&asked, url.clone()).await {
                    Ok(body) => return Ok(body),
                    Err(error) => error,
                };
                if !error.is_passing() || attempts > RETRIES {
                    return Err(error.after(attempts));
                }
                let wait = error.retry_after().unwrap_or_else(|| pause(attempts));
                tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                attempts += 1;
            }
        })
    }

    /// The JSON at a path.
    ///
    /// # Errors
    /// As [`Self::get`], and [`L1Error::Malformed`] for what is no JSON of this form.
    pub fn json<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<T>, L1Error> {
        let Some(body) = self.get(path, query)? else { return Ok(None) };
        let malformed = |e: serde_json::Error| {
            let (asked, body) = (self.asked(path), start(&body));
            self.http.scrub(L1Error::Malformed { asked, why: e.to_string(), body })
        };
        serde_json::from_slice(&body).map(Some).map_err(malformed)
    }

    fn asked(&self, path: &str) -> Asked {
        self.http.asked(&format!("{GET}{path}"))
    }

    /// The path below that of the URL, which may hold a key, with its query kept.
    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.http.endpoint.url.clone();
        let below = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&below);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stand_below_the_url() {
        for (url, expected) in [
            ("http://h:1", "http://h:1/eth/v1/x?a=0x1"),
            ("http://h:1/", "http://h:1/eth/v1/x?a=0x1"),
            ("https://h/key123/", "https://h/key123/eth/v1/x?a=0x1"),
            ("https://h?token=t", "https://h/eth/v1/x?token=t&a=0x1"),
        ] {
            let web = Web::new(url).unwrap();
            assert_eq!(web.url("/eth/v1/x", &[("a", "0x1")]).as_str(), expected);
        }
        assert!(Web::new("ftp://h").is_err());
    }
}
