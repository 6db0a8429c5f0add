//! A batch of plain and blind orders, with the promises that an operator gives for it (protocol section 16).
//!
//! | call | what the operator gives |
//! |---|---|
//! | [`BlindBatch::take`] | a receipt for an operation that it knows |
//! | [`BlindBatch::take_blind`] | a blind receipt: for the hidden order's leaf, or that of its forfeit |
//! | [`BlindBatch::close`] | a closing: nothing but quotes is added from now on |
//! | [`BlindBatch::reveal`] | a receipt for the order that was hidden |
//! | [`BlindBatch::finish`] | the executed batch |
//!
//! A promise holds whatever owners reveal: `include_hidden` of the executor keeps room and balances for it. An order
//! that L1 was shown in time must be executed, so a batch with an order that nobody revealed is finished only when
//! L1 takes no opening of it any more.

mod error;
pub mod l1;

use std::collections::{BTreeMap, BTreeSet};

use bastion_client::{SignedBlind, SignedClosing, SignedReceipt};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::blind::terms::{Opening, Paid, Terms};
use bastion_protocol::blind::{bond_of, is_burned, BlindReceipt, Closing, Entry, Request};
use bastion_protocol::ops::{Action, Op, SignedOp};
use bastion_protocol::receipt::{operation_hash, Place};
use bastion_protocol::{Account, Fr, Index, Receipt, Token};
use bastion_state::executor::{
    check_signatures, BatchContext, BatchTrace, HiddenOrder, OpTrace, Packer, Pushed, UnpricedBatch,
};
use bastion_state::state::State;

use crate::posting::{Room, Usage};
use crate::sequencer::ReceiptSigner;

pub use error::BlindBatchError;

/// Most tokens that one hidden order may buy: quotes of all of them are held for it, and two orders could hold those of
/// a whole batch.
const MOST_TOKENS: usize = 4;

/// Where a batch stands, and what its hidden orders must keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Epoch of its receipts.
    pub epoch: u32,
    /// Number of its block.
    pub block: u64,
    /// Batch of the block. It must be the last one: what follows would be executed on a state that nobody knows.
    pub batch: u32,
    /// Until when L1 takes openings of its orders, in seconds.
    pub reveal_by: u64,
    /// The tokens that hidden orders may sell and buy, each with the least forfeit in it. The operator publishes this:
    /// owners reveal nothing after a closing with a smaller forfeit, or one in a token that they cannot price.
    pub bonds: BTreeMap<Token, u128>,
}

/// A batch of plain and blind orders.
pub struct BlindBatch<'s> {
    state: &'s mut State,
    batch: UnpricedBatch,
    context: BatchContext,
    /// What it has room for.
    room: Room,
    usage: Usage,
    rules: Rules,
    places: Vec<Promised>,
    /// Places of hidden orders by their accounts.
    hidden: BTreeMap<Index, usize>,
    closed: bool,
}

/// What was promised for a place.
enum Promised {
    Known { op: Box<Op>, leaf: Fr },
    Hidden(Box<Concealed>),
}

struct Concealed {
    request: Request,
    signed: SignedBlind,
    digest: [u8; 32],
    revealed: Option<SignedOp>,
}

impl Promised {
    fn entry(&self) -> Entry {
        match self {
            Self::Known { leaf, .. } => Entry { leaf: *leaf, forfeit: None },
            Self::Hidden(concealed) => concealed.signed.blind.entry(),
        }
    }

    /// What is executed.
    fn op(&self) -> Op {
        match self {
            Self::Known { op, .. } => **op,
            Self::Hidden(concealed) => {
                Op::Signed(concealed.revealed.unwrap_or(concealed.request.forfeit))
            }
        }
    }
}

impl<'s> BlindBatch<'s> {
    /// An empty batch with room for this: what a shape has, and what can be posted.
    ///
    /// # Errors
    /// [`BlindBatchError::Rejected`] for a context that no batch can have.
    pub fn new(
        state: &'s mut State,
        context: BatchContext,
        room: Room,
        rules: Rules,
    ) -> Result<Self, BlindBatchError> {
        let batch = UnpricedBatch::new(state, context.clone())?;
        let (usage, places, hidden) = (Usage::none(), Vec::new(), BTreeMap::new());
        Ok(Self { state, batch, context, room, usage, rules, places, hidden, closed: false })
    }

