//! The node's HTTP API. `docs/openapi.json` describes it; its types are those of `bastion_client`.
//!
//! | module | content |
//! |---|---|
//! | `routes` | the public routes, one file for each kind of thing |
//! | `views` | what is shown, made of what the parts of the node know |
//! | [`admin`] | the operator's routes, on an address of their own |
//! | `admin_sentinel` | those of them that are about the sentinel |
//! | [`problem`] | errors (RFC 9457) |
//! | [`extract`] | what a request says |
//! | [`layers`] | limits of time and rate, counters |
//! | [`limit`] | the rate of each client |
//! | [`shares`] | what each client may have open |
//! | [`hub`] | events, made once for all who watch |
//! | [`metrics`] | Prometheus |
//! | [`page`] | the web page |
//! | [`mod@serve`] | connections |
//! | [`document`] | the OpenAPI file |

pub mod admin;
mod admin_sentinel;
pub mod document;
pub mod extract;
pub mod hub;
pub mod layers;
pub mod limit;
pub mod metrics;
pub mod options;
pub mod page;
pub mod problem;
mod routes;
pub mod serve;
pub mod shares;
mod views;

use std::sync::{Arc, PoisonError, RwLockReadGuard};

use axum::extract::DefaultBodyLimit;
use axum::http::{header, Method};
use axum::middleware::from_fn_with_state;
use axum::Router;
use tower_http::cors::{Any, CorsLayer};

use crate::coordinator::Clock;
use crate::service::run::Parts;
use crate::service::L1Status;
use hub::Hub;
use limit::Limiter;
use views::block::Hashes;
use views::status::Rate;

pub use admin::admin_router;
pub use options::{FeeOptions, Options};
pub use problem::{Code, Fault};
pub use serve::serve;

/// Bytes of a request's body at most.
pub const MOST_BODY: usize = 1 << 20;

/// What the API answers from.
pub struct Backend {
    /// The parts of the node.
    pub parts: Parts,
    /// The time in seconds.
    pub clock: Clock,
    /// What the operator decides.
    pub options: Options,
    hub: Hub,
    rate: Rate,
    hashes: Hashes,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Backend")
    }
}

impl Backend {
    /// A backend over the parts of a node.
    pub fn new(parts: Parts, clock: Clock, options: Options) -> Arc<Self> {
        let hub = Hub::default();
        let (rate, hashes) = (Rate::default(), Hashes::default());
        Arc::new(Self { parts, clock, options, hub, rate, hashes })
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }

    fn l1(&self) -> RwLockReadGuard<'_, L1Status> {
        self.parts.l1.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What every public route shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) backend: Arc<Backend>,
    pub(crate) limiter: Arc<Limiter>,
}

/// The public API with the web page. To be called within a Tokio runtime, in which it keeps a task that
/// tells those who watch.
pub fn router(backend: Arc<Backend>) -> Router {
    metrics::install();
    hub::start(&backend);
    let Options { requests_per_second, burst, .. } = backend.options;
    let limiter = Arc::new(Limiter::new(requests_per_second, burst));
    let shared = Shared { backend, limiter };
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE]);
    let (routes, _) = document::routes().split_for_parts();
    routes
        .fallback(page::page)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(from_fn_with_state(shared.clone(), layers::in_time))
        .layer(from_fn_with_state(shared.clone(), layers::at_its_rate))
        .layer(axum::middleware::from_fn(layers::counted))
        .layer(cors)
        .with_state(shared)
}
