//! Keys of accounts in files, encrypted.
//!
//! | module | content |
//! |---|---|
//! | [`file`] | the file: argon2id and XChaCha20-Poly1305 |
//! | [`password`] | where the password comes from |

pub mod file;
pub mod password;

pub use file::{KeyFile, Strength};
pub use password::PasswordSource;
