//! Measures the screener on the committed splits: `evaluate [transfers.csv] [operations]`, JSON on
//! standard output.

use std::error::Error;

use bastion_sentinel::simulate::{bench, Built, Rows, Splits, SAMPLE};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = match arguments.next() {
        Some(path) => std::fs::read_to_string(path)?,
        None => SAMPLE.to_owned(),
    };
    let splits = match arguments.next() {
        Some(operations) => Splits::of_length(operations.parse()?)?,
        None => Splits::committed()?,
    };
    let figures = bench(&Rows::read(&text)?, &splits, &Built::new(Default::default())?)?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}
