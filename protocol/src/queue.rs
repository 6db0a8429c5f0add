//! The rolling hash of the L1 queue (protocol section 8).

use crate::hash::keccak;
use crate::ops::Op;
use crate::records::L1Record;

/// One step of the queue's rolling hash; operations that are not of L1 leave it as it is. The record
/// of a deposit carries index 0 here: the account that it credits is not known yet.
#[must_use]
pub fn roll_queue(roll: [u8; 32], op: &Op) -> [u8; 32] {
    match L1Record::of(op, 0) {
        Some(record) => keccak(&[&roll, &record.to_bytes()]),
        None => roll,
    }
}
