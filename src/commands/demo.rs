//! `bastion demo`

mod auction;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use bastion_aggregator::verifier::read;
use bastion_audit::{Circuit, Expectation, History};
use bastion_circuits::Shape;
use bastion_contract::evm::Rules;
use bastion_l1::{DevChain, EmbeddedL1, RpcL1, DEV_CHAIN_ID, DEV_OPERATOR};
use bastion_node::block::next_block;
use bastion_node::code;
use bastion_node::deploy::Roles;
use bastion_node::devnet::{dev_exit, dev_policy, DemoSource};
use bastion_node::exodus::{rebuild, Exodus};
use bastion_node::history::collect;
use bastion_node::pipeline::{BlockProver, Cache, Timings};
use bastion_node::recommend::MemoryPlan;
use bastion_node::second_verifier::SecondVerifier;
use bastion_node::settle::{block_hash, BlockGas, RollupClient};
use bastion_node::NodeError;
use bastion_protocol::data::DataMode;
use bastion_protocol::header::domain;
use bastion_protocol::records::{ExitRecord, Section};
use bastion_protocol::{field, Address};
use bastion_protocol::{Kind, Policy};
use bastion_prover::srs::{SrsChoice, SrsOrigin};
use bastion_state::executor::BatchContext;
use bastion_state::state::State;
use comfy_table::{presets, Table};
use eyre::eyre;
use serde::Serialize;

use crate::commands::srs_line;
use crate::config::{self, Settings};
use crate::output;

/// Time of the embedded L1.
const EMBEDDED_TIME: u64 = 1_800_000_000;
/// Batches of its block.
const BATCHES: usize = 2;
/// Gas that a blob costs at least: EIP-7918 holds the price of its 2^17 units of blob gas above that of
/// 2^13 units of gas.
const BLOB_GAS: u64 = 1 << 13;

/// Runs the main job on an embedded L1: operations, proofs, finalization, exits.
///
/// Deposits, transfers, a withdrawal and the forced exit of a frozen account; two batches are proved,
/// aggregated, verified by the contract and claimed; then the operator falls silent, and everybody
/// leaves by exodus. Last, everything is audited from what L1 holds. If the cache holds no reference string, an UNSAFE one is made.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  bastion demo --shape tiny\n  bastion demo --shape standard --l1-rules amsterdam --json\n  bastion demo auction"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    story: Option<Story>,
    /// Shape: tiny, small, medium, market, standard or large (`bastion shapes` compares them).
    #[arg(long, default_value = "small", value_parser = config::shape)]
    shape: Shape,
    /// Where L2 and owner records are posted: blob, or calldata.
    #[arg(long, value_name = "MODE", default_value_t = DataMode::Blob)]
    data_mode: DataMode,
    /// Brings data and proof to L1 in one transaction instead of two.
    #[arg(long)]
    in_one: bool,
    /// A development node (anvil) instead of the embedded L1.
    #[arg(long, env = "BASTION_L1", hide_env_values = true, value_name = "URL")]
    l1: Option<String>,
    /// Rules of the embedded L1: those in force, or those of the next fork, as far as they are known.
    #[arg(long, value_name = "FORK", default_value = "osaka", conflicts_with = "l1")]
    l1_rules: L1Rules,
}

/// The help of a story is the comment of its `Args`.
#[derive(Debug, clap::Subcommand)]
enum Story {
    Auction(auction::Args),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum L1Rules {
    Osaka,
    Amsterdam,
}

impl From<L1Rules> for Rules {
    fn from(rules: L1Rules) -> Self {
        match rules {
            L1Rules::Osaka => Self::Osaka,
            L1Rules::Amsterdam => Self::Amsterdam,
        }
    }
}

/// Gas of the block.
#[derive(Serialize)]
struct Gas {
    /// 0 if it came with the proof.
    commit: u64,
    /// The proof, which moves the root.
    prove: u64,
    /// Gas that the blobs are worth at the least price that they have (EIP-7918); 0 without any.
    blob: u64,
    /// Operations that users signed: transfers, but for a few.
    transfers: u64,
    /// All of it, for each of them.
    per_transfer: u64,
}

impl Gas {
    fn new(gas: BlockGas, blobs: usize, transfers: u64) -> Self {
        let blob = BLOB_GAS * blobs as u64;
        let BlockGas { commit, prove } = gas;
        let per_transfer = (gas.total() + blob) / transfers.max(1);
        Self { commit, prove, blob, transfers, per_transfer }
    }

