//! What the rest of the crate asks of an error.

use super::NodeError;

impl NodeError {
    pub(crate) fn input(line: usize, why: impl ToString) -> Self {
        Self::Input { line, why: why.to_string() }
    }

    /// Whether a contract, or the node in its name, refused a call, as opposed to no answer.
    pub(crate) fn is_refused_call(&self) -> bool {
        match self {
            Self::L1(e) => e.is_refused_call(),
            Self::Answer { .. } => true,
            _ => false,
        }
    }

    /// Whether a call about rewards, or a freeze, was refused, and nothing changed.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Freeze { .. } | Self::Treasury(_) | Self::NoRewards | Self::Rewards { .. }
        )
    }
}
