//! The baseline: an amount that is large for its token.

use std::collections::HashMap;

use bastion_protocol::{Kind, Token};

use super::detector::{tail, Detector, Finding};
use crate::{Candidate, Decision};

/// Buckets: 16 to a doubling.
const BUCKETS: usize = 129 * 16;
/// With fewer amounts of a token nothing is large.
const ENOUGH: u64 = 50;

/// Scores what moves by the part of earlier amounts of the token that were not smaller, as [`tail`] says.
/// It is what many bridges and exchanges run; [`Threshold`](super::Threshold) makes it decide.
#[derive(Debug, Clone, Default)]
pub struct AmountQuantile {
    tokens: HashMap<Token, (u64, Vec<u64>)>,
}

/// Amount and token of a transfer or withdrawal.
fn moved(candidate: &Candidate<'_>) -> Option<(Token, u128)> {
    let trace = candidate.trace;
    let moves = matches!(trace.kind, Kind::Transfer | Kind::TransferNew | Kind::Withdraw);
    let token = trace.accesses[0].and_then(|a| a.after)?.token;
    moves.then_some((token, trace.amount))
}

fn bucket(amount: u128) -> usize {
    let Some(log) = amount.checked_ilog2() else {
        return 0;
    };
    let fraction = if log >= 4 { amount >> (log - 4) } else { amount << (4 - log) };
    (log as usize + 1) * 16 + (fraction as usize & 15)
}

impl Detector for AmountQuantile {
    fn screen(&mut self, candidate: &Candidate<'_>) -> Finding {
        let nothing = Finding { score: 0, decision: Decision::Allow };
        let Some((token, amount)) = moved(candidate) else {
            return nothing;
        };
        match self.tokens.get(&token) {
            Some((all, counts)) if *all >= ENOUGH => {
                let below: u64 = counts.iter().take(bucket(amount)).sum();
                let above = all.saturating_sub(below) * 1_000_000 / all;
                Finding { score: tail(above), ..nothing }
            }
            Some(_) | None => nothing,
        }
    }

    fn observe(&mut self, candidate: &Candidate<'_>) {
        if let Some((token, amount)) = moved(candidate) {
            let (all, counts) = self.tokens.entry(token).or_insert_with(|| (0, vec![0; BUCKETS]));
            *all += 1;
            if let Some(count) = counts.get_mut(bucket(amount)) {
                *count += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_grow_with_amounts() {
        let mut last = 0;
        for shift in 0..128 {
            for sixteenth in 16..32u128 {
                let amount = (sixteenth << shift.min(122)) >> 4;
                let now = bucket(amount);
                assert!(now >= last || shift > 122 && now < BUCKETS, "{amount}");
                last = now;
            }
        }
        assert_eq!(bucket(0), 0);
        assert!(bucket(u128::MAX) < BUCKETS);
    }
}
