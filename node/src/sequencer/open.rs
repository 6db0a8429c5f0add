//! The batch and the block that are open, and when they close.

use bastion_circuits::Shape;
use bastion_protocol::data::DataMode;
use bastion_protocol::kinds::KINDS;
use bastion_protocol::ops::Op;
use bastion_protocol::path::DEPTH;
use bastion_protocol::receipt::Place;
use bastion_protocol::{Fr, Kind, Policy, Quote};
use bastion_state::executor::{
    execute_again, BatchContext, Checked, ClosedBatch, Footprint, OpTrace, Pushed, Rejection,
    UnpricedBatch,
};
use bastion_state::state::State;

use super::log::{Appended, BatchRow, Log};
use super::Closed;
use crate::error::NodeError;
use crate::posting::{Room, Usage};

/// When batches and blocks close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packing {
    /// A batch closes when a table of this shape is full.
    pub shape: Shape,
    /// Where blocks are posted, which decides what of a batch counts as calldata.
    pub mode: DataMode,
    /// Numbers of batches that a block may have, ascending: a circuit proves each. A block whose time is
    /// up is filled to the next of them, so that blocks are small when little is sent and large when much is.
    pub sizes: Vec<u32>,
    /// A batch that is not empty closes after this time, in seconds from the block's time.
    pub batch_seconds: u64,
    /// A block closes after this time, in seconds from its own.
    pub block_seconds: u64,
}

impl Packing {
    /// What a batch has room for.
    pub(super) fn room(&self) -> Room {
        let most = self.sizes.last().copied().unwrap_or(1);
        Room::new(self.shape.slots, self.mode, most as usize)
    }

    /// Checks that an empty batch has room for an operation of every kind, wherever its accounts lie:
    /// what any user can send must not stop the sequencer.
    pub(super) fn check(&self) -> Result<(), NodeError> {
        let ascending = self.sizes.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || self.sizes.first().is_none_or(|size| *size == 0) {
            return Err(NodeError::Sizes { sizes: self.sizes.clone() });
        }
        let room = self.room();
        let refused = |what: String| {
            let shape = self.shape.name.clone();
            Err(NodeError::DoesNotFit { place: what, shape })
        };
        let (accounts, nodes) = (MOST_ACCOUNTS, most_nodes(MOST_ACCOUNTS));
        for kind in KINDS.map(|description| description.kind) {
            let alone = Footprint { kind, accounts, nodes, tokens: usize::from(kind.exits()) };
            if !room.holds(&room.with(Usage::none(), &alone)) {
                return refused(format!("an operation of kind {kind:?}"));
            }
        }
        // An order with the quotes of its tokens and its pair, which touch one more fee account.
        let (accounts, nodes) = (MOST_ACCOUNTS + 1, most_nodes(MOST_ACCOUNTS + 1));
        let kinds = [Kind::Order, Kind::Quote, Kind::Quote, Kind::Quote];
        let of = |kind| Footprint { kind, accounts, nodes, tokens: 0 };
        let add = |used: Usage, kind| room.with(used, &of(kind));
        match room.holds(&kinds.into_iter().fold(Usage::none(), add)) {
            true => Ok(()),
            false => refused("an order with its quotes".into()),
        }
    }
}

/// Accounts of an operation at most.
const MOST_ACCOUNTS: usize = 3;

/// Nodes above so many leaves at most, wherever they lie.
fn most_nodes(leaves: usize) -> usize {
    (0..DEPTH as u32).map(|level| leaves.min(1_usize.checked_shl(level).unwrap_or(leaves))).sum()
}

/// The open batch, or what the next one will be.
#[derive(Debug)]
pub(super) struct Current {
    domain: Fr,
    /// Number of the batch since genesis.
    number: u64,
    row: Option<BatchRow>,
    open: Option<UnpricedBatch>,
    usage: Usage,
    /// Block, batch in it, and context of its block: none before the block's first operation.
    block: u64,
    batch: u32,
    context: Option<BatchContext>,
    /// When the open batch began by this node's clock; 0 for one that the log had.
    opened: u64,
    /// Time of the last block that began: L1 takes no block before it, whatever the clock says.
    last_time: u64,
    epoch: u32,
    /// The epoch of the next block to open.
    next_epoch: u32,
}

