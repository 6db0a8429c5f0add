//! From an executed batch to a filled grid.

mod compile;
pub mod convert;
mod pools;
mod usage;

pub use compile::{checked, compile, fill, Link};
pub use pools::{Pool, Pools};
pub use usage::{needs, Usage};
