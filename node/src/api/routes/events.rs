//! What happens, as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};

use crate::api::layers::client;
use crate::api::problem::Fault;
use crate::api::Shared;

/// How often a silent stream shows that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// Server-sent events: `batch` when a batch is sealed, `block` when a block comes further, `job` when a job
/// is in another state, `progress` when a worker comes further, `status` every two seconds. The data are
/// of the schemas Batch, Block, Job, Progress and Status. Whoever reads too slowly misses some.
#[utoipa::path(get, path = "/v1/events", tag = "node",
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn events(
    State(shared): State<Shared>,
    request: Request,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    let options = &shared.backend.options;
    let client = client(&request, options.behind_proxy);
    let watcher = shared.backend.hub.watch(options.watchers, client)?;
    let events = stream::unfold(watcher, |mut watcher| async move {
        let frame = watcher.next().await?;
        Some((Ok(Event::default().event(frame.name).data(frame.data.as_ref())), watcher))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}
