//! Where a node is. URLs of nodes hold passwords and keys: what is shown is scheme, host and port.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::error::L1Error;
use crate::foreign;

/// Shortest part of a path or query that is taken for a secret; `v3` and `mainnet` are none.
const SECRET: usize = 8;

/// Where a node is.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// What is asked, without user and password.
    pub(super) url: Url,
    /// User and password, decoded.
    pub(super) user: Option<(String, Option<String>)>,
    /// Scheme, host and port.
    pub(super) host: Arc<str>,
    secrets: Vec<String>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.host)
    }
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// If it is none, or of another scheme than http and https; the error does not show it.
    pub(super) fn parse(url: &str) -> Result<Self, L1Error> {
        let wrong = |why: &str| L1Error::BadUrl { why: why.into() };
        let url = url.trim();
        let uri: Uri = url.parse().map_err(|_| wrong("is malformed"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("has no scheme or no host"));
        };
        if !matches!(scheme, "http" | "https") {
            return Err(wrong(&format!("has the scheme {scheme}")));
        }
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        let port = place.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        if port.is_some_and(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(wrong("has a port that is no number below 65536"));
        }
        let host = format!("{scheme}://{place}");
        let path = uri.path_and_query().map_or("/", |p| p.as_str());
        let mut secrets = Vec::new();
        // Without a path and a user the URL is what is shown anyway.
        if path.len() > 1 {
            secrets.extend([url.to_string(), path.to_string()]);
        }
        let parts = path.split(['/', '?', '&', '=']);
        secrets.extend(parts.filter(|p| p.len() >= SECRET).map(String::from));
        let user = user.map(|user| {
            let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let (name, password) = match user.split_once(':') {
                Some((name, password)) => (name, Some(password)),
                None => (user, None),
            };
            secrets.extend([user.to_string(), plain(user)]);
            secrets.extend(password.into_iter().flat_map(|p| [p.to_string(), plain(p)]));
            (plain(name), password.map(plain))
        });
        // What is asked may write the same in other letters.
        let url = Url::parse(&format!("{host}{path}")).map_err(|_| wrong("is malformed"))?;
        secrets.extend([url.path().to_string()].into_iter().filter(|path| path.len() > 1));
        secrets.extend(url.query().map(String::from));
        // As they stand in a text that was made fit to be shown.
        let mut secrets: Vec<String> =
            secrets.iter().map(|s| foreign::plain(s).collect()).collect();
        // Longest first, so that no part of one is left behind by another.
        secrets.retain(|s| !s.is_empty());
        secrets.sort_by_key(|s| std::cmp::Reverse(s.len()));
        Ok(Self { url, user, host: host.into(), secrets })
    }

    /// A text of somebody else, fit to be shown: without what is secret in the URL, without control
    /// characters, and short.
    pub(super) fn tame(&self, text: &str) -> String {
        foreign::tame(text, &self.secrets)
    }
}

/// Scheme, host and port of a URL that a node names.
pub(super) fn place(url: &str) -> String {
    Endpoint::parse(url).map_or_else(|_| "another place".into(), |e| e.host.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_of_any_text() {
        let url =
            "https://me:s3cr%40t@node.example:8443/v3/0123456789abcdef?token=fedcba9876543210";
        let endpoint = Endpoint::parse(url).unwrap();
        assert_eq!(&*endpoint.host, "https://node.example:8443");
        assert_eq!(endpoint.user, Some(("me".into(), Some("s3cr@t".into()))));
        assert!(!endpoint.url.to_string().contains("s3cr"));
        let text = format!("{url} s3cr%40t s3cr@t /v3/0123456789abcdef fedcba9876543210 v3");
        let scrubbed = endpoint.tame(&text);
        for secret in ["s3cr", "0123456789abcdef", "fedcba9876543210"] {
            assert!(!scrubbed.contains(secret), "{scrubbed}");
            assert!(!format!("{endpoint:?}").contains(secret));
        }
        assert!(scrubbed.ends_with(" v3"), "{scrubbed}");
    }

    #[test]
    fn what_is_no_url_is_refused_without_being_shown() {
        for url in [
            "",
            "hunter2hunter2",
            "ws://u:hunter2@h",
            "http://",
            "http://u:hunter2@h:port/",
            "/hunter2",
        ] {
            let error = Endpoint::parse(url).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("http://HOST:PORT"), "{error}");
        }
        assert_eq!(place("http://h:1/secret"), "http://h:1");
        assert_eq!(place("nonsense"), "another place");
    }
}
