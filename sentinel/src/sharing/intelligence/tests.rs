//! What enters, and what follows from it.

use serde_json::{json, Value};

use super::*;
use crate::sharing::stix::draft;
use crate::sharing::testing::{id, member, signer, subject, trust, World, MAIN, OPEN};
use crate::sharing::Member;

mod crowd;
mod enter;
mod root;
mod share;
mod weigh;

fn raw(object: &Object) -> Value {
    Value::Object(object.raw().clone())
}

fn names(error: &Result<Id, String>, variant: &str) -> bool {
    error.as_ref().is_err_and(|e| e.starts_with(variant))
}
