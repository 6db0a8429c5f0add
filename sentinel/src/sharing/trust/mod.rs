//! Whom this chain believes, how far, and what follows from what they say.

mod list;
mod lookup;
mod reader;

pub use list::{Member, TrustList};
pub use lookup::{Lookup, Source};
pub use reader::Reader;

pub(super) use lookup::look;
pub(super) use reader::{sees, Asked};
