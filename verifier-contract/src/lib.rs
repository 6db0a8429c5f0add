//! Bastion: L1 contracts, their bindings, the verifier generator and the embedded EVM
//!
//! - [`protocol`]: a verifier as data, taken from a halo2 verifying key through snark-verifier.
//! - [`generate`]: Bastion's own Solidity verifier, written from that data.
//! - [`solc`]: the pinned Solidity compiler.
//! - [`artifact`]: both together, as `bastion setup` stores them.
//! - [`bindings`]: Solidity interfaces as Rust types.
//! - [`rollup`], [`governance`], [`slashing`]: the L1 contracts, their bytecode and interfaces.
//! - [`evm`]: an embedded EVM, the L1 of tests and of the demo.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod artifact;
pub mod bindings;
pub mod error;
pub mod evm;
pub mod field;
pub mod generate;
pub mod governance;
pub mod protocol;
pub mod rollup;
pub mod slashing;
pub mod solc;

pub use artifact::VerifierArtifact;
pub use error::ContractError;
pub use generate::generate_solidity;
pub use protocol::{PackedDescription, VerifierDescription};
