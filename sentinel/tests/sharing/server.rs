//! What our server does with requests that it should refuse, and with those that it should not.

use std::time::Duration;

use base64::Engine as _;
use bastion_sentinel::sharing::client::Filter;
use bastion_sentinel::sharing::error::SharingError;
use bastion_sentinel::sharing::server::{router, Config};
use bastion_sentinel::sharing::stix::{Timestamp, Tlp};
use serde_json::json;

use crate::chain::{indicator, signed, token, Chain, FULL, HIDDEN, MAIN, OPEN};

const TAXII: &str = "application/taxii+json;version=2.1";

fn login(name: &str, token: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{token}"));
    format!("Authorization: Basic {pair}\r\n")
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n")
}

fn post(path: &str, n: u8, kind: &str, body: &str) -> String {
    let login = login(&format!("peer{n}"), &token(n));
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{login}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn nobody_reads_without_the_right_token() {
    let chain = Chain::start(1, 1);
    let main = format!("/intel/collections/{MAIN}/objects/");
    for headers in [
        String::new(),
        login("peer2", &token(3)),
        login("peer2", ""),
        login("nobody", &token(2)),
        login("", ""),
        format!("Authorization: Bearer {}\r\n", token(2)),
        "Authorization: Basic %%%\r\n".into(),
        format!("Authorization: Basic {}\r\n", "A".repeat(4_000)),
    ] {
        let (status, head, body) = chain.raw(&get(&main, &headers)).await;
        assert_eq!(status, 401, "{headers}");
        assert!(head.contains("www-authenticate: basic") && head.contains(TAXII));
        assert!(body.contains("http_status"), "{body}");
    }
    let (status, ..) = chain.raw(&get(&main, &login("peer2", &token(2)))).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn media_types_are_checked() {
    let chain = Chain::start(1, 1);
    let login = login("peer2", &token(2));
    let main = format!("/intel/collections/{MAIN}");
    for (path, accept, expected) in [
        ("/taxii2/".to_owned(), TAXII, 200),
        ("/taxii2/".to_owned(), "application/json", 406),
        ("/taxii2/".to_owned(), "application/taxii+json;version=2.0", 406),
        (format!("{main}/stream/"), TAXII, 406),
    ] {
        let request = get(&path, &format!("{login}Accept: {accept}\r\n"));
        assert_eq!(chain.raw(&request).await.0, expected, "{path} {accept}");
    }
    let objects = format!("{main}/objects/");
    let (status, ..) = chain.raw(&post(&objects, 2, "application/json", "{}")).await;
    assert_eq!(status, 415);
}

#[tokio::test]
async fn bodies_are_bounded_and_read_strictly() {
    let chain = Chain::start(1, 1);
    let objects = format!("/intel/collections/{MAIN}/objects/");
    let much = "x".repeat(100_001);
    assert_eq!(chain.raw(&post(&objects, 2, TAXII, &much)).await.0, 413);
    // The length is not said beforehand.
    let login = login("peer2", &token(2));
    let chunked = format!("POST {objects} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{login}Content-Type: {TAXII}\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n{much}\r\n0\r\n\r\n");
    assert_eq!(chain.raw(&chunked).await.0, 413);
    let many = json!({ "objects": vec![0; 1_001] }).to_string();
    assert_eq!(chain.raw(&post(&objects, 2, TAXII, &many)).await.0, 413);
    for bad in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"objects":[]}"#,
        r#"{"objects":7}"#,
        r#"{"objects":[{}],"objects":[{}]}"#,
    ] {
        let (status, _, body) = chain.raw(&post(&objects, 2, TAXII, bad)).await;
        assert_eq!(status, 400, "{bad}: {body}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_allowed() {
    let chain = Chain::start(1, 1);
    let objects = format!("/intel/collections/{MAIN}/objects/");
    let missing = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
    for (n, path, expected) in [
        (2, "/intel/".into(), 200),
        (2, "/intel".into(), 404),
        (2, "/other/".into(), 404),
        (2, "/intel/collections/nowhere/".into(), 404),
        (2, format!("/intel/collections/{HIDDEN}/"), 404),
        (2, format!("/intel/collections/{HIDDEN}/objects/"), 404),
        (2, format!("{objects}{missing}/"), 404),
        (2, format!("{objects}..%2F..%2Fetc/"), 404),
        (2, format!("{objects}{missing}/versions/"), 404),
        (2, "/intel/status/8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f/".into(), 404),
        (2, format!("{objects}?limit=0"), 400),
        (2, format!("{objects}?limit=1&limit=2"), 400),
        (2, format!("{objects}?next=x"), 400),
        (2, format!("{objects}?added_after=today"), 400),
        (2, format!("{objects}?match[version]=newest"), 400),
        (5, objects.clone(), 403),
        (5, format!("/intel/collections/{MAIN}/"), 200),
        (5, format!("/intel/collections/{MAIN}/stream/"), 403),
    ] {
        let login = login(&format!("peer{n}"), &token(n));
        assert_eq!(chain.raw(&get(&path, &login)).await.0, expected, "{path}");
    }
    let object = signed(4, indicator(4, 7, Tlp::Green));
    let body = json!({ "objects": [object] }).to_string();
    assert_eq!(chain.raw(&post(&objects, 4, TAXII, &body)).await.0, 403);
    let wrong = post(&format!("/intel/collections/{MAIN}/manifest/"), 2, TAXII, &body);
    assert_eq!(chain.raw(&wrong).await.0, 405);
}

#[tokio::test]
async fn anybody_reads_what_is_clear_in_a_public_collection() {
    let chain = Chain::start(1, 1);
    for tlp in [Tlp::Clear, Tlp::Green] {
        let object = signed(1, indicator(1, 7, tlp));
        chain.here.accept(OPEN, "own", vec![object]).pop().unwrap().unwrap();
    }
    let (status, _, body) =
        chain.raw(&get(&format!("/intel/collections/{OPEN}/objects/"), "")).await;
    assert_eq!((status, body.matches("\"pattern\":").count()), (200, 1), "{body}");
    let (_, _, body) = chain.raw(&get("/intel/collections/", "")).await;
    assert!(body.contains(OPEN) && !body.contains(MAIN));
    // Whoever stands for no identity that is trusted is anybody.
    let page = chain.client(6).objects(OPEN, &Filter::default()).await.unwrap();
    assert_eq!(page.envelope.objects.len(), 1);
    let anybody = post(&format!("/intel/collections/{OPEN}/objects/"), 2, TAXII, "{}");
    let anybody: String =
        anybody.lines().filter(|l| !l.starts_with("Auth")).map(|l| format!("{l}\r\n")).collect();
    assert_eq!(chain.raw(&anybody).await.0, 403);
}

#[tokio::test]
async fn pages_leave_nothing_out() {
    let chain = Chain::start(1, 1);
    let ids: Vec<_> =
        (0..7).map(|n| chain.publish(1, indicator(1, n, Tlp::Green)).to_string()).collect();
    let client = chain.client(2);
    let (mut filter, mut found) = (Filter { limit: Some(3), ..Filter::default() }, Vec::new());
    loop {
        let page = client.objects(MAIN, &filter).await.unwrap();
        assert!(page.first <= page.last);
        found.extend(page.envelope.objects.iter().map(|o| o["id"].as_str().unwrap().to_owned()));
        // What is published meanwhile comes at the end.
        if found.len() == 3 {
            chain.publish(1, indicator(1, 8, Tlp::Green));
        }
        match page.envelope.next {
            Some(next) => filter.next = Some(next),
            None => break,
        }
    }
    assert_eq!((&found[..7], found.len()), (&ids[..], 8));
}

#[tokio::test]
async fn statuses_add_up_and_are_their_peers_own() {
    let chain = Chain::start(1, 1);
    let good = signed(2, indicator(2, 7, Tlp::Green));
    let mut forged = signed(2, indicator(2, 8, Tlp::Green));
    forged["confidence"] = json!(1);
    let objects = vec![good.clone(), forged, json!({}), indicator(2, 9, Tlp::Green), good];
    let status = chain.client(2).add(MAIN, objects).await.unwrap();
    assert_eq!((status.total_count, status.success_count, status.failure_count), (5, 2, 3));
    assert_eq!(status.successes.len() + status.failures.len(), 5);
    assert_eq!(chain.client(2).status(&status.id).await.unwrap(), status);
    let other = chain.client(3).status(&status.id).await.unwrap_err();
    assert!(matches!(other, SharingError::Refused { status: 404, .. }), "{other}");
}

#[tokio::test]
async fn who_made_an_object_may_delete_it() {
    let chain = Chain::start(1, 1);
    let object = signed(2, indicator(2, 7, Tlp::Green));
    chain.client(2).add(MAIN, vec![object.clone()]).await.unwrap();
    let id = object["id"].as_str().unwrap();
    for (n, expected) in [(3, 403), (4, 403)] {
        let error = chain.client(n).delete(MAIN, id).await.unwrap_err();
        assert!(
            matches!(error, SharingError::Refused { status, .. } if status == expected),
            "{error}"
        );
    }
    chain.client(2).delete(MAIN, id).await.unwrap();
    let error = chain.client(2).delete(MAIN, id).await.unwrap_err();
    assert!(matches!(error, SharingError::Refused { status: 404, .. }), "{error}");
    let again = chain.client(2).add(MAIN, vec![object]).await.unwrap();
    assert_eq!(again.failure_count, 1);
    // Having made it is not enough.
    let own = indicator(5, 7, Tlp::Green);
    assert_eq!(chain.client(5).add(OPEN, vec![own.clone()]).await.unwrap().success_count, 1);
    let error = chain.client(5).delete(OPEN, own["id"].as_str().unwrap()).await.unwrap_err();
    assert!(matches!(error, SharingError::Refused { status: 403, .. }), "{error}");
}

#[tokio::test]
async fn streams_are_few_for_each_peer() {
    let chain = Chain::start(1, 1);
    let client = chain.client(2);
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(client.stream(MAIN, Timestamp::ZERO).await.unwrap());
    }
    let error = client.stream(MAIN, Timestamp::ZERO).await.unwrap_err();
    assert!(matches!(error, SharingError::Refused { status: 503, .. }), "{error}");
    chain.client(3).stream(MAIN, Timestamp::ZERO).await.unwrap();
    open.clear();
    // The server notices once it writes.
    for n in 0..100 {
        if client.stream(MAIN, Timestamp::ZERO).await.is_ok() {
            return;
        }
        chain.publish(1, indicator(1, n, Tlp::Green));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("streams that are closed still count");
}

/// An interrupted stream goes on where it was, by the header that browsers send.
#[tokio::test]
async fn a_stream_goes_on_after_the_last_event() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let chain = Chain::start(1, 1);
    let ids: Vec<_> = (0..3).map(|n| chain.publish(1, indicator(1, n, Tlp::Green))).collect();
    let mut events = chain.client(2).stream(MAIN, Timestamp::ZERO).await.unwrap();
    let first = loop {
        if let Some(event) = events.next().await.unwrap().unwrap() {
            break event;
        }
    };
    assert!(first.name == "object" && first.data.contains(ids[0].as_str()));
    let last = first.id.unwrap();
    let headers = format!("{}Last-Event-ID: {last}\r\n", login("peer2", &token(2)));
    let mut stream = tokio::net::TcpStream::connect(chain.address).await.unwrap();
    let request = get(&format!("/intel/collections/{MAIN}/stream/"), &headers);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = String::new();
    while !read.contains(ids[2].as_str()) {
        let mut part = [0; 4_096];
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0, "{read}");
        read.push_str(std::str::from_utf8(&part[..length]).unwrap());
    }
    assert!(read.contains("text/event-stream") && read.contains(ids[1].as_str()));
    assert!(!read.contains(ids[0].as_str()));
}