    /// Takes an operation of the queue, or an order. Others could spend what a hidden order may be paid.
    ///
    /// # Errors
    /// [`BlindBatchError`]; nothing was promised.
    pub fn take(
        &mut self,
        op: &Op,
        signer: &ReceiptSigner,
    ) -> Result<SignedReceipt, BlindBatchError> {
        self.must_be_open()?;
        match op {
            Op::Deposit(_) | Op::ForcedExit(_) => {}
            Op::Signed(signed) => {
                if !matches!(signed.body.action, Action::Order { .. }) {
                    return Err(BlindBatchError::NotAnOrder);
                }
                self.must_be_free(signed.body.account)?;
            }
            Op::Quote(_) | Op::Noop => return Err(BlindBatchError::NotAnOrder),
        }
        let checked = check_signatures(self.state, self.context.domain, &[*op]).pop().flatten();
        let trace = self.batch.execute(self.state, op, checked.as_ref())?;
        let leaf = OpTrace::leaf(&trace).ok_or(BlindBatchError::NotAnOrder)?;
        // Nothing is held for what is not taken.
        let mut usage = self.usage;
        let footprints = self.batch.footprints(&trace).ok_or(BlindBatchError::NoRoom)?;
        if !footprints.iter().all(self.room.count(&mut usage)) {
            return Err(BlindBatchError::NoRoom);
        }
        let taken = self.batch.include(self.state, trace, checked, |_| true);
        self.must_be_taken(taken)?;
        self.usage = usage;
        let receipt = self.receipt(operation_hash(op), leaf);
        self.places.push(Promised::Known { op: Box::new(*op), leaf });
        Ok(signer.sign(receipt)?)
    }

    /// Takes a hidden order. From then on its account does nothing else in this batch.
    ///
    /// # Errors
    /// [`BlindBatchError`]; nothing was promised.
    pub fn take_blind(
        &mut self,
        request: &Request,
        signer: &ReceiptSigner,
    ) -> Result<SignedBlind, BlindBatchError> {
        self.must_be_open()?;
        let &Request { account, nonce, leaf, message, key, ref signature, .. } = request;
        self.must_be_free(account)?;
        if !key.verify(message, signature) {
            return Err(BlindBatchError::Signature);
        }
        let forfeit = request.forfeit_leaf()?;
        let bond = bond_of(&Entry { leaf, forfeit: Some(forfeit) });
        let token = request.forfeit.body.token;
        let least = *self.rules.bonds.get(&token).ok_or(BlindBatchError::NotListed(token))?;
        if bond.is_none_or(|bond| bond.amount < least) {
            return Err(BlindBatchError::SmallForfeit { token, least });
        }
        let to = bond.map(|bond| bond.to).and_then(|to| self.state.account(to).map(|a| (to, *a)));
        match to {
            Some((_, burned)) if is_burned(burned.owner) => {}
            other => return Err(BlindBatchError::NotBurned(other.map(|(to, _)| to))),
        }
        let mut paid = Vec::with_capacity(request.paid.len());
        for &to in &request.paid {
            let token = self.state.account(to).map(|account| account.token);
            let token = token.ok_or(BlindBatchError::NoAccount(to))?;
            if !self.rules.bonds.contains_key(&token) {
                return Err(BlindBatchError::NotListed(token));
            }
            paid.push(Paid { account: to, token });
        }
        let tokens: BTreeSet<Token> = paid.iter().map(|paid| paid.token).collect();
        if tokens.len() > MOST_TOKENS {
            return Err(BlindBatchError::Tokens { got: tokens.len(), most: MOST_TOKENS });
        }
        let available = self.batch.available(self.state, account);
        let reveal_by = self.rules.reveal_by;
        let terms = Terms { message, account, token, nonce, available, paid, reveal_by };
        terms.check()?;
        // First: once the forfeit is executed, nothing may fail that would leave it without its place.
        let blind = BlindReceipt { receipt: self.receipt(terms.hash(), leaf), forfeit };
        let (signed, digest) = signer.sign_blind(blind, terms)?;
        let op = Op::Signed(request.forfeit);
        let checked = check_signatures(self.state, self.context.domain, &[op]).pop().flatten();
        let hidden = HiddenOrder { paid: request.paid.clone(), forfeit: request.forfeit };
        let mut usage = self.usage;
        let room = self.room.count(&mut usage);
        let taken = self.batch.include_hidden(self.state, &hidden, checked, room)?;
        self.must_be_taken(taken)?;
        self.usage = usage;
        let concealed =
            Concealed { request: request.clone(), signed: signed.clone(), digest, revealed: None };
        self.hidden.insert(account, self.places.len());
        self.places.push(Promised::Hidden(Box::new(concealed)));
        Ok(signed)
    }

    /// Closes the batch for operations. From now on orders are revealed.
    ///
    /// # Errors
    /// [`BlindBatchError::Closed`] if it was closed before; a batch has one closing.
    pub fn close(&mut self, signer: &ReceiptSigner) -> Result<SignedClosing, BlindBatchError> {
        self.must_be_open()?;
        self.closed = true;
        let entries: Vec<Entry> = self.places.iter().map(Promised::entry).collect();
        let &Rules { epoch, block, batch, .. } = &self.rules;
        let closing = Closing::of(&entries, epoch, block, batch, self.context.time);
        Ok(signer.sign_closing(closing, entries)?)
    }

