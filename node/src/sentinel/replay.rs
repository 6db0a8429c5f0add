//! Makes the verdicts of a data folder again, and compares them with the log of findings.

use std::collections::BTreeMap;
use std::path::Path;

use bastion_protocol::ops::Op;
use bastion_protocol::receipt::operation_hash;
use bastion_sentinel::findings::{self, Finding};
use bastion_sentinel::rules::RuleSet;
use bastion_sentinel::{explain, Config, Decision, Input, Screener, Verdict};
use bastion_state::executor::{execute_again, Pushed, UnpricedBatch};
use bastion_state::State;
use serde::Serialize;

use super::{Rollup, FINDINGS};
use crate::error::NodeError;
use crate::sequencer::LogReader;

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Operations that were executed and judged again.
    pub operations: u64,
    /// Verdicts that the log of findings holds of them, and that came out the same.
    pub same: u64,
    /// Verdicts that were not compared: of operations that were held back or refused when they came, which
    /// the log of operations does not have at that place, or by other rules than those given.
    pub not_compared: u64,
    /// Findings that the log has and the replay does not make, or the other way round.
    pub differences: Vec<Difference>,
    /// Why differences may be no fault: times at which the sentinel began anew.
    pub notes: Vec<String>,
}

/// A verdict that came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The operation.
    pub operation: String,
    /// What the log says.
    pub recorded: String,
    /// What the replay says.
    pub computed: String,
}

/// Differences that are shown at most.
const SHOWN: usize = 100;

/// Executes the log of operations of the data folder `data` again from its beginning, and judges each
/// operation by the rules.
///
/// # Errors
/// If the log of operations or of findings cannot be read, or does not execute; and of a node that was
/// rebuilt from L1, whose log does not have what the sentinel began with.
pub fn replay(data: &Path, rollup: Rollup, rules: RuleSet) -> Result<Replayed, NodeError> {
    let log = LogReader::open_read_only(&data.join("sequencer").join("log"))?;
    let base = log.base()?;
    if base.made > 0 {
        return Err(NodeError::LogBroken {
            why: format!(
                "it begins after block {}: the node was rebuilt from L1, and verdicts can be made again only \
                 from the first operation on",
                base.block
            ),
        });
    }
    let mut out = Replayed::default();
    let mut recorded = read_verdicts(data, rollup, &mut out.notes)?;
    let version = rules.version.clone();
    let mut screener = Screener::empty(Config::default(), rules)?;
    let mut state = State::new();
    let broken = |why: String| NodeError::LogBroken { why };
    for (number, row) in log.batches(0)? {
        let (context, mut entry) = (row.context.clone(), row.first);
        let mut open = UnpricedBatch::new(&mut state, context.clone())
            .map_err(|e| broken(format!("batch {number}: {e}")))?;
        let entries = log.entries(row.first)?;
        for found in entries.take_while(|e| e.as_ref().map_or(true, |e| e.batch == number)) {
            let op = found?.op;
            let trace = open.execute(&state, &op, None);
            let trace = trace.map_err(|e| broken(format!("entry {entry}: {e}")))?;
            let arrived_ms = log.arrived_ms(entry)?.unwrap_or(context.time.saturating_mul(1_000));
            let candidate = bastion_sentinel::Candidate {
                trace: &trace,
                state: &state,
                policy: &context.policy,
                hash: operation_hash(&op),
                time: context.time,
                arrived_ms,
            };
            let input = Input::of(&candidate);
            let of_l1 = !matches!(op, Op::Signed(_));
            out.compare(&screener.judge(&input), &input, &version, of_l1, &mut recorded);
            screener.learn(&input);
            match open.include(&mut state, trace, None, |_| true) {
                Pushed::Taken => (entry, out.operations) = (entry + 1, out.operations + 1),
                Pushed::Waits | Pushed::Full => {
                    return Err(broken(format!("entry {entry}: it does not fit")));
                }
            }
        }
        // Verdicts are made before there are prices. What follows stands on what the orders got.
        let quotes = log.quotes(number)?;
        if !quotes.is_empty() {
            let ops: Vec<Op> = open.ops().copied().collect();
            open.abandon(&mut state);
            let closed = execute_again(&mut state, &context, &ops, &quotes);
            closed.map_err(|e| broken(format!("batch {number}: {e}")))?;
        }
    }
    // What is left was never included, or included after it was released.
    out.not_compared += recorded.values().map(|left| left.len() as u64).sum::<u64>();
    Ok(out)
}

impl Replayed {
    fn compare(
        &mut self,
        computed: &Verdict,
        input: &Input,
        version: &str,
        of_l1: bool,
        recorded: &mut BTreeMap<[u8; 32], Vec<Verdict>>,
    ) {
        let found = match recorded.get_mut(&input.hash) {
            // Equal deposits have one hash: the first of them was judged first.
            Some(verdicts) if of_l1 && !verdicts.is_empty() => Some(verdicts.remove(0)),
            Some(verdicts) => verdicts.pop(),
            None => None,
        };
        let others = found
            .iter()
            .flat_map(|v| &v.reasons)
            .any(|reason| reason.detector.starts_with("rule.") && reason.version != version);
        let held = found.as_ref().is_some_and(|v| v.decision != Decision::Allow);
        if others || held {
            self.not_compared += 1;
            return;
        }
        let none = Verdict { decision: Decision::Allow, reasons: Vec::new() };
        let mut found = found.unwrap_or(none);
        // What others said at that time is not in the data folder.
        found.reasons.retain(|reason| !reason.detector.starts_with("feed."));
        if found.reasons == computed.reasons {
            self.same += u64::from(!found.reasons.is_empty());
        } else if self.differences.len() < SHOWN {
            self.differences.push(Difference {
                operation: format!("0x{}", hex::encode(input.hash)),
                recorded: explain(&found),
                computed: explain(computed),
            });
        }
    }
}

/// The verdicts of the log of findings, by operation.
fn read_verdicts(
    data: &Path,
    rollup: Rollup,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<[u8; 32], Vec<Verdict>>, NodeError> {
    let mut verdicts: BTreeMap<[u8; 32], Vec<Verdict>> = BTreeMap::new();
    let path = data.join("sentinel").join(FINDINGS);
    findings::read(&path, rollup.genesis(), |entry| match &entry.finding {
        Finding::Verdict { operation, verdict } => {
            verdicts.entry(operation.0).or_default().push(verdict.clone());
        }
        Finding::Note { subject, text } if subject == "memory" => notes.push(text.clone()),
        Finding::Note { .. }
        | Finding::Released { .. }
        | Finding::Frozen { .. }
        | Finding::Unfrozen { .. }
        | Finding::Rewards(_)
        | Finding::Rules { .. } => {}
    })?;
    Ok(verdicts)
}
