//! The Poseidon transcript of batch proofs: eprint 2019/458, `x^5`, t = 3, rate 2, 8 full and 57
//! partial rounds over the scalar field, constants and matrix from the reference's Grain register.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, One};
use bastion_protocol::hash::Grain;

const T: usize = 3;
const RATE: usize = 2;
const FULL: usize = 8;
const PARTIAL: usize = 57;

struct Parameters {
    constants: Vec<[Fr; T]>,
    matrix: [[Fr; T]; T],
}

fn parameters() -> &'static Parameters {
    static PARAMETERS: OnceLock<Parameters> = OnceLock::new();
    PARAMETERS.get_or_init(|| {
        let mut grain = Grain::new(T, FULL, PARTIAL);
        let constants =
            (0..FULL + PARTIAL).map(|_| std::array::from_fn(|_| grain.element())).collect();
        // The Cauchy matrix 1 / (x_i + y_j). The first draw of the register has distinct elements
        // and no sum that is 0, so that no element is drawn again and every sum has an inverse.
        let x: [Fr; T] = std::array::from_fn(|_| grain.reduced_element());
        let y: [Fr; T] = std::array::from_fn(|_| grain.reduced_element());
        let matrix = x.map(|x| y.map(|y| (x + y).inverse().unwrap_or(Fr::ZERO)));
        Parameters { constants, matrix }
    })
}

/// The sponge, in variable-length mode with one output.
pub struct Poseidon {
    state: [Fr; T],
    buffer: Vec<Fr>,
}

impl Default for Poseidon {
    fn default() -> Self {
        // The capacity's initial value for one output element.
        let capacity = Fr::from(1u128 << 64);
        Self { state: [capacity, Fr::ZERO, Fr::ZERO], buffer: Vec::new() }
    }
}

impl Poseidon {
    /// Absorbs an element.
    pub fn absorb(&mut self, x: Fr) {
        self.buffer.push(x);
    }

    /// Hashes what was absorbed, padded by a one: a squeeze after an even number of elements
    /// permutes once more for the padding alone.
    pub fn squeeze(&mut self) -> Fr {
        let buffer = std::mem::take(&mut self.buffer);
        for chunk in buffer.chunks(RATE) {
            self.permute(chunk);
        }
        if buffer.len().is_multiple_of(RATE) {
            self.permute(&[]);
        }
        self.state[1]
    }

    fn permute(&mut self, inputs: &[Fr]) {
        for (lane, input) in self.state[1..].iter_mut().zip(inputs) {
            *lane += input;
        }
        if let Some(lane) = self.state[1..].get_mut(inputs.len()) {
            *lane += Fr::one();
        }
        let Parameters { constants, matrix } = parameters();
        for (round, constants) in constants.iter().enumerate() {
            for (lane, constant) in self.state.iter_mut().zip(constants) {
                *lane += constant;
            }
            let full = !(FULL / 2..FULL / 2 + PARTIAL).contains(&round);
            let lanes = if full { T } else { 1 };
            for lane in &mut self.state[..lanes] {
                *lane *= lane.square().square();
            }
            let state = self.state;
            self.state = matrix.map(|row| row.iter().zip(&state).map(|(m, s)| *m * s).sum());
        }
    }
}