    /// Takes the opening of the order that an account has hidden.
    ///
    /// # Errors
    /// [`BlindBatchError::Open`] before the closing: nobody should know the order while others can be added.
    /// [`BlindBatchError::Blind`] if it is not the order's opening.
    pub fn reveal(
        &mut self,
        account: Index,
        opening: &Opening,
        signer: &ReceiptSigner,
    ) -> Result<SignedReceipt, BlindBatchError> {
        if !self.closed {
            return Err(BlindBatchError::Open);
        }
        let place = self.hidden.get(&account).and_then(|place| self.places.get_mut(*place));
        let Some(Promised::Hidden(concealed)) = place else {
            return Err(BlindBatchError::NothingHidden(account));
        };
        let SignedBlind { blind, terms, .. } = &concealed.signed;
        terms.check_opening(blind, opening, self.context.domain)?;
        let order = concealed.request.signed(terms.body(opening));
        concealed.revealed = Some(order);
        let receipt = Receipt { operation: operation_hash(&Op::Signed(order)), ..blind.receipt };
        Ok(signer.sign(receipt)?)
    }

    /// The account whose blind receipt has this digest: L1 names receipts so.
    #[must_use]
    pub fn account_of(&self, digest: &[u8; 32]) -> Option<Index> {
        self.concealed().find(|c| c.digest == *digest).map(|c| c.request.account)
    }

    /// An account as it stands with what was taken so far.
    #[must_use]
    pub fn account(&self, index: Index) -> Option<&Account> {
        self.state.account(index)
    }

    /// Accounts whose orders are hidden still.
    pub fn unrevealed(&self) -> impl Iterator<Item = Index> + '_ {
        self.concealed().filter(|c| c.revealed.is_none()).map(|c| c.request.account)
    }

    fn concealed(&self) -> impl Iterator<Item = &Concealed> {
        self.places.iter().filter_map(|promised| match promised {
            Promised::Known { .. } => None,
            Promised::Hidden(concealed) => Some(&**concealed),
        })
    }

    /// Whether the batch can be finished. `l1_time` is the time of the last final block of L1 whose openings were
    /// taken.
    ///
    /// # Errors
    /// [`BlindBatchError::Open`] before the closing; [`BlindBatchError::TooSoon`] while L1 may take an opening of an
    /// order that is hidden still.
    pub fn ready(&self, l1_time: u64) -> Result<(), BlindBatchError> {
        if !self.closed {
            return Err(BlindBatchError::Open);
        }
        let (hidden, reveal_by) = (self.unrevealed().count(), self.rules.reveal_by);
        match hidden > 0 && l1_time <= reveal_by {
            true => Err(BlindBatchError::TooSoon { hidden, l1_time, reveal_by }),
            false => Ok(()),
        }
    }

    /// Clears the orders and executes the batch, with the forfeit of each order that is hidden still.
    ///
    /// # Errors
    /// Those of [`BlindBatch::ready`], which should be asked before: the batch is gone, and the state as before it.
    /// None that owners could cause, as the executor argues.
    pub fn finish(self, l1_time: u64) -> Result<BatchTrace, BlindBatchError> {
        let ready = self.ready(l1_time);
        let Self { state, batch, context, room, places, .. } = self;
        batch.abandon(state);
        ready?;
        let mut batch = Packer::new(state, context)?;
        let mut usage = Usage::none();
        for op in places.iter().map(Promised::op) {
            let why = match batch.push(&op, room.count(&mut usage)) {
                Ok(Pushed::Taken) => continue,
                Ok(Pushed::Waits | Pushed::Full) => BlindBatchError::NoRoom,
                Err(rejection) => rejection.into(),
            };
            batch.abandon();
            return Err(why);
        }
        Ok(batch.finish()?.0)
    }

    fn receipt(&self, operation: [u8; 32], leaf: Fr) -> Receipt {
        let &Rules { epoch, block, batch, .. } = &self.rules;
        // A batch has fewer than 2^16 operations.
        let position = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let place = Place { block, batch, position };
        Receipt { epoch, place, operation, leaf, time: self.context.time }
    }

    fn must_be_open(&self) -> Result<(), BlindBatchError> {
        if self.closed {
            return Err(BlindBatchError::Closed);
        }
        Ok(())
    }

    /// An account with a hidden order waits; so does one that is no user's.
    fn must_be_free(&self, account: Index) -> Result<(), BlindBatchError> {
        if account < FIRST_USER {
            return Err(BlindBatchError::SystemAccount(account));
        }
        match self.hidden.contains_key(&account) {
            true => Err(BlindBatchError::Waits(account)),
            false => Ok(()),
        }
    }

    fn must_be_taken(&self, pushed: Pushed) -> Result<(), BlindBatchError> {
        match pushed {
            Pushed::Taken => Ok(()),
            Pushed::Waits | Pushed::Full => Err(BlindBatchError::NoRoom),
        }
    }
}

#[cfg(test)]
mod tests;
