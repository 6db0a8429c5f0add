//! `bastion l1`

use std::path::{Path, PathBuf};

use bastion_circuits::Shape;
use bastion_l1::txmgr::{Judge, TxManager};
use bastion_l1::ReadL1;
use bastion_l1::{Failover, FailoverOptions, DEV_CHAIN_IDS};
use bastion_node::check::FolderVerifier;
use bastion_node::deploy::Roles;
use bastion_node::devnet::dev_policy;
use bastion_node::pipeline::Cache;
use bastion_node::recommend::MAX_BATCHES;
use bastion_node::sequencer::ReceiptSigner;
use bastion_node::service::deployment::{self, Plan};
use bastion_node::service::manifest::Rollup;
use bastion_node::service::{keys, policies, restored};
use bastion_node::settle::to_u256;
use bastion_protocol::Policy;
use bastion_prover::artifact::write_bytes_atomic;
use clap::Subcommand;
use serde::Serialize;

use crate::commands::operator;
use crate::commands::wallet::amount;
use crate::config::{self, Settings};
use crate::exit::CliError;
use crate::output;

/// Deploys the rollup on L1, and looks after the operator's transactions.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion l1 deploy --shape standard --batches 4 --roles roles.json --policy policy.json\n  \
bastion l1 deploy --shape tiny --dev\n  \
bastion l1 tighten --token 0 --percent 50 --policy policies/2.json\n  bastion l1 bond --amount 10eth\n  bastion l1 new-epoch"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Deploys verifier, governance and rollup from the operator's account, and writes the manifest that
    /// the node reads. What an earlier run did is not done again.
    Deploy(Deploy),
    /// Lists the transactions of a running node, with their attempts.
    Status {
        #[command(flatten)]
        node: operator::Args,
    },
    /// Pays more for a transaction now, or begins one anew that has failed.
    Resend {
        /// Its name, such as "commit 7".
        name: String,
        #[command(flatten)]
        node: operator::Args,
    },
    /// Makes a tighter policy: less of a token leaves. The governor sends it, and it is in force at once.
    Tighten(Tighten),
    /// Puts ether behind the key of receipts, from the operator's account: whoever shows a broken receipt takes a
    /// part of it, and the rest is burned. Makes the contract for it if the manifest names none. The node must be
    /// stopped.
    #[command(after_help = "Example: bastion l1 bond --amount 10eth")]
    Bond {
        /// How much, such as 1eth.
        #[arg(long, value_parser = amount::read)]
        amount: u128,
        /// The address of the key [default: that of this node's key].
        #[arg(long, value_name = "ADDRESS")]
        signer: Option<alloy_primitives::Address>,
    },
    /// Prints the calls that begin a new epoch of receipts: what was promised and is not proven becomes void. For a
    /// node whose data folder was restored.
    #[command(after_help = "Example: bastion l1 new-epoch --json")]
    NewEpoch,
    /// Takes a transaction back that is not in a block yet.
    Cancel {
        /// Its name.
        name: String,
        #[command(flatten)]
        node: operator::Args,
    },
}

#[derive(Debug, clap::Args)]
struct Deploy {
    /// Shape of the batches, of which `bastion setup` has made keys and verifier.
    #[arg(long, value_parser = config::shape)]
    shape: Shape,
    /// Batches in a block.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_BATCHES)))]
    batches: u8,
    /// Who may do what, as JSON: governor, operators, guardians, to_pause, council, to_unpause.
    #[arg(long, value_name = "FILE", required_unless_present = "dev")]
    roles: Option<PathBuf>,
    /// The policy in force at the start, as JSON.
    #[arg(long, value_name = "FILE", required_unless_present = "dev")]
    policy: Option<PathBuf>,
    /// On a development chain: the development policy, and roles without keys but the operator's.
    #[arg(long)]
    dev: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: bastion l1 tighten --token 0 --percent 50 --policy policies/2.json"
)]
struct Tighten {
    /// The token of which less is to leave.
    #[arg(long, default_value_t = 0)]
    token: u16,
    /// By how much its rate falls, in percent.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=100))]
    percent: u8,
    /// Where the new policy goes. The file must not exist; put it where rollup.policies finds it.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
}

