//! `bastion worker`

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use bastion_circuits::Shape;
use bastion_node::nats::client::NatsDesk;
use bastion_node::pipeline::Cache;
use bastion_node::recommend::MemoryPlan;
use bastion_node::service::manifest::Rollup;
use bastion_node::worker::keys::WorkerKeys;
use bastion_node::worker::Worker;
use bastion_node::NodeError;
use bastion_prover::srs::SrsChoice;
use tracing::info;

use crate::commands::node::stop_on_signals;
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Proves for a node on another machine: takes its jobs over NATS.
///
/// It needs the keys of the node's circuits (`bastion setup`, from the same reference string) and the
/// node's manifest; neither a compiler nor L1. The first interrupt lets it finish the proof that it is at.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: bastion worker --nats nats://10.0.0.5:4222 --manifest rollup.json --name rack-3"
)]
pub(crate) struct Args {
    /// URL of the NATS server.
    #[arg(long, value_name = "URL", env = "BASTION_NATS", hide_env_values = true)]
    nats: Option<String>,
    /// The node's manifest [default: rollup.manifest of the configuration].
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Its name; no other worker of the node may have it [default: host and process].
    #[arg(long)]
    name: Option<String>,
    /// Jobs at once at most, as far as the memory holds them [default: worker.slots of the configuration].
    #[arg(long)]
    slots: Option<usize>,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let config = &settings.node;
    let url = args.nats.clone().or_else(|| config.nats.url.clone());
    let url = url.ok_or_else(|| {
        CliError::Usage("no NATS server: give --nats URL, or nats.url in the configuration".into())
    })?;
    let manifest = args.manifest.as_ref().unwrap_or(&config.rollup.manifest);
    let rollup = Rollup::read(manifest)?;
    let shape = Shape::named(&rollup.shape)?;
    let cache = Cache::new(&settings.cache_dir);
    let sizes = rollup.sizes();
    let progress = output::progress(settings);
    let keys =
        WorkerKeys::open(&shape, &sizes, &cache, SrsChoice::Held, settings.memory, &progress)?;
    let own = keys.circuits();
    let wanted = rollup.blocks.iter().map(|block| block.circuit).chain([rollup.batch_circuit]);
    for circuit in wanted {
        if !own.iter().any(|(_, held)| *held == circuit) {
            return Err(NodeError::NoKeys { circuit }.into());
        }
    }
    let largest = sizes.into_iter().max().unwrap_or(1) as usize;
    let slots = args.slots.unwrap_or(config.worker.slots);
    let admission = MemoryPlan::new(&shape, largest).admission(settings.memory, slots);
    let desk = NatsDesk::connect(&url, rollup.chain_id, rollup.contract, &own)?;
    let name = args.name.clone().unwrap_or_else(default_name);
    let stop = Arc::new(AtomicBool::new(false));
    let _signals = stop_on_signals(stop.clone())?;
    info!(name, slots = admission.slots(), "working");
    Worker::new(name, Arc::new(desk), Arc::new(keys), admission, stop).run();
    Ok(())
}

fn default_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), std::process::id())
}
