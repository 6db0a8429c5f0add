//! Adding and deleting.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{to_bytes, Body, Bytes};
use axum::extract::{Path, Query as Parsed, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::response::Response;
use tokio::time::timeout;

use super::fault::Fault;
use super::filter::Parameters;
use super::media::{check_content, taxii};
use super::{status, Shared, Who};
use crate::sharing::stix::{bundle, Id};
use crate::sharing::store::Query;

/// Until a body has come whole.
const BODY: Duration = Duration::from_secs(30);

pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path(collection): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let (_, rights) = shared.collection(&session, &collection)?;
    let peer = session.peer.clone().filter(|_| rights.write);
    let peer = peer.ok_or_else(|| Fault::forbidden("write", &collection))?;
    check_content(&headers)?;
    let bytes = read(&headers, body, shared.config.max_content_length).await?;
    let (objects, _) = bundle::envelope(&bytes).map_err(Fault::body)?;
    if objects.is_empty() {
        return Err(Fault::bad("the envelope has no objects"));
    }
    let here = shared.clone();
    // It waits for the disk.
    let work = move || {
        let now = here.intelligence.now();
        let mut report = status::Report::new(now, &objects);
        for outcome in here.intelligence.accept(&collection, &peer.name, objects) {
            report.add(outcome);
        }
        let status = report.end();
        status::keep(&here, &peer.name, status.clone());
        status
    };
    let status = tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?;
    Ok(taxii(StatusCode::ACCEPTED, &status))
}

async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Fault> {
    let too_large =
        || Fault::too_large(format!("at most {most} bytes are taken: send fewer objects"));
    let said = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if said.and_then(|length| length.parse::<u64>().ok()).is_some_and(|n| n > most as u64) {
        return Err(too_large());
    }
    let read = timeout(BODY, to_bytes(body, most)).await.map_err(|_| Fault::late())?;
    // Either it is too long, or the peer hung up and hears nothing of this.
    read.map_err(|_| too_large())
}

/// Deletes an object with all its versions: if the newest alone went, an older one would hold again.
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path((collection, object)): Path<(String, String)>,
    Parsed(parameters): Parsed<Parameters>,
) -> Result<Response, Fault> {
    let (_, rights) = shared.collection(&session, &collection)?;
    if !rights.delete {
        return Err(Fault::forbidden("delete", &collection));
    }
    let chosen = parameters.iter().any(|(name, value)| name == "match[version]" && value != "all");
    if chosen {
        return Err(Fault::bad("versions are deleted together: leave out match[version]"));
    }
    let missing = || Fault::missing(&format!("object {object}"));
    let id: Id = object.parse().map_err(|_| missing())?;
    let Some(key) = shared.intelligence.made_by(&id, &session.reader) else {
        let any = Query { ids: Some(vec![id]), ..Query::all(None, 1) };
        let seen = shared.intelligence.page(&collection, &any, &session.reader);
        let is_seen = rights.read && !seen.map_err(Fault::internal)?.entries.is_empty();
        return Err(if is_seen { Fault::not_yours(&object) } else { missing() });
    };
    let here = shared.clone();
    let withdrawn = tokio::task::spawn_blocking(move || here.intelligence.withdraw(&key)).await;
    let is_there = withdrawn.map_err(Fault::internal)?.map_err(Fault::internal)?;
    if !is_there {
        return Err(missing());
    }
    let mut response = taxii(StatusCode::OK, &());
    *response.body_mut() = Body::empty();
    Ok(response)
}
