//! Fills the batches of a block from a source.

use bastion_circuits::witness::{checked, ChainedInputs};
use bastion_circuits::{CircuitError, Shape, Slots};
use bastion_protocol::data::{chain_start, polynomial_start, DataMode};
use bastion_protocol::ops::Op;
use bastion_state::executor::{BatchContext, BatchTrace, Footprint, Packer, Rejection};
use bastion_state::state::State;
use serde::Serialize;

use super::{bind, Block};
use crate::error::NodeError;

/// Turns the next step of a workload into an operation on the state as it is.
pub trait Source {
    /// The next operation, with a name for messages ("line 17"); `None` at the end.
    ///
    /// # Errors
    /// If the step cannot be an operation; after [`NodeError::Input`] the next step can be asked for.
    fn next(&mut self, state: &State) -> Result<Option<(String, Op)>, NodeError>;

    /// The operation that [`Source::next`] gave did not fit the batch: it is asked for again.
    fn put_back(&mut self);
}

/// An operation that the executor refused.
#[derive(Debug, Clone, Serialize)]
pub struct Refused {
    /// Where it stands in the input.
    pub place: String,
    /// Why.
    pub why: String,
}

/// Fills the next block of at most `batches` batches from a source, to be posted in a mode. `Ok(None)`:
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
    mode: DataMode,
    source: &mut dyn Source,
    refused: &mut Vec<Refused>,
) -> Result<Option<Block>, NodeError> {
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
        let mut batch = Packed::new(state, context, shape)?;
        if !done {
            done = batch.fill(source, refused)?;
        }
        traces.push(batch.finish(&provable, refused)?);
    }
    if traces.iter().all(|t| t.ops.is_empty()) {
        return Ok(None);
    }
    let mut block = bind(old_root, context, traces, mode)?;
    block.checked = true;
    Ok(Some(block))
}

/// A batch that is being filled.
struct Packed<'s> {
    packer: Packer<'s>,
    context: &'s BatchContext,
    shape: &'s Shape,
    usage: Slots,
    /// Where its operations stand in the input.
    places: Vec<String>,
}

impl<'s> Packed<'s> {
    fn new(
        state: &'s mut State,
        context: &'s BatchContext,
        shape: &'s Shape,
    ) -> Result<Self, NodeError> {
        let packer = Packer::new(state, context.clone()).map_err(NodeError::Rejected)?;
        Ok(Self { packer, context, shape, usage: Slots::empty(), places: Vec::new() })
    }

    fn push(&mut self, place: &str, op: &Op) -> Result<bool, Rejection> {
        let fits = |f: &Footprint| {
            let next = self.usage.with(f.kind, f.accounts, f.nodes, f.tokens);
            let fits = next.fits(&self.shape.slots);
            if fits {
                self.usage = next;
            }
            fits
        };
        let pushed = self.packer.push(op, fits)?;
        if pushed {
            self.places.push(place.into());
        }
        Ok(pushed)
    }

    /// Takes from the source what fits; whether the source is at its end.
    fn fill(
        &mut self,
        source: &mut dyn Source,
        refused: &mut Vec<Refused>,
    ) -> Result<bool, NodeError> {
        loop {
            let (place, op) = match source.next(self.packer.state()) {
                Ok(Some(step)) => step,
                Ok(None) => return Ok(true),
                Err(NodeError::Input { line, why }) => {
                    refused.push(Refused::new(format!("line {line}"), why));
                    continue;
                }
                Err(other) => return Err(other),
            };
            match self.push(&place, &op) {
                Ok(true) => {}
                Ok(false) if self.places.is_empty() => {
                    return Err(NodeError::DoesNotFit { place, shape: self.shape.name.clone() })
                }
                Ok(false) => {
                    source.put_back();
                    return Ok(false);
                }
                Err(rejection) => refused.push(Refused::new(place, rejection)),
            }
        }
    }

    /// The batch, without what cannot be proven.
    fn finish(
        self,
        provable: &dyn Fn(&BatchTrace) -> Result<(), CircuitError>,
        refused: &mut Vec<Refused>,
    ) -> Result<BatchTrace, NodeError> {
        let Self { packer, context, shape, places, .. } = self;
        // Quotes stand behind all other operations, of which each has a place.
        let (trace, state) = packer.finish().map_err(NodeError::Rejected)?;
        let why = match provable(&trace) {
            Ok(()) => return Ok(trace),
            Err(why) => why,
        };
        let CircuitError::Unprovable { operation: Some((fault, _)), .. } = why else {
            return Err(why.into());
        };
        if fault >= places.len() {
            return Err(why.into());
        }
        state.undo(&trace);
        let mut again = Self::new(state, context, shape)?;
        for (n, (place, op)) in places.into_iter().zip(&trace.ops).enumerate() {
            if n == fault {
                refused.push(Refused::new(place, &why));
                continue;
            }
            match again.push(&place, &op.op) {
                Ok(true) => {}
                Ok(false) => refused.push(Refused::new(
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
