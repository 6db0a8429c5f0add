//! Batches and blocks.

use axum::extract::State;
use axum::Json;
use bastion_client::types::{Batch, Batches, Block, Blocks};

use super::Page;
use crate::api::extract::{Path, Query};
use crate::api::problem::Fault;
use crate::api::views::blocking;
use crate::api::Shared;

/// A batch, by its number since genesis.
#[utoipa::path(get, path = "/v1/batches/{number}", tag = "blocks",
    params(("number" = u64, Path)), responses((status = 200, body = Batch)))]
pub async fn batch(
    State(shared): State<Shared>,
    Path(number): Path<u64>,
) -> Result<Json<Batch>, Fault> {
    blocking(&shared.backend, move |backend| backend.batch(number)).await.map(Json)
}

/// Blocks, newest first.
#[utoipa::path(get, path = "/v1/blocks", tag = "blocks", params(Page),
    responses((status = 200, body = Blocks)))]
pub async fn blocks(
    State(shared): State<Shared>,
    Query(page): Query<Page>,
) -> Result<Json<Blocks>, Fault> {
    let limit = page.limit()?;
    let view = blocking(&shared.backend, move |backend| backend.blocks(page.before, limit));
    view.await.map(|blocks| Json(Blocks { blocks }))
}

/// A block: by its number, its hash, or as `latest` or `finalized`.
#[utoipa::path(get, path = "/v1/blocks/{id}", tag = "blocks",
    params(("id" = String, Path, pattern = "^(latest|finalized|0x[0-9a-f]{64}|[0-9]{1,20})$")), responses((status = 200, body = Block)))]
pub async fn block(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Block>, Fault> {
    let view = blocking(&shared.backend, move |backend| backend.block(backend.numbered(&id)?));
    view.await.map(Json)
}

/// The batches of a block, which is named as in `/v1/blocks/{id}`.
#[utoipa::path(get, path = "/v1/blocks/{id}/batches", tag = "blocks",
    params(("id" = String, Path, pattern = "^(latest|finalized|0x[0-9a-f]{64}|[0-9]{1,20})$")), responses((status = 200, body = Batches)))]
pub async fn batches(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Batches>, Fault> {
    let view = blocking(&shared.backend, move |backend| backend.batches_of(backend.numbered(&id)?));
    view.await.map(|batches| Json(Batches { batches }))
}
