//! What the operator decides: the sections of `bastion.toml` that the node reads.

use std::net::SocketAddr;
use std::path::PathBuf;

use alloy_primitives::U256;
use bastion_client::types::Amount;
use bastion_l1::txmgr::{Limits, TxOptions};
use bastion_l1::Finality;
use bastion_protocol::data::DataMode;
use bastion_protocol::Token;
use serde::{Deserialize, Serialize};

use crate::posting::MaxBlobs;

/// All sections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NodeConfig {
    /// Which rollup, and where its data are.
    pub rollup: RollupConfig,
    /// When batches and blocks close, and the key of receipts.
    pub sequencer: SequencerConfig,
    /// The nodes of L1, and what may be spent there.
    pub l1: L1Config,
    /// The workers of the node itself.
    pub worker: WorkerConfig,
    /// Workers on other machines.
    pub nats: NatsConfig,
    /// Addresses of the API.
    pub api: ApiConfig,
    /// Who looks at operations before they are included.
    pub sentinel: SentinelConfig,
}

/// What the sentinel does with what it finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing is looked at.
    Off,
    /// Findings are written down; nothing is held back, and nobody is frozen.
    #[default]
    Watch,
    /// Operations are held back or refused, and playbooks act.
    Enforce,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Watch => "watch",
            Self::Enforce => "enforce",
        })
    }
}

/// Who decides what is told to other chains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Publish {
    /// The operator: findings propose it. An attacker chooses where the money goes, and may choose the
    /// address of somebody honest.
    #[default]
    Ask,
    /// The node by itself.
    Auto,
}

/// Who looks at operations before they are included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SentinelConfig {
    /// What is done with what is found.
    pub mode: Mode,
    /// Folder of a signed bundle of rules; without it, the rules that come with the program.
    pub rules: Option<PathBuf>,
    /// The bundle's trusted root: who may sign rules.
    pub rules_root: Option<PathBuf>,
    /// Playbooks: what is done about which findings. Without them, those that come with the program.
    pub playbooks: Option<PathBuf>,
    /// Channels of alerts, as TOML; without it, alerts go to the log alone.
    pub alerts: Option<PathBuf>,
    /// What is shared with other chains, as TOML; without it, nothing is.
    pub feed: Option<PathBuf>,
    /// Who decides what is told to other chains.
    pub publish: Publish,
    /// Longest time for which an operation is held back, in seconds; at most a day.
    pub max_hold_seconds: u64,
    /// Environment variable with the guardian's key, which freezes accounts: 64 hexadecimal digits.
    pub guardian_key_env: String,
    /// File with the key, which nobody else may read; before the variable.
    pub guardian_key_file: Option<PathBuf>,
    /// Rewards for watchers, as TOML; without it, there are none.
    pub rewards: Option<PathBuf>,
    /// Environment variable with the key of the rewards account: 64 hexadecimal digits.
    pub rewards_key_env: String,
    /// File with the key, which nobody else may read; before the variable.
    pub rewards_key_file: Option<PathBuf>,
}

impl Default for SentinelConfig {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            rules: None,
            rules_root: None,
            playbooks: None,
            alerts: None,
            feed: None,
            publish: Publish::default(),
            max_hold_seconds: 3_600,
            guardian_key_env: "BASTION_GUARDIAN_KEY".into(),
            guardian_key_file: None,
            rewards: None,
            rewards_key_env: "BASTION_REWARDS_KEY".into(),
            rewards_key_file: None,
        }
    }
}

/// Which rollup, and where its data are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RollupConfig {
    /// The manifest that `bastion l1 deploy` wrote.
    pub manifest: PathBuf,
    /// Log, state, jobs, artifacts and transactions: what must not be lost.
    pub data_dir: PathBuf,
    /// Where the L2 and owner records of blocks are posted: in calldata, or in blobs, which are cheaper and
    /// need an account for blobs.
    pub data_mode: DataMode,
    /// Most blobs of a block. Batches close where their share of them is full.
    pub max_blobs: MaxBlobs,
    /// Whether each block goes to L1 in one transaction, with its proof: less gas, but L1 learns of the data
    /// only when they are proven. Otherwise data go at once, and the proof follows.
    pub settle_in_one: bool,
    /// Further policies that governance may put in force: files, and folders of files `*.json`. They are read again
    /// when L1 names a policy that none of them has.
    pub policies: Vec<PathBuf>,
}

impl Default for RollupConfig {
    fn default() -> Self {
        let (manifest, data_dir) = ("rollup.json".into(), "data".into());
        Self {
            manifest,
            data_dir,
            data_mode: DataMode::Calldata,
            max_blobs: MaxBlobs::default(),
            settle_in_one: false,
            policies: Vec::new(),
        }
    }
}

/// When batches and blocks close, and the key of receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SequencerConfig {
    /// A batch that is not empty closes after so many seconds.
    pub batch_seconds: u64,
    /// A block closes after so many seconds.
    pub block_seconds: u64,
    /// Sealed blocks that may wait for L1; with more, nothing is accepted.
    pub max_backlog: u64,
    /// Environment variable with the key that signs receipts: 64 hexadecimal digits.
    pub key_env: String,
    /// File with the key, which nobody else may read; before the variable.
    pub key_file: Option<PathBuf>,
}

impl Default for SequencerConfig {
    fn default() -> Self {
        Self {
            batch_seconds: 10,
            block_seconds: 60,
            max_backlog: 64,
            key_env: "BASTION_SEQUENCER_KEY".into(),
            key_file: None,
        }
    }
}

