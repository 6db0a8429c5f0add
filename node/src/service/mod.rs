//! The node as a service: sequencer, coordinator, workers, settler and API of one rollup in one process.
//!
//! | module | content |
//! |---|---|
//! | [`control`] | what the operator does while it runs |
//! | [`view`] | what the parts show of themselves |

pub mod control;
pub mod view;

pub use control::Control;
pub use view::{Identity, L1Status, L1View, TxInfo};
