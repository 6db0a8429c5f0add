//! What watchers and the operator ask for.

use bastion_protocol::ops::{Op, SignedOp};
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::watcher::{SignedCall, WatcherCall};
use bastion_protocol::Index;
use bastion_sentinel::findings::Hash;
use bastion_sentinel::response::Finding as Suspicion;
use bastion_sentinel::rewards::{Call, Pay, ReportId, TreasuryError};

use super::{At, ENDED};
use crate::error::NodeError;
use crate::sentinel::{wall_ms, Sentinel};

/// How sure a watcher's report is, of 1000: playbooks decide what that is worth.
const SCORE: u16 = 500;
/// The detector that a report names which asks for a freeze.
const REPORT: &str = "watcher.report";
/// That of a report for which nobody is frozen. It names no account: a freeze that is not done must not spend
/// the budget, and what is done about the account later must not seem to be done again.
const WARNING: &str = "watcher.warning";

/// What is asked.
#[allow(clippy::large_enum_variant)] // Watchers' calls are the common case.
#[derive(Debug, Clone, Copy)]
pub enum Ask {
    /// A watcher's call, whose signature holds.
    Watcher(SignedCall),
    /// The operator puts money into the pool.
    Fund {
        /// How much.
        amount: u128,
    },
    /// The operator confirms an event.
    Confirm {
        /// The account that attacked.
        subject: Index,
        /// What that brought in.
        amount: u128,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Number of its entry in the log of findings.
    pub entry: u64,
    /// When.
    pub at: u64,
    /// The report that was committed to.
    pub report: Option<ReportId>,
    /// What is paid because of it.
    pub pays: Vec<Pay>,
    /// What became of a freeze that was asked for.
    pub freeze: Option<String>,
}

impl Sentinel {
    /// Takes a call. It is on disk when this returns.
    ///
    /// # Errors
    /// [`NodeError::Treasury`] if it is refused, [`NodeError::NoRewards`], and those of a write.
    pub(crate) fn ask(&mut self, ask: Ask, at: At<'_>) -> Result<Taken, NodeError> {
        if self.rewards.treasury.is_none() {
            let closed = NodeError::Treasury(TreasuryError::Closed);
            return Err(self.rewards.config.map_or(NodeError::NoRewards, |_| closed));
        }
        if self.rewards.ended {
            return Err(NodeError::Rewards { why: ENDED.into() });
        }
        let call = match ask {
            Ask::Watcher(signed) => {
                self.is_owner(&signed, at)?;
                Call::Watcher(signed)
            }
            Ask::Fund { amount } => Call::Fund { amount },
            Ask::Confirm { subject, amount } => Call::Confirm { subject, amount },
        };
        let entry = self.findings.len();
        let done = self.reward(at.now, call)?;
        let freeze = match ask {
            Ask::Watcher(SignedCall {
                call: WatcherCall::Reveal { report, subject, .. }, ..
            }) => self.react(report, subject, &call, at),
            Ask::Watcher(_) | Ask::Fund { .. } | Ask::Confirm { .. } => None,
        };
        self.sync()?;
        let (report, pays) = (done.report, done.record.pays);
        Ok(Taken { entry, at: done.record.at, report, pays, freeze })
    }

    fn is_owner(&self, signed: &SignedCall, at: At<'_>) -> Result<(), TreasuryError> {
        let account = signed.account;
        match at.state.account(account).is_some_and(|found| found.owner == signed.owner()) {
            true => Ok(()),
            false => Err(TreasuryError::NotOwner { account }),
        }
    }

    /// Has the playbooks look at a report that was opened. Within their budget they may freeze its subject, if
    /// the report asks for that.
    fn react(
        &mut self,
        report: ReportId,
        subject: Index,
        call: &Call,
        at: At<'_>,
    ) -> Option<String> {
        let Call::Watcher(SignedCall { account, call, .. }) = call else { return None };
        let WatcherCall::Reveal { asks_freeze, evidence, .. } = call else { return None };
        let token = at.state.account(subject).map(|found| found.token);
        // Who is frozen for nothing is paid in the token of the stakes.
        let ours = self.rewards.treasury.as_ref().map(|treasury| treasury.opening().token);
        let freezes = *asks_freeze && token.is_some() && token == ours;
        let suspicion = Suspicion {
            detector: if freezes { REPORT } else { WARNING }.into(),
            score: SCORE,
            account: freezes.then_some(subject),
            token: None,
            operation: None,
            evidence: vec![
                ("subject".into(), subject.to_string()),
                ("watcher".into(), account.to_string()),
                ("report".into(), report.to_string()),
                ("evidence".into(), hex::encode(evidence)),
            ],
        };
        let now_ms = wall_ms();
        let (orders, mut notes) = self.responder.on_report(&suspicion, at, now_ms);
        if *asks_freeze && !freezes {
            notes.push(format!(
                "no freeze for report {report}: account {subject} does not hold the token of the stakes"
            ));
        }
        for op in orders {
            // The report answers for the freeze from here on: it is written before it is executed.
            let operation = Hash(operation_hash(&Op::Signed(op)));
            match self.reward(at.now, Call::Order { report, operation }) {
                Ok(_) => self.responder.orders.push(op),
                Err(error) => self.note_rewards(format!("no freeze for report {report}: {error}")),
            }
        }
        let said = (!notes.is_empty() && *asks_freeze).then(|| notes.join("; "));
        for text in notes {
            let subject = "response".into();
            self.write(now_ms, bastion_sentinel::findings::Finding::Note { subject, text });
        }
        said
    }

    /// Notes that a freeze, which a person has signed, is because of a report.
    ///
    /// # Errors
    /// [`NodeError::Treasury`] if the report does not ask for one, or is about another account.
    pub(crate) fn order(
        &mut self,
        report: ReportId,
        op: &SignedOp,
        now: u64,
    ) -> Result<(), NodeError> {
        let treasury = self.rewards.treasury.as_ref().ok_or(NodeError::NoRewards)?;
        if self.rewards.ended {
            return Err(NodeError::Rewards { why: ENDED.into() });
        }
        if treasury.subject(report) != Some(op.body.account) {
            let why = format!("report {report} is not about account {}", op.body.account);
            return Err(NodeError::Rewards { why });
        }
        // Who is frozen for nothing is paid, and a payment that cannot be made holds up all that follow it.
        let (own, token) = (op.body.token, treasury.opening().token);
        if own != token {
            let why = format!(
                "account {} has token {own}, and the damages of a freeze are paid in token {token}: freeze it \
                 without a report",
                op.body.account
            );
            return Err(NodeError::Rewards { why });
        }
        let operation = Hash(operation_hash(&Op::Signed(*op)));
        self.reward(now, Call::Order { report, operation })?;
        self.sync()
    }
}
