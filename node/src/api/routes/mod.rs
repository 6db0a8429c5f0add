//! The public routes.

pub mod accounts;
pub mod blobs;
pub mod blocks;
pub mod events;
pub mod jobs;
pub mod meta;
pub mod operations;
pub mod rewards;
pub mod sentinel;

use serde::Deserialize;

use super::problem::{Code, Fault};

/// Things of a page at most.
const MOST: u32 = 100;
/// Things of a page unless another number is given.
const USUAL: u32 = 20;

/// Which part of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only what comes before this number.
    before: Option<u64>,
    /// How many, at most 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

impl Page {
    fn limit(&self) -> Result<u32, Fault> {
        match self.limit.unwrap_or(USUAL) {
            limit @ 1..=MOST => Ok(limit),
            limit => {
                let detail = format!("limit is {limit}: give one from 1 to {MOST}");
                Err(Fault::new(Code::BadRequest, detail))
            }
        }
    }
}
