//! Accounts.

use axum::extract::State;
use axum::Json;
use bastion_client::types::{AccountProof, Accounts, Element, Operations};
use bastion_protocol::Index;
use serde::Deserialize;

use super::Page;
use crate::api::extract::{Path, Query};
use crate::api::problem::{Code, Fault};
use crate::api::views::blocking;
use crate::api::Shared;

/// Whose accounts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Owner {
    /// `compress(key hash, exit address)`.
    #[param(value_type = Element)]
    owner: String,
}

/// An account as of the last sealed batch with its Merkle proof, and as of the last operation. An empty
/// leaf has a proof too.
#[utoipa::path(get, path = "/v1/accounts/{index}", tag = "accounts",
    params(("index" = u32, Path)), responses((status = 200, body = AccountProof)))]
pub async fn account(
    State(shared): State<Shared>,
    Path(index): Path<Index>,
) -> Result<Json<AccountProof>, Fault> {
    let pending = shared.backend.parts.service.account(index).await?;
    let view = blocking(&shared.backend, move |backend| backend.account(index, pending.as_ref()));
    view.await.map(Json)
}

/// The accounts of an owner, at most 100.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", params(Owner),
    responses((status = 200, body = Accounts)))]
pub async fn of_owner(
    State(shared): State<Shared>,
    Query(Owner { owner }): Query<Owner>,
) -> Result<Json<Accounts>, Fault> {
    let owner: Element =
        owner.parse().map_err(|e| Fault::new(Code::BadRequest, format!("owner: {e}")))?;
    let found = shared.backend.parts.service.accounts_of(owner.0).await?;
    let view = blocking(&shared.backend, move |backend| {
        let found = found.iter();
        found.map(|(index, account)| backend.account(*index, Some(account))).collect()
    });
    view.await.map(|accounts| Json(Accounts { accounts }))
}

/// Operations of sealed batches that touched an account, newest first; `before` is the number of an
/// entry.
#[utoipa::path(get, path = "/v1/accounts/{index}/operations", tag = "accounts",
    params(("index" = u32, Path), Page), responses((status = 200, body = Operations)))]
pub async fn operations(
    State(shared): State<Shared>,
    Path(index): Path<Index>,
    Query(page): Query<Page>,
) -> Result<Json<Operations>, Fault> {
    let limit = page.limit()?;
    let view =
        blocking(&shared.backend, move |backend| backend.operations_of(index, page.before, limit));
    view.await.map(|operations| Json(Operations { operations }))
}
