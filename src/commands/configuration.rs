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

impl Args {
    /// Prints the defaults, if they are asked for; whether they were.
    pub(crate) fn print_default(&self, json: bool) -> eyre::Result<bool> {
        match self.command {
            Command::Default => print(&NodeConfig::default(), json).map(|()| true),
            Command::Validate | Command::Show => Ok(false),
        }
    }
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    match args.command {
        // Printed before the file was read; and the settings were read, or this would not run.
        Command::Default | Command::Validate => Ok(()),
        Command::Show => print(&without_secrets(settings.node.clone()), settings.json),
    }
}

fn print(config: &NodeConfig, json: bool) -> eyre::Result<()> {
    let text = match json {
        true => serde_json::to_string_pretty(config).wrap_err("the configuration")? + "\n",
        false => with_optional_keys(&toml::to_string(config).wrap_err("the configuration")?),
    };
    print!("{text}");
    Ok(())
}

/// Keys that have no value by default, each below its section, as comments.
const OPTIONAL: [(&str, &str); 3] = [
    ("[sequencer]", "# key-file = \"sequencer.key\""),
    ("[l1]", "# keystore = \"operator.json\"\n# password-file = \"operator.password\"\n# blob-keystore = \"blobs.json\"\n# blob-password-file = \"blobs.password\""),
    ("[nats]", "# url = \"nats://USER:PASSWORD@HOST:4222\""),
];
/// Those of the whole file.
const OPTIONAL_FIRST: &str = "# cache-dir = \".bastion\"
# memory = \"12GiB\"
# arithmetic = \"portable\"

";

fn with_optional_keys(toml: &str) -> String {
    let mut text = OPTIONAL_FIRST.to_owned();
    for line in toml.lines() {
        text += &format!("{line}\n");
        for (section, keys) in OPTIONAL {
            if line == section && !toml.contains(keys.trim_start_matches("# ")) {
                text += &format!("{keys}\n");
            }
        }
    }
    text
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
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_defaults_show_every_key_and_can_be_read() {
        let text = with_optional_keys(&toml::to_string(&NodeConfig::default()).unwrap());
        for key in ["cache-dir", "memory", "key-file", "keystore", "password-file", "# url", "urls"]
        {
            assert!(text.contains(key), "{key}: {text}");
        }
        assert_eq!(toml::from_str::<NodeConfig>(&text).unwrap(), NodeConfig::default());
        // With the comments taken away it is a configuration too.
        let set: String =
            text.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let set = set.split_once("[rollup]").unwrap().1;
        assert!(toml::from_str::<NodeConfig>(&format!("[rollup]{set}")).is_ok(), "{set}");
    }

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
