//! What an operation costs the operator, and the fee that covers it.

use bastion_client::types::{Amount, FeeEstimate};
use bastion_protocol::ops::{Float, FEE_BITS};
use bastion_protocol::Token;

use super::block::Cost;
use crate::api::problem::{Code, Fault};
use crate::api::Backend;

/// Gas on L1 for an operation before any block is final.
const GAS: u64 = 1_000;
/// Blocks that the average is made of.
const BLOCKS: usize = 8;
/// Wei of an ether.
const ETHER: u128 = 1_000_000_000_000_000_000;

impl Backend {
    /// What the last final blocks cost, if there are any of which this node knows it.
    pub(in crate::api) fn cost(&self) -> Result<Option<Cost>, Fault> {
        let last: Vec<_> = {
            let l1 = self.l1();
            let finalized = l1.transactions.range(..=l1.finalized).rev().take(BLOCKS);
            finalized.map(|(number, transactions)| (*number, transactions.clone())).collect()
        };
        let mut sum: Option<Cost> = None;
        for (number, transactions) in last {
            let block = self.parts.coordinator.block(number)?;
            let cost = block.and_then(|block| Cost::of(&transactions, u64::from(block.operations)));
            sum = match (sum, cost) {
                (Some(sum), Some(cost)) => Some(sum.plus(cost)),
                (sum, cost) => sum.or(cost),
            };
        }
        Ok(sum)
    }

    /// A fee in a token.
    ///
    /// # Errors
    /// [`Code::NoPrice`].
    pub(in crate::api) fn fees(&self, token: Token) -> Result<FeeEstimate, Fault> {
        let fees = &self.options.fees;
        let units = match token {
            0 => Some(ETHER),
            token => fees.units_per_ether.get(&token).copied(),
        };
        let units = units.ok_or_else(|| {
            let detail =
                format!("the operator has set no price for token {token}: pay in another one");
            Fault::new(Code::NoPrice, detail)
        })?;
        let l1_gas_per_transfer = self.cost()?.map_or(GAS, |cost| cost.gas_per_operation());
        let gas_price = self.l1().gas_price;
        let l1_wei = gas_price.saturating_mul(u128::from(l1_gas_per_transfer));
        let cost = l1_wei.saturating_add(fees.proving_wei);
        let wei = cost.saturating_mul(100 + u128::from(fees.margin_percent)).div_ceil(100);
        Ok(FeeEstimate {
            token,
            suggested: Amount(payable(convert(wei, units))),
            l1_gas_per_transfer,
            l1_gas_price: Amount(gas_price),
            l1_wei_per_transfer: Amount(l1_wei),
            proving_wei_per_transfer: Amount(fees.proving_wei),
            margin_percent: fees.margin_percent,
        })
    }
}

/// Wei in units of which so many are worth an ether, rounded up.
fn convert(wei: u128, units: u128) -> u128 {
    match wei.checked_mul(units) {
        Some(product) => product.div_ceil(ETHER),
        // The product is too large, and so precise to the last digit in this order too.
        None => (wei / ETHER + 1).saturating_mul(units),
    }
}

/// The smallest fee that an operation can carry and that is not below a value; for one above all of them,
/// the largest.
fn payable(value: u128) -> u128 {
    let most = (1 << FEE_BITS) - 1;
    let powers = (0..u128::BITS).map_while(|exponent| 10_u128.checked_pow(exponent));
    let mut fees = powers.map(|power| (value.div_ceil(power), power));
    let found = fees.find(|(mantissa, _)| *mantissa <= most);
    let fee = found.and_then(|(mantissa, power)| mantissa.checked_mul(power));
    let carried = fee.filter(|fee| Float::exact("fee", *fee, FEE_BITS).is_ok());
    carried.or_else(|| Float::floor(value, FEE_BITS).value()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_up_to_what_the_wire_carries() {
        for (value, fee) in [
            (0, 0),
            (1, 1),
            (127, 127),
            (128, 130),
            (1_271, 1_300),
            (1_000_001, 1_010_000),
            (126_999, 127_000),
        ] {
            assert_eq!(payable(value), fee, "{value}");
            assert!(Float::exact("fee", payable(value), FEE_BITS).is_ok());
        }
        assert!(Float::exact("fee", payable(u128::MAX), FEE_BITS).is_ok());
    }

    #[test]
    fn other_tokens_have_their_price() {
        assert_eq!(convert(ETHER, 3_000_000_000), 3_000_000_000);
        assert_eq!(convert(1, 3_000_000_000), 1);
        assert_eq!(convert(7, ETHER), 7);
        assert!(convert(u128::MAX, u128::MAX) == u128::MAX);
    }
}
