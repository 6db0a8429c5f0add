//! A rollup with everything that belongs to it: anvil, NATS, the node, two workers, users.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alloy_primitives::{address, Address as L1Address};
use bastion_client::check::Rollup;
use bastion_client::Client;
use bastion_l1::RpcL1;
use bastion_node::devnet::{dev_exit, dev_key};
use bastion_node::service::manifest::Rollup as Manifest;
use bastion_node::settle::RollupClient;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Deposit, Op};
use tokio::runtime::Runtime;

use crate::processes::{anvil, bastion, free_port, nats_server, root, wait_for, Process};

/// Key of anvil's first account, which everybody knows.
const OPERATOR_KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// Anvil's second account pays the deposits: the first one's nonces are the node's.
const PAYER: L1Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
/// L1 blocks below the latest one that the node takes for final.
pub const FINAL_DEPTH: u64 = 6;
pub const USERS: u32 = 8;
pub const DEPOSIT: u128 = 1_000_000_000_000_000_000;

pub struct Rig {
    pub dir: PathBuf,
    pub runtime: Runtime,
    pub client: Client,
    pub rollup: Rollup,
    pub manifest: Manifest,
    pub l1_url: String,
    pub l1_port: u16,
    pub api_port: u16,
    pub anvil: Process,
    pub nats: Process,
    pub node: Process,
    pub workers: Vec<Process>,
    /// Whether the data folder is a small disk of its own, which can be filled. That takes root.
    pub small_disk: bool,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.node.kill();
        if self.small_disk {
            let _ = std::process::Command::new("umount").arg(self.dir.join("data")).status();
        }
    }
}

/// The keys of the tiny shape are made once: the folder is kept between runs.
pub fn cache() -> PathBuf {
    root().join("target/chaos-cache")
}

impl Rig {
    pub fn start(dir: &Path) -> Self {
        let setup = bastion(dir)
            .args(["setup", "--shape", "tiny", "--unsafe-dev-srs", "--cache-dir"])
            .arg(cache())
            .output()
            .unwrap();
        assert!(setup.status.success(), "{}", String::from_utf8_lossy(&setup.stderr));
        let (l1_port, api_port, admin_port, nats_port) =
            (free_port(), free_port(), free_port(), free_port());
        let l1_url = format!("http://127.0.0.1:{l1_port}");
        let state = dir.join("anvil.json");
        let mut anvil_process = Process::new(dir, "anvil", move || {
            let mut command = std::process::Command::new(anvil());
            command.args(["--port", &l1_port.to_string(), "--block-time", "1", "--silent"]);
            // What a crash takes from it is a reorganization to everybody else.
            command.arg("--state").arg(&state).args(["--state-interval", "1"]);
            command
        });
        anvil_process.start();
        assert!(wait_for(l1_port, Duration::from_secs(30)), "anvil does not listen");
        let streams = dir.join("nats");
        let mut nats = Process::new(dir, "nats", move || {
            let mut command = std::process::Command::new(nats_server());
            command
                .args(["-js", "-a", "127.0.0.1", "-p", &nats_port.to_string(), "-sd"])
                .arg(&streams);
            command
        });
        nats.start();
        assert!(wait_for(nats_port, Duration::from_secs(10)), "nats-server does not listen");

        fs::write(dir.join("sequencer.key"), "11".repeat(32)).unwrap();
        std::process::Command::new("chmod")
            .args(["600", "sequencer.key"])
            .current_dir(dir)
            .status()
            .unwrap();
        let config = format!(
            "cache-dir = {cache:?}\nmemory = \"3GiB\"\n\
             [rollup]\nmanifest = \"rollup.json\"\ndata-dir = \"data\"\n\
             [sequencer]\nbatch-seconds = 10\nblock-seconds = 30\nkey-file = \"sequencer.key\"\n\
             [l1]\nurls = [\"{l1_url}\"]\nfinality = {FINAL_DEPTH}\npoll-seconds = 1\n\
             rebroadcast-seconds = 3\npatience-seconds = 8\nmax-day-milliether = 1000000\n\
             [worker]\nembedded = false\n\
             [nats]\nurl = \"nats://127.0.0.1:{nats_port}\"\n\
             [api]\nlisten = \"127.0.0.1:{api_port}\"\nadmin-listen = \"127.0.0.1:{admin_port}\"\n\
             requests-per-second = 10000\nburst = 10000\n",
            cache = cache()
        );
        fs::write(dir.join("bastion.toml"), config).unwrap();
        let data = dir.join("data");
        fs::create_dir(&data).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512m", "tmpfs"])
            .arg(&data)
            .stderr(std::process::Stdio::null())
            .status();
        let small_disk = mounted.is_ok_and(|status| status.success());
        let deployed = bastion(dir)
            .args(["l1", "deploy", "--shape", "tiny", "--dev"])
            .env("BASTION_L1_KEY", OPERATOR_KEY)
            .output()
            .unwrap();
        assert!(deployed.status.success(), "{}", String::from_utf8_lossy(&deployed.stderr));
        let manifest = Manifest::read(&dir.join("rollup.json")).unwrap();

        let place = dir.to_owned();
        let mut node = Process::new(dir, "node", move || {
            let mut command = bastion(&place);
            command.arg("node").env("BASTION_L1_KEY", OPERATOR_KEY).env("RUST_LOG", "info");
            command
        });
        node.start();
        let workers = (0..2).map(|n| {
            let place = dir.to_owned();
            let name = format!("worker-{n}");
            let own = name.clone();
            let mut worker = Process::new(dir, &name, move || {
                let mut command = bastion(&place);
                command.args(["worker", "--slots", "1", "--name", &own]).env("RUST_LOG", "info");
                command
            });
            worker.start();
            worker
        });
        let workers = workers.collect();
        let runtime = Runtime::new().unwrap();
        let client = Client::new(&format!("http://127.0.0.1:{api_port}")).unwrap();
        assert!(
            wait_for(api_port, Duration::from_secs(60)),
            "the node does not listen:\n{}",
            node.log()
        );
        let rollup = runtime.block_on(client.rollup(None, None)).unwrap();
        Self {
            dir: dir.to_owned(),
            runtime,
            client,
            rollup,
            manifest,
            l1_url,
            l1_port,
            api_port,
            anvil: anvil_process,
            nats,
            node,
            workers,
            small_disk,
        }
    }

