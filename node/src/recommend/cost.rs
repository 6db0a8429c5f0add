//! What a transfer costs at given prices: its share of L1's gas, and the cores that prove it.
//!
//! A block's gas is a part that does not depend on what is in it (three transactions, the proof's verification,
//! a few words of storage) and the data of each transfer: in calldata, or in a blob, whose gas has a price of its
//! own. So the larger a block, the less of the first part a transfer pays, as long as blocks are full.

use bastion_circuits::blob::BlobSlots;
use bastion_protocol::blob::{BLOB_BYTES, ELEMENTS, GROUP_SLOTS, SLOTS_PER_ELEMENT};
use bastion_protocol::data::DataMode;
use serde::Serialize;

use super::Prediction;

/// Gas of proof and finalization of a block (recorded by `bastion demo`, rules of Osaka).
const PROVE_AND_FINALIZE: f64 = 469_000.0;
/// Gas of the commit of a block without transfers, and what each transfer adds if none of its bytes is 0.
const COMMIT: f64 = 137_000.0;
const TRANSFER: f64 = 500.0;
/// The least that L1 takes for a transaction (EIP-7623): for itself, and for the 15 bytes of each transfer.
const FLOOR: f64 = 21_000.0;
const FLOOR_TRANSFER: f64 = 15.0 * 40.0;
/// Gas of the commit of a block whose transfers are in a blob, however many (`verifier-contract/snapshots`).
const COMMIT_IN_BLOB: f64 = 201_000.0;

/// Gas of a blob, in the unit of blobs: one for each byte (EIP-4844).
const BLOB_GAS: f64 = BLOB_BYTES as f64;

/// Gas of the three transactions of a block of transfers. That of a blob is not in it.
pub(super) fn block_gas(transfers: usize, mode: DataMode) -> f64 {
    let transfers = transfers as f64;
    let commit = match mode {
        DataMode::Calldata => {
            (COMMIT + TRANSFER * transfers).max(FLOOR + FLOOR_TRANSFER * transfers)
        }
        DataMode::Blob => COMMIT_IN_BLOB,
    };
    PROVE_AND_FINALIZE + commit
}

/// Whether a blob has room for the transfers of all batches of a block.
fn fits_blob(p: &Prediction) -> bool {
    let groups = BlobSlots::for_records(p.transfers.div_ceil(p.batches), 0).groups;
    p.batches * groups * GROUP_SLOTS <= SLOTS_PER_ELEMENT * ELEMENTS
}

/// Prices, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Prices {
    /// A unit of gas, in 10^9 wei.
    pub gas_gwei: f64,
    /// A unit of the gas of blobs, in 10^9 wei.
    pub blob_gas_gwei: f64,
    /// An ether.
    pub ether: f64,
    /// A core for an hour.
    pub core_hour: f64,
    /// Seconds after which a block is closed, full or not.
    pub wait_seconds: f64,
}

/// What a transfer of a full block costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Where its data are posted.
    pub data_mode: DataMode,
    /// Gas of a transfer, without that of the blob.
    pub gas: f64,
    /// Gas of blobs for a transfer, in their unit.
    pub blob_gas: f64,
    /// What both cost.
    pub gas_cost: f64,
    /// What the cores cost that prove it, idle ones included.
    pub proving_cost: f64,
    /// Both.
    pub total: f64,
    /// Transfers a second from which on blocks are full when they are closed. Below it a smaller block costs the
    /// same gas, and is proven sooner.
    pub full_from: f64,
}

impl Prices {
    /// What a transfer costs on `cores` cores.
    pub fn cost(&self, p: &Prediction, cores: usize) -> Cost {
        let transfers = p.transfers as f64;
        let in_mode = |data_mode| {
            let gas = block_gas(p.transfers, data_mode) / transfers;
            let blob_gas = match data_mode {
                DataMode::Calldata => 0.0,
                DataMode::Blob => BLOB_GAS / transfers,
            };
            let gwei = gas * self.gas_gwei + blob_gas * self.blob_gas_gwei;
            (data_mode, gas, blob_gas, gwei * 1e-9 * self.ether)
        };
        // The cheaper one, if the data fit both.
        let (calldata, blob) = (in_mode(DataMode::Calldata), in_mode(DataMode::Blob));
        let in_blob = fits_blob(p) && (blob.3 < calldata.3 || !p.fits_l1);
        let (data_mode, gas, blob_gas, gas_cost) = if in_blob { blob } else { calldata };
        let proving_cost = cores as f64 / p.transfers_per_second * self.core_hour / 3_600.0;
        let total = gas_cost + proving_cost;
        let full_from = transfers / self.wait_seconds;
        Cost { data_mode, gas, blob_gas, gas_cost, proving_cost, total, full_from }
    }
}
