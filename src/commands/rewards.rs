//! `bastion sentinel rewards`

use std::path::{Path, PathBuf};

use bastion_client::check::Rollup;
use bastion_client::keys::file::write_new;
use bastion_client::types::rewards::{Rewards, Watcher, WatcherAnswer, WatcherReport};
use bastion_client::types::{Amount, Hash};
use bastion_client::Client;
use bastion_protocol::hash::keccak;
use bastion_protocol::header::domain;
use bastion_protocol::keys::SecretKey;
use bastion_protocol::ops::Action;
use bastion_protocol::watcher::{Registry, SignedCall, WatcherCall};
use bastion_protocol::{field, Index};
use bastion_sentinel::rewards::{Report, Subject};
use clap::Subcommand;
use eyre::WrapErr;
use rand::rngs::OsRng;
use rand::RngCore;
use serde::{Deserialize, Serialize};

use crate::commands::operator;
use crate::commands::sentinel::write_private;
use crate::commands::wallet::l2::{self, Who};
use crate::commands::wallet::{amount, KeyArgs, Wallet};
use crate::config::Settings;
use crate::exit::CliError;
use crate::output;

/// Rewards for watchers: stake, report an account before it attacks, be paid when it is confirmed.
///
/// A report is committed to as a hash, and opened when it has its place in the order: the earliest one about
/// a confirmed event is paid. A freeze for nothing costs its reporter the penalty, and pays the one who was
/// frozen.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion sentinel rewards status\n  bastion sentinel rewards register alice --amount 0.1eth\n  \
bastion sentinel rewards report alice 131075 --freeze --evidence trace.json --reveal\n  \
bastion sentinel rewards status 131073 --json\n  bastion sentinel rewards leave alice --amount 0.1eth\n  \
bastion sentinel rewards withdraw alice\n\nThe operator's:\n  bastion sentinel rewards key rewards.key\n  \
bastion sentinel rewards fund --amount 0.1eth\n  bastion sentinel rewards confirm 131075 --amount 0.2eth"
)]
pub(crate) struct Args {
    #[command(flatten)]
    keys: KeyArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows how rewards stand, or a watcher with its open reports.
    Status {
        /// The watcher's account.
        account: Option<Index>,
    },
    /// Lists watchers with their stakes.
    Watchers {
        /// The first account.
        #[arg(long, default_value_t = 0)]
        from: Index,
    },
    /// Stakes: transfers to the rewards account. Less than the least stake makes nobody a watcher, and is lost.
    Register {
        #[command(flatten)]
        who: Who,
        /// How much, such as 0.1eth.
        #[arg(long, value_parser = amount::read)]
        amount: u128,
        /// What to pay the operator [default: what the node suggests].
        #[arg(long, value_parser = amount::read)]
        fee: Option<u128>,
    },
    /// Commits to a report about an account. Nobody sees what it says before it is opened.
    Report {
        #[command(flatten)]
        who: Who,
        /// The account that is reported.
        subject: Index,
        /// Asks for a freeze, and answers for it with the penalty.
        #[arg(long)]
        freeze: bool,
        /// A file of evidence: its hash goes into the report.
        #[arg(long, value_name = "FILE")]
        evidence: Option<PathBuf>,
        /// Opens it as soon as it has its place.
        #[arg(long)]
        reveal: bool,
    },
    /// Opens the sealed reports of a key, or one of them. What is not opened in time loses its bond.
    Reveal {
        #[command(flatten)]
        who: Who,
        /// Number of the report [default: all that are sealed].
        #[arg(long)]
        report: Option<u64>,
    },
    /// Announces that a part of the stake is to leave.
    Leave {
        #[command(flatten)]
        who: Who,
        /// How much.
        #[arg(long, value_parser = amount::read)]
        amount: u128,
    },
    /// Takes what was announced, once its delay is over.
    Withdraw {
        #[command(flatten)]
        who: Who,
    },
    /// Makes the key of the rewards account, for the operator's node.
    Key {
        /// Where it goes. The file must not exist.
        file: PathBuf,
    },
    /// Puts money that came into the rewards account into the pool, up to the budget of an epoch.
    Fund {
        /// How much.
        #[arg(long, value_parser = amount::read)]
        amount: u128,
    },
    /// Confirms that an account attacked: the earliest report about it is paid from what that brought in.
    Confirm {
        /// The account.
        subject: Index,
        /// What it brought in: a bond that was slashed, a levy on what was saved.
        #[arg(long, value_parser = amount::read)]
        amount: u128,
    },
}

