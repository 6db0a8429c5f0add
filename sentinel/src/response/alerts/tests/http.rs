//! Real servers on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::*;

struct Seen {
    headers: HeaderMap,
    uri: Uri,
    body: Vec<u8>,
}

/// A server that answers request after request by `answer`, and tells what it saw.
async fn serve<F>(answer: F) -> (String, mpsc::UnboundedReceiver<Seen>)
where
    F: Fn(usize) -> Response + Clone + Send + Sync + 'static,
{
    let (tell, seen) = mpsc::unbounded_channel();
    let count = Arc::new(AtomicUsize::new(0));
    let handler = move |headers: HeaderMap, uri: Uri, body: Bytes| async move {
        tell.send(Seen { headers, uri, body: body.to_vec() }).unwrap();
        answer(count.fetch_add(1, Ordering::SeqCst))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(
        async move { axum::serve(listener, Router::new().fallback(handler)).await.unwrap() },
    );
    (format!("http://{address}/hook/{SECRET}"), seen)
}

fn webhook(folder: &Path, url: &str) -> Target {
    Target::Webhook { url: url.into(), secret: secret_file(folder, SECRET) }
}

async fn counted(alerts: &Alerts, deliveries: Deliveries) -> Counts {
    assert!(deliveries.finish(Duration::from_secs(10)).await);
    alerts.counts()["ops"]
}

#[tokio::test]
async fn a_webhook_is_signed_and_its_receiver_can_check_it() {
    let folder = tempfile::tempdir().unwrap();
    let (url, mut seen) = serve(|_| StatusCode::NO_CONTENT.into_response()).await;
    let (alerts, deliveries) = start(webhook(folder.path(), &url));
    alerts.send("ops", &alert("a")).unwrap();
    let got = seen.recv().await.unwrap();
    let header = |name: &str| got.headers[name].to_str().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let (time, signature) = (header(TIMESTAMP_HEADER), header(SIGNATURE_HEADER));
    verify(&Secret::new(SECRET), time, &got.body, signature, now).unwrap();
    assert!(verify(&Secret::new("other"), time, &got.body, signature, now).is_err());
    assert_eq!(header("content-type"), "application/json");
    let body: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(
        (&body["key"], &body["event"], &body["version"]),
        (&"a".into(), &"trigger".into(), &1.into())
    );
    assert_eq!(counted(&alerts, deliveries).await, Counts { delivered: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_failure_is_repeated_with_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let answer = |n| match n {
        0 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        1 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "99999999")]).into_response(),
        _ => StatusCode::OK.into_response(),
    };
    let (url, mut seen) = serve(answer).await;
    let (alerts, deliveries) = start(webhook(folder.path(), &url));
    alerts.send("ops", &alert("a")).unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(seen.recv().await.unwrap().headers[DELIVERY_HEADER].clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(counted(&alerts, deliveries).await.delivered, 1);
}

#[tokio::test]
async fn a_refusal_for_good_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (url, mut seen) = serve(|_| StatusCode::FORBIDDEN.into_response()).await;
    let (alerts, deliveries) = start(webhook(folder.path(), &url));
    alerts.send("ops", &alert("a")).unwrap();
    assert_eq!(counted(&alerts, deliveries).await.failed, 1);
    assert!(seen.recv().await.is_some() && seen.try_recv().is_err());
    // It never arrived, so that the next one is no repetition.
    let later = Alert { at_ms: T + 1, ..alert("a") };
    assert!(
        matches!(alerts.send("ops", &later), Err(ResponseError::QueueFull { .. })),
        "no task is left"
    );
}

#[tokio::test]
async fn attempts_end() {
    let folder = tempfile::tempdir().unwrap();
    let (url, mut seen) = serve(|_| StatusCode::BAD_GATEWAY.into_response()).await;
    let (alerts, deliveries) = start(webhook(folder.path(), &url));
    alerts.send("ops", &alert("a")).unwrap();
    assert_eq!(counted(&alerts, deliveries).await, Counts { failed: 1, ..Counts::default() });
    for _ in 0..3 {
        seen.recv().await.unwrap();
    }
    assert!(seen.try_recv().is_err());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (other, mut elsewhere) = serve(|_| StatusCode::OK.into_response()).await;
    let answer =
        move |_| (StatusCode::TEMPORARY_REDIRECT, [("location", other.clone())]).into_response();
    let (url, mut seen) = serve(answer).await;
    let (alerts, deliveries) = start(webhook(folder.path(), &url));
    alerts.send("ops", &alert("a")).unwrap();
    assert_eq!(counted(&alerts, deliveries).await.failed, 1);
    assert!(seen.recv().await.is_some());
    assert!(elsewhere.try_recv().is_err());
}

/// A server without axum's manners: it writes `answer` to whoever connects, then `more` for ever.
async fn raw(answer: &'static [u8], more: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer).await;
                while !more.is_empty() && stream.write_all(more).await.is_ok() {}
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
        }
    });
    format!("http://{address}/hook/{SECRET}")
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let url = raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"4\r\nxxxx\r\n").await;
    let (alerts, deliveries) = start(webhook(folder.path(), &url));
    alerts.send("ops", &alert("a")).unwrap();
    // Whoever reads it runs into the time limit, and it counts as failed.
    assert_eq!(counted(&alerts, deliveries).await.delivered, 1);
}

#[tokio::test]
async fn a_head_without_end_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let url = raw(b"HTTP/1.1 200 OK\r\n", b"x-more: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n").await;
    let (alerts, deliveries) = start(webhook(folder.path(), &url));
    alerts.send("ops", &alert("a")).unwrap();
    assert_eq!(counted(&alerts, deliveries).await.failed, 1);
}

