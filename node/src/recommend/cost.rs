//! What a transfer costs at given prices: its share of L1's gas, and the cores that prove it.
//!
//! A block's gas is a part that does not depend on what is in it (three transactions, the proof's verification,
//! a few words of storage) and the data of each transfer, in calldata. So the larger a block, the less of the
//! first part a transfer pays, as long as blocks are full.

use serde::Serialize;

use super::Prediction;

/// Gas of proof and finalization of a block (recorded by `bastion demo`, rules of Osaka).
const PROVE_AND_FINALIZE: f64 = 893_000.0;
/// Gas of the commit of a block without transfers, and what each transfer adds if none of its bytes is 0.
const COMMIT: f64 = 137_000.0;
const TRANSFER: f64 = 500.0;
/// The least that L1 takes for a transaction (EIP-7623): for itself, and for the 15 bytes of each transfer.
const FLOOR: f64 = 21_000.0;
const FLOOR_TRANSFER: f64 = 15.0 * 40.0;

/// Gas of the three transactions of a block of transfers.
pub(super) fn block_gas(transfers: usize) -> f64 {
    let transfers = transfers as f64;
    let commit = (COMMIT + TRANSFER * transfers).max(FLOOR + FLOOR_TRANSFER * transfers);
    PROVE_AND_FINALIZE + commit
}

/// Prices, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Prices {
    /// A unit of gas, in 10^9 wei.
    pub gas_gwei: f64,
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
    /// Gas of a transfer.
    pub gas: f64,
    /// What that costs.
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
        let gas = block_gas(p.transfers) / transfers;
        let gas_cost = gas * self.gas_gwei * 1e-9 * self.ether;
        let proving_cost = cores as f64 / p.transfers_per_second * self.core_hour / 3_600.0;
        let full_from = transfers / self.wait_seconds;
        Cost { gas, gas_cost, proving_cost, total: gas_cost + proving_cost, full_from }
    }
}
