//! `bastion job`

use std::path::PathBuf;
use std::time::Instant;

use bastion_circuits::Shape;
use bastion_client::types::{Job, JobState, Jobs};
use bastion_node::pipeline::Cache;
use bastion_node::service::manifest::Rollup;
use bastion_node::worker::keys::WorkerKeys;
use bastion_prover::srs::SrsChoice;
use clap::Subcommand;
use serde::Serialize;

use crate::commands::operator;
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Proving jobs of a node.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion job list --state failed\n  bastion job show batch-12-1a2b3c4d5e6f7081\n  \
bastion job retry batch-12-1a2b3c4d5e6f7081\n  bastion job reprove data/bundles/batch-12-1a2b3c4d5e6f7081"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    node: operator::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists jobs, those of blocks first.
    List {
        /// Only those in this state: queued, leased, proved, verified, done, retryable, failed, cancelled.
        #[arg(long, value_parser = state)]
        state: Option<JobState>,
    },
    /// Shows a job, with the causes of its failures.
    Show {
        /// Its name.
        job: String,
    },
    /// Grants a failed or cancelled job new attempts.
    Retry {
        /// Its name.
        job: String,
    },
    /// Takes a job back.
    Cancel {
        /// Its name.
        job: String,
    },
    /// Proves the bundle of a failed job again, on this machine, without a node; to find out why it failed.
    Reprove {
        /// The bundle: a folder with job.json and input.bin.
        bundle: PathBuf,
    },
}

fn state(text: &str) -> Result<JobState, String> {
    let found = JobState::ALL.into_iter().find(|state| state.word() == text);
    found.ok_or_else(|| format!("one of {}", JobState::ALL.map(JobState::word).join(", ")))
}

#[derive(Serialize)]
struct Done {
    job: String,
    done: &'static str,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let runtime = operator::runtime()?;
    let told = |job: &str, done: &'static str| {
        let report = Done { job: job.into(), done };
        output::report(settings, &report, |r| format!("{} {}", r.job, r.done))
    };
    match &args.command {
        Command::List { state } => {
            let jobs = runtime.block_on(args.node.client(settings)?.jobs(*state))?;
            output::report(settings, &Jobs { jobs }, |list| {
                let lines: Vec<String> = list.jobs.iter().map(line).collect();
                lines.join("\n")
            })
        }
        Command::Show { job } => {
            let job = runtime.block_on(args.node.admin(settings)?.job(job))?;
            output::report(settings, &job, |job| {
                let mut text = line(job);
                for cause in &job.causes {
                    text += &format!("\n  {cause}");
                }
                text
            })
        }
        Command::Retry { job } => {
            runtime.block_on(args.node.admin(settings)?.retry_job(job))?;
            told(job, "queued again")
        }
        Command::Cancel { job } => {
            runtime.block_on(args.node.admin(settings)?.cancel_job(job))?;
            told(job, "cancelled")
        }
        Command::Reprove { bundle } => reprove(bundle, settings),
    }
}

fn line(job: &Job) -> String {
    let worker = job.worker.as_ref().map_or(String::new(), |worker| format!(", at {worker}"));
    format!("{:30} {:10} {} failed attempts{worker}", job.key, job.state.word(), job.attempts)
}

#[derive(Serialize)]
struct Reproved {
    job: String,
    proof_bytes: usize,
    seconds: f64,
}

fn reprove(bundle: &std::path::Path, settings: &Settings) -> eyre::Result<()> {
    let read = |name: &str| {
        let path = bundle.join(name);
        std::fs::read(&path).map_err(|e| CliError::BadFile {
            what: "bundle",
            path,
            why: e.to_string(),
        })
    };
    let job: bastion_node::jobs::Job = serde_json::from_slice(&read("job.json")?).map_err(|e| {
        CliError::BadFile { what: "bundle", path: bundle.into(), why: e.to_string() }
    })?;
    let input = read("input.bin")?;
    let rollup = Rollup::read(&settings.node.rollup.manifest)?;
    let shape = Shape::named(&rollup.shape)?;
    let cache = Cache::new(&settings.cache_dir);
    let progress = output::progress(settings);
    let sizes = rollup.sizes();
    let keys =
        WorkerKeys::open(&shape, &sizes, &cache, SrsChoice::Held, settings.memory, &progress)?;
    let start = Instant::now();
    let proof = keys.prove(&job.key, &input)?;
    let report = Reproved {
        job: job.key.to_string(),
        proof_bytes: proof.len(),
        seconds: start.elapsed().as_secs_f64(),
    };
    output::report(settings, &report, |r| {
        format!("{}: proved and verified here, {} bytes, {:.1} s", r.job, r.proof_bytes, r.seconds)
    })
}
