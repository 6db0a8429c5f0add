//! `bastion prove`

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bastion_circuits::Shape;
use bastion_l1::{DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_node::block::{next_block, Block, Refused, Source};
use bastion_node::block_store::{BlockDir, Manifest, FORMAT};
use bastion_node::deploy::rollup_address;
use bastion_node::devnet::dev_policy;
use bastion_node::pipeline::{BlockProver, Cache, Timings};
use bastion_node::posting::{MaxBlobs, Posting};
use bastion_node::recommend::{MemoryPlan, MAX_BATCHES};
use bastion_node::work::{Run, Standing, WorkFolder};
use bastion_node::workload::{import_csv, import_jsonl, CsvReport, Format, Input};
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::times::MAX_CLOCK_LAG;
use bastion_protocol::TIME_BOUND;
use bastion_protocol::{Address, Fr};
use bastion_prover::artifact::Digest;
use bastion_prover::srs::{SrsChoice, SrsOrigin};
use bastion_state::executor::BatchContext;
use bastion_state::state::State;
use serde::Serialize;
use tracing::warn;

use crate::commands::srs_line;
use crate::config::{self, Settings};
use crate::exit::{CliError, SHOWN};
use crate::output;

/// How long an imported transfer is valid.
const VALIDITY: u64 = 3_600;

/// Executes operations from a file and proves them.
///
/// Batch proofs are written to the folder as they are made. A run that was cut short is taken up by
/// the next one with the same input, flags and folder. Blocks are for chain 31337 and the rollup that
/// the first account of anvil deploys first.
#[derive(Debug, clap::Args)]
#[command(after_help = "INPUT is a CSV with the columns block,tx_index,trace_index,token,from,to,\
amount in any order (keys are derived per address, deposits are made so that the rows can run, \
amounts are rounded down to what the encoding carries), or JSON lines of operations. Which of them \
it is follows from its first character, or from --format. Rows and operations that L1 or the \
circuit would refuse are refused with their line.\n\n\
Examples:\n  bastion prove examples/transfers.csv --shape tiny --out out\n  \
zcat transfers.csv.gz | bastion prove - --skip-invalid --out out")]
pub(crate) struct Args {
    /// CSV of transfers or JSON lines of operations; - for standard input.
    input: PathBuf,
    /// Kind of the input, csv or jsonl [default: by its content].
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// Shape: tiny, small, medium, market, standard or large (`bastion shapes` compares them).
    #[arg(long, default_value = "small", value_parser = config::shape)]
    shape: Shape,
    /// Folder for the proven blocks; must not hold any but those of the same run.
    #[arg(long)]
    out: PathBuf,
    /// Largest number of rows or operations to read.
    #[arg(long, value_parser = limit)]
    limit: Option<usize>,
    /// Batches in a block.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_BATCHES)))]
    batches: u8,
    /// Where L2 and owner records are posted: calldata, or blob.
    #[arg(long, value_name = "MODE", default_value_t = DataMode::Calldata)]
    data_mode: DataMode,
    /// Most blobs of a block [default: rollup.max-blobs].
    #[arg(long, value_name = "NUMBER")]
    max_blobs: Option<MaxBlobs>,
    /// Leaves out rows, lines and operations that are not valid, instead of failing, and lists them.
    #[arg(long)]
    skip_invalid: bool,
    /// Time of the blocks (seconds since 1970) [default: now]. L1 takes blocks that are at most a
    /// day behind its own time, and not ahead of it.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..TIME_BOUND))]
    time: Option<u64>,
}

fn format(name: &str) -> Result<Format, String> {
    match name {
        "csv" => Ok(Format::Csv),
        "jsonl" => Ok(Format::Jsonl),
        _ => Err("it is csv or jsonl".into()),
    }
}

fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("with no row there is nothing to prove".into()),
        Ok(rows) => Ok(rows),
        Err(e) => Err(format!("{e}")),
    }
}