pub(crate) fn run(args: &Args, node: &operator::Args, settings: &Settings) -> eyre::Result<()> {
    let runtime = operator::runtime()?;
    let client = || node.client(settings);
    match &args.command {
        Command::Status { account: None } => {
            output::report(settings, &runtime.block_on(client()?.rewards())?, rewards_text)
        }
        Command::Status { account: Some(account) } => {
            let watcher = runtime.block_on(client()?.watcher(*account))?;
            output::report(settings, &watcher, watcher_text)
        }
        Command::Watchers { from } => {
            let watchers = runtime.block_on(client()?.watchers(*from))?;
            output::report(settings, &watchers, |all| {
                all.iter().map(watcher_text).collect::<Vec<_>>().join("\n")
            })
        }
        Command::Key { file } => key(file, settings),
        Command::Fund { amount } => {
            let answer = runtime.block_on(node.admin(settings)?.fund_rewards(Amount(*amount)))?;
            output::report(settings, &answer, answer_text)
        }
        Command::Confirm { subject, amount } => {
            let admin = node.admin(settings)?;
            let answer = runtime.block_on(admin.confirm_event(*subject, Amount(*amount)))?;
            output::report(settings, &answer, answer_text)
        }
        Command::Register { who, amount, fee } => {
            let report = runtime.block_on(async {
                let desk = Desk::open(args, client()?, settings).await?;
                let rewards = desk.client.rewards().await?;
                let (to, least) = (rewards.account, rewards.params.stake.0);
                let account = l2::account(&desk.client, desk.wallet.folder.key(&who.name)?.0.owner(), who);
                let watcher = desk.client.watcher(account.await?.index).await;
                if *amount < least && watcher.is_err() {
                    return Err(CliError::Usage(format!(
                        "the least stake is {least}: {amount} would make nobody a watcher, and be lost"
                    ))
                    .into());
                }
                let action = |_| Action::Transfer { to, amount: *amount };
                let sent =
                    l2::send(&desk.wallet, (&desk.client, &desk.rollup), (who, *fee), action)
                        .await?;
                let operation = Hash(sent.receipt.receipt.operation);
                Ok::<_, eyre::Report>(Registered {
                    operation,
                    account: sent.account,
                    to,
                    amount: Amount(*amount),
                })
            })?;
            output::report(settings, &report, |r| {
                format!("account {} stakes {} (operation {})", r.account, r.amount, r.operation)
            })
        }
        Command::Report { who, subject, freeze, evidence, reveal } => {
            let sealed = Sealed::new(*subject, *freeze, evidence.as_deref())?;
            let report = runtime.block_on(async {
                let desk = Desk::open(args, client()?, settings).await?;
                let watcher = desk.watcher(who).await?;
                desk.commit(watcher, sealed, *reveal).await
            })?;
            output::report(settings, &report, reported_text)
        }
        Command::Reveal { who, report } => {
            let answers = runtime.block_on(async {
                let desk = Desk::open(args, client()?, settings).await?;
                let watcher = desk.watcher(who).await?;
                desk.reveal(watcher, *report).await
            })?;
            output::report(settings, &answers, |answers| {
                answers.iter().map(reported_text).collect::<Vec<_>>().join("\n")
            })
        }
        Command::Leave { who, amount } => {
            let call = WatcherCall::Leave { amount: *amount };
            one(args, who, call, client()?, settings, &runtime)
        }
        Command::Withdraw { who } => {
            one(args, who, WatcherCall::Withdraw, client()?, settings, &runtime)
        }
    }
}

fn one(
    args: &Args,
    who: &Who,
    call: WatcherCall,
    client: Client,
    settings: &Settings,
    runtime: &tokio::runtime::Runtime,
) -> eyre::Result<()> {
    let answer = runtime.block_on(async {
        let desk = Desk::open(args, client, settings).await?;
        let mut watcher = desk.watcher(who).await?;
        desk.call(&mut watcher, call).await
    })?;
    output::report(settings, &answer, answer_text)
}

/// A report that nobody else knows yet. It lies in the wallet's folder until it is opened.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    subject: Index,
    asks_freeze: bool,
    evidence: Hash,
    salt: Hash,
}

