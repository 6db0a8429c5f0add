//! What other chains say about the addresses of an operation, and what is said to them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{sync_channel, RecvTimeoutError, SyncSender};
use std::sync::Arc;
use std::time::Duration;

use bastion_protocol::Address;
use bastion_sentinel::sharing::client::{Client, ClientOptions, Feed as Source, Follower, Pace};
use bastion_sentinel::sharing::sign::Signer;
use bastion_sentinel::sharing::stix::draft::{indicator, Draft};
use bastion_sentinel::sharing::stix::{Subject, Timestamp, Tlp};
use bastion_sentinel::sharing::{
    server, Collection, Intelligence, Options, SharingError, TrustList,
};
use bastion_sentinel::{Decision, Input, Reason};
use serde::Deserialize;
use tokio::runtime::Runtime;
use tracing::{info, warn};

use crate::error::NodeError;
use crate::service::keys::read_private;

/// Indicators that wait to be published at most. More are not published: they are in the log of findings.
const WAITING: usize = 256;
/// Confidence from which an operation is held back, of 1000, and for how long.
const HOLD: u16 = 700;
const HOLD_SECONDS: u64 = 3_600;
/// Sources and indicators that evidence names at most.
const SHOWN: usize = 8;
/// How often what has expired is forgotten.
const FORGET: Duration = Duration::from_secs(3_600);
/// For how long an indicator of this chain holds, in seconds.
const VALID: u64 = 7 * 86_400;

/// The file of the feed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FeedConfig {
    /// Address of the TAXII server; without it nothing is served. TLS is for a proxy in front of it.
    pub listen: Option<SocketAddr>,
    /// What the server is called.
    #[serde(default = "title")]
    pub title: String,
    /// The collection, which its members read: a UUID.
    pub collection: String,
    /// Whom this chain believes, and who it is, as JSON.
    pub trust: PathBuf,
    /// File with the key that signs indicators, which nobody else may read: 64 hexadecimal digits.
    pub key_file: PathBuf,
    /// Who may log in.
    #[serde(default)]
    pub peer: Vec<server::Peer>,
    /// Whose collections are followed.
    #[serde(default)]
    pub follow: Vec<FollowConfig>,
}

fn title() -> String {
    "Bastion".into()
}

/// A collection of another chain.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FollowConfig {
    /// The root of its server, such as `https://chain.example/intel/`.
    pub url: String,
    /// The name that this chain logs in with.
    pub name: String,
    /// File with its token.
    pub token_file: PathBuf,
    /// The collection.
    pub collection: String,
    /// Whether the token may go over plain HTTP to another machine.
    #[serde(default)]
    pub plain: bool,
}

/// What is shared.
pub struct Feed {
    intelligence: Arc<Intelligence>,
    chain_id: u64,
    queue: SyncSender<Draft>,
    runtime: Option<Runtime>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        // Whoever holds the sentinel last may be a thread that must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.intelligence.fmt(f)
    }
}

