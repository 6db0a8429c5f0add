//! Everything between a batch circuit and a checked proof on disk.
//!
//! * [`srs`]: the structured reference string, its files and its consistency checks;
//! * [`keys`]: proving and verifying keys, cached on disk under a [`CircuitId`](bastion_protocol::CircuitId);
//! * [`proof`]: proving one circuit, the proof artifact, and its verification;
//! * [`plonk`]: how proofs are made;
//! * [`msm`]: multi-scalar multiplication;
//! * [`Arithmetic`]: which instructions of the processor they use;
//! * [`schedule`]: proving the batches of a block in parallel under a memory budget;
//! * [`progress`]: what is happening and how long it will take, for people and for programs;
//! * [`artifact`]: files that are either the old version or the new one, never half of each.
//!
//! The crate is generic over [`ProvableCircuit`]: it knows no table and no gate.
//! Two rules hold everywhere: no proof leaves this crate before two verifiers have
//! accepted it, and bytes read from outside lead to a [`ProverError`], never to a panic.

#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod artifact;
mod circuit;
mod class;
mod container;
mod error;
pub mod keys;
mod lanes;
pub mod msm;
pub mod plonk;
pub mod progress;
pub mod proof;
pub mod schedule;
pub mod srs;

#[cfg(test)]
mod test_circuit;
#[cfg(test)]
mod testing;

use halo2_proofs::halo2curves::bn256::Fr;

pub use circuit::ProvableCircuit;
pub use class::ErrorClass;
pub use error::{out_of_space, ProverError, Result};
pub use lanes::{Arithmetic, BadArithmetic};
