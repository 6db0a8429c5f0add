//! Sharing of threat intelligence between chains. `README.md` beside this file has the whole picture.

pub mod error;
pub mod sign;
pub mod stix;

pub use error::SharingError;
