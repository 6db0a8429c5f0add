//! The tables for data in a blob, for a batch whose data are in one or not.

use bastion_protocol::blob::Scalar;
use bastion_protocol::data::BatchData;
use bastion_state::executor::{posted_data, BatchTrace};

use crate::blob::{self, BlobTrace, Written};
use crate::core::{Grid, Table};
use crate::error::CircuitError;
use crate::Shape;

/// What links a batch to the blob that holds its L2 and owner records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobLink {
    /// Evaluation point.
    pub z: u128,
    /// Value of the blob's polynomial behind the batch.
    pub to: Scalar,
}

/// Writes the tables at `places` (first row and number of blocks): those of an empty batch, if the
/// data are in calldata.
pub(super) fn write(
    grid: &mut Grid,
    shape: &Shape,
    places: &[(Table, (usize, usize))],
    batch: &BatchTrace,
    link: Option<BlobLink>,
) -> Result<Written, CircuitError> {
    let trace = match link {
        None => BlobTrace::new(0, &BatchData::default(), &Scalar::default()),
        Some(BlobLink { z, to }) => BlobTrace::new(z, &posted_data(&batch.ops), &to),
    }?;
    let rows = |table: Table, needed: usize| {
        let place = places.iter().find(|(other, _)| *other == table);
        let (first, capacity) = place.map_or((0, 0), |(_, place)| *place);
        match capacity < needed {
            true => {
                let shape = shape.name.clone();
                Err(CircuitError::TableFull { table, needed, capacity, shape })
            }
            false => Ok((0..capacity).map(|n| first + n * table.rows()).collect()),
        }
    };
    blob::write(grid, &rows, &trace, &mut |_| {})
}
