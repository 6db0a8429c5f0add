use halo2_proofs::halo2curves::bn256::{Fr, G1Affine, G1};
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use halo2_proofs::halo2curves::group::{Curve, Group};
use rand::rngs::StdRng;
use rand::SeedableRng;

use super::check::check;
use super::*;

fn example(seed: u64) -> (Sums, Inputs) {
    let mut rng = StdRng::seed_from_u64(seed);
    let points: Vec<G1Affine> = (0..2).map(|_| G1::random(&mut rng).to_affine()).collect();
    let sums = Sums {
        bases: vec![Base::Witness(0), Base::Constant(G1Affine::generator()), Base::Witness(1)],
        sums: vec![vec![0, 1, 2], vec![2]],
    };
    let scalars = vec![Fr::random(&mut rng), Fr::one(), Fr::zero(), -Fr::one()];
    let permutations = vec![[1, 2, 3].map(Fr::from), [Fr::random(&mut rng); 3]];
    let inputs = Inputs { points, scalars, permutations };
    (sums, inputs)
}

fn outputs(layout: &Layout, grid: &Grid) -> Vec<[Fr; 2]> {
    layout
        .program
        .rows_of(Kind::Output)
        .map(|row| {
            let limbs: Vec<Fr> = (0..6).map(|n| grid.get(row + n, columns::IO)).collect();
            [output::recomposed(&limbs[..3]), output::recomposed(&limbs[3..])]
        })
        .collect()
}

#[test]
fn sums_are_those_of_the_curve() {
    let (sums, inputs) = example(1);
    let layout = Layout::new(&sums, inputs.permutations.len());
    let grid = fill(&sums, &layout, &inputs);
    assert_eq!(check(&layout, &grid), Default::default());
    let [p, q] = [inputs.points[0], inputs.points[1]];
    let expected = [
        p * inputs.scalars[0] + G1::generator() * inputs.scalars[1] + q * inputs.scalars[2],
        q * inputs.scalars[3],
    ];
    for (got, expected) in outputs(&layout, &grid).iter().zip(expected) {
        let expected = expected.to_affine();
        assert_eq!(*got, [grid::to_native(&expected.x), grid::to_native(&expected.y)]);
    }
}

#[test]
fn the_permutation_is_the_transcripts() {
    use snark_verifier::loader::native::NativeLoader;
    use snark_verifier::util::hash::Poseidon;
    let mut hasher = Poseidon::<Fr, Fr, 3, 2>::new::<8, 57, 0>(&NativeLoader);
    hasher.update(&[Fr::from(7), Fr::from(8), Fr::from(9)]);
    let first = [Fr::from_u128(1 << 64), Fr::from(7), Fr::from(8)];
    let mut state = permutation::permute(&first);
    state[1] += Fr::from(9);
    state[2] += Fr::one();
    assert_eq!(hasher.squeeze(), permutation::permute(&state)[1]);
}

mod cheats;
mod encoding;
mod mutation;
mod readme;
