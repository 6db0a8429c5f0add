//! Shapes: how many blocks of each table a circuit has.

mod slots;
mod transfers;

use serde::{Deserialize, Serialize};

use crate::core::Layout;
use crate::error::CircuitError;
pub use slots::Slots;
pub use transfers::{POPULATION, SIZES};

/// The size of a batch circuit. Two circuits with the same shape have the same verifying key (under
/// the same SRS).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Name, for people.
    pub name: String,
    /// log2 of the number of rows.
    pub k: u32,
    /// Blocks of each table.
    #[serde(flatten)]
    pub slots: Slots,
}

impl Default for Shape {
    fn default() -> Self {
        Self::tiny()
    }
}

/// Rows that halo2 keeps for blinding, with room to spare: the most queried column has fourteen
/// rotations.
const RESERVED_ROWS: usize = 24;

impl Shape {
    /// For tests: one operation of every kind fits, and so do two orders that trade after their four deposits.
    pub fn tiny() -> Self {
        Self {
            name: "tiny".into(),
            k: 12,
            slots: Slots {
                ops: 17,
                accounts: 18,
                nodes: 127,
                signatures: 8,
                hashes: 145,
                ranges128: 80,
                ranges40: 129,
                limiters: 3,
                policies: 1,
                orders: 2,
                quotes: 4,
                ..Slots::empty()
            }
            .with_blob(16, 7),
        }
    }

    /// For the demo and for light machines.
    pub fn small() -> Self {
        Self {
            name: "small".into(),
            k: 15,
            slots: Slots {
                ops: 190,
                accounts: 246,
                nodes: 1933,
                signatures: 105,
                hashes: 1150,
                ranges128: 766,
                ranges40: 1015,
                limiters: 24,
                policies: 8,
                orders: 4,
                quotes: 6,
                ..Slots::empty()
            }
            .with_blob(105, 8),
        }
    }

    /// For production on machines with less memory than [`Shape::standard`] takes, and for shorter
    /// waits.
    pub fn medium() -> Self {
        Self { name: "medium".into(), ..transfers::fullest(17) }
    }

    /// For production.
    pub fn standard() -> Self {
        Self { name: "standard".into(), ..transfers::fullest(19) }
    }

    /// For production on machines with much memory.
    pub fn large() -> Self {
        Self { name: "large".into(), ..transfers::fullest(21) }
    }

    /// For auctions: five in nine of its operations may be orders, more than 200.
    pub fn market() -> Self {
        Self { name: "market".into(), ..transfers::market(17) }
    }

    /// The named shapes, by size.
    pub fn all() -> [Self; 6] {
        let [medium, market] = [Self::medium(), Self::market()];
        [Self::tiny(), Self::small(), medium, market, Self::standard(), Self::large()]
    }

    /// The shape with this name.
    pub fn named(name: &str) -> Result<Self, CircuitError> {
        Self::all().into_iter().find(|s| s.name == name).ok_or_else(|| CircuitError::UnknownShape {
            name: name.into(),
            known: Self::all().map(|s| s.name).join(", "),
        })
    }

    /// Rows that blocks may use.
    pub fn usable_rows(&self) -> usize {
        (1usize << self.k).saturating_sub(RESERVED_ROWS)
    }

    /// Checks that the blocks fit the rows, and the words their polynomial.
    pub fn check(&self) -> Result<(), CircuitError> {
        let rows = Layout::rows_of_shape(self);
        let words_fit = self.slots.ops.saturating_mul(3) < 1 << 16;
        if rows >= self.usable_rows() || !words_fit {
            return Err(CircuitError::ShapeTooLarge {
                shape: self.name.clone(),
                rows,
                k: self.k,
                usable: self.usable_rows(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_shapes_fit() {
        for shape in Shape::all() {
            shape.check().unwrap();
            assert_eq!(Shape::named(&shape.name).unwrap(), shape);
            let rows = Layout::new(&shape).rows;
            assert_eq!(rows, Layout::rows_of_shape(&shape));
            assert!(
                rows * 2 > shape.usable_rows(),
                "{} wastes half of its rows: {rows}",
                shape.name
            );
        }
        let mut large = Shape::tiny();
        large.k = 11;
        assert!(large.check().is_err());
    }
}
