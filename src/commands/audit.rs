//! `bastion audit`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use alloy_primitives::B256;
use bastion_aggregator::verifier;
use bastion_audit::{audit, Circuit, Expectation, History, Replay, Report};
use bastion_l1::{At, ReadL1, DEV_CHAIN_IDS};
use bastion_node::code;
use bastion_node::devnet::dev_policy;
use bastion_node::history::collect_pinned;
use bastion_node::pipeline::Cache;
use bastion_node::second_verifier::SecondVerifier;
use bastion_node::service::manifest::Rollup;
use bastion_node::service::rebuild::{self, Rebuilt};
use bastion_node::NodeError;
use bastion_protocol::Policy;
use bastion_state::state::State;
use bastion_state::store::Store;
use eyre::{eyre, WrapErr};
use serde::Serialize;

use crate::commands::claims::Claims;
use crate::commands::{db, rollup, sources};
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Rebuilds and checks a rollup from L1 data alone.
///
/// Checks data, roots, proofs (with the second verifier), queue, exits, the deployed verifier and the
/// policy. Exit code 3 if it finds a fault, or only a wrong blob; 5 if nobody has the blob of a block.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion audit --l1 http://127.0.0.1:8545 --contract 0x9fe4...a6e0\n  \
bastion audit --l1 URL --contract A --verifier verifier/ --policy policy.json --store rebuilt --json\n  \
bastion audit --l1 URL --contract A --beacon http://127.0.0.1:5052 --blobs https://node.example\n  \
bastion audit --l1 URL --contract A --blobs archive/"
)]
pub(crate) struct Args {
    #[command(flatten)]
    on_l1: rollup::Args,
    #[command(flatten)]
    sources: sources::Args,
    /// L1 block at which everything is read: latest, safe, finalized or a number; finalized by
    /// default, on development chains latest. What a later block holds may still change.
    #[arg(long, value_name = "L1BLOCK")]
    at: Option<At>,
    /// First rollup block whose proof is verified; those before were by an earlier audit. All data
    /// are read and replayed in any case.
    #[arg(long, default_value_t = 1, value_name = "BLOCK", value_parser = block_number)]
    from: usize,
    /// Last rollup block to audit, the last finalized one by default.
    #[arg(long, value_name = "BLOCK", value_parser = block_number)]
    to: Option<usize>,
    /// Folder of a verifier whose proofs count, once for each circuit that proved blocks; by default
    /// those of the cache whose circuit and code the contract has.
    #[arg(long, value_name = "DIR")]
    verifier: Vec<PathBuf>,
    /// A policy as JSON, once for each that was ever in force; the development policy by default,
    /// on development chains.
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// The log of findings that the operator shows: it is compared with the heads that were posted with the
    /// blocks, and the payments to watchers that it owes with the transfers in their data.
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    /// Writes the rebuilt state there, as a store that an operator can start from.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Makes a data folder there, from which a node goes on when its own is lost. All blocks must be final.
    /// The rollup's manifest must be at rollup.manifest, and its keys in the cache.
    #[arg(long, value_name = "DIR")]
    node_data: Option<PathBuf>,
}

#[derive(Serialize)]
struct Output {
    #[serde(flatten)]
    report: Report,
    contract: String,
    chain_id: u64,
    l1_block: u64,
    l1_block_hash: String,
    verifiers: Vec<String>,
    unsafe_srs: bool,
    store: Option<String>,
    node_data: Option<Rebuilt>,
    /// What the operator claimed with its blocks, and whether the log fits.
    claims: Claims,
    read_seconds: f64,
    audit_seconds: f64,
}

