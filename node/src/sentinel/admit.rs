//! The decision about an operation: it is included, held back or refused, and what is written about it.

use bastion_protocol::ops::{Op, SignedOp};
use bastion_sentinel::findings::{Finding, Hash};
use bastion_sentinel::response::{Full, Held};
use bastion_sentinel::{Candidate, Decision, Input, Verdict};
use tracing::warn;

use super::{Sentinel, HOUR_MS};
use crate::sequencer::Decline;
use crate::service::config::Mode;

impl Sentinel {
    /// Decides about an operation.
    ///
    /// # Errors
    /// [`Decline::Held`] or [`Decline::Refused`].
    pub fn admit(&mut self, candidate: &Candidate<'_>) -> Result<(), Decline> {
        let (hash, now_ms) = (candidate.hash, candidate.arrived_ms);
        // Sent again, it costs the sender nothing: it must not cost us an entry each time.
        if let Some(held) = self.responder.quarantine.get(&hash) {
            return Err(declined(held));
        }
        if let Some(decline) = self.refused.get(&hash, now_ms) {
            return Err(decline);
        }
        let input = Input::of(candidate);
        if candidate.trace.signed().is_some_and(|op| self.rewards.owes(op)) {
            self.pending = Some(input);
            return Ok(());
        }
        let mut verdict = self.screener.judge(&input);
        // What others say of an account must not hold back the freeze of it.
        let feed = self.feed.as_ref().filter(|_| input.kind().by_owner());
        if let Some((reason, decision)) = feed.and_then(|feed| feed.look(&input)) {
            verdict.decision = verdict.decision.max(decision);
            verdict.reasons.push(reason);
        }
        if verdict.reasons.is_empty() {
            self.pending = Some(input);
            return Ok(());
        }
        // A hold that was ended by a person, or has served its time, is not begun again.
        let served = self.responder.quarantine.is_released(&hash);
        let unless_served = |decision| match decision {
            Decision::Quarantine { .. } if served => Decision::Allow,
            other => other,
        };
        verdict.decision = unless_served(verdict.decision);
        // Nor is anything else done about it a second time.
        let (decision, notes) = match served {
            true => (verdict.decision, Vec::new()),
            false => self.responder.decide(candidate, &input, &verdict, now_ms),
        };
        verdict.decision = unless_served(decision);
        let outcome = match &candidate.trace.op {
            Op::Signed(op) if self.mode == Mode::Enforce => {
                self.enforce(op, hash, now_ms, &verdict)
            }
            // What L1 asks for is never held back, and who only watches holds nothing.
            Op::Signed(_) | Op::Deposit(_) | Op::ForcedExit(_) | Op::Quote(_) | Op::Noop => {
                Outcome::Passes
            }
        };
        let outcome = match outcome {
            Outcome::Full(decline) => {
                self.refused.for_room(hash, &decline, now_ms);
                self.note_full(now_ms, &decline);
                // What was done about it has its entry in any case.
                if notes.is_empty() {
                    return Err(decline);
                }
                Err(decline)
            }
            Outcome::Dropped(decline) => return Err(decline),
            Outcome::Passes => Ok(()),
            Outcome::Declined(decline @ Decline::Refused { .. }) => {
                self.refused.by_rule(hash, &decline, now_ms);
                if !self.refused.may_write(now_ms) {
                    self.note_full(now_ms, &decline);
                    return Err(decline);
                }
                Err(decline)
            }
            Outcome::Declined(decline) => Err(decline),
        };
        self.write(now_ms, Finding::Verdict { operation: Hash(hash), verdict: verdict.clone() });
        for text in notes {
            self.write(now_ms, Finding::Note { subject: "response".into(), text });
        }
        self.propose(&input, &verdict, now_ms);
        self.pending = Some(input);
        outcome
    }

    /// What a verdict comes to.
    fn enforce(
        &mut self,
        op: &SignedOp,
        hash: [u8; 32],
        now_ms: u64,
        verdict: &Verdict,
    ) -> Outcome {
        let refused = || Decline::Refused { reasons: verdict.reasons.clone() };
        match verdict.decision {
            Decision::Allow => Outcome::Passes,
            Decision::Reject => Outcome::Declined(refused()),
            Decision::Quarantine { .. } => {
                match self.responder.quarantine.hold(op, hash, now_ms, verdict) {
                    Ok(held) => Outcome::Declined(declined(&held)),
                    Err(Full::Released) => Outcome::Passes,
                    // A thief could fill the quarantine with what is not meant, and then send what is: what
                    // cannot be held back does not pass.
                    Err(Full::Dropped { .. }) => Outcome::Dropped(refused()),
                    Err(
                        Full::Count { .. }
                        | Full::Account { .. }
                        | Full::NotAsked
                        | Full::Long { .. },
                    ) => Outcome::Full(refused()),
                }
            }
        }
    }

    /// Writes down that the quarantine takes no more, once an hour: who is refused pays nothing for it.
    fn note_full(&mut self, now_ms: u64, decline: &Decline) {
        if now_ms.saturating_sub(self.full_noted_ms) < HOUR_MS {
            return;
        }
        self.full_noted_ms = now_ms;
        warn!(%decline, "operations are refused without an entry each");
        let text = format!(
            "there is no room for this and more in this hour, without an entry each: {decline}"
        );
        self.write(now_ms, Finding::Note { subject: "quarantine".into(), text });
    }
}

/// What a verdict comes to.
enum Outcome {
    /// It is included.
    Passes,
    /// It is not, and that is written down.
    Declined(Decline),
    /// The operator has dropped it, and that is written down.
    Dropped(Decline),
    /// It is not, for there is no room to hold it back. Whoever sends such things pays nothing.
    Full(Decline),
}

fn declined(held: &Held) -> Decline {
    let until = held.until_ms.div_ceil(1_000);
    Decline::Held { until, reasons: held.verdict.reasons.clone() }
}
