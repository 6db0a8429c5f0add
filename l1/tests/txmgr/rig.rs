//! What the tests share: a node that mines when it is told to, contracts, a manager.

use alloy::primitives::{Address, Bytes, B256, U256};
use bastion_l1::txmgr::{Judge, Notice, Request, State, TxOptions, Wallet};
use bastion_l1::{Failover, FailoverOptions, Finality, Options, ReadL1, RpcL1, SendL1, TxManager};
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::anvil::Anvil;
use crate::server::{forward, Asked, Reply, Server};
use crate::TIME;

/// The key of the first development account.
pub const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
/// The second development account.
pub const OTHER: Address = alloy::primitives::address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
pub const SOMEBODY: Address = Address::repeat_byte(0x77);
/// What the contract [`once`] reverts with the second time.
pub const DONE: [u8; 4] = [0xd0, 0x11, 0xe0, 0x0e];

/// A node and a folder for the database.
pub struct Rig {
    pub anvil: Anvil,
    pub folder: TempDir,
}

impl Rig {
    /// A node that mines each transaction at once, until [`Rig::hold`].
    pub fn new() -> Self {
        Self { anvil: Anvil::start(TIME), folder: tempfile::tempdir().unwrap() }
    }

    /// A node that mines when it is told to.
    pub fn held() -> Self {
        let rig = Self::new();
        rig.hold();
        rig
    }

    /// From now on blocks are made by [`Rig::mine`] alone.
    pub fn hold(&self) {
        self.ask("evm_setAutomine", json!([false]));
    }

    pub fn ask(&self, method: &str, params: Value) -> Value {
        ask(&self.anvil.url, method, params)
    }

    pub fn mine(&self, blocks: u64) {
        for _ in 0..blocks {
            self.ask("evm_mine", json!([]));
        }
    }

    /// A node in front of this one.
    pub fn through(&self, answer: impl Fn(&Asked<'_>) -> Reply + Send + Sync + 'static) -> Server {
        Server::start(Some(&self.anvil.url), answer)
    }

    pub fn manager(&self) -> TxManager {
        self.manager_at(&[&self.anvil.url], options(), Judge::default())
    }

    pub fn manager_at(&self, urls: &[&str], options: TxOptions, judge: Judge) -> TxManager {
        let wallet = Wallet::hex(KEY).unwrap();
        TxManager::open(self.folder.path(), nodes(urls), wallet, options, judge).unwrap()
    }

    pub fn read(&self) -> RpcL1 {
        RpcL1::connect(&self.anvil.url).unwrap()
    }

    pub fn balance(&self, account: Address) -> U256 {
        self.read().balance(account).unwrap()
    }

    /// Creates a contract for the second account.
    pub fn create(&self, runtime: &[u8]) -> Address {
        let mut creation = vec![0x60, runtime.len() as u8, 0x80, 0x60, 9, 0x3d, 0x39, 0x3d, 0xf3];
        creation.extend(runtime);
        self.read().deploy(OTHER, creation.into()).unwrap().0
    }

    /// Lets an account that the node holds send something, which waits for a block.
    pub fn sends(&self, from: Address, to: Address, tip: u64, nonce: Option<u64>) -> Value {
        let gwei = U256::from(1_000_000_000_u64);
        let mut tx = json!({
            "from": from, "to": to, "value": "0x1", "gas": "0x186a0",
            "maxFeePerGas": U256::from(100) * gwei,
            "maxPriorityFeePerGas": U256::from(tip) * gwei,
        });
        if let Some(nonce) = nonce {
            tx["nonce"] = json!(U256::from(nonce));
        }
        tx.as_object_mut().unwrap().remove("value");
        self.ask("eth_sendTransaction", json!([tx]))
    }
}

pub fn ask(url: &str, method: &str, params: Value) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = forward(url, request.to_string().as_bytes());
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

pub fn nodes(urls: &[&str]) -> Failover {
    let urls: Vec<String> = urls.iter().map(|url| url.to_string()).collect();
    Failover::connect(&urls, failover()).unwrap()
}

/// Without patience.
pub fn failover() -> FailoverOptions {
    let rpc = Options { retries: 0, ..Options::default() };
    FailoverOptions { rpc, ..FailoverOptions::default() }
}

/// Two blocks make one final.
pub fn options() -> TxOptions {
    TxOptions { finality: Finality::Depth(2), min_balance: U256::ZERO, ..TxOptions::default() }
}

/// A gift of one wei.
pub fn gift(name: &str) -> Request {
    Request { value: U256::from(1), ..Request::call(name, SOMEBODY, Bytes::new()) }
}

/// A contract that does something once, and then reverts with [`DONE`].
pub fn once() -> Vec<u8> {
    let mut code = vec![
        0x60, 0, 0x54, 0x60, 12, 0x57, // was it called?
        0x60, 1, 0x60, 0, 0x55, 0x00, // now it was
        0x5b, 0x63,
    ];
    code.extend(DONE);
    code.extend([0x60, 0, 0x52, 0x60, 4, 0x60, 28, 0xfd]);
    code
}

/// A contract that reverts without data until somebody calls it with calldata.
pub fn gate() -> Vec<u8> {
    vec![
        0x36, 0x60, 17, 0x57, // with calldata it opens
        0x60, 0, 0x54, 0x60, 15, 0x57, // is it open?
        0x60, 0, 0x60, 0, 0xfd, //
        0x5b, 0x00, //
        0x5b, 0x60, 1, 0x60, 0, 0x55, 0x00,
    ]
}

/// The state of an intent in a word.
pub fn state(manager: &TxManager, name: &str) -> &'static str {
    manager.get(name).unwrap().state.word()
}

/// The hashes of its attempts.
pub fn hashes(manager: &TxManager, name: &str) -> Vec<B256> {
    manager.get(name).unwrap().attempts.iter().map(|a| a.hash).collect()
}

pub fn mined_hash(manager: &TxManager, name: &str) -> B256 {
    match &manager.get(name).unwrap().state {
        State::Mined(inclusion) | State::Final(inclusion) => inclusion.transaction,
        other => panic!("{other:?}"),
    }
}

/// No notice tells of trouble.
pub fn calm(notices: &[Notice]) {
    let calm = |notice: &Notice| match notice {
        Notice::Sent { .. } | Notice::Mined { .. } | Notice::Over { .. } => true,
        Notice::Reorged { .. }
        | Notice::Waiting { .. }
        | Notice::Refused { .. }
        | Notice::ForeignNonce { .. }
        | Notice::Gap { .. }
        | Notice::LowBalance { .. }
        | Notice::Trouble { .. } => false,
    };
    assert!(notices.iter().all(calm), "{notices:?}");
}
