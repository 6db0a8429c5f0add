//! Signatures of a group of operations, checked in parallel before the operations are executed.

use bastion_protocol::keys::{check_claims, Claim, Verified};
use bastion_protocol::ops::Op;
use bastion_state::executor::{claim, BatchContext};
use bastion_state::state::State;
use rayon::prelude::*;

/// Claims that one equation checks. More are cheaper by the claim; fewer spread over more cores, and
/// cost less when one of them is false.
const MOST: usize = 512;
/// Fewer than this are not worth an equation of their own.
const LEAST: usize = 16;

/// For each of the operations `of`: evidence that its signature holds, if that can be said before the
/// ones in front of it are executed. The executor checks the others.
pub(super) fn check(
    state: &State,
    context: &BatchContext,
    ops: &[Op],
    of: &[usize],
) -> Vec<Option<Verified>> {
    let size = of.len().div_ceil(rayon::current_num_threads()).clamp(LEAST, MOST);
    of.par_chunks(size)
        .flat_map_iter(|chunk| {
            let claims: Vec<Option<Claim>> =
                chunk.iter().map(|i| claim(state, context, &ops[*i])).collect();
            let known: Vec<Claim> = claims.iter().flatten().copied().collect();
            let mut checked = check_claims(&known).into_iter();
            claims.into_iter().map(move |claim| claim.and_then(|_| checked.next().flatten()))
        })
        .collect()
}
