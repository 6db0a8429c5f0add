//! Operations as the API shows them.

use bastion_client::types::{Amount, Bytes, Filled, Hash, Operation, Progressed};
use bastion_protocol::ops::{Action, Op};
use bastion_protocol::{Index, Kind, Token};
use bastion_state::executor;

use crate::api::problem::Fault;
use crate::api::Backend;
use crate::sequencer::Entry;

/// What the fields of an operation say.
struct Said {
    kind: Kind,
    account: Option<Index>,
    token: Token,
    amount: u128,
    fee: u128,
    to: Option<Index>,
}

impl Said {
    fn of(op: &Op) -> Self {
        let queued =
            |kind, account, token, amount| Self { kind, account, token, amount, fee: 0, to: None };
        match op {
            Op::Deposit(deposit) => queued(Kind::Deposit, None, deposit.token, deposit.amount),
            Op::ForcedExit(exit) => queued(Kind::ForcedExit, Some(exit.index), exit.token, 0),
            Op::Quote(quote) => queued(Kind::Quote, None, quote.a, 0),
            Op::Noop => queued(Kind::Noop, None, 0, 0),
            Op::Signed(signed) => {
                let body = &signed.body;
                Self {
                    kind: body.action.kind(),
                    account: Some(body.account),
                    token: body.token,
                    amount: body.action.amount().unwrap_or_default(),
                    fee: body.fee,
                    to: body.action.receiver(),
                }
            }
        }
    }
}

impl Backend {
    /// An accepted operation with the number of its entry.
    ///
    /// # Errors
    /// [`Fault::not_found`].
    pub(in crate::api) fn entry_of(&self, hash: Hash) -> Result<(u64, Entry), Fault> {
        let found = self.parts.log.find(&hash.0)?;
        found.ok_or_else(|| {
            Fault::not_found(format!(
                "accepted signed operation {hash}: it was never accepted here"
            ))
        })
    }

    /// An entry of the log.
    pub(in crate::api) fn operation(&self, number: u64, entry: Entry) -> Result<Operation, Fault> {
        let status = self.progressed(&entry)?;
        let filled = self.filled(&entry)?;
        let Said { kind, account, token, amount, fee, to } = Said::of(&entry.op);
        Ok(Operation {
            hash: Hash(entry.receipt.receipt.operation),
            entry: number,
            kind,
            bytes: Bytes(entry.op.to_bytes()),
            receipt: entry.receipt,
            status,
            batch_number: entry.batch,
            account,
            token,
            amount: Amount(amount),
            fee: Amount(fee),
            to,
            filled,
        })
    }

    /// What an order got, by the quotes that its batch ended with.
    fn filled(&self, entry: &Entry) -> Result<Option<Filled>, Fault> {
        let Op::Signed(signed) = &entry.op else {
            return Ok(None);
        };
        let Action::Order { buy, .. } = signed.body.action else {
            return Ok(None);
        };
        let quotes = self.parts.log.quotes(entry.batch)?;
        if quotes.is_empty() {
            return Ok(None);
        }
        let fill = executor::filled(&entry.op, &quotes);
        let fill = fill.map_err(|why| Fault::internal(format!("batch {}: {why}", entry.batch)))?;
        let filled = |fill: bastion_auction::Fill| Filled {
            sold: Amount(fill.sold),
            buy,
            paid: Amount(fill.bought),
        };
        Ok(fill.map(filled))
    }

    /// How far an entry has come.
    fn progressed(&self, entry: &Entry) -> Result<Progressed, Fault> {
        let coordinator = &self.parts.coordinator;
        let number = entry.receipt.receipt.place.block;
        let block = coordinator.block(number)?;
        let (committed, proven, finalized) = {
            let l1 = self.l1();
            (l1.committed >= number, l1.proven >= number, l1.finalized >= number)
        };
        let proven = proven || block.as_ref().is_some_and(|block| block.proven_at.is_some());
        let finalized = finalized || block.as_ref().is_some_and(|block| block.final_at.is_some());
        Ok(match (finalized, proven, committed) {
            (true, _, _) => Progressed::Final,
            (false, true, _) => Progressed::Proven,
            (false, false, true) => Progressed::Committed,
            (false, false, false) if coordinator.batches()? > entry.batch => Progressed::Sealed,
            (false, false, false) => Progressed::Sequenced,
        })
    }

    /// Operations of sealed batches before an entry that touched an account, newest first.
    pub(in crate::api) fn operations_of(
        &self,
        index: Index,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Operation>, Fault> {
        let before = before.unwrap_or(u64::MAX);
        let entries = self.parts.coordinator.touching(index, before, limit as usize)?;
        entries
            .into_iter()
            .map(|number| {
                let entry = self.parts.log.entry(number)?;
                let entry = entry
                    .ok_or_else(|| Fault::internal(format!("entry {number} is not in the log")))?;
                self.operation(number, entry)
            })
            .collect()
    }
}
