//! Real transfers as they are read from CSV.

use std::collections::BTreeMap;

use bastion_protocol::{Address, Token};

use super::SimulateError;

/// A few made-up transfers, for where no file of real ones is at hand.
pub const SAMPLE: &str = include_str!("../../../examples/transfers.csv");

const COLUMNS: [&str; 7] = ["block", "tx_index", "trace_index", "token", "from", "to", "amount"];

/// One transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Number of the token in the order of appearance; ETH is 0.
    pub token: Token,
    /// Who sends.
    pub from: Address,
    /// Who gets.
    pub to: Address,
    /// How much, in the token's smallest unit.
    pub amount: u128,
}

/// Transfers, together as they stood in one transaction of L1.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The transfers of each transaction, in order.
    pub bundles: Vec<Vec<Row>>,
}

impl Rows {
    /// Reads a CSV with the columns `block,tx_index,trace_index,token,from,to,amount` in any order.
    /// Rows that are no operation of a rollup (nothing moves, or to itself, or from or to the zero
    /// address) are left out.
    ///
    /// # Errors
    /// [`SimulateError::Row`] with the line, [`SimulateError::Tokens`], [`SimulateError::NoRows`].
    pub fn read(csv: &str) -> Result<Self, SimulateError> {
        let mut lines = (1..).zip(csv.lines()).filter(|(_, line)| !line.trim().is_empty());
        let (line, header) = lines.next().ok_or(SimulateError::NoRows)?;
        let names: Vec<&str> = header.split(',').map(str::trim).collect();
        let mut places = [0; COLUMNS.len()];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            let found = names.iter().position(|name| *name == column);
            *place = found.ok_or_else(|| bad(line, format!("column `{column}` is missing")))?;
        }
        let mut tokens: BTreeMap<Address, Token> = [(Address([0; 20]), 0)].into();
        let mut bundles: Vec<Vec<Row>> = Vec::new();
        let mut current = None;
        for (line, text) in lines {
            let fields: Vec<&str> = text.split(',').map(str::trim).collect();
            let field = |column: usize| {
                let field = fields.get(places[column]).copied();
                field.ok_or_else(|| bad(line, format!("{} fields", fields.len())))
            };
            let address = |column: usize| -> Result<Address, SimulateError> {
                field(column)?.parse().map_err(|e| bad(line, format!("{e}")))
            };
            let (contract, from, to) = (address(3)?, address(4)?, address(5)?);
            let amount = field(6)?.parse().map_err(|e| bad(line, format!("amount: {e}")))?;
            let nobody = Address([0; 20]);
            if amount == 0 || from == to || from == nobody || to == nobody {
                continue;
            }
            let next = tokens.len();
            let token = match tokens.get(&contract) {
                Some(token) => *token,
                None => {
                    let token = Token::try_from(next).map_err(|_| SimulateError::Tokens)?;
                    tokens.insert(contract, token);
                    token
                }
            };
            let key = (field(0)?.to_owned(), field(1)?.to_owned());
            let row = Row { token, from, to, amount };
            match bundles.last_mut() {
                Some(bundle) if current.as_ref() == Some(&key) => bundle.push(row),
                _ => bundles.push(vec![row]),
            }
            current = Some(key);
        }
        match bundles.is_empty() {
            true => Err(SimulateError::NoRows),
            false => Ok(Self { bundles }),
        }
    }

    /// All transfers in order.
    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.bundles.iter().flatten()
    }
}

fn bad(line: usize, why: impl Into<String>) -> SimulateError {
    SimulateError::Row { line, why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_transaction_stay_together_and_bad_ones_are_named() {
        let rows = Rows::read(SAMPLE).unwrap();
        assert_eq!(rows.bundles[0].len(), 1);
        assert!(rows.bundles.iter().any(|b| b.len() == 2));
        assert_eq!(rows.iter().map(|r| r.token).max(), Some(1));
        let head = COLUMNS.join(",");
        let a = "0x00000000000000000000000000000000000000a1";
        for (text, why) in [
            (String::new(), "no usable"),
            ("block,token".into(), "column `tx_index`"),
            (format!("{head}\n1,0,0"), "line 2"),
            (format!("{head}\n1,0,0,0x7a,{a},{a},1"), "line 2"),
            (format!("{head}\n1,0,0,{a},{a},{a},x"), "amount"),
            (format!("{head}\n1,0,0,{a},{a},{a},1"), "no usable"),
        ] {
            let error = Rows::read(&text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
