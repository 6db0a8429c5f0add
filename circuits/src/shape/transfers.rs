//! Shapes for batches of nothing but transfers, as full as the rows allow.

use std::ops::RangeInclusive;

use bastion_protocol::account::FIRST_USER;
use bastion_protocol::path::DEPTH;
use bastion_protocol::Index;
use bastion_protocol::Kind;

use super::Slots;
use crate::error::CircuitError;
use crate::witness::needs;
use crate::Shape;

/// Sizes that exist. Below, the head and the slack take most of the rows; above, the words of a
/// batch would not fit their polynomial (`3 * ops < 2^16`).
pub const SIZES: RangeInclusive<u32> = 11..=22;

/// Accounts among which transfers are spread.
pub const POPULATION: u64 = 1 << 20;

/// Quotes of a market: 20 tokens and 44 pairs at the margin.
const MARKET_QUOTES: usize = 64;

/// Slots beyond those of the transfers: a few operations that need no signature (deposits), and
/// the accounts of the fees of a few tokens.
const OPS_SLACK: usize = 4;
const ACCOUNTS_SLACK: usize = 8;

/// Nodes beyond the expected number, which is random: its deviation is 1.2 times the root of the
/// number of accounts (by simulation, from 10 to 12,000 accounts). One batch in a hundred finds the
/// nodes full and takes a transfer less.
fn nodes_slack(accounts: usize) -> usize {
    3 * accounts.isqrt() + 16
}

impl Shape {
    /// The shape with `2^k` rows that takes the most transfers between random pairs out of
    /// [`POPULATION`] accounts: [`Slots::signatures`] of them. One operation in twenty may use the
    /// bridge limiter.
    ///
    /// # Errors
    /// [`CircuitError::NoSuchSize`] outside of [`SIZES`].
    pub fn transfers(k: u32) -> Result<Self, CircuitError> {
        if !SIZES.contains(&k) {
            return Err(CircuitError::NoSuchSize { k, least: *SIZES.start(), most: *SIZES.end() });
        }
        Ok(fullest(k))
    }

    /// Transfers between random pairs out of [`POPULATION`] accounts that a batch takes on average.
    pub fn transfers_in_batch(&self) -> usize {
        let fits = |transfers: usize| {
            let (each, empty) = (needs(Kind::Transfer), Slots::empty());
            let usage = Slots {
                ops: transfers,
                accounts: 2 * transfers + 1,
                nodes: expected_nodes(2 * transfers as u64),
                signatures: transfers * each.signatures,
                hashes: empty.hashes + transfers * each.hashes,
                ranges128: empty.ranges128 + transfers * each.ranges128,
                ranges40: empty.ranges40 + transfers * each.ranges40,
                ..empty
            }
            .with_blob(transfers * each.signatures, 0);
            usage.fits(&self.slots)
        };
        bisect(self.slots.ops + 1, fits)
    }
}

/// The largest number below `end` that fits, if all below it do; 0 always fits.
fn bisect(end: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, end);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The fullest shape: rows grow with transfers.
pub(super) fn fullest(k: u32) -> Shape {
    sized(k, bisect(1 << 16, |n| sized(k, n).check().is_ok()))
}

/// The fullest shape of which five in nine of the operations may be orders.
pub(super) fn market(k: u32) -> Shape {
    let with = |n: usize| {
        let shape = sized(k, n);
        let (order, quote, transfer) =
            (needs(Kind::Order), needs(Kind::Quote), needs(Kind::Transfer));
        let (orders, quotes) = (n * 5 / 9, MARKET_QUOTES);
        let Slots { ops, hashes, ranges128, ranges40, .. } = shape.slots;
        let slots = Slots {
            ops: ops + quotes,
            hashes: hashes + orders * (order.hashes - transfer.hashes) + quotes * quote.hashes,
            ranges128: ranges128
                + orders * (order.ranges128 - transfer.ranges128)
                + quotes * quote.ranges128,
            ranges40: ranges40
                + orders * (order.ranges40 - transfer.ranges40)
                + quotes * quote.ranges40,
            orders,
            quotes,
            ..shape.slots
        };
        // Orders and quotes have two records each.
        Shape { slots: slots.with_blob(n + orders + 2 * quotes, slots.owners), ..shape }
    };
    with(bisect(1 << 16, |n| with(n).check().is_ok()))
}

