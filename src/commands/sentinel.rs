//! `bastion sentinel`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bastion_client::types::sentinel::PublishRequest;
use bastion_client::types::{Findings, Hash, Held, Quarantine, SentinelStatus};
use bastion_client::{Client, SignedReceipt};
use bastion_node::sentinel::replay::{replay, Replayed};
use bastion_node::sentinel::Rollup;
use bastion_node::service::manifest;
use bastion_node::NodeError;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::{Address, Index};
use bastion_prover::artifact::write_bytes_atomic;
use bastion_sentinel::findings::{file_of, Finding};
use bastion_sentinel::rules::{check_examples, RuleSet};
use bastion_sentinel::sharing::server::TokenHash;
use bastion_sentinel::sharing::sign::Signer;
use bastion_sentinel::sharing::stix::Id;
use bastion_sentinel::{explain, SentinelError};
use clap::Subcommand;
use eyre::WrapErr;
use rand::rngs::OsRng;
use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::commands::{bundle, operator, rewards};
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// What looks at operations before they are included: its findings, what it holds back, its rules.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion sentinel status\n  bastion sentinel findings --from 100\n  \
bastion sentinel quarantine list\n  bastion sentinel freeze 131072 --seconds 3600\n  \
bastion sentinel rewards status\n  \
bastion sentinel rules check sentinel/rules\n  bastion sentinel replay"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    node: operator::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the mode, the rules in force, and how much was found.
    Status,
    /// Shows entries of the log of findings.
    Findings {
        /// Number of the first one.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Writes the whole log into a file, for `bastion audit --findings FILE`. The file must not exist.
        #[arg(long, value_name = "FILE", conflicts_with = "from")]
        out: Option<PathBuf>,
    },
    /// What is held back.
    Quarantine {
        #[command(subcommand)]
        command: QuarantineCommand,
    },
    /// Freezes an account, by the guardian's key of the node. The policy bounds it, and the owner can leave.
    Freeze {
        /// The account.
        account: Index,
        /// For how long.
        #[arg(long)]
        seconds: u64,
        /// The watcher's report because of which: it answers for the freeze.
        #[arg(long)]
        report: Option<u64>,
    },
    /// Ends the freeze of an account.
    Unfreeze {
        /// The account.
        account: Index,
    },
    /// Rewards for watchers.
    Rewards(rewards::Args),
    /// The rules.
    Rules {
        #[command(subcommand)]
        command: RulesCommand,
    },
    /// Makes and signs bundles of rules.
    Bundle {
        #[command(subcommand)]
        command: bundle::Command,
    },
    /// Tells other chains of an L1 address. They hold back what goes there, as far as they believe this chain.
    Publish {
        /// The address.
        address: Address,
        /// What it is about, in some words.
        #[arg(long)]
        name: String,
        /// How sure that is, from 1 to 100.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u8).range(1..=100))]
        confidence: u8,
    },
    /// Makes a key that signs indicators for other chains, and a token that one of them may log in with.
    FeedKey {
        /// Where the key goes. The file must not exist.
        file: PathBuf,
    },
    /// Writes the guardian's key of the development policy, which everybody knows.
    DevGuardian {
        /// Where it goes. The file must not exist.
        file: PathBuf,
    },
    /// Makes a guardian's key, and prints its hash for the policy (guardian_keyhash).
    GuardianKey {
        /// Where it goes. The file must not exist.
        file: PathBuf,
    },
    /// Says what was found about an operation, and why.
    Explain {
        /// Hash of the operation.
        operation: Hash,
    },
    /// Makes all verdicts of the data folder again, and compares them with the log of findings. The node may
    /// run meanwhile.
    Replay {
        /// Folder of the rules that were in force [default: those that come with the program].
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum QuarantineCommand {
    /// Lists the operations that are held back.
    List,
    /// Lets one go: it is executed at once, if it can be.
    Release {
        /// Hash of the operation.
        operation: Hash,
    },
    /// Forgets one. Its owner can sign another, or leave by forced exit.
    Drop {
        /// Hash of the operation.
        operation: Hash,
    },
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Loads the rules of a folder, and says what is wrong with them.
    Check {
        /// Folder of YAML files.
        dir: PathBuf,
    },
    /// Loads the rules of a folder, and runs their examples.
    Test {
        /// Folder of YAML files.
        dir: PathBuf,
    },
    /// Has the node read its rules anew.
    Reload,
    /// Has the node go back to the rules before the newest ones.
    RollBack {
        /// For how long, at most a week.
        #[arg(long, default_value_t = 86_400)]
        seconds: u64,
        /// Why; it goes into the log of findings.
        #[arg(long)]
        reason: String,
    },
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<()> {
    let runtime = operator::runtime()?;
    match &args.command {
        Command::Status => {
            let client = args.node.client(settings)?;
            output::report(settings, &runtime.block_on(client.sentinel())?, status_text)
        }
        Command::Findings { out: Some(out), .. } => {
            let client = args.node.client(settings)?;
            let bytes = runtime.block_on(whole_log(&client))?;
            if out.exists() {
                let exists = format!("{} is there already: name another file", out.display());
                return Err(CliError::Usage(exists).into());
            }
            write_bytes_atomic(out, &bytes)?;
            done(settings, "written: compare it by bastion audit --findings FILE")
        }
        Command::Findings { from, out: None } => {
            let client = args.node.client(settings)?;
            output::report(settings, &runtime.block_on(client.findings(*from))?, findings_text)
        }
        Command::Quarantine { command } => {
            let admin = args.node.admin(settings)?;
            match command {
                QuarantineCommand::List => {
                    let held = runtime.block_on(admin.quarantine())?;
                    output::report(settings, &held, quarantine_text)
                }
                QuarantineCommand::Release { operation } => {
                    runtime.block_on(admin.release(*operation))?;
                    done(settings, "let go: it is executed now; bastion sentinel findings says if it could not be")
                }
                QuarantineCommand::Drop { operation } => {
                    runtime.block_on(admin.drop_held(*operation))?;
                    done(settings, "dropped")
                }
            }
        }
        Command::Freeze { account, seconds, report } => {
            let admin = args.node.admin(settings)?;
            let receipt = runtime.block_on(admin.freeze_for(*account, *seconds, *report))?;
            output::report(settings, &receipt, |r| receipt_text("frozen", *account, r))
        }
        Command::Unfreeze { account } => {
            let admin = args.node.admin(settings)?;
            let receipt = runtime.block_on(admin.unfreeze(*account))?;
            output::report(settings, &receipt, |r| receipt_text("free", *account, r))
        }
        Command::Rewards(command) => rewards::run(command, &args.node, settings),
        Command::Rules { command } => rules(command, args, settings),
        Command::Bundle { command } => bundle::run(command, settings),
        Command::Publish { address, name, confidence } => {
            let admin = args.node.admin(settings)?;
            let (address, name, confidence) = (*address, name.clone(), *confidence);
            runtime.block_on(admin.publish(&PublishRequest { address, name, confidence }))?;
            done(settings, "published")
        }
        Command::FeedKey { file } => {
            let id = Id::random("identity").map_err(NodeError::from)?;
            let (signer, secret) = Signer::generate(id).map_err(NodeError::from)?;
            write_private(file, &hex::encode(secret.as_ref()))?;
            let (token, hash) = TokenHash::generate();
            let text = |value: serde_json::Result<serde_json::Value>| {
                value.map(|v| v.as_str().unwrap_or_default().to_owned()).unwrap_or_default()
            };
            let report = FeedKey {
                identity: signer.identity().to_string(),
                key: text(serde_json::to_value(signer.public())),
                token: token.to_string(),
                token_hash: text(serde_json::to_value(&hash)),
            };
            output::report(settings, &report, |r| {
                format!(
                    "identity    {}\nkey         {}\ntoken       {} (secret: give it to the peer)\n\
                     token hash  {} (into feed.toml)",
                    r.identity, r.key, r.token, r.token_hash
                )
            })
        }
        Command::DevGuardian { file } => {
            let key = bastion_node::devnet::dev_key("guardian");
            write_private(file, &hex::encode(key.expose_bytes()))?;
            done(settings, "written; everybody knows this key")
        }
        Command::GuardianKey { file } => {
            let mut seed = zeroize::Zeroizing::new([0; 64]);
            OsRng.try_fill_bytes(seed.as_mut_slice())?;
            let key = SecretKey::from_seed(seed.as_slice());
            write_private(file, &hex::encode(key.expose_bytes()))?;
            let keyhash = bastion_protocol::field::to_hex(&key.public().keyhash());
            output::report(settings, &serde_json::json!({ "keyhash": keyhash }), |_| {
                format!("guardian_keyhash {keyhash}")
            })
        }
        Command::Explain { operation } => {
            let client = args.node.client(settings)?;
            let found = runtime.block_on(async {
                let (mut from, mut found) = (0, Vec::new());
                loop {
                    let page = client.findings(from).await?;
                    from += page.findings.len() as u64;
                    let last = page.findings.is_empty() || from >= page.count;
                    found.extend(page.findings.iter().filter_map(|text| about(text, *operation)));
                    if last {
                        return Ok::<_, eyre::Report>(found);
                    }
                }
            })?;
            let report = Explained { operation: *operation, found };
            output::report(settings, &report, |r| match r.found.is_empty() {
                true => "nothing was found about it".into(),
                false => r.found.join("\n"),
            })
        }
        Command::Replay { rules } => {
            let node = &settings.node.rollup;
            let rollup = manifest::Rollup::read(&node.manifest)?;
            let rules = match rules {
                Some(dir) => load(dir)?,
                None => RuleSet::builtin().map_err(NodeError::from)?,
            };
            let of = Rollup { chain_id: rollup.chain_id, contract: rollup.contract };
            let replayed = replay(&node.data_dir, of, rules)?;
            output::report(settings, &replayed, replay_text)?;
            match replayed.differences.len() {
                0 => Ok(()),
                count => Err(CliError::Differ { count }.into()),
            }
        }
    }
}

#[derive(Serialize)]
struct FeedKey {
    identity: String,
    key: String,
    token: String,
    token_hash: String,
}

/// Writes a secret into a new file that nobody else may read.
pub(crate) fn write_private(path: &Path, text: &str) -> eyre::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if path.exists() {
        let exists = format!("{} is there already: name another file", path.display());
        return Err(CliError::Usage(exists).into());
    }
    let mut file = options.open(path).wrap_err_with(|| path.display().to_string())?;
    std::io::Write::write_all(&mut file, text.as_bytes()).wrap_err("the key")
}

#[derive(Serialize)]
struct Done {
    done: &'static str,
}

fn done(settings: &Settings, done: &'static str) -> eyre::Result<()> {
    output::report(settings, &Done { done }, |report| report.done.into())
}

#[derive(Serialize)]
struct Explained {
    operation: Hash,
    found: Vec<String>,
}

#[derive(Serialize)]
struct Checked {
    version: String,
    rules: usize,
    families: BTreeMap<String, usize>,
    examples: Option<usize>,
}

fn rules(command: &RulesCommand, args: &Args, settings: &Settings) -> eyre::Result<()> {
    let (dir, run) = match command {
        RulesCommand::Check { dir } => (dir, false),
        RulesCommand::Test { dir } => (dir, true),
        RulesCommand::Reload => {
            let admin = args.node.admin(settings)?;
            let status = operator::runtime()?.block_on(admin.reload_rules())?;
            return output::report(settings, &status, status_text);
        }
        RulesCommand::RollBack { seconds, reason } => {
            let admin = args.node.admin(settings)?;
            let status = operator::runtime()?.block_on(admin.roll_back_rules(*seconds, reason))?;
            return output::report(settings, &status, status_text);
        }
    };
    let set = load(dir)?;
    let examples = match run {
        true => {
            check_examples(&set).map_err(|e| bad(dir, &e))?;
            let examples = set.rules().iter().map(|rule| &rule.spec.examples);
            Some(examples.map(|e| e.fires.len() + e.quiet.len()).sum())
        }
        false => None,
    };
    let mut families = BTreeMap::new();
    for rule in set.rules() {
        *families.entry(rule.spec.family.clone()).or_insert(0) += 1;
    }
    let report =
        Checked { version: set.version.clone(), rules: set.rules().len(), families, examples };
    output::report(settings, &report, |r| {
        let examples = r.examples.map_or_else(String::new, |n| format!(", {n} examples hold"));
        format!(
            "{} rules of {} families load{examples}; version {}",
            r.rules,
            r.families.len(),
            r.version
        )
    })
}

fn load(dir: &Path) -> eyre::Result<RuleSet> {
    RuleSet::from_files(0, &rule_files(dir)?).map_err(|e| bad(dir, &e))
}

/// The YAML files of a folder, by name.
pub(crate) fn rule_files(dir: &Path) -> eyre::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let entries = std::fs::read_dir(dir).wrap_err_with(|| format!("rules {}", dir.display()))?;
    for entry in entries {
        let path = entry.wrap_err("rules")?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let bytes = std::fs::read(&path).wrap_err_with(|| path.display().to_string())?;
            files.insert(name.to_owned(), bytes);
        }
    }
    if files.is_empty() {
        let why = "the folder has no .yaml file".into();
        return Err(CliError::BadFile { what: "folder of rules", path: dir.into(), why }.into());
    }
    Ok(files)
}

