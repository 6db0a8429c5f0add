//! Operations that a key signs.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use bastion_client::check::{self, Rollup};
use bastion_client::types::{AccountProof, Hash, Progressed};
use bastion_client::{Client, SignedReceipt};
use bastion_protocol::field;
use bastion_protocol::header::domain;
use bastion_protocol::ops::{Action, Body};
use bastion_protocol::times::MAX_CLOCK_LAG;
use bastion_protocol::{Address, Fr, Index, Token};
use serde::Serialize;

use super::{amount, block_on, NodeArgs, Wallet, MOST_WAITING};
use crate::exit::CliError;
use crate::output;

/// Seconds for which an operation is valid.
const VALID: u64 = 3_600;

/// Which account acts, and what it pays.
#[derive(Debug, clap::Args)]
pub(super) struct Acting {
    #[command(flatten)]
    pub(super) who: Who,
    /// What to pay the operator, in the same form [default: what the node suggests].
    #[arg(long, value_parser = amount::read)]
    pub(super) fee: Option<u128>,
    /// Waits until it is final on L1.
    #[arg(long)]
    pub(super) wait: bool,
    #[command(flatten)]
    pub(super) node: NodeArgs,
}

/// An account of a key.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Who {
    /// The key's name.
    pub(crate) name: String,
    /// The account, if the key has several in the token.
    #[arg(long, value_name = "INDEX")]
    pub(crate) account: Option<Index>,
    /// The token; 0 is ether.
    #[arg(long, default_value_t = 0)]
    pub(crate) token: Token,
}

