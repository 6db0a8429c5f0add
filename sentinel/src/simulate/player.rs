//! Plays traffic on the real executor.
//!
//! Two copies of the state run one operation apart. The first tells the trace; the second is the state
//! before the operation, which a candidate shows. Operations are really signed, and signatures are checked
//! in bulk. The tree is never updated: no detector sees it.

use std::collections::{BTreeMap, HashMap};

use bastion_protocol::account::fee_index;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::{Action, Body, Deposit, Op};
use bastion_protocol::receipt::operation_hash;
use bastion_protocol::{Address, Fr, Policy, Token, TokenLimits};
use bastion_state::executor::{check_signatures, BatchContext, Checked, OpTrace, OpenBatch};
use bastion_state::State;

use super::cast::KeyId;
use super::ledger::{Draft, Planned};
use super::{SimulateError, Traffic};
use crate::Candidate;

/// Seconds of a block: the time that a candidate has is rounded down to them.
pub const BLOCK_SECONDS: u64 = 12;
/// Operations whose signatures are checked together.
const CHUNK: usize = 256;
/// The signing domain.
const DOMAIN: u64 = 0xba57_1011;

/// An operation as a detector gets it, with the truth about it.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Its place in the traffic, from 0.
    pub number: usize,
    /// The truth.
    pub planned: &'a Planned,
    /// What a detector sees.
    pub candidate: Candidate<'a>,
}

/// Bursts of the bridge, in seconds.
const BURST: u64 = 3_600;

/// The policy of a simulated chain: freezes of up to three days, and a bridge that lets a twentieth of
/// all that is ever deposited of a token leave at once, and as much again every hour.
#[must_use]
pub fn policy(traffic: &Traffic) -> Policy {
    let mut deposits = BTreeMap::<Token, u128>::new();
    for op in traffic.planned().iter().filter(|op| matches!(op.draft, Draft::Deposit { .. })) {
        let sum = deposits.entry(op.token).or_default();
        *sum = sum.saturating_add(op.amount);
    }
    let limits = |rate| TokenLimits { rate, burst_seconds: BURST, max_delay: 604_800 };
    let of = |sum: u128| u64::try_from(sum / 20 / u128::from(BURST)).unwrap_or(u64::MAX).max(1);
    Policy {
        guardian_keyhash: Fr::from(1u64),
        max_freeze: 259_200,
        cooldown: 259_200,
        fee_keyhash: Fr::from(2u64),
        fee_exit: Address([0xfe; 20]),
        default_limits: limits(u64::MAX),
        limits: deposits.into_iter().map(|(token, sum)| (token, limits(of(sum)))).collect(),
    }
}

