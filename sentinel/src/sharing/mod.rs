//! Sharing of threat intelligence between chains. `README.md` beside this file has the whole picture.

pub mod client;
mod collection;
pub mod error;
mod intelligence;
pub mod server;
pub mod sign;
pub mod stix;
pub mod store;
pub mod taxii;
#[cfg(test)]
mod testing;
pub mod trust;

pub use collection::Collection;
pub use error::SharingError;
pub use intelligence::{Clock, Intelligence, Options};
pub use trust::{Lookup, Member, Reader, Source, TrustList};
