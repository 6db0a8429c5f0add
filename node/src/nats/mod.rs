//! Workers on other machines, over NATS JetStream.
//!
//! | what | where |
//! |---|---|
//! | "there may be work of this kind" | work-queue stream `BASTION_<rollup>`, subjects `bastion.<rollup>.jobs.<kind>.<circuit>` |
//! | inputs and proofs | object store `bastion_<rollup>`, by the digest of their bytes |
//! | lease, heartbeat, complete, fail | requests to `bastion.<rollup>.desk`, answered by the coordinator |
//!
//! **The coordinator's database is the truth, JetStream is transport.** It acknowledges before it syncs, and
//! may be lost whole: then the coordinator makes it again and publishes what waits. A message that is lost
//! or comes twice costs time and nothing else: a job is whose lease it is, inputs and proofs are checked by
//! digest, and proofs are verified. Whoever reaches the NATS server can take leases and fail jobs: it
//! belongs into a private network, with credentials.
//!
//! | module | content |
//! |---|---|
//! | [`server`] | the coordinator's side |
//! | [`client`] | the workers' side |
//! | `messages` | what both say |

pub mod client;
mod messages;
pub mod server;

use std::time::Duration;

use alloy_primitives::keccak256;
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, object_store};
use bastion_protocol::{Address, CircuitId};
use tokio::runtime::{Builder, Runtime};
use tracing::{info, warn};

use crate::error::NodeError;
use crate::jobs::JobKind;

/// Time after which a message that nobody acknowledged comes again.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// Times that it comes at most; the coordinator publishes what still waits.
const DELIVERIES: i64 = 5;
/// The oldest server whose streams survive crashes as they should.
const SOUND: (u64, u64, u64) = (2, 10, 23);

/// A connection to a NATS server, with threads of its own: the prover takes those of rayon.
pub(crate) struct Link {
    runtime: Runtime,
    client: async_nats::Client,
    context: jetstream::Context,
    host: String,
    rollup: String,
}

impl Link {
    /// Connects, and goes on connecting when the server is away later.
    pub(crate) fn connect(url: &str, chain_id: u64, contract: Address) -> Result<Self, NodeError> {
        let host = host_of(url);
        let failed = |why: String| NodeError::Nats { host: host.clone(), why };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("nats")
            .enable_all()
            .build()
            .map_err(|e| failed(e.to_string()))?;
        let options = async_nats::ConnectOptions::new()
            .name("bastion")
            .request_timeout(Some(Duration::from_secs(20)))
            .max_reconnects(None);
        // The client does not take them from the URL.
        let address: async_nats::ServerAddr =
            url.parse().map_err(|_| failed("it is no URL of a NATS server".into()))?;
        let options = match (address.username(), address.password()) {
            (Some(user), Some(password)) => {
                options.user_and_password(user.to_owned(), password.to_owned())
            }
            (Some(token), None) => options.token(token.to_owned()),
            (None, _) => options,
        };
        let client = runtime
            .block_on(options.connect(url))
            // The error may repeat the URL, which may hold a password.
            .map_err(|e| {
                use async_nats::ConnectErrorKind as Kind;
                failed(match e.kind() {
                    Kind::Authentication | Kind::AuthorizationViolation => {
                        "it refuses user or password: they stand in the URL (nats.url, --nats)"
                            .into()
                    }
                    Kind::Io | Kind::TimedOut | Kind::Dns => {
                        "cannot connect: does a server run there? (nats.url, --nats)".into()
                    }
                    other => format!("cannot connect: {other}"),
                })
            })?;
        let version = client.server_info().version;
        info!(host, version, "connected to NATS");
        if version_of(&version).is_some_and(|version| version < SOUND) {
            warn!(
                version,
                "this NATS server loses streams in crashes that newer ones survive: that costs time, no \
                 jobs; 2.10.23 or newer is better"
            );
        }
        let guard = runtime.enter();
        let context = jetstream::new(client.clone());
        drop(guard);
        let rollup = rollup_name(chain_id, contract);
        Ok(Self { runtime, client, context, host, rollup })
    }

    fn failed(&self, why: impl ToString) -> NodeError {
        NodeError::Nats { host: self.host.clone(), why: why.to_string() }
    }

    fn subject(&self, rest: &str) -> String {
        format!("bastion.{}.{rest}", self.rollup)
    }

    fn stream_name(&self) -> String {
        format!("BASTION_{}", self.rollup)
    }

    /// The stream of wake-ups, made if it is not there.
    async fn stream(&self) -> Result<jetstream::stream::Stream, NodeError> {
        let config = Config {
            name: self.stream_name(),
            subjects: vec![self.subject("jobs.>")],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            ..Config::default()
        };
        self.context.get_or_create_stream(config).await.map_err(|e| self.failed(e))
    }

    /// The store of inputs and proofs, made if it is not there.
    async fn store(&self) -> Result<object_store::ObjectStore, NodeError> {
        let bucket = format!("bastion_{}", self.rollup);
        if let Ok(store) = self.context.get_object_store(&bucket).await {
            return Ok(store);
        }
        let config = object_store::Config { bucket, ..object_store::Config::default() };
        self.context.create_object_store(config).await.map_err(|e| self.failed(e))
    }
}

/// Names a rollup in subjects, streams and stores.
fn rollup_name(chain_id: u64, contract: Address) -> String {
    let hash = keccak256([&chain_id.to_be_bytes()[..], &contract.0].concat());
    hex::encode(&hash[..8])
}

/// The end of the subject of a kind and circuit.
fn work_name(kind: JobKind, circuit: CircuitId) -> String {
    let kind = match kind {
        JobKind::ProveBlock => "block",
        JobKind::ProveBatch => "batch",
    };
    format!("{kind}.{}", circuit.short())
}

/// Host and port of a URL that may hold a password.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    place.split('/').next().unwrap_or_default().to_owned()
}

fn version_of(text: &str) -> Option<(u64, u64, u64)> {
    let mut parts = text.split(['.', '-']).map(str::parse);
    match (parts.next()?, parts.next()?, parts.next()?) {
        (Ok(major), Ok(minor), Ok(patch)) => Some((major, minor, patch)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_url_holds_no_password() {
        for (url, host) in [
            ("nats://10.0.0.1:4222", "10.0.0.1:4222"),
            ("nats://me:secret@host:4222/x", "host:4222"),
            ("host", "host"),
        ] {
            assert_eq!(host_of(url), host);
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version_of("2.9.10").unwrap() < SOUND);
        assert!(version_of("2.10.23").unwrap() >= SOUND);
        assert!(version_of("2.15.1-dev").unwrap() > SOUND);
        assert_eq!(version_of("none"), None);
    }

    #[test]
    fn rollups_have_names_of_their_own() {
        let (one, two) = (Address([1; 20]), Address([2; 20]));
        assert_ne!(rollup_name(1, one), rollup_name(1, two));
        assert_ne!(rollup_name(1, one), rollup_name(2, one));
    }
}
