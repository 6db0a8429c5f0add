//! `bastion submit`

use std::path::PathBuf;

use bastion_l1::ReadL1;
use bastion_node::block_store::BlockDir;
use bastion_node::submit::{Steps, Submission};
use bastion_protocol::field;
use bastion_state::state::State;
use eyre::eyre;
use serde::Serialize;

use crate::commands::{l1, open};
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Finalizes a folder of proven blocks on a development node.
///
/// For anvil and the like: deploys the contracts, makes the deposits that the blocks process, commits, proves and finalizes. What an earlier call did is
/// not done again: after an interruption, call it once more.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion submit out --l1 http://127.0.0.1:8545")]
pub(crate) struct Args {
    /// The folder.
    dir: PathBuf,
    /// URL of the node.
    #[arg(long, env = "BASTION_L1", hide_env_values = true, value_name = "URL")]
    l1: String,
    #[command(flatten)]
    node: l1::Args,
}

#[derive(Serialize)]
struct Report {
    contract: String,
    finalized_root: String,
    gas: Vec<Steps>,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let manifest = BlockDir::new(&args.dir).manifest()?;
    if manifest.blocks == 0 {
        return Err(eyre!("{} holds no blocks to submit", args.dir.display()));
    }
    let mut l1 = args.node.connect(&args.l1)?;
    if l1.chain_id() != manifest.chain_id {
        return Err(CliError::OtherChain {
            dir: args.dir.clone(),
            blocks: manifest.chain_id,
            node: l1.chain_id(),
        }
        .into());
    }
    let (folder, manifest, verifier) = open(&args.dir, settings)?;
    let mut root = State::new().root();
    let mut blocks = Vec::new();
    for number in 0..manifest.blocks {
        let block = folder.read_block(number)?;
        manifest.describes(number, &block.header)?;
        verifier.checker().verify(number, &root, &block)?;
        root = block.header.new_root;
        blocks.push(block);
    }
    let submission = Submission {
        contract: manifest.contract.0.into(),
        verifier: verifier.block(),
        policy: &manifest.policy,
        blocks: &blocks,
    };
    let (settlement, gas) = submission.run(&mut l1)?;
    let report = Report {
        contract: manifest.contract.to_string(),
        finalized_root: format!("{:#066x}", settlement.state_root(&mut l1)?),
        gas,
    };
    if report.finalized_root != field::to_hex(&root) {
        return Err(eyre!(
            "the contract's root {} is not that of the last block of the folder: it has more blocks",
            report.finalized_root
        ));
    }
    output::report(settings, &report, text)
}

fn text(r: &Report) -> String {
    let mut out = format!("finalized by {}: {}\n", r.contract, r.finalized_root);
    for (i, steps) in r.gas.iter().enumerate() {
        let gas = |gas: Option<u64>| gas.map_or_else(|| "done before".into(), |g| g.to_string());
        out += &format!(
            "block {i}: gas {} commit, {} prove and finalize",
            gas(steps.commit),
            gas(steps.prove)
        );
        if let Some(finalize) = steps.finalize {
            out += &format!(", {finalize} finalize");
        }
        out.push('\n');
    }
    out
}