    /// The parts for one transfer.
    fn parts(&self) -> String {
        let part = |gas: u64| gas as f64 / self.transfers.max(1) as f64;
        let mut parts =
            format!("commit {:.1}, prove and finalize {:.1}", part(self.commit), part(self.prove));
        if self.blob > 0 {
            parts += &format!(", blob {:.1} (at the reserve price of EIP-7918)", part(self.blob));
        }
        parts
    }
}

/// What an audit from L1 data alone found.
#[derive(Serialize)]
struct Audited {
    blocks: usize,
    proofs: usize,
    clean: bool,
}

impl std::fmt::Display for Audited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [blocks, proofs] = [(self.blocks, "block"), (self.proofs, "proof")]
            .map(|(n, one)| output::count(n as u64, one));
        write!(f, "{blocks}, {proofs}, no finding")
    }
}

#[derive(Serialize)]
struct Report {
    operations: BTreeMap<Kind, usize>,
    batches: Vec<usize>,
    old_root: String,
    new_root: String,
    finalized_root: String,
    contract: String,
    data_mode: DataMode,
    blobs: usize,
    data_bytes: usize,
    proof_bytes: usize,
    verifier_code_bytes: usize,
    srs: String,
    unsafe_dev_srs: bool,
    setup_seconds: f64,
    execute_seconds: f64,
    timings: Timings,
    /// Rules of the embedded L1; null for a node, which has its own.
    l1_rules: Option<L1Rules>,
    gas: Gas,
    claims: Vec<u64>,
    exodus: Exodus,
    audit: Audited,
    vault_before_exodus: String,
    vault: String,
    total_seconds: f64,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    if let Some(Story::Auction(args)) = &args.story {
        return auction::run(args, settings);
    }
    let start = Instant::now();
    let shape = &args.shape;
    MemoryPlan::new(shape, BATCHES).require(settings.memory)?;
    let mut l1: Box<dyn DevChain> = match &args.l1 {
        Some(url) => Box::new(RpcL1::connect(url)?),
        None => Box::new(EmbeddedL1::with_rules(DEV_CHAIN_ID, EMBEDDED_TIME, args.l1_rules.into())),
    };
    let progress = output::progress(settings);
    let cache = Cache::new(&settings.cache_dir);
    cache.check_compiler(shape, BATCHES)?;
    let choice = SrsChoice::HeldOrUnsafeDev;
    let prover = BlockProver::open(shape, BATCHES, &cache, choice, &progress)?;
    let setup_seconds = start.elapsed().as_secs_f64();

    // L1: contracts, then what the users ask for.
    let mut state = State::new();
    let genesis = state.root();
    let policy = dev_policy();
    let verifier = &prover.verifier(&cache)?;
    let mut settlement =
        RollupClient::deploy(l1.as_mut(), &Roles::dev(DEV_OPERATOR), verifier, &genesis, &policy)?;
    let contract = Address(settlement.rollup.into_array());
    let context = BatchContext { domain: domain(l1.chain_id(), contract), time: l1.now()?, policy };
    let transfers = DemoSource::transfers_for(shape);
    let mut source = DemoSource::new(context.domain, context.time, transfers);
    for op in source.queue() {
        settlement.enqueue(l1.as_mut(), &op)?;
    }

