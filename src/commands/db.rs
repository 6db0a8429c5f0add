//! `bastion db`

use std::path::PathBuf;

use bastion_node::coordinator::verifiers::Verifiers;
use bastion_node::pipeline::Cache;
use bastion_node::service::backup;
use bastion_node::service::manifest::Rollup;
use clap::Subcommand;

use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Checks, copies and restores the node's data folder. The node must be stopped.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion db check\n  bastion db backup /backup/2026-11-26\n  bastion db restore /backup/2026-11-26"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks that log, batches, blocks and artifacts are whole and fit together.
    Check,
    /// Copies the data folder to a new folder.
    Backup {
        /// The folder, which must not be there yet.
        folder: PathBuf,
    },
    /// Makes the data folder of a backup. Receipts that were given after the backup are lost with it: restore
    /// the newest one, and only if the folder itself is lost.
    Restore {
        /// The folder of the backup.
        folder: PathBuf,
    },
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let data = &settings.node.rollup.data_dir;
    let progress = output::progress(settings);
    match &args.command {
        Command::Check => {
            let rollup = Rollup::read(&settings.node.rollup.manifest)?;
            let verifiers = verifiers(&rollup, settings)?;
            let checked = backup::check(data, &rollup, verifiers)?;
            let faults = checked.faults.len();
            output::report(settings, &checked, |c| {
                let mut text = format!(
                    "{} entries, {} batches, {} blocks, {} artifacts",
                    c.entries, c.batches, c.blocks, c.artifacts
                );
                for fault in &c.faults {
                    text += &format!("\nFAULT: {fault}");
                }
                text
            })?;
            match faults {
                0 => Ok(()),
                count => Err(CliError::Unfit { count }.into()),
            }
        }
        Command::Backup { folder } => {
            let rollup = Rollup::read(&settings.node.rollup.manifest)?;
            let made = backup::backup(data, folder, &rollup, &progress)?;
            output::report(settings, &made, |m| {
                format!("{} files, {} bytes, in {}", m.files.len(), m.bytes, folder.display())
            })
        }
        Command::Restore { folder } => {
            let made = backup::restore(folder, data, &progress)?;
            output::report(settings, &made, |m| {
                format!("{} files, {} bytes, in {}", m.files.len(), m.bytes, data.display())
            })
        }
    }
}

fn verifiers(rollup: &Rollup, settings: &Settings) -> eyre::Result<Verifiers> {
    let cache = Cache::new(&settings.cache_dir);
    let folder = |block: &bastion_node::service::manifest::BlockCircuit| {
        cache.verifier_dir(&rollup.shape, block.batches as usize, block.circuit)
    };
    let folders: Vec<PathBuf> = rollup.blocks.iter().map(folder).collect();
    Ok(Verifiers::open(&folders)?)
}
