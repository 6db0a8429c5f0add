//! Transfers from a CSV of real ones: keys are derived per address, and deposits are made so that
//! the rows can run.

use std::collections::BTreeMap;

use bastion_protocol::keys::{owner, SecretKey};
use bastion_protocol::ops::{Action, Body, Deposit, Float, Op, AMOUNT_BITS};
use bastion_protocol::{Address, Fr, Token};
use bastion_state::state::State;
use serde::Serialize;

use super::rows::{Row, Rows};
use super::rules::L1Rules;
use crate::block::{Source, Waiting};
use crate::error::NodeError;

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
    waiting: Waiting,
    domain: Fr,
    deadline: u64,
}

/// The key of an imported address. It can be derived by anybody: for replays only.
pub fn imported_key(address: Address) -> SecretKey {
    let mut seed = b"bastion.import.v1".to_vec();
    seed.extend(address.0);
    SecretKey::from_seed(&seed)
}

/// Reads a CSV with the columns `block,tx_index,trace_index,token,from,to,amount` in any order; at
/// most `limit` rows. Rows that cannot be operations, or that L1 would refuse, are an error, or left
/// out with `skip_invalid`.
///
/// # Errors
/// A header that is not of those columns, or the line of a bad row.
pub fn import_csv(
    input: &[u8],
    limit: Option<usize>,
    skip_invalid: bool,
    domain: Fr,
    deadline: u64,
) -> Result<(CsvWorkload, CsvReport), NodeError> {
    let eth = Address([0; 20]);
    let mut report = CsvReport { tokens: vec![eth.to_string()], ..CsvReport::default() };
    let mut import = Import { tokens: [(eth, 0)].into(), ..Import::default() };
    let mut dropped: u128 = 0;
    let mut rows = Rows::new(input)?;
    let limit = limit.unwrap_or(usize::MAX);
    for _ in 0..limit {
        let Some((line, row)) = rows.next()? else {
            break;
        };
        match row.and_then(|row| import.take(line, &row)) {
            Ok(0) => {}
            Ok(lost) => {
                report.rounded += 1;
                dropped = dropped.saturating_add(lost);
            }
            Err(why) if skip_invalid => report.skipped.push(format!("line {line}: {why}")),
            Err(why) => return Err(NodeError::input(line, why)),
        }
    }
    report.rows = import.transfers.len();
    report.dropped = dropped.to_string();
    report.tokens.extend(import.order.iter().map(ToString::to_string));
    report.deposits = import.senders.len();
    let workload = CsvWorkload {
        deposits: import.deposits(),
        transfers: import.transfers,
        next: 0,
        waiting: Waiting::default(),
        domain,
        deadline,
    };
    Ok((workload, report))
}

/// The rows so far.
#[derive(Default)]
struct Import {
    tokens: BTreeMap<Address, Token>,
    /// Tokens but ETH, by number.
    order: Vec<Address>,
    transfers: Vec<Transfer>,
    /// What each sender will send, and in which order they come.
    needed: BTreeMap<(Address, Token), u128>,
    senders: Vec<(Address, Token)>,
    rules: L1Rules,
}

impl Import {
    /// Takes a row over, or says why not, and then nothing has changed. What was rounded off.
    fn take(&mut self, line: usize, row: &Row) -> Result<u128, String> {
        let Row { token: contract, from, to, amount } = *row;
        let nobody = Address([0; 20]);
        if from == to {
            return Err(format!("{from} sends to itself"));
        }
        if to == nobody {
            return Err(
                "an account of the zero address cannot be left (a burn is no transfer)".into()
            );
        }
        let rounded = Float::floor(amount, AMOUNT_BITS).value().unwrap_or(0);
        if rounded == 0 {
            return Err("amount is 0".into());
        }
        let known = self.tokens.get(&contract).copied();
        let token = match known {
            Some(token) => token,
            None => Token::try_from(self.tokens.len())
                .map_err(|_| "more than 65,536 tokens".to_string())?,
        };
        // Each sender has one deposit of everything that it will send.
        self.rules.deposit(token, rounded, from)?;
        if known.is_none() {
            self.tokens.insert(contract, token);
            self.order.push(contract);
        }
        let sender = (from, token);
        // No more than the deposits of the token, which the rules have added up.
        *self.needed.entry(sender).or_insert_with(|| {
            self.senders.push(sender);
            0
        }) += rounded;
        self.transfers.push(Transfer { line, token, from, to, amount: rounded });
        Ok(amount - rounded)
    }

