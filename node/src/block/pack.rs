//! Fills the batches of a block from a source.

use bastion_circuits::witness::{checked, ChainedInputs};
use bastion_circuits::{CircuitError, Shape};
use bastion_protocol::data::{chain_start, polynomial_start};
use bastion_protocol::ops::Op;
use bastion_state::executor::{BatchContext, BatchTrace, Packer, Pushed, Rejection};
use bastion_state::state::State;
use serde::Serialize;

use super::{bind, Block};
use crate::error::NodeError;
use crate::posting::{Posting, Room, Usage};

/// Turns the next step of a workload into an operation on the state as it is.
pub trait Source {
    /// The next operation, with a name for messages ("line 17"); `None` at the end.
    ///
    /// # Errors
    /// If the step cannot be an operation; after [`NodeError::Input`] the next step can be asked for.
    fn next(&mut self, state: &State) -> Result<Option<(String, Op)>, NodeError>;

    /// The operation that [`Source::next`] gave did not fit the batch: it is asked for again.
    fn put_back(&mut self);

    /// Operations that wait for a later batch: they are kept here from block to block, and the source leaves
    /// them as they are.
    fn waiting(&mut self) -> &mut Waiting;
}

/// Orders that no auction had room for so far, and what their accounts sent after them, in order.
#[derive(Debug, Clone, Default)]
pub struct Waiting(Vec<(String, Op)>);

/// Most operations that wait: then a batch ends at the next one, so that not all of a long input is read for
/// each batch.
const MOST_WAITING: usize = 1_024;

impl Waiting {
    /// Whether an operation of the same account waits, which must not be overtaken.
    fn before(&self, op: &Op) -> bool {
        let account = |op: &Op| match op {
            Op::Signed(signed) => Some(signed.body.account),
            Op::Noop | Op::Deposit(_) | Op::ForcedExit(_) | Op::Quote(_) => None,
        };
        let sender = account(op);
        sender.is_some() && self.0.iter().any(|(_, other)| account(other) == sender)
    }
}

/// An operation that the executor refused.
#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    /// Where it stands in the input.
    pub place: String,
    /// Why.
    pub why: String,
}

/// Fills the next block of at most `batches` batches from a source, to be posted as told. `Ok(None)`:
/// nothing is left.
///
/// Refused operations are left out and reported; the state is as if they had not been there. Each
/// batch is checked against the circuit's rules as soon as it is full: an operation that executes
/// and cannot be proven is refused like any other, and does not stop the block.
///
/// # Errors
/// If the source fails, or an operation does not even fit an empty batch.
pub fn next_block(
    state: &mut State,
    context: &BatchContext,
    shape: &Shape,
    batches: usize,
    posting: impl Into<Posting>,
    source: &mut dyn Source,
    refused: &mut Vec<Refused>,
) -> Result<Option<Block>, NodeError> {
    let posting = posting.into();
    let room = posting.room(shape, batches);
    let old_root = state.root();
    let mut traces = Vec::with_capacity(batches);
    let mut done = false;
    let provable = |trace: &BatchTrace| {
        let link = ChainedInputs {
            c_in: chain_start(),
            y_in: polynomial_start(),
            r: trace.new_root,
            blob: None,
        };
        checked(shape, trace, &link).map(drop)
    };
    while traces.len() < batches {
        let mut batch = Packed::new(state, context, shape, room)?;
        if !done {
            done = batch.fill(source, refused)?;
        }
        traces.push(batch.finish(&provable, refused)?);
    }
    if traces.iter().all(|t| t.ops.is_empty()) {
        return Ok(None);
    }
    let mut block = bind(old_root, context, traces, posting.mode)?;
    block.checked = true;
    Ok(Some(block))
}

/// A batch that is being filled.
struct Packed<'s> {
    packer: Packer<'s>,
    context: &'s BatchContext,
    shape: &'s Shape,
    /// What it has room for.
    room: Room,
    usage: Usage,
    /// Where its operations stand in the input.
    places: Vec<String>,
}

impl<'s> Packed<'s> {
    fn new(
        state: &'s mut State,
        context: &'s BatchContext,
        shape: &'s Shape,
        room: Room,
    ) -> Result<Self, NodeError> {
        let packer = Packer::new(state, context.clone()).map_err(NodeError::Rejected)?;
        Ok(Self { packer, context, shape, room, usage: Usage::none(), places: Vec::new() })
    }

