//! `bastion status`

use std::time::Duration;

use bastion_client::types::Status;

use crate::commands::operator;
use crate::config::Settings;
use crate::output;

/// Shows what a node is doing: blocks, jobs, workers, L1, costs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion status\n  bastion status --watch\n  bastion status --node http://10.0.0.5:4000 --json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    node: operator::Args,
    /// Shows it again every two seconds, until it is interrupted.
    #[arg(long)]
    watch: bool,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let client = args.node.client(settings)?;
    let runtime = operator::runtime()?;
    loop {
        let status = runtime.block_on(client.status())?;
        if args.watch && !settings.json {
            // Clears the screen.
            print!("\x1b[2J\x1b[H");
        }
        output::report(settings, &status, text)?;
        if !args.watch {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(2));
    }
}

fn text(s: &Status) -> String {
    let accepting = match (s.accepting, s.paused, s.draining, &s.breaker) {
        (true, ..) => "yes".to_owned(),
        (_, true, ..) => "no: paused by the operator".into(),
        (_, _, true, _) => "no: draining".into(),
        (.., Some(cause)) => format!("no: {cause}"),
        _ => "no: GET /readyz and the node's log say why".into(),
    };
    let cost = match (&s.cost.gas_per_operation, &s.cost.wei_per_operation) {
        (Some(gas), Some(wei)) => format!("{gas} gas, {wei} wei"),
        _ => "not known before a block is final".into(),
    };
    let mut text = format!(
        "accepting   {accepting}\noperations  {} ({:.1} a second)\nbatches     {} closed, {} sealed\n\
         blocks      open {}, sealed {}, proven {}, committed {}, final {}\n\
         oldest      {} s since the oldest block that is not final was opened\n\
         L1 queue    {} of {} taken, the oldest waits {} s\n\
         jobs        {} queued, {} leased, {} failed, {} done\n\
         operation   {cost}\n\
         L1          block {}, gas price {} wei, balance {} wei{}",
        s.entries,
        s.operations_per_second,
        s.batches.closed,
        s.batches.sealed,
        s.blocks.open,
        s.blocks.sealed,
        s.blocks.proven,
        s.blocks.committed,
        s.blocks.finalized,
        s.oldest_unfinished_seconds,
        s.queue.taken,
        s.queue.on_l1,
        s.queue.oldest_seconds,
        s.jobs.queued,
        s.jobs.leased,
        s.jobs.failed,
        s.jobs.done,
        s.l1.block,
        s.l1.gas_price,
        s.l1.balance_wei,
        if s.l1.synced { "" } else { ", DOES NOT ANSWER" },
    );
    for worker in &s.workers {
        let busy = if worker.busy { "busy" } else { "idle" };
        text += &format!(
            "\nworker      {} {busy}, heard of {} s ago",
            worker.name, worker.last_heard_seconds
        );
    }
    text
}
