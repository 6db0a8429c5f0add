//! Signatures of a group of operations, checked in parallel before the operations are executed.

use bastion_protocol::ops::Op;
use bastion_protocol::Fr;
use bastion_state::executor::{check_signatures, Checked};
use bastion_state::state::State;
use rayon::prelude::*;

/// Signatures that one equation checks. More are cheaper each; fewer spread over more cores, and cost
/// less when one of them is false.
const MOST: usize = 512;
/// Fewer than this are not worth an equation of their own.
const LEAST: usize = 8;

/// Evidence for each of the operations, where there can be any before they are executed.
pub(super) fn check(state: &State, domain: Fr, ops: &[Op]) -> Vec<Option<Checked>> {
    let size = ops.len().div_ceil(rayon::current_num_threads()).clamp(LEAST, MOST);
    ops.par_chunks(size).flat_map_iter(|chunk| check_signatures(state, domain, chunk)).collect()
}