#[derive(Serialize)]
struct Report {
    operations: usize,
    blocks: usize,
    resumed_blocks: usize,
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
    let folder = BlockDir::new(&args.out);
    let work = WorkFolder::of(folder.path());
    let input = Input::read(&args.input, args.format)?;
    let run = plan_run(args, &input, &folder, &work)?;
    let contract = Address(rollup_address(DEV_OPERATOR, 0).into_array());
    let context = BatchContext {
        domain: domain(DEV_CHAIN_ID, contract),
        time: run.time,
        policy: dev_policy(),
    };
    let max_blobs = args.max_blobs.unwrap_or(settings.node.rollup.max_blobs);
    let posting = Posting { mode: args.data_mode, max_blobs };
    let Executed { blocks, import, refused, root } = execute(args, posting, &input, &context)?;

    // What stands in the way is told before anything long begins.
    MemoryPlan::new(&args.shape, run.batches).require(settings.memory)?;
    let cache = Cache::new(&settings.cache_dir);
    cache.find_srs(SrsChoice::Held, &args.shape, run.batches)?;
    folder.create()?;
    if work.run().as_ref() != Some(&run) {
        folder.clear()?;
    }
    work.begin(&run)?;
    let progress = output::progress(settings);
    let choice = SrsChoice::Held;
    let prover = BlockProver::open(&args.shape, run.batches, &cache, choice, &progress)?;
    if let Err(error) = prover.verifier(&cache) {
        tracing::warn!(%error, "the verifier's folder, which `bastion verify` reads, is not written");
    }
    let tokens = import
        .as_ref()
        .map(|r| r.tokens.iter().map(|t| t.parse()).collect::<Result<_, _>>())
        .transpose()?
        .unwrap_or_default();
    let mut manifest = Manifest {
        format: FORMAT,
        shape: args.shape.name.clone(),
        batches_per_block: run.batches,
        batch_circuit_id: prover.batches.keys().circuit_id(),
        block_circuit_id: prover.block.verifier.circuit_id,
        srs: prover.srs.id().to_string(),
        unsafe_dev_srs: prover.srs.origin() == SrsOrigin::UnsafeDev,
        chain_id: DEV_CHAIN_ID,
        contract,
        policy: context.policy,
        tokens,
        blocks: 0,
    };
    let mut timings = Vec::new();
    let mut resumed_blocks = 0;
    for (number, block) in blocks.iter().enumerate() {
        if is_proven(&folder, &prover, number, block) {
            resumed_blocks += 1;
        } else {
            let proven = prover.prove_kept(block, settings.memory, &progress, Some(&work))?;
            folder.write_block(number, block, &proven)?;
            timings.push(proven.timings);
        }
        // After every block: if the run is cut short, what is proven can be used.
        manifest.blocks = number + 1;
        folder.write_manifest(&manifest)?;
    }
    work.finish()?;
    let report = Report {
        operations: blocks.iter().map(|b| b.operations().count()).sum(),
        blocks: blocks.len(),
        resumed_blocks,
        data_bytes: blocks.iter().map(|b| b.data.len()).sum(),
        import,
        refused,
        timings,
        seconds: start.elapsed().as_secs_f64(),
        new_root: bastion_protocol::field::to_hex(&root),
        srs: manifest.srs,
        unsafe_dev_srs: manifest.unsafe_dev_srs,
        out: args.out.display().to_string(),
    };
    output::report(settings, &report, text)
}