fn sized(k: u32, transfers: usize) -> Shape {
    let each = needs(Kind::Transfer);
    let empty = Slots::empty();
    let accounts = 2 * transfers;
    let nodes = expected_nodes(accounts as u64);
    Shape {
        name: format!("transfers-k{k}"),
        k,
        slots: Slots {
            ops: transfers + OPS_SLACK,
            accounts: accounts + ACCOUNTS_SLACK,
            nodes: nodes + nodes_slack(accounts),
            signatures: transfers,
            hashes: empty.hashes + transfers * each.hashes,
            ranges128: empty.ranges128 + transfers * each.ranges128,
            ranges40: empty.ranges40 + transfers * each.ranges40,
            limiters: (transfers / 20).max(2),
            policies: (transfers / 80).clamp(1, 16),
            orders: (transfers / 20).max(1),
            quotes: (transfers / 40).clamp(3, 32),
            ..empty
        }
        .with_blob(transfers, (transfers / 20).max(2)),
    }
}

/// Expected number of nodes above `accounts` random user accounts and one system account.
///
/// A node over `2^h` accounts is left out with probability `(1 - accounts / POPULATION)^(2^h)`.
/// In fixed point, because a circuit may not depend on how a machine rounds.
fn expected_nodes(accounts: u64) -> usize {
    const ONE: u128 = 1 << 64;
    let square = |x: u128| ((x >> 1) * (x >> 1)) >> 62;
    let mut left_out = ONE - ONE * u128::from(accounts.min(POPULATION)) / u128::from(POPULATION);
    let mut nodes = 0;
    let (first, last) = (FIRST_USER, FIRST_USER + (POPULATION - 1) as Index);
    for height in 1..=DEPTH as u32 {
        left_out = square(left_out);
        let [first, last] = [first, last].map(|i| u128::from(u64::from(i) >> height));
        nodes += (last - first + 1) * (ONE - left_out);
        // The system account's path, until it joins theirs.
        nodes += if first > 0 { ONE } else { 0 };
    }
    nodes.div_ceil(ONE) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost;

    #[test]
    fn batches_take_what_their_shape_says() {
        for k in [11, 12, 13, 14, 15, 16, 17, 19] {
            let shape = Shape::transfers(k).unwrap();
            shape.check().unwrap();
            let report = cost::report(&shape).unwrap();
            let nodes = report.tables[&crate::core::Table::Node].blocks;
            println!(
                "k = {k}: {} transfers, {nodes} of {} nodes, {} of {} rows",
                shape.slots.signatures,
                shape.slots.nodes,
                crate::core::Layout::rows_of_shape(&shape),
                shape.usable_rows()
            );
            assert_eq!(report.transfer_batch.transfers, shape.slots.signatures, "k = {k}");
            // And there is no waste: another transfer would not fit.
            assert!(sized(k, shape.slots.signatures + 1).check().is_err());
            assert!(shape.slots.nodes - nodes <= nodes / 50 + 100, "k = {k}");
        }
    }

    #[test]
    fn the_number_of_transfers_in_a_batch_is_that_of_the_executor() {
        for shape in [Shape::tiny(), Shape::small(), Shape::medium(), Shape::standard()] {
            let found = cost::report(&shape).unwrap().transfer_batch.transfers;
            let said = shape.transfers_in_batch();
            println!("{}: {said}, found {found}", shape.name);
            assert!(said.abs_diff(found) <= 1 + found / 100, "{}", shape.name);
        }
        let large = Shape::large();
        assert_eq!(large.transfers_in_batch(), large.slots.signatures);
    }

    #[test]
    fn sizes_outside_are_refused_with_the_limits() {
        for k in [0, 10, 23, 64, u32::MAX] {
            let error = Shape::transfers(k).unwrap_err().to_string();
            assert!(error.contains("2^11") && error.contains("2^22"), "{error}");
        }
    }

    #[test]
    fn expected_nodes_are_a_path_at_first_and_shared_later() {
        assert_eq!(expected_nodes(0), 17);
        assert!((32 + 17..32 + 17 + 3).contains(&expected_nodes(1)));
        let all = expected_nodes(POPULATION);
        assert!((1 << 20..(1 << 20) + 64).contains(&all), "{all}");
    }
}
