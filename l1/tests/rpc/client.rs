//! What a node's answers become: data, another try, or an error that says what happened.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use bastion_l1::{L1Error, Options, ReadL1, ReadLogs, RpcL1};
use serde_json::json;

use crate::server::{Asked, Reply, Server};

const NOBODY: Address = Address::repeat_byte(7);

fn raw(status: u16, body: &str) -> Reply {
    Reply::Raw(status, String::new(), body.as_bytes().to_vec())
}

/// A client of a node that has a chain id and else answers by a function.
fn client(
    options: Options,
    answer: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static,
) -> (RpcL1, Server) {
    let server = Server::start(None, move |asked| match asked.method {
        "eth_chainId" => Reply::Result(json!("0x7a69")),
        _ => answer(asked),
    });
    (RpcL1::with(&server.url, options).unwrap(), server)
}

fn few() -> Options {
    Options { retries: 1, ..Options::default() }
}

#[test]
fn answers_of_another_form_are_errors_that_show_them() {
    for (reply, shown) in [
        (raw(200, "<html>maintenance</html>"), "maintenance"),
        (raw(200, ""), "no body"),
        (raw(200, "[]"), "[]"),
        (raw(200, "\"busy\""), "busy"),
        (raw(200, "{\"jsonrpc\":\"2.0\",\"id\":1}"), "result"),
        (raw(200, "{\"id\":99,\"result\":\"0x1\"}"), "request 99"),
        (raw(200, "{\"id\":1,\"result\":7}"), "integer `7`"),
        (raw(401, "{\"message\":\"who are you\"}"), "status 401: {\"message\":\"who are you\"}"),
        (raw(404, "<h1>lost</h1>"), "status 404: <h1>lost</h1>"),
        (raw(503, "gone fishing"), "status 503: gone fishing (tried 2 times)"),
        (Reply::Hangup, "tried 2 times"),
        (Reply::Error(-32601, "what?"), "what? (error -32601)"),
    ] {
        let reply = std::sync::Mutex::new(Some(reply));
        let kept = std::sync::Mutex::new(None);
        let (mut l1, server) = client(few(), move |_| {
            // The first reply once more for the second try.
            let mut kept = kept.lock().unwrap();
            let now = reply.lock().unwrap().take().or(kept.take());
            let now = now.unwrap();
            *kept = Some(match &now {
                Reply::Raw(status, extra, body) => Reply::Raw(*status, extra.clone(), body.clone()),
                Reply::Error(code, words) => Reply::Error(*code, words),
                _ => Reply::Hangup,
            });
            now
        });
        let error = l1.balance(NOBODY).unwrap_err();
        let text = error.to_string();
        assert!(error.asked().is_some(), "{text}");
        assert!(text.contains(shown), "{shown}: {text}");
        assert!(text.contains("eth_getBalance"), "{text}");
        assert!(text.contains(&server.url), "{text}");
    }
}

#[test]
fn a_busy_node_is_asked_again_after_the_time_it_names() {
    let (mut l1, server) = client(Options::default(), |asked| match asked.count {
        1 => Reply::Raw(429, "Retry-After: 1\r\n".into(), b"slow down".to_vec()),
        2 => Reply::Hangup,
        3 => raw(502, "bad gateway"),
        4 => Reply::Error(-32005, "request rate exceeded"),
        _ => Reply::Result(json!("0x10")),
    });
    let start = Instant::now();
    assert_eq!(l1.balance(NOBODY).unwrap().to_string(), "16");
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.count("eth_getBalance"), 5);
}

#[test]
fn what_cannot_pass_is_not_repeated() {
    for status in [400, 401, 403, 404] {
        let (mut l1, server) = client(Options::default(), move |_| raw(status, "no"));
        l1.balance(NOBODY).unwrap_err();
        assert_eq!(server.count("eth_getBalance"), 1, "{status}");
    }
    // Nobody is there, and never was.
    let start = Instant::now();
    let error = RpcL1::connect("http://127.0.0.1:1").unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:1"), "{error}");
    assert!(!error.contains("tried"), "{error}");
    assert!(error.ends_with(": does a node run there? (--l1, or l1.urls)"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let (mut l1, server) = client(few(), |_| {
        let location = "Location: http://127.0.0.1:9/secret-path\r\n";
        Reply::Raw(307, location.into(), Vec::new())
    });
    let error = l1.balance(NOBODY).unwrap_err().to_string();
    assert!(error.contains("307") && error.contains("http://127.0.0.1:9"), "{error}");
    assert!(!error.contains("secret-path"), "{error}");
    assert_eq!(server.count("eth_getBalance"), 1);
}

#[test]
fn a_long_answer_is_read_up_to_the_limit() {
    let long = |_: &Asked<'_>| {
        let padding = "0".repeat(20 << 20);
        raw(200, &format!("{{\"id\":1,\"padding\":\"{padding}\",\"result\":\"0x1\"}}"))
    };
    let (mut l1, _server) = client(Options::default(), long);
    assert_eq!(l1.balance(NOBODY).unwrap().to_string(), "1");
    let small = Options { max_answer: 1 << 20, ..few() };
    let (mut l1, _server) = client(small, long);
    match l1.balance(NOBODY).unwrap_err() {
        L1Error::TooLong { limit, .. } => assert_eq!(limit, 1 << 20),
        other => panic!("{other}"),
    }
}

#[test]
fn only_answers_that_grow_with_the_chain_may_be_long() {
    let long = |asked: &Asked<'_>| {
        let padding = "0".repeat(33 << 20);
        let (result, id) = if asked.method == "eth_getLogs" { ("[]", 2) } else { ("\"0x1\"", 1) };
        raw(200, &format!("{{\"id\":{id},\"padding\":\"{padding}\",\"result\":{result}}}"))
    };
    let (mut l1, _server) = client(few(), long);
    let error = l1.balance(NOBODY).unwrap_err();
    assert!(matches!(error, L1Error::TooLong { limit: 0x200_0000, .. }), "{error}");
    assert!(!error.to_string().contains("--l1-max-answer"), "{error}");
    assert_eq!(l1.logs(0, 5, &[NOBODY]).unwrap(), []);
    let options = Options { max_answer: 33 << 20, ..few() };
    let (mut l1, _server) = client(options, |_| raw(200, &" ".repeat((33 << 20) + 1)));
    let error = l1.logs(0, 5, &[NOBODY]).unwrap_err();
    assert!(matches!(error, L1Error::TooLong { limit: 0x210_0000, .. }), "{error}");
    assert!(error.to_string().contains("--l1-max-answer"), "{error}");
}

