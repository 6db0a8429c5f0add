//! How a command reaches the operator's node.

use std::path::PathBuf;

use bastion_client::{Admin, Client};
use eyre::WrapErr;
use tokio::runtime::Runtime;

use crate::config::Settings;
use crate::exit::CliError;

/// Flags of commands that ask the operator's node.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The node [default: api.listen of the configuration].
    #[arg(long, global = true, value_name = "URL", env = "BASTION_NODE")]
    node: Option<String>,
    /// Its admin address [default: api.admin-listen of the configuration].
    #[arg(long, global = true, value_name = "URL", env = "BASTION_ADMIN")]
    admin: Option<String>,
    /// File with the operator's token [default: api.admin-token-file of the configuration].
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Args {
    /// The node's public API.
    pub(crate) fn client(&self, settings: &Settings) -> eyre::Result<Client> {
        let url = self.node.clone();
        let url = url.unwrap_or_else(|| format!("http://{}", settings.node.api.listen));
        Ok(Client::new(&url)?)
    }

    /// The node's admin API.
    pub(crate) fn admin(&self, settings: &Settings) -> eyre::Result<Admin> {
        let config = &settings.node.api;
        let url = self.admin.clone();
        let url = url.unwrap_or_else(|| format!("http://{}", config.admin_listen));
        let path = self.token_file.as_ref().unwrap_or(&config.admin_token_file);
        let token = std::fs::read_to_string(path).map_err(|e| CliError::BadFile {
            what: "operator's token",
            path: path.clone(),
            why: format!("{e}: the node makes it when it starts; name it by --token-file"),
        })?;
        Ok(Admin::new(&url, &token)?)
    }
}

/// Threads that wait for answers.
pub(crate) fn runtime() -> eyre::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.wrap_err("threads that wait for the node")
}
