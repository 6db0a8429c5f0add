//! Objects, manifest, versions.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::{Path, Query as Parsed, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use super::fault::Fault;
use super::filter::{self, Parameters, Route};
use super::media::taxii;
use super::{Shared, Who};
use crate::sharing::stix::Id;
use crate::sharing::store::{Page, Query};
use crate::sharing::taxii::{
    Envelope, Manifest, ManifestRecord, VersionList, ADDED_FIRST, ADDED_LAST, STIX_MEDIA_TYPE,
};

type Asked = Parsed<Parameters>;

pub(super) async fn objects(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path(collection): Path<String>,
    Parsed(parameters): Asked,
) -> Result<Response, Fault> {
    let query = filter::query(parameters, Route::Collection, shared.config.page)?;
    Ok(envelope(&page(&shared, &session, &collection, &query)?))
}

pub(super) async fn manifest(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path(collection): Path<String>,
    Parsed(parameters): Asked,
) -> Result<Response, Fault> {
    let query = filter::query(parameters, Route::Collection, shared.config.page)?;
    let page = page(&shared, &session, &collection, &query)?;
    let records = page.entries.iter().map(|entry| ManifestRecord {
        id: entry.object.id().to_string(),
        date_added: entry.added.taxii(),
        version: entry.version_text(),
        media_type: STIX_MEDIA_TYPE.into(),
    });
    let (more, next) = rest(&page);
    Ok(answer(&page, &Manifest { more, next, objects: records.collect() }))
}

pub(super) async fn object(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path((collection, object)): Path<(String, String)>,
    Parsed(parameters): Asked,
) -> Result<Response, Fault> {
    let query = filter::query(parameters, Route::Object, shared.config.page)?;
    Ok(envelope(&of_one(&shared, &session, &collection, &object, query)?))
}

pub(super) async fn versions(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path((collection, object)): Path<(String, String)>,
    Parsed(parameters): Asked,
) -> Result<Response, Fault> {
    let query = filter::query(parameters, Route::Versions, shared.config.page)?;
    let page = of_one(&shared, &session, &collection, &object, query)?;
    let mut entries: Vec<_> = page.entries.iter().collect();
    entries.sort_by_key(|entry| Reverse(entry.version()));
    let versions = entries.into_iter().map(|entry| entry.version_text()).collect();
    let (more, next) = rest(&page);
    Ok(answer(&page, &VersionList { more, next, versions }))
}

fn page(shared: &Shared, session: &Who, collection: &str, query: &Query) -> Result<Page, Fault> {
    let collection = shared.readable(session, collection)?;
    let page = shared.intelligence.page(&collection.id, query, &session.reader);
    page.map_err(Fault::internal)
}

/// Versions of one object. There is none if the reader may see no version at all.
fn of_one(
    shared: &Shared,
    session: &Who,
    collection: &str,
    object: &str,
    query: Query,
) -> Result<Page, Fault> {
    shared.readable(session, collection)?;
    let missing = || Fault::missing(&format!("object {object}"));
    let id: Id = object.parse().map_err(|_| missing())?;
    let any = Query { ids: Some(vec![id.clone()]), ..Query::all(None, 1) };
    if page(shared, session, collection, &any)?.entries.is_empty() {
        return Err(missing());
    }
    page(shared, session, collection, &Query { ids: Some(vec![id]), ..query })
}

fn envelope(page: &Page) -> Response {
    let objects = page.entries.iter().map(|entry| Value::Object(entry.object.raw().clone()));
    let (more, next) = rest(page);
    answer(page, &Envelope { more, next, objects: objects.collect() })
}

/// Whether there is more, and how to ask for it; nothing for an empty page.
fn rest(page: &Page) -> (Option<bool>, Option<String>) {
    let last = page.entries.last();
    let next = last.filter(|_| page.more).map(|entry| filter::next(entry.added));
    (last.map(|_| page.more), next)
}

fn answer(page: &Page, resource: &impl Serialize) -> Response {
    let mut response = taxii(StatusCode::OK, resource);
    let ends = [(ADDED_FIRST, page.entries.first()), (ADDED_LAST, page.entries.last())];
    for (name, entry) in ends {
        let value = entry.and_then(|entry| HeaderValue::try_from(entry.added.taxii()).ok());
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
