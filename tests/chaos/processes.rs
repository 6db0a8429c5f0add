//! Real processes that are started, killed and started again: anvil, nats-server, the node, workers.

use std::fs::{self, OpenOptions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process of a group of its own, which ends as a whole: by SIGKILL, without a chance to do anything.
pub struct Process {
    pub name: String,
    child: Option<Child>,
    make: Box<dyn Fn() -> Command + Send>,
    log: PathBuf,
}

impl Process {
    pub fn new(dir: &Path, name: &str, make: impl Fn() -> Command + Send + 'static) -> Self {
        let log = dir.join(format!("{name}.log"));
        Self { name: name.into(), child: None, make: Box::new(make), log }
    }

    pub fn start(&mut self) {
        self.kill();
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = (self.make)();
        let command = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        let child = command.spawn();
        self.child = Some(child.unwrap_or_else(|e| panic!("{}: {e}: run `make setup`", self.name)));
    }

    pub fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args([signal, "--", &group]).status();
        }
    }

    pub fn kill(&mut self) {
        self.signal("-KILL");
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }

    pub fn log(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until somebody listens.
pub fn wait_for(port: u16, most: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < most {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program as `tests/support` runs it: without the settings of whoever runs the tests.
pub fn bastion(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bastion"));
    command.current_dir(dir);
    for (name, _) in std::env::vars_os() {
        let ours =
            name.to_str().is_some_and(|n| n.starts_with("BASTION_") && n != "BASTION_SOLC_DIR");
        if ours || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

pub fn nats_server() -> PathBuf {
    let own = root().join(".bastion/tools/bin/nats-server");
    match own.exists() {
        true => own,
        false => "nats-server".into(),
    }
}

pub fn anvil() -> PathBuf {
    root().join("verifier-contract/node_modules/.bin/anvil")
}
