//! The node as a service: sequencer, coordinator, workers, settler and API of one rollup in one process.
//!
//! | module | content |
//! |---|---|
//! | [`backup`] | copies of the data folder, and checks of it |
//! | [`clock`] | the time that blocks have |
//! | [`config`] | what the operator decides |
//! | [`deployment`] | deploys a rollup from the operator's account |
//! | [`control`] | what the operator does while it runs |
//! | [`doctor`] | what a node needs, and whether it is there |
//! | [`view`] | what the parts show of themselves |
//! | [`intake`] | entries of the L1 queue for the sequencer |
//! | [`settler`] | brings proven blocks to L1 |
//! | [`keys`] | the operator's keys |
//! | [`manifest`] | which rollup this is |
//! | [`supervise`] | keeps the parts running |
//! | [`run`] | starts, watches and stops the parts |

pub mod backup;
pub mod clock;
pub mod config;
pub mod control;
pub mod deployment;
pub mod doctor;
pub mod intake;
pub mod keys;
pub mod manifest;
pub mod policies;
pub mod rebuild;
pub mod restored;
pub mod run;
pub mod settler;
pub mod supervise;
pub mod view;

pub use control::Control;
pub use view::{Identity, L1Status, L1View, TxInfo};
