use super::*;

fn evaluate(coefficients: &[Fr], x: Fr) -> Fr {
    let high_to_low = coefficients.iter().rev();
    high_to_low.fold(Fr::zero(), |sum, c| sum * x + c)
}

/// Values of a random polynomial on a coset, and back.
fn round_trip(
    transform: impl Fn(&Roots, &[Fr], &mut [Fr], Option<&[Fr]>, Option<Powers>),
    roots_of: impl Fn(u32, Fr) -> Roots,
    lift: Fr,
) {
    // Odd and even: the two passes are of different and of equal lengths.
    for k in [MIN_K, MIN_K + 1, 9] {
        let n = 1_usize << k;
        let omega = root(k);
        assert_eq!(omega.pow_vartime([n as u64 / 2]), -Fr::one());
        let mut random = crate::testing::rng(u64::from(k));
        let shift = Fr::random(&mut random);
        let coefficients: Vec<Fr> = (0..n).map(|_| Fr::random(&mut random)).collect();
        let mut values = vec![Fr::zero(); n];
        // Lifted, and in lanes' form.
        let pre = Powers { factor: lift.square(), base: shift };
        let roots = roots_of(k, omega);
        transform(&roots, &coefficients, &mut values, Some(&pre.table(k)), None);

        let inverse = |x: Fr| x.invert().unwrap();
        let backward = roots_of(k, inverse(omega));
        let post = Powers { factor: inverse(lift * Fr::from(n as u64)), base: inverse(shift) };
        let mut back = vec![Fr::zero(); n];
        transform(&backward, &values, &mut back, None, Some(post));
        assert_eq!(back, coefficients, "2^{k}");

        // And by evaluation, with the values in canonical form.
        let scale = Powers { factor: lift, base: shift };
        let one = Powers { factor: Fr::one(), base: Fr::one() };
        transform(&roots, &coefficients, &mut values, Some(&scale.table(k)), Some(one));
        for i in [0, 1, 8, n / 2 + 3, n - 1] {
            let x = shift * omega.pow_vartime([i as u64]);
            assert_eq!(values[i], evaluate(&coefficients, x), "value {i} of 2^{k}");
        }
    }
}

#[test]
fn transforms_evaluate_on_every_arithmetic_of_the_machine() {
    for arithmetic in Arithmetic::supported() {
        let transform =
            |roots: &Roots, input: &[Fr], output: &mut [Fr], pre: Option<&[Fr]>, post| {
                let mut scratch = vec![Fr::zero(); input.len()];
                let transform =
                    Transform { roots, input, output, scratch: &mut scratch, pre, post };
                lanes::run_on(arithmetic, transform);
            };
        let roots = |k, omega| Roots::on(arithmetic, k, omega);
        round_trip(transform, roots, lift_of(arithmetic));
    }
}
