//! `bastion bench`

use std::path::PathBuf;

use bastion_circuits::Shape;
use bastion_node::bench::{self, Baseline, BenchReport, Load};
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_node::recommend::{MemoryPlan, MAX_BATCHES};
use bastion_prover::srs::SrsChoice;
use eyre::{eyre, WrapErr};
use tracing::warn;

use crate::config::{self, Settings};
use crate::exit::CliError;
use crate::output;

/// Measures the proving of a full block, stage by stage, against its floor.
///
/// Proves one full block of transfers. Reports time, core-seconds and memory of every stage, and the
/// ratio to the floor: what the multi-scalar multiplications and Fourier transforms alone take.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n  bastion bench --shape small --json\n  \
bastion bench --shape small --check benches/baseline.json\n  bastion bench load --json")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Shape: tiny, small, medium, market, standard or large (`bastion shapes` compares them).
    #[arg(long, default_value = "small", value_parser = config::shape)]
    shape: Shape,
    /// Batches in the block.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_BATCHES)))]
    batches: u8,
    /// Fails if cells, commitments or the ratios to the floor are worse than this file says. Ratios
    /// may be larger by a fifth than those of the same arithmetic there, if the file has any.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Load(LoadArgs),
    Market(super::bench_market::Args),
    Ready(ReadyArgs),
    Sentinel(super::bench_sentinel::Args),
}

