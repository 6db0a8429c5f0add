//! What a transfer costs at given prices: its share of L1's gas, and the cores that prove it.
//!
//! A block's gas is a part that does not depend on what is in it (two transactions, the proof's verification,
//! a few words of storage) and the data of each transfer: in calldata, or in blobs, whose gas has a price of its
//! own. So the larger a block, the less of the first part a transfer pays, as long as blocks are full.

use bastion_circuits::blob::BlobSlots;
use bastion_protocol::blob::{blobs_for, BLOB_BYTES, GROUP, MAX_BLOBS};
use bastion_protocol::data::DataMode;
use serde::Serialize;

use super::Prediction;

/// Gas of proof and finalization of a block (recorded by `bastion demo auction`, rules of Osaka).
const PROVE_AND_FINALIZE: f64 = 401_000.0;
/// Gas of the commit of a block without transfers, and what each transfer adds if none of its 15 bytes is 0: 16 for a
/// byte, and hashing (`verifier-contract/snapshots`).
const COMMIT: f64 = 106_000.0;
const TRANSFER: f64 = 260.0;
/// The least that L1 takes for a transaction (EIP-7623): for itself, and for the 15 bytes of each transfer.
const FLOOR: f64 = 21_000.0;
const FLOOR_TRANSFER: f64 = 15.0 * 40.0;
/// Gas of the commit of a block whose transfers are in a blob, however many: the mean of two blocks
/// (`verifier-contract/snapshots`).
const COMMIT_IN_BLOB: f64 = 153_000.0;
/// What each further blob adds: its opening, and the counts of four batches.
const FURTHER_BLOB: f64 = 57_000.0;

/// Gas of a blob, in the unit of blobs: one for each byte (EIP-4844).
const BLOB_GAS: f64 = BLOB_BYTES as f64;

/// Gas of the two transactions of a block of transfers, which are in so many blobs if they are in some. That
/// of the blobs is not in it.
pub(super) fn block_gas(transfers: usize, mode: DataMode, blobs: u64) -> f64 {
    let transfers = transfers as f64;
    let commit = match mode {
        DataMode::Calldata => {
            (COMMIT + TRANSFER * transfers).max(FLOOR + FLOOR_TRANSFER * transfers)
        }
        DataMode::Blob => COMMIT_IN_BLOB + FURTHER_BLOB * blobs.saturating_sub(1) as f64,
    };
    PROVE_AND_FINALIZE + commit
}

/// Blobs that the transfers of all batches of a block take.
fn blobs_of(p: &Prediction) -> u64 {
    let groups = BlobSlots::for_records(p.transfers.div_ceil(p.batches), 0).groups;
    blobs_for((p.batches * groups * GROUP) as u64)
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
    /// In how many blobs; 0 if they are in calldata.
    pub blobs: u64,
    /// Gas of a transfer, without that of the blobs.
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
        let taken = blobs_of(p);
        let in_mode = |data_mode| {
            let blobs = match data_mode {
                DataMode::Calldata => 0,
                DataMode::Blob => taken,
            };
            let gas = block_gas(p.transfers, data_mode, blobs) / transfers;
            let blob_gas = BLOB_GAS * blobs as f64 / transfers;
            let gwei = gas * self.gas_gwei + blob_gas * self.blob_gas_gwei;
            (data_mode, blobs, gas, blob_gas, gwei * 1e-9 * self.ether)
        };
        // The cheaper one, if the data fit both.
        let (calldata, blob) = (in_mode(DataMode::Calldata), in_mode(DataMode::Blob));
        let in_blobs = taken <= MAX_BLOBS as u64 && (blob.4 < calldata.4 || !p.fits_l1);
        let (data_mode, blobs, gas, blob_gas, gas_cost) = if in_blobs { blob } else { calldata };
        let proving_cost = cores as f64 / p.transfers_per_second * self.core_hour / 3_600.0;
        let total = gas_cost + proving_cost;
        let full_from = transfers / self.wait_seconds;
        Cost { data_mode, blobs, gas, blob_gas, gas_cost, proving_cost, total, full_from }
    }
}
