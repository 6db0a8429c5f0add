//! Logarithms to base 2 in fixed point: integers alone, so every machine finds the same prices.

/// Fractional bits of a logarithm.
pub(super) const FRACTION: u32 = 32;

/// 1 as a logarithm: a factor of 2.
pub(super) const OCTAVE: i64 = 1 << FRACTION;

/// `log2(x)` for `x > 0`, rounded down; 0 for 0.
pub(super) fn log2(x: u128) -> i64 {
    let Some(whole) = x.checked_ilog2() else { return 0 };
    // The leading 64 bits, as a number from 1 to below 2 in units of 2^-63.
    let mut m = (x << (127 - whole) >> 64) as u64;
    let mut log = i64::from(whole);
    for _ in 0..FRACTION {
        // Squaring doubles the logarithm; its whole part is the next bit.
        let square = u128::from(m) * u128::from(m);
        let bit = square >> 127;
        m = (square >> (63 + bit)) as u64;
        log = log << 1 | bit as i64;
    }
    log
}

/// Powers of 2 to fractions.
pub(super) struct Exp2 {
    /// `2^(2^-i)` for `i` from 1, in units of `2^-63`.
    roots: [u64; FRACTION as usize],
}

impl Exp2 {
    pub(super) fn new() -> Self {
        let mut roots = [0; FRACTION as usize];
        let mut last = 1_u128 << 64;
        for root in &mut roots {
            last = (last << 63).isqrt();
            *root = last as u64;
        }
        Self { roots }
    }

    /// `2^log` as (mantissa, exponent): `mantissa x 2^(exponent - 63)` with the mantissa's top bit set.
    pub(super) fn of(&self, log: i64) -> (u64, i64) {
        let mut m = 1_u64 << 63;
        for (i, root) in (1..).zip(&self.roots) {
            if log >> (FRACTION - i) & 1 == 1 {
                // Both are from 1 to below 2, and the product is below 2 up to rounding down.
                m = ((u128::from(m) * u128::from(*root)) >> 63) as u64;
            }
        }
        (m, log >> FRACTION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn powers_of_two_are_exact() {
        for i in 0..128 {
            assert_eq!(log2(1 << i), i64::from(i) << FRACTION);
        }
        assert_eq!(Exp2::new().of(-3 * OCTAVE), (1 << 63, -3));
        assert_eq!(log2(0), 0);
    }

    proptest! {
        #[test]
        fn as_in_floating_point(x in 1_u128.., log in -96 * OCTAVE..96 * OCTAVE) {
            let expected = (x as f64).log2() * OCTAVE as f64;
            prop_assert!((log2(x) as f64 - expected).abs() < 4.0 + expected / 1e15);
            let (m, exponent) = Exp2::new().of(log);
            let value = m as f64 / (1_u64 << 63) as f64 * (exponent as f64).exp2();
            let expected = (log as f64 / OCTAVE as f64).exp2();
            prop_assert!((value / expected - 1.0).abs() < 1e-12);
            prop_assert!(m >> 63 == 1);
        }
    }
}
