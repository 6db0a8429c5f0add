//! A node without proofs and without L1: a real sequencer and coordinator in a temporary folder, and the
//! real API on a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use alloy_primitives::B256;
use bastion_circuits::Shape;
use bastion_node::api::{admin_router, router, serve, Backend, Options};
use bastion_node::coordinator::verifiers::Verifiers;
use bastion_node::coordinator::Coordinator;
use bastion_node::devnet::{dev_exit, dev_key, dev_policy};
use bastion_node::sentinel::{self, Sentinel};
use bastion_node::sequencer::{Packing, ReceiptSigner, Running, Sequencer, Service};
use bastion_node::service::config::{Mode, SentinelConfig};
use bastion_node::service::run::{Order, Parts};
use bastion_node::service::{Control, Identity, L1Status, L1View};
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::keys::owner;
use bastion_protocol::ops::{Action, Body, Deposit, Op, SignedOp};
use bastion_protocol::{Address, CircuitId, Fr, Index};
use tokio::net::TcpListener;

pub const CHAIN: u64 = 31_337;
pub const CONTRACT: Address = Address([7; 20]);
pub const TIME: u64 = 1_800_000_000;
pub const ETH: u128 = 1_000_000_000_000_000_000;
pub const TOKEN: &str = "a token of the operator";
/// Accounts of users.
pub const USERS: Index = 4;

/// A node that is served.
pub struct World {
    // The order is that in which they end: who uses the sequencer, the sequencer, its folder. A database that
    // is open in some thread when the process ends is a fault of memory.
    servers: Servers,
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub parts: Parts,
    pub orders: Receiver<Order>,
    sequencer: Ending,
    dir: tempfile::TempDir,
}

struct Servers([tokio::task::AbortHandle; 2]);

impl Drop for Servers {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::AbortHandle::abort);
    }
}

struct Ending(Option<Running>);

impl Drop for Ending {
    fn drop(&mut self) {
        let Some(running) = self.0.take() else { return };
        // Tasks are dropped by other threads of the runtime meanwhile.
        tokio::task::block_in_place(|| running.join_within(Duration::from_secs(10)).unwrap());
    }
}

impl World {
    /// Opens a node in a temporary folder and serves it, with an account for each user.
    pub async fn start(options: Options) -> Self {
        let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
        Self::start_at(anywhere, options, TIME).await
    }

    /// As [`World::start`], with a sentinel that enforces, and the guardian's key.
    pub async fn watched() -> Self {
        let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
        Self::open(anywhere, Options::default(), TIME, true).await
    }

    /// As [`World::start`], at an address and with a clock that stands still at a time.
    pub async fn start_at(at: SocketAddr, options: Options, time: u64) -> Self {
        Self::open(at, options, time, false).await
    }