#[test]
fn a_long_error_is_not_looked_into() {
    let (mut l1, _server) =
        client(few(), |_| raw(200, &format!("{{\"id\":1,\"error\":[{}0]}}", "0,".repeat(1 << 20))));
    let error = l1.balance(NOBODY).unwrap_err().to_string();
    assert!(error.contains("an error of 2097155 bytes"), "{error}");
}

#[test]
fn user_and_password_are_sent_and_no_secret_is_told() {
    let server = Server::start(None, |asked| match asked.count {
        1 => Reply::Result(json!("0x7a69")),
        // What a gateway says may repeat the key.
        _ => raw(403, "key 0123456789abcdef is not valid for me:pass word!"),
    });
    let host = server.url.strip_prefix("http://").unwrap().to_string();
    let url = format!("http://me:pass%20word!@{host}/v3/0123456789abcdef?token=fedcba98");
    let l1 = RpcL1::connect(&url).unwrap();
    assert_eq!(server.count("authorization: Basic bWU6cGFzcyB3b3JkIQ=="), 1);
    let error = RpcL1::connect(&url).unwrap_err();
    for text in [format!("{error}"), format!("{error:?}"), format!("{l1:?}")] {
        for secret in ["pass%20word", "pass word!", "0123456789abcdef", "fedcba98"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains(&host), "{text}");
    }
}

#[test]
fn words_of_a_node_are_short_and_plain_and_hold_no_secret() {
    const KEY: &str = "0123456789abcdef";
    let long = || format!("\u{1b}[2J{KEY} {}", "no ".repeat(1 << 17));
    let error = move |id: u64| json!({"id": id, "error": {"code": 1, "message": long()}});
    let answers = [
        (raw(200, &error(2).to_string()), "[2J*** no"),
        (raw(500, &error(2).to_string()), "[2J*** no"),
        (raw(404, &long()), "[2J*** no"),
        (raw(200, &long()), "[2J*** no"),
        (raw(200, &json!({"id": 1, "result": long()}).to_string()), "no 0x number: `[2J***"),
        (raw(200, &json!({"id": long(), "result": "0x1"}).to_string()), "it answers request"),
        (
            Reply::Raw(307, format!("Location: http://{KEY}.example/x\r\n"), Vec::new()),
            "***.example, which",
        ),
        (raw(200, &json!({"id": 2, "error": {"data": "0x07"}}).to_string()), "reverted: 0x07"),
        (
            raw(
                200,
                &json!({"id": 2, "error": {"data": format!("0x{}", "07".repeat(1 << 18))}})
                    .to_string(),
            ),
            "reverted: 0x0707",
        ),
    ];
    for (reply, shown) in answers {
        let reply = std::sync::Mutex::new(Some(reply));
        let server = Server::start(None, move |asked| match asked.method {
            "eth_chainId" => Reply::Result(json!("0x7a69")),
            _ => reply.lock().unwrap().take().unwrap_or(Reply::Hangup),
        });
        let options = Options { retries: 0, ..Options::default() };
        let mut l1 = RpcL1::with(&format!("{}/{KEY}", server.url), options).unwrap();
        let text = l1.balance(NOBODY).unwrap_err().to_string();
        assert!(text.contains(shown), "{shown}: {text}");
        assert!(!text.contains(KEY) && !text.contains(char::is_control), "{text:?}");
        assert!(text.chars().count() < 2_500, "{} characters", text.chars().count());
    }
}

/// Speaks TLS with a certificate that nobody signed; whether a request got through.
fn self_signed() -> (String, std::thread::JoinHandle<bool>) {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
    let certificate = CertificateDer::from(&include_bytes!("certificate.der")[..]);
    let key = PrivatePkcs8KeyDer::from(&include_bytes!("key.der")[..]);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut byte = [0];
        let read = rustls::Stream::new(&mut tls, &mut stream).read(&mut byte);
        matches!(read, Ok(1))
    });
    (format!("https://localhost:{port}/0123456789abcdef"), thread)
}

#[test]
fn https_is_spoken_and_an_unknown_certificate_is_refused() {
    let (url, server) = self_signed();
    let error = RpcL1::connect(&url).unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    assert!(error.contains("https://localhost:"), "{error}");
    assert!(!error.contains("0123456789abcdef"), "{error}");
    assert!(!server.join().unwrap(), "a request was sent to whoever it was");
}