/// How much.
#[derive(Debug, clap::Args)]
struct Moved {
    /// What to move, such as 1.5eth, 20gwei, or a number of the smallest unit.
    #[arg(long, value_parser = amount::read)]
    amount: u128,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("receiver").required(true), after_help = "Examples:\n  \
bastion wallet transfer alice --to 131073 --amount 1000gwei --wait\n  \
bastion wallet transfer alice --to-key KEYHASH --to-exit 0x3c44...93bc --amount 0.1eth")]
pub(super) struct Transfer {
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    moved: Moved,
    /// The account that receives.
    #[arg(long, value_name = "INDEX", group = "receiver")]
    to: Option<Index>,
    /// Hash of the key for which an account is made.
    #[arg(long, value_name = "KEYHASH", group = "receiver", requires = "to_exit", value_parser = element)]
    to_key: Option<Fr>,
    /// L1 address that the new account leaves to.
    #[arg(long, value_name = "ADDRESS", requires = "to_key")]
    to_exit: Option<Address>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Withdraw {
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    moved: Moved,
    /// L1 address that is paid [default: that of the key].
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ChangeKey {
    #[command(flatten)]
    acting: Acting,
    /// The key of this wallet that takes its place. It must have the same exit address.
    #[arg(long, value_name = "NAME")]
    to: String,
}

fn element(text: &str) -> Result<Fr, String> {
    field::from_hex("key hash", text).map_err(|e| e.to_string())
}

#[derive(Serialize)]
struct Report {
    operation: String,
    account: Index,
    amount: String,
    fee: String,
    token: Token,
    block: u64,
    batch: u32,
    position: u32,
    receipt: String,
    status: Progressed,
}

pub(super) fn transfer(wallet: &Wallet<'_>, args: &Transfer) -> eyre::Result<()> {
    let amount = args.moved.amount;
    let action = match (args.to, args.to_key, args.to_exit) {
        (Some(to), _, _) => Action::Transfer { to, amount },
        (None, Some(keyhash), Some(exit)) => Action::TransferNew { keyhash, exit, amount },
        _ => return Err(CliError::Usage("give --to, or --to-key with --to-exit".into()).into()),
    };
    act(wallet, &args.acting, |_| action)
}

pub(super) fn withdraw(wallet: &Wallet<'_>, args: &Withdraw) -> eyre::Result<()> {
    let amount = args.moved.amount;
    act(wallet, &args.acting, |exit| Action::Withdraw { to: args.to.unwrap_or(exit), amount })
}

pub(super) fn change_key(wallet: &Wallet<'_>, args: &ChangeKey) -> eyre::Result<()> {
    let (old, _) = wallet.folder.key(&args.acting.who.name)?;
    let (new, _) = wallet.folder.key(&args.to)?;
    if old.exit() != new.exit() {
        return Err(CliError::Usage(format!(
            "key {} leaves to {}, and {} to {}: an account's exit address never changes; make a key for the same \
             address by `bastion wallet new NAME --exit ADDRESS`",
            args.acting.who.name,
            old.exit(),
            args.to,
            new.exit(),
        ))
        .into());
    }
    act(wallet, &args.acting, |_| Action::ChangeKey { keyhash: new.public_key().keyhash() })
}

/// What was sent.
pub(crate) struct Sent {
    pub(crate) account: Index,
    pub(crate) amount: u128,
    pub(crate) fee: u128,
    pub(crate) receipt: SignedReceipt,
    pub(crate) kept: PathBuf,
}

/// Signs and sends an operation, and keeps its receipt; `action` knows the key's own exit address.
pub(crate) async fn send(
    wallet: &Wallet<'_>,
    (client, rollup): (&Client, &Rollup),
    (who, fee): (&Who, Option<u128>),
    action: impl FnOnce(Address) -> Action,
) -> eyre::Result<Sent> {
    let (file, path) = wallet.folder.key(&who.name)?;
    let account = account(client, file.owner(), who).await?;
    let pending = account
        .pending
        .ok_or_else(|| CliError::Usage(format!("account {} does not exist yet", account.index)))?;
    let fee = match fee {
        Some(fee) => fee,
        None => client.fees(who.token).await?.suggested.0,
    };
    let body = Body {
        account: account.index,
        token: who.token,
        nonce: pending.nonce,
        deadline: deadline(client.status().await?.time),
        fee,
        action: action(file.exit()),
    };
    let amount = body.action.amount().unwrap_or_default();
    // What the wire cannot carry is said before the password is asked for.
    body.wire(file.exit())?;
    let key = file.unlock(&wallet.password.read()?, &path)?;
    let domain = domain(rollup.chain_id, rollup.contract);
    let signed = body.sign(&key, domain, file.exit())?;
    drop(key);
    let receipt = client.submit_checked(&signed, rollup).await?;
    let kept = wallet.folder.keep(&receipt)?;
    Ok(Sent { account: account.index, amount, fee, receipt, kept })
}

/// Signs and sends an operation, and reports it.
fn act(
    wallet: &Wallet<'_>,
    args: &Acting,
    action: impl FnOnce(Address) -> Action,
) -> eyre::Result<()> {
    let report = block_on(async {
        let (client, rollup) = args.node.connect(wallet).await?;
        let sent = send(wallet, (&client, &rollup), (&args.who, args.fee), action).await?;
        let operation = Hash(sent.receipt.receipt.operation);
        let status = match args.wait {
            true => client.wait_until(operation, Progressed::Final, MOST_WAITING).await?.status,
            false => Progressed::Sequenced,
        };
        let place = sent.receipt.receipt.place;
        Ok(Report {
            operation: operation.to_string(),
            account: sent.account,
            amount: sent.amount.to_string(),
            fee: sent.fee.to_string(),
            token: args.who.token,
            block: place.block,
            batch: place.batch,
            position: place.position,
            receipt: sent.kept.display().to_string(),
            status,
        })
    })?;
    output::report(wallet.settings, &report, |r| {
        format!(
            "operation  {}\nfrom       account {}\namount     {}, fee {}\nplace      block {}, batch {}, position {}\n\
             receipt    signed by the sequencer, kept in {}\nstatus     {:?}",
            r.operation,
            r.account,
            amount::shown(r.amount.parse().unwrap_or_default(), r.token),
            amount::shown(r.fee.parse().unwrap_or_default(), r.token),
            r.block,
            r.batch,
            r.position,
            r.receipt,
            r.status
        )
    })
}

/// The account that acts: the one that is named, or the only one of the key in the token.
pub(crate) async fn account(client: &Client, owner: Fr, args: &Who) -> eyre::Result<AccountProof> {
    let mut found = client.accounts_of(owner).await?;
    for proof in &found {
        check::account(proof)?;
    }
    let in_token = |proof: &AccountProof| {
        proof.account.as_ref().is_none_or(|account| account.token == args.token)
    };
    found.retain(|proof| match args.account {
        Some(index) => proof.index == index,
        None => in_token(proof),
    });
    let several = found.len() > 1;
    match found.pop() {
        Some(account) if !several => Ok(account),
        Some(_) => {
            let usage = "the key has several accounts in this token: choose one by --account";
            Err(CliError::Usage(usage.into()).into())
        }
        None => Err(CliError::Usage(format!(
            "key {} has no such account: make a deposit, and wait until the node has taken it",
            args.name
        ))
        .into()),
    }
}

/// The end of an operation's validity: by the node's clock, which is L1's, if it is not far off.
fn deadline(of_node: u64) -> u64 {
    let now = now();
    of_node.clamp(now, now + MAX_CLOCK_LAG) + VALID
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
