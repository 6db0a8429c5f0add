//! Whether a node would start with a sentinel's configuration.

use std::path::Path;

use super::{respond, rewards, wall_ms, Source};
use crate::error::NodeError;
use crate::service::config::{Mode, SentinelConfig};

/// Whether a node would start with this sentinel, for who looks at the configuration before. `dir` is its folder.
///
/// # Errors
/// With what does not load.
pub(crate) fn check(dir: &Path, config: &SentinelConfig) -> Result<String, NodeError> {
    if config.mode == Mode::Off {
        return Ok("off".into());
    }
    let rules = Source::new(dir, config)?.check(wall_ms() / 1_000)?;
    respond::playbooks(config)?;
    config.alerts.as_deref().map(respond::alerts).transpose()?;
    crate::service::keys::guardian(config)?;
    rewards::check(config)?;
    Ok(format!("mode {}, {rules}", config.mode))
}
