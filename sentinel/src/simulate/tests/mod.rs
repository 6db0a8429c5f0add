//! Traffic is what it says, and the harness says what is so.

mod attacks;
mod harness;
mod screening;
mod traffic;

use super::*;
use crate::Candidate;

/// A small plan with everything in it, on the made-up rows.
fn plan(families: &[Family], attacks: u32, operations: usize) -> Plan {
    Plan {
        seed: 5,
        operations,
        days: 5,
        families: families.to_vec(),
        attacks,
        look_alikes: Vec::new(),
        events: 1,
    }
}

fn rows() -> Rows {
    Rows::read(SAMPLE).unwrap()
}
