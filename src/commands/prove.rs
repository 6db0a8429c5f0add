//! `bastion prove`

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bastion_circuits::Shape;
use bastion_node::block::{next_block, Refused, Source};
use bastion_node::deploy::rollup_address;
use bastion_node::dev::dev_policy;
use bastion_node::dir::{BlockDir, Manifest, FORMAT};
use bastion_node::l1::{DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_node::pipeline::{BlockProver, Cache, Timings};
use bastion_node::workload::{import_csv, import_jsonl, CsvReport};
use bastion_prover::srs::{SrsChoice, SrsOrigin};
use bastion_state::data::domain;
use bastion_state::executor::BatchContext;
use bastion_state::state::State;
use bastion_state::Address;
use eyre::{eyre, WrapErr};
use serde::Serialize;

use crate::commands::srs_line;
use crate::config::Settings;
use crate::output;

/// Executes operations from a file and proves them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "INPUT is a CSV with the columns block,tx_index,trace_index,token,from,to,\
amount (keys are derived per address, deposits are made so that the rows can run, amounts are \
rounded down to what the encoding carries), or a .jsonl file of operations.\n\n\
Example: bastion prove examples/transfers.csv --shape tiny --out out"
)]
pub(crate) struct Args {
    /// CSV of transfers or JSON lines of operations.
    input: PathBuf,
    /// Shape: tiny, small, medium, standard or large (`bastion shapes` compares them).
    #[arg(long, default_value = "small")]
    shape: String,
    /// Folder for the proven blocks; must not hold any.
    #[arg(long)]
    out: PathBuf,
    /// Rows or operations to read at most.
    #[arg(long)]
    limit: Option<usize>,
    /// Batches in a block.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    batches: u8,
    /// Leaves out rows and operations that are not valid, instead of failing.
    #[arg(long)]
    skip_invalid: bool,
    /// Time of the blocks (seconds since 1970); now, by default.
    #[arg(long)]
    time: Option<u64>,
}

#[derive(Serialize)]
struct Report {
    operations: usize,
    blocks: usize,
    data_bytes: usize,
    import: Option<CsvReport>,
    refused: Vec<Refused>,
    timings: Vec<Timings>,
    seconds: f64,
    new_root: String,
    srs: String,
    unsafe_dev_srs: bool,
    out: String,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let start = Instant::now();
    let shape = Shape::named(&args.shape)?;
    let batches = usize::from(args.batches);
    let time = match args.time {
        Some(time) => time,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    let contract = Address(rollup_address(DEV_OPERATOR, 0).into_array());
    let context = BatchContext {
        domain: domain(DEV_CHAIN_ID, contract),
        time,
        policy: dev_policy(),
    };
    let folder = BlockDir::new(&args.out);
    folder.check_unused()?;
    let file = File::open(&args.input).wrap_err_with(|| args.input.display().to_string())?;
    let is_csv = args.input.extension().is_some_and(|e| e == "csv");
    let mut import = None;
    let mut source: Box<dyn Source> = if is_csv {
        let deadline = time + 3_600;
        let (source, report) = import_csv(
            file,
            args.limit,
            args.skip_invalid,
            context.domain,
            deadline,
        )?;
        import = Some(report);
        Box::new(source)
    } else {
        Box::new(import_jsonl(BufReader::new(file), args.limit)?)
    };

    // Execution first: a bad operation is reported before minutes of proving.
    let mut state = State::new();
    let mut refused = Vec::new();
    let mut blocks = Vec::new();
    while let Some(block) = next_block(
        &mut state,
        &context,
        &shape,
        batches,
        source.as_mut(),
        &mut refused,
    )? {
        blocks.push(block);
    }
    if !refused.is_empty() && !args.skip_invalid {
        let list: Vec<String> = refused
            .iter()
            .take(10)
            .map(|r| format!("{}: {}", r.place, r.why))
            .collect();
        return Err(eyre!(
            "{} operations were refused (--skip-invalid leaves them out):\n{}",
            refused.len(),
            list.join("\n")
        ));
    }
    if blocks.is_empty() {
        return Err(eyre!("{} holds no operations", args.input.display()));
    }

    let cache = Cache::new(&settings.cache_dir);
    cache.find_srs(SrsChoice::Held, &shape, batches)?;
    folder.create()?;
    let progress = output::progress(settings);
    let prover = BlockProver::open(&shape, batches, &cache, SrsChoice::Held, &progress)?;
    let tokens = import
        .as_ref()
        .map(|r| r.tokens.iter().map(|t| t.parse()).collect::<Result<_, _>>())
        .transpose()?
        .unwrap_or_default();
    let mut manifest = Manifest {
        format: FORMAT,
        shape: shape.name.clone(),
        batches_per_block: batches,
        batch_circuit_id: prover.batches.keys().circuit_id().to_string(),
        block_circuit_id: prover.block.verifier.circuit_id.clone(),
        srs: prover.srs.id().to_string(),
        unsafe_dev_srs: prover.srs.origin() == SrsOrigin::UnsafeDev,
        chain_id: DEV_CHAIN_ID,
        contract,
        policy: context.policy,
        tokens,
        blocks: 0,
    };
    let mut timings = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        let proven = prover.prove(block, settings.memory, &progress)?;
        folder.write_block(number, block, &proven)?;
        // After every block: if the run is cut short, what is proven can be used.
        manifest.blocks = number + 1;
        folder.write_manifest(&manifest)?;
        timings.push(proven.timings);
    }
    let report = Report {
        operations: blocks.iter().map(|b| b.operations().count()).sum(),
        blocks: blocks.len(),
        data_bytes: blocks.iter().map(|b| b.data.len()).sum(),
        import,
        refused,
        timings,
        seconds: start.elapsed().as_secs_f64(),
        new_root: bastion_state::field::to_hex(&state.root()),
        srs: manifest.srs,
        unsafe_dev_srs: manifest.unsafe_dev_srs,
        out: args.out.display().to_string(),
    };
    output::report(settings, &report, text)
}

fn text(r: &Report) -> String {
    let mut out = format!(
        "{} operations in {} blocks, {} bytes of data, {:.1} s\n",
        r.operations, r.blocks, r.data_bytes, r.seconds
    );
    if let Some(i) = &r.import {
        out += &format!(
            "{} rows over {} tokens, {} deposits made for them; {} amounts rounded down, {} units dropped\n",
            i.rows,
            i.tokens.len(),
            i.deposits,
            i.rounded,
            i.dropped
        );
        for line in &i.skipped {
            out += &format!("left out: {line}\n");
        }
    }
    for refused in &r.refused {
        out += &format!("left out: {}: {}\n", refused.place, refused.why);
    }
    for (i, t) in r.timings.iter().enumerate() {
        out += &format!(
            "block {i}: witness {:.1} s, batch proofs {:.1} s, aggregation {:.1} s\n",
            t.witness, t.prove, t.aggregate
        );
    }
    let srs = srs_line(&r.srs, r.unsafe_dev_srs);
    out + &format!(
        "reference string {srs}\nnew root {}\nwritten to {}\n",
        r.new_root, r.out
    )
}
