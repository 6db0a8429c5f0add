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
        Command::Default => NodeConfig::default(),
        // The settings were read, or this would not run.
        Command::Validate => return Ok(()),
        Command::Show => without_secrets(settings.node.clone()),
    };
    let text = match settings.json {
        true => serde_json::to_string_pretty(&config).wrap_err("the configuration")? + "\n",
        false => toml::to_string(&config).wrap_err("the configuration")?,
    };
    print!("{text}");
    Ok(())
}

/// URLs of nodes and servers hold keys and passwords: scheme and host are shown.
fn without_secrets(mut config: NodeConfig) -> NodeConfig {
    config.l1.urls = config.l1.urls.iter().map(|url| host(url)).collect();
    config.nats.url = config.nats.url.as_deref().map(host);
    config
}

fn host(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_secret() {
        for (url, shown) in [
            ("nats://me:secret@h:4222", "nats://h:4222"),
            ("https://x.example/v3/APIKEY?k=secret", "https://x.example"),
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ] {
            assert_eq!(host(url), shown);
        }
    }
}
