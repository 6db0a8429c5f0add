//! Proving jobs.

use axum::extract::State;
use axum::Json;
use bastion_client::types::{JobState, Jobs};
use serde::Deserialize;

use crate::api::extract::Query;
use crate::api::problem::Fault;
use crate::api::views::blocking;
use crate::api::Shared;

/// Which jobs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only those in this state.
    state: Option<JobState>,
}

/// The last proving jobs, at most 1000; those of blocks first, by number.
#[utoipa::path(get, path = "/v1/jobs", tag = "node", params(Wanted),
    responses((status = 200, body = Jobs)))]
pub async fn jobs(
    State(shared): State<Shared>,
    Query(Wanted { state }): Query<Wanted>,
) -> Result<Json<Jobs>, Fault> {
    let view = blocking(&shared.backend, move |backend| Ok(backend.jobs(state)));
    view.await.map(|jobs| Json(Jobs { jobs }))
}
