//! What became of what was added.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use uuid::Uuid;

use super::fault::Fault;
use super::media::taxii;
use super::{Shared, Who};
use crate::sharing::error::{tame, SharingError};
use crate::sharing::stix::Timestamp;
use crate::sharing::store::Accepted;
use crate::sharing::taxii::{Status, StatusDetail};

/// Objects of a peer whose fate is remembered at most.
const MOST_OBJECTS: u64 = 10_000;
/// Requests of a peer whose fate is remembered at most.
const MOST_REQUESTS: usize = 100;

/// The newest of each peer.
#[derive(Default)]
pub(super) struct Statuses(HashMap<String, VecDeque<Status>>);

/// A status in the making.
pub(super) struct Report {
    status: Status,
    /// What each object calls itself, in order.
    names: std::vec::IntoIter<StatusDetail>,
}

impl Report {
    pub fn new(now: Timestamp, objects: &[Value]) -> Self {
        let name = |(number, object): (usize, &Value)| {
            let text = |key: &str| object.get(key).and_then(Value::as_str).map(tame);
            let id = text("id").unwrap_or_else(|| format!("object number {}", number + 1));
            let version = text("modified").or_else(|| text("created"));
            StatusDetail { id, version: version.unwrap_or_else(|| now.to_string()), message: None }
        };
        let names: Vec<_> = objects.iter().enumerate().map(name).collect();
        let status = Status {
            id: Uuid::new_v4().to_string(),
            status: "complete".into(),
            request_timestamp: Some(now.taxii()),
            total_count: names.len() as u64,
            success_count: 0,
            successes: Vec::new(),
            failure_count: 0,
            failures: Vec::new(),
            pending_count: 0,
            pendings: Vec::new(),
        };
        Self { status, names: names.into_iter() }
    }

    pub fn add(&mut self, outcome: Result<Accepted, SharingError>) {
        let Some(mut detail) = self.names.next() else { return };
        match outcome {
            Ok(accepted) => {
                if accepted.is_observable {
                    detail.version = accepted.version.taxii();
                }
                detail.message = (!accepted.is_new).then(|| "it is known already".into());
                self.status.successes.push(detail);
            }
            Err(error) => {
                detail.message = Some(error.to_string());
                self.status.failures.push(detail);
            }
        }
    }

    pub fn end(mut self) -> Status {
        self.status.success_count = self.status.successes.len() as u64;
        self.status.failure_count = self.status.failures.len() as u64;
        self.status
    }
}

pub(super) fn keep(shared: &Shared, peer: &str, status: Status) {
    let mut statuses = shared.statuses.lock().unwrap_or_else(PoisonError::into_inner);
    let of_peer = statuses.0.entry(peer.to_owned()).or_default();
    of_peer.push_back(status);
    let objects = |of_peer: &VecDeque<Status>| of_peer.iter().map(|s| s.total_count).sum::<u64>();
    while of_peer.len() > MOST_REQUESTS || objects(of_peer) > MOST_OBJECTS {
        of_peer.pop_front();
    }
}

/// The status of a request, for who made it.
pub(super) async fn status(
    State(shared): State<Arc<Shared>>,
    session: Who,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let peer = session.peer.as_ref().ok_or_else(Fault::unauthorized)?;
    let statuses = shared.statuses.lock().unwrap_or_else(PoisonError::into_inner);
    let status = statuses.0.get(&peer.name).and_then(|all| all.iter().find(|s| s.id == id));
    let status = status.ok_or_else(|| Fault::missing(&format!("status {id}")))?;
    Ok(taxii(StatusCode::OK, status))
}
