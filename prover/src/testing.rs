//! What tests share: randomness that repeats.

use proptest::test_runner::{Config, RngSeed};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// The seed of all random tests: `BASTION_TEST_SEED`, or always the same. Shown with a failure.
fn seed() -> u64 {
    let seed = std::env::var("BASTION_TEST_SEED").map_or(0xba57, |seed| seed.parse().unwrap());
    println!("BASTION_TEST_SEED={seed}");
    seed
}

/// Random numbers of one kind for one place.
pub(crate) fn rng(place: u64) -> ChaCha20Rng {
    let mut rng = ChaCha20Rng::seed_from_u64(seed());
    rng.set_stream(place);
    rng
}

/// So many cases of a property, or `PROPTEST_CASES`.
pub(crate) fn cases(cases: u32) -> Config {
    let given = std::env::var_os("PROPTEST_CASES").is_some();
    let config = Config::default();
    Config {
        cases: if given { config.cases } else { cases },
        rng_seed: RngSeed::Fixed(seed()),
        ..config
    }
}
