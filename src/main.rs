//! The `bastion` command line: one file per command, the logic is in the crates below.
#![forbid(unsafe_code)]

mod commands;
mod config;
mod exit;
mod output;
#[cfg(test)]
mod remedies;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Settings;

/// Validity-proof rollup prover: operations in, proven state root finalized on L1.
#[derive(Debug, Parser)]
#[command(name = "bastion", version, propagate_version = true)]
#[command(after_help = "Exit codes: 0 ok, 1 failure, 2 usage, 3 proof invalid, 4 version or \
circuit mismatch, 5 missing file or artifact, 6 not enough memory or disk.\n\nConfiguration: bastion.toml \
(or --config FILE), overridden by BASTION_* variables (empty ones count as unset), overridden by \
flags.")]
struct Cli {
    #[command(flatten)]
    settings: config::Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the main job on an embedded L1: deposits, transfers, exits, proofs, finalization.
    Demo(commands::demo::Args),
    /// Makes reference string, keys and verifier contract of a shape.
    Setup(commands::setup::Args),
    /// Executes operations from a file and proves them.
    Prove(commands::prove::Args),
    /// Verifies a folder of proven blocks.
    Verify(commands::verify::Args),
    /// Finalizes a folder of proven blocks on an L1 node.
    Submit(commands::submit::Args),
    /// Rebuilds and checks a rollup from L1 data alone.
    Audit(commands::audit::Args),
    /// Leaves a rollup without its operator, by L1 data alone.
    Exodus(commands::exodus::Args),
    /// Measures the proving of a full block, stage by stage, against its floor.
    Bench(commands::bench::Args),
    /// Shows what operations cost in a shape.
    Cost(commands::cost::Args),
    /// Compares the shapes on a machine, and recommends one.
    Shapes(commands::shapes::Args),
    /// Shows what a folder of proven blocks holds.
    Inspect(commands::inspect::Args),
}

fn main() -> ExitCode {
    config::forget_empty_variables();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let json = std::env::args_os().any(|arg| arg == "--json");
            return output::usage(&error, json);
        }
    };
    let json = cli.settings.json;
    run(cli).unwrap_or_else(|error| output::fail(&error, json))
}

fn run(cli: Cli) -> eyre::Result<ExitCode> {
    let settings = Settings::resolve(&cli.settings)?;
    output::init_logs(&settings);
    let done = match cli.command {
        Command::Demo(args) => commands::demo::run(&args, &settings),
        Command::Setup(args) => commands::setup::run(&args, &settings),
        Command::Prove(args) => commands::prove::run(&args, &settings),
        Command::Verify(args) => commands::verify::run(&args, &settings),
        Command::Submit(args) => commands::submit::run(&args, &settings),
        Command::Audit(args) => return commands::audit::run(&args, &settings),
        Command::Exodus(args) => return commands::exodus::run(&args, &settings),
        Command::Bench(args) => commands::bench::run(&args, &settings),
        Command::Cost(args) => commands::cost::run(&args, &settings),
        Command::Shapes(args) => commands::shapes::run(&args, &settings),
        Command::Inspect(args) => commands::inspect::run(&args, &settings),
    };
    done.map(|()| ExitCode::SUCCESS)
}
