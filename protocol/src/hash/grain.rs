//! The Grain LFSR of the Poseidon papers, as the reference generator of Poseidon2 uses it
//! (`poseidon2_rust_params.sage` of HorizenLabs/poseidon2).

use crate::Fr;
use ark_ff::{BigInt, PrimeField};

const FIELD_BITS: usize = 254;
const STATE_BITS: usize = 80;

/// Generator of round constants for a permutation of `Fr`.
#[derive(Debug, Clone)]
pub struct Grain {
    state: [bool; STATE_BITS],
    head: usize,
}

impl Grain {
    /// Seeds the register for a prime field (1), the S-box `x^5` (0), `n = 254` bits, and the
    /// given width and round numbers, and discards the first 160 bits.
    #[must_use]
    pub fn new(width: usize, full_rounds: usize, partial_rounds: usize) -> Self {
        let fields = [
            (1, 2),
            (0, 4),
            (FIELD_BITS, 12),
            (width, 12),
            (full_rounds, 10),
            (partial_rounds, 10),
        ];
        // The last 30 bits stay one.
        let mut state = [true; STATE_BITS];
        let bits = fields
            .iter()
            .flat_map(|&(value, width)| (0..width).rev().map(move |i| value >> i & 1 == 1));
        for (slot, bit) in state.iter_mut().zip(bits) {
            *slot = bit;
        }
        let mut grain = Self { state, head: 0 };
        for _ in 0..160 {
            grain.clock();
        }
        grain
    }

    fn clock(&mut self) -> bool {
        let tap = |i: usize| self.state[(self.head + i) % STATE_BITS];
        let bit = tap(62) ^ tap(51) ^ tap(38) ^ tap(23) ^ tap(13) ^ tap(0);
        self.state[self.head] = bit;
        self.head = (self.head + 1) % STATE_BITS;
        bit
    }

    /// Bits come in pairs; the second counts if the first is one.
    fn bit(&mut self) -> bool {
        while !self.clock() {
            self.clock();
        }
        self.clock()
    }

    fn integer(&mut self) -> BigInt<4> {
        let mut limbs = [0_u64; 4];
        for i in (0..FIELD_BITS).rev() {
            limbs[i / 64] |= u64::from(self.bit()) << (i % 64);
        }
        BigInt::new(limbs)
    }

    /// The next 254-bit integer that is below the modulus.
    pub fn element(&mut self) -> Fr {
        loop {
            if let Some(x) = Fr::from_bigint(self.integer()) {
                return x;
            }
        }
    }

    /// The next 254-bit integer, modulo the modulus: how the first Poseidon draws its matrix.
    pub fn reduced_element(&mut self) -> Fr {
        crate::field::reduce(&crate::field::limbs_to_bytes(self.integer()))
    }
}
