//! Rewards for watchers.

use axum::extract::State;
use axum::Json;
use bastion_client::types::rewards::{Rewards, Watcher, WatcherAnswer, WatcherRequest, Watchers};
use bastion_protocol::watcher::SignedCall;
use bastion_protocol::Index;
use bastion_sentinel::rewards::TreasuryError;
use serde::Deserialize;

use super::MOST;
use crate::api::extract::{Body, Path, Query};
use crate::api::problem::{Code, Fault};
use crate::api::views::blocking;
use crate::api::Shared;
use crate::error::NodeError;
use crate::sentinel::lock;
use crate::sentinel::rewards::Ask;

/// Which watchers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The first account.
    #[param(default = 0)]
    from: Option<Index>,
    /// How many, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// How rewards stand: the account of stakes and payments, the parameters, where the money is.
#[utoipa::path(get, path = "/v1/sentinel/rewards", tag = "sentinel", operation_id = "rewards",
    responses((status = 200, body = Rewards)))]
pub async fn status(State(shared): State<Shared>) -> Result<Json<Rewards>, Fault> {
    let view = blocking(&shared.backend, |backend| {
        let now = backend.now();
        Ok(lock(backend.sentinel()?).rewards(now)?)
    });
    view.await.map(Json)
}

/// Watchers in the order of their accounts.
#[utoipa::path(get, path = "/v1/sentinel/rewards/watchers", tag = "sentinel", params(Which),
    responses((status = 200, body = Watchers)))]
pub async fn watchers(
    State(shared): State<Shared>,
    Query(which): Query<Which>,
) -> Result<Json<Watchers>, Fault> {
    let from = which.from.unwrap_or(0);
    let limit = match which.limit.unwrap_or(super::USUAL) {
        limit @ 1..=MOST => limit as usize,
        limit => {
            let detail = format!("limit is {limit}: give one from 1 to {MOST}");
            return Err(Fault::new(Code::BadRequest, detail));
        }
    };
    let view = blocking(&shared.backend, move |backend| {
        Ok(Watchers { watchers: lock(backend.sentinel()?).watchers(from, limit)? })
    });
    view.await.map(Json)
}

/// A watcher: its stake, its open reports, and the number of its next call.
#[utoipa::path(get, path = "/v1/sentinel/rewards/watchers/{account}", tag = "sentinel",
    params(("account" = Index, Path)), responses((status = 200, body = Watcher)))]
pub async fn watcher(
    State(shared): State<Shared>,
    Path(account): Path<Index>,
) -> Result<Json<Watcher>, Fault> {
    let view = blocking(&shared.backend, move |backend| {
        let watcher = lock(backend.sentinel()?).watcher(account)?;
        watcher.ok_or_else(|| Fault::not_found(format!("watcher with account {account}")))
    });
    view.await.map(Json)
}

/// Takes a watcher's call, signed by the key of its account: commits to a report, opens one, announces or
/// takes a withdrawal. It is on disk when it is answered, and its entry is its place in the order.
#[utoipa::path(post, path = "/v1/sentinel/rewards/calls", tag = "sentinel", request_body = WatcherRequest,
    responses((status = 200, body = WatcherAnswer)))]
pub async fn call(
    State(shared): State<Shared>,
    Body(request): Body<WatcherRequest>,
) -> Result<Json<WatcherAnswer>, Fault> {
    let signed = SignedCall::from(request);
    let checked = blocking(&shared.backend, move |backend| {
        // The lock is not held while the signature is checked.
        let registry = lock(backend.sentinel()?).registry()?;
        match signed.is_signed(&registry) {
            true => Ok(()),
            false => Err(NodeError::from(TreasuryError::Signature).into()),
        }
    });
    checked.await?;
    let parts = &shared.backend.parts;
    parts.control.accepting().map_err(|why| Fault::new(Code::NotAccepting, why))?;
    let taken = parts.service.ask(Ask::Watcher(signed)).await??;
    Ok(Json(taken.into()))
}
