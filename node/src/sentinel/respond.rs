//! What is done about findings: operations held back, freezes, alerts, within the budget of the playbooks.
//!
//! What takes something from somebody is done only in the mode `enforce`. Freezes are signed here and
//! executed next. Tighter limits and pauses are decided on L1 by people: the node tells them.

use std::path::{Path, PathBuf};

use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::{Fr, Index, Policy};
use bastion_sentinel::findings::Hash;
use bastion_sentinel::response::alerts::{alerts_of, Alerts, AlertsConfig, Deliveries, Patience};
use bastion_sentinel::response::{
    Action, Budget, Decided, Ending, Engine, Finding, Limits, Outcome, Playbooks, Quarantine,
};
use bastion_sentinel::{Candidate, Decision, Input, Verdict};
use bastion_state::State;
use tokio::runtime::Runtime;
use tracing::warn;

use super::rewards::At;
use super::Guardian;
use crate::error::NodeError;
use crate::service::config::{Mode, SentinelConfig};

/// Orders of the guardian that wait at most.
const ORDERS: usize = 256;

/// What is done.
pub(super) struct Responder {
    pub(super) quarantine: Quarantine,
    pub(super) guardian: Option<Guardian>,
    /// What the guardian signed, to be executed next.
    pub(super) orders: Vec<SignedOp>,
    engine: Engine,
    /// Where the engine keeps what it has spent, and whether that is to be written.
    state: (PathBuf, bool),
    mode: Mode,
    /// Who is told, and what delivers it.
    alerts: Option<(Alerts, Deliveries, Runtime)>,
}

impl Drop for Responder {
    fn drop(&mut self) {
        // Whoever holds the sentinel last may be a thread that must not wait.
        if let Some((_, _, runtime)) = self.alerts.take() {
            runtime.shutdown_background();
        }
    }
}

impl Responder {
    pub(super) fn open(dir: &Path, config: &SentinelConfig, domain: Fr) -> Result<Self, NodeError> {
        let longest_ms = config.max_hold_seconds.saturating_mul(1_000);
        let limits = Limits { longest_ms, ..Limits::default() };
        let playbooks = playbooks(config)?;
        let state = dir.join("engine.json");
        let alerts = config.alerts.as_deref().map(open_alerts).transpose()?;
        Ok(Self {
            quarantine: Quarantine::open(&dir.join("quarantine.log"), limits)?,
            guardian: Guardian::open(config, domain)?,
            orders: Vec::new(),
            engine: Engine::open(&state, playbooks, Budget::default())?,
            state: (state, false),
            mode: config.mode,
            alerts,
        })
    }

    /// What the playbooks make of a verdict: the decision, and what is to be written down about it.
    pub(super) fn decide(
        &mut self,
        candidate: &Candidate<'_>,
        input: &Input,
        verdict: &Verdict,
        now_ms: u64,
    ) -> (Decision, Vec<String>) {
        let mut decision = verdict.decision;
        let mut notes = Vec::new();
        let Op::Signed(op) = &candidate.trace.op else {
            return (decision, notes);
        };
        for finding in Finding::of_verdict(verdict, op, candidate.hash) {
            let all = self.engine.on_finding(&finding, now_ms);
            self.alert(&all);
            for decided in all {
                self.state.1 = true;
                let done = match (decided.outcome, self.mode) {
                    (Outcome::Do, Mode::Enforce) => {
                        self.act(&decided, candidate, input, &mut decision, now_ms)
                    }
                    (Outcome::Do, Mode::Watch | Mode::Off) => Some("not done (mode watch)".into()),
                    (outcome, _) => Some(outcome.text().into()),
                };
                if let Some(done) = done {
                    let Decided { playbook, action, subject, .. } = &decided;
                    notes.push(format!("playbook {playbook} for {subject}: {action}: {done}"));
                }
            }
        }
        (decision, notes)
    }

    /// Does what was decided. What is said of it is written down.
    fn act(
        &mut self,
        decided: &Decided,
        candidate: &Candidate<'_>,
        input: &Input,
        decision: &mut Decision,
        now_ms: u64,
    ) -> Option<String> {
        match &decided.action {
            // A suspicion never closes the way out.
            Action::Quarantine { .. } if input.is_exit_lane() => {
                Some("not done: the operation leaves to the owner's own address".into())
            }
            Action::Quarantine { seconds } => {
                let until = (now_ms / 1_000).saturating_add(*seconds);
                *decision = (*decision).max(Decision::Quarantine { until });
                Some(format!("held until {until}"))
            }
            Action::Freeze { account, seconds } => {
                let Candidate { state, policy, time, .. } = *candidate;
                let signed = self.freeze((state, policy, time), *account, *seconds);
                Some(match signed {
                    Ok(op) => {
                        self.orders.push(op);
                        "signed".into()
                    }
                    Err(error) => format!("not done: {error}"),
                })
            }
            Action::Tighten { .. } | Action::PauseCommits => {
                warn!(action = %decided.action, "the guardians on L1 are asked");
                Some("asked of the guardians on L1".into())
            }
            // They are sent together with what else the playbook decided.
            Action::Alert { .. } => None,
        }
    }

