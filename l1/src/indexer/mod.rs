//! Following the logs of contracts.

mod cursor;

pub use cursor::Cursor;
