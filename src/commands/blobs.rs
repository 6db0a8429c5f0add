//! `bastion blobs`

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use bastion_l1::{At, ReadL1};
use bastion_node::blobs::{keep, Keep};
use bastion_node::history::blobs_of;
use serde::Serialize;

use crate::commands::{rollup, sources};
use crate::config::Settings;
use crate::output;

/// Keeps the blobs of a rollup in a folder, before L1 drops them.
///
/// Looks up which blobs the blocks of the rollup have, and fetches those that the folder does not have yet.
/// Each is held against its hash on L1. Run it once a day: L1 keeps blobs for about 18 days. The folder is an
/// archive for `bastion audit` and `bastion exodus begin`. Exit code 5 if the blob of a block was not found.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion blobs --l1 URL --contract A --beacon http://127.0.0.1:5052 --out archive\n  \
bastion blobs --l1 URL --contract A --blobs https://node.example --out archive --json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    on_l1: rollup::Args,
    #[command(flatten)]
    sources: sources::Args,
    /// L1 block up to which blocks are looked for: latest, safe, finalized or a number; finalized by default,
    /// on development chains latest.
    #[arg(long, value_name = "L1BLOCK")]
    at: Option<At>,
    /// Folder of the blobs.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Report {
    contract: String,
    chain_id: u64,
    l1_block: u64,
    folder: String,
    /// Blocks whose data are in blobs.
    blocks: u64,
    /// Blobs of all of them.
    blobs: u64,
    /// Blobs that the folder has now.
    kept: u64,
    /// Those among them that were fetched.
    fetched: u64,
    missing: Vec<Missing>,
}

#[derive(Serialize)]
struct Missing {
    block: u64,
    blob: String,
    why: String,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<ExitCode> {
    let folder = Keep::new(&args.out);
    // What is there is not fetched again; what is damaged there is.
    let mut blobs = args.sources.open_after(&args.out)?;
    let mut l1 = args.on_l1.connect()?;
    l1 = l1.at(args.at.unwrap_or_default());
    let before = folder.all()?;
    let (wanted, pin) = blobs_of(&mut l1, args.on_l1.contract)?;
    let mut report = Report {
        contract: args.on_l1.contract.to_string(),
        chain_id: l1.chain_id(),
        l1_block: pin.number,
        folder: args.out.display().to_string(),
        blocks: wanted.iter().map(|(block, _)| block).collect::<BTreeSet<_>>().len() as u64,
        blobs: wanted.len() as u64,
        kept: 0,
        fetched: 0,
        missing: Vec::new(),
    };
    // One after the other: there may be more than memory has room for, and what was fetched is kept.
    for (block, blob) in wanted {
        let hash = blob.versioned_hash;
        match blobs.fetch(&blob) {
            Some(bytes) => {
                folder.put(&hash, &bytes)?;
                report.kept += 1;
                report.fetched += u64::from(!before.contains(&hash));
            }
            None => {
                let why = blobs.reason(&hash);
                report.missing.push(Missing { block, blob: keep::file_name(&hash), why });
            }
        }
    }
    let code = if report.missing.is_empty() { 0 } else { crate::exit::MISSING };
    output::report(settings, &report, text)?;
    Ok(ExitCode::from(code))
}

fn text(r: &Report) -> String {
    let mut out = format!(
        "{} blocks have their data in {} blobs, as of L1 block {}\n{} are in {}, {} of them new",
        r.blocks, r.blobs, r.l1_block, r.kept, r.folder, r.fetched
    );
    for missing in &r.missing {
        out += &format!("\nMISSING: block {}: {}", missing.block, missing.why);
    }
    out
}
