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
//! | `feed` | what other chains say, and what is said to them |
//! | `guardian` | freezes, signed by the guardian's key |
//! | `memory` | what was learned, on disk |
//! | [`replay`] | the same verdicts again, from a data folder |
//! | `rules` | the rules in force: built in, or a signed bundle |
//! | `view` | what is shown of it |

mod feed;
mod guardian;
mod memory;
pub mod replay;
mod respond;
mod rules;
mod view;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::keccak256;
use bastion_protocol::ops::{Action, Op, SignedOp};
use bastion_protocol::{Address, Fr, Memo};
use bastion_sentinel::findings::{genesis, Finding, FindingsLog, Hash};
use bastion_sentinel::response::Full;
use bastion_sentinel::rules::RuleSet;
use bastion_sentinel::{Candidate, Config, Decision, Input, Screener, Verdict};
use bastion_state::State;
use tracing::{error, info, warn};

use crate::error::NodeError;
use crate::sequencer::Decline;
use crate::service::config::{Mode, SentinelConfig};
use feed::Feed;
pub use guardian::Guardian;
use memory::Memories;
use respond::Responder;
pub(crate) use view::shown;

/// File of the log of findings.
const FINDINGS: &str = "findings.log";

/// Score from which a finding is told to other chains, of 1000.
const SURE: u16 = 750;

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
    rules: rules::Source,
    /// Whether the rules that are configured did not load.
    rules_failed: bool,
    screener: Screener,
    /// Entries that the screener has seen: the next one is this.
    next: u64,
    memories: Memories,
    findings: FindingsLog,
    genesis: Hash,
    responder: Responder,
    /// The operation that was screened last and is not included yet.
    pending: Option<Input>,
    /// What was learned up to an entry, to be written when the log has it.
    checkpoint: Option<(u64, Vec<u8>)>,
    /// What is shared with other chains.
    feed: Option<Feed>,
}

impl std::fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sentinel({}, {} findings)", self.dir.display(), self.findings.len())
    }
}

/// Of which rollup it is.
#[derive(Debug, Clone, Copy)]
pub struct Rollup {
    /// Chain id of L1.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
}

impl Rollup {
    /// What operations of this rollup sign.
    fn domain(&self) -> Fr {
        bastion_protocol::header::domain(self.chain_id, self.contract)
    }

    /// The head of the log of findings when it is empty.
    ///
    /// The same is computed by whoever checks the log.
    pub fn genesis(&self) -> Hash {
        let domain = [&self.chain_id.to_be_bytes()[..], &self.contract.0].concat();
        genesis(&keccak256(domain).0)
    }
}

