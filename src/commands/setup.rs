//! `bastion setup`

use std::time::Instant;

use bastion_aggregator::verifier;
use bastion_circuits::Shape;
use bastion_node::pipeline::{BlockProver, Cache};
use bastion_prover::srs::SrsOrigin;
use eyre::eyre;
use serde::Serialize;

use crate::config::Settings;
use crate::output;

/// Makes reference string, keys and verifier contract of a shape, and caches them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: bastion setup --shape small --unsafe-dev-srs")]
pub(crate) struct Args {
    /// Shape: tiny, small or standard.
    #[arg(long, default_value = "small")]
    shape: String,
    /// Batches in a block.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    batches: u8,
    /// Makes a reference string whose secret this machine knew: for development chains only.
    #[arg(long)]
    unsafe_dev_srs: bool,
}

#[derive(Serialize)]
struct Report {
    shape: String,
    batches: usize,
    srs: String,
    unsafe_dev_srs: bool,
    batch_circuit_id: String,
    block_circuit_id: String,
    verifier_code_bytes: usize,
    verifier_folder: String,
    seconds: f64,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let shape = Shape::named(&args.shape)?;
    let cache = Cache::new(&settings.cache_dir);
    let batches = usize::from(args.batches);
    if !args.unsafe_dev_srs {
        cache.require_srs(batches, &args.shape)?;
    }
    if shape.k > bastion_aggregator::BlockShape::for_batches(batches).k {
        return Err(eyre!(
            "shape `{}` is larger than its block circuit",
            shape.name
        ));
    }
    let start = Instant::now();
    let prover = BlockProver::open(&shape, batches, &cache, &output::progress(settings))?;
    let verifier = &prover.block.verifier;
    let folder = settings.cache_dir.join("verifier").join(format!(
        "{}-{batches}x-{}",
        args.shape,
        verifier.circuit_id.get(..16).unwrap_or_default()
    ));
    verifier::export(verifier, prover.block.deciding_key(), &folder)?;
    let report = Report {
        shape: shape.name,
        batches,
        srs: prover.srs.id().to_string(),
        unsafe_dev_srs: prover.srs.origin() == SrsOrigin::UnsafeDev,
        batch_circuit_id: prover.batches.keys().circuit_id().to_string(),
        block_circuit_id: verifier.circuit_id.clone(),
        verifier_code_bytes: verifier.contract.code_size,
        verifier_folder: folder.display().to_string(),
        seconds: start.elapsed().as_secs_f64(),
    };
    output::report(settings, &report, |r| {
        format!(
            "shape            {}, {} batches a block\nreference string {}{}\n\
             batch circuit    {}\nblock circuit    {}\nverifier code    {} bytes\n\
             verifier         {}\ntook             {:.1} s",
            r.shape,
            r.batches,
            r.srs,
            if r.unsafe_dev_srs {
                " (UNSAFE: development only)"
            } else {
                ""
            },
            r.batch_circuit_id,
            r.block_circuit_id,
            r.verifier_code_bytes,
            r.verifier_folder,
            r.seconds
        )
    })
}
