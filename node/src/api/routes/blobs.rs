//! Blobs that this node posted.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use bastion_client::types::Hash;

use crate::api::extract::Path;
use crate::api::problem::{Code, Fault};
use crate::api::views::blocking;
use crate::api::Shared;

/// A blob that this node posted, by its versioned hash: 131,072 bytes. Nodes of L1 drop it after
/// about 18 days.
#[utoipa::path(get, path = "/v1/blobs/{versioned_hash}", tag = "blocks",
    params(("versioned_hash" = Hash, Path)),
    responses((status = 200, body = String, content_type = "application/octet-stream")))]
pub async fn blob(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Fault> {
    let hash: Hash = name
        .parse()
        .map_err(|e| Fault::new(Code::BadRequest, format!("versioned hash of a blob: {e}")))?;
    let read = move |backend: &crate::api::Backend| {
        let found = backend.parts.coordinator.blobs().get(&hash.0)?;
        found.ok_or_else(|| Fault::not_found(format!("blob {hash} of this node")))
    };
    let blob = blocking(&shared.backend, read).await?;
    // What a hash names never changes.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, blob))
}