fn block_number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("blocks are counted from 1".into()),
        Ok(number) => Ok(number),
        Err(e) => Err(format!("{e}")),
    }
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<ExitCode> {
    // What can be wrong here is told before L1 is read, which may take long.
    if let Some(to) = args.to.filter(|to| *to < args.from) {
        let why = format!("--from {} comes after --to {to}: no block is left", args.from);
        return Err(CliError::Usage(why).into());
    }
    let given = read_policies(&args.policy)?;
    for folder in &args.verifier {
        is_verifier(folder)?;
        verifier::read(folder).map_err(NodeError::from)?;
    }
    if let Some(path) = &args.store {
        vacant(path)?;
    }
    let manifest = match &args.node_data {
        Some(_) if args.to.is_some() => {
            let why = "--node-data goes on from the last block: leave --to away".into();
            return Err(CliError::Usage(why).into());
        }
        Some(_) => Some(Rollup::read(&settings.node.rollup.manifest)?),
        None => None,
    };
    let mut blobs = args.sources.open()?;
    let start = Instant::now();
    let mut l1 = args.on_l1.connect()?;
    l1 = l1.at(args.at.unwrap_or_default());
    let policies = policies(given, l1.chain_id())?;
    let (history, pin) = collect_pinned(&mut l1, args.on_l1.contract, &mut blobs)?;
    blobs.require(&history, args.to)?;
    let read_seconds = start.elapsed().as_secs_f64();
    let folders = match args.verifier.is_empty() {
        true => find(&settings.cache_dir, &history)?,
        false => args.verifier.clone(),
    };
    let mut verifiers = Vec::new();
    for folder in &folders {
        let manifest = verifier::read(folder).map_err(NodeError::from)?;
        verifiers.push((SecondVerifier::open(folder)?, manifest));
    }
    let circuits: Vec<Circuit<'_>> = verifiers
        .iter()
        .map(|(verifier, manifest)| {
            Ok(Circuit {
                id: manifest.circuit_id.to_bytes(),
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
    if report.clean {
        let blocks = history.blocks.iter();
        let last = blocks.take_while(|b| b.finalized.is_some()).count();
        something_was_checked(args.from, args.to, last)?;
    }
    let stored = match &args.store {
        Some(path) if report.clean => {
            restore(path, &replay, report.batches).map(|()| Some(path.display().to_string()))
        }
        _ => Ok(None),
    };
    let rebuilt = match (&args.node_data, &manifest) {
        (Some(data), Some(rollup)) if report.clean => {
            let verifiers = db::verifiers(rollup, settings)?;
            rebuild::rebuild(data, rollup, verifiers, &history, &replay).map(Some)
        }
        _ => Ok(None),
    };
    let claims = Claims::check(&history, args.findings.as_deref())?;
    let code = if report.clean && claims.is_clean() { 0 } else { 3 };
    let output = Output {
        claims,
        store: stored.as_ref().ok().cloned().flatten(),
        node_data: rebuilt.as_ref().ok().cloned().flatten(),
        report,
        contract: args.on_l1.contract.to_string(),
        chain_id: history.chain_id,
        l1_block: pin.number,
        l1_block_hash: pin.hash.to_string(),
        verifiers: folders.iter().map(|f| f.display().to_string()).collect(),
        unsafe_srs: verifiers.iter().any(|(_, manifest)| manifest.unsafe_srs),
        read_seconds,
        audit_seconds,
    };
    output::report(settings, &output, text)?;
    // The verdict stands even if store or data folder cannot be written.
    stored?;
    rebuilt?;
    Ok(ExitCode::from(code))
}

/// A check of nothing finds nothing, and says nothing: all blocks that were asked for must be among
/// the `last` final ones.
fn something_was_checked(from: usize, to: Option<usize>, last: usize) -> eyre::Result<()> {
    if last == 0 {
        return Err(eyre!("nothing was audited: no block is final as of this L1 block"));
    }
    if from > last || to.is_some_and(|to| to > last) {
        let asked = to.map_or_else(|| format!("from {from} on"), |to| format!("{from} to {to}"));
        return Err(eyre!(
            "not all blocks that were to be audited ({asked}) are there: the last final one is {last}"
        ));
    }
    Ok(())
}

/// Folders of blocks and of verifiers both have a manifest; people take one for the other.
fn is_verifier(folder: &Path) -> Result<(), CliError> {
    let has = |name: &str| folder.join(name).is_file();
    if has("manifest.json") && !has(verifier::DESCRIPTION) {
        return Err(CliError::BadFile {
            what: "verifier",
            path: folder.into(),
            why: format!(
                "the folder has a manifest but no {}: it is no verifier's. Those are in the folder \
                 `verifier` of the cache; `bastion setup` prints the path of the one that it makes",
                verifier::DESCRIPTION
            ),
        });
    }
    Ok(())
}

/// The folder for the store must hold nothing yet.
fn vacant(path: &Path) -> eyre::Result<()> {
    let shown = path.display();
    match std::fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => {
                Err(eyre!("--store {shown}: the folder holds something already: choose another"))
            }
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e).wrap_err_with(|| format!("--store {shown}")),
    }
}

pub(crate) fn read_policies(files: &[PathBuf]) -> eyre::Result<Vec<Policy>> {
    let read = |path: &PathBuf| {
        let shown = path.display();
        let text = std::fs::read(path).wrap_err_with(|| format!("policy {shown}"))?;
        serde_json::from_slice(&text).wrap_err_with(|| format!("policy {shown}"))
    };
    files.iter().map(read).collect()
}

/// The policies given, or those of a development chain.
pub(crate) fn policies(given: Vec<Policy>, chain_id: u64) -> eyre::Result<Vec<Policy>> {
    if DEV_CHAIN_IDS.contains(&chain_id) {
        let own = std::iter::once(dev_policy()).filter(|own| !given.contains(own));
        return Ok(own.chain(given.iter().cloned()).collect());
    }
    if !given.is_empty() {
        return Ok(given);
    }
    Err(eyre!(
        "chain {chain_id} is no development chain: give the rollup's policies by --policy FILE"
    ))
}

/// The verifiers of the cache that the contract has, by circuit and code.
fn find(cache: &Path, history: &History) -> Result<Vec<PathBuf>, CliError> {
    let folders = Cache::new(cache).verifiers();
    let mut found = Vec::new();
    for folder in std::fs::read_dir(&folders).into_iter().flatten().flatten() {
        let Ok(manifest) = verifier::read(&folder.path()) else {
            continue;
        };
        let id = manifest.circuit_id.to_bytes();
        let code = manifest.code_hash.0;
        let registered = &history.verifiers;
        if registered.iter().any(|r| r.code == code && r.circuit_id == id) {
            found.push(folder.path());
        }
    }
    if !found.is_empty() {
        found.sort();
        return Ok(found);
    }
    let registered = history.verifiers.iter().map(|r| B256::from(r.code));
    let registered: Vec<_> = registered.map(|code| code.to_string()).collect();
    Err(CliError::NoVerifier { registered: registered.join(", "), folder: folders })
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
        "rollup     {} on chain {} as of L1 block {} ({})\nverifier   {}{}\n\
         audited    {}, {}, {}, {}; {} accounts\n\
         root       {}\n\
         waiting    {} queue entries; {} blocks not final, which were not checked\n\
         took       {:.1} s to read, {:.2} s to audit ({:.1} batches/s)\n",
        o.contract,
        o.chain_id,
        o.l1_block,
        o.l1_block_hash,
        o.verifiers.join(", "),
        if o.unsafe_srs { " (UNSAFE reference string: its proofs prove nothing)" } else { "" },
        output::count(r.blocks as u64, "block"),
        output::count(r.batches, "batch"),
        output::count(r.operations, "operation"),
        output::count(r.proofs as u64, "proof"),
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
    if let Some(made) = &o.node_data {
        out += &format!("node data  {}, after block {}\n", made.folder, made.block);
    }
    out += &o.claims.text();
    for n in &r.notices {
        out += &format!("notice     {}: {}\n", n.name, n.what);
    }
    for f in &r.findings {
        let place = f.block.map_or(String::new(), |b| format!("block {b}: "));
        out += &format!("FINDING    {}: {place}{}\n", f.name, f.what);
    }
    let clean = r.clean && o.claims.is_clean();
    out += if clean { "verdict    clean" } else { "verdict    NOT CLEAN" };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_of_nothing_is_no_success() {
        for (from, to, last) in [(1, None, 1), (2, None, 2), (1, Some(2), 3), (3, Some(3), 3)] {
            assert!(something_was_checked(from, to, last).is_ok());
        }
        for (from, to, last) in [(1, None, 0), (1, Some(1), 0), (50, None, 1), (1, Some(2), 1)] {
            assert!(something_was_checked(from, to, last).is_err());
        }
    }
}
