//! Rules that change while the node runs, and what is told to other chains.

use bastion_protocol::Address;
use bastion_sentinel::findings::Finding;
use bastion_sentinel::rules::RuleSet;
use bastion_sentinel::{Decision, Input, Reason, Verdict};

use super::{Sentinel, Source, SURE};
use crate::error::NodeError;
use crate::service::config::Publish;

impl Sentinel {
    /// Where the rules come from. They are loaded without the sentinel's lock: that may take a while.
    pub(crate) fn source(&self) -> Source {
        self.rules.clone()
    }

    /// Puts rules in force that were loaded, for a reason. Those before stay if they did not load, and an
    /// entry says so.
    ///
    /// # Errors
    /// If they did not load.
    pub(crate) fn put_in_force(
        &mut self,
        loaded: Result<RuleSet, NodeError>,
        reason: &str,
        now_ms: u64,
    ) -> Result<(), NodeError> {
        match loaded {
            Ok(rules) => {
                let version = rules.version.clone();
                let ids = rules.ids();
                let before = self.screener.rules().rules();
                let gone = before.iter().filter(|rule| !ids.contains(&*rule.spec.id));
                let ended: Vec<String> = gone.map(|rule| rule.detector.clone()).collect();
                self.screener.set_rules(rules);
                self.refused.clear();
                self.rules_failed = false;
                for detector in ended {
                    self.responder.quarantine.release_by_detector(&detector);
                }
                self.write(now_ms, Finding::Rules { version, reason: reason.into() });
                self.sync()
            }
            Err(error) => {
                self.rules_failed = true;
                let (subject, text) = ("rules".into(), format!("{reason}: {error}"));
                self.write(now_ms, Finding::Note { subject, text });
                Err(error)
            }
        }
    }

    /// Proposes to tell other chains where the money of an attack goes, if a detector of this chain is sure.
    pub(super) fn propose(&mut self, input: &Input, verdict: &Verdict, now_ms: u64) {
        let Some(feed) = &self.feed else {
            return;
        };
        let own = |reason: &&Reason| reason.score >= SURE && !reason.detector.starts_with("feed.");
        let sure = verdict.reasons.iter().filter(own).max_by_key(|reason| reason.score);
        let held = verdict.decision != Decision::Allow && !input.is_exit_lane();
        let goes_to = input.target().or(input.receiver_exit);
        let goes_to = goes_to.filter(|address| held && Some(*address) != input.own_exit());
        let (Some(reason), Some(address)) = (sure, goes_to) else {
            return;
        };
        if self.publish == Publish::Auto {
            feed.publish(address, &reason.detector, reason.score);
            return;
        }
        let text = format!(
            "{address} may be told to other chains ({}, {}/1000): `bastion sentinel publish` does it",
            reason.detector, reason.score
        );
        self.write(now_ms, Finding::Note { subject: "indicator".into(), text });
    }

    /// Tells other chains of an address, by order of the operator.
    ///
    /// # Errors
    /// [`NodeError::NoFeed`] if nothing is shared.
    pub fn publish(
        &mut self,
        address: Address,
        name: &str,
        score: u16,
        now_ms: u64,
    ) -> Result<(), NodeError> {
        let feed = self.feed.as_ref().ok_or(NodeError::NoFeed)?;
        feed.publish(address, name, score);
        let text = format!("{address} is told to other chains by the operator ({name})");
        self.write(now_ms, Finding::Note { subject: "indicator".into(), text });
        self.sync()
    }
}
