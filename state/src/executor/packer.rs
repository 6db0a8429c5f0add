//! Packs a batch with orders over a state that it borrows.

use bastion_protocol::ops::Op;

use super::{
    check_signatures, BatchContext, BatchTrace, Footprint, Pushed, Rejection, UnpricedBatch,
};
use crate::state::State;

/// A batch that takes operations while they fit, then finds prices for the orders among them, and adds the quotes.
/// [`UnpricedBatch`] is the form for those who keep batch and state together for long.
pub struct Packer<'s> {
    state: &'s mut State,
    batch: UnpricedBatch,
}

impl<'s> Packer<'s> {
    /// An empty batch.
    ///
    /// # Errors
    /// Those of [`UnpricedBatch::new`].
    pub fn new(state: &'s mut State, context: BatchContext) -> Result<Self, Rejection> {
        let batch = UnpricedBatch::new(state, context)?;
        Ok(Self { state, batch })
    }

    /// The state with the batch so far, orders having sold all and bought nothing.
    #[must_use]
    pub fn state(&self) -> &State {
        self.state
    }

    /// The operations so far, quotes aside.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.batch.ops()
    }

    /// Takes an operation, and makes room for the quotes that it may need ([`UnpricedBatch::include`]).
    ///
    /// # Errors
    /// A [`Rejection`]; nothing changed.
    pub fn push(
        &mut self,
        op: &Op,
        fits: impl FnMut(&Footprint) -> bool,
    ) -> Result<Pushed, Rejection> {
        let domain = self.batch.context().domain;
        let checked = check_signatures(self.state, domain, &[*op]).pop().flatten();
        let trace = self.batch.execute(self.state, op, checked.as_ref())?;
        Ok(self.batch.include(self.state, trace, checked, fits))
    }

    /// Takes the batch back: the accounts of the state are as before it.
    pub fn abandon(self) {
        self.batch.abandon(self.state);
    }

    /// Clears the orders, and executes the batch with their quotes behind all other operations. If no prices
    /// are found, nothing is traded.
    ///
    /// # Errors
    /// Those of [`UnpricedBatch::close`].
    pub fn finish(self) -> Result<(BatchTrace, &'s mut State), Rejection> {
        let Self { state, batch } = self;
        let closed = batch.close(state)?;
        let trace = closed.seal(state.tree_mut());
        Ok((trace, state))
    }
}