/// What this run is. A run of the folder that was cut short and was asked for the same goes on, with
/// its time; a folder that holds other blocks is refused.
fn plan_run(args: &Args, input: &Input, folder: &BlockDir, work: &WorkFolder) -> eyre::Result<Run> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let run = Run {
        input: Digest::of(&input.bytes),
        shape: args.shape.name.clone(),
        batches: usize::from(args.batches),
        limit: args.limit,
        skip_invalid: args.skip_invalid,
        time: args.time.unwrap_or(now),
    };
    if let Some(earlier) = work.run() {
        match run.standing(&earlier, args.time.is_some(), now) {
            Standing::GoesOn => return Ok(earlier),
            Standing::TooLate => warn!(
                time = earlier.time,
                "the run that was cut short is half a day old, L1 would soon refuse its blocks: it \
                 is taken up if its time is given by --time"
            ),
            Standing::Other => {}
        }
    }
    folder.check_unused()?;
    if run.time > now || run.time.saturating_add(MAX_CLOCK_LAG) < now {
        warn!(
            time = run.time,
            now,
            "L1 refuses blocks that are ahead of its time or more than a day behind: these are for \
             replays alone"
        );
    }
    Ok(run)
}

struct Executed {
    blocks: Vec<Block>,
    import: Option<CsvReport>,
    refused: Vec<Refused>,
    root: Fr,
}

/// Execution first: a bad operation is reported before minutes of proving.
fn execute(
    args: &Args,
    posting: Posting,
    input: &Input,
    context: &BatchContext,
) -> eyre::Result<Executed> {
    let mut import = None;
    let mut refused = Vec::new();
    let (limit, skip) = (args.limit, args.skip_invalid);
    let mut source: Box<dyn Source> = match input.format {
        Format::Csv => {
            let deadline = context.time.saturating_add(VALIDITY);
            let (source, report) = import_csv(&input.bytes, limit, skip, context.domain, deadline)?;
            import = Some(report);
            Box::new(source)
        }
        Format::Jsonl => {
            let (source, lines) = import_jsonl(&input.bytes, limit, skip)?;
            refused = lines;
            Box::new(source)
        }
    };
    let mut state = State::new();
    let mut blocks = Vec::new();
    while let Some(block) = next_block(
        &mut state,
        context,
        &args.shape,
        usize::from(args.batches),
        posting,
        source.as_mut(),
        &mut refused,
    )? {
        blocks.push(block);
    }
    if !refused.is_empty() && !skip {
        let lines = refused.iter().take(SHOWN);
        let list: Vec<String> = lines.map(|r| format!("{}: {}", r.place, r.why)).collect();
        return Err(CliError::Refused { count: refused.len(), list: list.join("\n") }.into());
    }
    if blocks.is_empty() {
        return Err(CliError::NoOperations {
            path: args.input.clone(),
            refused: import
                .into_iter()
                .flat_map(|report| report.skipped)
                .chain(refused.iter().map(|r| format!("{}: {}", r.place, r.why)))
                .collect(),
        }
        .into());
    }
    Ok(Executed { blocks, import, refused, root: state.root() })
}

/// Whether the folder holds this very block, with proofs that hold.
fn is_proven(folder: &BlockDir, prover: &BlockProver, number: usize, block: &Block) -> bool {
    folder.read_block(number).is_ok_and(|stored| {
        stored.header == block.header
            && stored.data == block.data
            && stored.blobs == block.blobs
            && prover.checker().verify(number, &block.header.old_root, &stored).is_ok()
    })
}

fn text(r: &Report) -> String {
    let mut out = format!(
        "{} in {}, {} bytes of data, {:.1} s\n",
        output::count(r.operations as u64, "operation"),
        output::count(r.blocks as u64, "block"),
        r.data_bytes,
        r.seconds
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
    if r.resumed_blocks > 0 {
        let blocks = output::count(r.resumed_blocks as u64, "block");
        out += &format!("{blocks} proven by an earlier run\n");
    }
    for (i, t) in (r.resumed_blocks..).zip(&r.timings) {
        out += &format!(
            "block {i}: witness {:.1} s, batch proofs {:.1} s, aggregation {:.1} s\n",
            t.witness, t.prove, t.aggregate
        );
    }
    let srs = srs_line(&r.srs, r.unsafe_dev_srs);
    out + &format!("reference string {srs}\nnew root {}\nwritten to {}\n", r.new_root, r.out)
}
