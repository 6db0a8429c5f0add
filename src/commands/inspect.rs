//! `bastion inspect`

use std::path::PathBuf;

use bastion_node::block_store::{BlockDir, Manifest};
use bastion_node::NodeError;
use bastion_protocol::Header;
use serde::Serialize;

use crate::config::Settings;
use crate::output;

/// Shows what a folder of proven blocks holds, without verifying it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion inspect out --json")]
pub(crate) struct Args {
    /// The folder.
    dir: PathBuf,
}

#[derive(Serialize)]
struct Report {
    manifest: Manifest,
    blocks: Vec<BlockReport>,
}

#[derive(Serialize)]
struct BlockReport {
    header: Header,
    data_bytes: usize,
    proof_bytes: usize,
    l1_operations: u64,
    l2_operations: u64,
    exits: u64,
    new_owners: u64,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let folder = BlockDir::new(&args.dir);
    let manifest = folder.manifest()?;
    let mut blocks = Vec::new();
    for number in 0..manifest.blocks {
        let block = folder.read_block(number)?;
        let mut counts = [0; 4];
        // As `verify` says it: the data are not those of the header.
        let batches = block.posted().batches(block.header.batches);
        let batches =
            batches.map_err(|_| NodeError::Tampered { block: number, what: "the posted data" })?;
        for batch in &batches {
            for (sum, n) in counts.iter_mut().zip(batch.counts()) {
                *sum += n;
            }
        }
        let [l1_operations, l2_operations, exits, new_owners] = counts;
        blocks.push(BlockReport {
            header: block.header,
            data_bytes: block.data.len(),
            proof_bytes: block.proof.proof.len(),
            l1_operations,
            l2_operations,
            exits,
            new_owners,
        });
    }
    output::report(settings, &Report { manifest, blocks }, text)
}

fn text(r: &Report) -> String {
    let m = &r.manifest;
    let mut out = format!(
        "shape {}, {} a block, {}\nchain {}, contract {}\nbatch circuit {}\nblock circuit {}\nreference string {}{}\n",
        m.shape,
        output::count(m.batches_per_block as u64, "batch"),
        output::count(m.blocks as u64, "block"),
        m.chain_id,
        m.contract,
        m.batch_circuit_id,
        m.block_circuit_id,
        m.srs,
        if m.unsafe_dev_srs { " (UNSAFE: development only)" } else { "" }
    );
    for (i, b) in r.blocks.iter().enumerate() {
        out += &format!(
            "block {i}: {} L1 and {} L2 operations, {} exits, {} new owners, {} bytes of data, {} bytes of proof\n  root {} -> {}\n",
            b.l1_operations,
            b.l2_operations,
            b.exits,
            b.new_owners,
            b.data_bytes,
            b.proof_bytes,
            bastion_protocol::field::to_hex(&b.header.old_root),
            bastion_protocol::field::to_hex(&b.header.new_root),
        );
    }
    out
}