/// Plays the traffic and shows each operation before it is applied. The state after the last one.
///
/// # Errors
/// [`SimulateError::Rejected`] and [`SimulateError::Diverged`], which are errors of the planner, and
/// those of `visit`.
pub fn play(
    traffic: &Traffic,
    mut visit: impl FnMut(&Step<'_>) -> Result<(), SimulateError>,
) -> Result<State, SimulateError> {
    let policy = policy(traffic);
    let mut keys = Keys { seed: traffic.seed(), known: HashMap::new() };
    let mut first = Copy::new(&policy, 0)?;
    let mut second = Copy::new(&policy, 0)?;
    let mut number = 0;
    for chunk in traffic.planned().chunks(CHUNK) {
        let ops = chunk.iter().map(|planned| keys.sign(traffic, planned));
        let ops: Vec<Op> = ops.collect::<Result<_, _>>()?;
        let evidence = check_signatures(&first.state, Fr::from(DOMAIN), &ops);
        for ((planned, op), checked) in chunk.iter().zip(&ops).zip(&evidence) {
            let time = planned.at_ms / 1000 / BLOCK_SECONDS * BLOCK_SECONDS;
            first.apply(number, time, op, checked.as_ref())?;
            let mut trace = first.last(number)?;
            check(number, planned, &trace)?;
            let credit = forge(planned, &mut trace, &first.state);
            let candidate = Candidate {
                trace: &trace,
                state: &second.state,
                policy: &policy,
                hash: operation_hash(op),
                time,
                arrived_ms: planned.at_ms,
            };
            visit(&Step { number, planned, candidate })?;
            second.apply(number, time, op, checked.as_ref())?;
            if let Some(credit) = credit {
                first.apply(number, time, &credit, None)?;
                second.apply(number, time, &credit, None)?;
            }
            number += 1;
        }
    }
    Ok(second.state)
}

/// Whether the executor did what was planned.
fn check(operation: usize, planned: &Planned, trace: &OpTrace) -> Result<(), SimulateError> {
    let index = planned.account;
    let after = trace.accesses[0].filter(|a| a.index == index).and_then(|a| a.after);
    let same = after.is_some_and(|a| a.balance == planned.left && a.token == planned.token);
    let fees = trace.accesses[2].is_none_or(|a| a.index == fee_index(planned.token));
    match same && fees && trace.amount == planned.amount {
        true => Ok(()),
        false => Err(SimulateError::Diverged { operation, index }),
    }
}

/// Forges the trace if that is planned. The deposit that brings the state to what the trace says is
/// applied unseen.
fn forge(planned: &Planned, trace: &mut OpTrace, state: &State) -> Option<Op> {
    let Draft::Transfer { forged, .. } = planned.draft else {
        return None;
    };
    let after = trace.accesses[1].as_mut()?.after.as_mut().filter(|_| forged > 0)?;
    after.balance = after.balance.saturating_add(forged);
    let (keyhash, exit) = state.opening(after.owner)?;
    Some(Op::Deposit(Deposit { token: planned.token, amount: forged, keyhash, exit }))
}

/// One copy of the state with its open batch.
struct Copy {
    state: State,
    batch: OpenBatch,
}

impl Copy {
    fn new(policy: &Policy, time: u64) -> Result<Self, SimulateError> {
        let mut state = State::new();
        let domain = Fr::from(DOMAIN);
        let context = BatchContext { domain, time, policy: policy.clone() };
        let batch = OpenBatch::new(&mut state, context).map_err(|e| rejected(0, e))?;
        Ok(Self { state, batch })
    }

    fn apply(
        &mut self,
        operation: usize,
        time: u64,
        op: &Op,
        checked: Option<&Checked>,
    ) -> Result<(), SimulateError> {
        if self.batch.context().time == time && self.push(operation, op, checked)? {
            return Ok(());
        }
        let context = BatchContext { time, ..self.batch.context().clone() };
        self.batch =
            OpenBatch::new(&mut self.state, context).map_err(|e| rejected(operation, e))?;
        match self.push(operation, op, checked)? {
            true => Ok(()),
            false => Err(SimulateError::DoesNotFit(operation)),
        }
    }

    fn push(
        &mut self,
        operation: usize,
        op: &Op,
        checked: Option<&Checked>,
    ) -> Result<bool, SimulateError> {
        let pushed = self.batch.push(&mut self.state, op, checked, |_| true);
        pushed.map_err(|e| rejected(operation, e))
    }

    fn last(&self, operation: usize) -> Result<OpTrace, SimulateError> {
        self.batch.ops().last().cloned().ok_or(SimulateError::DoesNotFit(operation))
    }
}

fn rejected(operation: usize, source: bastion_state::executor::Rejection) -> SimulateError {
    SimulateError::Rejected { operation, source }
}

/// Keys by name. Anybody can derive them.
struct Keys {
    seed: u64,
    known: HashMap<KeyId, (SecretKey, Fr)>,
}

impl Keys {
    fn get(&mut self, id: KeyId) -> &(SecretKey, Fr) {
        let seed = self.seed;
        self.known.entry(id).or_insert_with(|| {
            let text = format!("bastion.simulate.v1 {seed} {} {}", id.person, id.version);
            let key = SecretKey::from_seed(text.as_bytes());
            let hash = key.public().keyhash();
            (key, hash)
        })
    }

    fn sign(&mut self, traffic: &Traffic, planned: &Planned) -> Result<Op, SimulateError> {
        let Planned { person, account, token, nonce, key, amount, fee, .. } = *planned;
        let exit = traffic.exit(person);
        let action = match planned.draft {
            Draft::Deposit { key } => {
                let keyhash = self.get(key).1;
                return Ok(Op::Deposit(Deposit { token, amount, keyhash, exit }));
            }
            Draft::Transfer { to, .. } => Action::Transfer { to, amount },
            Draft::TransferNew { key } => {
                let exit = traffic.exit(key.person);
                Action::TransferNew { keyhash: self.get(key).1, exit, amount }
            }
            Draft::Withdraw { to } => Action::Withdraw { to, amount },
            Draft::ChangeKey { key } => Action::ChangeKey { keyhash: self.get(key).1 },
        };
        let deadline = planned.at_ms / 1000 + 3_600;
        let body = Body { account, token, nonce, deadline, fee, action };
        Ok(Op::Signed(body.sign(&self.get(key).0, Fr::from(DOMAIN), exit)?))
    }
}
