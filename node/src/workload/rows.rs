//! The rows of a CSV of transfers, and the lines they stand in.

use bastion_protocol::Address;
use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use crate::error::NodeError;

/// The columns, in any order.
pub(super) const COLUMNS: [&str; 7] =
    ["block", "tx_index", "trace_index", "token", "from", "to", "amount"];

/// What a row says.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) token: Address,
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) amount: u128,
}

/// Rows with the number of the line in which each begins.
pub(super) struct Rows<'b> {
    bytes: &'b [u8],
    reader: Reader<&'b [u8]>,
    /// Where each of [`COLUMNS`] stands.
    places: [usize; COLUMNS.len()],
    fields: usize,
    /// Bytes passed, and the line that they end in.
    passed: usize,
    line: usize,
}

impl<'b> Rows<'b> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`NodeError::Input`] if it is not UTF-8, or not of the columns.
    pub(super) fn new(bytes: &'b [u8]) -> Result<Self, NodeError> {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(bytes);
        let mut rows =
            Self { bytes, places: [0; COLUMNS.len()], fields: 0, passed: 0, line: 1, reader };
        let Some((line, header)) = rows.record()? else {
            return Ok(rows);
        };
        let wrong = |why: String| {
            let columns = COLUMNS.join(",");
            NodeError::input(line, format!("header: {why}; the columns are {columns}"))
        };
        let names: Vec<&str> = header
            .iter()
            .map(|name| std::str::from_utf8(name).map(str::trim))
            .collect::<Result<_, _>>()
            .map_err(|_| wrong("it is not UTF-8".into()))?;
        rows.fields = names.len();
        if let Some(name) = names.iter().find(|name| !COLUMNS.contains(name)) {
            return Err(wrong(format!("unknown column `{name}`")));
        }
        for (place, column) in rows.places.iter_mut().zip(COLUMNS) {
            let mut found = names.iter().enumerate().filter(|(_, name)| **name == column);
            match (found.next(), found.next()) {
                (Some((i, _)), None) => *place = i,
                (None, _) => return Err(wrong(format!("column `{column}` is missing"))),
                (Some(_), Some(_)) => {
                    return Err(wrong(format!("column `{column}` is there twice")))
                }
            }
        }
        Ok(rows)
    }

    /// The next row with its line, if it is one.
    ///
    /// # Errors
    /// If the CSV cannot be read at all.
    #[allow(clippy::type_complexity)]
    pub(super) fn next(&mut self) -> Result<Option<(usize, Result<Row, String>)>, NodeError> {
        let record = self.record()?;
        Ok(record.map(|(line, record)| (line, self.row(&record))))
    }

    /// The next record that is not blank.
    fn record(&mut self) -> Result<Option<(usize, ByteRecord)>, NodeError> {
        let mut record = ByteRecord::new();
        loop {
            let read = self.reader.read_byte_record(&mut record);
            if !read.map_err(|e| NodeError::input(self.line, e))? {
                return Ok(None);
            }
            // The reader counts the blank lines before a record as its beginning.
            let start = record.position().map_or(self.passed, |p| p.byte() as usize);
            let line = self.line_of(start);
            // A line of blanks is blank.
            if record.len() > 1 || record.get(0).is_some_and(|field| !field.is_empty()) {
                return Ok(Some((line, record)));
            }
        }
    }

    /// The line of the first byte from `start` on that ends no line. `\n`, `\r` and `\r\n` end one.
    fn line_of(&mut self, start: usize) -> usize {
        while let Some(byte) = self.bytes.get(self.passed) {
            let ends = matches!(byte, b'\n' | b'\r');
            if self.passed >= start && !ends {
                break;
            }
            let half = *byte == b'\r' && self.bytes.get(self.passed + 1) == Some(&b'\n');
            self.line += usize::from(ends && !half);
            self.passed += 1;
        }
        self.line
    }

    fn row(&self, record: &ByteRecord) -> Result<Row, String> {
        if record.len() != self.fields {
            return Err(format!("it has {} fields, the header {}", record.len(), self.fields));
        }
        let [block, tx_index, trace_index, token, from, to, amount] = self.places;
        let text = |place: usize| {
            let field = record.get(place).unwrap_or_default();
            std::str::from_utf8(field).map_err(|_| {
                let shown = String::from_utf8_lossy(field);
                format!("`{shown}` is not UTF-8")
            })
        };
        for (name, place) in COLUMNS.into_iter().zip([block, tx_index, trace_index]) {
            let text = text(place)?;
            decimal(text).map_err(|why| format!("{name}: {why}"))?;
        }
        let address = |name: &str, place: usize| {
            let text = text(place)?;
            let address = text.parse::<Address>();
            address.map_err(|e| format!("{name} `{text}`: {e}"))
        };
        Ok(Row {
            token: address("token", token)?,
            from: address("from", from)?,
            to: address("to", to)?,
            amount: decimal(text(amount)?).map_err(|why| format!("amount: {why}"))?,
        })
    }
}