    /// Tells people what was decided.
    fn alert(&self, decided: &[Decided]) {
        for (channel, alert) in alerts_of(decided) {
            warn!(channel, title = alert.title, "alert");
            if let Some((alerts, ..)) = &self.alerts {
                if let Err(error) = alerts.send(&channel, &alert) {
                    warn!(channel, %error, "an alert is not sent");
                }
            }
        }
    }

    /// What the playbooks make of a watcher's report: freezes, signed and not yet ordered, and what is to be
    /// written down.
    pub(super) fn on_report(
        &mut self,
        finding: &Finding,
        at: At<'_>,
        now_ms: u64,
    ) -> (Vec<SignedOp>, Vec<String>) {
        let (mut signed, mut notes) = (Vec::new(), Vec::new());
        let all = self.engine.on_finding(finding, now_ms);
        self.alert(&all);
        for decided in all {
            self.state.1 = true;
            let done = match (&decided.action, decided.outcome, self.mode) {
                (Action::Alert { .. }, _, _) => continue,
                (Action::Freeze { account, seconds }, Outcome::Do, Mode::Enforce) => {
                    let chain = (at.state, at.policy, at.time);
                    // It is to hold for so long from now on, not from the beginning of the block.
                    let seconds = seconds.saturating_add(at.now.saturating_sub(at.time));
                    match self.freeze(chain, *account, seconds) {
                        Ok(op) => {
                            signed.push(op);
                            "signed".into()
                        }
                        Err(error) => format!("not done: {error}"),
                    }
                }
                (Action::Tighten { .. } | Action::PauseCommits, Outcome::Do, Mode::Enforce) => {
                    warn!(action = %decided.action, "the guardians on L1 are asked");
                    "asked of the guardians on L1".into()
                }
                // No operation comes with a report.
                (Action::Quarantine { .. }, Outcome::Do, _) => continue,
                (_, Outcome::Do, Mode::Watch | Mode::Off) => "not done (mode watch)".into(),
                (_, outcome, _) => outcome.text().into(),
            };
            let Decided { playbook, action, subject, .. } = &decided;
            notes.push(format!("playbook {playbook} for {subject}: {action}: {done}"));
        }
        (signed, notes)
    }

    /// Signs a freeze.
    fn freeze(
        &self,
        (state, policy, time): (&State, &Policy, u64),
        index: Index,
        seconds: u64,
    ) -> Result<SignedOp, NodeError> {
        let none = |why: &str| NodeError::Freeze { account: index, why: why.into() };
        let guardian = self.guardian.as_ref();
        let guardian = guardian.ok_or_else(|| none("this node has no guardian's key"))?;
        if self.orders.len() >= ORDERS {
            return Err(none("too many freezes wait"));
        }
        if self.orders.iter().any(|op| op.body.account == index) {
            return Err(none("it is being frozen already"));
        }
        let account = state.account(index).ok_or_else(|| none("there is no such account"))?;
        let (_, exit) = state.opening(account.owner).ok_or_else(|| none("it has no owner"))?;
        guardian.freeze((index, account, exit), seconds, policy, time)
    }

    /// Who let an operation go.
    pub(super) fn released_by(&self, operation: &[u8; 32]) -> &'static str {
        match self.quarantine.ending(operation) {
            Some(Ending::Admin) => "operator",
            Some(Ending::Rule) => "the end of its rule",
            Some(Ending::Time | Ending::Dropped { .. }) | None => "time",
        }
    }

    /// What led to a freeze of an account: the operations of it that are held back.
    pub(super) fn evidence_of(&self, account: Index) -> Vec<Hash> {
        self.quarantine.of_account(account).map(|held| Hash(held.hash)).collect()
    }

    pub(super) fn sync(&mut self) -> Result<(), NodeError> {
        // What was spent first: a crash between the two loses an action, and never a bound.
        if std::mem::take(&mut self.state.1) {
            self.engine.save(&self.state.0)?;
        }
        Ok(self.quarantine.sync()?)
    }
}

/// The playbooks of the configuration, or those of the program.
pub(super) fn playbooks(config: &SentinelConfig) -> Result<Playbooks, NodeError> {
    match &config.playbooks {
        None => Ok(Playbooks::builtin()?),
        Some(path) => Ok(Playbooks::parse(&text_of("sentinel.playbooks", path)?)?),
    }
}

/// The file of alerts.
pub(super) fn alerts(path: &Path) -> Result<AlertsConfig, NodeError> {
    Ok(AlertsConfig::parse(&text_of("sentinel.alerts", path)?)?)
}

fn text_of(key: &str, path: &Path) -> Result<String, NodeError> {
    let named = || format!("{} ({key})", path.display());
    std::fs::read_to_string(path).map_err(|source| NodeError::Io { path: named(), source })
}

/// Starts the channels of alerts.
fn open_alerts(path: &Path) -> Result<(Alerts, Deliveries, Runtime), NodeError> {
    let config = alerts(path)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("alerts")
        .enable_all()
        .build()
        .map_err(|source| NodeError::Io { path: "threads of alerts".into(), source })?;
    let (alerts, deliveries) = Alerts::start(&config, Patience::default(), runtime.handle())?;
    Ok((alerts, deliveries, runtime))
}