impl Sentinel {
    /// Opens the sentinel of the data folder `dir`.
    ///
    /// `first` is the first entry that was executed again at the start: what the sentinel has learned must
    /// reach to there. If it does not, it begins anew at `state`, which is the one before entry `next`.
    ///
    /// # Errors
    /// If rules or playbooks do not load, a file is damaged, or the guardian's key cannot be read.
    pub fn open(
        dir: &Path,
        config: &SentinelConfig,
        rollup: Rollup,
        state: &State,
        (first, next): (u64, u64),
    ) -> Result<Self, NodeError> {
        std::fs::create_dir_all(dir)
            .map_err(|source| NodeError::Io { path: dir.display().to_string(), source })?;
        let now_ms = wall_ms();
        let source = rules::Source::new(dir, config)?;
        let loaded = source.load(now_ms / 1_000);
        let settings = Config::default();
        let feed = config.feed.as_deref().map(|path| Feed::open(path, dir, rollup.chain_id));
        let feed = feed.transpose()?;
        let memories = Memories::open(&dir.join("memory"))?;
        let (mut findings, opened) = FindingsLog::open(&dir.join(FINDINGS), rollup.genesis())?;
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
        let restored = match memories.read()? {
            Some((reaches, memory)) if (first..=next).contains(&reaches) => Some((reaches, memory)),
            Some((reaches, _)) => {
                let text = format!(
                    "what was learned reaches to entry {reaches}, which is not from {first} to {next}"
                );
                warn!("{text}: it begins anew");
                findings.append(now_ms, Finding::Note { subject: "memory".into(), text })?;
                None
            }
            None => None,
        };
        let (next, screener) = match restored {
            Some((reaches, memory)) => (reaches, Screener::restore(settings, rules, memory)?),
            // All of it is executed again.
            None if first == 0 => (0, Screener::empty(settings, rules)?),
            None => (next, Screener::new(settings, rules, state)?),
        };
        let version = screener.rules().version.clone();
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
            pending: None,
            checkpoint: None,
            feed,
        })
    }

    /// Takes in what is executed again at the start; entries that were seen before are passed over.
    pub fn catch_up(&mut self, entry: u64, candidate: &Candidate<'_>) {
        if entry >= self.next {
            self.screener.observe(candidate);
            self.next = entry + 1;
        }
    }

    /// Decides about an operation that would be entry number `entry`.
    ///
    /// # Errors
    /// [`Decline::Held`] or [`Decline::Refused`].
    pub fn admit(&mut self, candidate: &Candidate<'_>) -> Result<(), Decline> {
        let input = Input::of(candidate);
        let mut verdict = self.screener.judge(&input);
        if let Some((reason, decision)) = self.feed.as_ref().and_then(|feed| feed.look(&input)) {
            verdict.decision = verdict.decision.max(decision);
            verdict.reasons.push(reason);
        }
        if verdict.reasons.is_empty() {
            self.pending = Some(input);
            return Ok(());
        }
        let now_ms = candidate.arrived_ms;
        let hash = candidate.hash;
        // A decision that was made by a person, or has served its time, is not made again.
        let served = self.responder.quarantine.is_released(&hash);
        let decision = match verdict.decision {
            Decision::Quarantine { .. } if served => Decision::Allow,
            other => other,
        };
        let written = Verdict { decision, ..verdict };
        self.write(now_ms, Finding::Verdict { operation: Hash(hash), verdict: written.clone() });
        let (decision, notes) = self.responder.decide(candidate, &input, &written, now_ms);
        self.publish(&input, &written);
        self.pending = Some(input);
        for text in notes {
            self.write(now_ms, Finding::Note { subject: "response".into(), text });
        }
        let decision = match decision {
            Decision::Quarantine { .. } if served => Decision::Allow,
            other => other,
        };
        let written = Verdict { decision, ..written };
        let Op::Signed(op) = &candidate.trace.op else {
            return Ok(());
        };
        if self.mode != Mode::Enforce {
            return Ok(());
        }
        match decision {
            Decision::Allow => Ok(()),
            Decision::Reject => Err(Decline::Refused { reasons: written.reasons }),
            Decision::Quarantine { .. } => self.hold(op, hash, now_ms, written),
        }
    }

    fn hold(
        &mut self,
        op: &SignedOp,
        hash: [u8; 32],
        now_ms: u64,
        verdict: Verdict,
    ) -> Result<(), Decline> {
        let reasons = verdict.reasons.clone();
        match self.responder.quarantine.hold(op, hash, now_ms, &verdict) {
            Ok(held) => Err(Decline::Held { until: held.until_ms.div_ceil(1_000), reasons }),
            // The operator has decided about it.
            Err(Full::Dropped { .. }) => Err(Decline::Refused { reasons }),
            // Full: what cannot be held back safely is let through, and everybody is told.
            Err(why) => {
                warn!(operation = %Hash(hash), %why, "it cannot be held back");
                let (subject, text) = ("quarantine".into(), why.to_string());
                self.write(now_ms, Finding::Note { subject, text });
                Ok(())
            }
        }
    }

    /// The operation that was admitted last is included, as entry number `entry`.
    pub fn included(&mut self, entry: u64) {
        if let Some(input) = self.pending.take() {
            self.note_freeze(&input);
            self.screener.learn(&input);
            self.next = entry + 1;
        }
    }

    /// What is to be executed now: operations whose time is over, and what the guardian signs.
    pub fn due(&mut self, now_ms: u64) -> Vec<SignedOp> {
        let released = self.responder.quarantine.due(now_ms);
        for op in &released {
            let hash = bastion_protocol::receipt::operation_hash(&Op::Signed(*op));
            let by = self.responder.released_by(&hash).into();
            self.write(now_ms, Finding::Released { operation: Hash(hash), by });
        }
        let mut due = released;
        due.append(&mut self.responder.orders);
        due
    }

    /// Notes what became of an operation of [`Sentinel::due`].
    pub fn was_executed(&mut self, op: &SignedOp, decline: Option<&Decline>, now_ms: u64) {
        let Some(decline) = decline else {
            return;
        };
        let hash = Hash(bastion_protocol::receipt::operation_hash(&Op::Signed(*op)));
        warn!(operation = %hash, %decline, "what was held back cannot be executed any more");
        let text = format!("operation {hash} is not executed: {decline}");
        self.write(now_ms, Finding::Note { subject: "released".into(), text });
    }

    /// The guardian of this node, if it has the key.
    pub fn guardian(&self) -> Option<&Guardian> {
        self.responder.guardian.as_ref()
    }

    /// Waits until everything that was found and held back is on disk.
    ///
    /// # Errors
    /// If it cannot be written: then nobody may be told of it.
    pub fn sync(&mut self) -> Result<(), NodeError> {
        self.responder.sync()?;
        Ok(self.findings.sync()?)
    }

    /// Remembers what was learned up to entry `next`, at the end of a batch.
    pub fn checkpoint(&mut self, next: u64) {
        if self.next != next {
            // The batch was closed for an operation that is not included yet.
            self.next = self.next.max(next);
        }
        match postcard::to_stdvec(self.screener.memory()) {
            Ok(bytes) => self.checkpoint = Some((next, bytes)),
            Err(error) => warn!(%error, "what was learned cannot be written"),
        }
    }

    /// Writes the last checkpoint, now that the log has all of its entries.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_checkpoint(&mut self) -> Result<(), NodeError> {
        match self.checkpoint.take() {
            Some((next, bytes)) => self.memories.write(next, bytes),
            None => Ok(()),
        }
    }

    /// The memo for a block that is committed now.
    pub fn memo(&self) -> Memo {
        Memo {
            findings: self.findings.head().0,
            count: self.findings.len(),
            indicators: self.feed.as_ref().map_or([0; 32], Feed::root),
        }
    }

    /// Reads the rules anew. Those before stay if the new ones do not load, and an entry says so.
    ///
    /// # Errors
    /// If they do not load.
    pub fn reload(&mut self, now_ms: u64) -> Result<String, NodeError> {
        match self.rules.load(now_ms / 1_000) {
            Ok(rules) => {
                let version = rules.version.clone();
                let ids = rules.ids();
                let before = self.screener.rules().rules();
                let gone = before.iter().filter(|rule| !ids.contains(&*rule.spec.id));
                let ended: Vec<String> = gone.map(|rule| rule.detector.clone()).collect();
                self.screener.set_rules(rules);
                self.rules_failed = false;
                for detector in ended {
                    self.responder.quarantine.release_by_detector(&detector);
                }
                let reason = "published".into();
                self.write(now_ms, Finding::Rules { version: version.clone(), reason });
                self.sync()?;
                Ok(version)
            }
            Err(error) => {
                self.rules_failed = true;
                let (subject, text) = ("rules".into(), error.to_string());
                self.write(now_ms, Finding::Note { subject, text });
                Err(error)
            }
        }
    }

    /// Goes back to the rules before the newest ones, for at most a week.
    ///
    /// # Errors
    /// If there are none.
    pub fn roll_back(&mut self, seconds: u64, why: &str, now_ms: u64) -> Result<String, NodeError> {
        let now = now_ms / 1_000;
        self.rules.roll_back(now, now.saturating_add(seconds), why)?;
        self.reload(now_ms)
    }

    /// Tells other chains where the money of an attack goes, if a detector of this chain is sure.
    fn publish(&self, input: &Input, verdict: &Verdict) {
        let Some(feed) = &self.feed else {
            return;
        };
        let sure = verdict
            .reasons
            .iter()
            .filter(|reason| reason.score >= SURE && !reason.detector.starts_with("feed."));
        let held = verdict.decision != Decision::Allow && !input.is_exit_lane();
        let Some(reason) = sure.max_by_key(|reason| reason.score).filter(|_| held) else {
            return;
        };
        let goes_to = input.target().or(input.receiver_exit);
        if let Some(address) = goes_to.filter(|address| Some(*address) != input.own_exit()) {
            feed.publish(address, &reason.detector, reason.score);
        }
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

    fn write(&mut self, now_ms: u64, finding: Finding) {
        if let Err(error) = self.findings.append(now_ms, finding) {
            // `sync` fails next, and stops the sequencer: nothing is decided without a record.
            warn!(%error, "a finding cannot be written");
        }
    }
}

#[cfg(test)]
mod tests;
