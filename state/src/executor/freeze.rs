//! What the guardian does to an account.

use bastion_protocol::Account;

use super::{BatchContext, Rejection};

/// The account with a new freeze.
pub(super) fn freeze(
    context: &BatchContext,
    index: u32,
    account: &Account,
    until: u64,
    old_until: u64,
) -> Result<Account, Rejection> {
    let (time, policy) = (context.time, &context.policy);
    // Both sums are of two u40: the context was checked.
    if until <= time || until > time + policy.max_freeze {
        return Err(Rejection::FreezeOutOfBounds { until, time, max: policy.max_freeze });
    }
    let from = account.frozen_until + policy.cooldown;
    if time < from {
        return Err(Rejection::Cooldown { account: index, from });
    }
    names_old(index, account, old_until)?;
    Ok(Account { frozen_until: until, ..*account })
}

/// The account whose freeze ends now, so that the cooldown runs from here.
pub(super) fn unfreeze(
    context: &BatchContext,
    index: u32,
    account: &Account,
    old_until: u64,
) -> Result<Account, Rejection> {
    names_old(index, account, old_until)?;
    if !account.is_frozen(context.time) {
        return Err(wrong(index, account, old_until));
    }
    Ok(Account { frozen_until: context.time, ..*account })
}

/// The guardian's operations name the freeze that they replace: they have no nonce.
fn names_old(index: u32, account: &Account, old_until: u64) -> Result<(), Rejection> {
    match old_until == account.frozen_until {
        true => Ok(()),
        false => Err(wrong(index, account, old_until)),
    }
}

fn wrong(index: u32, account: &Account, got: u64) -> Rejection {
    Rejection::WrongFreeze { account: index, until: account.frozen_until, got }
}