#[derive(Serialize)]
struct Report {
    chain_id: u64,
    contract: String,
    governance: String,
    operator: String,
    first_block: u64,
    manifest: String,
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    match &args.command {
        Command::Deploy(args) => deploy(args, settings),
        Command::Tighten(args) => tighten(args, settings),
        Command::NewEpoch => new_epoch(settings),
        Command::Bond { amount, signer } => bond(*amount, *signer, settings),
        Command::Status { node } => {
            let admin = node.admin(settings)?;
            let intents = operator::runtime()?.block_on(admin.intents())?;
            output::report(settings, &intents, |all| {
                let line = |intent: &bastion_client::types::Intent| {
                    let cause =
                        intent.cause.as_ref().map_or(String::new(), |why| format!(": {why}"));
                    let attempts = intent.attempts.len();
                    format!("{:24} {:10} {attempts} attempts{cause}", intent.name, intent.state)
                };
                all.intents.iter().map(line).collect::<Vec<_>>().join("\n")
            })
        }
        Command::Resend { name, node } => {
            operator::runtime()?.block_on(node.admin(settings)?.resend(name))?;
            told(settings, name, "is sent again")
        }
        Command::Cancel { name, node } => {
            operator::runtime()?.block_on(node.admin(settings)?.cancel(name))?;
            told(settings, name, "is being taken back")
        }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    transaction: &'a str,
    done: &'static str,
}

fn told(settings: &Settings, transaction: &str, done: &'static str) -> eyre::Result<()> {
    output::report(settings, &Told { transaction, done }, |t| {
        format!("{} {}", t.transaction, t.done)
    })
}

fn deploy(args: &Deploy, settings: &Settings) -> eyre::Result<()> {
    let config = &settings.node;
    let manifest = &config.rollup.manifest;
    if manifest.exists() {
        return Err(CliError::Usage(format!(
            "{} is there already: it names a rollup that was deployed; move it away to deploy another one",
            manifest.display()
        ))
        .into());
    }
    let cache = Cache::new(&settings.cache_dir);
    let verifier = FolderVerifier::open(&cache.find_verifier(&args.shape, args.batches.into())?)?;
    let mut l1 = Failover::connect(&config.l1.urls, FailoverOptions::default())?;
    if args.dev && !DEV_CHAIN_IDS.contains(&l1.chain_id()) {
        let chain = l1.chain_id();
        return Err(CliError::Usage(format!(
            "--dev is for development chains, and this is chain {chain}: give --roles and --policy"
        ))
        .into());
    }
    let wallet = keys::operator(&config.l1)?;
    let operator = wallet.address();
    let roles = match &args.roles {
        Some(path) => read_json::<RolesFile>("roles", path)?.into(),
        None => {
            let mut roles = Roles::dev(operator);
            roles.operators.extend(keys::blobs(&config.l1)?.map(|blobs| blobs.address()));
            roles
        }
    };
    let policy: Policy = match &args.policy {
        Some(path) => read_json("policy", path)?,
        None => dev_policy(),
    };
    if roles.operators.first() != Some(&operator) {
        return Err(CliError::Usage(format!(
            "the first operator of the roles is not the account {operator} that deploys: put it first"
        ))
        .into());
    }
    let _ = l1.now()?;
    let path = config.rollup.data_dir.join("transactions");
    let mut manager = TxManager::open(&path, l1, wallet, config.l1.tx_options(), Judge::default())?;
    let plan = Plan {
        verifier: verifier.block(),
        batch_circuit: verifier.checker().batch.circuit_id,
        roles: &roles,
        policy: &policy,
    };
    let rollup = plan.deploy(&mut manager, &output::progress(settings))?;
    rollup.write(manifest)?;
    let report = Report {
        chain_id: rollup.chain_id,
        contract: rollup.contract.to_string(),
        governance: rollup.governance.to_string(),
        operator: operator.to_string(),
        first_block: rollup.first_block,
        manifest: manifest.display().to_string(),
    };
    output::report(settings, &report, |r| {
        format!(
            "rollup     {} on chain {}, from block {}\ngovernance {}\noperator   {}\nmanifest   {}",
            r.contract, r.chain_id, r.first_block, r.governance, r.operator, r.manifest
        )
    })
}

#[derive(Serialize)]
struct Tightened {
    token: u16,
    rate_before: u64,
    rate: u64,
    root: String,
    policy: String,
    governance: String,
    call: String,
}

fn tighten(args: &Tighten, settings: &Settings) -> eyre::Result<()> {
    let config = &settings.node;
    let rollup = Rollup::read(&config.rollup.manifest)?;
    let mut l1 = Failover::connect(&config.l1.urls, FailoverOptions::default())?;
    let governance = alloy_primitives::Address::from(rollup.governance.0);
    let root = policies::root_on_l1(&mut l1, governance)?;
    let known = policies::read(&rollup.policy, &config.rollup.policies)?;
    let current = known.iter().find(|policy| root == Some(to_u256(&policy.root())));
    let current = current.ok_or_else(|| CliError::BadFile {
        what: "manifest",
        path: config.rollup.manifest.clone(),
        why: format!(
            "the policy in force has root {}, and neither it nor rollup.policies has that one",
            root.map_or_else(|| "unknown".into(), |root| format!("{root:#066x}"))
        ),
    })?;
    let next = policies::tighten(current, args.token, args.percent)?;
    let mut json = serde_json::to_vec_pretty(&next.policy)?;
    json.push(b'\n');
    // `policies` and `./policies` are one folder.
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let policy = whole(&args.policy);
    let named = |found: &PathBuf| {
        let found = whole(found);
        found == policy || policy.parent().is_some_and(|folder| found == folder)
    };
    if !config.rollup.policies.iter().any(named) {
        let unnamed = format!(
            "the node would not find {}, and accept nothing: name its folder in rollup.policies and restart the node first",
            args.policy.display()
        );
        return Err(CliError::Usage(unnamed).into());
    }
    if args.policy.exists() {
        let exists = format!("{} is there already: name another file", args.policy.display());
        return Err(CliError::Usage(exists).into());
    }
    write_bytes_atomic(&args.policy, &json)?;
    let rate = |policy: &Policy| policy.limits_of(args.token).rate;
    let report = Tightened {
        token: args.token,
        rate_before: rate(current),
        rate: rate(&next.policy),
        root: format!("{:#066x}", to_u256(&next.policy.root())),
        policy: args.policy.display().to_string(),
        governance: rollup.governance.to_string(),
        call: next.call.to_string(),
    };
    output::report(settings, &report, |r| {
        format!(
            "policy     {} (root {})\ntoken {}    {} units a second leave, {} before\nThe governor sends it, for example by\ncast send --from GOVERNOR {} {}\n\
             Audits want the file from now on, and those of all policies before: bastion audit --policy FILE",
            r.policy, r.root, r.token, r.rate, r.rate_before, r.governance, r.call
        )
    })
}

#[derive(Serialize)]
struct Bonded {
    slashing: String,
    owner: String,
    signer: String,
    /// In wei.
    bond: String,
}

fn bond(
    wei: u128,
    signer: Option<alloy_primitives::Address>,
    settings: &Settings,
) -> eyre::Result<()> {
    let config = &settings.node;
    let mut rollup = Rollup::read(&config.rollup.manifest)?;
    let signer = match signer {
        Some(signer) => signer,
        None => {
            let key = keys::sequencer(&config.sequencer)?;
            ReceiptSigner::new(&key, rollup.chain_id, rollup.contract)?.address()
        }
    };
    let options = FailoverOptions { chain_id: Some(rollup.chain_id), ..Default::default() };
    let l1 = Failover::connect(&config.l1.urls, options)?;
    let path = config.rollup.data_dir.join("transactions");
    let (wallet, options) = (keys::operator(&config.l1)?, config.l1.tx_options());
    let mut manager = TxManager::open(&path, l1, wallet, options, Judge::default())?;
    let bonded = deployment::bond(&mut manager, &rollup, signer, wei)?;
    rollup.slashing = Some(bastion_protocol::Address(bonded.slashing.into_array()));
    rollup.write(&config.rollup.manifest)?;
    let report = Bonded {
        slashing: bonded.slashing.to_string(),
        owner: manager.account().to_string(),
        signer: signer.to_string(),
        bond: bonded.amount.to_string(),
    };
    output::report(settings, &report, |r| {
        let bond = amount::shown(bonded.amount, 0);
        format!(
            "slashing   {}\nowner      {}\nsigner     {}\nbond       {bond}",
            r.slashing, r.owner, r.signer
        )
    })
}

fn new_epoch(settings: &Settings) -> eyre::Result<()> {
    let config = &settings.node;
    let rollup = Rollup::read(&config.rollup.manifest)?;
    let options = FailoverOptions { chain_id: Some(rollup.chain_id), ..Default::default() };
    let mut l1 = Failover::connect(&config.l1.urls, options)?;
    let finality = config.l1.finality.into();
    let made = restored::new_epoch(&config.rollup.data_dir, &rollup, &mut l1, finality)?;
    output::report(settings, &made, |made| {
        let send = |call: &alloy_primitives::Bytes| {
            format!("cast send --from OPERATOR {} {call}\n", made.contract)
        };
        let calls: String = made.calls.iter().map(send).collect();
        format!(
            "Blocks after {} are taken back, and receipts for them become void. An operator sends, in this order:\n\
             {calls}Then start the node, when these blocks of L1 are final.",
            made.to
        )
    })
}

/// The roles as they stand in a file.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RolesFile {
    governor: alloy_primitives::Address,
    operators: Vec<alloy_primitives::Address>,
    guardians: Vec<alloy_primitives::Address>,
    to_pause: u64,
    council: Vec<alloy_primitives::Address>,
    to_unpause: u64,
}

impl From<RolesFile> for Roles {
    fn from(file: RolesFile) -> Self {
        let RolesFile { governor, operators, guardians, to_pause, council, to_unpause } = file;
        Self { governor, operators, guardians, to_pause, council, to_unpause }
    }
}

fn read_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    path: &PathBuf,
) -> Result<T, CliError> {
    let bad = |why: String| CliError::BadFile { what, path: path.clone(), why };
    let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))
}
