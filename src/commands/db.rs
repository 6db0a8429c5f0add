//! `bastion db`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bastion_client::types::Answer;
use bastion_client::Client;
use bastion_node::coordinator::verifiers::Verifiers;
use bastion_node::pipeline::Cache;
use bastion_node::sequencer::Log;
use bastion_node::service::manifest::Rollup;
use bastion_node::service::{backup, rebuild};
use clap::Subcommand;
use serde::Serialize;

use crate::commands::operator;
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Checks, copies and restores the node's data folder. The node must be stopped.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion db check\n  bastion db backup /backup/2026-11-26\n  bastion db restore /backup/2026-11-26\n  bastion db restored\n  \
bastion db resend data.old --after-block 41"
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
    #[command(
        after_help = "Examples:\n  bastion db restore /backup/2026-11-26\n  bastion db restore /backup/2026-11-26 --nothing-lost"
    )]
    Restore {
        /// The folder of the backup.
        folder: PathBuf,
        /// The node has not run since the backup was made, so nothing was promised after it. Otherwise nothing is
        /// signed before a new epoch has begun on L1 (`bastion l1 new-epoch`).
        #[arg(long)]
        nothing_lost: bool,
    },
    /// Says that the data folder was put back by other means (a snapshot, a copy of the disk) and may be older than
    /// the last receipt. Nothing is signed before a new epoch has begun on L1 (`bastion l1 new-epoch`).
    Restored,
    /// Sends the signed operations of an old data folder to a node that was rebuilt from L1, in order. What it
    /// executed before, and what is too late, is refused and changes nothing.
    #[command(
        after_help = "Example: bastion db resend data.old --after-block 41 --node http://127.0.0.1:4000"
    )]
    Resend {
        /// The old data folder.
        folder: PathBuf,
        /// The last block that the new node was rebuilt from.
        #[arg(long, value_name = "BLOCK")]
        after_block: u64,
        /// The node [default: api.listen of the configuration].
        #[arg(long, value_name = "URL", env = "BASTION_NODE")]
        node: Option<String>,
    },
}

/// What became of operations that were sent again.
#[derive(Debug, Default, Serialize)]
struct Resent {
    operations: usize,
    accepted: usize,
    held: usize,
    /// How many were refused, by reason.
    refused: BTreeMap<String, usize>,
}

/// What has to be done about receipts that are not in the data folder.
const NEXT: &str =
    "The node signs nothing before a new epoch has begun on L1: bastion l1 new-epoch";

/// Operations of one request.
const CHUNK: usize = 100;

fn resend(folder: &Path, after_block: u64, client: &Client) -> eyre::Result<Resent> {
    let operations = rebuild::later_operations(folder, after_block)?;
    let mut resent = Resent { operations: operations.len(), ..Resent::default() };
    let runtime = operator::runtime()?;
    for chunk in operations.chunks(CHUNK) {
        for answer in runtime.block_on(client.submit(chunk))? {
            match answer {
                Answer::Receipt(_) => resent.accepted += 1,
                Answer::Held(_) => resent.held += 1,
                Answer::Rejection(rejection) => {
                    *resent.refused.entry(rejection.code).or_default() += 1;
                }
            }
        }
    }
    Ok(resent)
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
                    "{} entries, {} batches, {} blocks, {} artifacts, {} blobs",
                    c.entries, c.batches, c.blocks, c.artifacts, c.blobs
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
        Command::Resend { folder, after_block, node } => {
            let own = || format!("http://{}", settings.node.api.listen);
            let client = Client::new(&node.clone().unwrap_or_else(own))?;
            let resent = resend(folder, *after_block, &client)?;
            output::report(settings, &resent, |r| {
                let mut text = format!(
                    "{} operations: {} accepted, {} held back",
                    r.operations, r.accepted, r.held
                );
                for (code, count) in &r.refused {
                    text += &format!(", {count} refused ({code})");
                }
                text
            })
        }
        Command::Restore { folder, nothing_lost } => {
            let made = backup::restore(folder, data, *nothing_lost, &progress)?;
            output::report(settings, &made, |m| {
                let files =
                    format!("{} files, {} bytes, in {}", m.files.len(), m.bytes, data.display());
                match nothing_lost {
                    true => files,
                    false => format!("{files}\n{NEXT}"),
                }
            })
        }
        Command::Restored => {
            let mark = Log::mark_restored(&data.join("sequencer/log"))?;
            output::report(settings, &mark, |m| {
                format!("places from block {} on may have been promised\n{NEXT}", m.from)
            })
        }
    }
}

pub(crate) fn verifiers(rollup: &Rollup, settings: &Settings) -> eyre::Result<Verifiers> {
    let cache = Cache::new(&settings.cache_dir);
    let folder = |block: &bastion_node::service::manifest::BlockCircuit| {
        cache.verifier_dir(&rollup.shape, block.batches as usize, block.circuit)
    };
    let folders: Vec<PathBuf> = rollup.blocks.iter().map(folder).collect();
    Ok(Verifiers::open(&folders)?)
}
