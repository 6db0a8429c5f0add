//! Transfers from a CSV of real ones: keys are derived per address, and deposits are made so that
//! the rows can run.

use std::collections::BTreeMap;
use std::io::Read;

use bastion_state::keys::{owner, SecretKey};
use bastion_state::ops::{Action, Body, Deposit, Float, Op, AMOUNT_BITS};
use bastion_state::state::State;
use bastion_state::{Address, Fr, Token};
use serde::{Deserialize, Serialize};

use crate::block::Source;
use crate::error::NodeError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "block")]
    _block: u64,
    #[serde(rename = "tx_index")]
    _tx_index: u64,
    #[serde(rename = "trace_index")]
    _trace_index: u64,
    token: String,
    from: String,
    to: String,
    amount: String,
}

/// A row as it can be an operation.
#[derive(Debug, Clone)]
struct Transfer {
    line: usize,
    token: Token,
    from: Address,
    to: Address,
    amount: u128,
}

/// What an import did to the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CsvReport {
    /// Rows that are operations.
    pub rows: usize,
    /// Tokens among them, in the order of their numbers (number 0 is ETH).
    pub tokens: Vec<String>,
    /// Deposits that were made so that the rows can run.
    pub deposits: usize,
    /// Rows whose amount had more digits than the encoding carries.
    pub rounded: usize,
    /// What was rounded off, summed over those rows, in the tokens' smallest units.
    pub dropped: String,
    /// Rows that were left out, with the reason.
    pub skipped: Vec<String>,
}

/// The operations of an import, in order.
#[derive(Debug, Clone)]
pub struct CsvWorkload {
    deposits: Vec<Deposit>,
    transfers: Vec<Transfer>,
    next: usize,
    domain: Fr,
    deadline: u64,
}

/// The key of an imported address. It can be derived by anybody: for replays only.
pub fn imported_key(address: Address) -> SecretKey {
    let mut seed = b"bastion.import.v1".to_vec();
    seed.extend(address.0);
    SecretKey::from_seed(&seed)
}

/// Reads a CSV with the columns `block,tx_index,trace_index,token,from,to,amount`; at most `limit`
/// rows. Rows that cannot be operations are an error, or left out with `skip_invalid`.
///
/// # Errors
/// A file that is no such CSV, or its bad rows.
pub fn import_csv(
    input: impl Read,
    limit: Option<usize>,
    skip_invalid: bool,
    domain: Fr,
    deadline: u64,
) -> Result<(CsvWorkload, CsvReport), NodeError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(input);
    let mut report = CsvReport {
        tokens: vec![Address([0; 20]).to_string()],
        ..CsvReport::default()
    };
    let mut tokens: BTreeMap<Address, Token> = [(Address([0; 20]), 0)].into();
    let mut transfers = Vec::new();
    let mut dropped: u128 = 0;
    for (i, record) in reader.deserialize::<Row>().enumerate() {
        if limit.is_some_and(|n| i >= n) {
            break;
        }
        let line = i + 2;
        let row = record.map_err(|e| NodeError::input(line, e))?;
        match read_row(&row, line, &mut tokens, &mut report) {
            Ok((transfer, lost)) => {
                if lost > 0 {
                    report.rounded += 1;
                    dropped = dropped.saturating_add(lost);
                }
                transfers.push(transfer);
            }
            Err(why) if skip_invalid => report.skipped.push(format!("line {line}: {why}")),
            Err(why) => return Err(NodeError::input(line, why)),
        }
    }
    report.rows = transfers.len();
    report.dropped = dropped.to_string();
    let deposits = deposits(&transfers)?;
    report.deposits = deposits.len();
    let workload = CsvWorkload {
        deposits,
        transfers,
        next: 0,
        domain,
        deadline,
    };
    Ok((workload, report))
}

fn read_row(
    row: &Row,
    line: usize,
    tokens: &mut BTreeMap<Address, Token>,
    report: &mut CsvReport,
) -> Result<(Transfer, u128), String> {
    let address = |what: &str, text: &str| {
        text.parse::<Address>()
            .map_err(|e| format!("{what} `{text}`: {e}"))
    };
    let (contract, from, to) = (
        address("token", &row.token)?,
        address("from", &row.from)?,
        address("to", &row.to)?,
    );
    let amount: u128 = row
        .amount
        .parse()
        .map_err(|e| format!("amount `{}` is not below 2^128: {e}", row.amount))?;
    if from == to {
        return Err(format!("{from} sends to itself"));
    }
    let rounded = Float::floor(amount, AMOUNT_BITS).value().unwrap_or(0);
    if rounded == 0 {
        return Err("amount is 0".into());
    }
    let token = match tokens.get(&contract) {
        Some(token) => *token,
        None => {
            let token =
                Token::try_from(tokens.len()).map_err(|_| "more than 65,536 tokens".to_string())?;
            tokens.insert(contract, token);
            report.tokens.push(contract.to_string());
            token
        }
    };
    let transfer = Transfer {
        line,
        token,
        from,
        to,
        amount: rounded,
    };
    Ok((transfer, amount - rounded))
}

/// For each sender and token one deposit of everything that it will send.
fn deposits(transfers: &[Transfer]) -> Result<Vec<Deposit>, NodeError> {
    let mut order = Vec::new();
    let mut needed: BTreeMap<(Address, Token), u128> = BTreeMap::new();
    for t in transfers {
        let sum = needed.entry((t.from, t.token)).or_insert_with(|| {
            order.push((t.from, t.token));
            0
        });
        *sum = sum.checked_add(t.amount).ok_or_else(|| {
            NodeError::input(t.line, format!("{} sends more than 2^128 in all", t.from))
        })?;
    }
    Ok(order
        .into_iter()
        .map(|(from, token)| Deposit {
            token,
            amount: needed[&(from, token)],
            keyhash: imported_key(from).public().keyhash(),
            exit: from,
        })
        .collect())
}

impl CsvWorkload {
    /// The deposits, in the order of the queue.
    pub fn deposits(&self) -> &[Deposit] {
        &self.deposits
    }

    fn transfer(&self, t: &Transfer, state: &State) -> Result<Op, NodeError> {
        let account = |address: Address| {
            let owner = owner(imported_key(address).public().keyhash(), address);
            state.find(owner, t.token)
        };
        let (index, sender) = account(t.from)
            .ok_or_else(|| NodeError::input(t.line, format!("{} has no account", t.from)))?;
        let action = match account(t.to) {
            Some((to, _)) => Action::Transfer {
                to,
                amount: t.amount,
            },
            None => Action::TransferNew {
                keyhash: imported_key(t.to).public().keyhash(),
                exit: t.to,
                amount: t.amount,
            },
        };
        let body = Body {
            account: index,
            token: t.token,
            nonce: sender.nonce,
            deadline: self.deadline,
            fee: 0,
            action,
        };
        let signed = body.sign(&imported_key(t.from), self.domain, t.from)?;
        Ok(Op::Signed(signed))
    }
}

impl Source for CsvWorkload {
    fn next(&mut self, state: &State) -> Result<Option<(String, Op)>, NodeError> {
        let n = self.next;
        self.next += 1;
        if let Some(deposit) = self.deposits.get(n) {
            return Ok(Some((format!("deposit {}", n + 1), Op::Deposit(*deposit))));
        }
        match self.transfers.get(n - self.deposits.len()) {
            Some(t) => Ok(Some((format!("line {}", t.line), self.transfer(t, state)?))),
            None => Ok(None),
        }
    }

    fn put_back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }
}
