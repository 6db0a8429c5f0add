//! What holds for every request: its time, its client's rate, its place in the counters.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

use super::problem::{Code, Fault};
use super::Shared;

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Ends requests that take too long. Streams of events are not concerned: their answer has begun.
pub(super) async fn in_time(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Fault> {
    let most = shared.backend.options.timeout;
    let answer = tokio::time::timeout(most, next.run(request)).await;
    answer.map_err(|_| {
        let detail = format!("no answer within {} seconds: ask again", most.as_secs());
        Fault::new(Code::Timeout, detail)
    })
}

/// Refuses clients that ask too often.
pub(super) async fn at_its_rate(
    State(shared): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Fault> {
    let options = &shared.backend.options;
    let client = client(&request, options.behind_proxy);
    if client.is_none_or(|client| shared.limiter.take(client, Instant::now())) {
        return Ok(next.run(request).await);
    }
    let detail = format!(
        "more than {} requests a second in the long run: wait a second, and send several operations \
         in one request",
        options.requests_per_second
    );
    Err(Fault::new(Code::RateLimited, detail))
}

/// Who asks.
pub(super) fn client(request: &Request, behind_proxy: bool) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
    match behind_proxy {
        true => forwarded(request.headers()).or(peer),
        false => peer,
    }
}

/// The last address of `X-Forwarded-For`: the proxy added it, whatever the client wrote before.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get_all("x-forwarded-for").iter().next_back()?;
    value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// Counts requests by route and status.
pub(super) async fn counted(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "page".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("bastion_http_requests_total", "route" => route, "status" => status)
        .increment(1);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn a_client_cannot_name_itself() {
        let mut request = Request::builder()
            .header("x-forwarded-for", "1.1.1.1, 2.2.2.2")
            .header("x-forwarded-for", "3.3.3.3, 4.4.4.4")
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(Peer("9.9.9.9:1".parse().unwrap()));
        assert_eq!(client(&request, false), Some("9.9.9.9".parse().unwrap()));
        assert_eq!(client(&request, true), Some("4.4.4.4".parse().unwrap()));
        request.headers_mut().insert("x-forwarded-for", "nobody".parse().unwrap());
        assert_eq!(client(&request, true), Some("9.9.9.9".parse().unwrap()));
    }
}
