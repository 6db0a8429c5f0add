//! A second verifier of Bastion's proofs, for auditors.
//!
//! It is written from `docs/protocol.md` over arkworks and shares no code with halo2,
//! snark-verifier or the circuits: what it knows of a circuit is a [`Description`], a JSON document
//! of the verifying key as data. It verifies batch proofs and block proofs alike.
//!
//! ```no_run
//! use bastion_audit::{Description, Verifier};
//! let json = std::fs::read("description.json")?;
//! let verifier = Verifier::new(Description::from_json(&json)?)?;
//! let (instances, proof) = (vec![], vec![]);
//! verifier.verify(&instances, &proof)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | content |
//! |---|---|
//! | [`description`] | the document, and what makes one acceptable |
//! | [`transcript`] | Keccak and Poseidon transcripts |
//! | [`verifier`] | all the algebra, and the pairing |
//! | `work` | what a verification may cost |
//! | [`shplonk`] | opening sets of batch proofs and their combination |
//! | `packed` | the packs of block proofs and theirs |
//! | [`chain`] | what L1 tells about a rollup |
//! | [`blob`] | blobs, held against their hashes and read |
//! | [`replay`] | the L2 state from posted data alone |
//! | [`mod@audit`] | everything checked, with named findings |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod audit;
pub mod blob;
pub mod chain;
pub mod description;
pub mod error;
mod packed;
mod points;
pub mod replay;
pub mod shplonk;
pub mod transcript;
mod tree;
pub mod verifier;
mod work;

pub use audit::{audit, Circuit, Expectation, Finding, Report};
pub use chain::History;
pub use description::Description;
pub use error::{BadDescription, Refused};
pub use replay::Replay;
pub use verifier::Verifier;
