//! `bastion setup`

use std::path::PathBuf;
use std::time::Instant;

use bastion_aggregator::verifier as verifier_folder;
use bastion_circuits::Shape;
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_node::recommend::{MemoryPlan, MAX_BATCHES};
use bastion_protocol::CircuitId;
use bastion_prover::srs::{B2sum, SrsChoice, SrsOrigin};
use serde::Serialize;

use crate::commands::srs_line;
use crate::config::{self, Settings};
use crate::output;

/// Makes reference string, keys and verifier contract of a shape, and caches them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bastion setup --shape small --unsafe-dev-srs\n  \
bastion setup --shape small --srs powersOfTau28_hez_final_21.ptau --srs-b2sum 9aef0573cef4ded9...")]
pub(crate) struct Args {
    /// Shape: tiny, small, medium, market, standard or large (`bastion shapes` compares them).
    #[arg(long, default_value = "small", value_parser = config::shape)]
    shape: Shape,
    /// Batches in a block.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_BATCHES)))]
    batches: u8,
    /// Reference string of a public ceremony: a .ptau file of snarkjs, or halo2's raw parameters.
    #[arg(long, value_name = "FILE", conflicts_with = "unsafe_dev_srs")]
    srs: Option<PathBuf>,
    /// BLAKE2b-512 that the ceremony publishes for the file, or the line that `b2sum FILE` prints.
    #[arg(long, value_name = "HEX", requires = "srs")]
    srs_b2sum: Option<B2sum>,
    /// If the cache holds no reference string, makes one whose secret this machine knew: for
    /// development chains only.
    #[arg(long)]
    unsafe_dev_srs: bool,
}

#[derive(Serialize)]
struct Report {
    shape: String,
    batches: usize,
    srs: String,
    srs_file_b2sum: Option<String>,
    unsafe_dev_srs: bool,
    batch_circuit_id: CircuitId,
    block_circuit_id: CircuitId,
    verifier_code_bytes: usize,
    /// Identity of the verifier's folder.
    verifier: String,
    verifier_folder: String,
    seconds: f64,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let shape = &args.shape;
    let cache = Cache::new(&settings.cache_dir).required();
    let batches = usize::from(args.batches);
    MemoryPlan::new(shape, batches).require_keys(settings.memory)?;
    cache.check_compiler(shape, batches)?;
    let start = Instant::now();
    let progress = output::progress(settings);
    let mut b2sum = None;
    let choice = match &args.srs {
        Some(file) => {
            let expected = args.srs_b2sum.as_ref();
            let (id, sum) = cache.import_srs(file, shape, batches, expected, &progress)?;
            b2sum = Some(sum.to_string());
            SrsChoice::Named(id)
        }
        None if args.unsafe_dev_srs => SrsChoice::HeldOrUnsafeDev,
        None => SrsChoice::Held,
    };
    let prover = BlockProver::open(shape, batches, &cache, choice, &progress)?;
    let contract = prover.verifier(&cache)?.contract;
    let verifier = &prover.block.verifier;
    let folder = prover.verifier_dir(&cache);
    let report = Report {
        shape: shape.name.clone(),
        batches,
        srs: prover.srs.id().to_string(),
        srs_file_b2sum: b2sum,
        unsafe_dev_srs: prover.srs.origin() == SrsOrigin::UnsafeDev,
        batch_circuit_id: prover.batches.keys().circuit_id(),
        block_circuit_id: verifier.circuit_id,
        verifier_code_bytes: contract.code_size,
        verifier: verifier_folder::read(&folder)?.identity()?.to_string(),
        verifier_folder: folder.display().to_string(),
        seconds: start.elapsed().as_secs_f64(),
    };
    output::report(settings, &report, |r| {
        let file = r.srs_file_b2sum.as_deref();
        let file = file.map_or(String::new(), |sum| format!("its file's b2sum {sum}\n"));
        format!(
            "{file}shape            {}, {} a block\nreference string {}\n\
             batch circuit    {}\nblock circuit    {}\nverifier code    {} bytes\n\
             verifier         {}\nits folder       {}\ntook             {:.1} s",
            r.shape,
            output::count(r.batches as u64, "batch"),
            srs_line(&r.srs, r.unsafe_dev_srs),
            r.batch_circuit_id,
            r.block_circuit_id,
            r.verifier_code_bytes,
            r.verifier,
            r.verifier_folder,
            r.seconds
        )
    })
}