#[tokio::test]
async fn answers_are_bounded_and_of_the_right_kind() {
    use bastion_sentinel::sharing::client::{Client, ClientOptions};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for (answer, expected) in [
        ("Content-Type: text/html\r\nContent-Length: 2\r\n\r\n{}".to_owned(), "Content-Type"),
        (format!("Content-Type: {TAXII}\r\n\r\n{}", "x".repeat(5_000)), "more than 1000 bytes"),
        (format!("Content-Type: {TAXII}\r\nContent-Length: 2\r\n\r\n[]"), "TAXII 2.1"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x/", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream
                .write_all(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{answer}").as_bytes())
                .await;
        });
        let options = ClientOptions { most: 1_000, ..ClientOptions::default() };
        let client = Client::new(&url, "a", "b", options).unwrap();
        let error = client.objects(MAIN, &Filter::default()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        task.await.unwrap();
    }
}

#[tokio::test]
async fn configurations_that_cannot_be_are_refused() {
    let chain = Chain::start(1, 1);
    let refused = |change: &dyn Fn(&mut Config)| {
        let mut config = chain.config.clone();
        change(&mut config);
        router(chain.here.clone(), config).is_err()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|c| c.root = "a/b".into()));
    assert!(refused(&|c| c.root = "taxii2".into()));
    assert!(refused(&|c| c.page = 0));
    assert!(refused(&|c| c.peers[0].name = "a:b".into()));
    assert!(refused(&|c| c.peers[0].name = c.peers[1].name.clone()));
    assert!(refused(&|c| c.peers[0].rights.extend([("nowhere".to_owned(), FULL)])));
    let text = serde_json::to_string(&chain.config).unwrap();
    assert!(!text.contains(&token(2)) && serde_json::from_str::<Config>(&text).is_ok());
}
