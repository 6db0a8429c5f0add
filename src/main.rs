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
#[command(after_help = "Exit codes: 0 ok, 1 failure, 2 usage, 3 proof invalid, or an audit \
found a fault, 4 version or circuit mismatch, 5 missing or unusable file or artifact, 6 not enough memory or disk.\n\nConfiguration: bastion.toml \
(or --config FILE), overridden by BASTION_* variables (empty ones count as unset), overridden by \
flags.")]
struct Cli {
    #[command(flatten)]
    settings: config::Flags,
    #[command(subcommand)]
    command: Command,
}

/// The help of a command is the comment of its `Args`: a comment here would hide it.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(commands::demo::Args),
    Setup(commands::setup::Args),
    Prove(commands::prove::Args),
    Verify(commands::verify::Args),
    Submit(commands::submit::Args),
    Audit(commands::audit::Args),
    Exodus(commands::exodus::Args),
    Blobs(commands::blobs::Args),
    Proof(commands::proof::Args),
    Bench(commands::bench::Args),
    Cost(commands::cost::Args),
    Shapes(commands::shapes::Args),
    Inspect(commands::inspect::Args),
    Node(commands::node::Args),
    Worker(commands::worker::Args),
    L1(commands::transactions::Args),
    Doctor(commands::doctor::Args),
    Status(commands::status::Args),
    Job(commands::job::Args),
    Control(commands::control::Args),
    Sentinel(commands::sentinel::Args),
    Replay(commands::replay::Args),
    Db(commands::db::Args),
    Config(commands::configuration::Args),
    Wallet(commands::wallet::Args),
    Receipt(commands::receipt::Args),
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
    if let Command::Config(args) = &cli.command {
        // Whoever has a mistake in his file may want to begin with a good one.
        if args.print_default(cli.settings.json)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let settings = Settings::resolve(&cli.settings)?;
    // Services say what they do; others say what is wrong.
    let services = matches!(cli.command, Command::Node(_) | Command::Worker(_));
    output::init_logs(&settings, if services { "info" } else { "warn" });
    let done = match cli.command {
        Command::Demo(args) => commands::demo::run(&args, &settings),
        Command::Setup(args) => commands::setup::run(&args, &settings),
        Command::Prove(args) => commands::prove::run(&args, &settings),
        Command::Verify(args) => commands::verify::run(&args, &settings),
        Command::Submit(args) => commands::submit::run(&args, &settings),
        Command::Audit(args) => return commands::audit::run(&args, &settings),
        Command::Exodus(args) => return commands::exodus::run(&args, &settings),
        Command::Blobs(args) => return commands::blobs::run(&args, &settings),
        Command::Proof(args) => commands::proof::run(&args, &settings),
        Command::Bench(args) => commands::bench::run(&args, &settings),
        Command::Cost(args) => commands::cost::run(&args, &settings),
        Command::Shapes(args) => commands::shapes::run(&args, &settings),
        Command::Inspect(args) => commands::inspect::run(&args, &settings),
        Command::Node(args) => commands::node::run(&args, &settings),
        Command::Worker(args) => commands::worker::run(&args, &settings),
        Command::Status(args) => commands::status::run(&args, &settings),
        Command::Job(args) => commands::job::run(&args, &settings),
        Command::Control(args) => commands::control::run(&args, &settings),
        Command::Sentinel(args) => commands::sentinel::run(&args, &settings),
        Command::Replay(args) => commands::replay::run(&args, &settings),
        Command::Doctor(args) => commands::doctor::run(&args, &settings),
        Command::Db(args) => commands::db::run(&args, &settings),
        Command::L1(args) => commands::transactions::run(&args, &settings),
        Command::Config(args) => commands::configuration::run(&args, &settings),
        Command::Wallet(args) => commands::wallet::run(&args, &settings),
        Command::Receipt(args) => return commands::receipt::run(&args, &settings),
    };
    done.map(|()| ExitCode::SUCCESS)
}
