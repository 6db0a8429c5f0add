//! `bastion control`

use clap::Subcommand;
use serde::Serialize;

use crate::commands::operator;
use crate::config::Settings;
use crate::output;

/// Pauses, resumes or drains a node.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bastion control pause\n  bastion control drain")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    node: operator::Args,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Accepts no operations until `resume`. What was accepted is finished, and the L1 queue is taken.
    Pause,
    /// Accepts operations again.
    Resume,
    /// Accepts nothing any more; the node ends when everything is final.
    Drain,
    /// Closes the open block before its time is up.
    CloseBlock,
}

#[derive(Serialize)]
struct Report {
    done: &'static str,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let admin = args.node.admin(settings)?;
    let done = operator::runtime()?.block_on(async {
        match args.command {
            Command::Pause => admin.pause().await.map(|()| "paused"),
            Command::Resume => admin.resume().await.map(|()| "resumed"),
            Command::Drain => admin.drain().await.map(|()| "draining"),
            Command::CloseBlock => {
                admin.close_block().await.map(|()| "the open block, if there is one, is closed")
            }
        }
    })?;
    output::report(settings, &Report { done }, |r| r.done.to_owned())
}