    // L2: execute and prove.
    let execute = Instant::now();
    let mut refused = Vec::new();
    let block = next_block(
        &mut state,
        &context,
        shape,
        BATCHES,
        args.data_mode,
        &mut source,
        &mut refused,
    )?
    .ok_or_else(|| eyre!("the demo made no operations"))?;
    let execute_seconds = execute.elapsed().as_secs_f64();
    if let Some(first) = refused.first() {
        return Err(eyre!("{}: {}", first.place, first.why));
    }
    let proven = prover.prove(&block, settings.memory, &progress)?;

    // L1: the root moves, exits are paid.
    let (header, posted, proof) = (&block.header, block.posted(), &proven.proof);
    let gas = match args.in_one {
        true => settlement.settle_in_one(l1.as_mut(), header, posted, proof)?,
        false => settlement.settle(l1.as_mut(), 1, header, posted, proof)?,
    };
    let inputs = block_hash(&proof.inputs);
    let finalized = settlement.state_root(l1.as_mut())?;
    let exits: Vec<(Vec<u8>, ExitRecord)> = block
        .operations()
        .flat_map(|op| {
            let records = op.records().into_iter();
            let exits = records.filter(|(section, _)| *section == Section::Exits);
            exits.map(|(_, bytes)| bytes).zip(op.exit_record())
        })
        .collect();
    let records: Vec<Vec<u8>> = exits.iter().map(|(bytes, _)| bytes.clone()).collect();
    let mut claims = Vec::new();
    let now = l1.now()?;
    // A large part of a small vault does not fit the token's bucket: by then nothing delays it.
    let delay = settlement.longest_delay(l1.as_mut())?;
    l1.advance(delay)?;
    for (position, (_, exit)) in exits.iter().enumerate() {
        if exit.release_time <= now {
            claims.push(settlement.claim(l1.as_mut(), 1, inputs, position, &records)?);
        }
    }

    // The operator falls silent: what is queued now is in no block when the deadline has passed.
    for op in source.censored() {
        settlement.enqueue(l1.as_mut(), &op)?;
    }
    let vault_before = l1.balance(settlement.rollup)?;
    let deadline = settlement.queue_deadline(l1.as_mut())?;
    l1.advance(deadline + 1)?;
    let history = history(l1.as_mut(), settlement.rollup)?;
    let rebuilt = rebuild(&history, std::slice::from_ref(&context.policy))?;
    let stranger = dev_exit("stranger").0.into();
    let exodus = settlement.exodus(l1.as_mut(), stranger, &history, &rebuilt)?;
    let vault = l1.balance(settlement.rollup)?;
    let held = settlement.held(l1.as_mut(), 0)?;
    if !vault.is_zero() || !held.is_zero() {
        return Err(eyre!("after everybody left the vault holds {vault} wei, {held} by its books"));
    }

    let verifier_folder = prover.verifier_dir(&cache);
    let audit = audit(l1.as_mut(), settlement.rollup, &verifier_folder, &context.policy)?;

    let mut operations = BTreeMap::new();
    for op in block.operations() {
        *operations.entry(op.kind).or_default() += 1;
    }
    let signed = block.operations().filter(|op| op.message.is_some()).count() as u64;
    let report = Report {
        operations,
        batches: block.batches.iter().map(|b| b.ops.len()).collect(),
        old_root: field::to_hex(&block.header.old_root),
        new_root: field::to_hex(&block.header.new_root),
        finalized_root: format!("{finalized:#066x}"),
        contract: contract.to_string(),
        data_mode: block.posted().mode(),
        blobs: block.blobs.len(),
        data_bytes: block.data.len(),
        proof_bytes: proven.proof.proof.len(),
        verifier_code_bytes: verifier.contract.code_size,
        srs: prover.srs.id().to_string(),
        unsafe_dev_srs: prover.srs.origin() == SrsOrigin::UnsafeDev,
        setup_seconds,
        execute_seconds,
        timings: proven.timings,
        l1_rules: args.l1.is_none().then_some(args.l1_rules),
        gas: Gas::new(gas, block.blobs.len(), signed),
        claims,
        exodus,
        audit,
        vault_before_exodus: vault_before.to_string(),
        vault: vault.to_string(),
        total_seconds: start.elapsed().as_secs_f64(),
    };
    if report.finalized_root != report.new_root {
        return Err(eyre!(
            "the contract's root {} is not the proven one {}",
            report.finalized_root,
            report.new_root
        ));
    }
    output::report(settings, &report, text)
}

