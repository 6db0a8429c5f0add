//! Poseidon2 over `Fr`, width 2, the two hashes made of it (protocol §1), and L1's hash.

mod grain;

use crate::Fr;
use ark_ff::{AdditiveGroup, Field};
use sha3::{Digest, Keccak256};
use std::sync::OnceLock;

pub use grain::Grain;

/// Width of the permutation.
pub const WIDTH: usize = 2;
/// Full rounds, half before and half after the partial rounds.
pub const FULL_ROUNDS: usize = 8;
/// Partial rounds.
pub const PARTIAL_ROUNDS: usize = 56;

/// Tag of signature challenges.
pub const TAG_SIG: u64 = 1;
/// Tag of operation messages.
pub const TAG_MSG: u64 = 2;
/// Tag of policies.
pub const TAG_POLICY: u64 = 3;
/// Tag of the limits of one token.
pub const TAG_LIMIT: u64 = 4;
/// Tag of calls of the sentinel's watchers.
pub const TAG_WATCHER: u64 = 5;

/// Round constants of the width-2 permutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundConstants {
    /// One pair for each full round, in the order of use.
    pub external: [[Fr; WIDTH]; FULL_ROUNDS],
    /// One for each partial round, added to lane 0.
    pub internal: [Fr; PARTIAL_ROUNDS],
}

/// The constants, generated once per process.
pub fn round_constants() -> &'static RoundConstants {
    static CONSTANTS: OnceLock<RoundConstants> = OnceLock::new();
    CONSTANTS.get_or_init(|| {
        let mut grain = Grain::new(WIDTH, FULL_ROUNDS, PARTIAL_ROUNDS);
        let mut external = [[Fr::ZERO; WIDTH]; FULL_ROUNDS];
        let mut internal = [Fr::ZERO; PARTIAL_ROUNDS];
        let (first, last) = external.split_at_mut(FULL_ROUNDS / 2);
        let full = |round: &mut [Fr; WIDTH], grain: &mut Grain| {
            round.iter_mut().for_each(|c| *c = grain.element());
        };
        first.iter_mut().for_each(|round| full(round, &mut grain));
        internal.iter_mut().for_each(|c| *c = grain.element());
        last.iter_mut().for_each(|round| full(round, &mut grain));
        RoundConstants { external, internal }
    })
}

#[inline]
fn sbox(x: Fr) -> Fr {
    x.square().square() * x
}

/// `[[2, 1], [1, 2]]`
#[inline]
fn external_layer(s: &mut [Fr; WIDTH]) {
    let sum = s[0] + s[1];
    s[0] += sum;
    s[1] += sum;
}

/// `[[2, 1], [1, 3]]`
#[inline]
fn internal_layer(s: &mut [Fr; WIDTH]) {
    let sum = s[0] + s[1];
    s[0] += sum;
    s[1] = s[1].double() + sum;
}

/// The Poseidon2 permutation.
pub fn permute(state: &mut [Fr; WIDTH]) {
    let constants = round_constants();
    let full_round = |s: &mut [Fr; WIDTH], c: &[Fr; WIDTH]| {
        s[0] = sbox(s[0] + c[0]);
        s[1] = sbox(s[1] + c[1]);
        external_layer(s);
    };
    let (first, last) = constants.external.split_at(FULL_ROUNDS / 2);
    external_layer(state);
    for c in first {
        full_round(state, c);
    }
    for c in &constants.internal {
        state[0] = sbox(state[0] + c);
        internal_layer(state);
    }
    for c in last {
        full_round(state, c);
    }
}

/// Two-to-one compression: `P(a, b)[0] + a`.
#[must_use]
pub fn compress(a: Fr, b: Fr) -> Fr {
    let mut state = [a, b];
    permute(&mut state);
    state[0] + a
}

/// Hash of a list: `h_0 = compress(tag, n)`, `h_i = compress(h_{i-1}, x_i)`.
#[must_use]
pub fn chain(tag: u64, xs: &[Fr]) -> Fr {
    let start = compress(Fr::from(tag), Fr::from(xs.len() as u64));
    xs.iter().fold(start, |h, x| compress(h, *x))
}

/// keccak256 of the concatenation.
#[must_use]
pub fn keccak(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