    fn push(&mut self, place: &str, op: &Op) -> Result<Pushed, Rejection> {
        let pushed = self.packer.push(op, self.room.count(&mut self.usage))?;
        Ok(match pushed {
            Pushed::Taken => {
                self.places.push(place.into());
                Pushed::Taken
            }
            // Nothing else fits either.
            Pushed::Waits if !self.room.holds_another(self.usage) => Pushed::Full,
            Pushed::Waits | Pushed::Full => pushed,
        })
    }

    /// Takes what fits: first L1 operations of the source, for none can follow others, then what waited, then
    /// the rest of the source. Whether nothing is left.
    fn fill(
        &mut self,
        source: &mut dyn Source,
        refused: &mut Vec<Refused>,
    ) -> Result<bool, NodeError> {
        let mut waited = false;
        loop {
            let step = match source.next(self.packer.state()) {
                Err(NodeError::Input { line, why }) => {
                    refused.push(Refused::new(format!("line {line}"), why));
                    continue;
                }
                other => other?,
            };
            if !waited && !matches!(step, Some((_, Op::Deposit(_) | Op::ForcedExit(_)))) {
                waited = true;
                let before = std::mem::take(&mut source.waiting().0);
                if !before.is_empty() {
                    if step.is_some() {
                        source.put_back();
                    }
                    let full = self.resume(before, source.waiting(), refused)?;
                    if full {
                        return Ok(false);
                    }
                    if step.is_some() {
                        continue;
                    }
                }
            }
            let Some((place, op)) = step else {
                return Ok(source.waiting().0.is_empty());
            };
            if self.offer(place, op, source.waiting(), refused)?.is_some() {
                source.put_back();
                return Ok(false);
            }
        }
    }

    /// Takes what waited, as far as it fits. Whether the batch is full.
    fn resume(
        &mut self,
        before: Vec<(String, Op)>,
        waiting: &mut Waiting,
        refused: &mut Vec<Refused>,
    ) -> Result<bool, NodeError> {
        let mut before = before.into_iter();
        while let Some((place, op)) = before.next() {
            if let Some(step) = self.offer(place, op, waiting, refused)? {
                waiting.0.push(step);
                waiting.0.extend(before);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes an operation, or refuses it, or lets it wait. Gives it back if the batch is full.
    fn offer(
        &mut self,
        place: String,
        op: Op,
        waiting: &mut Waiting,
        refused: &mut Vec<Refused>,
    ) -> Result<Option<(String, Op)>, NodeError> {
        let pushed = match waiting.before(&op) {
            true => Ok(Pushed::Waits),
            false => self.push(&place, &op),
        };
        match pushed {
            Ok(Pushed::Taken) => Ok(None),
            Ok(_) if self.places.is_empty() && waiting.0.is_empty() => {
                Err(NodeError::DoesNotFit { place, shape: self.shape.name.clone() })
            }
            Ok(Pushed::Waits) if waiting.0.len() < MOST_WAITING => {
                waiting.0.push((place, op));
                Ok(None)
            }
            Ok(Pushed::Waits | Pushed::Full) => Ok(Some((place, op))),
            Err(rejection) => {
                refused.push(Refused::new(place, rejection));
                Ok(None)
            }
        }
    }

    /// The batch, without what cannot be proven.
    fn finish(
        self,
        provable: &dyn Fn(&BatchTrace) -> Result<(), CircuitError>,
        refused: &mut Vec<Refused>,
    ) -> Result<BatchTrace, NodeError> {
        let Self { packer, context, shape, room, places, .. } = self;
        let (trace, state) = packer.finish().map_err(NodeError::Rejected)?;
        let why = match provable(&trace) {
            Ok(()) => return Ok(trace),
            Err(why) => why,
        };
        // Quotes stand behind all other operations, of which each has a place.
        let fault = match &why {
            CircuitError::Unprovable { operation: Some((fault, _)), .. }
                if *fault < places.len() =>
            {
                *fault
            }
            _ => return Err(why.into()),
        };
        let why = why.to_string();
        state.undo(&trace);
        let mut again = Self::new(state, context, shape, room)?;
        for (n, (place, trace)) in places.into_iter().zip(&trace.ops).enumerate() {
            if n == fault {
                refused.push(Refused::new(place, &why));
                continue;
            }
            match again.push(&place, &trace.op) {
                Ok(Pushed::Taken) => {}
                Ok(Pushed::Waits | Pushed::Full) => refused.push(Refused::new(
                    place,
                    "does not fit after one before it was refused: give it again",
                )),
                Err(rejection) => refused.push(Refused::new(place, rejection)),
            }
        }
        again.finish(provable, refused)
    }
}

impl Refused {
    fn new(place: String, why: impl ToString) -> Self {
        Self { place, why: why.to_string() }
    }
}

#[cfg(test)]
mod tests;
