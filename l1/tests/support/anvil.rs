//! A real node (anvil) for a test.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The npm package's `anvil` is a script that starts the real one: both are one process group, which
/// ends as a whole.
pub struct Anvil {
    process: Child,
    /// Where it listens.
    pub url: String,
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

impl Anvil {
    /// Starts a fresh node at a time.
    pub fn start(time: u64) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Of a crate of the workspace, or of its root.
        let places = ["../verifier-contract", "verifier-contract"];
        let places = places.map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        let found = places.iter().find(|folder| folder.exists()).unwrap_or(&places[0]);
        let anvil = found.join("node_modules/.bin/anvil");
        let (port_text, time) = (port.to_string(), time.to_string());
        let process = Command::new(&anvil)
            .args(["--silent", "--port", &port_text, "--timestamp", &time])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}: run `make setup`", anvil.display()));
        let anvil = Self { process, url: format!("http://127.0.0.1:{port}") };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        anvil
    }
}
