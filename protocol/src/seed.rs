//! Random tests are the same in every run, unless somebody asks for others.

use proptest::test_runner::{Config, RngSeed};

/// `cases` cases from seed 1; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` say otherwise. Printed, so that
/// a failure can be had again.
pub fn config(cases: u32) -> Config {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let Config { cases, rng_seed, .. } = &config;
    println!("PROPTEST_RNG_SEED={rng_seed} PROPTEST_CASES={cases}");
    config
}
