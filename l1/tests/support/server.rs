//! A node that misbehaves on purpose: an HTTP server that answers by a function, alone or in front of
//! another node.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{json, Value};

/// What a request is answered with.
pub enum Reply {
    /// A result.
    Result(Value),
    /// A JSON-RPC error.
    Error(i64, &'static str),
    /// Status, further header lines, body.
    Raw(u16, String, Vec<u8>),
    /// The connection is cut.
    Hangup,
    /// What the other node says.
    Forward,
    /// The same, changed on the way.
    Changed(fn(&mut Value)),
}

/// One request: its method, its parameters, how often the method was asked so far, from 1.
pub struct Asked<'a> {
    pub method: &'a str,
    pub params: &'a Value,
    pub count: usize,
}

/// A running server; its thread ends with the test's process.
pub struct Server {
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves, in front of the node at `upstream` if there is one.
    pub fn start(
        upstream: Option<&str>,
        answer: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let upstream = upstream.map(String::from);
        let seen = log.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, upstream, seen) = (answer.clone(), upstream.clone(), seen.clone());
                std::thread::spawn(move || serve(stream, upstream.as_deref(), &*answer, &seen));
            }
        });
        Self { url, log }
    }

    /// How often a method was asked, or a header line named `authorization` was sent.
    pub fn count(&self, line: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().filter(|l| *l == line).count()
    }
}

/// Reads the head and the body of a message.
fn message(reader: &mut impl BufRead) -> Option<(Vec<String>, Vec<u8>)> {
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_string();
        if line.is_empty() {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(n) = lower.strip_prefix("content-length:") {
            length = n.trim().parse().ok()?;
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// What the node at `upstream` answers.
pub fn forward(upstream: &str, body: &[u8]) -> Value {
    let host = upstream.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let (_, body) = message(&mut BufReader::new(stream)).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn serve(
    mut stream: TcpStream,
    upstream: Option<&str>,
    answer: &(impl Fn(&Asked<'_>) -> Reply + ?Sized),
    log: &Mutex<Vec<String>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some((head, body)) = message(&mut reader) {
        let request: Value = serde_json::from_slice(&body).unwrap();
        let method = request["method"].as_str().unwrap().to_string();
        let count = {
            let mut log = log.lock().unwrap();
            let headers = head.into_iter().filter(|l| l.to_lowercase().starts_with("auth"));
            log.extend(headers);
            log.push(method.clone());
            log.iter().filter(|m| **m == method).count()
        };
        let asked = Asked { method: &method, params: &request["params"], count };
        let id = request["id"].clone();
        let told = || forward(upstream.unwrap(), &body);
        let (status, extra, body) = match answer(&asked) {
            Reply::Hangup => return,
            Reply::Raw(status, extra, body) => (status, extra, body),
            Reply::Result(result) => {
                (200, String::new(), text(&json!({"jsonrpc": "2.0", "id": id, "result": result})))
            }
            Reply::Error(code, message) => {
                let error = json!({"code": code, "message": message});
                (200, String::new(), text(&json!({"jsonrpc": "2.0", "id": id, "error": error})))
            }
            Reply::Forward => (200, String::new(), text(&told())),
            Reply::Changed(change) => {
                let mut value = told();
                change(&mut value);
                (200, String::new(), text(&value))
            }
        };
        let head = format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n{extra}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let sent = stream.write_all(head.as_bytes());
        if sent.and_then(|()| stream.write_all(&body)).is_err() {
            return;
        }
    }
}

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
