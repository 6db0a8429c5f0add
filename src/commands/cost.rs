//! `bastion cost`

use bastion_circuits::{cost, Shape};

use crate::config::{self, Settings};
use crate::output;

/// Shows what operations cost in a shape.
///
/// The figures are measured on filled batches.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion cost --shape standard --json")]
pub(crate) struct Args {
    /// Shape: tiny, small, medium, market, standard or large (`bastion shapes` compares them).
    #[arg(long, default_value = "standard", value_parser = config::shape)]
    shape: Shape,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let report = cost::report(&args.shape)?;
    output::report(settings, &report, |r| r.to_string())
}