fn bad(dir: &Path, error: &SentinelError) -> eyre::Report {
    CliError::BadFile { what: "folder of rules", path: dir.into(), why: error.to_string() }.into()
}

/// An entry of the log.
#[derive(Deserialize)]
struct Logged {
    number: u64,
    at_ms: u64,
    finding: Finding,
}

/// The whole log of a node, as the file that an audit reads.
async fn whole_log(client: &Client) -> eyre::Result<Vec<u8>> {
    let version = client.version().await?;
    let of = Rollup { chain_id: version.chain_id, contract: version.contract };
    let (mut from, mut entries) = (0, Vec::new());
    loop {
        let page = client.findings(from).await?;
        from += page.findings.len() as u64;
        let last = page.findings.is_empty() || from >= page.count;
        entries.extend(page.findings);
        if last {
            return Ok(file_of(of.genesis(), entries.iter().map(String::as_str))?);
        }
    }
}

/// What an entry says of an operation.
fn about(text: &str, operation: Hash) -> Option<String> {
    let entry: Logged = serde_json::from_str(text).ok()?;
    match &entry.finding {
        Finding::Verdict { operation: of, verdict } if of.0 == operation.0 => {
            Some(format!("finding {} at {} ms\n{}", entry.number, entry.at_ms, explain(verdict)))
        }
        Finding::Released { operation: of, by } if of.0 == operation.0 => {
            Some(format!("finding {} at {} ms\nLet go: {by}.\n", entry.number, entry.at_ms))
        }
        Finding::Verdict { .. }
        | Finding::Released { .. }
        | Finding::Frozen { .. }
        | Finding::Unfrozen { .. }
        | Finding::Rewards(_)
        | Finding::Rules { .. }
        | Finding::Note { .. } => None,
    }
}

