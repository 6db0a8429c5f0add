//! What the sentinel found, and what it holds back.

use axum::extract::State;
use axum::Json;
use bastion_client::types::{Findings, Hash, Held, SentinelStatus};
use serde::Deserialize;

use crate::api::extract::{Path, Query};
use crate::api::problem::{Code, Fault};
use crate::api::views::blocking;
use crate::api::{Backend, Shared};
use crate::sentinel::{lock, Watch};

/// Entries of an answer at most.
const MOST: u32 = 100;

/// Which entries of the log of findings.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Number of the first, from 0.
    #[param(default = 0)]
    from: Option<u64>,
    /// How many, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

impl Backend {
    /// The sentinel, if there is one.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub(in crate::api) fn sentinel(&self) -> Result<&Watch, Fault> {
        let none = || Fault::not_found("sentinel: its mode is off (sentinel.mode)");
        self.parts.sentinel.as_ref().ok_or_else(none)
    }
}

/// How the sentinel stands.
#[utoipa::path(get, path = "/v1/sentinel", tag = "sentinel", operation_id = "sentinel",
    responses((status = 200, body = SentinelStatus)))]
pub async fn status(State(shared): State<Shared>) -> Result<Json<SentinelStatus>, Fault> {
    let view = blocking(&shared.backend, |backend| Ok(lock(backend.sentinel()?).status()));
    view.await.map(Json)
}

/// Entries of the log of findings, in order. Each is a text; keccak256 of it goes into the chain of hashes
/// whose head is posted on L1 with each block.
#[utoipa::path(get, path = "/v1/sentinel/findings", tag = "sentinel", params(From),
    responses((status = 200, body = Findings)))]
pub async fn findings(
    State(shared): State<Shared>,
    Query(which): Query<From>,
) -> Result<Json<Findings>, Fault> {
    let from = which.from.unwrap_or(0);
    let limit = match which.limit.unwrap_or(20) {
        limit @ 1..=MOST => limit,
        limit => {
            let detail = format!("limit is {limit}: give one from 1 to {MOST}");
            return Err(Fault::new(Code::BadRequest, detail));
        }
    };
    let view = blocking(&shared.backend, move |backend| {
        // It may be long: nobody waits for the lock meanwhile.
        let log = lock(backend.sentinel()?).log(from, limit as usize);
        let busy = || {
            let detail = "somebody reads the older part of the log: ask again in a moment";
            Fault::new(Code::Busy, detail)
        };
        log.read(from, limit as usize)?.ok_or_else(busy)
    });
    view.await.map(Json)
}

/// An operation that is held back: why, and until when.
#[utoipa::path(get, path = "/v1/sentinel/held/{hash}", tag = "sentinel",
    params(("hash" = Hash, Path)), responses((status = 200, body = Held)))]
pub async fn held(
    State(shared): State<Shared>,
    Path(hash): Path<String>,
) -> Result<Json<Held>, Fault> {
    let hash: Hash =
        hash.parse().map_err(|e| Fault::new(Code::BadRequest, format!("hash: {e}")))?;
    let view = blocking(&shared.backend, move |backend| {
        let held = lock(backend.sentinel()?).held(&hash.0);
        held.ok_or_else(|| Fault::not_found(format!("operation {hash} that is held back")))
    });
    view.await.map(Json)
}