impl Current {
    /// What the log says of the batches that the store does not have.
    pub(super) fn replay(
        log: &Log,
        state: &mut State,
        stored: u64,
        domain: Fr,
        room: &Room,
    ) -> Result<(Self, Vec<Closed>), NodeError> {
        let (base, least) = (log.base()?, log.least_epoch()?);
        let mut current = Self {
            domain,
            number: stored,
            row: None,
            open: None,
            usage: Usage::none(),
            block: base.block + 1,
            batch: 0,
            context: None,
            opened: 0,
            last_time: base.time,
            epoch: base.epoch.max(least),
            next_epoch: base.epoch.max(least),
        };
        let broken = |why: String| NodeError::LogBroken { why };
        if stored < base.batches {
            let begin = base.batches;
            return Err(broken(format!(
                "the state store has {stored} batches, the log begins after {begin}"
            )));
        }
        let rows = log.batches(stored.saturating_sub(1))?;
        if stored > base.batches && rows.first().is_none_or(|(number, _)| *number != stored - 1) {
            return Err(broken(format!("the state store has {stored} batches, the log fewer")));
        }
        let mut closed = Vec::new();
        for (number, row) in rows {
            (current.block, current.batch) = (row.block, row.batch);
            // An open block goes on in the epoch that a restored log may sign in, not in that of lost receipts.
            current.epoch = row.epoch.max(least);
            current.next_epoch = current.epoch;
            current.context = Some(row.context.clone());
            current.last_time = row.context.time;
            if number + 1 == stored {
                current.number = number;
                current.after(&row);
                continue;
            }
            if number != current.number {
                return Err(broken(format!("batch {} is missing", current.number)));
            }
            let broken = |why: String| broken(format!("batch {number}: {why}"));
            let entries = log.entries(row.first)?;
            let own = entries.take_while(|e| e.as_ref().map_or(true, |e| e.batch == number));
            let ops: Vec<Op> = own.map(|entry| Ok(entry?.op)).collect::<Result<_, NodeError>>()?;
            let Some(count) = row.sealed else {
                let mut usage = Usage::none();
                let count = |f: &Footprint| usage = room.with(usage, f);
                let open = again(state, &row.context, &ops, count).map_err(broken)?;
                (current.open, current.row, current.usage) = (Some(open), Some(row), usage);
                continue;
            };
            let quotes = log.quotes(number)?;
            let found = ops.len() + quotes.len();
            if count as usize != found {
                return Err(broken(format!("{found} operations of {count}")));
            }
            let accepted = match quotes.is_empty() {
                true => None,
                // For the sentinel alone. What is closed is closed, whatever is accepted today.
                false => again(state, &row.context, &ops, |_| ()).ok().map(|batch| {
                    let accepted = batch.traces().cloned().collect();
                    batch.abandon(state);
                    accepted
                }),
            };
            // The prices are those that were found then: a solver may have learned since.
            let batch = execute_again(state, &row.context, &ops, &quotes);
            let batch = batch.map_err(|rejection| broken(rejection.to_string()))?;
            current.after(&row);
            closed.push(Closed { number, row, batch, accepted });
        }
        Ok((current, closed))
    }

    /// Goes on to the batch after a sealed one.
    fn after(&mut self, row: &BatchRow) {
        self.number += 1;
        self.batch = row.batch + 1;
        self.usage = Usage::none();
        (self.open, self.row) = (None, None);
        if row.ends_block {
            (self.block, self.batch, self.context) = (self.block + 1, 0, None);
        }
    }

    /// The context of a block that begins now.
    fn fresh(&self, policy: &Policy, now: u64) -> BatchContext {
        let time = now.max(self.last_time);
        BatchContext { domain: self.domain, time, policy: policy.clone() }
    }

