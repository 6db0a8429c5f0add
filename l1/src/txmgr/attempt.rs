//! Attempts: signing, replacing, sending.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEip4844, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Bytes, TxKind, U256};

use super::fees::Fees;
use super::intent::{Attempt, State};
use super::notice::Notice;
use super::{TxManager, DAY};
use crate::blob::{pool_form, PoolForm, Sidecar};
use crate::chain::ReadL1;
use crate::error::L1Error;
use crate::fault::SendFault;
use crate::nonce::NonceFault;
use crate::types::{Call, Market};

/// Gas of a transfer.
const TRANSFER: u64 = 21_000;
/// Gas that one transaction may have since Fusaka (EIP-7825).
const MOST_GAS: u64 = 1 << 24;

/// What an attempt is made of.
struct Draft {
    call: Call,
    nonce: u64,
    gas: u64,
    fees: Fees,
    cancels: bool,
    /// The blobs that it carries. One that cancels carries them too: pools let nothing without blobs take the
    /// place of what has some.
    blobs: Vec<Bytes>,
}

impl TxManager {
    /// Makes the first attempt with a nonce.
    pub(super) fn first(
        &mut self,
        i: usize,
        nonce: u64,
        now: u64,
        notices: &mut Vec<Notice>,
    ) -> Result<(), L1Error> {
        let call = self.intents[i].request.from(self.account());
        let estimate = self.l1.estimate(&call)?;
        let gas = self.with_margin(estimate).max(self.least_gas(i));
        let market = self.l1.market()?;
        let limit = self.options.limits.fee_per_gas;
        let fees = self.wanted(i, market).within(limit);
        if !self.intents[i].request.blobs.is_empty() && fees.blob < market.blob_fee {
            let fee = market.blob_fee;
            let why = format!("each gas of a blob costs {fee} wei now, and at most {limit} are allowed: it waits until it is cheaper");
            return Err(self.capped(i, why));
        }
        let needed = market.base_fee.saturating_add(self.options.min_tip);
        if fees.max < needed {
            let why = format!("each gas costs {needed} wei now, and at most {limit} are allowed: it waits until gas is cheaper");
            return Err(self.capped(i, why));
        }
        self.afford(i, gas, fees, call.value, now)?;
        let blobs = self.blobs(i);
        self.launch(i, Draft { call, nonce, gas, fees, cancels: false, blobs }, now, notices)
    }

