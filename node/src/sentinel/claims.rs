//! What is claimed on L1 with a block.

use std::sync::Arc;

use bastion_protocol::Memo;
use bastion_sentinel::sharing::Intelligence;

/// What is claimed with a block. Its memo is made without the sentinel's lock: the root may take a while.
pub struct Claims {
    pub(super) findings: [u8; 32],
    pub(super) count: u64,
    pub(super) indicators: Option<Arc<Intelligence>>,
}

impl Claims {
    /// The memo.
    pub fn memo(&self) -> Memo {
        let indicators = self.indicators.as_ref().map_or([0; 32], |known| {
            let root = known.root(known.now());
            match root.count {
                0 => [0; 32],
                _ => root.root,
            }
        });
        Memo { findings: self.findings, count: self.count, indicators }
    }
}