impl Sealed {
    fn new(subject: Index, asks_freeze: bool, evidence: Option<&Path>) -> eyre::Result<Self> {
        let read = |path: &Path| std::fs::read(path).wrap_err_with(|| path.display().to_string());
        let evidence = evidence.map(read).transpose()?;
        let evidence = Hash(evidence.map_or([0; 32], |bytes| keccak(&[&bytes])));
        let mut salt = [0; 32];
        OsRng.try_fill_bytes(&mut salt)?;
        Ok(Self { subject, asks_freeze, evidence, salt: Hash(salt) })
    }

    fn commitment(&self, watcher: Index) -> Hash {
        let report = Report {
            watcher,
            subject: Subject::account(self.subject),
            asks_freeze: self.asks_freeze,
            evidence: self.evidence.0,
        };
        Hash(report.commitment(&self.salt.0))
    }
}

/// An account that signs.
struct Signing {
    account: Index,
    number: u64,
    key: SecretKey,
    exit: bastion_protocol::Address,
}

/// What a watcher's verbs need.
struct Desk<'a> {
    wallet: Wallet<'a>,
    client: Client,
    rollup: Rollup,
    registry: Registry,
}

impl<'a> Desk<'a> {
    async fn open(args: &Args, client: Client, settings: &'a Settings) -> eyre::Result<Self> {
        let wallet = args.keys.open(settings)?;
        let rollup = wallet.rollup(&client, None, None).await?;
        let domain = domain(rollup.chain_id, rollup.contract);
        let registry = Registry { domain, id: client.rewards().await?.registry.0 };
        Ok(Self { wallet, client, rollup, registry })
    }

    async fn watcher(&self, who: &Who) -> eyre::Result<Signing> {
        let (file, path) = self.wallet.folder.key(&who.name)?;
        let account = l2::account(&self.client, file.owner(), who).await?.index;
        let number = self.client.watcher(account).await?.next_call;
        let key = file.unlock(&self.wallet.password.read()?, &path)?;
        Ok(Signing { account, number, key, exit: file.exit() })
    }

    async fn call(&self, watcher: &mut Signing, call: WatcherCall) -> eyre::Result<WatcherAnswer> {
        let Signing { account, number, key, exit } = watcher;
        let signed = SignedCall::sign((*account, *exit), *number, call, key, &self.registry);
        let answer = self.client.watch(signed).await?;
        *number += 1;
        Ok(answer)
    }

    fn file(&self, commitment: Hash) -> PathBuf {
        self.wallet.folder.join("reports").join(format!("{commitment}.json"))
    }

    async fn commit(
        &self,
        mut watcher: Signing,
        sealed: Sealed,
        reveal: bool,
    ) -> eyre::Result<Reported> {
        let commitment = sealed.commitment(watcher.account);
        // Before it is sent: without the salt it could never be opened.
        write_new(&self.file(commitment), &serde_json::to_vec_pretty(&sealed)?)?;
        let call = WatcherCall::Commit { commitment: commitment.0 };
        let answer = self.call(&mut watcher, call).await?;
        let missing = || CliError::Usage("the node names no report in its answer".into());
        let report = answer.report.ok_or_else(missing)?;
        let mut reported = Reported {
            report,
            subject: sealed.subject,
            commitment,
            committed: answer.at,
            entry: answer.entry,
            opened: None,
            freeze: None,
        };
        if reveal {
            let answer = self.open_report(&mut watcher, report, sealed).await?;
            (reported.opened, reported.freeze) = (Some(answer.at), answer.freeze);
        }
        Ok(reported)
    }

    async fn open_report(
        &self,
        watcher: &mut Signing,
        report: u64,
        sealed: Sealed,
    ) -> eyre::Result<WatcherAnswer> {
        let Sealed { subject, asks_freeze, evidence, salt } = sealed;
        let (evidence, salt) = (evidence.0, salt.0);
        let call = WatcherCall::Reveal { report, subject, asks_freeze, evidence, salt };
        self.call(watcher, call).await
    }