    async fn open(at: SocketAddr, options: Options, time: u64, watched: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT).unwrap();
        let sequencer = Address(signer.address().into_array());
        let circuits: BTreeMap<u32, CircuitId> = [(2, circuit(2))].into();
        let identity = Identity {
            chain_id: CHAIN,
            contract: CONTRACT,
            sequencer,
            shape: "tiny".into(),
            batches: vec![2],
            batch_circuit: circuit(1),
            block_circuits: circuits.clone(),
            unsafe_dev_srs: true,
            policy: dev_policy(),
        };
        let verifiers = Verifiers::without_keys(circuit(1), circuits);
        let coordinator = Coordinator::open(dir.path(), verifiers, Arc::new(move || time)).unwrap();
        let coordinator = Arc::new(coordinator);
        let packing = Packing {
            shape: Shape::tiny(),
            mode: DataMode::Blob,
            sizes: vec![2],
            batch_seconds: 3_600,
            block_seconds: 3_600,
        };
        let folder = dir.path().join("sequencer");
        let (mut sequencer, sealer) =
            Sequencer::open(&folder, signer, packing, dev_policy()).unwrap();
        let sentinel = watched.then(|| {
            let key = |name: &str| {
                let path = dir.path().join(format!("{name}.key"));
                std::fs::write(&path, hex::encode(dev_key(name).expose_bytes())).unwrap();
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
                Some(path)
            };
            let rewards = dir.path().join("rewards.toml");
            let text = format!("exit = \"{}\"\n", dev_exit("operator"));
            std::fs::write(&rewards, text).unwrap();
            let config = SentinelConfig {
                mode: Mode::Enforce,
                guardian_key_file: key("guardian"),
                rewards: Some(rewards),
                rewards_key_file: key("rewards"),
                ..SentinelConfig::default()
            };
            let of = sentinel::Rollup { chain_id: CHAIN, contract: CONTRACT };
            let (at, entries) = (dir.path().join("sentinel"), sequencer.entries().unwrap());
            let state = sequencer.state();
            let opened = Sentinel::open(&at, &config, of, state, entries).unwrap();
            let watch = Arc::new(Mutex::new(opened));
            sequencer.watched_by(watch.clone(), time).unwrap();
            watch
        });
        let (log, ledger) = (sequencer.log().reader(), sealer.ledger());
        let keeper = coordinator.clone();
        let (service, running) =
            Service::start(sequencer, sealer, move || time, move |sealed| keeper.keep(sealed))
                .unwrap();
        let queued = service.take_from_queue(0, (0..USERS).map(deposit).collect()).unwrap();
        queued.await.unwrap().unwrap();
        let (orders, ordered) = std::sync::mpsc::channel();
        let l1: L1View = Arc::new(RwLock::new(L1Status { synced: true, ..L1Status::default() }));
        let parts = Parts {
            identity: Arc::new(identity),
            service,
            log,
            ledger,
            coordinator,
            control: Control::default(),
            l1,
            orders,
            sentinel,
        };
        let backend = Backend::new(parts.clone(), Arc::new(move || time), options);
        let listener = TcpListener::bind(at).await.unwrap();
        let operators = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, admin) = (listener.local_addr().unwrap(), operators.local_addr().unwrap());
        let public = router(backend.clone());
        let operator = admin_router(backend, TOKEN, public.clone());
        let public = tokio::spawn(serve(listener, public, false, std::future::pending()));
        let operator = tokio::spawn(serve(operators, operator, false, std::future::pending()));
        let servers = Servers([public.abort_handle(), operator.abort_handle()]);
        let sequencer = Ending(Some(running));
        Self { servers, address, admin, parts, orders: ordered, sequencer, dir }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what the node sees of L1.
    pub fn l1(&self, change: impl FnOnce(&mut L1Status)) {
        change(&mut self.parts.l1.write().unwrap());
    }

    /// Closes the open block, and waits until it is sealed.
    pub async fn seal(&self) -> u64 {
        let before = self.parts.coordinator.last_block().unwrap();
        self.parts.service.close_block().unwrap().await.unwrap().unwrap();
        while self.parts.coordinator.last_block().unwrap() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        before + 1
    }
}

/// Options under which no test is refused.
pub fn generous() -> Options {
    Options { requests_per_second: 10_000, burst: 10_000, ..Options::default() }
}

pub fn circuit(n: u8) -> CircuitId {
    CircuitId::new([n; 32])
}

pub fn owner_of(user: Index) -> Fr {
    owner(dev_key(&format!("user {user}")).public().keyhash(), dev_exit("user"))
}

fn deposit(user: Index) -> Op {
    deposit_for(dev_key(&format!("user {user}")).public().keyhash(), dev_exit("user"))
}

/// A deposit of one ether.
pub fn deposit_for(keyhash: Fr, exit: Address) -> Op {
    Op::Deposit(Deposit { token: 0, amount: ETH, keyhash, exit })
}

pub fn signed(user: Index, nonce: u32, action: Action) -> SignedOp {
    let body = Body {
        account: FIRST_USER + user,
        token: 0,
        nonce,
        deadline: TIME + 3_600,
        fee: 1_000,
        action,
    };
    body.sign(&dev_key(&format!("user {user}")), domain(CHAIN, CONTRACT), dev_exit("user")).unwrap()
}

pub fn transfer(user: Index, nonce: u32) -> SignedOp {
    let to = FIRST_USER + (user + 1) % USERS;
    signed(user, nonce, Action::Transfer { to, amount: 1_000_000 })
}
