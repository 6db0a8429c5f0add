//! `bastion config`

use bastion_node::service::config::NodeConfig;
use clap::Subcommand;
use eyre::WrapErr;

use crate::config::Settings;

/// Prints or checks the configuration.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion config default > bastion.toml\n  bastion config validate --config bastion.toml\n  \
bastion config show --set api.listen=0.0.0.0:4000"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints a configuration file with every section and its defaults.
    Default,
    /// Checks file, variables and flags; says what is wrong, or nothing.
    Validate,
    /// Prints what holds: the file, with variables and flags over it. Keys and passwords are no part of it.
    Show,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let config = match args.command {
        Command::Default => &NodeConfig::default(),
        // The settings were read, or this would not run.
        Command::Validate => return Ok(()),
        Command::Show => &settings.node,
    };
    let text = match settings.json {
        true => serde_json::to_string_pretty(config).wrap_err("the configuration")? + "\n",
        false => toml::to_string(config).wrap_err("the configuration")?,
    };
    print!("{text}");
    Ok(())
}