    fn deposits(&self) -> Vec<Deposit> {
        let deposit = |&(from, token): &(Address, Token)| Deposit {
            token,
            amount: self.needed[&(from, token)],
            keyhash: imported_key(from).public().keyhash(),
            exit: from,
        };
        self.senders.iter().map(deposit).collect()
    }
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
            Some((to, _)) => Action::Transfer { to, amount: t.amount },
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
        let signed = body
            .sign(&imported_key(t.from), self.domain, t.from)
            .map_err(|e| NodeError::input(t.line, e))?;
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

    fn waiting(&mut self) -> &mut Waiting {
        &mut self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0x7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a";
    const ZERO: &str = "0x0000000000000000000000000000000000000000";
    const A: &str = "0x00000000000000000000000000000000000000a1";
    const B: &str = "0x00000000000000000000000000000000000000b1";

    fn import(rows: &[String], skip: bool) -> Result<(CsvWorkload, CsvReport), NodeError> {
        let csv = format!("block,tx_index,trace_index,token,from,to,amount\n{}\n", rows.join("\n"));
        import_csv(csv.as_bytes(), None, skip, Fr::from(1u64), 100)
    }

    fn row(token: &str, from: &str, to: &str, amount: impl ToString) -> String {
        format!("1,0,0,{token},{from},{to},{}", amount.to_string())
    }

    #[test]
    fn rows_that_l1_or_the_circuit_refuses_are_refused_with_their_line_or_left_out() {
        let most = Float::floor(u128::MAX, AMOUNT_BITS).value().unwrap();
        for (bad, why) in [
            (row(TOKEN, ZERO, A, 5), "zero address"),
            (row(TOKEN, A, ZERO, 5), "zero address"),
            (row(TOKEN, A, A, 5), "itself"),
            (row(TOKEN, A, B, 0), "amount is 0"),
            (row(TOKEN, A, B, "1e3"), "write 1000"),
            (row(ZERO, B, A, most), "2^128"),
            (row("0x7a", A, B, 5), "token"),
            ("1,0,0".to_string(), "3 fields"),
        ] {
            let rows = [row(ZERO, A, B, most), bad, row(ZERO, A, B, 3)];
            let error = import(&rows[..2], false).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("line 3"), "{error}");
            let rows = [row(ZERO, A, B, 7), rows[1].clone(), row(ZERO, A, B, 3)];
            if why == "2^128" {
                continue;
            }
            let (workload, report) = import(&rows, true).unwrap();
            assert_eq!((report.rows, report.skipped.len()), (2, 1), "{report:?}");
            assert!(report.skipped[0].starts_with("line 3: "), "{report:?}");
            // Nothing of the row is left: no token, no part of a deposit.
            assert_eq!(report.tokens, [ZERO]);
            let deposits: Vec<u128> = workload.deposits().iter().map(|d| d.amount).collect();
            assert_eq!(deposits, [10]);
        }
    }

    #[test]
    fn rows_that_are_left_out_count_for_the_limit_and_others_number_the_tokens() {
        let rows = [row(TOKEN, A, B, 5), "?".into(), row(ZERO, B, A, 6)];
        let (_, report) = import(&rows, true).unwrap();
        assert_eq!(report.tokens, [ZERO, TOKEN]);
        assert_eq!(report.deposits, 2);
        let csv = format!("block,tx_index,trace_index,token,from,to,amount\n{}", rows.join("\n"));
        let read = |limit| import_csv(csv.as_bytes(), Some(limit), true, Fr::from(1u64), 100);
        let rows = [0, 1, 2, 3, usize::MAX].map(|n| read(n).unwrap().1.rows);
        assert_eq!(rows, [0, 1, 1, 2, 2]);
    }
}
