//! What the contract's refusals mean for the settler.

use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, SolInterface};
use bastion_contract::rollup::IRollup::{self, IRollupErrors as Refusal};
use bastion_l1::txmgr::{Intent, Judge, Verdict};
use bastion_l1::{Failover, L1Error, ReadL1, Revert};

/// Judges the settler's transactions by the rollup at `contract`.
pub(super) fn judge(contract: Address) -> Judge {
    Judge::new(on_revert).with_check(move |l1, intent| is_done(l1, contract, intent))
}

/// The block of a transaction, by its name.
fn block_of(name: &str) -> Option<(&str, u64)> {
    let mut words = name.split(' ');
    let step = words.next()?;
    Some((step, words.next()?.parse().ok()?))
}

/// Whether the contract is past the block. That the block there is ours is compared by the settler.
fn is_done(l1: &mut Failover, contract: Address, intent: &Intent) -> Result<bool, L1Error> {
    let Some((step, number)) = block_of(intent.name()) else {
        return Ok(false);
    };
    let call = match step {
        "commit" => IRollup::committedCall {}.abi_encode(),
        "prove" | "settle" => IRollup::provenCall {}.abi_encode(),
        "finalize" => IRollup::finalizedCall {}.abi_encode(),
        _ => return Ok(false),
    };
    let counter = l1.view(contract, call.into())?;
    Ok(U256::try_from_be_slice(&counter).is_some_and(|counter| counter >= U256::from(number)))
}

fn on_revert(intent: &Intent, revert: &bastion_l1::Revert) -> Verdict {
    let number = block_of(intent.name()).map_or(0, |(_, number)| number);
    verdict(number, revert)
}

fn verdict(number: u64, revert: &Revert) -> Verdict {
    let Ok(refusal) = Refusal::abi_decode(&revert.data) else {
        return Verdict::Fatal(revert.to_string());
    };
    match refusal {
        // Somebody else was faster.
        Refusal::NotNext(e) if e.expected > U256::from(number) => Verdict::AlreadyDone,
        // The block before it is not there yet, or was taken back.
        Refusal::NotNext(_) | Refusal::WrongOldRoot(_) | Refusal::QueueMismatch(_) => Verdict::Wait,
        // The block's time is ahead of L1's, or so far behind that no waiting helps.
        Refusal::TimeOutOfRange(e) if U256::from(e.time) > e.latest => Verdict::Wait,
        // Guardians, council and governor can end these.
        Refusal::IsPaused(_)
        | Refusal::AlarmRuns(_)
        | Refusal::NotOperator(_)
        | Refusal::UnknownCircuit(_)
        | Refusal::OverdueWaits(_) => Verdict::Wait,
        _ => Verdict::Fatal(revert.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::SolError;

    fn revert(data: Vec<u8>) -> Revert {
        Revert::new(data.into())
    }

    #[test]
    fn refusals_are_told_apart() {
        let next = |expected: u64, actual: u64| {
            let (expected, actual) = (U256::from(expected), U256::from(actual));
            revert(IRollup::NotNext { expected, actual }.abi_encode())
        };
        assert_eq!(verdict(7, &next(8, 7)), Verdict::AlreadyDone);
        assert_eq!(verdict(7, &next(6, 7)), Verdict::Wait);
        let time = |time: u64| {
            let (earliest, latest) = (U256::from(10), U256::from(20));
            revert(IRollup::TimeOutOfRange { earliest, time, latest }.abi_encode())
        };
        assert_eq!(verdict(7, &time(21)), Verdict::Wait);
        assert!(matches!(verdict(7, &time(9)), Verdict::Fatal(_)));
        let paused = revert(IRollup::IsPaused { until: U256::from(5) }.abi_encode());
        assert_eq!(verdict(7, &paused), Verdict::Wait);
        let refused = revert(IRollup::ProofRefused { number: U256::from(7) }.abi_encode());
        assert!(matches!(verdict(7, &refused), Verdict::Fatal(_)));
        assert!(matches!(verdict(7, &revert(vec![1, 2, 3])), Verdict::Fatal(_)));
    }

    #[test]
    fn names_tell_step_and_block() {
        assert_eq!(block_of("commit 7"), Some(("commit", 7)));
        assert_eq!(block_of("prove 12 again 3"), Some(("prove", 12)));
        assert_eq!(block_of("commit"), None);
        assert_eq!(block_of("deploy verifier"), None);
    }
}
