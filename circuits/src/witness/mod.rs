//! From an executed batch to a filled grid.

mod auction;
pub mod convert;
mod generate;
mod in_blob;
mod lookups;
mod usage;

pub use generate::{checked, fill, generate_witness, ChainedInputs};
pub use in_blob::BlobLink;
pub use lookups::{LookupCounts, Pool};
pub use usage::needs;
