//! Errors, as TAXII 2.1 says them.

use axum::http::{header, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tracing::error;

use super::media::taxii;
use crate::sharing::error::{tame, SharingError};
use crate::sharing::taxii::ErrorMessage;

/// Why a request has no answer.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    title: &'static str,
    detail: String,
}

impl Fault {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into() }
    }

    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "The request cannot be read", detail)
    }

    pub fn unauthorized() -> Self {
        let detail = "log in with HTTP Basic: the name, and the token that the operator gave you";
        Self::new(StatusCode::UNAUTHORIZED, "The name or the token is missing or wrong", detail)
    }

    pub fn forbidden(what: &str, collection: &str) -> Self {
        let detail = format!("you may not {what} in the collection {}", tame(collection));
        Self::new(StatusCode::FORBIDDEN, "It is not allowed", detail)
    }

    pub fn not_yours(object: &str) -> Self {
        let detail = format!("{} was made by another, who alone may delete it", tame(object));
        Self::new(StatusCode::FORBIDDEN, "It is not allowed", detail)
    }

    pub fn missing(what: &str) -> Self {
        let detail = format!("there is no {}", tame(what));
        Self::new(StatusCode::NOT_FOUND, "There is no such thing", detail)
    }

    pub fn no_collection(id: &str) -> Self {
        Self::missing(&format!("collection {id}"))
    }

    pub fn not_acceptable(expected: &str) -> Self {
        let detail = format!("the header Accept must allow {expected}");
        Self::new(StatusCode::NOT_ACCEPTABLE, "The answer cannot be read there", detail)
    }

    pub fn unsupported(expected: &str) -> Self {
        let detail = format!("the header Content-Type must be {expected}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body cannot be read", detail)
    }

    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large", detail)
    }

    pub fn late() -> Self {
        let detail = "the body did not come in time: send it again";
        Self::new(StatusCode::REQUEST_TIMEOUT, "It took too long", detail)
    }

    pub fn full() -> Self {
        let detail = "too many streams are open: close one, or ask for objects instead";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Too many streams", detail)
    }

    /// A failure of this side. The cause goes to the log, and to nobody else.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        error!(%cause, "a request failed");
        let detail = "the server failed; its log has the cause, and asking again may help";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The server failed", detail)
    }

    /// What is wrong with a body.
    pub fn body(error: SharingError) -> Self {
        match error {
            SharingError::TooLarge { .. } => Self::too_large(error.to_string()),
            other => Self::bad(other.to_string()),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let message = ErrorMessage {
            title: self.title.into(),
            description: Some(self.detail),
            http_status: Some(self.status.as_u16().to_string()),
        };
        let mut response = taxii(self.status, &message);
        if self.status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static(r#"Basic realm="taxii", charset="UTF-8""#);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
        }
        response
    }
}

pub(super) async fn not_found(uri: Uri) -> Fault {
    Fault::missing(&format!("route {}; every route ends with a slash", uri.path()))
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Fault {
    let detail = format!("{} takes no {method}", tame(uri.path()));
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, "The route takes another method", detail)
}
