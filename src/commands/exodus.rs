//! `bastion exodus`

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::Address;
use bastion_audit::History;
use bastion_l1::{ReadL1, RpcL1};
use bastion_node::exodus::{rebuild, standing, Done, Due, Dues, Outcome, Sender, Standing, What};
use bastion_node::history::{collect, collect_pinned};
use bastion_node::NodeError;
use bastion_protocol::field;
use bastion_state::state::State;
use clap::{ArgGroup, Subcommand};
use eyre::WrapErr;
use serde::Serialize;

use crate::commands::audit::{policies, read_policies};
use crate::commands::{rollup, sources};
use crate::config::Settings;
use crate::output;

/// Leaves a rollup without its operator, by L1 data alone.
///
/// Blocks may have posted data in blobs, which L1 keeps for about 18 days: name who has them by --beacon and
/// --blobs.
///
/// Rebuilds the state, begins exodus when it is due, and pays out accounts, waiting deposits, exits and debts. Everything is paid to the address
/// that it belongs to, whoever sends the calls. What was paid already is skipped, so the command can be
/// started again after an interruption. Exit code 1 if exodus cannot begin or L1 refused a payment. A
/// payment that must wait is no failure.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bastion exodus show --l1 http://127.0.0.1:8545 --contract 0x9fe4...a6e0\n  \
bastion exodus begin --l1 URL --contract A --from 0xf39f...2266\n  \
bastion exodus leave --l1 URL --contract A --from 0xf39f...2266 --to 0x7099...79c8 --dry-run\n  \
bastion exodus leave --l1 URL --contract A --from 0xf39f...2266 --all --policy policy.json --json\n  \
bastion exodus show --l1 URL --contract A --blobs archive/"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Shows what is due, and whether exodus may begin. Sends nothing.
    Show {
        #[command(flatten)]
        rollup: Rollup,
        /// Only what is due to this address.
        #[arg(long, value_name = "ADDRESS")]
        to: Option<Address>,
    },
    /// Begins exodus. It must be due.
    Begin {
        #[command(flatten)]
        rollup: Rollup,
        #[command(flatten)]
        sending: Sending,
    },
    /// Takes out what is due to an address, or to everybody. Before exodus these are exits and debts
    /// alone.
    #[command(group = ArgGroup::new("whose").required(true))]
    Leave {
        #[command(flatten)]
        rollup: Rollup,
        #[command(flatten)]
        sending: Sending,
        /// What is due to this address.
        #[arg(long, value_name = "ADDRESS", group = "whose")]
        to: Option<Address>,
        /// Everything that is due.
        #[arg(long, group = "whose")]
        all: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Rollup {
    #[command(flatten)]
    on_l1: rollup::Args,
    #[command(flatten)]
    sources: sources::Args,
    /// A policy as JSON, once for each that was ever in force; the development policy by default,
    /// on development chains.
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Sending {
    /// Account that sends the calls and pays their gas; the node must hold its key. It needs no role.
    #[arg(long, value_name = "ADDRESS")]
    from: Address,
    /// Tries every call and sends none.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Report {
    contract: String,
    chain_id: u64,
    root: String,
    accounts: usize,
    exodus: Standing,
    /// Who sent the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Address>,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    begin_gas: Option<u64>,
    /// In a dry run: exodus would begin.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    would_begin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Vec<Due>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payments: Option<Vec<Done>>,
}

/// A rollup as L1 tells it, and the state under its final root.
struct Rebuilt {
    l1: RpcL1,
    history: History,
    state: State,
}

impl Rollup {
    fn rebuild(&self) -> eyre::Result<Rebuilt> {
        let given = read_policies(&self.policy)?;
        let mut l1 = self.on_l1.connect()?;
        let policies = policies(given, l1.chain_id())?;
        let mut blobs = self.sources.open()?;
        let (history, _) = collect_pinned(&mut l1, self.on_l1.contract, &mut blobs)?;
        blobs.require(&history, None)?;
        let state = rebuild(&history, &policies)?;
        Ok(Rebuilt { l1, history, state })
    }

    fn report(&self, rebuilt: &mut Rebuilt, sending: Option<&Sending>) -> eyre::Result<Report> {
        Ok(Report {
            contract: self.on_l1.contract.to_string(),
            chain_id: rebuilt.history.chain_id,
            root: field::to_hex(&rebuilt.state.root()),
            accounts: rebuilt.state.accounts().count(),
            exodus: standing(&mut rebuilt.l1, &rebuilt.history)?,
            from: sending.map(|s| s.from),
            dry_run: sending.is_some_and(|s| s.dry_run),
            begin_gas: None,
            would_begin: false,
            due: None,
            payments: None,
        })
    }
}

impl Sending {
    fn sender(&self, rollup: &Rollup) -> Sender {
        Sender { contract: rollup.on_l1.contract, from: self.from, dry_run: self.dry_run }
    }
}

pub(crate) fn run(args: &Args, settings: &Settings) -> eyre::Result<ExitCode> {
    let report = match &args.step {
        Step::Show { rollup, to } => show(rollup, *to)?,
        Step::Begin { rollup, sending } => begin(rollup, sending)?,
        Step::Leave { rollup, sending, to, all: _ } => leave(rollup, sending, *to, settings)?,
    };
    let payments = report.payments.iter().flatten();
    let refused = payments.filter(|p| matches!(p.outcome, Outcome::Refused { .. })).count();
    output::report(settings, &report, text)?;
    Ok(ExitCode::from(u8::from(refused > 0)))
}

fn show(rollup: &Rollup, to: Option<Address>) -> eyre::Result<Report> {
    let mut rebuilt = rollup.rebuild()?;
    let mut report = rollup.report(&mut rebuilt, None)?;
    let dues = Dues::of(&rebuilt.history, &rebuilt.state)?;
    let mut due = Vec::new();
    for one in dues.all.iter().filter(|d| to.is_none_or(|to| d.to == to)) {
        if !one.is_paid(&mut rebuilt.l1, rollup.on_l1.contract)? {
            due.push(one.clone());
        }
    }
    report.due = Some(due);
    Ok(report)
}

fn begin(rollup: &Rollup, sending: &Sending) -> eyre::Result<Report> {
    let mut l1 = rollup.on_l1.connect()?;
    let history = collect(&mut l1, rollup.on_l1.contract)?;
    let why = match standing(&mut l1, &history)? {
        Standing::MayBegin => None,
        Standing::Begun => Some("it has begun".to_string()),
        Standing::NothingWaits => Some("nothing waits in the queue".to_string()),
        Standing::AlarmRuns { block, until } => Some(format!(
            "an alarm about block {block} runs, and lets it begin at the L1 time {until} if the \
             council does not answer"
        )),
        Standing::NotYet { entry, after } => {
            Some(format!("queue entry {entry} waits, and lets it begin after the L1 time {after}"))
        }
    };
    if let Some(why) = why {
        return Err(NodeError::NoExodus { why }.into());
    }
    let gas = sending.sender(rollup).begin(&mut l1)?;
    // Blocks that were proven are final now: the state is that of now.
    let mut rebuilt = rollup.rebuild().wrap_err_with(|| match sending.dry_run {
        true => "exodus would begin; what it leads to cannot be shown".to_string(),
        false => format!("exodus has begun ({gas} gas); what it leads to cannot be shown"),
    })?;
    let mut report = rollup.report(&mut rebuilt, Some(sending))?;
    report.begin_gas = (!sending.dry_run).then_some(gas);
    report.would_begin = sending.dry_run;
    Ok(report)
}

fn leave(
    rollup: &Rollup,
    sending: &Sending,
    to: Option<Address>,
    settings: &Settings,
) -> eyre::Result<Report> {
    let mut rebuilt = rollup.rebuild()?;
    let mut report = rollup.report(&mut rebuilt, Some(sending))?;
    let dues = Dues::of(&rebuilt.history, &rebuilt.state)?;
    let payments = sending.sender(rollup).leave(
        &mut rebuilt.l1,
        &dues,
        |due| to.is_none_or(|to| due.to == to),
        &output::progress(settings),
    )?;
    report.payments = Some(payments);
    Ok(report)
}

fn text(r: &Report) -> String {
    let exodus = match r.exodus {
        Standing::Begun => "has begun".to_string(),
        Standing::MayBegin => "may begin: `bastion exodus begin`".to_string(),
        Standing::NothingWaits => "cannot begin: nothing waits in the queue".to_string(),
        Standing::AlarmRuns { block, until } => {
            format!(
                "waits for the council until L1 time {until}: an alarm about block {block} runs"
            )
        }
        Standing::NotYet { entry, after } => {
            format!("may begin after L1 time {after} if queue entry {entry} still waits")
        }
    };
    let mut out = format!(
        "rollup     {} on chain {}\nroot       {}, {} accounts\nexodus     {exodus}\n",
        r.contract, r.chain_id, r.root, r.accounts
    );
    if let Some(from) = r.from {
        let dry = if r.dry_run { " (dry run: nothing was sent)" } else { "" };
        out += &format!("sender     {from}{dry}\n");
    }
    if let Some(gas) = r.begin_gas {
        out += &format!("begun      {gas} gas\n");
    }
    if r.would_begin {
        out += "dry run    the call succeeds: exodus would begin\n";
    }
    for due in r.due.iter().flatten() {
        let when = match due.payable_at {
            0 => String::new(),
            time => format!(", from L1 time {time} on"),
        };
        let exodus = if due.needs_exodus() { ", in exodus" } else { "" };
        out += &format!("due        {}{exodus}{when}\n", shown(due));
    }
    for payment in r.payments.iter().flatten() {
        let outcome = match &payment.outcome {
            Outcome::Paid { gas } => format!("paid ({gas} gas)"),
            Outcome::PaidBefore => "was paid before".into(),
            Outcome::WouldPay => "would be paid".into(),
            Outcome::Waits { why } => format!("waits: {why}"),
            Outcome::Refused { why } => format!("REFUSED: {why}"),
        };
        out += &format!("payment    {}: {outcome}\n", shown(&payment.due));
    }
    if r.due.as_ref().is_some_and(Vec::is_empty) || r.payments.as_ref().is_some_and(Vec::is_empty) {
        out += "due        nothing\n";
    }
    out
}

fn shown(due: &Due) -> String {
    let what = match due.what {
        What::Account { index } => format!("account {index}"),
        What::Deposit { entry } => format!("deposit {entry} of the queue"),
        What::Exit { block, position } => format!("exit {position} of block {block}"),
        What::Owed => "refused payments".into(),
    };
    format!("{what}: {} of token {} to {}", due.amount, due.token, due.to)
}
