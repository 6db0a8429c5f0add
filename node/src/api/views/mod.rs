//! What is shown, made of what the parts of the node know. Everything here may read the disk: routes call
//! it by [`blocking`].

pub mod account;
pub mod block;
pub mod fees;
pub mod inclusion;
pub mod job;
pub mod operation;
pub mod status;

use std::sync::Arc;

use super::problem::Fault;
use super::Backend;

/// Runs what may read the disk or wait for a lock, outside of the threads that serve connections.
pub(super) async fn blocking<T: Send + 'static>(
    backend: &Arc<Backend>,
    view: impl FnOnce(&Backend) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let backend = backend.clone();
    let done = tokio::task::spawn_blocking(move || view(&backend)).await;
    done.map_err(Fault::internal)?
}
