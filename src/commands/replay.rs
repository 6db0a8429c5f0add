//! `bastion replay`

use std::path::PathBuf;
use std::time::Duration;

use alloy_primitives::{address, Address};
use bastion_l1::{ReadL1, DEV_CHAIN_IDS};
use bastion_node::workload::replay::{Replay, Replayed};
use serde::Serialize;

use crate::commands::{l1, operator};
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Second account of anvil and hardhat: the first one is the operator's.
const PAYER: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");

/// Sends the transfers of a CSV to a running node on a development chain.
///
/// Deposits are made on L1 so that the rows can run; keys are derived from the addresses, so everybody has
/// them. The rollup must be fresh. Each receipt's signature is checked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: bastion replay transfers.csv --limit 500 --l1 http://127.0.0.1:8545 --wait"
)]
pub(crate) struct Args {
    /// The CSV, with the columns block,tx_index,trace_index,token,from,to,amount.
    csv: PathBuf,
    /// Rows at most.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// URL of the development chain.
    #[arg(long, env = "BASTION_L1", hide_env_values = true, value_name = "URL")]
    l1: String,
    #[command(flatten)]
    l1_args: l1::Args,
    #[command(flatten)]
    node: operator::Args,
    /// Waits until the last transfer is final on L1.
    #[arg(long)]
    wait: bool,
    /// How long to wait at most, in seconds.
    #[arg(long, default_value_t = 3_600, value_name = "SECONDS")]
    wait_seconds: u64,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    replayed: Replayed,
    receipts_per_second: f64,
    finalized: bool,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let csv = std::fs::read(&args.csv).map_err(|e| CliError::BadFile {
        what: "CSV",
        path: args.csv.clone(),
        why: e.to_string(),
    })?;
    let client = args.node.client(settings)?;
    let mut l1 = args.l1_args.connect(&args.l1)?;
    if !DEV_CHAIN_IDS.contains(&l1.chain_id()) {
        let chain = l1.chain_id();
        return Err(CliError::Usage(format!(
            "a replay is for development chains, and this is chain {chain}: everybody has its keys"
        ))
        .into());
    }
    let (runtime, progress) = (operator::runtime()?, output::progress(settings));
    let mut replay = Replay {
        client: &client,
        l1: &mut l1,
        payer: PAYER,
        progress: &progress,
        runtime: &runtime,
    };
    let replayed = replay.run(&csv, args.limit)?;
    if args.wait && replayed.last_block > 0 {
        let most = Duration::from_secs(args.wait_seconds);
        replay.wait_until_final(replayed.last_block, most)?;
    }
    let receipts_per_second = replayed.receipts as f64 / replayed.seconds.max(1e-9);
    let report = Report { replayed, receipts_per_second, finalized: args.wait };
    output::report(settings, &report, |r| {
        format!(
            "{} transfers have receipts ({} rows left out), {:.0} a second, up to block {}{}",
            r.replayed.receipts,
            r.replayed.import.skipped.len(),
            r.receipts_per_second,
            r.replayed.last_block,
            if r.finalized { ", which is final" } else { "" }
        )
    })
}
