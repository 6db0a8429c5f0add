//! What is known: versions of objects, on disk and in memory.
//!
//! | module | content |
//! |---|---|
//! | `state` | what is known, in memory |
//! | `said` | who says what about whom, as far as it can count |
//! | `journal` | what is known, on disk |
//! | `quota` | how much a source may send |
//! | `accept` | what may enter |
//! | `query` | what is asked for |
//! | `merkle` | the root that can be posted, and proofs under it |

pub(super) mod accept;
mod journal;
pub(super) mod merkle;
pub(super) mod query;
mod quota;
pub(super) mod said;
mod state;

pub use accept::Accepted;
pub use merkle::{Inclusion, Root};
pub use query::{Page, Query, Versions};
pub use quota::Quotas;
pub use state::{Entry, Key, Maker};

pub(super) use accept::Writer;
pub(super) use journal::{Journal, Record};
pub(super) use quota::Ledger;
pub(super) use state::State;
