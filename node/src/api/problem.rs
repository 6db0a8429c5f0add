//! Errors of the API: a code, a title, and a sentence with values (RFC 9457).

use axum::http::{header, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bastion_client::types::Problem;
use tracing::error;

use crate::error::NodeError;
use crate::jobs::JobError;
use crate::sequencer::Refusal;

/// Seconds after which a client may ask again.
const SOON: u64 = 1;
/// Seconds after which a node that accepts nothing may accept again.
const LATER: u64 = 10;

/// What can go wrong, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The request is not what the API takes.
    BadRequest,
    /// Who asks is not the operator.
    Unauthorized,
    /// There is no such thing.
    NotFound,
    /// There is no such route.
    NoSuchRoute,
    /// It is there, and not sealed yet.
    NotSealed,
    /// There is no fee in this token.
    NoPrice,
    /// The route takes another method.
    MethodNotAllowed,
    /// Nothing is to be done for the thing as it is.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// The body is no JSON.
    UnsupportedMediaType,
    /// The client asks too often.
    RateLimited,
    /// The node failed.
    Internal,
    /// Too much waits.
    Busy,
    /// Operations are not accepted now.
    NotAccepting,
    /// A part of the node is not ready.
    NotReady,
    /// The sequencer has stopped.
    Stopped,
    /// Too many streams of events are open.
    TooManyWatchers,
    /// It took too long.
    Timeout,
}

impl Code {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadRequest => (S::BAD_REQUEST, "bad_request", "The request cannot be read"),
            Self::Unauthorized => {
                (S::UNAUTHORIZED, "unauthorized", "The token is missing or wrong")
            }
            Self::NotFound => (S::NOT_FOUND, "not_found", "There is no such thing"),
            Self::NoSuchRoute => (S::NOT_FOUND, "no_such_route", "There is no such route"),
            Self::NotSealed => (S::NOT_FOUND, "not_sealed", "It is not sealed yet"),
            Self::NoPrice => (S::NOT_FOUND, "no_price", "There is no fee in this token"),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "The route takes another method")
            }
            Self::Conflict => (S::CONFLICT, "conflict", "It cannot be done in this state"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too_large", "The body is too large"),
            Self::UnsupportedMediaType => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body is no JSON")
            }
            Self::RateLimited => (S::TOO_MANY_REQUESTS, "rate_limited", "Too many requests"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "The node failed"),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "busy", "Too much waits"),
            Self::NotAccepting => {
                (S::SERVICE_UNAVAILABLE, "not_accepting", "Operations are not accepted now")
            }
            Self::NotReady => (S::SERVICE_UNAVAILABLE, "not_ready", "The node is not ready"),
            Self::Stopped => (S::SERVICE_UNAVAILABLE, "stopped", "The sequencer has stopped"),
            Self::TooManyWatchers => {
                (S::SERVICE_UNAVAILABLE, "too_many_watchers", "Too many streams are open")
            }
            Self::Timeout => (S::GATEWAY_TIMEOUT, "timeout", "It took too long"),
        }
    }

    /// The code in a word.
    pub fn word(self) -> &'static str {
        self.parts().1
    }

    /// Seconds after which it may be asked again, for problems that pass.
    fn retry_after(self) -> Option<u64> {
        match self {
            Self::RateLimited | Self::Busy | Self::Timeout => Some(SOON),
            Self::NotAccepting | Self::NotReady | Self::Stopped | Self::TooManyWatchers => {
                Some(LATER)
            }
            Self::BadRequest
            | Self::Unauthorized
            | Self::NotFound
            | Self::NoSuchRoute
            | Self::NotSealed
            | Self::NoPrice
            | Self::MethodNotAllowed
            | Self::Conflict
            | Self::TooLarge
            | Self::UnsupportedMediaType
            | Self::Internal => None,
        }
    }
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Fault {
    /// The problem in a word.
    pub code: Code,
    /// What is wrong, with values, and what helps.
    pub detail: String,
}

impl Fault {
    /// A fault.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// Something that is not there.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("there is no {what}"))
    }

    /// A failure of the node. The cause goes to the log, and to nobody else.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        error!(%cause, "a request failed");
        let detail = "the node failed; its log has the cause, and asking again may help";
        Self::new(Code::Internal, detail)
    }
}

impl From<NodeError> for Fault {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::NoRewards => Self::new(Code::NotFound, error.to_string()),
            NodeError::Freeze { .. }
            | NodeError::NoFeed
            | NodeError::Treasury(_)
            | NodeError::Rewards { .. } => Self::new(Code::Conflict, error.to_string()),
            error => Self::internal(error),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Busy => Code::Busy,
            Refusal::Stopped => Code::Stopped,
            Refusal::TooMany { .. } => Code::BadRequest,
            Refusal::QueueGap { .. } => Code::Conflict,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<JobError> for Fault {
    fn from(error: JobError) -> Self {
        let code = match &error {
            JobError::Unknown { .. } => Code::NotFound,
            JobError::StaleLease { .. }
            | JobError::Over { .. }
            | JobError::OtherInput { .. }
            | JobError::Refused { .. } => Code::Conflict,
            JobError::Storage { .. } => return Self::internal(error),
        };
        Self::new(code, error.to_string())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, code, title) = self.code.parts();
        let problem = Problem {
            kind: format!("urn:bastion:problem:{code}"),
            title: title.into(),
            status: status.as_u16(),
            detail: self.detail,
            code: code.into(),
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(seconds) = self.code.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A route that takes another method.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Fault {
    Fault::new(Code::MethodNotAllowed, format!("{} takes no {method}", uri.path()))
}

/// A route that is not there.
pub(super) async fn no_such_route(uri: Uri) -> Fault {
    missing(&uri)
}

pub(super) fn missing(uri: &Uri) -> Fault {
    let detail = format!("{} is no route: /v1/openapi.json describes all of them", uri.path());
    Fault::new(Code::NoSuchRoute, detail)
}
