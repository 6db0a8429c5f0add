//! `bastion doctor`

use bastion_node::pipeline::Cache;
use bastion_node::service::doctor::{examine, Finding, Health};
use serde::Serialize;

use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Looks at everything that a node needs: memory, disk, keys, reference string, L1, NATS, clock.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion doctor --config /etc/bastion/bastion.toml")]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Report {
    findings: Vec<Finding>,
}

pub(crate) fn run(_: &Args, settings: &Settings) -> eyre::Result<()> {
    let findings = examine(&settings.node, &Cache::new(&settings.cache_dir), settings.memory);
    let bad = findings.iter().filter(|finding| finding.health == Health::Bad).count();
    output::report(settings, &Report { findings }, |report| {
        let line = |finding: &Finding| {
            let mark = match finding.health {
                Health::Good => "ok  ",
                Health::Warning => "warn",
                Health::Bad => "BAD ",
            };
            format!("{mark}  {:17} {}", finding.what, finding.text)
        };
        report.findings.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    match bad {
        0 => Ok(()),
        count => Err(CliError::Unfit { count }.into()),
    }
}
