//! The market's batch as operator and traders make it: receipts, a closing, openings.

use std::collections::BTreeMap;
use std::time::Instant;

use alloy_primitives::{Address, U256};
use bastion_client::check::Rollup;
use bastion_client::{blind as owner, SignedBlind, SignedClosing, SignedReceipt};
use bastion_l1::{DevChain, SendL1};
use bastion_protocol::blind::is_burned;
use bastion_protocol::ops::AMOUNT_BITS;
use bastion_protocol::{Address as L2Address, Token};
use bastion_state::executor::{BatchContext, BatchTrace};
use bastion_state::state::State;
use serde::Serialize;

use super::{rounded, Fate, Market, BOND, COINS};
use crate::blind::l1::{openings, reveal};
use crate::blind::{BlindBatch, Rules};
use crate::devnet::dev_exit;
use crate::error::NodeError;
use crate::posting::Room;
use crate::sequencer::ReceiptSigner;

/// How long L1 takes openings after the block's time, in seconds.
const REVEAL_SECONDS: u64 = 600;

/// What a market is played with.
pub struct Play<'a> {
    /// What holds for the batch.
    pub context: &'a BatchContext,
    /// What the batch has room for.
    pub room: Room,
    /// Signs for the operator.
    pub signer: &'a ReceiptSigner,
    /// The contract that judges receipts.
    pub slashing: Address,
}

/// What blind orders came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blinds {
    /// Orders that were hidden.
    pub orders: usize,
    /// Those that were revealed to the operator.
    pub revealed: usize,
    /// Those that were revealed on L1, which the operator had not heard.
    pub on_l1: usize,
    /// Those that were not revealed: their forfeits stand at their places.
    pub forfeited: usize,
    /// Milliseconds that a blind receipt took, the slowest of a hundred not counted.
    pub receipt_ms: f64,
    /// Milliseconds from an opening to the operator's receipt for it, in the same way.
    pub reveal_ms: f64,
    /// Gas of an opening on L1; 0 if there was none.
    pub reveal_gas: u64,
}

/// What the operator told the traders.
pub struct Told {
    /// Receipts for operations that it knew, and for orders that were revealed to it.
    pub receipts: Vec<SignedReceipt>,
    /// Receipts for hidden orders.
    pub blind: Vec<SignedBlind>,
    /// The closing of the batch.
    pub closing: SignedClosing,
    /// What came of the blind orders.
    pub blinds: Blinds,
}

impl Market {
    /// Plays the market into one batch, as block 1 of a rollup: receipts for deposits and orders, blind receipts for
    /// hidden orders, the closing, which each of their owners checks, and the openings.
    ///
    /// # Errors
    /// [`NodeError::Receipt`] if the operator refuses something or an owner finds a promise lacking; those of L1.
    pub fn play(
        &self,
        state: &mut State,
        play: &Play<'_>,
        l1: &mut dyn DevChain,
    ) -> Result<(BatchTrace, Told), NodeError> {
        let &Play { context, room, signer, slashing } = play;
        let refused = |why: &dyn std::fmt::Display| NodeError::Receipt { why: why.to_string() };
        let reveal_by = context.time + REVEAL_SECONDS;
        // Published before anybody hides an order.
        let least_bonds: BTreeMap<Token, u128> = (0..)
            .zip(COINS)
            .map(|(token, coin)| (token, rounded(coin.units(BOND), AMOUNT_BITS)))
            .collect();
        let bonds = least_bonds.clone();
        let rules = Rules { epoch: 0, block: 1, batch: 0, reveal_by, bonds };
        let rollup = Rollup {
            chain_id: signer.chain_id(),
            contract: signer.contract(),
            sequencer: L2Address(signer.address().into_array()),
        };
        let mut batch =
            BlindBatch::new(state, context.clone(), room, rules).map_err(|e| refused(&e))?;
        let (mut receipts, mut blind) = (Vec::new(), Vec::new());
        let (mut receipt_ms, mut reveal_ms) = (Vec::new(), Vec::new());

        for op in self.deposits() {
            receipts.push(batch.take(op, signer).map_err(|e| refused(&e))?);
        }
        let hidden: BTreeMap<usize, _> = self.hidden().iter().map(|h| (h.place, h)).collect();
        for (place, op) in self.orders().iter().enumerate() {
            let Some(order) = hidden.get(&place) else {
                receipts.push(batch.take(op, signer).map_err(|e| refused(&e))?);
                continue;
            };
            let since = Instant::now();
            let signed =
                batch.take_blind(&order.hidden.request, signer).map_err(|e| refused(&e))?;
            receipt_ms.push(since.elapsed().as_secs_f64() * 1e3);
            let checked = owner::receipt(&signed, &order.hidden, &rollup, reveal_by);
            checked.map_err(|e| refused(&e))?;
            blind.push(signed);
        }
        let closing = batch.close(signer).map_err(|e| refused(&e))?;

        // Each owner checks the closing before he reveals anything.
        let burned = |account| batch.account(account).is_some_and(|a| is_burned(a.owner));
        let least = |account| {
            let token = batch.account(account)?.token;
            least_bonds.get(&token).copied()
        };
        let now = l1.now()?;
        for own in &blind {
            let checked = owner::closing(&closing, own, &rollup, now, burned, least);
            checked.map_err(|e| refused(&e))?;
        }

        let mut reveal_gas = 0;
        for (order, signed) in self.hidden().iter().zip(&blind) {
            let (account, opening) = (order.hidden.request.account, &order.hidden.opening);
            match order.fate {
                Fate::Revealed => {
                    let since = Instant::now();
                    let receipt =
                        batch.reveal(account, opening, signer).map_err(|e| refused(&e))?;
                    reveal_ms.push(since.elapsed().as_secs_f64() * 1e3);
                    receipts.push(receipt);
                }
                Fate::OnL1 => {
                    let from: Address = dev_exit("unheard").0.into();
                    l1.fund(from, U256::ZERO)?;
                    let call = reveal(signed, opening)?;
                    reveal_gas = SendL1::send(l1, from, slashing, U256::ZERO, call)?;
                }
                Fate::Withheld => {}
            }
        }
        // The operator reads L1 until it takes nothing more.
        if batch.unrevealed().count() > 0 {
            l1.advance(REVEAL_SECONDS + 60)?;
        }
        let mut on_l1 = 0;
        let shown = openings(l1, slashing)?;
        for (digest, opening) in shown.openings {
            if let Some(account) = batch.account_of(&digest) {
                batch.reveal(account, &opening, signer).map_err(|e| refused(&e))?;
                on_l1 += 1;
            }
        }
        let forfeited = batch.unrevealed().count();
        let trace = batch.finish(shown.time).map_err(|e| refused(&e))?;
        let blinds = Blinds {
            orders: blind.len(),
            revealed: reveal_ms.len(),
            on_l1,
            forfeited,
            receipt_ms: slow(receipt_ms),
            reveal_ms: slow(reveal_ms),
            reveal_gas,
        };
        Ok((trace, Told { receipts, blind, closing, blinds }))
    }
}

/// The slowest but one in a hundred; 0 of none.
fn slow(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let place = times.len().saturating_mul(99) / 100;
    times.get(place.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}
