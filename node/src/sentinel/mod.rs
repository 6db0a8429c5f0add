//! The sentinel in the sequencer's path: who looks at an operation before it is included, what is held
//! back, and what is written about it.
//!
//! ```text
//! executed on a copy -> screened -> allowed ----------------------------> included -> learned from
//!                          |-----> held back -> its time, or the operator -> executed again
//!                          |-----> refused
//! finding -> log of findings (its head goes to L1 with each block) -> playbooks -> freeze, alert
//! ```
//!
//! Validity never depends on it. Operations of L1 are looked at and never held back, and neither is a
//! withdrawal to the owner's own exit address.
//!
//! | module | content |
//! |---|---|
//! | `admit` | the decision about an operation |
//! | `change` | rules that change, what is published |
//! | `check` | whether the configuration would load |
//! | `claims` | what is claimed on L1 with a block |
//! | `feed` | what other chains say, and what is said to them |
//! | `guardian` | freezes, signed by the guardian's key |
//! | `memory` | what was learned, on disk |
//! | [`replay`] | the same verdicts again, from a data folder |
//! | `refused` | what was refused lately |
//! | [`rewards`] | the account of stakes and rewards, what watchers ask for |
//! | `rollup` | of which rollup it is |
//! | `rules` | the rules in force: built in, or a signed bundle |
//! | `unsynced` | what of the log of findings may not be on disk |
//! | `view` | what is shown of it |

mod admit;
mod change;
mod check;
mod claims;
mod feed;
mod guardian;
mod memory;
mod refused;
pub mod replay;
mod respond;
pub mod rewards;
mod rollup;
mod rules;
mod unsynced;
mod view;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::keccak256;
use bastion_protocol::ops::{Action, Op, SignedOp};
use bastion_protocol::order::leaf_of;
use bastion_protocol::records::L1Record;
use bastion_protocol::Receipt;
use bastion_sentinel::findings::{Entry, Finding, FindingsLog, Hash};
use bastion_sentinel::rewards::Treasury;
use bastion_sentinel::rules::RuleSet;
use bastion_sentinel::screener::Stats;
use bastion_sentinel::{Candidate, Config, Input, Screener, SentinelError};
use bastion_state::executor::OpTrace;
use bastion_state::State;
use tracing::{error, info, warn};

use crate::error::NodeError;
use crate::sequencer::{Decline, Entry as LogEntry};
use crate::service::config::{Mode, Publish, SentinelConfig};
pub(crate) use check::check;
pub use claims::Claims;
use feed::Feed;
pub use guardian::Guardian;
use memory::Memories;
use refused::Refused;
use respond::Responder;
use rewards::{At, Rewards};
pub use rollup::Rollup;
pub(crate) use rules::Source;
use unsynced::Unsynced;
pub(crate) use view::shown;
use view::{text, RECENT};

/// File of the log of findings.
const FINDINGS: &str = "findings.log";

/// Score from which a finding is told to other chains, of 1000.
const SURE: u16 = 750;

/// Longest time for which an alert is not synced, in milliseconds.
const SYNC_MS: u64 = 1_000;
/// An hour in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// Entries of the sequencer's log with which a sentinel is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entries {
    /// The first of the log: above 0 if the node was rebuilt from L1.
    pub begin: u64,
    /// The first that was executed again at the start.
    pub first: u64,
    /// The next to come.
    pub next: u64,
}

/// A sentinel that the sequencer and the API share.
pub type Watch = Arc<Mutex<Sentinel>>;

/// Locks it. What a panic left is what is on disk, or will be read again from there.
pub fn lock(watch: &Watch) -> MutexGuard<'_, Sentinel> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This machine's time in milliseconds.
pub fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The sentinel.
pub struct Sentinel {
    mode: Mode,
    dir: PathBuf,
    rules: Source,
    /// Whether the rules that are configured did not load.
    rules_failed: bool,
    screener: Screener,
    /// Entries that the screener has seen: the next one is this.
    next: u64,
    memories: Memories,
    findings: FindingsLog,
    genesis: Hash,
    responder: Responder,
    rewards: Rewards,
    /// Entries that were seen before the start.
    learned: u64,
    /// Whether what was learned begins anew, and is not written yet.
    begins_anew: bool,
    /// The operation that was screened last and is not included yet.
    pending: Option<Input>,
    /// What is shared with other chains, and who decides that.
    feed: Option<Feed>,
    publish: Publish,
    /// When it was written down last that the quarantine takes no more.
    full_noted_ms: u64,
    /// What may not be on disk, and when all was, in milliseconds.
    unsynced: Unsynced,
    synced_ms: u64,
    /// Why a finding could not be written: nothing goes on after that.
    unwritten: Option<String>,
    /// What was refused lately.
    refused: Refused,
    /// Why something that was learned cannot be written.
    unlearned: Option<NodeError>,
    /// The last entries of the log of findings, and who reads the older ones.
    recent: VecDeque<String>,
    reader: Arc<Mutex<()>>,
    /// Numbers that are shown, and when they were taken: the models' hash is not free.
    shown: Option<(u64, Stats)>,
}

