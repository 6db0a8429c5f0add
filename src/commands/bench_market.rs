//! `bastion bench market`

use bastion_auction::meter::{market, Scenario};

use crate::config::Settings;
use crate::output;

/// Simulates what an operator can take from traders, on an order book, a pool and two auctions.
///
/// Noise traders, an informed trader, an arbitrageur and a liquidity provider trade the same rounds on each venue. The
/// operator reorders, inserts, censors, picks prices that keep the auction's rule, or withholds orders of its own that
/// are blind. Amounts are ten thousandths of what the noise traders trade. Nothing is proven.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion bench market\n  bastion bench market --rounds 20 --seed 7 --json"
)]
pub(crate) struct Args {
    /// Everything random follows from it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Rounds on each venue, with each thing that the operator can do.
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    rounds: u64,
    /// Noise traders in a round.
    #[arg(long, value_name = "N", default_value_t = 12,
        value_parser = clap::value_parser!(u64).range(1..=100))]
    traders: u64,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let &Args { seed, rounds, traders } = args;
    let report = market(Scenario { seed, blocks: rounds, users: traders })?;
    output::report(settings, &report, |report| report.to_string())
}