/// A number in decimal digits and nothing else.
fn decimal(text: &str) -> Result<u128, String> {
    if text.is_empty() {
        return Err("the number is missing".into());
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let number = text.parse();
        return number.map_err(|_| format!("`{text}` is not below 2^128"));
    }
    let remedy = match scientific(text) {
        Some(number) => format!("write {number}"),
        None => "write all of its digits and nothing else".into(),
    };
    Err(format!("`{text}` is not a decimal integer: {remedy}"))
}

/// What `1.5e18` stands for, if it is an integer below 2^128.
fn scientific(text: &str) -> Option<u128> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let exponent: u32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let zeros = exponent.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let digits: u128 = digits.parse().ok()?;
    10u128.checked_pow(zeros)?.checked_mul(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "0x0000000000000000000000000000000000000000,\
        0x00000000000000000000000000000000000000a1,0x00000000000000000000000000000000000000b1";

    fn lines(csv: &str) -> Vec<(usize, Result<u128, String>)> {
        let mut rows = Rows::new(csv.as_bytes()).unwrap();
        let next = || rows.next().unwrap();
        std::iter::from_fn(next).map(|(line, row)| (line, row.map(|r| r.amount))).collect()
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let header = COLUMNS.join(",");
        for end in ["\n", "\r\n", "\r"] {
            let rows = [
                "",
                &header,
                "",
                " ",
                &format!("1,0,0,{ROW},5"),
                "",
                // Two lines long.
                &format!("1,\" 0{end}\",0,{ROW},6"),
                &format!("1,0,0,{ROW},7"),
                "1,0,0",
                &format!("1,0,,{ROW},8"),
                ",,,,,,",
            ];
            let found = lines(&rows.join(end));
            let at: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
            assert_eq!(at, [5, 7, 9, 10, 11, 12], "{end:?}");
            let amounts: Vec<_> = found.iter().filter_map(|(_, r)| r.clone().ok()).collect();
            assert_eq!(amounts[0], 5);
            assert_eq!(*amounts.last().unwrap(), 7);
            assert!(found[3].1.as_ref().unwrap_err().contains("3 fields"));
            assert!(found[4].1.as_ref().unwrap_err().contains("trace_index"));
        }
    }

    #[test]
    fn columns_go_by_name_and_a_header_that_is_none_is_refused() {
        let csv = "amount,to,from,token,block,tx_index,trace_index\n5,0x00000000000000000000000000000000000000b1,0x00000000000000000000000000000000000000a1,0x0000000000000000000000000000000000000000,1,0,0";
        let row = Rows::new(csv.as_bytes()).unwrap().next().unwrap();
        let row = row.unwrap().1.unwrap();
        assert_eq!((row.from.0[19], row.to.0[19]), (0xa1, 0xb1));
        for (header, why) in [
            (&b"block,tx_index,trace_index,token,to,from,amount\xa0"[..], "not UTF-8"),
            (b"block,tx_index,trace_index,token,to,from,value", "unknown column `value`"),
            (b"block,tx_index,trace_index,token,to,amount", "`from` is missing"),
            (b"block,tx_index,trace_index,token,to,from,from,amount", "twice"),
            (b"1,0,0,0x00,0x00,0x00,5", "unknown column"),
        ] {
            let error = Rows::new(header).err().unwrap().to_string();
            assert!(error.contains(why) && error.contains("line 1"), "{error}");
        }
        assert!(Rows::new(b"").unwrap().next().unwrap().is_none());
    }

    #[test]
    fn numbers_are_digits_and_others_are_told_how_to_be() {
        assert_eq!(decimal("007"), Ok(7));
        assert_eq!(decimal(&u128::MAX.to_string()), Ok(u128::MAX));
        for (text, why) in [
            ("1e18", "write 1000000000000000000"),
            ("1.50E+3", "write 1500"),
            ("1.5", "all of its digits"),
            ("1e-3", "all of its digits"),
            ("1e4294967295", "all of its digits"),
            ("1e99999999999999999999", "all of its digits"),
            ("9e38", "all of its digits"),
            (".e5", "all of its digits"),
            ("+5", "not a decimal integer"),
            ("-5", "not a decimal integer"),
            ("0x10", "not a decimal integer"),
            ("1_000", "not a decimal integer"),
            ("", "missing"),
            ("340282366920938463463374607431768211456", "2^128"),
        ] {
            let error = decimal(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
