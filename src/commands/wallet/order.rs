//! Orders: sell at most an amount of one token for another, in the auction of their batch.

use bastion_client::check;
use bastion_client::types::{Filled, Hash, Progressed};
use bastion_client::Client;
use bastion_protocol::ops::Action;
use bastion_protocol::{Fr, Index, Limit, Token};
use serde::Serialize;

use super::{amount, block_on, l2, Wallet, MOST_WAITING};
use crate::exit::CliError;
use crate::output;

/// Sells at most an amount for another token, at a limit price.
///
/// The order takes part in the auction of its batch: all orders of a batch have one price for each token. It is
/// filled at that price or a better one than its limit, whole, in part, or not at all. Until the batch is closed
/// its whole amount is held back; then what was not sold is free again, and the order is over.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("price").required(true), after_help = "Examples:\n  \
bastion wallet order alice --amount 1eth --buy 2 --at-least 3000000000\n  \
bastion wallet order alice --token 2 --amount 3000000000 --buy 0 --limit 3.2e8\n  \
bastion wallet status alice")]
pub(super) struct Order {
    #[command(flatten)]
    acting: l2::Acting,
    /// The most to sell, such as 1.5eth, 20gwei, or a number of the smallest unit.
    #[arg(long, value_parser = amount::read)]
    amount: u128,
    /// The token to buy; 0 is ether.
    #[arg(long, value_name = "TOKEN")]
    buy: Token,
    /// The account of the bought token that is paid, if the key has several.
    #[arg(long, value_name = "INDEX")]
    to: Option<Index>,
    /// The least to be paid for one smallest unit, in smallest units of the bought token, such as 0.95 or 3e-9.
    #[arg(long, value_name = "PRICE", group = "price", value_parser = price)]
    limit: Option<(u128, u128)>,
    /// The least to be paid if the whole amount is sold; for a part of it, that part.
    #[arg(long, value_name = "AMOUNT", group = "price", value_parser = amount::read)]
    at_least: Option<u128>,
}

#[derive(Serialize)]
struct Report {
    operation: String,
    account: Index,
    token: Token,
    amount: String,
    buy: Token,
    to: Index,
    limit: Limit,
    fee: String,
    block: u64,
    batch: u32,
    position: u32,
    receipt: String,
    status: Progressed,
    /// Null before its batch is closed.
    filled: Option<Filled>,
}

pub(super) fn run(wallet: &Wallet<'_>, args: &Order) -> eyre::Result<()> {
    let Order { acting, amount, buy, to, limit, at_least } = args;
    let (amount, buy) = (*amount, *buy);
    if buy == acting.who.token {
        let usage = format!("token {buy} is sold and bought: name another one by --buy");
        return Err(CliError::Usage(usage).into());
    }
    let (bought, sold) = limit.or(at_least.map(|least| (least, amount))).unwrap_or_default();
    let limit = Limit::of(bought, sold).map_err(|e| CliError::Usage(e.to_string()))?;
    let report = block_on(async {
        let (client, rollup) = acting.node.connect(wallet).await?;
        let (file, _) = wallet.folder.key(&acting.who.name)?;
        let to = receiver(&client, file.owner(), &acting.who.name, (*to, buy)).await?;
        let action = Action::Order { to, buy, amount, limit };
        let whose = (&acting.who, acting.fee);
        let sent = l2::send(wallet, (&client, &rollup), whose, |_| action).await?;
        let operation = Hash(sent.receipt.receipt.operation);
        let (status, filled) = match acting.wait {
            true => {
                let last = client.wait_until(operation, Progressed::Final, MOST_WAITING).await?;
                (last.status, last.filled)
            }
            false => (Progressed::Sequenced, None),
        };
        let place = sent.receipt.receipt.place;
        Ok(Report {
            operation: operation.to_string(),
            account: sent.account,
            token: acting.who.token,
            amount: sent.amount.to_string(),
            buy,
            to,
            limit,
            fee: sent.fee.to_string(),
            block: place.block,
            batch: place.batch,
            position: place.position,
            receipt: sent.kept.display().to_string(),
            status,
            filled,
        })
    })?;
    output::report(wallet.settings, &report, text)
}

