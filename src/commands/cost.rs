//! `bastion cost`

use bastion_circuits::{cost, Shape};

use crate::config::Settings;
use crate::output;

/// Tells what operations cost in a shape, measured on filled batches.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion cost --shape standard --json")]
pub(crate) struct Args {
    /// Shape: tiny, small, medium, standard or large (`bastion shapes` compares them).
    #[arg(long, default_value = "standard")]
    shape: String,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let shape = Shape::named(&args.shape)?;
    let report = cost::report(&shape)?;
    output::report(settings, &report, |r| r.to_string())
}