impl std::fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sentinel({}, {} findings)", self.dir.display(), self.findings.len())
    }
}

impl Sentinel {
    /// Opens the sentinel of the data folder `dir`.
    ///
    /// What the sentinel has learned must reach to `entries.first`. If it does not, it begins anew at
    /// `state`, which is the one before `entries.next`.
    ///
    /// # Errors
    /// If rules or playbooks do not load, a file is damaged, or the guardian's key cannot be read.
    pub fn open(
        dir: &Path,
        config: &SentinelConfig,
        rollup: Rollup,
        state: &State,
        entries: Entries,
    ) -> Result<Self, NodeError> {
        std::fs::create_dir_all(dir)
            .map_err(|source| NodeError::Io { path: dir.display().to_string(), source })?;
        let now_ms = wall_ms();
        let source = Source::new(dir, config)?;
        let loaded = source.load(now_ms / 1_000);
        let settings = Config::default();
        let feed = config.feed.as_deref().map(|path| Feed::open(path, dir, rollup.chain_id));
        let feed = feed.transpose()?;
        let mut memories = Memories::open(&dir.join("memory"))?;
        let (mut treasury, mut broken) = (None, None);
        let visit = |entry: &Entry| {
            if let (Finding::Rewards(record), None) = (&entry.finding, &broken) {
                let replayed = Treasury::replay(&mut treasury, record);
                broken = replayed.err().map(|error| (entry.number, error));
            }
        };
        let path = dir.join(FINDINGS);
        let (mut findings, opened) = FindingsLog::open_with(&path, rollup.genesis(), visit)?;
        if let Some((entry, error)) = broken {
            let why = format!("entry {entry} of the log of findings does not follow: {error}");
            return Err(NodeError::Rewards { why });
        }
        let rewards = Rewards::open(config, rollup.domain(), treasury, entries.begin)?;
        if opened.cut > 0 {
            warn!(bytes = opened.cut, "an unfinished entry of the log of findings was cut off");
        }
        let rules_failed = loaded.is_err();
        let rules = match loaded {
            Ok(rules) => rules,
            // Without them the node would stand still; with those of the program it sees the most.
            Err(error) => {
                error!(%error, "the rules do not load: those that come with the program are in force");
                let text = format!("{error}; the rules that come with the program are in force");
                findings.append(now_ms, Finding::Note { subject: "rules".into(), text })?;
                RuleSet::builtin()?
            }
        };
        let (reaches, screener) = match memories.read()? {
            Some((reaches, memory)) => {
                let mut screener = Screener::restore(settings, rules.clone(), memory)?;
                (memories.inputs(reaches, |input| screener.learn(&input))?, screener)
            }
            None => {
                let mut screener = Screener::empty(settings, rules.clone())?;
                (memories.inputs(0, |input| screener.learn(&input))?, screener)
            }
        };
        let learned = reaches;
        let mut begins_anew = false;
        let (next, screener) = match (entries.first..=entries.next).contains(&reaches) {
            // The rest is executed again.
            true => (reaches, screener),
            false => {
                let Entries { first, next, .. } = entries;
                let text = format!(
                    "what was learned reaches to entry {reaches}, which is not from {first} to {next}"
                );
                warn!("{text}: it begins anew");
                findings.append(now_ms, Finding::Note { subject: "memory".into(), text })?;
                begins_anew = true;
                (next, Screener::new(settings, rules, state)?)
            }
        };
        let version = screener.rules().version.clone();
        // Nobody lets a theft pass by a restart with other settings without leaving a trace.
        let playbooks = match &config.playbooks {
            None => "built in".into(),
            Some(path) => {
                let read = std::fs::read(path);
                let io = |source| NodeError::Io { path: path.display().to_string(), source };
                format!("keccak256 {}", keccak256(read.map_err(io)?))
            }
        };
        let reason = format!("started in mode {}, playbooks {playbooks}", config.mode);
        findings.append(now_ms, Finding::Rules { version: version.clone(), reason })?;
        info!(mode = %config.mode, rules = version, findings = findings.len(), "the sentinel is awake");
        Ok(Self {
            mode: config.mode,
            dir: dir.into(),
            rules: source,
            rules_failed,
            screener,
            next,
            memories,
            findings,
            genesis: rollup.genesis(),
            responder: Responder::open(dir, config, rollup.domain())?,
            rewards,
            learned,
            begins_anew,
            pending: None,
            feed,
            publish: config.publish,
            full_noted_ms: 0,
            unsynced: Unsynced::Decisions,
            synced_ms: 0,
            unwritten: None,
            refused: Refused::default(),
            unlearned: None,
            recent: VecDeque::new(),
            reader: Arc::default(),
            shown: None,
        })
    }

