//! `bastion node`

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use bastion_node::pipeline::Cache;
use bastion_node::service::run::Node;
use eyre::WrapErr;
use tokio::signal::unix::{signal, SignalKind};
use tracing::info;

use crate::config::Settings;
use crate::output;

/// Runs the operator's node: takes operations, answers with receipts, proves, settles on L1.
///
/// It reads bastion.toml (`bastion config default` prints one with every key). It goes on where it ended,
/// whatever ended it. The first interrupt stops it: what was promised is on disk.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion node\n  bastion node --config /etc/bastion/bastion.toml\n  \
bastion node --set worker.embedded=false --set nats.url=nats://10.0.0.5:4222"
)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, settings: &Settings) -> eyre::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let cache = Cache::new(&settings.cache_dir);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("api")
        .enable_all()
        .build()
        .wrap_err("the threads of the API")?;
    let stopping = stop.clone();
    {
        let _guard = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt()).wrap_err("signals")?;
        let mut terminate = signal(SignalKind::terminate()).wrap_err("signals")?;
        runtime.spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            info!("stopping");
            stopping.store(true, Ordering::Relaxed);
            // Who asks twice does not want to wait.
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(1);
        });
    }
    let progress = output::progress(settings);
    let node = Node::start(&settings.node, &cache, settings.memory, stop, &progress)?;
    let outcome = node.join();
    runtime.shutdown_background();
    Ok(outcome?)
}
