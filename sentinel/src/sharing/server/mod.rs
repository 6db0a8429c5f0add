//! A server of TAXII 2.1, and a stream beside it.
//!
//! | module | content |
//! |---|---|
//! | [`peers`] | who may do what |
//! | `media` | media types |
//! | `filter` | what a request asks for |
//! | `info` | discovery, root, collections |
//! | `read` | objects, manifest, versions |
//! | `write` | adding and deleting |
//! | `status` | what became of what was added |
//! | `stream` | what is added, as it is added |
//! | `fault` | errors |

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{from_fn_with_state, Next};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::collection::Collection;
use super::error::SharingError;
use super::intelligence::Intelligence;
use super::trust::Reader;

mod fault;
mod filter;
mod info;
pub(super) mod media;
pub mod peers;
mod read;
mod status;
mod stream;
mod write;

use fault::Fault;
pub use peers::{Peer, Rights, TokenHash};

/// Streams of one peer.
const STREAMS_OF_ONE: usize = 4;

/// A server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its title.
    pub title: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Whom to ask.
    #[serde(default)]
    pub contact: Option<String>,
    /// The first part of the paths below which everything but discovery lies.
    #[serde(default = "root")]
    pub root: String,
    /// Bytes of a request's body at most.
    #[serde(default = "max_content_length")]
    pub max_content_length: usize,
    /// Objects of a page at most.
    #[serde(default = "page")]
    pub page: usize,
    /// Streams at once.
    #[serde(default = "streams")]
    pub streams: usize,
    /// Who may log in.
    pub peers: Vec<Peer>,
}

fn root() -> String {
    "intel".into()
}

fn max_content_length() -> usize {
    4 << 20
}

fn page() -> usize {
    200
}

fn streams() -> usize {
    256
}

impl Config {
    /// A server with the usual bounds.
    pub fn new(title: impl Into<String>, peers: Vec<Peer>) -> Self {
        Self {
            title: title.into(),
            description: None,
            contact: None,
            root: root(),
            max_content_length: max_content_length(),
            page: page(),
            streams: streams(),
            peers,
        }
    }

    fn check(&self) -> Result<(), SharingError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.root.is_empty() || !self.root.chars().all(plain) || self.root == "taxii2" {
            let why =
                format!("{:?} must be letters, digits and hyphens, and not taxii2", self.root);
            return Err(SharingError::setting("root", why));
        }
        if self.page == 0 || self.max_content_length == 0 {
            return Err(SharingError::setting("server", "its bounds must be above nought"));
        }
        Ok(())
    }
}

/// What every route shares.
struct Shared {
    config: Config,
    intelligence: Arc<Intelligence>,
    peers: HashMap<String, Arc<Peer>>,
    statuses: Mutex<status::Statuses>,
    streams: Arc<Semaphore>,
    /// By name; whoever does not log in has one together.
    streams_of: HashMap<Option<String>, Arc<Semaphore>>,
}

/// Who asks.
#[derive(Debug, Clone)]
struct Session {
    peer: Option<Arc<Peer>>,
    reader: Reader,
}

impl Session {
    fn rights(&self, collection: &Collection) -> Rights {
        let of_all = Rights { read: collection.public, ..Rights::default() };
        let of_peer = self.peer.as_ref().and_then(|peer| peer.rights.get(&collection.id));
        Rights {
            read: of_all.read || of_peer.is_some_and(|r| r.read),
            ..of_peer.copied().unwrap_or(of_all)
        }
    }
}

impl Shared {
    /// A collection that somebody may see, and what may be done with it.
    fn collection(&self, session: &Session, id: &str) -> Result<(&Collection, Rights), Fault> {
        let collection = self.intelligence.collection(id).map_err(|_| Fault::no_collection(id));
        let hidden = || match session.peer {
            Some(_) => Fault::no_collection(id),
            None => Fault::unauthorized(),
        };
        let collection = collection.map_err(|fault| match session.peer {
            Some(_) => fault,
            None => Fault::unauthorized(),
        })?;
        let rights = session.rights(collection);
        if rights == Rights::default() {
            return Err(hidden());
        }
        Ok((collection, rights))
    }

    fn readable(&self, session: &Session, id: &str) -> Result<&Collection, Fault> {
        let (collection, rights) = self.collection(session, id)?;
        rights.read.then_some(collection).ok_or_else(|| Fault::forbidden("read", id))
    }
}

/// The routes of a server. It is for the operator to serve them over TLS: tokens travel in them.
///
/// # Errors
/// [`SharingError::Setting`] for a configuration that cannot be.
pub fn router(intelligence: Arc<Intelligence>, config: Config) -> Result<Router, SharingError> {
    config.check()?;
    let peers = peers::by_name(&config.peers, &intelligence)?;
    let names = peers.keys().cloned().map(Some).chain([None]);
    let streams_of = names.map(|name| (name, Arc::new(Semaphore::new(STREAMS_OF_ONE)))).collect();
    let root = format!("/{}", config.root);
    let streams = Arc::new(Semaphore::new(config.streams));
    let statuses = Mutex::default();
    let shared = Arc::new(Shared { config, intelligence, peers, statuses, streams, streams_of });
    let at = |path: &str| format!("{root}{path}");
    let router = Router::new()
        .route("/taxii2/", get(info::discovery))
        .route(&at("/"), get(info::root))
        .route(&at("/status/{status}/"), get(status::status))
        .route(&at("/collections/"), get(info::collections))
        .route(&at("/collections/{collection}/"), get(info::collection))
        .route(&at("/collections/{collection}/manifest/"), get(read::manifest))
        .route(&at("/collections/{collection}/objects/"), get(read::objects).post(write::add))
        .route(
            &at("/collections/{collection}/objects/{object}/"),
            get(read::object).delete(write::delete),
        )
        .route(&at("/collections/{collection}/objects/{object}/versions/"), get(read::versions))
        .route(&at("/collections/{collection}/stream/"), get(stream::stream))
        .fallback(fault::not_found)
        .method_not_allowed_fallback(fault::method_not_allowed)
        .layer(from_fn_with_state(shared.clone(), enter))
        .with_state(shared);
    Ok(router)
}

/// Who asks, and whether the answer can be read there.
async fn enter(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Fault> {
    let session = peers::session(&shared, request.headers())?;
    let is_stream = request.uri().path().ends_with("/stream/") && request.method() == Method::GET;
    media::check_accept(request.headers(), is_stream)?;
    request.extensions_mut().insert(session);
    Ok(next.run(request).await)
}

type Who = Extension<Session>;
