//! `bastion audit`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use alloy_primitives::{Address, B256};
use bastion_aggregator::verifier::{self, VerifierManifest};
use bastion_audit::{audit, Circuit, Expectation, History, Replay, Report};
use bastion_node::code;
use bastion_node::dev::dev_policy;
use bastion_node::history::collect;
use bastion_node::independent::IndependentVerifier;
use bastion_node::l1::{RpcL1, DEV_CHAIN_IDS};
use bastion_node::pipeline::Cache;
use bastion_node::NodeError;
use bastion_state::state::State;
use bastion_state::store::Store;
use bastion_state::Policy;
use eyre::{eyre, WrapErr};
use serde::Serialize;

use crate::config::Settings;
use crate::output;

/// Audits a rollup from L1 data alone: rebuilds its state and checks data, roots, proofs (with the
/// second verifier), queue, exits, the deployed verifier and the policy. Exit code 3 if anything is
/// not as it must be.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion audit --l1 http://127.0.0.1:8545 --contract 0x9fe4...a6e0\n  \
bastion audit --l1 URL --contract A --verifier verifier/ --policy policy.json --store rebuilt --json"
)]
pub(crate) struct Args {
    /// URL of an L1 node.
    #[arg(long, env = "BASTION_L1", value_name = "URL")]
    l1: String,
    /// The rollup contract.
    #[arg(long)]
    contract: Address,
    /// L1 block of its deployment, to save the node the search before it.
    #[arg(long, default_value_t = 0, value_name = "L1BLOCK")]
    deployed_at: u64,
    /// First rollup block whose proof is verified; those before were by an earlier audit. All data
    /// are read and replayed in any case.
    #[arg(long, default_value_t = 1, value_name = "BLOCK")]
    from: usize,
    /// Last rollup block to audit, the last finalized one by default.
    #[arg(long, value_name = "BLOCK")]
    to: Option<usize>,
    /// Folder of a verifier whose proofs count, once for each circuit that proved blocks; by default
    /// those of the cache whose circuit and code the contract has.
    #[arg(long, value_name = "DIR")]
    verifier: Vec<PathBuf>,
    /// A policy as JSON, once for each that was ever in force; the development policy by default,
    /// on development chains.
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// Writes the rebuilt state there, as a store that an operator can start from.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    report: Report,
    contract: String,
    chain_id: u64,
    verifiers: Vec<String>,
    unsafe_srs: bool,
    store: Option<String>,
    read_seconds: f64,
    audit_seconds: f64,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<ExitCode> {
    let start = Instant::now();
    let mut l1 = RpcL1::connect(&args.l1)?.since(args.deployed_at);
    let history = collect(&mut l1, args.contract)?;
    let read_seconds = start.elapsed().as_secs_f64();
    let policies = policies(&args.policy, history.chain_id)?;
    let folders = match args.verifier.is_empty() {
        true => find(&settings.cache_dir, &history)?,
        false => args.verifier.clone(),
    };
    let mut verifiers = Vec::new();
    for folder in &folders {
        let manifest = verifier::read(folder).map_err(NodeError::from)?;
        verifiers.push((IndependentVerifier::open(folder)?, manifest));
    }
    let circuits: Vec<Circuit<'_>> = verifiers
        .iter()
        .map(|(verifier, manifest)| {
            Ok(Circuit {
                id: circuit_id(manifest)?,
                code: manifest.code_hash.0,
                verifier: verifier.block(),
            })
        })
        .collect::<eyre::Result<_>>()?;
    let start = Instant::now();
    let (report, replay) = audit(
        &history,
        &Expectation {
            policies: &policies,
            circuits: &circuits,
            code: code::expected(&history)?,
            from: args.from,
            to: args.to,
        },
    );
    let audit_seconds = start.elapsed().as_secs_f64();
    if let (Some(path), true) = (&args.store, report.clean) {
        restore(path, &replay, report.batches)?;
    }
    let code = if report.clean { 0 } else { 3 };
    let output = Output {
        store: args
            .store
            .as_ref()
            .filter(|_| report.clean)
            .map(|p| p.display().to_string()),
        report,
        contract: args.contract.to_string(),
        chain_id: history.chain_id,
        verifiers: folders.iter().map(|f| f.display().to_string()).collect(),
        unsafe_srs: verifiers.iter().any(|(_, manifest)| manifest.unsafe_srs),
        read_seconds,
        audit_seconds,
    };
    output::report(settings, &output, text)?;
    Ok(ExitCode::from(code))
}

pub(crate) fn policies(files: &[PathBuf], chain_id: u64) -> eyre::Result<Vec<Policy>> {
    if files.is_empty() && DEV_CHAIN_IDS.contains(&chain_id) {
        return Ok(vec![dev_policy()]);
    }
    if files.is_empty() {
        return Err(eyre!(
            "chain {chain_id} is no development chain: give the rollup's policies by --policy FILE"
        ));
    }
    let read = |path: &PathBuf| {
        let shown = path.display();
        let text = std::fs::read(path).wrap_err_with(|| format!("policy {shown}"))?;
        serde_json::from_slice(&text).wrap_err_with(|| format!("policy {shown}"))
    };
    files.iter().map(read).collect()
}

fn circuit_id(manifest: &VerifierManifest) -> eyre::Result<[u8; 32]> {
    let id: B256 = manifest
        .circuit_id
        .parse()
        .wrap_err_with(|| format!("circuit id {} of the manifest", manifest.circuit_id))?;
    Ok(id.0)
}

/// The verifiers of the cache that the contract has, by circuit and code.
fn find(cache: &Path, history: &History) -> Result<Vec<PathBuf>, NodeError> {
    let folders = Cache::new(cache).verifiers();
    let (mut found, mut known) = (Vec::new(), Vec::new());
    for folder in std::fs::read_dir(&folders).into_iter().flatten().flatten() {
        let Ok(manifest) = verifier::read(&folder.path()) else {
            continue;
        };
        let id: Option<B256> = manifest.circuit_id.parse().ok();
        let code = manifest.code_hash.0;
        let registered = &history.verifiers;
        if registered
            .iter()
            .any(|r| r.code == code && Some(B256::from(r.circuit_id)) == id)
        {
            found.push(folder.path());
        }
        known.push(manifest.code_hash.to_string());
    }
    if !found.is_empty() {
        found.sort();
        return Ok(found);
    }
    Err(NodeError::Mismatch {
        what: "the code hash of the contract's verifier",
        found: format!(
            "{:?}",
            history
                .verifiers
                .iter()
                .map(|r| B256::from(r.code))
                .collect::<Vec<_>>()
        ),
        expected: format!("one of {known:?} in {}", folders.display()),
    })
}

fn restore(path: &Path, replay: &Replay, batches: u64) -> Result<(), NodeError> {
    let accounts = replay.accounts().map(|(i, a)| (i, *a));
    let state = State::with_accounts(accounts, replay.openings().copied())?;
    Store::restore(path, &state, batches)?;
    Ok(())
}

fn text(o: &Output) -> String {
    let r = &o.report;
    let mut out = format!(
        "rollup     {} on chain {}\nverifier   {}{}\n\
         audited    {} blocks, {} batches, {} operations, {} proofs; {} accounts\n\
         root       {}\n\
         waiting    {} queue entries; {} blocks not final, of which nothing is said\n\
         took       {:.1} s to read, {:.2} s to audit ({:.1} batches/s)\n",
        o.contract,
        o.chain_id,
        o.verifiers.join(", "),
        if o.unsafe_srs {
            " (UNSAFE reference string: its proofs prove nothing)"
        } else {
            ""
        },
        r.blocks,
        r.batches,
        r.operations,
        r.proofs,
        r.accounts,
        r.root,
        r.queue_waiting,
        r.pending,
        o.read_seconds,
        o.audit_seconds,
        r.batches as f64 / o.audit_seconds.max(1e-9),
    );
    if let Some(store) = &o.store {
        out += &format!("store      {store}\n");
    }
    for n in &r.notices {
        out += &format!("notice     {}: {}\n", n.name, n.what);
    }
    for f in &r.findings {
        let place = f.block.map_or(String::new(), |b| format!("block {b}: "));
        out += &format!("FINDING    {}: {place}{}\n", f.name, f.what);
    }
    out += if r.clean {
        "verdict    clean"
    } else {
        "verdict    NOT CLEAN"
    };
    out
}
