//! A list of changed proofs that the contract, `audit` and the TypeScript verifier all judge:
//! `clients/ts/test/mutations.ts` makes the same one.

use alloy_primitives::{keccak256, B256, U256};
use bastion_contract::field::{BASE_MODULUS, SCALAR_MODULUS};

const WORD: usize = 32;
const POINT: usize = 64;

/// Public inputs as words, canonical or not, and proof bytes.
#[derive(Clone)]
pub struct Call {
    pub instances: Vec<u8>,
    pub proof: Vec<u8>,
}

/// Where points and scalars stand in the proof.
#[derive(Clone, Copy)]
pub struct Layout {
    /// Points before the evaluations.
    pub points: usize,
    pub evaluations: usize,
}

/// How a call differs from the honest one.
enum Change {
    /// Bytes over instances and proof as one, at offsets.
    Write(Vec<(usize, Vec<u8>)>),
    Other(Call),
}

/// The calls: the honest one first, then each change that is one.
pub struct Calls {
    honest: Call,
    changes: Vec<Change>,
}

/// Numbers that both sides draw.
struct Draws(u32);

impl Draws {
    fn bytes(&mut self) -> B256 {
        let drawn = keccak256([&b"bastion.mutations.v1"[..], &self.0.to_be_bytes()].concat());
        self.0 += 1;
        drawn
    }

    fn below(&mut self, limit: usize) -> usize {
        let drawn = u64::from_be_bytes(self.bytes()[..8].try_into().unwrap());
        (drawn % limit as u64) as usize
    }
}

fn integer(bytes: &[u8], at: usize) -> U256 {
    U256::from_be_slice(&bytes[at..at + WORD])
}

fn encoded(x: U256) -> Vec<u8> {
    x.to_be_bytes::<WORD>().to_vec()
}

impl Calls {
    pub fn new(honest: &Call, layout: Layout) -> Self {
        let mut draws = Draws(0);
        let mut calls = Self { honest: honest.clone(), changes: Vec::new() };
        let whole = [&honest.instances[..], &honest.proof].concat();
        let start = honest.instances.len();
        let after_scalars = start + POINT * layout.points + WORD * layout.evaluations;
        let mut points: Vec<usize> = (0..layout.points).map(|i| start + POINT * i).collect();
        points.extend([after_scalars, after_scalars + POINT]);
        let instances: Vec<usize> = (0..start / WORD).map(|i| WORD * i).collect();
        let first = start + POINT * layout.points;
        let evaluations: Vec<usize> = (0..layout.evaluations).map(|i| first + WORD * i).collect();
        let scalars = [&instances[..], &evaluations].concat();

        let read = |at: usize, size: usize| whole[at..at + size].to_vec();
        let swapped =
            |a: usize, b: usize, size: usize| vec![(a, read(b, size)), (b, read(a, size))];
        for at in (0..whole.len()).chain(0..whole.len()) {
            calls.write(&whole, vec![(at, vec![whole[at] ^ (1 << draws.below(8))])]);
        }
        for _ in 0..600 {
            let words = whole.len() / WORD;
            let (a, b) = (WORD * draws.below(words), WORD * draws.below(words));
            calls.write(&whole, swapped(a, b, WORD));
        }
        for _ in 0..300 {
            let (a, b) = (points[draws.below(points.len())], points[draws.below(points.len())]);
            calls.write(&whole, swapped(a, b, POINT));
        }
        for _ in 0..600 {
            let at = scalars[draws.below(scalars.len())];
            let element = U256::from_be_bytes(draws.bytes().0) % SCALAR_MODULUS;
            calls.write(&whole, vec![(at, encoded(element))]);
        }
        for &at in &scalars {
            calls.write(&whole, vec![(at, encoded(integer(&whole, at) + SCALAR_MODULUS))]);
        }
        for &at in &scalars {
            let next = integer(&whole, at).add_mod(U256::from(1), SCALAR_MODULUS);
            calls.write(&whole, vec![(at, encoded(next))]);
        }
        for &at in &instances {
            calls.write(&whole, vec![(at, encoded(U256::ZERO))]);
        }
        for &at in &points {
            for coordinate in [at, at + WORD] {
                let large = integer(&whole, coordinate) + BASE_MODULUS;
                calls.write(&whole, vec![(coordinate, encoded(large))]);
            }
            let negated = BASE_MODULUS - integer(&whole, at + WORD);
            calls.write(&whole, vec![(at + WORD, encoded(negated))]);
            calls.write(&whole, vec![(at, vec![0; POINT])]);
            let generator = [encoded(U256::from(1)), encoded(U256::from(2))].concat();
            calls.write(&whole, vec![(at, generator)]);
        }
        // The accumulator's points, W and W' exchanged; parts in another order.
        calls.write(&whole, swapped(0, 6 * WORD, 6 * WORD));
        calls.write(&whole, swapped(after_scalars, after_scalars + POINT, POINT));
        for (places, size) in [(&evaluations, WORD), (&instances, WORD), (&points, POINT)] {
            let reversed = places.iter().zip(places.iter().rev());
            calls.write(&whole, reversed.map(|(at, other)| (*at, read(*other, size))).collect());
        }
        calls.resize(&mut draws);
        calls
    }

    /// Other lengths.
    fn resize(&mut self, draws: &mut Draws) {
        let Call { instances, proof } = self.honest.clone();
        let mut push = |instances: &[u8], proof: &[u8]| {
            let call = Call { instances: instances.to_vec(), proof: proof.to_vec() };
            self.changes.push(Change::Other(call));
        };
        for _ in 0..200 {
            push(&instances, &proof[..draws.below(proof.len())]);
        }
        for _ in 0..200 {
            let more = draws.bytes();
            let more = &more[..=draws.below(WORD)];
            push(&instances, &[&proof[..], more].concat());
        }
        push(&instances, &[&proof[..], &[0; WORD]].concat());
        push(&instances, &vec![0; proof.len()]);
        push(&instances[WORD..], &proof);
        push(&[&instances[..], &[0; WORD]].concat(), &proof);
        push(&[], &proof);
    }

    fn write(&mut self, whole: &[u8], patches: Vec<(usize, Vec<u8>)>) {
        let changes = patches.iter().any(|(at, bytes)| whole[*at..*at + bytes.len()] != bytes[..]);
        if changes {
            self.changes.push(Change::Write(patches));
        }
    }

    pub fn count(&self) -> usize {
        1 + self.changes.len()
    }

    pub fn get(&self, number: usize) -> Call {
        if number == 0 {
            return self.honest.clone();
        }
        match &self.changes[number - 1] {
            Change::Other(call) => call.clone(),
            Change::Write(patches) => {
                let start = self.honest.instances.len();
                let mut whole = [&self.honest.instances[..], &self.honest.proof].concat();
                for (at, bytes) in patches {
                    whole[*at..*at + bytes.len()].copy_from_slice(bytes);
                }
                let proof = whole.split_off(start);
                Call { instances: whole, proof }
            }
        }
    }

    /// One hash over all calls: the same list gives the same.
    pub fn digest(&self) -> B256 {
        let hashes = (0..self.count()).map(|number| {
            let Call { instances, proof } = self.get(number);
            let length = |bytes: &[u8]| (bytes.len() as u32).to_be_bytes();
            let (first, second) = (length(&instances), length(&proof));
            keccak256([&first[..], &instances, &second, &proof].concat())
        });
        keccak256(hashes.flat_map(|hash| hash.0).collect::<Vec<u8>>())
    }
}
