//! Objects of STIX 2.1, as far as they are acted on. What is not known is kept and passed on.
//!
//! | module | content |
//! |---|---|
//! | [`json`] | JSON that every reader understands alike |
//! | [`time`] | timestamps |
//! | [`id`] | identifiers |
//! | [`subject`] | whom intelligence is about |
//! | [`pattern`] | patterns |
//! | [`marking`] | the Traffic Light Protocol |
//! | [`kinds`] | what the kinds of objects say |
//! | [`object`] | an object |
//! | [`bundle`] | several of them |
//! | [`draft`] | objects of one's own |

pub mod bundle;
pub mod draft;
pub mod id;
pub mod json;
pub mod kinds;
pub mod marking;
pub mod object;
pub mod pattern;
pub mod subject;
pub mod time;

#[cfg(test)]
mod tests;

pub use id::Id;
pub use kinds::{Indicator, Kind, Sighting};
pub use marking::{Marking, Tlp};
pub use object::{Object, MOST_OBJECT};
pub use subject::Subject;
pub use time::Timestamp;