/// What L1 tells of the rollup, with the blobs that the chain holds.
fn history(l1: &mut dyn DevChain, rollup: alloy_primitives::Address) -> eyre::Result<History> {
    let mut history = collect(l1, rollup)?;
    for blob in history.blocks.iter_mut().flat_map(|block| &mut block.blobs) {
        blob.bytes = l1.blob(blob.versioned_hash.into())?.map(Into::into);
    }
    Ok(history)
}

/// Audits the rollup from what L1 holds, with the second verifier.
fn audit(
    l1: &mut dyn DevChain,
    rollup: alloy_primitives::Address,
    verifier: &Path,
    policy: &Policy,
) -> eyre::Result<Audited> {
    let history = history(l1, rollup)?;
    let manifest = read(verifier).map_err(NodeError::from)?;
    let second = SecondVerifier::open(verifier)?;
    let circuit = Circuit {
        id: manifest.circuit_id.to_bytes(),
        code: manifest.code_hash.0,
        verifier: second.block(),
    };
    let expectation = Expectation {
        policies: std::slice::from_ref(policy),
        circuits: std::slice::from_ref(&circuit),
        code: code::expected(&history)?,
        from: 1,
        to: None,
    };
    let (report, _) = bastion_audit::audit(&history, &expectation);
    if let Some(finding) = report.findings.first() {
        return Err(eyre!("the audit from L1 data found: {}", finding.what));
    }
    Ok(Audited { blocks: report.blocks, proofs: report.proofs, clean: report.clean })
}

fn text(r: &Report) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    let mut row = |name: &str, value: String| {
        table.add_row(vec![name.to_string(), value]);
    };
    for (kind, n) in &r.operations {
        row(&format!("{kind:?}"), n.to_string());
    }
    row("operations per batch", format!("{:?}", r.batches));
    row("root before", r.old_root.clone());
    row("root after", r.new_root.clone());
    row("finalized root (contract)", r.finalized_root.clone());
    row("contract", r.contract.clone());
    row("reference string", srs_line(&r.srs, r.unsafe_dev_srs));
    row("setup", format!("{:.1} s", r.setup_seconds));
    row("execute", format!("{:.2} s", r.execute_seconds));
    row("witness", format!("{:.1} s", r.timings.witness));
    row("batch proofs", format!("{:.1} s", r.timings.prove));
    row("aggregation", format!("{:.1} s", r.timings.aggregate));
    row("total", format!("{:.1} s", r.total_seconds));
    let blobs = match r.blobs {
        0 => String::new(),
        1 => " and a blob".into(),
        blobs => format!(" and {blobs} blobs"),
    };
    row("posted data", format!("{} bytes of calldata{blobs}", r.data_bytes));
    row("proof", format!("{} bytes", r.proof_bytes));
    row("verifier contract", format!("{} bytes", r.verifier_code_bytes));
    row("gas: commit, prove and finalize", format!("{}, {}", r.gas.commit, r.gas.prove));
    row("gas per transfer", r.gas.per_transfer.to_string());
    row("of that", r.gas.parts());
    row("gas of claims", format!("{:?}", r.claims));
    row("vault before exodus", format!("{} wei", r.vault_before_exodus));
    row("gas: begin exodus", r.exodus.begin.to_string());
    row("gas: accounts leave", format!("{:?}", r.exodus.departures));
    row("gas: deposits back", format!("{:?}", r.exodus.refunds));
    row("gas: claims left", format!("{:?}", r.exodus.claims));
    row("vault after exodus", format!("{} wei", r.vault));
    row("audit from L1 data", r.audit.to_string());
    table.to_string()
}
