//! `bastion submit`

use std::path::PathBuf;

use bastion_node::deploy::Roles;
use bastion_node::l1::{RpcL1, DEV_OPERATOR, L1};
use bastion_node::settle::{BlockGas, Settlement};
use bastion_node::NodeError;
use bastion_state::state::State;
use bastion_state::{field, Address};
use eyre::eyre;
use serde::Serialize;

use crate::commands::open;
use crate::config::Settings;
use crate::output;

/// Finalizes a folder of proven blocks on a development node (anvil): deploys the contracts, makes
/// the deposits that the blocks process, commits, proves and finalizes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion submit out --l1 http://127.0.0.1:8545")]
pub(crate) struct Args {
    /// The folder.
    dir: PathBuf,
    /// URL of the node.
    #[arg(long, env = "BASTION_L1", value_name = "URL")]
    l1: String,
}

#[derive(Serialize)]
struct Report {
    contract: String,
    finalized_root: String,
    gas: Vec<BlockGas>,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let (folder, manifest, prover) = open(&args.dir, settings, &output::progress(settings))?;
    let mut l1 = RpcL1::connect(&args.l1)?;
    if l1.chain_id() != manifest.chain_id {
        return Err(NodeError::Mismatch {
            what: "chain id",
            found: manifest.chain_id.to_string(),
            expected: l1.chain_id().to_string(),
        }
        .into());
    }
    let mut root = State::new().root();
    let mut blocks = Vec::new();
    for number in 0..manifest.blocks {
        let block = folder.read_block(number)?;
        prover.verify(number, &root, &block)?;
        root = block.header.new_root;
        blocks.push(block);
    }
    let mut settlement = Settlement::deploy(
        &mut l1,
        &Roles::dev(DEV_OPERATOR),
        &prover.block.verifier,
        &State::new().root(),
        &manifest.policy,
    )?;
    let contract = Address(settlement.rollup.into_array());
    if contract != manifest.contract {
        return Err(eyre!(NodeError::Mismatch {
            what: "contract (a fresh development node gives the expected one)",
            found: contract.to_string(),
            expected: manifest.contract.to_string(),
        }));
    }
    let mut gas = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        settlement.enqueue_data(&mut l1, &block.header, &block.data)?;
        let number = number as u64 + 1;
        gas.push(settlement.settle(&mut l1, number, &block.header, &block.data, &block.proof)?);
    }
    let report = Report {
        contract: contract.to_string(),
        finalized_root: format!("{:#066x}", settlement.state_root(&mut l1)?),
        gas,
    };
    if report.finalized_root != field::to_hex(&root) {
        return Err(eyre!(
            "the contract's root {} is not the proven one",
            report.finalized_root
        ));
    }
    output::report(settings, &report, |r| {
        let mut out = format!("finalized by {}: {}\n", r.contract, r.finalized_root);
        for (i, gas) in r.gas.iter().enumerate() {
            out += &format!(
                "block {i}: gas {} commit, {} prove, {} finalize\n",
                gas.commit, gas.prove, gas.finalize
            );
        }
        out
    })
}
