//! From whom a command has the blobs of a rollup.

use std::path::Path;

use bastion_node::blobs::Blobs;
use bastion_node::NodeError;

/// Flags of commands that read the data of blocks. What a source gives is held against L1, so that none
/// needs to be trusted.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Args {
    /// URL of a beacon node, for blocks whose data are in blobs. It has blobs of the last 18 days, if it
    /// does not keep them longer. May be given more than once.
    #[arg(long, env = "BASTION_BEACON", hide_env_values = true, value_name = "URL")]
    beacon: Vec<String>,
    /// An archive of blobs: the URL of a node of the rollup or of whoever serves them as it does, or a
    /// folder of files named by their versioned hashes. May be given more than once.
    #[arg(long, value_name = "URL|DIR")]
    blobs: Vec<String>,
}

impl Args {
    /// The sources: archives first, because they have all blobs.
    pub(crate) fn open(&self) -> Result<Blobs, NodeError> {
        self.after(Blobs::none())
    }

    /// The same, after a folder that has some already.
    pub(crate) fn open_after(&self, folder: &Path) -> Result<Blobs, NodeError> {
        self.after(Blobs::none().with_folder(folder))
    }

    fn after(&self, mut sources: Blobs) -> Result<Blobs, NodeError> {
        for archive in &self.blobs {
            let is_url = ["http://", "https://"].iter().any(|scheme| archive.starts_with(scheme));
            sources = match is_url {
                true => sources.with_archive(archive)?,
                false => sources.with_folder(Path::new(archive)),
            };
        }
        self.beacon.iter().try_fold(sources, |sources, url| sources.with_beacon(url))
    }
}