    /// Replaces the attempts that are on their way by one that pays more.
    pub(super) fn replace(
        &mut self,
        i: usize,
        cancels: bool,
        now: u64,
        notices: &mut Vec<Notice>,
    ) -> Result<(), L1Error> {
        let intent = &self.intents[i];
        let Some(nonce) = intent.nonce else {
            return Err(self.capped(i, "nothing of it is on its way".into()));
        };
        let max = intent.live().map(|a| a.fees.max).max().unwrap_or(0);
        let tip = intent.live().map(|a| a.fees.tip).max().unwrap_or(0);
        let blob = intent.live().map(|a| a.fees.blob).max().unwrap_or(0);
        let from = self.account();
        let call = match cancels {
            true => Call {
                to: Some(from),
                value: U256::ZERO,
                input: Default::default(),
                ..intent.request.from(from)
            },
            false => intent.request.from(from),
        };
        // Attempts that are on their way go on, whatever a simulation says now: the nonce is to be used.
        let estimate = self.l1.estimate(&call).map_or(0, |gas| self.with_margin(gas));
        let gas = match cancels {
            true => estimate.max(TRANSFER),
            false => estimate.max(self.least_gas(i)),
        };
        let market = self.l1.market()?;
        let mut failure = None;
        for fees in self.candidates(i, Fees { max, tip, blob }, market)? {
            match self.afford(i, gas, fees, call.value, now) {
                Ok(()) => {
                    let blobs = self.blobs(i);
                    let draft = Draft { call, nonce, gas, fees, cancels, blobs };
                    return self.launch(i, draft, now, notices);
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| self.capped(i, "no fee is high enough".into())))
    }

    /// Fees that replace those of `old`: what the market wants, then the least that does.
    fn candidates(&self, i: usize, old: Fees, market: Market) -> Result<[Fees; 2], L1Error> {
        let limit = self.options.limits.fee_per_gas;
        let least = old.replacement().filter(|least| least.highest() <= limit).ok_or_else(|| {
            let more = if old.blob == 0 { "a tenth more than" } else { "twice" };
            let why = format!("a replacement must pay {more} {} wei for each gas, and at most {limit} are allowed: it waits as it is", old.highest());
            self.capped(i, why)
        })?;
        let wanted = old.replaced_by(self.wanted(i, market));
        let wanted = wanted.map_or(least, |fees| fees.within(limit));
        Ok([wanted, least])
    }

    /// What to pay in a market for an intent.
    fn wanted(&self, i: usize, market: Market) -> Fees {
        let fees = Fees::of(market, self.options.min_tip);
        match self.intents[i].request.blobs.is_empty() {
            true => fees,
            false => fees.with_blobs(market),
        }
    }

    fn blobs(&self, i: usize) -> Vec<Bytes> {
        self.intents[i].request.blobs.iter().map(|blob| blob.bytes.clone()).collect()
    }

    /// The least gas limit of the next attempt: what was asked for, and what earlier ones had.
    fn least_gas(&self, i: usize) -> u64 {
        let intent = &self.intents[i];
        let earlier = intent.attempts.iter().filter(|a| !a.cancels).map(|a| a.gas);
        earlier.fold(intent.request.gas, u64::max)
    }

    fn with_margin(&self, estimate: u64) -> u64 {
        let margin = (estimate / 100).saturating_mul(self.options.gas_margin);
        estimate.saturating_add(margin).min(MOST_GAS).max(estimate)
    }

    /// Holds an attempt against the limits.
    fn afford(&self, i: usize, gas: u64, fees: Fees, value: U256, now: u64) -> Result<(), L1Error> {
        let limits = &self.options.limits;
        let total = fees.total(gas, self.intents[i].request.blobs.len(), value);
        // One of the attempts with a nonce is mined: what is no dearer than the dearest adds nothing.
        if total <= self.intents[i].committed() {
            return Ok(());
        }
        if total > limits.transaction {
            let limit = limits.transaction;
            let why = format!("it may cost {total} wei, and at most {limit} are allowed for one transaction: raise the limit, or let it wait");
            return Err(self.capped(i, why));
        }
        let others = self.spent_today(now).saturating_sub(self.intents[i].committed());
        if others.saturating_add(total) > limits.day {
            let limit = limits.day;
            let why = format!("it may cost {total} wei, {others} are spent or on their way on day {}, and at most {limit} are allowed: raise the limit, or let it wait until the next day (UTC)", now / DAY);
            return Err(self.capped(i, why));
        }
        Ok(())
    }

    fn capped(&self, i: usize, why: String) -> L1Error {
        L1Error::Capped { name: self.intents[i].name().into(), why }
    }

    /// Signs an attempt, stores it, and only then sends it.
    fn launch(
        &mut self,
        i: usize,
        draft: Draft,
        now: u64,
        notices: &mut Vec<Notice>,
    ) -> Result<(), L1Error> {
        let attempt = self.sign(draft, now)?;
        let (name, transaction, nonce) =
            (self.intents[i].name().to_owned(), attempt.hash, attempt.nonce);
        let mut intent = self.intents[i].clone();
        intent.state = State::Sent;
        intent.nonce = Some(attempt.nonce);
        intent.cancelling |= attempt.cancels;
        intent.attempts.push(attempt);
        self.put(i, intent)?;
        notices.push(Notice::Sent { name, transaction, nonce });
        self.send(i, now, notices);
        Ok(())
    }

    fn sign(&self, draft: Draft, now: u64) -> Result<Attempt, L1Error> {
        if !draft.blobs.is_empty() {
            return self.sign_with_blobs(&draft, now);
        }
        let Draft { call, nonce, gas, fees, cancels, blobs: _ } = draft;
        let tx = TxEip1559 {
            chain_id: self.l1.chain_id(),
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.tip,
            to: call.to.map_or(TxKind::Create, TxKind::Call),
            value: call.value,
            access_list: Default::default(),
            input: call.input,
        };
        let signature = self.wallet.sign(&tx.signature_hash())?;
        let signed = tx.into_signed(signature);
        let hash = *signed.hash();
        let raw = TxEnvelope::from(signed).encoded_2718().into();
        Ok(Attempt { raw, hash, nonce, gas, fees, value: call.value, time: now, cancels })
    }

    /// The same with blobs: commitments and proofs are part of the bytes that are sent and stored.
    fn sign_with_blobs(&self, draft: &Draft, now: u64) -> Result<Attempt, L1Error> {
        let Draft { call, nonce, gas, fees, cancels, blobs } = draft;
        let (nonce, gas, fees, cancels) = (*nonce, *gas, *fees, *cancels);
        let blobs = blobs.iter().map(|bytes| Sidecar::new(bytes));
        let blobs: Vec<Sidecar> = blobs.collect::<Result<_, _>>()?;
        let tx = TxEip4844 {
            chain_id: self.l1.chain_id(),
            nonce,
            gas_limit: gas,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.tip,
            // Nothing is created by a transaction with blobs.
            to: call.to.unwrap_or_default(),
            value: call.value,
            access_list: Default::default(),
            blob_versioned_hashes: call.blobs.clone(),
            max_fee_per_blob_gas: fees.blob,
            input: call.input.clone(),
        };
        let signature = self.wallet.sign(&tx.signature_hash())?;
        let PoolForm { hash, raw } = pool_form(tx, signature, &blobs)?;
        Ok(Attempt { raw, hash, nonce, gas, fees, value: call.value, time: now, cancels })
    }

    /// Sends what is on its way: the newest attempt; if no node takes that one now, the one before.
    pub(super) fn send(&mut self, i: usize, now: u64, notices: &mut Vec<Notice>) {
        let raws: Vec<_> = self.intents[i].live().rev().map(|a| a.raw.clone()).collect();
        let pace = self.pace(i);
        pace.sent = Some(now);
        pace.hurry = false;
        let mut refusal = None;
        for raw in raws {
            let Err(error) = self.l1.send_raw(&raw) else { break };
            let fault = SendFault::of_error(&error);
            match fault {
                // An attempt was mined, which the next step finds out.
                Some(SendFault::Nonce(NonceFault::TooLow)) => return,
                // Earlier ones are missing: all are sent again.
                Some(SendFault::Nonce(NonceFault::TooHigh | NonceFault::Gap)) => {
                    for (other, pace) in &mut self.pace {
                        if *other != i {
                            pace.sent = None;
                        }
                    }
                }
                Some(SendFault::Underpriced | SendFault::BelowBaseFee | SendFault::TooCheap) => {
                    self.pace(i).hurry = true;
                }
                Some(
                    SendFault::Known | SendFault::Funds | SendFault::Reserved | SendFault::Full,
                )
                | None => {}
            }
            // Without an answer there is no use in trying the others.
            let lost = error.is_lost();
            refusal.get_or_insert((fault, error));
            if lost {
                break;
            }
        }
        if let Some((fault, error)) = refusal {
            let name = self.intents[i].name().to_owned();
            notices.push(Notice::Refused { name, fault, error });
        }
    }
}
