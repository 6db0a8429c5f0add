//! Connections: bounded in number, in the time that a request's head may take, and at the end.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::Request;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::Service;
use tracing::{debug, warn};

use super::layers::Peer;
use super::shares::Shares;

/// Connections at once. Further ones wait in the system's queue.
const CONNECTIONS: usize = 1_024;
/// Connections of one client. Behind a proxy all are the proxy's.
const OF_ONE: usize = 64;
/// Until the head of a request has come.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes of a request's head at most.
const HEAD_BYTES: usize = 32 << 10;
/// How long answers on their way may take when the node ends.
const GRACE: Duration = Duration::from_secs(5);

/// Serves a router until `shutdown` is done; then answers what it has begun. One client has a part of the
/// connections at most, unless all come from a proxy.
///
/// # Errors
/// None today: a connection that fails is its own affair.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    behind_proxy: bool,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let shares = Shares::new(if behind_proxy { CONNECTIONS } else { OF_ONE });
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let slot = slots.clone().acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                // Without file descriptors the next attempt fails at once.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(share) = shares.take(peer.ip()) else {
            debug!(%peer, "it has {OF_ONE} connections already");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let mut router = router.clone();
            async move {
                // A router is always ready.
                Ok::<_, Infallible>(match router.call(request).await {
                    Ok(response) => response,
                })
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _held = (slot, share);
            if let Err(error) = connection.await {
                debug!(%peer, %error, "a connection ended");
            }
        });
    }
    drop(listener);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        debug!("connections that are still open are cut");
    }
    Ok(())
}