    /// Checks that a block can begin now, which it may have to in the midst of a group.
    pub(super) fn check(
        &self,
        state: &mut State,
        policy: &Policy,
        now: u64,
    ) -> Result<(), NodeError> {
        let open = UnpricedBatch::new(state, self.fresh(policy, now));
        open.map(drop).map_err(NodeError::Rejected)
    }

    /// Opens a batch if none is open; its first entry will be number `first`.
    pub(super) fn begin(
        &mut self,
        state: &mut State,
        policy: &Policy,
        now: u64,
        first: u64,
        appended: &mut Appended,
    ) -> Result<(), NodeError> {
        if self.open.is_some() {
            return Ok(());
        }
        if self.context.is_none() {
            self.epoch = self.next_epoch;
        }
        let context = self.context.clone().unwrap_or_else(|| self.fresh(policy, now));
        let open = UnpricedBatch::new(state, context.clone()).map_err(NodeError::Rejected)?;
        self.opened = now;
        self.last_time = context.time;
        let row = BatchRow {
            block: self.block,
            batch: self.batch,
            epoch: self.epoch,
            first,
            sealed: None,
            ends_block: false,
            context: context.clone(),
        };
        appended.batches.push((self.number, row.clone()));
        (self.open, self.row, self.context) = (Some(open), Some(row), Some(context));
        Ok(())
    }

    /// What an operation would do in the open batch; `None` if there is none.
    pub(super) fn execute(
        &self,
        state: &State,
        op: &Op,
        checked: Option<&Checked>,
    ) -> Result<Option<OpTrace>, Rejection> {
        let Some(open) = &self.open else {
            return Ok(None);
        };
        open.execute(state, op, checked).map(Some)
    }

    /// Whether the open batch has room for what [`Current::execute`] gave, and for the quotes that it may need: in the
    /// tables of its shape, and in the calldata that it may post.
    pub(super) fn has_room(&self, trace: &OpTrace, room: &Room) -> bool {
        let footprints = self.open.as_ref().and_then(|open| open.footprints(trace));
        let with = |used, f: &Footprint| room.with(used, f);
        footprints.is_some_and(|all| room.holds(&all.iter().fold(self.usage, with)))
    }

    /// Whether an order that has no room lacks it in the auction alone, so that the batch goes on without it. If it
    /// ended at once, anybody could end each batch by orders that fill nothing. If it never ended, whoever is first
    /// in each batch could keep all others out of its auction by such orders. So a batch ends for an order after half
    /// of its time, and the order is the first one of the next.
    pub(super) fn goes_on_without(&self, trace: &OpTrace, packing: &Packing, now: u64) -> bool {
        let young = now < self.opened.saturating_add(packing.batch_seconds.div_ceil(2));
        young && trace.order.is_some() && packing.room().holds_another(self.usage)
    }

    /// Includes what [`Current::execute`] gave in the open batch; `None` if there is no room.
    pub(super) fn include(
        &mut self,
        state: &mut State,
        trace: OpTrace,
        checked: Option<Checked>,
        room: &Room,
    ) -> Option<Place> {
        let open = self.open.as_mut()?;
        match open.include(state, trace, checked, room.count(&mut self.usage)) {
            Pushed::Taken => {}
            Pushed::Waits | Pushed::Full => return None,
        }
        let position = open.len().saturating_sub(1) as u32;
        Some(Place { block: self.block, batch: self.batch, position })
    }

    /// The policy of the open block.
    pub(super) fn policy(&self) -> Option<&Policy> {
        self.context.as_ref().map(|context| &context.policy)
    }

    /// First entry of the open batch.
    pub(super) fn first(&self) -> Option<u64> {
        self.row.as_ref().map(|row| row.first)
    }

    /// What the operations of the open batch did when they were accepted.
    pub(super) fn accepted(&self) -> impl Iterator<Item = &OpTrace> {
        self.open.iter().flat_map(UnpricedBatch::traces)
    }

