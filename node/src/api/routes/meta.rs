//! The node itself.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::Json;
use bastion_client::types::policy::PolicyDocument;
use bastion_client::types::{FeeEstimate, Health, Status, Version};
use bastion_protocol::{Policy, Token};
use serde::Deserialize;

use crate::api::document;
use crate::api::extract::Query;
use crate::api::metrics as gauges;
use crate::api::problem::{Code, Fault};
use crate::api::views::blocking;
use crate::api::Shared;

/// In which token.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InToken {
    /// The token.
    #[param(default = 0)]
    token: Option<Token>,
}

/// A fee that covers what an operation costs the operator. There is none in a token for which the operator
/// has set no price.
#[utoipa::path(get, path = "/v1/fees", tag = "node", params(InToken),
    responses((status = 200, body = FeeEstimate)))]
pub async fn fees(
    State(shared): State<Shared>,
    Query(InToken { token }): Query<InToken>,
) -> Result<Json<FeeEstimate>, Fault> {
    let token = token.unwrap_or(0);
    blocking(&shared.backend, move |backend| backend.fees(token)).await.map(Json)
}

/// The policy in force: guardian, freezes, limits.
#[utoipa::path(get, path = "/v1/policy", tag = "node",
    responses((status = 200, body = PolicyDocument)))]
pub async fn policy(State(shared): State<Shared>) -> Json<Policy> {
    let backend = &shared.backend;
    let followed = backend.l1().policy.clone();
    Json(followed.unwrap_or_else(|| backend.parts.identity.policy.clone()))
}

/// What the node is.
#[utoipa::path(get, path = "/v1/version", tag = "node", responses((status = 200, body = Version)))]
pub async fn version(State(shared): State<Shared>) -> Json<Version> {
    Json(shared.backend.version())
}

/// What the node is doing.
#[utoipa::path(get, path = "/v1/status", tag = "node", responses((status = 200, body = Status)))]
pub async fn status(State(shared): State<Shared>) -> Result<Json<Status>, Fault> {
    blocking(&shared.backend, |backend| backend.status()).await.map(Json)
}

/// This description.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "node",
    responses((status = 200, body = serde_json::Value)))]
pub async fn openapi() -> Result<impl IntoResponse, Fault> {
    let text = document::openapi_json().map_err(Fault::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text))
}

/// Whether the program runs.
#[utoipa::path(get, path = "/healthz", tag = "node", responses((status = 200, body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

/// Whether operations are accepted and L1 answers.
#[utoipa::path(get, path = "/readyz", tag = "node", responses((status = 200, body = Health)))]
pub async fn ready(State(shared): State<Shared>) -> Result<Json<Health>, Fault> {
    let parts = &shared.backend.parts;
    // The sequencer answers only while it runs.
    parts.service.account(0).await?;
    parts.control.accepting().map_err(|why| Fault::new(Code::NotReady, why))?;
    if !shared.backend.l1().synced {
        let detail = "the last look at L1 failed, or there was none yet: see the log of the node";
        return Err(Fault::new(Code::NotReady, detail));
    }
    Ok(health().await)
}

/// Counters, gauges and histograms for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "node",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn metrics(State(shared): State<Shared>) -> Result<impl IntoResponse, Fault> {
    let text = blocking(&shared.backend, gauges::render).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
