//! What is let go when a block is final.

use tracing::info;

use super::events::Event;
use super::{Coordinator, Inner};
use crate::error::NodeError;
use crate::jobs::JobError;

/// Blocks whose jobs are remembered after they became final.
const KEPT: u64 = 64;

impl Coordinator {
    /// Notes that a block is final on L1, deeper than L1 is ever reorganized: its inputs and proofs are
    /// not needed any more.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn finalized(&self, number: u64) -> Result<(), NodeError> {
        let now = (self.clock)();
        let mut inner = self.lock();
        let Some(mut block) = inner.blocks.block(number)? else {
            return Ok(());
        };
        if block.final_at.is_some() {
            return Ok(());
        }
        let batches = (block.first_batch..).zip(&block.inputs);
        let keys = batches.map(|(batch, _)| block.batch_job(batch));
        for key in keys.chain([block.block_job(number)]) {
            match inner.jobs.done(&self.artifacts, &self.proofs, &key) {
                Ok(()) | Err(JobError::Unknown { .. }) => {}
                // Another prover has brought the block to L1: nobody needs to prove it any more.
                Err(JobError::Over { .. }) => match inner.jobs.cancel(&key) {
                    Ok(()) | Err(JobError::Over { .. }) => {}
                    Err(error) => return Err(error.into()),
                },
                Err(error) => return Err(error.into()),
            }
        }
        for (batch, input) in (block.first_batch..).zip(&block.inputs) {
            self.artifacts.remove(input)?;
            if let Some(info) = inner.blocks.batch(batch)? {
                self.artifacts.remove(&info.trace)?;
            }
        }
        self.forget_jobs(&mut inner, number.saturating_sub(KEPT))?;
        // Last: after a crash before it, all of this is done again.
        block.final_at = Some(now);
        inner.blocks.put_block(number, &block)?;
        info!(block = number, "block final");
        self.tell(Event::Block(number));
        Ok(())
    }

    /// Forgets the jobs of a block that has been final for long: their rows would grow for ever.
    fn forget_jobs(&self, inner: &mut Inner, number: u64) -> Result<(), NodeError> {
        let Some(block) = inner.blocks.block(number)? else {
            return Ok(());
        };
        let batches = (block.first_batch..).zip(&block.inputs);
        let keys = batches.map(|(batch, _)| block.batch_job(batch));
        for key in keys.chain([block.block_job(number)]) {
            inner.jobs.forget(&key)?;
            self.changes.forget(&key);
        }
        Ok(())
    }
}