/// Measures how long a node takes to be ready again after a crash, for a state of many accounts.
///
/// The accounts are read from disk and their tree is hashed anew. Nothing is proven.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion bench ready --accounts 1048576 --json")]
struct ReadyArgs {
    /// Accounts of the state.
    #[arg(long, value_name = "N", default_value_t = 1 << 20,
        value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    accounts: u32,
    /// Folder on the disk to be measured. A folder of the measurement is made in it and removed again.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

fn ready(args: &ReadyArgs, settings: &Settings) -> eyre::Result<()> {
    let dir = folder(&args.dir)?;
    let report = bench::ready(args.accounts, &dir);
    remove(&dir);
    output::report(settings, &report?, |r| {
        format!(
            "{} accounts, {} threads: ready after {:.1} s",
            r.accounts, r.threads, r.ready_seconds
        )
    })
}

/// The folder of a measurement, in one that must be there.
fn folder(parent: &std::path::Path) -> Result<PathBuf, CliError> {
    if !parent.is_dir() {
        let why = "is no folder: give one on the disk that is to be measured".into();
        return Err(CliError::BadFile { what: "--dir", path: parent.into(), why });
    }
    Ok(parent.join(format!(".bastion-load-{}", std::process::id())))
}

/// Best effort: the outcome counts more than what is left of it.
fn remove(dir: &std::path::Path) {
    if let Err(error) = std::fs::remove_dir_all(dir) {
        warn!(%error, path = %dir.display(), "the folder of the measurement is left behind");
    }
}

/// Measures how many transfers the sequencer accepts and how fast it answers.
///
/// First as many transfers as it takes, then half of that rate: decoded from bytes, signature checked,
/// executed, written and synced to disk, answered by a signed receipt. Nothing is proven.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion bench load --json")]
struct LoadArgs {
    /// Shape of the batches.
    #[arg(long, default_value = "standard", value_parser = config::shape)]
    shape: Shape,
    /// Accounts that send, each with its own key.
    #[arg(long, value_name = "N", default_value_t = 2_000,
        value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    accounts: u32,
    /// Transfers that are sent as fast as they are taken.
    #[arg(long, value_name = "N", default_value_t = 50_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    transfers: u32,
    /// Seconds of the measurement at half of the rate.
    #[arg(long, value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// The sentinel looks at every operation.
    #[arg(long)]
    sentinel: bool,
    /// Folder for the log and the state, on the disk to be measured. A folder of the measurement is made
    /// in it and removed again.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

fn load(args: &LoadArgs, settings: &Settings) -> eyre::Result<()> {
    let dir = folder(&args.dir)?;
    let load = Load {
        shape: args.shape.clone(),
        accounts: args.accounts,
        transfers: args.transfers as usize,
        seconds: args.seconds,
        sentinel: args.sentinel,
    };
    let report = load.run(&dir);
    remove(&dir);
    output::report(settings, &report?, |r| {
        format!(
            "shape {}, {} accounts, {} threads\n\
             {:.0} receipts a second ({} transfers)\n\
             at half of that: {:.1} ms (median), {:.1} ms (99 of 100), {:.1} ms (all {})\n\
             {} batches sealed",
            r.shape,
            r.accounts,
            r.threads,
            r.receipts_per_second,
            r.transfers,
            r.receipt_ms.p50,
            r.receipt_ms.p99,
            r.receipt_ms.max,
            r.paced_transfers,
            r.sealed_batches
        )
    })
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    match &args.what {
        Some(What::Load(args)) => return load(args, settings),
        Some(What::Market(args)) => return super::bench_market::run(args, settings),
        Some(What::Ready(args)) => return ready(args, settings),
        Some(What::Sentinel(args)) => return super::bench_sentinel::run(args, settings),
        None => {}
    }
    let baseline = match &args.check {
        None => None,
        Some(path) => {
            let shown = path.display();
            let text = std::fs::read(path).wrap_err_with(|| format!("baseline {shown}"))?;
            let baseline: Baseline = serde_json::from_slice(&text).map_err(|e| {
                CliError::BadFile { what: "baseline", path: path.clone(), why: e.to_string() }
            })?;
            if baseline.shape != args.shape.name {
                let why = format!("it is of shape `{}`", baseline.shape);
                return Err(CliError::BadFile { what: "baseline", path: path.clone(), why }.into());
            }
            Some(baseline)
        }
    };
    let shape = &args.shape;
    let batches = usize::from(args.batches);
    let cache = Cache::new(&settings.cache_dir);
    let choice = SrsChoice::Held;
    MemoryPlan::new(shape, batches).require(settings.memory)?;
    cache.find_srs(choice, shape, batches)?;
    let progress = output::progress(settings);
    let prover = BlockProver::open(shape, batches, &cache, choice, &progress)?;
    let report = bench::run(shape, &prover, settings.memory, &progress)?;
    output::report(settings, &report, text)?;
    let Some(baseline) = baseline else {
        return Ok(());
    };
    if !baseline.ratios.contains_key(report.arithmetic) {
        let arithmetic = report.arithmetic;
        warn!(arithmetic, "the baseline has no ratios of this arithmetic: only cells and commitments were compared");
    }
    let worse = report.worse_than(&baseline);
    if worse.is_empty() {
        return Ok(());
    }
    Err(eyre!("worse than the baseline:\n{}", worse.join("\n")))
}

fn text(r: &BenchReport) -> String {
    let mut out = format!(
        "shape {}, {}, {} transfers, {} threads, arithmetic {}\n\n\
         stage         seconds  core-seconds  peak memory\n",
        r.shape,
        output::count(r.batches as u64, "batch"),
        r.transfers,
        r.threads,
        r.arithmetic
    );
    for s in &r.stages {
        out += &format!(
            "{:<10} {:>10.2} {:>13.2} {:>8.2} GiB\n",
            s.name,
            s.seconds,
            s.core_seconds,
            s.peak_memory_bytes as f64 / f64::from(1 << 30)
        );
    }
    for stage in ["prove", "aggregate"] {
        let parts = r.parts.iter().filter(|p| p.stage == stage);
        let parts = parts.map(|p| format!("{} {:.2} s", p.name, p.seconds));
        let parts: Vec<String> = parts.collect();
        out += &format!("\n{stage}, proof by proof: {}", parts.join(", "));
    }
    out += &format!(
        "\n\n{:.3} transfers per second, {:.3} core-seconds per transfer\n",
        r.transfers_per_second, r.core_seconds_per_transfer
    );
    for (what, floor, ratio) in [
        ("batch proof", &r.batch_floor, r.batch_ratio),
        ("block proof", &r.block_floor, r.block_ratio),
    ] {
        out += &format!(
            "{what}: floor {:.2} s ({} MSMs of {:.2} s and {} of {:.2} s, {} FFTs of {:.3} s at k = {}), {ratio:.2} times the floor\n",
            floor.seconds(),
            floor.witness_msms,
            floor.witness_msm_seconds,
            floor.random_msms,
            floor.random_msm_seconds,
            floor.ffts,
            floor.fft_seconds,
            floor.k
        );
    }
    out + &format!(
        "{} advice cells per transfer, {} commitments\n",
        r.cells_per_transfer, r.commitments
    )
}
