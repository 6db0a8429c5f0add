//! `bastion bench sentinel`

use std::path::PathBuf;

use bastion_node::NodeError;
use bastion_sentinel::simulate::{bench, Bench, Built, Rows, SimulateError, Splits, SAMPLE};
use eyre::WrapErr;

use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Measures what the sentinel finds in simulated traffic with planted attacks, and how often it is wrong.
///
/// Transfers are resampled over days, attacks and honest events that look like them are planted, and every
/// operation is signed and executed. Thresholds are set on one split alone. It takes some minutes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion bench sentinel --json\n  bastion bench sentinel --csv transfers.csv --operations 20000"
)]
pub(crate) struct Args {
    /// Transfers whose rhythm the traffic has [default: a sample that comes with the program].
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Operations of each split [default: as the committed splits say].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(10_000..=10_000_000))]
    operations: Option<u64>,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let text = match &args.csv {
        Some(path) => std::fs::read_to_string(path).wrap_err_with(|| path.display().to_string())?,
        None => SAMPLE.to_owned(),
    };
    let bad = |error: SimulateError| match &args.csv {
        Some(path) => eyre::Report::from(CliError::BadFile {
            what: "file of transfers",
            path: path.clone(),
            why: error.to_string(),
        }),
        None => error.into(),
    };
    let rows = Rows::read(&text).map_err(bad)?;
    let splits = match args.operations {
        Some(operations) => Splits::of_length(operations as usize)?,
        None => Splits::committed()?,
    };
    let built = Built::new(Default::default()).map_err(NodeError::from)?;
    output::report(settings, &bench(&rows, &splits, &built)?, text_of)
}

fn text_of(figures: &Bench) -> String {
    let mut text = format!(
        "{:<10} {:<16} {:>9} {:>12} {:>10} {:>10}\n",
        "split", "detector", "attacks", "money saved", "false/1e6", "median us"
    );
    for (split, report) in &figures.splits {
        let parts = report.components.iter().map(|(name, report)| (*name, report));
        let all = [("as shipped", &report.whole), ("at budget", &report.whole_at_budget)];
        let baseline = [("amounts", &report.baseline)];
        for (name, report) in all.into_iter().chain(parts).chain(baseline) {
            text += &format!(
                "{split:<10} {name:<16} {:>9.2} {:>12.2} {:>10.0} {:>10.0}\n",
                report.all.recall,
                report.all.money_saved,
                report.false_quarantines_per_million,
                report.latency_us.median
            );
        }
    }
    text + "attacks: the part of them that was caught. sentinel/src/simulate/README.md defines each figure"
}