#[tokio::test]
async fn a_server_that_is_silent_runs_into_the_time_limit_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let silent = raw(b"", b"").await;
    let (url, mut seen) = serve(|_| StatusCode::OK.into_response()).await;
    let mut config = AlertsConfig {
        channel: vec![
            channel("silent", webhook(folder.path(), &silent)),
            channel("ops", webhook(folder.path(), &url)),
        ],
    };
    config.channel[0].queue = 2;
    let short = Patience { timeout: Duration::from_millis(700), attempts: 1, ..patience() };
    let (alerts, deliveries) = Alerts::start(&config, short, &Handle::current()).unwrap();
    alerts.send("silent", &alert("first")).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await; // The task has taken it.
    alerts.send("silent", &alert("second")).unwrap();
    alerts.send("silent", &alert("third")).unwrap();
    let full = alerts.send("silent", &alert("fourth"));
    assert!(matches!(full, Err(ResponseError::QueueFull { capacity: 2, .. })));
    alerts.send("ops", &alert("a")).unwrap();
    seen.recv().await.unwrap();
    assert!(alerts.counts()["silent"].failed < 3, "it came after all of the silent one's");
    assert!(deliveries.finish(Duration::from_secs(10)).await);
    assert_eq!(alerts.counts()["silent"], Counts { failed: 3, full: 1, ..Counts::default() });
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let (alerts, deliveries) = start(webhook(folder.path(), &raw(b"", b"").await));
    alerts.send("ops", &alert("a")).unwrap();
    assert!(!deliveries.finish(Duration::from_millis(100)).await);
}

#[tokio::test]
async fn slack_and_pagerduty_get_their_forms() {
    let folder = tempfile::tempdir().unwrap();
    let (url, mut seen) = serve(|_| StatusCode::ACCEPTED.into_response()).await;
    let mut body = async || -> (serde_json::Value, Uri) {
        let got = seen.recv().await.unwrap();
        (serde_json::from_slice(&got.body).unwrap(), got.uri)
    };
    let (alerts, deliveries) = start(Target::Slack { url: secret_file(folder.path(), &url) });
    alerts.send("ops", &alert("a")).unwrap();
    let (got, uri) = body().await;
    assert_eq!(uri.path(), format!("/hook/{SECRET}"));
    assert_eq!(got["text"], "[warning] drain on account 7");
    assert_eq!(got["attachments"][0]["fields"][0]["value"], "rule.drain");
    assert_eq!(counted(&alerts, deliveries).await.delivered, 1);

    let key = secret_file(folder.path(), SECRET);
    let (alerts, deliveries) = start(Target::Pagerduty { key, url });
    alerts.send("ops", &alert("a")).unwrap();
    alerts.send("ops", &Alert { event: Event::Resolve, ..alert("a") }).unwrap();
    let (trigger, _) = body().await;
    let (resolve, _) = body().await;
    assert_eq!(
        (&trigger["event_action"], &trigger["routing_key"]),
        (&"trigger".into(), &SECRET.into())
    );
    assert_eq!((&resolve["event_action"], &resolve["dedup_key"]), (&"resolve".into(), &"a".into()));
    assert_eq!(counted(&alerts, deliveries).await.delivered, 2);
}

#[tokio::test]
async fn the_rate_is_kept_and_the_next_one_says_what_was_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (url, mut seen) = serve(|_| StatusCode::OK.into_response()).await;
    let mut config = AlertsConfig { channel: vec![channel("ops", webhook(folder.path(), &url))] };
    config.channel[0].per_minute = 2;
    let (alerts, deliveries) = Alerts::start(&config, patience(), &Handle::current()).unwrap();
    for (key, sent) in
        [("a", Sent::Queued), ("a", Sent::Repeated), ("b", Sent::Queued), ("c", Sent::Limited)]
    {
        assert_eq!(alerts.send("ops", &alert(key)).unwrap(), sent);
    }
    alerts.send("ops", &Alert { at_ms: T + 60_000, ..alert("d") }).unwrap();
    assert!(deliveries.finish(Duration::from_secs(10)).await);
    let counts = Counts { delivered: 3, repeated: 1, limited: 1, ..Counts::default() };
    assert_eq!(alerts.counts()["ops"], counts);
    let mut dropped = Vec::new();
    while let Some(got) = seen.recv().await {
        let body: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
        let field = body["fields"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["name"] == "dropped before")
            .cloned();
        dropped.push(field.map(|f| f["value"].clone()));
        if dropped.len() == 3 {
            break;
        }
    }
    assert_eq!(dropped, [None, Some("1".into()), Some("1".into())]);
}

#[tokio::test]
async fn no_error_and_no_debug_output_shows_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook/{SECRET}", listener.local_addr().unwrap());
    drop(listener);
    let http = crate::response::alerts::http::client(&patience()).unwrap();
    let parsed = reqwest::Url::parse(&url).unwrap();
    let failure =
        crate::response::alerts::http::post(&http, &parsed, vec![], &[]).await.unwrap_err();
    assert!(failure.again && !failure.why.contains(SECRET), "{failure:?}");

    for bad in
        [format!("http://example.org/{SECRET}"), SECRET.to_owned(), format!("https://{SECRET}@h/")]
    {
        let config = AlertsConfig {
            channel: vec![channel("ops", Target::Slack { url: secret_file(folder.path(), &bad) })],
        };
        let error = Alerts::start(&config, patience(), &Handle::current()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    }
    let (alerts, deliveries) = start(webhook(folder.path(), &url));
    assert!(!format!("{alerts:?} {deliveries:?}").contains(SECRET));
}
