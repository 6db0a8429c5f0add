//! Where operations come from.
//!
//! | module | content |
//! |---|---|
//! | `input` | bytes and kind of an input |
//! | `csv_import` | transfers from a CSV, with the deposits they need |
//! | [`replay`] | such a CSV against a running node |
//! | `rows` | the rows of that CSV, and the lines they stand in |
//! | `jsonl` | operations, one JSON object a line |
//! | `rules` | what L1 refuses, asked before anything is proven |

mod csv_import;
mod input;
mod jsonl;
pub mod replay;
mod rows;
mod rules;

pub use csv_import::{import_csv, CsvReport, CsvWorkload};
pub use input::{Format, Input};
pub use jsonl::{import_jsonl, JsonlWorkload};
