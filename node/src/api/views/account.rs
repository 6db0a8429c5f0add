//! Accounts as the API shows them.

use bastion_client::types::{AccountProof, Amount, Element, Pending};
use bastion_protocol::{Account, Index};

use crate::api::problem::Fault;
use crate::api::Backend;
use crate::sequencer::AccountAt;

impl Backend {
    /// An account with its proof; `pending` is what it is after the last operation.
    pub(in crate::api) fn account(
        &self,
        index: Index,
        pending: Option<&Account>,
    ) -> Result<AccountProof, Fault> {
        let AccountAt { account, path, root, batches } = self.parts.ledger.prove(index)?;
        let coordinator = &self.parts.coordinator;
        let finalized = coordinator.block(self.finalized())?;
        Ok(AccountProof {
            index,
            account,
            path: path.map(Element).to_vec(),
            root: Element(root),
            batch: batches,
            block: coordinator.last_block()?,
            finalized: finalized.is_some_and(|block| block.header.new_root == root),
            pending: pending.map(|account| Pending {
                nonce: account.nonce,
                balance: Amount(account.balance),
                frozen_until: account.frozen_until,
            }),
        })
    }
}
