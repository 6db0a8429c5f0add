//! Blind orders from the side of their owners: what they check before they reveal anything (protocol section 16).

use bastion_protocol::blind::{
    bond_of, BlindReceipt, Bond, Closing, Entry, Hidden, Paid, Terms, REVEAL_MARGIN,
};
use bastion_protocol::{Address, Index};
use serde::{Deserialize, Serialize};

use crate::check::Rollup;
use crate::error::Distrust;
use crate::receipt::signer_of;

/// A blind receipt with its terms and its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedBlind {
    /// What is promised.
    pub blind: BlindReceipt,
    /// What was agreed on.
    pub terms: Terms,
    /// secp256k1 over [`BlindReceipt::digest`]: r, s, v as `0x` and hex digits.
    pub signature: String,
}

/// A closing with its entries and its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedClosing {
    /// What is promised.
    pub closing: Closing,
    /// What was promised for each place of the batch, in order.
    pub entries: Vec<Entry>,
    /// secp256k1 over [`Closing::digest`]: r, s, v as `0x` and hex digits.
    pub signature: String,
}

impl SignedBlind {
    /// Who signed it; none if the signature is malformed.
    #[must_use]
    pub fn signer(&self, chain_id: u64, contract: Address) -> Option<Address> {
        signer_of(&self.blind.digest(chain_id, contract), &self.signature)
    }
}

impl SignedClosing {
    /// Who signed it; none if the signature is malformed.
    #[must_use]
    pub fn signer(&self, chain_id: u64, contract: Address) -> Option<Address> {
        signer_of(&self.closing.digest(chain_id, contract), &self.signature)
    }
}

/// Checks that a blind receipt is the sequencer's, for this order, and that the order can be revealed on L1 until
/// `reveal_by` or longer. Whoever finds no fault can rely on a place.
///
/// # Errors
/// [`Distrust::Signer`], [`Distrust::Blind`].
pub fn receipt(
    signed: &SignedBlind,
    hidden: &Hidden,
    rollup: &Rollup,
    reveal_by: u64,
) -> Result<(), Distrust> {
    signed_by(signed.signer(rollup.chain_id, rollup.contract), rollup)?;
    let wrong = |why: String| Err(Distrust::Blind { why });
    let (SignedBlind { blind, terms, .. }, asked) = (signed, &hidden.request);
    if blind.receipt.leaf != asked.leaf || terms.message != asked.message {
        return wrong("it is for another order".into());
    }
    if asked.forfeit_leaf().ok() != Some(blind.forfeit) {
        return wrong("it names another forfeit".into());
    }
    if terms.reveal_by < reveal_by {
        let till = terms.reveal_by;
        return wrong(format!("L1 would take the opening until {till} only, not {reveal_by}"));
    }
    // An opening shows all of them to L1, which has gas for a few.
    if !terms.paid.iter().map(|paid| paid.account).eq(asked.paid.iter().copied()) {
        return wrong("it names other accounts that may be paid than were asked for".into());
    }
    terms.check().map_err(|e| Distrust::Blind { why: e.to_string() })?;
    let paid = Paid { account: hidden.opening.to, token: hidden.opening.buy };
    if !terms.paid.contains(&paid) {
        return wrong(format!("account {} is none that may be paid", paid.account));
    }
    // Whatever else the contract would look at.
    let domain = bastion_protocol::header::domain(rollup.chain_id, rollup.contract);
    let opens = terms.check_opening(blind, &hidden.opening, domain);
    opens.map_err(|e| Distrust::Blind { why: e.to_string() })
}

/// Checks a closing before an order is revealed: that it is the sequencer's, that its list is what it signed, that
/// the order's receipt is in it at its place, that at the time `now` the order could still be revealed on L1 if the
/// operator did not hear its owner, and that nobody has a cheap way to withhold an order. The last means that each
/// forfeit goes to an account that nobody can spend from, and is no smaller than `least` says for the
/// selling account; `None` if that account is not known.
///
/// # Errors
/// [`Distrust::Signer`], [`Distrust::Closing`].
pub fn closing(
    signed: &SignedClosing,
    own: &SignedBlind,
    rollup: &Rollup,
    now: u64,
    is_burned: impl Fn(Index) -> bool,
    least: impl Fn(Index) -> Option<u128>,
) -> Result<(), Distrust> {
    signed_by(signed.signer(rollup.chain_id, rollup.contract), rollup)?;
    let wrong = |why: String| Err(Distrust::Closing { why });
    let SignedClosing { closing, entries, .. } = signed;
    if !closing.lists(entries) {
        return wrong("its list has another root or length than it says".into());
    }
    let receipt = &own.blind.receipt;
    let place = (receipt.epoch, receipt.place.block, receipt.place.batch, receipt.time);
    if (closing.epoch, closing.block, closing.batch, closing.time) != place {
        return wrong("it is of another batch than the receipt".into());
    }
    if entries.get(receipt.place.position as usize) != Some(&own.blind.entry()) {
        return wrong("it has something else at the receipt's place".into());
    }
    // An operator who waits with its closing hears the order when L1 takes it no more.
    let latest = own.terms.reveal_by.saturating_sub(REVEAL_MARGIN);
    if now > latest {
        return wrong(format!(
            "it is {now}, and after {latest} there is no time to reveal the order on L1"
        ));
    }
    for (position, entry) in entries.iter().enumerate().filter(|(_, e)| e.forfeit.is_some()) {
        let Some(Bond { from, to, amount }) = bond_of(entry) else {
            return wrong(format!("the forfeit at position {position} is no transfer"));
        };
        if !is_burned(to) {
            return wrong(format!(
                "the forfeit at position {position} goes to account {to}, which may be spent from"
            ));
        }
        if least(from).is_none_or(|least| amount < least) {
            return wrong(format!(
                "the forfeit at position {position} is {amount} units of the token of account {from}, which is \
                 too little to keep anybody from withholding the order"
            ));
        }
    }
    Ok(())
}

fn signed_by(signer: Option<Address>, rollup: &Rollup) -> Result<(), Distrust> {
    if signer == Some(rollup.sequencer) {
        return Ok(());
    }
    let signer = signer.map_or_else(|| "nobody".into(), |address| address.to_string());
    Err(Distrust::Signer { signer, sequencer: rollup.sequencer })
}

#[cfg(test)]
mod tests;