/// The account of the owner that is paid: the one that is named, or the only one in the token.
async fn receiver(
    client: &Client,
    owner: Fr,
    name: &str,
    (to, buy): (Option<Index>, Token),
) -> eyre::Result<Index> {
    let found = client.accounts_of(owner).await?;
    for proof in &found {
        check::account(proof)?;
    }
    // Before its first batch is sealed, an account's token is not shown.
    let in_token = |token: Option<Token>| token == Some(buy) || to.is_some() && token.is_none();
    let mut fitting = found
        .iter()
        .filter(|proof| to.is_none_or(|to| proof.index == to))
        .filter(|proof| in_token(proof.account.map(|account| account.token)))
        .map(|proof| proof.index);
    match (fitting.next(), fitting.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => {
            let usage =
                format!("key {name} has several accounts in token {buy}: choose one by --to");
            Err(CliError::Usage(usage).into())
        }
        (None, _) => {
            let what = to.map_or("no account".into(), |to| format!("no account {to}"));
            Err(CliError::Usage(format!(
                "key {name} has {what} in token {buy}, which could be paid: make one by a deposit of the token, \
                 and wait until its batch is sealed"
            ))
            .into())
        }
    }
}

fn text(r: &Report) -> String {
    let shown = |text: &str, token| amount::shown(text.parse().unwrap_or_default(), token);
    let filled = match &r.filled {
        Some(filled) => self::filled(filled, r.token),
        None => format!(
            "known when its batch is closed: see `bastion wallet status` then; {} are held back until then",
            shown(&r.amount, r.token)
        ),
    };
    format!(
        "operation  {}\nsells      at most {} of account {}, fee {}\nbuys       token {} for account {}\nplace      \
         block {}, batch {}, position {}\nreceipt    signed by the sequencer, kept in {}\nstatus     {:?}\nfilled     \
         {filled}",
        r.operation,
        shown(&r.amount, r.token),
        r.account,
        shown(&r.fee, r.token),
        r.buy,
        r.to,
        r.block,
        r.batch,
        r.position,
        r.receipt,
        r.status,
    )
}

/// What an order got, for people.
pub(super) fn filled(filled: &Filled, sell: Token) -> String {
    match filled.sold.0 {
        0 => "not at all".into(),
        sold => format!(
            "{} sold, {} paid",
            amount::shown(sold, sell),
            amount::shown(filled.paid.0, filled.buy)
        ),
    }
}

/// Reads a decimal price, such as `0.95`, `17` or `3e-9`, as a quotient.
fn price(text: &str) -> Result<(u128, u128), String> {
    let bad = || format!("{text:?} is no price: give one such as 0.95, 17 or 3e-9");
    let wide = || format!("{text:?} has too many digits: give fewer");
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = match number.split_once('.') {
        Some((_, "")) => return Err(bad()),
        Some(both) => both,
        None => (number, ""),
    };
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let unsigned = exponent.strip_prefix('-').unwrap_or(exponent);
    if whole.is_empty()
        || !digits(whole)
        || !digits(part)
        || unsigned.is_empty()
        || !digits(unsigned)
    {
        return Err(bad());
    }
    let exponent: i32 = exponent.parse().map_err(|_| wide())?;
    let places = i32::try_from(part.len()).map_err(|_| wide())?;
    let zeros = exponent.checked_sub(places).ok_or_else(wide)?;
    let number: u128 = format!("{whole}{part}").parse().map_err(|_| wide())?;
    let power = 10_u128.checked_pow(zeros.unsigned_abs()).ok_or_else(wide)?;
    match (number, zeros >= 0) {
        (0, _) => Err(format!("{text:?} is no price: nobody sells for nothing")),
        (_, true) => Ok((number.checked_mul(power).ok_or_else(wide)?, 1)),
        (_, false) => Ok((number, power)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_exact() {
        for (text, quotient) in [
            ("17", (17, 1)),
            ("0.95", (95, 100)),
            ("1.50", (150, 100)),
            ("3e-9", (3, 1_000_000_000)),
            ("3.25e-2", (325, 10_000)),
            ("3.25E2", (325, 1)),
            ("3.2e8", (320_000_000, 1)),
            ("2e0", (2, 1)),
        ] {
            assert_eq!(price(text), Ok(quotient), "{text}");
        }
        for text in [
            "",
            ".5",
            "5.",
            "-1",
            "+1",
            "1e",
            "1e-",
            "e5",
            "1e+5",
            "1e1.5",
            "1 ",
            "0x1",
            "0",
            "0.00",
            "1/3",
            "1e40",
            "1e-40",
            "1e99999999999",
            "340282366920938463463374607431768211456",
            "1eth",
        ] {
            assert!(price(text).is_err(), "{text}");
        }
    }
}
