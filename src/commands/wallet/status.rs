//! What a key has, with its proofs checked.

use bastion_client::types::{Filled, Hash, Operation, Progressed};
use bastion_client::{check, ClientError};
use bastion_protocol::{field, Index, Token};
use serde::Serialize;

use super::{amount, block_on, order, NodeArgs, Wallet};
use crate::output;

/// Receipts that are asked about: the last ones.
const RECEIPTS: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The key's name.
    name: String,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Serialize)]
struct Report {
    key: String,
    owner: String,
    accounts: Vec<Account>,
    receipts: Vec<Receipt>,
}

#[derive(Serialize)]
struct Account {
    index: Index,
    /// Null before its first batch is sealed.
    token: Option<Token>,
    /// Under the root, with a proof that holds.
    proven_balance: Option<String>,
    root: String,
    block: u64,
    /// Whether the root is that of L1.
    finalized: bool,
    /// By the node's word.
    pending_balance: Option<String>,
    pending_nonce: Option<u32>,
    frozen_until: u64,
}

#[derive(Serialize)]
struct Receipt {
    operation: String,
    block: u64,
    /// Whose signature it has.
    signed: Signed,
    /// Null if the node does not know it.
    status: Option<Progressed>,
    /// What an order got, and the token that it sold; null before its batch is closed, and for other operations.
    filled: Option<Filled>,
    sold_token: Option<Token>,
    /// Whether its records stand in the data of its block; null before it is sealed.
    included: Option<bool>,
}

/// Whose signature a receipt has.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Signed {
    Sequencer,
    FormerSequencer,
    NobodyKnown,
}

pub(super) fn run(wallet: &Wallet<'_>, args: &Args) -> eyre::Result<()> {
    let (file, _) = wallet.folder.key(&args.name)?;
    let mut distrust = None;
    let report = block_on(async {
        let (client, rollup) = args.node.connect(wallet).await?;
        let mut accounts = Vec::new();
        for proof in client.accounts_of(file.owner()).await? {
            let root = check::account(&proof)?;
            let account = proof.account.filter(|account| account.owner == file.owner());
            accounts.push(Account {
                index: proof.index,
                token: account.map(|account| account.token),
                proven_balance: account.map(|account| account.balance.to_string()),
                root: field::to_hex(&root),
                block: proof.block,
                finalized: proof.finalized,
                pending_balance: proof.pending.map(|pending| pending.balance.to_string()),
                pending_nonce: proof.pending.map(|pending| pending.nonce),
                frozen_until: account.map_or(0, |account| account.frozen_until),
            });
        }
        let (kept, former) = (wallet.folder.receipts()?, wallet.folder.former()?);
        let mut receipts = Vec::new();
        for signed in kept.iter().rev().take(RECEIPTS) {
            let hash = Hash(signed.receipt.operation);
            let by = |rollup| check::receipt(signed, rollup, hash);
            let signed_by = match by(&rollup) {
                Ok(()) => Signed::Sequencer,
                Err(_) if former.iter().any(|former| by(former).is_ok()) => Signed::FormerSequencer,
                Err(why) => {
                    distrust.get_or_insert(why);
                    Signed::NobodyKnown
                }
            };
            let known: Option<Operation> = match client.operation(hash).await {
                Ok(operation) => Some(operation),
                Err(error) if error.code() == Some("not_found") => None,
                Err(error) => return Err(error.into()),
            };
            let included = match client.inclusion(hash).await {
                Ok(inclusion) => Some(check::inclusion(&inclusion, signed).is_ok()),
                Err(error) if matches!(error.code(), Some("not_sealed" | "not_found")) => None,
                Err(error) => return Err(error.into()),
            };
            let (operation, block) = (hash.to_string(), signed.receipt.place.block);
            let status = known.as_ref().map(|operation| operation.status);
            let filled = known.as_ref().and_then(|operation| operation.filled);
            let sold_token = known.filter(|_| filled.is_some()).map(|operation| operation.token);
            receipts.push(Receipt {
                operation,
                block,
                signed: signed_by,
                status,
                filled,
                sold_token,
                included,
            });
        }
        let (key, owner) = (args.name.clone(), field::to_hex(&file.owner()));
        Ok(Report { key, owner, accounts, receipts })
    })?;
    output::report(wallet.settings, &report, text)?;
    // All is shown; what is no receipt is an error all the same.
    match distrust {
        Some(why) => Err(ClientError::from(why).into()),
        None => Ok(()),
    }
}

fn text(r: &Report) -> String {
    let mut out = format!("key        {}\nowner      {}\n", r.key, r.owner);
    if r.accounts.is_empty() {
        out += "accounts   none: make a deposit, and wait until the node has taken it\n";
    }
    let shown = |text: &Option<String>, token: Option<Token>| match text {
        Some(text) => amount::shown(text.parse().unwrap_or_default(), token.unwrap_or(0)),
        None => "nothing".into(),
    };
    for account in &r.accounts {
        let level =
            if account.finalized { "final on L1" } else { "newer than the final one on L1" };
        out += &format!(
            "account    {}: balance {}, proven under root {} ({level}); {} after all operations so far\n",
            account.index,
            shown(&account.proven_balance, account.token),
            account.root,
            shown(&account.pending_balance, account.token),
        );
    }
    for receipt in &r.receipts {
        let status = match receipt.status {
            Some(status) => format!("{status:?}").to_lowercase(),
            None => "UNKNOWN TO THE NODE: keep the receipt as evidence".into(),
        };
        let filled =
            receipt.filled.zip(receipt.sold_token).map_or_else(String::new, |(got, sell)| {
                format!("; the order was filled: {}", order::filled(&got, sell))
            });
        let included = match receipt.included {
            Some(true) | None => "",
            Some(false) => ", AND NOT AS PROMISED: keep the receipt as evidence",
        };
        out += &format!(
            "receipt    {} in block {}: {status}{filled}{included}{}\n",
            receipt.operation,
            receipt.block,
            match receipt.signed {
                Signed::Sequencer => "",
                Signed::FormerSequencer => ", signed by an earlier key of the sequencer",
                Signed::NobodyKnown => ", NOT SIGNED BY THE SEQUENCER: do not rely on it",
            }
        );
    }
    out
}
