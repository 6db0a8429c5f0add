//! A chain with a server, for tests.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt as _;
use bastion_sentinel::sharing::client::{Client, ClientOptions};
use bastion_sentinel::sharing::server::{router, Config, Peer, Rights, TokenHash};
use bastion_sentinel::sharing::sign::Signer;
use bastion_sentinel::sharing::stix::draft::{self, Draft};
use bastion_sentinel::sharing::stix::{Id, Subject, Timestamp, Tlp};
use bastion_sentinel::sharing::{Collection, Intelligence, Member, Options, TrustList};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

pub const MAIN: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
pub const OPEN: &str = "52892447-4d7e-4f70-b94d-d7f22742ff63";
pub const HIDDEN: &str = "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4";

pub const FULL: Rights = Rights { read: true, write: true, delete: true };

pub fn id(n: u8) -> Id {
    format!("identity--00000000-0000-4000-8000-0000000000{n:02x}").parse().unwrap()
}

pub fn signer(n: u8) -> Signer {
    Signer::new(id(n), &[n; 32]).unwrap()
}

/// What peer `n` logs in with.
pub fn token(n: u8) -> String {
    format!("{n:064}")
}

pub fn subject(n: u8) -> Subject {
    Subject::Evm { chain: Some(1), address: [n; 20] }
}

/// An indicator of chain `maker`, not signed yet.
pub fn indicator(maker: u8, about: u8, tlp: Tlp) -> Value {
    let draft = Draft {
        name: "Drainer".into(),
        subjects: vec![subject(about)],
        confidence: 90,
        tlp,
        valid_from: Timestamp::now(),
        valid_until: None,
    };
    draft::indicator(&id(maker), &draft, Timestamp::now()).unwrap()
}

pub fn signed(n: u8, object: Value) -> Value {
    Value::Object(signer(n).sign(object).unwrap().raw().clone())
}

fn trust(own: u8, sources: usize) -> TrustList {
    let member = |n: u8| Member {
        identity: id(n),
        operator: format!("operator {n}"),
        name: format!("Chain {n}"),
        keys: vec![signer(n).public()],
        up_to: Tlp::Amber,
        weight: 800,
    };
    TrustList::new(id(own), sources, (1..5).map(member).collect()).unwrap()
}

fn collection(id: &str, public: bool, unsigned: bool) -> Collection {
    Collection {
        id: id.into(),
        title: "Attackers".into(),
        description: None,
        public,
        unsigned,
        named: [].into(),
    }
}

/// A chain. Peers 2 and 3 have all rights, 4 may only read, 5 may only write; 6 stands for no identity.
pub struct Chain {
    pub here: Arc<Intelligence>,
    pub address: SocketAddr,
    pub config: Config,
    runtime: Option<Runtime>,
    _folder: tempfile::TempDir,
}

impl Chain {
    pub fn start(own: u8, sources: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let collections = vec![
            collection(MAIN, false, false),
            collection(OPEN, true, true),
            collection(HIDDEN, false, false),
        ];
        let options = Options::new(folder.path().join("intel.journal"), collections);
        let here = Intelligence::open(options, trust(own, sources)).unwrap();
        let rights = |n: u8| match n {
            4 => Rights { read: true, ..Rights::default() },
            5 => Rights { write: true, ..Rights::default() },
            _ => FULL,
        };
        let peer = |n: u8| Peer {
            name: format!("peer{n}"),
            identity: (n < 6).then(|| id(n)),
            token: TokenHash::of(&token(n)).unwrap(),
            rights: BTreeMap::from([(MAIN.into(), rights(n)), (OPEN.into(), rights(n))]),
        };
        let mut config = Config::new("Chain", (2..7).map(peer).collect());
        config.max_content_length = 100_000;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = Some(serve(listener, &here, &config));
        Self { here, address, config, runtime, _folder: folder }
    }

    /// Ends the server, with all its connections.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Serves again at the same address.
    pub fn resume(&mut self) {
        let start = Instant::now();
        let listener = loop {
            match std::net::TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(30), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.runtime = Some(serve(listener, &self.here, &self.config));
    }

    pub fn url(&self) -> String {
        format!("http://{}/intel/", self.address)
    }

    pub fn client(&self, n: u8) -> Client {
        Client::new(&self.url(), &format!("peer{n}"), &token(n), ClientOptions::default()).unwrap()
    }

    /// Publishes as the chain itself.
    pub fn publish(&self, own: u8, object: Value) -> Id {
        self.here.publish(&signer(own), MAIN, object).unwrap().id
    }

    /// Sends a request as it is, and gives the status, the head and the body of the answer.
    pub async fn raw(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // What is refused early may be cut off while it is still sent.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        (status, head.to_lowercase(), body.to_owned())
    }
}

/// Serves in a runtime of its own, so that every connection ends with it.
fn serve(listener: std::net::TcpListener, here: &Arc<Intelligence>, config: &Config) -> Runtime {
    let router = router(here.clone(), config.clone()).unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, router).await.unwrap();
    });
    runtime
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.stop();
    }
}
