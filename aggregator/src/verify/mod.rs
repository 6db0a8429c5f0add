//! snark-verifier's algebra over the chip: batch proofs are read and reduced to one pair of points.
//!
//! | module | content |
//! |---|---|
//! | [`points`] | points as combinations that nobody evaluates before the end |
//! | [`transcript`] | the batch proofs' transcript, its permutation in the chip |
//! | [`combine`] | from proofs to the two sums of the block circuit |

pub mod combine;
pub mod points;
pub mod transcript;
