//! What is refused, and how.

use std::time::Duration;

use bastion_client::types::Answer;
use bastion_client::{Client, ClientError};
use bastion_node::api::{FeeOptions, Options};
use bastion_node::devnet::{dev_exit, dev_key};
use bastion_protocol::header::domain;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::raw::{self, get, post, post_json};
use crate::world::{generous, transfer, World, CHAIN, CONTRACT};

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem() {
    let world = World::start(generous()).await;
    let at = world.address;
    let missing = format!("0x{}", "00".repeat(32));
    for (path, status, code) in [
        ("/v1/nothing", 404, "no_such_route"),
        ("/assets/nothing.js", 404, "no_such_route"),
        ("/assets/../index.html", 404, "no_such_route"),
        ("/v1/operations", 405, "method_not_allowed"),
        ("/v1/operations/0x12", 400, "bad_request"),
        ("/v1/operations/hello", 400, "bad_request"),
        (&format!("/v1/operations/{missing}"), 404, "not_found"),
        (&format!("/v1/operations/{missing}/receipt"), 404, "not_found"),
        (&format!("/v1/operations/{missing}/inclusion"), 404, "not_found"),
        ("/v1/batches/9", 404, "not_found"),
        ("/v1/batches/-1", 400, "bad_request"),
        ("/v1/batches/18446744073709551616", 400, "bad_request"),
        ("/v1/blocks/9", 404, "not_found"),
        ("/v1/blocks/0", 404, "not_found"),
        ("/v1/blocks/finalized", 404, "not_found"),
        (&format!("/v1/blocks/{missing}"), 404, "not_found"),
        ("/v1/blocks/0x12", 400, "bad_request"),
        ("/v1/blocks/newest", 400, "bad_request"),
        ("/v1/blocks/9/batches", 404, "not_found"),
        ("/v1/blocks?limit=0", 400, "bad_request"),
        ("/v1/blocks?limit=101", 400, "bad_request"),
        ("/v1/blocks?before=x", 400, "bad_request"),
        ("/v1/accounts", 400, "bad_request"),
        ("/v1/accounts?owner=0x12", 400, "bad_request"),
        (&format!("/v1/accounts?owner=0x{}", "ff".repeat(32)), 400, "bad_request"),
        ("/v1/accounts/4294967296", 400, "bad_request"),
        ("/v1/accounts/1/operations?limit=1000", 400, "bad_request"),
        ("/v1/fees?token=9", 404, "no_price"),
        ("/v1/fees?token=65536", 400, "bad_request"),
        ("/v1/jobs?state=lost", 400, "bad_request"),
        ("/v1/%ff", 404, "no_such_route"),
        ("/v1/batches/%ff", 400, "bad_request"),
    ] {
        let answer = get(at, path).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, code), "{path}");
    }
    let wrong =
        raw::send(at, "DELETE /v1/blocks HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", b"");
    assert_eq!(wrong.await.problem(), "method_not_allowed");
    let wrong = post_json(at, "/", b"{}").await;
    assert_eq!((wrong.status, wrong.problem().as_str()), (405, "method_not_allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_are_bounded_and_read_one_by_one() {
    let world = World::start(generous()).await;
    let at = world.address;
    let path = "/v1/operations";
    for (body, status, code) in [
        (&b""[..], 400, "bad_request"),
        (b"{", 400, "bad_request"),
        (b"[]", 400, "bad_request"),
        (b"{\"operations\":[]}", 400, "bad_request"),
        (b"{\"operations\":[1]}", 400, "bad_request"),
        (b"{\"operations\":[\"0x00\"],\"more\":1}", 400, "bad_request"),
    ] {
        let answer = post_json(at, path, body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (status, code));
    }
    let many = serde_json::json!({ "operations": vec!["0x00"; 257] }).to_string();
    assert_eq!(post_json(at, path, many.as_bytes()).await.problem(), "bad_request");
    let large = format!("{{\"operations\":[\"0x{}\"]}}", "00".repeat(1 << 20));
    let answer = post_json(at, path, large.as_bytes()).await;
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too_large"));
    let plain = post(at, path, "content-type: text/plain\r\n", b"{}").await;
    assert_eq!((plain.status, plain.problem().as_str()), (415, "unsupported_media_type"));

    // What is no operation is rejected alone.
    let good = bastion_protocol::ops::Op::Signed(transfer(0, 0)).to_bytes();
    let noop = bastion_protocol::ops::Op::Noop.to_bytes();
    let good = format!("0x{}", hex::encode(good));
    let noop = format!("0x{}", hex::encode(noop));
    let body = serde_json::json!({ "operations": ["0x", "0xzz", "12", &good[..20], noop, good] });
    let answer = post_json(at, path, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200);
    let answers = answer.json()["answers"].as_array().unwrap().clone();
    assert_eq!(answers.len(), 6);
    for answer in &answers[..5] {
        assert_eq!(answer["rejection"]["code"], "malformed", "{answer}");
    }
    assert!(answers[5]["receipt"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_accepts_nothing_says_why() {
    let world = World::start(generous()).await;
    let client = Client::new(&world.url()).unwrap();
    world.parts.control.set_paused(true);
    let error = client.submit(&[transfer(0, 0)]).await.unwrap_err();
    assert_eq!(error.code(), Some("not_accepting"));
    let ClientError::Refused { problem, retry_after, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(problem.status, 503);
    assert!(problem.detail.contains("paused"));
    assert!(retry_after.is_some());
    let ready = get(world.address, "/readyz").await;
    assert_eq!((ready.status, ready.problem().as_str()), (503, "not_ready"));
    assert_eq!(get(world.address, "/healthz").await.status, 200);
    world.parts.control.set_paused(false);
    client.submit(&[transfer(0, 0)]).await.unwrap();
    world.l1(|l1| l1.synced = false);
    assert_eq!(get(world.address, "/readyz").await.problem(), "not_ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_have_a_rate() {
    let options = Options { requests_per_second: 1, burst: 3, ..Options::default() };
    let world = World::start(options).await;
    let mut refused = 0;
    for _ in 0..6 {
        let answer = get(world.address, "/v1/version").await;
        if answer.status != 200 {
            assert_eq!((answer.status, answer.problem().as_str()), (429, "rate_limited"));
            assert_eq!(answer.header("retry-after"), Some("1"));
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            refused += 1;
        }
    }
    assert!(refused > 0);
    // A client that knows how to wait gets its answer.
    Client::new(&world.url()).unwrap().version().await.unwrap();
}

/// Behind a proxy the client is whom the proxy names.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_names_the_client() {
    let options =
        Options { requests_per_second: 1, burst: 1, behind_proxy: true, ..Options::default() };
    let world = World::start(options).await;
    let ask = |client: &str| {
        let head = format!(
            "GET /v1/version HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 6.6.6.6, {client}\r\n\r\n"
        );
        async move { raw::send(world.address, &head, b"").await.status }
    };
    for n in 1..10 {
        assert_eq!(ask(&format!("10.0.0.{n}")).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_pages_may_ask() {
    let world = World::start(generous()).await;
    let head = "OPTIONS /v1/operations HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: https://a.example\r\n\
                access-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n\r\n";
    let answer = raw::send(world.address, head, b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pays_too_little_is_told_what_is_taken() {
    let least = [(0, 1_001)].into();
    let fees = FeeOptions { least, ..generous().fees };
    let world = World::start(Options { fees, ..generous() }).await;
    let client = Client::new(&world.url()).unwrap();
    let answers = client.submit(&[transfer(0, 0)]).await.unwrap();
    let Answer::Rejection(rejection) = &answers[0] else {
        panic!("{answers:?}");
    };
    assert_eq!(rejection.code, "fee_too_low");
    assert!(rejection.message.contains("1001"), "{rejection:?}");
    // Nothing of it was executed: the same nonce is free, for whoever pays enough.
    let mut body = transfer(0, 0).body;
    body.fee = 1_100;
    let key = dev_key("user 0");
    let paid = body.sign(&key, domain(CHAIN, CONTRACT), dev_exit("user")).unwrap();
    body.token = 1;
    let other = body.sign(&key, domain(CHAIN, CONTRACT), dev_exit("user")).unwrap();
    let answers = client.submit(&[paid, other]).await.unwrap();
    assert!(matches!(answers[0], Answer::Receipt(_)), "{answers:?}");
    assert!(matches!(&answers[1], Answer::Rejection(r) if r.code == "fee_too_low"), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_does_not_have_all_connections() {
    let world = World::start(generous()).await;
    let mut held = Vec::new();
    // Heads that never end.
    for _ in 0..100 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\n").await;
        held.push(stream);
    }
    let mut closed = 0;
    for stream in &mut held {
        let read = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut [0; 1])).await;
        closed += usize::from(matches!(read, Ok(Ok(0) | Err(_))));
    }
    assert!((30..100).contains(&closed), "{closed} of 100 were closed");
    drop(held);
    // Its part is its own again.
    let mut tries = 0;
    let head = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let served = async || {
        let answer = raw::try_send(world.address, head, b"").await;
        answer.is_some_and(|answer| answer.status == 200)
    };
    // The server notices late that the others are gone, and closes until then.
    while !served().await {
        tries += 1;
        assert!(tries < 100);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