    /// Fills the node's disk for a while. A node that cannot write stops; it is started again.
    pub fn fill_disk(&mut self, pause: Duration) {
        let path = self.dir.join("data/filler");
        let mut file = fs::File::create(&path).unwrap();
        let chunk = vec![0; 1 << 20];
        while file.write_all(&chunk).is_ok() {}
        std::thread::sleep(pause);
        fs::remove_file(&path).unwrap();
        self.node.start();
    }

    pub fn l1(&self) -> RpcL1 {
        RpcL1::connect(&self.l1_url).unwrap()
    }

    /// Asks anvil for something that real chains do by themselves. It may be away.
    pub fn ask_l1(&self, method: &str, params: serde_json::Value) {
        let body =
            serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let body = body.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: l1\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.l1_port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.write_all(request.as_bytes());
            let _ = stream.read_to_string(&mut String::new());
        }
    }

    /// The contract, for deposits and views.
    pub fn contract(&self) -> RollupClient {
        let circuit = self.manifest.blocks[0].circuit.to_bytes().into();
        RollupClient::of(
            self.manifest.contract.0.into(),
            self.manifest.governance.0.into(),
            circuit,
            PAYER,
        )
    }

    pub fn domain(&self) -> bastion_protocol::Fr {
        domain(self.manifest.chain_id, self.manifest.contract)
    }

    pub fn deposits() -> Vec<Op> {
        let deposit = |n| {
            Op::Deposit(Deposit {
                token: 0,
                amount: DEPOSIT,
                keyhash: dev_key(&format!("chaos {n}")).public().keyhash(),
                exit: dev_exit("chaos"),
            })
        };
        (0..USERS).map(deposit).collect()
    }

    /// Makes the users' deposits, and waits until they are on L2.
    pub fn deposit(&self) {
        let (mut l1, mut contract) = (self.l1(), self.contract());
        for op in Self::deposits() {
            contract.enqueue(&mut l1, &op).unwrap();
        }
        self.wait("the deposits are taken", Duration::from_secs(120), |rig| {
            let status = rig.runtime.block_on(rig.client.status()).ok()?;
            (status.queue.taken >= u64::from(USERS)).then_some(())
        });
    }

    /// Waits for something, and says what the processes said if it does not come.
    pub fn wait<T>(&self, what: &str, most: Duration, look: impl Fn(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        while start.elapsed() < most {
            if let Some(found) = look(self) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        let workers: Vec<String> = self.workers.iter().map(Process::log).collect();
        panic!(
            "{what}: not within {} s\n--- node\n{}\n--- workers\n{}",
            most.as_secs(),
            self.node.log(),
            workers.join("\n---\n")
        );
    }
}
