//! The peers that others have made.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bastion_sentinel::sharing::client::{
    Client, ClientOptions, Feed, Filter, Follower, Pace, Taken,
};
use bastion_sentinel::sharing::error::SharingError;
use bastion_sentinel::sharing::stix::{draft, Object, Timestamp, Tlp};
use serde_json::{json, Value};

use crate::chain::{id, indicator, signed, signer, subject, token, Chain, MAIN, OPEN};

/// The interpreter of an environment with the peers; none if it is said that there is to be none.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(prepare).as_deref()
}

fn prepare() -> Option<PathBuf> {
    if std::env::var_os("BASTION_NO_PYTHON").is_some_and(|value| value == "1") {
        eprintln!("BASTION_NO_PYTHON is set: nothing is tried with the peers in Python");
        return None;
    }
    let requirements = scripts().join("requirements.txt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("taxii-peers");
    let python = folder.join("bin/python");
    let done = folder.join("installed.txt");
    let wanted = std::fs::read(&requirements).unwrap();
    if std::fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Some(python);
    }
    let _ = std::fs::remove_dir_all(&folder);
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
    ];
    run(Command::new(&python).args(install).arg(&requirements));
    std::fs::write(done, wanted).unwrap();
    Some(python)
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

fn run(command: &mut Command) {
    let hint = "set BASTION_NO_PYTHON=1 to leave the peers in Python out";
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; {hint}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?} failed; {hint}\n{out}\n{err}");
    println!("{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn our_server_serves_taxii2_client_and_stix2() {
    let Some(python) = python() else { return };
    let chain = Chain::start(1, 1);
    chain.publish(1, indicator(1, 7, Tlp::Green));
    chain.publish(1, draft::identity(&id(1), "Chain 1", Timestamp::now()));
    for definition in draft::extensions(&id(1), Timestamp::now()) {
        chain.publish(1, definition);
    }
    chain.publish(1, draft::account(&subject(7)).unwrap());
    let url = format!("http://{}", chain.address);
    let key = signer(1).public().to_string();
    let arguments = [url.as_str(), "peer2", &token(2), MAIN, OPEN, &key].map(str::to_owned);
    let script = scripts().join("client.py");
    let work = move || run(Command::new(python).arg("-B").arg(script).args(arguments));
    tokio::task::spawn_blocking(work).await.unwrap();
}

struct Medallion {
    process: Child,
    root: String,
    _folder: tempfile::TempDir,
}

impl Drop for Medallion {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Medallion {
    /// Starts it with an empty collection and pages of two.
    async fn start(python: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port =
            std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let media = "application/taxii+json;version=2.1";
        let data = json!({
            "/discovery": { "title": "Medallion", "default": format!("{url}/root/"), "api_roots": [format!("{url}/root/")] },
            "root": {
                "information": { "title": "Root", "versions": [media], "max_content_length": 9_000_000 },
                "status": [],
                "collections": [{
                    "id": OPEN, "title": "Open", "can_read": true, "can_write": true,
                    "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": [],
                }],
            },
        });
        let file = folder.path().join("data.json");
        let config = json!({
            "backend": { "module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": file },
            "users": { "peer2": token(2) },
            "taxii": { "max_page_size": 2 },
        });
        std::fs::write(&file, data.to_string()).unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let process = Command::new(python)
            .args(["-B", "-m", "medallion.scripts.run", "--port", &port.to_string()])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let medallion = Self { process, root: format!("{url}/root/"), _folder: folder };
        let client = medallion.client(&token(2));
        let start = Instant::now();
        while let Err(error) = client.root().await {
            assert!(start.elapsed() < Duration::from_secs(60), "medallion does not start: {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        medallion
    }

    fn client(&self, token: &str) -> Client {
        Client::new(&self.root, "peer2", token, ClientOptions::default()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn our_client_speaks_with_medallion() {
    let Some(python) = python() else { return };
    let medallion = Medallion::start(python).await;
    let client = medallion.client(&token(2));

    assert_eq!(client.discovery().await.unwrap().title, "Medallion");
    assert_eq!(client.root().await.unwrap().max_content_length, 9_000_000);
    let collections = client.collections().await.unwrap();
    assert_eq!(collections.len(), 1);
    assert_eq!(client.collection(OPEN).await.unwrap(), collections[0]);
    let empty = client.objects(OPEN, &Filter::default()).await.unwrap();
    assert_eq!(empty.envelope.objects, [] as [Value; 0]);

    // Signatures survive a server that knows nothing of them.
    let first = Object::from_value(signed(2, indicator(2, 7, Tlp::Green))).unwrap();
    let mut objects = vec![Value::Object(first.raw().clone())];
    objects.extend((8..12).map(|about| signed(2, indicator(2, about, Tlp::Green))));
    let status = client.add(OPEN, objects.clone()).await.unwrap();
    assert_eq!((status.status.as_str(), status.success_count), ("complete", 5));
    assert_eq!(client.status(&status.id).await.unwrap(), status);
    let types = Filter { types: vec!["indicator".into()], limit: Some(2), ..Filter::default() };
    let page = client.objects(OPEN, &types).await.unwrap();
    assert_eq!((page.envelope.objects.len(), page.envelope.more), (2, Some(true)));
    assert!(page.first.is_some() && page.last >= page.first);
    assert_eq!(client.manifest(OPEN, &Filter::default()).await.unwrap().objects.len(), 2);
    let one = client.object(OPEN, first.id().as_str(), &Filter::default()).await.unwrap();
    assert_eq!(one.envelope.objects, objects[..1]);

    // A follower takes it all, page by page, and what comes later.
    let chain = Chain::start(1, 1);
    let feed = Feed {
        client: client.clone(),
        collection: OPEN.into(),
        into: MAIN.into(),
        sender: "medallion".into(),
    };
    let mut follower = Follower::new(feed, chain.here.clone(), Pace::default(), None);
    follower.catch_up().await.unwrap();
    assert_eq!(follower.taken(), Taken { new: 5, known: 0, refused: 0 });
    assert!((7..12).all(|about| chain.here.lookup(&subject(about)).may_freeze));
    let last = draft::revocation(&first, Timestamp::now());
    client.add(OPEN, vec![signed(2, last), indicator(2, 13, Tlp::Green)]).await.unwrap();
    follower.catch_up().await.unwrap();
    assert_eq!(follower.taken(), Taken { new: 6, known: 0, refused: 1 });
    assert!(!chain.here.lookup(&subject(7)).may_freeze);
    assert_eq!(client.versions(OPEN, first.id().as_str()).await.unwrap().versions.len(), 2);
    // It has no stream.
    let refused = client.stream(OPEN, Timestamp::ZERO).await.unwrap_err();
    assert!(matches!(refused, SharingError::Refused { status: 404, .. }), "{refused}");

    client.delete(OPEN, first.id().as_str()).await.unwrap();
    let gone = client.object(OPEN, first.id().as_str(), &Filter::default()).await.unwrap_err();
    assert!(matches!(gone, SharingError::Refused { status: 404, .. }), "{gone}");
    let wrong = medallion.client("wrong").root().await.unwrap_err();
    assert!(matches!(wrong, SharingError::Refused { status: 401, .. }), "{wrong}");
}
