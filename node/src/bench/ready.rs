//! How long a node takes from its start to its first receipt, for a state of many accounts.

use std::path::Path;
use std::time::Instant;

use alloy_primitives::B256;
use bastion_circuits::Shape;
use bastion_protocol::account::FIRST_USER;
use bastion_protocol::data::DataMode;
use bastion_protocol::keys::owner;
use bastion_protocol::{Account, Address, Fr};
use bastion_state::state::State;
use bastion_state::store::Store;
use serde::Serialize;

use crate::devnet::{dev_exit, dev_key, dev_policy};
use crate::error::NodeError;
use crate::sequencer::{Packing, ReceiptSigner, Sequencer};

const CHAIN: u64 = 31_337;
const CONTRACT: Address = Address([7; 20]);

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct ReadyReport {
    /// Accounts of the state.
    pub accounts: u32,
    /// Threads that hash the tree.
    pub threads: usize,
    /// Seconds until the sequencer, opened after a crash, can take operations.
    pub ready_seconds: f64,
}

/// Measures with a state of `accounts` accounts, in a folder `dir` that must not exist yet.
///
/// # Errors
/// If the state cannot be written or the sequencer cannot be opened.
pub fn ready(accounts: u32, dir: &Path) -> Result<ReadyReport, NodeError> {
    let exit = dev_exit("ready");
    let keyhash = dev_key("ready").public().keyhash();
    let own = owner(keyhash, exit);
    let account = |n: u32| {
        // Owners of their own but for the first, whose key is known.
        let owner = if n == 0 { own } else { own + Fr::from(u64::from(n)) };
        let account = Account { balance: 1_000_000, ..Account::new(owner, 0) };
        (FIRST_USER + n, account)
    };
    let state = State::with_accounts((0..accounts).map(account), [(keyhash, exit)])?;
    let data = dir.join("sequencer");
    Store::restore(&data.join("state"), &state, 0)?;
    drop(state);

    let start = Instant::now();
    let signer = ReceiptSigner::new(&B256::repeat_byte(1), CHAIN, CONTRACT)?;
    let packing = Packing {
        shape: Shape::standard(),
        mode: DataMode::Blob,
        sizes: vec![2],
        batch_seconds: 10,
        block_seconds: 60,
    };
    let opened = Sequencer::open(&data, signer, packing, dev_policy())?;
    let ready_seconds = start.elapsed().as_secs_f64();
    drop(opened);
    Ok(ReadyReport { accounts, threads: rayon::current_num_threads(), ready_seconds })
}