/// Which L1 blocks count as final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "give \"finalized\", or a number of blocks such as 12")]
pub enum FinalityConfig {
    /// Those at a depth.
    Depth(u64),
    /// `"finalized"`: those that the chain calls so.
    Tag(FinalizedTag),
}

/// The word `finalized`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FinalizedTag {
    /// The only word.
    Finalized,
}

impl From<FinalityConfig> for Finality {
    fn from(config: FinalityConfig) -> Self {
        match config {
            FinalityConfig::Depth(depth) => Self::Depth(depth),
            FinalityConfig::Tag(FinalizedTag::Finalized) => Self::Tag { otherwise: 64 },
        }
    }
}

/// The nodes of L1, and what may be spent there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct L1Config {
    /// URLs of nodes of one chain, the preferred one first.
    pub urls: Vec<String>,
    /// Which blocks are final: `"finalized"`, or a depth below the latest block.
    pub finality: FinalityConfig,
    /// Seconds between two looks at L1.
    pub poll_seconds: u64,
    /// Encrypted keystore of the operator's account.
    pub keystore: Option<PathBuf>,
    /// File with its password; without it, the variable `BASTION_L1_PASSWORD`.
    pub password_file: Option<PathBuf>,
    /// Environment variable with the account's key, if there is no keystore.
    pub key_env: String,
    /// Encrypted keystore of the account that sends blobs and nothing else. It is an operator too.
    pub blob_keystore: Option<PathBuf>,
    /// File with its password; without it, the variable `BASTION_L1_BLOB_PASSWORD`.
    pub blob_password_file: Option<PathBuf>,
    /// Environment variable with the key of that account, if there is no keystore.
    pub blob_key_env: String,
    /// Most that is paid for each gas, in gwei; for that of blobs too.
    pub max_gwei: u64,
    /// Most that one transaction may cost, in milliether.
    pub max_transaction_milliether: u64,
    /// Most that the transactions of a day may cost, in milliether.
    pub max_day_milliether: u64,
    /// An account with less is an alarm, in milliether.
    pub min_balance_milliether: u64,
    /// Seconds after which a transaction is sent again.
    pub rebroadcast_seconds: u64,
    /// Seconds after which it is replaced by one that pays more.
    pub patience_seconds: u64,
}

impl Default for L1Config {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            finality: FinalityConfig::Tag(FinalizedTag::Finalized),
            poll_seconds: 4,
            keystore: None,
            password_file: None,
            key_env: "BASTION_L1_KEY".into(),
            blob_keystore: None,
            blob_password_file: None,
            blob_key_env: "BASTION_L1_BLOB_KEY".into(),
            max_gwei: 200,
            max_transaction_milliether: 1_000,
            max_day_milliether: 5_000,
            min_balance_milliether: 200,
            rebroadcast_seconds: 12,
            patience_seconds: 48,
        }
    }
}

impl L1Config {
    /// How transactions are sent.
    pub fn tx_options(&self) -> TxOptions {
        let milliether = |amount: u64| U256::from(amount) * U256::from(1_000_000_000_000_000_u64);
        TxOptions {
            finality: self.finality.into(),
            rebroadcast: self.rebroadcast_seconds,
            patience: self.patience_seconds,
            limits: Limits {
                fee_per_gas: u128::from(self.max_gwei) * 1_000_000_000,
                transaction: milliether(self.max_transaction_milliether),
                day: milliether(self.max_day_milliether),
            },
            min_balance: milliether(self.min_balance_milliether),
            ..TxOptions::default()
        }
    }
}

/// The workers of the node itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Whether the node proves too, or leaves it to workers on other machines.
    pub embedded: bool,
    /// Jobs at once at most.
    pub slots: usize,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { embedded: true, slots: 2 }
    }
}

/// Workers on other machines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct NatsConfig {
    /// URL of the NATS server; without it there are no workers but the node's own.
    pub url: Option<String>,
}

/// Addresses of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Address for everybody.
    pub listen: SocketAddr,
    /// Address for the operator.
    pub admin_listen: SocketAddr,
    /// File with the operator's token; it is made if it is not there.
    pub admin_token_file: PathBuf,
    /// Requests a second that one client may make in the long run.
    pub requests_per_second: u32,
    /// Requests that it may make at once.
    pub burst: u32,
    /// Whether a proxy in front says who the client is, in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// What proving an operation costs, in wei: a part of the fee that the node suggests.
    pub proving_wei: Amount,
    /// What is added to the cost in the fee that the node suggests.
    pub margin_percent: u32,
    /// The least fee that is taken in each token. If there are any, nothing is taken in a token that is not
    /// here; with none, operations without a fee are taken, which is for development.
    pub least_fees: Vec<FeeConfig>,
    /// Prices of tokens; the node suggests no fee in a token that is not here.
    pub prices: Vec<PriceConfig>,
}

/// The least fee in a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FeeConfig {
    /// The token.
    pub token: Token,
    /// In its smallest unit.
    pub fee: Amount,
}

/// The price of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PriceConfig {
    /// The token.
    pub token: Token,
    /// How many of its smallest units are worth 10^18 wei.
    pub units_per_ether: Amount,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4_000)),
            admin_listen: SocketAddr::from(([127, 0, 0, 1], 4_001)),
            admin_token_file: "admin-token".into(),
            requests_per_second: 50,
            burst: 200,
            behind_proxy: false,
            proving_wei: Amount(0),
            margin_percent: 20,
            least_fees: Vec::new(),
            prices: Vec::new(),
        }
    }
}