impl Feed {
    /// Opens the journal in `dir`, serves, and follows, as the file at `path` says.
    ///
    /// # Errors
    /// If a file cannot be read or does not hold what it should, or the address cannot be listened at.
    pub fn open(path: &Path, dir: &Path, chain_id: u64) -> Result<Self, NodeError> {
        let shown = |path: &Path| path.display().to_string();
        let read = |path: &Path| {
            let io = |source| NodeError::Io { path: shown(path), source };
            std::fs::read_to_string(path).map_err(io)
        };
        let malformed = |path: &Path, why: String| NodeError::Malformed { path: shown(path), why };
        let config: FeedConfig =
            toml::from_str(&read(path)?).map_err(|e| malformed(path, e.to_string()))?;
        let trust: TrustList = serde_json::from_str(&read(&config.trust)?)
            .map_err(|e| malformed(&config.trust, e.to_string()))?;
        let secret =
            hex::decode(read_private("the key of the feed", &config.key_file)?.trim()).ok();
        let secret: [u8; 32] = secret.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
            malformed(&config.key_file, "it does not hold 64 hexadecimal digits".into())
        })?;
        let signer = Signer::new(trust.own().clone(), &secret)?;
        let collection = Collection {
            id: config.collection.clone(),
            title: config.title.clone(),
            description: None,
            public: false,
            unsigned: false,
            named: Default::default(),
        };
        let options = Options::new(dir.join("intelligence.log"), vec![collection]);
        let intelligence = Intelligence::open(options, trust)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("feed")
            .enable_all()
            .build()
            .map_err(|source| NodeError::Io { path: "threads of the feed".into(), source })?;
        if let Some(listen) = config.listen {
            let server = server::Config::new(&config.title, config.peer.clone());
            let routes = server::router(intelligence.clone(), server)?;
            let listener = runtime.block_on(tokio::net::TcpListener::bind(listen));
            let listener = listener
                .map_err(|source| NodeError::Io { path: format!("address {listen}"), source })?;
            info!(%listen, "intelligence is shared here");
            runtime.spawn(crate::api::serve(listener, routes, false, std::future::pending()));
        }
        for peer in &config.follow {
            let token = read_private("the token of a peer", &peer.token_file)?;
            let options = ClientOptions { plain: peer.plain, ..ClientOptions::default() };
            let client = Client::new(&peer.url, &peer.name, token.trim(), options)?;
            let source = Source {
                client,
                collection: peer.collection.clone(),
                into: config.collection.clone(),
                sender: peer.url.clone(),
            };
            let mut follower = Follower::new(source, intelligence.clone(), Pace::default(), None);
            info!(url = peer.url, "the intelligence of a peer is followed");
            runtime.spawn(async move { follower.run(std::future::pending()).await });
        }
        let (queue, waiting) = sync_channel::<Draft>(WAITING);
        let (here, into) = (intelligence.clone(), config.collection);
        // Publishing waits for the disk, which the sequencer must not.
        runtime.spawn_blocking(move || loop {
            match waiting.recv_timeout(FORGET) {
                Ok(draft) => publish(&here, &signer, &into, &draft),
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = here.compact() {
                        warn!(%error, "what has expired is not forgotten");
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        });
        Ok(Self { intelligence, chain_id, queue, runtime: Some(runtime) })
    }

    /// What is known about the addresses of an operation, and what that asks for.
    pub(super) fn look(&self, input: &Input) -> Option<(Reason, Decision)> {
        let addresses = [input.own_exit(), input.receiver_exit, input.target()];
        let found = addresses.into_iter().flatten().map(|address| {
            (address, self.intelligence.lookup(&Subject::evm(self.chain_id, address)))
        });
        let (address, found) = found.max_by_key(|(_, found)| found.confidence)?;
        if found.confidence == 0 {
            return None;
        }
        let names = found.sources.iter().take(SHOWN).map(|source| &*source.name);
        let names: Vec<&str> = names.collect();
        let indicators = found.indicators.iter().take(SHOWN).map(ToString::to_string);
        let quorum = found.may_freeze && input.own_exit() == Some(address);
        let reason = Reason {
            detector: if quorum { "feed.quorum" } else { "feed.indicator" }.into(),
            version: "stix-2.1".into(),
            score: found.confidence,
            evidence: vec![
                ("address".into(), address.to_string()),
                ("sources".into(), names.join(", ")),
                ("indicators".into(), indicators.collect::<Vec<_>>().join(" ")),
            ],
        };
        let until = (input.arrived_ms / 1_000).saturating_add(HOLD_SECONDS);
        let decision = match found.confidence >= HOLD && !input.is_exit_lane() {
            true => Decision::Quarantine { until },
            false => Decision::Allow,
        };
        Some((reason, decision))
    }

    /// Publishes an address that a detector of this chain is sure about.
    pub(super) fn publish(&self, address: Address, detector: &str, score: u16) {
        let subject = Subject::evm(self.chain_id, address);
        let known = self.intelligence.lookup(&subject);
        let own = self.intelligence.trust().own().clone();
        if known.sources.iter().any(|source| source.identity == own) {
            return;
        }
        let now = self.intelligence.now();
        let draft = Draft {
            name: detector.into(),
            subjects: vec![subject],
            confidence: (score / 10).min(100) as u8,
            tlp: Tlp::Green,
            valid_from: now,
            valid_until: Some(Timestamp::from_seconds(now.seconds().saturating_add(VALID))),
        };
        if self.queue.try_send(draft).is_err() {
            warn!(detector, "too many indicators wait: this one is not published");
        }
    }

    /// What is known.
    pub(super) fn intelligence(&self) -> Arc<Intelligence> {
        self.intelligence.clone()
    }
}

fn publish(here: &Intelligence, signer: &Signer, into: &str, draft: &Draft) {
    let made = indicator(signer.identity(), draft, here.now());
    match made.and_then(|made| here.publish(signer, into, made)) {
        Ok(_) => info!(name = draft.name, "an indicator is published"),
        Err(error) => warn!(%error, name = draft.name, "an indicator is not published"),
    }
}

impl From<SharingError> for NodeError {
    fn from(error: SharingError) -> Self {
        Self::Sharing(Box::new(error))
    }
}
