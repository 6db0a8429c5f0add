//! A verdict in words.

use std::fmt::Write as _;

use crate::{Decision, Verdict};

/// The verdict as text: a line for the decision, and one for each reason.
#[must_use]
pub fn explain(verdict: &Verdict) -> String {
    let mut text = match verdict.decision {
        Decision::Allow if verdict.reasons.is_empty() => {
            return "Allowed. Nothing was found.\n".into()
        }
        Decision::Allow => "Allowed, with alerts.\n".to_owned(),
        Decision::Quarantine { until } => {
            format!(
                "Held: the rules ask for it until {until} (Unix time in seconds), the node holds nothing longer than \
                 sentinel.max-hold-seconds.\n"
            )
        }
        Decision::Reject => "Refused.\n".to_owned(),
    };
    for reason in &verdict.reasons {
        // Writing to a string does not fail.
        let _ = write!(text, "- {} ({}/1000)", reason.detector, reason.score);
        for (i, (name, value)) in reason.evidence.iter().enumerate() {
            let _ = write!(text, "{} {name} {value}", if i == 0 { ":" } else { "," });
        }
        let _ = writeln!(text, " [version {}]", reason.version);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    #[test]
    fn every_part_is_said() {
        let none = Verdict { decision: Decision::Allow, reasons: vec![] };
        assert_eq!(explain(&none), "Allowed. Nothing was found.\n");
        let held = Verdict {
            decision: Decision::Quarantine { until: 5 },
            reasons: vec![Reason {
                detector: "rule.drain".into(),
                version: "3:ab".into(),
                score: 750,
                evidence: vec![("out_share".into(), "990".into()), ("action".into(), "x".into())],
            }],
        };
        assert_eq!(
            explain(&held),
            "Held: the rules ask for it until 5 (Unix time in seconds), the node holds nothing longer than \
             sentinel.max-hold-seconds.\n\
             - rule.drain (750/1000): out_share 990, action x [version 3:ab]\n"
        );
        let refused = Verdict { decision: Decision::Reject, reasons: vec![] };
        assert!(explain(&refused).starts_with("Refused"));
    }
}
