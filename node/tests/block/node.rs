//! The same block on a real node (anvil), and its history over JSON-RPC.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alloy_primitives::Address;
use bastion_audit::chain::History;
use bastion_node::history::collect;
use bastion_node::l1::{RpcL1, L1};
use bastion_node::settle::Settlement;

use crate::TIME;

/// The npm package's `anvil` is a script that starts the real one: both are one process group, which
/// ends as a whole.
struct Anvil(Child);

impl Drop for Anvil {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

/// Settles by `settle` on a fresh node; what the node tells must be what the embedded L1 told, the
/// claims aside. Then everybody leaves.
pub fn tells_the_same(honest: &History, settle: impl FnOnce(&mut dyn L1) -> Settlement) {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let anvil =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../verifier-contract/node_modules/.bin/anvil");
    let (port_text, time) = (port.to_string(), TIME.to_string());
    let child = Command::new(&anvil)
        .args(["--silent", "--port", &port_text, "--timestamp", &time])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}: run `make setup`", anvil.display()));
    let _anvil = Anvil(child);
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut l1 = RpcL1::connect(&format!("http://127.0.0.1:{port}")).unwrap();
    let settlement = settle(&mut l1);
    let contract = settlement.rollup;
    let mut told = collect(&mut l1, contract).unwrap();
    assert!(told.claims.is_empty());
    told.claims.clone_from(&honest.claims);
    assert_eq!(&told, honest);

    let mut late = RpcL1::connect(&format!("http://127.0.0.1:{port}"))
        .unwrap()
        .since(1_000);
    let nothing = collect(&mut late, contract).unwrap_err().to_string();
    assert!(nothing.contains("block 1000"), "{nothing}");
    assert!(collect(&mut l1, Address::repeat_byte(7)).is_err());
    crate::exodus::everybody_leaves(&mut l1, &settlement);
}
