//! Where operations come from.

mod csv_import;
mod jsonl;

pub use csv_import::{import_csv, CsvReport, CsvWorkload};
pub use jsonl::{import_jsonl, JsonlWorkload};
