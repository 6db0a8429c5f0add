//! `bastion setup`

use std::time::Instant;

use bastion_circuits::Shape;
use bastion_node::pipeline::{BlockProver, Cache};
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
    let report = Report {
        shape: shape.name,
        batches,
        srs: prover.srs.id().to_string(),
        unsafe_dev_srs: true,
        batch_circuit_id: prover.batches.keys().circuit_id().to_string(),
        block_circuit_id: prover.block.verifier.circuit_id.clone(),
        verifier_code_bytes: prover.block.verifier.contract.code_size,
        seconds: start.elapsed().as_secs_f64(),
    };
    output::report(settings, &report, |r| {
        format!(
            "shape            {}, {} batches a block\nreference string {} (UNSAFE: development only)\n\
             batch circuit    {}\nblock circuit    {}\nverifier code    {} bytes\ntook             {:.1} s",
            r.shape, r.batches, r.srs, r.batch_circuit_id, r.block_circuit_id,
            r.verifier_code_bytes, r.seconds
        )
    })
}
