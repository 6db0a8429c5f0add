//! Takes out what is due, call by call. What the contract says was paid is skipped, so that whoever
//! was interrupted starts again and loses nothing.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bastion_contract::rollup::IRollup;
use bastion_l1::SendL1;
use bastion_protocol::field;
use bastion_prover::progress::Progress;
use serde::Serialize;

use crate::error::NodeError;
use crate::exodus::dues::{view, Due, Dues};
use crate::settle::to_u256;

/// Errors of the contract that time or the council ends.
const WAITS: [&str; 3] = ["TooEarly", "BucketFull", "AlarmRuns"];

/// Whether a refusal of the contract is one that time or the council ends.
pub fn is_passing(why: &str) -> bool {
    WAITS.iter().any(|name| why.contains(name))
}

/// What became of something that was due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was paid (or is owed, if its receiver refused).
    Paid {
        /// Gas of the call.
        gas: u64,
    },
    /// It was paid before.
    PaidBefore,
    /// In a dry run: the call would succeed.
    WouldPay,
    /// It cannot be paid yet.
    Waits {
        /// For what.
        why: String,
    },
    /// The L1 refused.
    Refused {
        /// Why.
        why: String,
    },
}

/// Something that was due, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// What was due.
    #[serde(flatten)]
    pub due: Due,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How calls are sent.
#[derive(Debug, Clone, Copy)]
pub struct Sender {
    /// The rollup.
    pub contract: Address,
    /// Who sends and pays the gas. Any account that the node signs for will do.
    pub from: Address,
    /// Whether calls are only tried.
    pub dry_run: bool,
}

impl Sender {
    /// Begins exodus; returns the gas, 0 in a dry run.
    ///
    /// # Errors
    /// [`NodeError::L1`] with the contract's named error, such as that exodus has begun or that
    /// nothing is overdue.
    pub fn begin(&self, l1: &mut dyn SendL1) -> Result<u64, NodeError> {
        let call = IRollup::beginExodusCall {}.abi_encode();
        if self.dry_run {
            l1.view(self.contract, call.into())?;
            return Ok(0);
        }
        Ok(l1.send(self.from, self.contract, U256::ZERO, call.into())?)
    }

    /// Takes out everything that `wanted` accepts, in order. One that is refused stops no other.
    ///
    /// # Errors
    /// If the L1 does not answer, or [`NodeError::Behind`] if accounts would leave under another root
    /// than the contract's.
    pub fn leave(
        &self,
        l1: &mut dyn SendL1,
        dues: &Dues<'_>,
        wanted: impl Fn(&Due) -> bool,
        progress: &Progress,
    ) -> Result<Vec<Done>, NodeError> {
        let wanted: Vec<&Due> = dues.all.iter().filter(|due| wanted(due)).collect();
        let stage = progress.stage("exodus", self.contract.to_string(), wanted.len() as u64);
        let exodus = view(l1, self.contract, &IRollup::exodusCall {})?;
        let root = view(l1, self.contract, &IRollup::stateRootCall {})?;
        if exodus && root != to_u256(&dues.root()) {
            return Err(NodeError::Behind {
                ours: field::to_hex(&dues.root()),
                contract: format!("{root:#066x}"),
            });
        }
        let mut done = Vec::with_capacity(wanted.len());
        for due in wanted {
            let outcome = self.take(l1, dues, due, exodus)?;
            done.push(Done { due: due.clone(), outcome });
            stage.advance();
        }
        Ok(done)
    }

    fn take(
        &self,
        l1: &mut dyn SendL1,
        dues: &Dues<'_>,
        due: &Due,
        exodus: bool,
    ) -> Result<Outcome, NodeError> {
        if due.needs_exodus() && !exodus {
            let why = "exodus has not begun".into();
            return Ok(Outcome::Waits { why });
        }
        if due.is_paid(l1, self.contract)? {
            return Ok(Outcome::PaidBefore);
        }
        if l1.now()? < due.payable_at {
            let why = format!("payable at {}", due.payable_at);
            return Ok(Outcome::Waits { why });
        }
        let call = dues.call(due)?;
        let sent = if self.dry_run {
            let tried = l1.view(self.contract, call.into());
            tried.map(|_| Outcome::WouldPay)
        } else {
            let sent = l1.send(self.from, self.contract, U256::ZERO, call.into());
            sent.map(|gas| Outcome::Paid { gas })
        };
        match sent {
            Ok(outcome) => Ok(outcome),
            // Somebody else may have been faster, and a call whose receipt was lost may be there.
            Err(_) if due.is_paid(l1, self.contract)? => Ok(Outcome::PaidBefore),
            Err(e) => {
                let waits = e.revert().is_some_and(|revert| WAITS.iter().any(|w| revert.is(w)));
                let why = e.to_string();
                Ok(match waits {
                    true => Outcome::Waits { why },
                    false => Outcome::Refused { why },
                })
            }
        }
    }
}