    /// Takes in what is executed again at the start; entries that were seen before are passed over.
    pub fn catch_up(&mut self, entry: u64, candidate: &Candidate<'_>) {
        self.see(entry, candidate.trace, &candidate.hash);
        if entry >= self.next {
            let input = Input::of(candidate);
            self.screener.learn(&input);
            self.saw(entry, &input);
        }
    }

    /// Writes what was learned, if it began anew. Not before rewards have taken what was included while nobody
    /// watched: what they have to take again is counted from the memory on disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn remember(&mut self) -> Result<(), NodeError> {
        match std::mem::take(&mut self.begins_anew) {
            true => self.memories.write(self.next, self.screener.memory()),
            false => Ok(()),
        }
    }

    /// The first entry that may not have been taken for rewards, if there are any.
    pub(crate) fn rewards_from(&self) -> Option<u64> {
        let treasury = self.rewards.treasury.as_ref()?;
        Some(treasury.next_entry().max(self.learned))
    }

    /// Looks at an operation that was included while nobody watched.
    pub(crate) fn missed(&mut self, entry: u64, found: &LogEntry) {
        let Receipt { operation, leaf, .. } = found.receipt.receipt;
        let credits = |account| {
            let record = L1Record::of(&found.op, account).map(|record| record.to_bytes());
            record.and_then(|record| leaf_of([&record[..]])) == Some(leaf)
        };
        self.rewards.see(entry, &found.op, &operation, credits);
    }

    fn see(&mut self, entry: u64, trace: &OpTrace, hash: &[u8; 32]) {
        let credited = trace.accesses[0].map(|access| access.index);
        self.rewards.see(entry, &trace.op, hash, |account| credited == Some(account));
    }

    fn saw(&mut self, entry: u64, input: &Input) {
        self.next = entry + 1;
        if let Err(error) = self.memories.saw(entry, input) {
            self.unlearned.get_or_insert(error);
        }
    }

    /// The operation that was admitted last is included, as entry number `entry`.
    pub fn included(&mut self, entry: u64) {
        if let Some(input) = self.pending.take() {
            self.note_freeze(&input);
            self.see(entry, &input.trace, &input.hash);
            self.screener.learn(&input);
            self.saw(entry, &input);
        }
    }

    /// What is to be executed now: operations whose time is over, what the guardian signs, payments to watchers.
    /// While nothing is accepted, the guardian's alone.
    ///
    /// # Errors
    /// If what payments are owed for cannot be written: then they are not made.
    pub fn due(
        &mut self,
        now_ms: u64,
        at: At<'_>,
        accepting: bool,
    ) -> Result<Vec<SignedOp>, NodeError> {
        if !accepting {
            return Ok(std::mem::take(&mut self.responder.orders));
        }
        let released = self.responder.quarantine.due(now_ms);
        for op in &released {
            let hash = bastion_protocol::receipt::operation_hash(&Op::Signed(*op));
            let by = self.responder.released_by(&hash).into();
            self.write(now_ms, Finding::Released { operation: Hash(hash), by });
        }
        let mut due = released;
        due.append(&mut self.responder.orders);
        let entries = self.findings.len();
        let mut payments = self.due_rewards(at, now_ms);
        if self.findings.len() > entries || !payments.is_empty() {
            self.sync()?;
        }
        due.append(&mut payments);
        Ok(due)
    }

    /// Notes what became of an operation of [`Sentinel::due`].
    pub fn was_executed(&mut self, op: &SignedOp, decline: Option<&Decline>, now_ms: u64) {
        let Some(decline) = decline else {
            return;
        };
        if self.rewards.owes(op) {
            self.note_unpaid(format!("a payment is not made: {decline}"), now_ms);
            return;
        }
        let hash = Hash(bastion_protocol::receipt::operation_hash(&Op::Signed(*op)));
        warn!(operation = %hash, %decline, "what was held back cannot be executed any more");
        let text = format!("operation {hash} is not executed: {decline}");
        self.write(now_ms, Finding::Note { subject: "released".into(), text });
    }

    /// The guardian of this node, if it has the key.
    pub fn guardian(&self) -> Option<&Guardian> {
        self.responder.guardian.as_ref()
    }

    /// Waits until everything that was decided is on disk: what is held back, and why. What is no more than
    /// an alert may come a second later.
    ///
    /// # Errors
    /// If it cannot be written: then nobody may be told of it.
    pub fn sync(&mut self) -> Result<(), NodeError> {
        // It stays: whoever asks first must not take it away from the sequencer.
        if let Some(why) = &self.unwritten {
            let path = self.dir.join(FINDINGS).display().to_string();
            return Err(NodeError::Io { path, source: std::io::Error::other(why.clone()) });
        }
        self.responder.sync()?;
        let late = wall_ms().saturating_sub(self.synced_ms) >= SYNC_MS;
        match self.unsynced {
            Unsynced::Nothing => Ok(()),
            Unsynced::Alerts if !late => Ok(()),
            Unsynced::Alerts | Unsynced::Decisions => self.sync_findings(),
        }
    }

    fn sync_findings(&mut self) -> Result<(), NodeError> {
        self.findings.sync()?;
        (self.unsynced, self.synced_ms) = (Unsynced::Nothing, wall_ms());
        Ok(())
    }

    /// Writes what was learned, now that the log has all of its entries.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&mut self) -> Result<(), NodeError> {
        if let Some(error) = self.unlearned.take() {
            return Err(error);
        }
        self.memories.keep()?;
        match self.memories.is_due(self.next) {
            true => self.memories.write(self.next, self.screener.memory()),
            false => Ok(()),
        }
    }

    /// What is claimed with a block that is committed now. All of it is on disk: a log that a power cut
    /// has shortened would not fit the claim.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn claims(&mut self) -> Result<Claims, NodeError> {
        self.sync_findings()?;
        Ok(Claims {
            findings: self.findings.head().0,
            count: self.findings.len(),
            indicators: self.feed.as_ref().map(Feed::intelligence),
        })
    }

    /// Freezes are findings too, whoever signed them.
    fn note_freeze(&mut self, input: &Input) {
        let Some(access) = input.acting() else {
            return;
        };
        let (account, now_ms) = (access.index, input.arrived_ms);
        if let Some(Action::Freeze { until, .. }) = input.action() {
            let evidence = self.responder.evidence_of(account);
            self.write(now_ms, Finding::Frozen { account, until: *until, evidence });
        } else if let Some(Action::Unfreeze { .. }) = input.action() {
            let reason = "signed by the guardian".into();
            self.write(now_ms, Finding::Unfrozen { account, reason });
        }
    }

    /// Writes a finding down. If that fails, `sync` fails next, and stops the sequencer: nothing is decided
    /// without a record.
    fn write(&mut self, now_ms: u64, finding: Finding) {
        let written = match self.append(now_ms, finding) {
            // Nobody may stop the node by what is long.
            Err(error @ SentinelError::Log { .. }) => {
                let text = format!("an entry is not written: {error}");
                warn!("{text}");
                self.append(now_ms, Finding::Note { subject: "log".into(), text })
            }
            other => other,
        };
        if let Err(error) = written {
            error!(%error, "a finding cannot be written");
            self.unwritten.get_or_insert_with(|| error.to_string());
        }
    }

    fn append(&mut self, at_ms: u64, finding: Finding) -> Result<(), SentinelError> {
        let number = self.findings.len();
        self.unsynced = self.unsynced.max(Unsynced::by(&finding));
        self.findings.append(at_ms, finding.clone())?;
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(text(&Entry { number, at_ms, finding })?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
