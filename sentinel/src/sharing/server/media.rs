//! Media types.

use axum::body::Body;
use axum::http::{header, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::fault::Fault;
use crate::sharing::taxii::MEDIA_TYPE;

const STREAM: &str = "text/event-stream";

/// A resource as an answer.
pub(super) fn taxii(status: StatusCode, resource: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_vec(resource) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, Body::from(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// Checks that the answer can be read where it goes to.
pub(super) fn check_accept(headers: &HeaderMap, is_stream: bool) -> Result<(), Fault> {
    let expected = if is_stream { STREAM } else { MEDIA_TYPE };
    let mut said = headers.get_all(header::ACCEPT).iter().peekable();
    // Whoever says nothing takes anything (RFC 9110, section 12.5.1).
    if said.peek().is_none() {
        return Ok(());
    }
    let is_fine = said.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut is_fine =
        is_fine.map(|range| if is_stream { allows(range, STREAM) } else { is_taxii(range, true) });
    if is_fine.any(|fine| fine) {
        Ok(())
    } else {
        Err(Fault::not_acceptable(expected))
    }
}

/// Checks that a body is of TAXII.
pub(super) fn check_content(headers: &HeaderMap) -> Result<(), Fault> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match value {
        Some(value) if is_taxii(value, false) => Ok(()),
        Some(_) | None => Err(Fault::unsupported(MEDIA_TYPE)),
    }
}

/// The type and the parameters, in small letters.
fn parts(text: &str) -> (String, Vec<(String, String)>) {
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let parameters = parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((&part, ""));
        (name.trim().to_owned(), value.trim().trim_matches('"').to_owned())
    });
    (kind, parameters.collect())
}

fn is_wanted(parameters: &[(String, String)]) -> bool {
    let quality = parameters.iter().find(|(name, _)| name == "q");
    quality.is_none_or(|(_, q)| q.parse::<f32>().is_ok_and(|q| q > 0.0))
}

/// Whether it is TAXII of version 2.1, or of none in particular.
pub(in crate::sharing) fn is_taxii(text: &str, is_range: bool) -> bool {
    let (kind, parameters) = parts(text);
    let version = parameters.iter().find(|(name, _)| name == "version");
    let is_kind = match kind.as_str() {
        "application/taxii+json" => true,
        "*/*" | "application/*" => is_range,
        _ => false,
    };
    is_kind && version.is_none_or(|(_, v)| v == "2.1") && (!is_range || is_wanted(&parameters))
}

fn allows(range: &str, kind: &str) -> bool {
    let (range, parameters) = parts(range);
    (range == kind || range == "*/*" || range == "text/*") && is_wanted(&parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &'static str, is_stream: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(value));
        check_accept(&headers, is_stream).is_ok()
    }

    #[test]
    fn what_can_be_read_is_accepted() {
        for good in [
            "application/taxii+json;version=2.1",
            "application/taxii+json; version=2.1",
            "application/taxii+json",
            "text/html, Application/TAXII+json;Version=\"2.1\";q=0.5",
            "*/*",
        ] {
            assert!(accept(good, false), "{good}");
        }
        assert!(accept("text/event-stream", true) && accept("*/*", true));
        assert!(check_accept(&HeaderMap::new(), false).is_ok());
    }

    #[test]
    fn what_cannot_be_read_is_not() {
        for bad in [
            "application/json",
            "application/taxii+json;version=2.0",
            "application/taxii+json;version=2.1;q=0",
            "application/vnd.oasis.taxii+json",
            "text/event-stream",
            "",
        ] {
            assert!(!accept(bad, false), "{bad}");
        }
        assert!(!accept("application/taxii+json;version=2.1", true));
        for (content, good) in [
            ("application/taxii+json;version=2.1", true),
            ("application/taxii+json", true),
            ("application/taxii+json;version=2.0", false),
            ("application/json", false),
            ("*/*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
            assert_eq!(check_content(&headers).is_ok(), good, "{content}");
        }
        assert!(check_content(&HeaderMap::new()).is_err());
    }
}
