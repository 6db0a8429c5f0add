//! What is to happen on L1, and what was done for it.

use alloy::primitives::{keccak256, Address, Bytes, B256, U256};
use serde::{Deserialize, Serialize};

use super::fees::Fees;
use crate::blob::Sidecar;
use crate::types::Call;

/// What is asked for: one transaction that takes effect once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its name for good, such as `commit 7`.
    pub name: String,
    /// Whom it calls; `None` creates a contract.
    pub to: Option<Address>,
    /// What it brings, in wei.
    pub value: U256,
    /// Its calldata, or the contract's creation code.
    pub input: Bytes,
    /// Its gas limit is no lower than this.
    pub gas: u64,
    /// The blobs that it carries, in order; none for a transaction of another type.
    pub blobs: Vec<BlobOf>,
}

/// One of the blobs that a transaction carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobOf {
    /// Its versioned hash.
    pub hash: B256,
    /// Its bytes; empty when the intent is over.
    pub bytes: Bytes,
}

impl BlobOf {
    /// The blob of a sidecar.
    pub fn new(sidecar: &Sidecar) -> Self {
        Self { hash: sidecar.versioned_hash(), bytes: Bytes::copy_from_slice(sidecar.blob()) }
    }
}

impl Request {
    /// A call that brings nothing.
    pub fn call(name: impl Into<String>, to: Address, input: Bytes) -> Self {
        Self {
            name: name.into(),
            to: Some(to),
            value: U256::ZERO,
            input,
            gas: 0,
            blobs: Vec::new(),
        }
    }

    /// The same with blobs.
    #[must_use]
    pub fn with_blobs(self, blobs: &[Sidecar]) -> Self {
        Self { blobs: blobs.iter().map(BlobOf::new).collect(), ..self }
    }

    /// The call as an account makes it.
    pub(super) fn from(&self, from: Address) -> Call {
        let blobs = self.blobs.iter().map(|blob| blob.hash).collect();
        Call { from, to: self.to, value: self.value, input: self.input.clone(), blobs }
    }
}

/// One signed transaction. It is stored before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// As it is sent; empty when the intent is over, as nothing needs it any more.
    pub raw: Bytes,
    /// Its hash.
    pub hash: B256,
    /// Its nonce.
    pub nonce: u64,
    /// Its gas limit.
    pub gas: u64,
    /// What it pays.
    pub fees: Fees,
    /// What it brings, in wei.
    pub value: U256,
    /// When it was signed, in seconds.
    pub time: u64,
    /// Whether it does nothing but take the place of the others.
    pub cancels: bool,
}

/// An attempt in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// Number of the block.
    pub block: u64,
    /// Hash of the block.
    pub block_hash: B256,
    /// When it was found there, in seconds.
    pub time: u64,
    /// Hash of the attempt.
    pub transaction: B256,
    /// The gas that it used.
    pub gas_used: u64,
    /// What it paid for each gas, in wei.
    pub gas_price: u128,
    /// All that left the account, in wei.
    pub cost: U256,
    /// Whether it had its effect. If not, it is final before anything follows from it.
    pub succeeded: bool,
    /// Whether it is one that cancels.
    pub cancels: bool,
}

/// Where an intent stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Nothing is on its way.
    Pending,
    /// Attempts are on their way.
    Sent,
    /// One of the attempts is in a block, which may still go.
    Mined(Inclusion),
    /// It has happened, in a final block.
    Final(Inclusion),
    /// It will not happen.
    Failed {
        /// Why.
        cause: String,
    },
    /// Somebody else has done it.
    Superseded,
    /// It was taken back, before an attempt or by a transaction that took the attempts' place.
    Cancelled(Option<Inclusion>),
}

impl State {
    /// The state in a word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Mined(_) => "mined",
            Self::Final(_) => "final",
            Self::Failed { .. } => "failed",
            Self::Superseded => "superseded",
            Self::Cancelled(_) => "cancelled",
        }
    }

    /// Whether nothing changes it any more, but for the operator.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Pending | Self::Sent | Self::Mined(_) => false,
            Self::Final(_) | Self::Failed { .. } | Self::Superseded | Self::Cancelled(_) => true,
        }
    }

    fn inclusion(&self) -> Option<&Inclusion> {
        match self {
            Self::Mined(inclusion) | Self::Final(inclusion) => Some(inclusion),
            Self::Cancelled(inclusion) => inclusion.as_ref(),
            Self::Pending | Self::Sent | Self::Failed { .. } | Self::Superseded => None,
        }
    }
}

/// A row of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// What is asked for. Its input is empty when it is over and cannot be begun anew.
    pub request: Request,
    /// Hash of the input.
    pub digest: B256,
    /// When it was first asked for, in seconds.
    pub time: u64,
    /// Where it stands.
    pub state: State,
    /// The nonce of the attempts that are on their way.
    pub nonce: Option<u64>,
    /// All attempts, oldest first. Those with another nonce than [`Self::nonce`] cannot be mined any more,
    /// or have failed in a final block.
    pub attempts: Vec<Attempt>,
    /// Whether it is being taken back.
    pub cancelling: bool,
    /// Attempts that were mined and had no effect.
    pub reverted: Vec<Inclusion>,
}

impl Intent {
    pub(super) fn new(request: Request, time: u64) -> Self {
        Self {
            digest: keccak256(&request.input),
            request,
            time,
            state: State::Pending,
            nonce: None,
            attempts: Vec::new(),
            cancelling: false,
            reverted: Vec::new(),
        }
    }

    /// Whether it has the effect that is asked for. The gas limit is no part of it.
    pub(super) fn is_for(&self, request: &Request) -> bool {
        let Request { name, to, value, input, gas: _, blobs } = request;
        let own = (&self.request.name, &self.request.to, &self.request.value, self.digest);
        let hashes = |blobs: &[BlobOf]| blobs.iter().map(|blob| blob.hash).collect::<Vec<_>>();
        own == (name, to, value, keccak256(input)) && hashes(&self.request.blobs) == hashes(blobs)
    }

    /// Drops what is long, if nothing needs it any more. Blocks have a hundred kilobytes of calldata, and
    /// rows are kept for ever.
    pub(super) fn shortened(mut self) -> Self {
        match self.state {
            State::Pending | State::Sent | State::Mined(_) => {}
            State::Failed { .. } => self.attempts.iter_mut().for_each(|a| a.raw = Bytes::new()),
            State::Final(_) | State::Superseded | State::Cancelled(_) => {
                self.attempts.iter_mut().for_each(|a| a.raw = Bytes::new());
                self.request.input = Bytes::new();
                self.request.blobs.iter_mut().for_each(|blob| blob.bytes = Bytes::new());
            }
        }
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.request.name
    }

    /// Attempts that can still be mined, oldest first.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| Some(attempt.nonce) == self.nonce)
    }

    /// What was spent for it on a day, in wei. Days are counted from 1970 in UTC.
    pub(super) fn spent_on(&self, day: u64) -> U256 {
        let mined = self.reverted.iter().chain(self.state.inclusion());
        let on_day = mined.filter(|inclusion| inclusion.time / super::DAY == day);
        on_day.fold(U256::ZERO, |sum, inclusion| sum.saturating_add(inclusion.cost))
    }

    /// What its attempts may still cost, in wei: at most one of them is mined.
    pub(super) fn committed(&self) -> U256 {
        match self.state {
            State::Sent => {
                let blobs = self.request.blobs.len();
                let costs = self.live().map(|a| a.fees.total(a.gas, blobs, a.value));
                costs.max().unwrap_or(U256::ZERO)
            }
            _ => U256::ZERO,
        }
    }
}
