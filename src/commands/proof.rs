//! `bastion proof`

use std::path::{Path, PathBuf};

use bastion_l1::{At, ReadL1};
use bastion_node::history::collect_pinned;
use bastion_node::inclusion::{inclusion, read_place, Wanted};
use bastion_protocol::order::{operations_of, BatchOrder, InclusionProof};
use bastion_protocol::{field, PublicInputs};
use clap::Subcommand;
use eyre::WrapErr;

use crate::commands::audit::{policies, read_policies};
use crate::commands::{rollup, sources};
use crate::config::Settings;
use crate::output;

/// Makes proofs about a rollup that a contract on L1 can check, from L1 data alone.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion proof inclusion 3:0:17 --l1 http://127.0.0.1:8545 --contract 0x9fe4...a6e0\n  \
bastion proof inclusion operation.json --l1 URL --contract A --policy policy.json --json\n  \
bastion proof inclusion 3:0:17 --l1 URL --contract A --blobs archive/"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Proves that an operation has its place in a proven block.
    ///
    /// Replays the data up to its block, builds the path from the operation to the block's public inputs, and
    /// checks it against the order that the block claims before it is shown.
    #[command(
        after_help = "Examples:\n  bastion proof inclusion 3:0:17 --l1 http://127.0.0.1:8545 --contract 0x9fe4...a6e0\n  \
bastion proof inclusion operation.json --l1 URL --contract A --policy policy.json --json"
    )]
    Inclusion {
        /// The operation: its place as BLOCK:BATCH:POSITION (as in a receipt), or a file with its JSON.
        #[arg(value_name = "OP")]
        operation: String,
        #[command(flatten)]
        on_l1: rollup::Args,
        #[command(flatten)]
        sources: sources::Args,
        /// L1 block at which everything is read: latest, safe, finalized or a number; finalized by
        /// default, on development chains latest.
        #[arg(long, value_name = "L1BLOCK")]
        at: Option<At>,
        /// A policy as JSON, once for each that was ever in force; the development policy by default,
        /// on development chains.
        #[arg(long, value_name = "FILE")]
        policy: Vec<PathBuf>,
    },
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let What::Inclusion { operation, on_l1, sources, at, policy } = &args.what;
    // What can be wrong here is told before L1 is read, which may take long.
    let wanted = wanted(operation)?;
    let given = read_policies(policy)?;
    let mut blobs = sources.open()?;
    let mut l1 = on_l1.connect()?;
    l1 = l1.at(at.unwrap_or_default());
    let policies = policies(given, l1.chain_id())?;
    let (history, _) = collect_pinned(&mut l1, on_l1.contract, &mut blobs)?;
    let last = match &wanted {
        Wanted::Place(place) => usize::try_from(place.block).ok(),
        Wanted::Operation(_) => None,
    };
    blobs.require(&history, last)?;
    let proof = inclusion(&history, &policies, &wanted)?;
    output::report(settings, &proof, text)
}

/// A place, or the operation in a file.
fn wanted(text: &str) -> eyre::Result<Wanted> {
    if !Path::new(text).exists() {
        let place = read_place(text).map_err(|why| {
            crate::exit::CliError::Usage(format!("{why}, or the name of a file with an operation"))
        })?;
        return Ok(Wanted::Place(place));
    }
    let bytes = std::fs::read(text).wrap_err_with(|| format!("operation {text}"))?;
    let op = serde_json::from_slice(&bytes).wrap_err_with(|| format!("operation {text}"))?;
    Ok(Wanted::Operation(Box::new(op)))
}

fn text(proof: &InclusionProof) -> String {
    let mut out = format!(
        "place      block {}, batch {}, position {} of {}\nleaf       {}\nc_out      {}\n",
        proof.block,
        proof.batch,
        proof.position,
        operations_of(&proof.counts).unwrap_or_default(),
        field::to_hex(&proof.leaf),
        field::to_hex(&PublicInputs::from_array(proof.inputs).c_out),
    );
    let shown = |batch: u32, order: &BatchOrder| {
        let operations = operations_of(&order.counts).unwrap_or_default();
        let root = order.root.map_or_else(|| "-".into(), |root| field::to_hex(&root));
        format!("batch {batch:<4} {operations} operations, root {root}\n")
    };
    for (batch, earlier) in (0..).zip(&proof.earlier) {
        out += &shown(batch, earlier);
    }
    for sibling in &proof.siblings {
        out += &format!("sibling    {}\n", field::to_hex(sibling));
    }
    for (batch, later) in (proof.batch + 1..).zip(&proof.later) {
        out += &shown(batch, later);
    }
    out += "checked    the path leads to c_out; `--json` has all that a contract needs";
    out
}
