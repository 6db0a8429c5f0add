//! Discovery, root, collections.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::fault::Fault;
use super::media::taxii;
use super::{Rights, Session, Shared, Who};
use crate::sharing::collection::Collection;
use crate::sharing::taxii::{
    ApiRoot, CollectionResource, Collections, Discovery, MEDIA_TYPE, STIX_MEDIA_TYPE,
};

pub(super) async fn discovery(State(shared): State<Arc<Shared>>) -> Response {
    let config = &shared.config;
    let root = format!("/{}/", config.root);
    let discovery = Discovery {
        title: config.title.clone(),
        description: config.description.clone(),
        contact: config.contact.clone(),
        default: Some(root.clone()),
        api_roots: vec![root],
    };
    taxii(StatusCode::OK, &discovery)
}

pub(super) async fn root(State(shared): State<Arc<Shared>>) -> Response {
    let config = &shared.config;
    let root = ApiRoot {
        title: config.title.clone(),
        description: config.description.clone(),
        versions: vec![MEDIA_TYPE.into()],
        max_content_length: config.max_content_length as u64,
    };
    taxii(StatusCode::OK, &root)
}

fn resource(session: &Session, collection: &Collection) -> Option<CollectionResource> {
    let rights = session.rights(collection);
    (rights != Rights::default()).then(|| CollectionResource {
        id: collection.id.clone(),
        title: collection.title.clone(),
        description: collection.description.clone(),
        can_read: rights.read,
        can_write: rights.write,
        media_types: vec![STIX_MEDIA_TYPE.into()],
    })
}

pub(super) async fn collections(State(shared): State<Arc<Shared>>, session: Who) -> Response {
    let all = shared.intelligence.collections().values();
    let collections = all.filter_map(|collection| resource(&session, collection)).collect();
    taxii(StatusCode::OK, &Collections { collections })
}

pub(super) async fn collection(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let (collection, _) = shared.collection(&session, &id)?;
    let resource = resource(&session, collection).ok_or_else(|| Fault::no_collection(&id))?;
    Ok(taxii(StatusCode::OK, &resource))
}
