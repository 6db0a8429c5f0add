//! The operator's routes. They have an address of their own, and every request brings the token. The page
//! and what it reads are there too, without it: a browser then sends the token to where the page is from,
//! and no other origin needs to be let in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{header, HeaderMap, Method};
use axum::middleware::{from_fn, from_fn_with_state, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bastion_client::types::{Hash, Health, Intent, Intents, Job};
use bastion_l1::txmgr::State as IntentState;
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use tower::Service;
use tracing::info;

use super::admin_sentinel;
use super::extract::Path;
use super::layers::counted;
use super::problem::{self, Code, Fault};
use super::views::blocking;
use super::Backend;
use crate::sequencer::Refusal;
use crate::service::run::Order;

/// The operator's API. Whoever has the token is the operator. `public` is the public API: what it lets
/// everybody read can be read here as well.
pub fn admin_router(backend: Arc<Backend>, token: &str, public: Router) -> Router {
    let token: Arc<str> = token.into();
    Router::new()
        .route("/admin/v1/pause", post(pause))
        .route("/admin/v1/resume", post(resume))
        .route("/admin/v1/drain", post(drain))
        .route("/admin/v1/close-block", post(close_block))
        .route("/admin/v1/jobs/{key}", get(job))
        .route("/admin/v1/jobs/{key}/retry", post(retry))
        .route("/admin/v1/jobs/{key}/cancel", post(cancel))
        .merge(admin_sentinel::routes())
        .route("/admin/v1/l1/intents", get(intents))
        .route("/admin/v1/l1/intents/{name}/resend", post(resend))
        .route("/admin/v1/l1/intents/{name}/cancel", post(cancel_intent))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(token, with_token))
        .layer(from_fn(counted))
        .layer(from_fn_with_state(public, or_read))
        .with_state(backend)
}

/// Hands to the public API what only reads, and is none of the operator's routes.
async fn or_read(State(mut public): State<Router>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path();
    if !reads || path == "/admin" || path.starts_with("/admin/") {
        return next.run(request).await;
    }
    // A router is always ready.
    match public.call(request).await {
        Ok(response) => response,
    }
}

async fn with_token(
    State(token): State<Arc<str>>,
    request: Request,
    next: Next,
) -> Result<Response, Fault> {
    match bearer(request.headers()).is_some_and(|given| is_same(given, &token)) {
        true => Ok(next.run(request).await),
        false => {
            let detail = "send the operator's token as `Authorization: Bearer TOKEN`";
            Err(Fault::new(Code::Unauthorized, detail))
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares in a time that tells nothing but the lengths. No token is as good as none.
fn is_same(given: &str, token: &str) -> bool {
    !token.is_empty() && bool::from(given.as_bytes().ct_eq(token.as_bytes()))
}

pub(super) fn done() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

async fn pause(State(backend): State<Arc<Backend>>) -> Json<Health> {
    info!("the operator pauses the node");
    backend.parts.control.set_paused(true);
    done()
}

async fn resume(State(backend): State<Arc<Backend>>) -> Json<Health> {
    info!("the operator resumes the node");
    backend.parts.control.set_paused(false);
    done()
}

async fn drain(State(backend): State<Arc<Backend>>) -> Json<Health> {
    info!("the operator drains the node");
    backend.parts.control.drain();
    done()
}

async fn close_block(State(backend): State<Arc<Backend>>) -> Result<Json<Health>, Fault> {
    info!("the operator closes the block");
    backend.parts.service.close_block()?.await.map_err(|_| Refusal::Stopped)??;
    Ok(done())
}

async fn job(
    State(backend): State<Arc<Backend>>,
    Path(name): Path<String>,
) -> Result<Json<Job>, Fault> {
    let view = blocking(&backend, move |backend| {
        let key = backend.job_named(&name)?;
        backend.job(&key).ok_or_else(|| Fault::not_found(format!("job {name}")))
    });
    view.await.map(Json)
}

async fn retry(
    State(backend): State<Arc<Backend>>,
    Path(name): Path<String>,
) -> Result<Json<Health>, Fault> {
    info!(job = name, "the operator grants a job new attempts");
    let change = blocking(&backend, move |backend| {
        Ok(backend.parts.coordinator.retry(&backend.job_named(&name)?)?)
    });
    change.await.map(|()| done())
}

async fn cancel(
    State(backend): State<Arc<Backend>>,
    Path(name): Path<String>,
) -> Result<Json<Health>, Fault> {
    info!(job = name, "the operator takes a job back");
    let change = blocking(&backend, move |backend| {
        Ok(backend.parts.coordinator.cancel(&backend.job_named(&name)?)?)
    });
    change.await.map(|()| done())
}

async fn intents(State(backend): State<Arc<Backend>>) -> Result<Json<Intents>, Fault> {
    let all = ask(&backend, Order::List).await?;
    Ok(Json(Intents { intents: all.iter().map(show).collect() }))
}

async fn resend(
    State(backend): State<Arc<Backend>>,
    Path(name): Path<String>,
) -> Result<Json<Health>, Fault> {
    info!(intent = name, "the operator sends a transaction again");
    let sent = ask(&backend, |reply| Order::Resend(name, reply)).await?;
    sent.map(|()| done()).map_err(|why| Fault::new(Code::Conflict, why))
}

async fn cancel_intent(
    State(backend): State<Arc<Backend>>,
    Path(name): Path<String>,
) -> Result<Json<Health>, Fault> {
    info!(intent = name, "the operator takes a transaction back");
    let taken = ask(&backend, |reply| Order::Cancel(name, reply)).await?;
    taken.map(|()| done()).map_err(|why| Fault::new(Code::Conflict, why))
}

/// Asks the settler, which answers in its next step.
async fn ask<T>(
    backend: &Backend,
    order: impl FnOnce(oneshot::Sender<T>) -> Order,
) -> Result<T, Fault> {
    let ended = || Fault::new(Code::NotReady, "the settler has ended: see the log of the node");
    let (reply, answer) = oneshot::channel();
    backend.parts.orders.send(order(reply)).map_err(|_| ended())?;
    let answer = tokio::time::timeout(backend.options.timeout, answer).await;
    let late = |_| Fault::new(Code::Timeout, "the settler is busy with L1: ask again");
    answer.map_err(late)?.map_err(|_| ended())
}

fn show(intent: &bastion_l1::txmgr::Intent) -> Intent {
    let cause = match &intent.state {
        IntentState::Failed { cause } => Some(cause.clone()),
        _ => None,
    };
    Intent {
        name: intent.name().into(),
        state: intent.state.word().into(),
        time: intent.time,
        nonce: intent.nonce,
        attempts: intent.attempts.iter().map(|attempt| Hash(attempt.hash.0)).collect(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_token_lets_nobody_in() {
        assert!(is_same("secret", "secret"));
        assert!(!is_same("Secret", "secret") && !is_same("secre", "secret"));
        assert!(!is_same("", ""));
    }
}