    /// Closes the open batch, if there is one. Its orders are cleared, and the quotes come behind all other
    /// operations. The block ends with it if it has as many batches as it may have, or if `block` is to end and a
    /// circuit proves so many.
    ///
    /// # Errors
    /// [`NodeError::Rejected`] for a batch that cannot be executed at any prices. It never took what could make
    /// it one ([`UnpricedBatch`]).
    pub(super) fn close(
        &mut self,
        state: &mut State,
        sizes: &[u32],
        block: bool,
        appended: &mut Appended,
    ) -> Result<Option<Closed>, NodeError> {
        let (Some(open), Some(mut row)) = (self.open.take(), self.row.take()) else {
            return Ok(None);
        };
        let batch = open.close(state).map_err(NodeError::Rejected)?;
        row.sealed = Some(batch.ops().len() as u32);
        let count = row.batch.saturating_add(1);
        let full = sizes.last().is_none_or(|most| count >= *most);
        row.ends_block = full || block && sizes.contains(&count);
        let number = self.number;
        let quotes: Vec<Quote> = quotes_of(&batch).collect();
        if !quotes.is_empty() {
            appended.quotes.push((number, quotes));
        }
        appended.batches.push((number, row.clone()));
        self.after(&row);
        Ok(Some(Closed { number, row, batch, accepted: None }))
    }

    /// Whether the open batch has waited long enough.
    pub(super) fn batch_is_due(&self, packing: &Packing, now: u64) -> bool {
        let has_any = self.open.as_ref().is_some_and(|open| !open.is_empty());
        has_any && self.age(now) >= packing.batch_seconds * u64::from(self.batch + 1)
    }

    /// Whether the open block has waited long enough.
    pub(super) fn block_is_due(&self, packing: &Packing, now: u64) -> bool {
        self.in_a_block() && self.age(now) >= packing.block_seconds
    }

    /// Whether a block has begun that is not closed.
    pub(super) fn in_a_block(&self) -> bool {
        self.context.is_some()
    }

    fn age(&self, now: u64) -> u64 {
        self.context.as_ref().map_or(0, |context| now.saturating_sub(context.time))
    }

    /// Forgets a batch that was opened for operations of which none was accepted: a block begins with
    /// its first operation, so that nobody can make the operator prove blocks of nothing.
    pub(super) fn forget_empty(&mut self, appended: &mut Appended) {
        if self.open.as_ref().is_some_and(UnpricedBatch::is_empty) {
            (self.open, self.row) = (None, None);
            appended.batches.retain(|(number, row)| *number != self.number || row.sealed.is_some());
            if self.batch == 0 {
                self.context = None;
            }
        }
    }

    pub(super) fn domain(&self) -> Fr {
        self.domain
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Blocks that open from now on have this epoch; it never falls.
    pub(super) fn set_epoch(&mut self, epoch: u32) {
        self.next_epoch = self.next_epoch.max(epoch);
    }

    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    pub(super) fn time(&self) -> u64 {
        self.context.as_ref().map_or(0, |context| context.time)
    }
}

/// Executes the operations of a batch again, as they were accepted, with whatever room they take, and counts that. The state is as
/// before if that is not possible.
fn again(
    state: &mut State,
    context: &BatchContext,
    ops: &[Op],
    mut count: impl FnMut(&Footprint),
) -> Result<UnpricedBatch, String> {
    let mut open = UnpricedBatch::new(state, context.clone()).map_err(|e| e.to_string())?;
    for (position, op) in ops.iter().enumerate() {
        let why = match open.execute(state, op, None) {
            Err(rejection) => rejection.to_string(),
            Ok(trace) => match open.include(state, trace, None, |f| {
                count(f);
                true
            }) {
                Pushed::Taken => continue,
                Pushed::Waits | Pushed::Full => "it does not fit".into(),
            },
        };
        open.abandon(state);
        return Err(format!("operation {position}: {why}"));
    }
    Ok(open)
}

/// The quotes of a closed batch, in their order.
fn quotes_of(batch: &ClosedBatch) -> impl Iterator<Item = Quote> + '_ {
    batch.ops().iter().filter_map(|trace| trace.quote).map(|quoted| quoted.quote)
}
