//! Attacks, one function a family.

mod bridge;
mod deceit;
mod laundering;
mod market;
mod theft;

use super::label::Family;
use super::stage::Stage;

/// Writes one attack of a family.
pub fn write(family: Family, stage: &mut Stage<'_>) {
    match family {
        Family::Drain => theft::drain(stage),
        Family::KeyTheft => theft::key_theft(stage),
        Family::SlowLeak => theft::slow_leak(stage),
        Family::LimitProbing => theft::limit_probing(stage),
        Family::Dusting => deceit::dusting(stage),
        Family::AddressPoisoning => deceit::poisoning(stage),
        Family::WashTrading => market::wash(stage),
        Family::Sandwich => market::sandwich(stage),
        Family::BridgeForgery => bridge::forgery(stage),
        Family::PeelChain => laundering::peel(stage),
    }
}
