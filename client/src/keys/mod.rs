//! Keys of accounts in files, encrypted.
//!
//! | module | content |
//! |---|---|
//! | [`mod@file`] | the file: argon2id and XChaCha20-Poly1305 |
//! | [`mod@password`] | where the password comes from |

pub mod file;
pub mod password;

pub use file::{KeyFile, Strength};
pub use password::PasswordSource;
