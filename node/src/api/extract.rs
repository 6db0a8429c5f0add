//! What a request says, with errors of our own form.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Code, Fault};
use super::MOST_BODY;

/// A body of JSON.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// Parts of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

/// The query.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let read = axum::Json::from_request(request, state).await;
        read.map(|axum::Json(body)| Self(body)).map_err(|rejection: JsonRejection| {
            let text = rejection.body_text();
            match rejection.status().as_u16() {
                413 => Fault::new(
                    Code::TooLarge,
                    format!("the body has more than {MOST_BODY} bytes: send fewer operations"),
                ),
                415 => Fault::new(
                    Code::UnsupportedMediaType,
                    "send JSON with the header content-type: application/json",
                ),
                _ => Fault::new(Code::BadRequest, text),
            }
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(path)| Self(path))
            .map_err(|e: PathRejection| Fault::new(Code::BadRequest, e.body_text()))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let read = axum::extract::Query::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(query)| Self(query))
            .map_err(|e: QueryRejection| Fault::new(Code::BadRequest, e.body_text()))
    }
}