    async fn reveal(
        &self,
        mut watcher: Signing,
        which: Option<u64>,
    ) -> eyre::Result<Vec<Reported>> {
        let found = self.client.watcher(watcher.account).await?.reports;
        let asked = |r: &WatcherReport| match which {
            Some(report) => r.report == report,
            None => r.stage == "sealed",
        };
        let mut opened = Vec::new();
        for WatcherReport { report, commitment, committed, .. } in found.into_iter().filter(asked) {
            let path = self.file(commitment);
            let text = std::fs::read(&path).wrap_err_with(|| {
                format!("{}: the report was made with another wallet", path.display())
            })?;
            let sealed: Sealed = serde_json::from_slice(&text).map_err(|e| CliError::BadFile {
                what: "report",
                path,
                why: e.to_string(),
            })?;
            let answer = self.open_report(&mut watcher, report, sealed).await?;
            opened.push(Reported {
                report,
                subject: sealed.subject,
                commitment,
                committed,
                entry: answer.entry,
                opened: Some(answer.at),
                freeze: answer.freeze,
            });
        }
        match opened.is_empty() {
            true => Err(CliError::Usage("there is no such sealed report".into()).into()),
            false => Ok(opened),
        }
    }
}

#[derive(Serialize)]
struct Registered {
    operation: Hash,
    account: Index,
    to: Index,
    amount: Amount,
}

#[derive(Serialize)]
struct Reported {
    report: u64,
    subject: Index,
    commitment: Hash,
    committed: u64,
    /// Of the log of findings.
    entry: u64,
    opened: Option<u64>,
    freeze: Option<String>,
}

#[derive(Serialize)]
struct Key {
    keyhash: String,
    file: String,
}

fn key(file: &Path, settings: &Settings) -> eyre::Result<()> {
    let mut seed = zeroize::Zeroizing::new([0; 64]);
    OsRng.try_fill_bytes(seed.as_mut_slice())?;
    let key = SecretKey::from_seed(seed.as_slice());
    write_private(file, &hex::encode(key.expose_bytes()))?;
    let keyhash = field::to_hex(&key.public().keyhash());
    let report = Key { keyhash, file: file.display().to_string() };
    output::report(settings, &report, |r| {
        format!(
            "key hash   {}\nfile       {}\nMake its account by a transfer: bastion wallet transfer NAME --to-key {} \
             --to-exit ADDRESS --amount AMOUNT",
            r.keyhash, r.file, r.keyhash
        )
    })
}

fn reported_text(r: &Reported) -> String {
    let opened = r.opened.map_or("sealed".into(), |at| format!("opened at {at}"));
    let freeze = r.freeze.as_ref().map_or(String::new(), |said| format!("\nfreeze     {said}"));
    format!(
        "report     {} about account {}, committed at {} (entry {}), {opened}{freeze}",
        r.report, r.subject, r.committed, r.entry
    )
}

fn answer_text(a: &WatcherAnswer) -> String {
    let mut text = format!("taken      at {}, entry {} of the log of findings", a.at, a.entry);
    for pay in &a.payments {
        text += &format!("\npayment    {} to account {} ({})", pay.amount, pay.to, pay.cause);
    }
    text
}

fn rewards_text(r: &Rewards) -> String {
    let p = &r.params;
    let mut text = format!(
        "account    {} (token {})\npool       {} (budget of an epoch {}, spent {})\nstakes     {}\nburned     {}\n\
         paid       {}\nnot used   {}\nreports    {}\nstake      {} at least; penalty {}, noise fee {}\n\
         times      open within {} s, event within {} s, withdrawal after {} s",
        r.account,
        r.token,
        r.pool,
        p.epoch_budget,
        r.spent,
        r.stakes,
        r.burned,
        r.paid,
        r.free,
        r.reports,
        p.stake,
        p.penalty,
        p.noise_fee,
        p.reveal_window,
        p.event_window,
        p.withdraw_delay
    );
    for pay in &r.waiting {
        text += &format!("\nowed       {} to account {} ({})", pay.amount, pay.to, pay.cause);
    }
    text
}

fn watcher_text(w: &Watcher) -> String {
    let mut text = format!("watcher    {}: stake {} free, {} locked", w.account, w.free, w.locked);
    if w.leaves_at > 0 {
        text += &format!("; {} leaves at {}", w.leaving, w.leaves_at);
    }
    for report in &w.reports {
        let about = report.subject.map_or(String::new(), |s| format!(" about account {s}"));
        text += &format!(
            "\nreport     {}{about}: {}, ends at {}",
            report.report, report.stage, report.ends
        );
    }
    text
}
