//! What the operator decides about the sentinel's findings.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use bastion_client::types::rewards::{ConfirmRequest, FundRequest, WatcherAnswer};
use bastion_client::types::sentinel::{PublishRequest, RollBackRequest};
use bastion_client::types::{FreezeRequest, Hash, Health, Quarantine, SentinelStatus};
use bastion_client::SignedReceipt;
use bastion_protocol::ops::SignedOp;
use bastion_protocol::Index;
use bastion_sentinel::rules::RuleSet;
use tracing::info;

use super::admin::done;
use super::extract::{Body, Path};
use super::problem::{Code, Fault};
use super::views::blocking;
use super::Backend;
use crate::error::NodeError;
use crate::sentinel::rewards::Ask;
use crate::sentinel::{lock, wall_ms, Source};
use crate::sequencer::Refusal;

/// Bytes of an indicator's name at most.
const NAME: usize = 128;

/// The routes.
pub(super) fn routes() -> Router<Arc<Backend>> {
    Router::new()
        .route("/admin/v1/quarantine", get(quarantine))
        .route("/admin/v1/quarantine/{operation}/release", post(release))
        .route("/admin/v1/quarantine/{operation}/drop", post(forget))
        .route("/admin/v1/accounts/{index}/freeze", post(freeze))
        .route("/admin/v1/accounts/{index}/unfreeze", post(unfreeze))
        .route("/admin/v1/sentinel/reload", post(reload))
        .route("/admin/v1/sentinel/roll-back", post(roll_back))
        .route("/admin/v1/sentinel/publish", post(publish))
        .route("/admin/v1/sentinel/rewards/fund", post(fund))
        .route("/admin/v1/sentinel/rewards/confirm", post(confirm))
}

async fn quarantine(State(backend): State<Arc<Backend>>) -> Result<Json<Quarantine>, Fault> {
    let view =
        blocking(&backend, |backend| Ok(Quarantine { held: lock(backend.sentinel()?).all_held() }));
    view.await.map(Json)
}

async fn release(
    State(backend): State<Arc<Backend>>,
    Path(operation): Path<String>,
) -> Result<Json<Health>, Fault> {
    info!(operation, "the operator lets an operation go");
    let hash = parse(&operation)?;
    let change =
        blocking(&backend, move |backend| match lock(backend.sentinel()?).release(&hash.0)? {
            true => Ok(()),
            false => Err(Fault::not_found(format!("operation {hash} that is held back"))),
        });
    change.await.map(|()| done())
}

async fn forget(
    State(backend): State<Arc<Backend>>,
    Path(operation): Path<String>,
) -> Result<Json<Health>, Fault> {
    info!(operation, "the operator forgets an operation that is held back");
    let hash = parse(&operation)?;
    let change = blocking(&backend, move |backend| {
        match lock(backend.sentinel()?).forget(&hash.0, wall_ms())? {
            true => Ok(()),
            false => Err(Fault::not_found(format!("operation {hash} that is held back"))),
        }
    });
    change.await.map(|()| done())
}

fn parse(text: &str) -> Result<Hash, Fault> {
    text.parse().map_err(|e| Fault::new(Code::BadRequest, format!("operation: {e}")))
}

async fn freeze(
    State(backend): State<Arc<Backend>>,
    Path(index): Path<Index>,
    Body(FreezeRequest { seconds, report }): Body<FreezeRequest>,
) -> Result<Json<SignedReceipt>, Fault> {
    info!(account = index, seconds, report, "the operator freezes an account");
    let op = backend.parts.service.sign_as_guardian(index, Some(seconds), report).await?;
    submit(&backend, op?).await
}

async fn unfreeze(
    State(backend): State<Arc<Backend>>,
    Path(index): Path<Index>,
) -> Result<Json<SignedReceipt>, Fault> {
    info!(account = index, "the operator ends the freeze of an account");
    let op = backend.parts.service.sign_as_guardian(index, None, None).await?;
    submit(&backend, op?).await
}

async fn submit(backend: &Backend, op: SignedOp) -> Result<Json<SignedReceipt>, Fault> {
    let answers = backend.parts.service.submit(vec![op])?.await.map_err(|_| Refusal::Stopped)??;
    match answers.into_iter().next() {
        Some(Ok(receipt)) => Ok(Json(receipt)),
        Some(Err(decline)) => Err(Fault::new(Code::Conflict, decline.to_string())),
        None => Err(Refusal::Stopped.into()),
    }
}

async fn reload(State(backend): State<Arc<Backend>>) -> Result<Json<SentinelStatus>, Fault> {
    info!("the operator has the rules read anew");
    change_rules(&backend, "published".into(), |source, now| source.load(now)).await
}

async fn roll_back(
    State(backend): State<Arc<Backend>>,
    Body(RollBackRequest { seconds, reason }): Body<RollBackRequest>,
) -> Result<Json<SentinelStatus>, Fault> {
    info!(seconds, reason, "the operator goes back to the rules before");
    let why = format!("pinned for {seconds} s: {reason}");
    let load = move |source: &Source, now: u64| {
        source.roll_back(now, now.saturating_add(seconds), &reason)
    };
    change_rules(&backend, why, load).await
}

async fn publish(
    State(backend): State<Arc<Backend>>,
    Body(PublishRequest { address, name, confidence }): Body<PublishRequest>,
) -> Result<Json<Health>, Fault> {
    info!(%address, name, confidence, "the operator tells other chains of an address");
    if !(1..=100).contains(&confidence) || name.is_empty() || name.len() > NAME {
        let detail = format!("give a name of 1 to {NAME} bytes, and a confidence from 1 to 100");
        return Err(Fault::new(Code::BadRequest, detail));
    }
    let change = blocking(&backend, move |backend| {
        let score = u16::from(confidence) * 10;
        Ok(lock(backend.sentinel()?).publish(address, &name, score, wall_ms())?)
    });
    change.await.map(|()| done())
}

async fn fund(
    State(backend): State<Arc<Backend>>,
    Body(FundRequest { amount }): Body<FundRequest>,
) -> Result<Json<WatcherAnswer>, Fault> {
    info!(%amount, "the operator puts money into the pool of rewards");
    let taken = backend.parts.service.ask(Ask::Fund { amount: amount.0 }).await??;
    Ok(Json(taken.into()))
}

async fn confirm(
    State(backend): State<Arc<Backend>>,
    Body(ConfirmRequest { subject, amount }): Body<ConfirmRequest>,
) -> Result<Json<WatcherAnswer>, Fault> {
    info!(subject, %amount, "the operator confirms an event");
    let taken = backend.parts.service.ask(Ask::Confirm { subject, amount: amount.0 }).await??;
    Ok(Json(taken.into()))
}

async fn change_rules(
    backend: &Arc<Backend>,
    reason: String,
    load: impl FnOnce(&Source, u64) -> Result<RuleSet, NodeError> + Send + 'static,
) -> Result<Json<SentinelStatus>, Fault> {
    let view = blocking(backend, move |backend| {
        let watch = backend.sentinel()?;
        let source = lock(watch).source();
        let _turn = source.turn();
        // Files may be slow, and the sequencer must not wait for them.
        let loaded = load(&source, wall_ms() / 1_000);
        let mut sentinel = lock(watch);
        match sentinel.put_in_force(loaded, &reason, wall_ms()) {
            Ok(()) => Ok(sentinel.status()),
            Err(error @ NodeError::Sentinel(_)) => {
                Err(Fault::new(Code::Conflict, format!("{error}; the rules before stay in force")))
            }
            Err(error) => Err(error.into()),
        }
    });
    view.await.map(Json)
}
