//! `bastion node`

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use bastion_node::api::{self, admin_router, router, Backend, Options};
use bastion_node::pipeline::Cache;
use bastion_node::service::run::{wall_clock, Node};
use bastion_protocol::data::DataMode;
use eyre::WrapErr;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{signal, SignalKind};
use tracing::info;

use crate::config::Settings;
use crate::output;

/// How long answers on their way may take when the node ends.
const GRACE: Duration = Duration::from_secs(5);

/// Runs the operator's node: takes operations, answers with receipts, proves, settles on L1.
///
/// It reads bastion.toml (`bastion config default` prints one with every key). It goes on where it ended,
/// whatever ended it. The first interrupt stops it: what was promised is on disk.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion node\n  bastion node --config /etc/bastion/bastion.toml\n  \
bastion node --set worker.embedded=false --set nats.url=nats://10.0.0.5:4222"
)]
pub(crate) struct Args {
    /// Where L2 and owner records are posted: blob, or calldata [default: rollup.data-mode].
    #[arg(long, value_name = "MODE")]
    data_mode: Option<DataMode>,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let mut config = settings.node.clone();
    config.rollup.data_mode = args.data_mode.unwrap_or(config.rollup.data_mode);
    let stop = Arc::new(AtomicBool::new(false));
    let cache = Cache::new(&settings.cache_dir);
    let runtime = stop_on_signals(stop.clone())?;
    let progress = output::progress(settings);
    let node = Node::start(&config, &cache, settings.memory, stop.clone(), &progress)?;
    let served = serve(&runtime, &node, settings, stop);
    if let Err(error) = served {
        node.stop();
        // The error that counts is the first one.
        let _ = node.join();
        return Err(error);
    }
    node.wait();
    // First those who use the sequencer: its database must be closed when the process ends.
    runtime.shutdown_timeout(GRACE);
    Ok(node.join()?)
}

/// Serves the API and the operator's routes until the node stops.
fn serve(
    runtime: &Runtime,
    node: &Node,
    settings: &Settings,
    stop: Arc<AtomicBool>,
) -> eyre::Result<()> {
    let config = &settings.node.api;
    let token = admin_token(&config.admin_token_file)?;
    let guard = runtime.enter();
    let backend = Backend::new(node.parts().clone(), Arc::new(wall_clock), Options::from(config));
    let public = router(backend.clone());
    let operator = admin_router(backend, &token, public.clone());
    let routers = [(config.listen, public), (config.admin_listen, operator)];
    for (address, router) in routers {
        let listener = runtime.block_on(TcpListener::bind(address));
        let listener = listener.wrap_err_with(|| {
            format!("cannot listen on {address}: is another node running? See `api` in the configuration")
        })?;
        info!(%address, "listening");
        let stop = stop.clone();
        let stopped = async move {
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        runtime.spawn(api::serve(listener, router, config.behind_proxy, stopped));
    }
    drop(guard);
    Ok(())
}

/// The operator's token: that of the file, or a new one, which is written there for nobody else to read.
fn admin_token(path: &Path) -> eyre::Result<String> {
    let token = match std::fs::read_to_string(path) {
        Ok(token) => token.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = hex::encode(rand::random::<[u8; 32]>());
            bastion_client::keys::file::write_new(path, format!("{token}\n").as_bytes())?;
            info!(path = %path.display(), "made the operator's token");
            token
        }
        Err(error) => return Err(error).wrap_err_with(|| format!("{}", path.display())),
    };
    match token.len() >= 32 {
        true => Ok(token),
        false => Err(eyre::eyre!(
            "the operator's token in {} is shorter than 32 characters: remove the file, and the node makes a new one",
            path.display()
        )),
    }
}

/// Sets `stop` at the first interrupt or request to terminate; the second one ends the process. The
/// runtime that it gives listens.
pub(crate) fn stop_on_signals(stop: Arc<AtomicBool>) -> eyre::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("api")
        .enable_all()
        .build()
        .wrap_err("threads for signals and API")?;
    let guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).wrap_err("signals")?;
    let mut terminate = signal(SignalKind::terminate()).wrap_err("signals")?;
    drop(guard);
    runtime.spawn(async move {
        for asked in 0.. {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if asked > 0 {
                std::process::exit(1);
            }
            info!("stopping; ask again to stop at once");
            stop.store(true, Ordering::Relaxed);
        }
    });
    Ok(runtime)
}