fn status_text(s: &SentinelStatus) -> String {
    format!(
        "mode       {}\nrules      {}\nmodel      {}\nseen       {} operations\nheld back  {}\nfindings   {} (head {})",
        s.mode, s.rules, s.model, s.observed, s.held, s.findings, s.head
    )
}

fn findings_text(f: &Findings) -> String {
    let mut text = String::new();
    for entry in &f.findings {
        text += &format!("{entry}\n");
    }
    text + &format!("{} of {} entries, head {}", f.findings.len(), f.count, f.head)
}

fn held_text(held: &Held) -> String {
    format!("{}  account {}  until {}  {}", held.operation, held.account, held.until, held.why())
}

fn quarantine_text(q: &Quarantine) -> String {
    match q.held.is_empty() {
        true => "nothing is held back".into(),
        false => q.held.iter().map(held_text).collect::<Vec<_>>().join("\n"),
    }
}

fn receipt_text(what: &str, account: Index, receipt: &SignedReceipt) -> String {
    let place = receipt.receipt.place;
    format!(
        "account {account} is {what}: block {}, batch {}, position {}",
        place.block, place.batch, place.position
    )
}

fn replay_text(r: &Replayed) -> String {
    let mut text = format!(
        "judged again  {} operations\nsame          {} verdicts\nnot compared  {} (held back or refused, or other rules)\n",
        r.operations, r.same, r.not_compared
    );
    for note in &r.notes {
        text += &format!("note          {note}\n");
    }
    for d in &r.differences {
        text += &format!(
            "DIFFERENT     {}\n  recorded: {}  computed: {}",
            d.operation, d.recorded, d.computed
        );
    }
    text + &format!("differences   {}", r.differences.len())
}
