//! What happens in a node, as it happens.

use super::{Batch, Block, Job, Progress, Status};

/// Something that a node tells those who watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A batch was sealed.
    Batch(Box<Batch>),
    /// A block is in another stage.
    Block(Box<Block>),
    /// A job is in another state.
    Job(Box<Job>),
    /// A worker has come further.
    Progress(Progress),
    /// The node's status, every two seconds.
    Status(Box<Status>),
}

impl Event {
    /// Reads an event; none if this version does not know its name.
    ///
    /// # Errors
    /// If the data are not what the name says.
    pub fn read(name: &str, data: &str) -> Result<Option<Self>, serde_json::Error> {
        Ok(Some(match name {
            "batch" => Self::Batch(serde_json::from_str(data)?),
            "block" => Self::Block(serde_json::from_str(data)?),
            "job" => Self::Job(serde_json::from_str(data)?),
            "progress" => Self::Progress(serde_json::from_str(data)?),
            "status" => Self::Status(serde_json::from_str(data)?),
            _ => return Ok(None),
        }))
    }
}
