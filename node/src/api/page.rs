//! The web page: files that are compiled in.

use axum::http::{header, HeaderValue, Method, Uri};
use axum::response::{IntoResponse, Response};
use include_dir::{include_dir, Dir};

use super::problem::{self, Fault};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/web");

/// Nothing but the page's own files is loaded, nothing is run that is not in them, and nobody frames it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page, or a problem.
pub(super) async fn page(method: Method, uri: Uri) -> Result<Response, Fault> {
    let name = match uri.path() {
        "/" => "index.html",
        path if path.starts_with("/assets/") => path.trim_start_matches('/'),
        _ => return Err(problem::missing(&uri)),
    };
    let file = FILES.get_file(name).ok_or_else(|| problem::missing(&uri))?;
    if method != Method::GET && method != Method::HEAD {
        return Err(problem::method_not_allowed(method, uri).await);
    }
    let mut response = file.contents().into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type(name)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
