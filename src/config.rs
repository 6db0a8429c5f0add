//! Settings: defaults, then one TOML file, then the environment, then flags.

use std::path::{Path, PathBuf};

use bastion_prover::schedule::MemoryBudget;
use clap::Args;
use eyre::{eyre, WrapErr};
use serde::Deserialize;

/// Flags that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Flags {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE", env = "BASTION_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of reference strings and keys.
    #[arg(long, global = true, value_name = "DIR", env = "BASTION_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    /// Memory that proving may use, such as 12GiB.
    #[arg(long, global = true, value_name = "SIZE", env = "BASTION_MEMORY")]
    memory: Option<String>,
    /// Reports and progress as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    cache_dir: Option<PathBuf>,
    memory: Option<String>,
}

/// What holds for this run.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Folder of reference strings and keys.
    pub(crate) cache_dir: PathBuf,
    /// Memory that proving may use.
    pub(crate) memory: MemoryBudget,
    /// Reports and progress as JSON.
    pub(crate) json: bool,
}

impl Settings {
    /// Settings from the file and the flags (which know the environment).
    pub(crate) fn resolve(flags: &Flags) -> eyre::Result<Self> {
        let file = match &flags.config {
            Some(path) => read(path)?,
            None if Path::new("bastion.toml").exists() => read(Path::new("bastion.toml"))?,
            None => File::default(),
        };
        let memory = match flags.memory.as_ref().or(file.memory.as_ref()) {
            Some(text) => MemoryBudget::parse(text)?,
            None => MemoryBudget::available().unwrap_or(MemoryBudget(8 << 30)),
        };
        Ok(Self {
            cache_dir: flags
                .cache_dir
                .clone()
                .or(file.cache_dir)
                .unwrap_or_else(|| ".bastion".into()),
            memory,
            json: flags.json,
        })
    }
}

fn read(path: &Path) -> eyre::Result<File> {
    let text = std::fs::read_to_string(path)
        .wrap_err_with(|| format!("configuration {}", path.display()))?;
    toml::from_str(&text).map_err(|e| eyre!("configuration {}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_errors() {
        assert!(toml::from_str::<File>("memory = \"1GiB\"\ncache-dir = \"x\"").is_ok());
        assert!(toml::from_str::<File>("memroy = \"1GiB\"").is_err());
    }
}
