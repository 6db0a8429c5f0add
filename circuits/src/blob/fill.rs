//! Fills the tables for a batch's data in a blob.

use bastion_protocol::blob::{slots, BlobError, Scalar, GROUP_SLOTS, OWNER_SLOTS};
use bastion_protocol::data::BatchData;
use bastion_protocol::records::{read_owner, Section};
use bastion_protocol::ProtocolError;
use halo2_proofs::halo2curves::bn256::Fr;

use crate::blob::edge::{self, Edge};
use crate::blob::horner::{self, Step};
use crate::blob::limbs::LimbCounts;
use crate::blob::powers::Quarter;
use crate::blob::reduce::{Pieces, Reduction};
use crate::blob::runs::{self, RUNS};
use crate::blob::{bits10, split, QUARTERS};
use crate::core::{Grid, Table};
use crate::error::CircuitError;
use crate::witness::convert::{to_halo2, wide};

/// An owner record as the tables take it.
#[derive(Clone, Debug)]
pub struct OwnerTrace {
    /// Key hash and exit address, as the operation has them.
    pub record: [Fr; 2],
    /// The parts of its slots.
    pub parts: [Fr; 5],
}

/// What a batch has in a blob.
#[derive(Clone, Debug)]
pub struct BlobTrace {
    /// The point of evaluation.
    pub z: u128,
    /// L2 records.
    pub l2: u64,
    /// Slots, zeros at the end included.
    pub words: Vec<Fr>,
    /// Owner records.
    pub owners: Vec<OwnerTrace>,
    /// Value of the polynomial's rest behind the batch.
    pub to: Pieces<Fr>,
}

impl BlobTrace {
    /// The trace of a batch, at the point `z`, when what follows the batch has the value `to`.
    ///
    /// # Errors
    /// [`BlobError`] or [`ProtocolError`] for records that are none.
    pub fn new(z: u128, batch: &BatchData, to: &Scalar) -> Result<Self, TraceError> {
        let words = slots(batch)?;
        let l2 = batch.section(Section::L2).len();
        let of_owners = words[l2..].as_chunks::<OWNER_SLOTS>().0;
        let records = batch.section(Section::Owners).iter().zip(of_owners);
        let owner = |(record, slots): (&Vec<u8>, &[u128; OWNER_SLOTS])| {
            let (keyhash, exit) = read_owner(record).map_err(ProtocolError::from)?;
            let record = [to_halo2(keyhash), to_halo2(exit.to_fr())];
            Ok(OwnerTrace { record, parts: split::parts(*slots) })
        };
        Ok(Self {
            z,
            l2: l2 as u64,
            owners: records.map(owner).collect::<Result<_, TraceError>>()?,
            words: words.into_iter().map(wide).collect(),
            to: Pieces::of(to),
        })
    }

    /// Groups of the batch.
    pub fn groups(&self) -> usize {
        self.words.len() / GROUP_SLOTS
    }
}

/// Why a batch has no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// Its records make no slots.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// Bytes that are no record.
    #[error(transparent)]
    Record(#[from] ProtocolError),
}

/// What [`write()`] hands out before it uses it.
#[derive(Debug)]
pub enum Stage<'a> {
    /// What a quarter of the multipliers begins with.
    Quarter {
        /// Which quarter.
        quarter: usize,
        /// The two words of `z`.
        z: &'a mut [Fr; 2],
        /// Limbs of the power that it begins at.
        start: &'a mut [Fr; 2],
    },
    /// A reduction of a quarter.
    Power {
        /// Which quarter.
        quarter: usize,
        /// Its number there.
        number: usize,
        /// The reduction.
        reduction: &'a mut Reduction<Fr>,
    },
    /// The reduction of a group.
    Group {
        /// The group.
        group: usize,
        /// The reduction.
        reduction: &'a mut Reduction<Fr>,
    },
    /// The ends of the batch.
    Edge(&'a mut Edge),
}

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// Value of the polynomial's rest from the batch on.
    pub from: Pieces<Fr>,
    /// Value of its rest behind the batch.
    pub to: Pieces<Fr>,
    /// Distinct values and quotients.
    pub limbs: usize,
    /// What fits no range, by the rule that asked for it: the tables then do not balance.
    pub out_of_range: Vec<(&'static str, Fr)>,
}

/// First rows of a table's blocks, or an error if there are fewer than needed.
pub type Rows<'r> = dyn Fn(Table, usize) -> Result<Vec<usize>, CircuitError> + 'r;

/// Writes the tables of a batch at the rows that `rows` gives. `alter` may change each stage: the
/// tests of cheating provers do.
///
/// # Errors
/// Those of `rows`.
pub fn write(
    grid: &mut Grid,
    rows: &Rows<'_>,
    trace: &BlobTrace,
    alter: &mut dyn FnMut(Stage<'_>),
) -> Result<Written, CircuitError> {
    let mut limbs = LimbCounts::default();
    let mut quarters: Vec<Quarter> = Vec::new();
    for quarter in 0..QUARTERS {
        let mut start = quarters.last().map_or([Fr::one(), Fr::zero()], Quarter::end);
        let [z_low, z_high, _] = z_pieces(trace.z).words();
        let mut z = [z_low, z_high];
        alter(Stage::Quarter { quarter, z: &mut z, start: &mut start });
        quarters.push(Quarter::new(z, start, &mut |number, reduction| {
            alter(Stage::Power { quarter, number, reduction });
        }));
    }
    let (steps, from) = steps(trace, &quarters, alter);
    let groups = steps.len() as u64;

    let counts = [trace.l2, trace.owners.len() as u64];
    let mut edge = Edge { counts, groups, from, to: trace.to, z: z_pieces(trace.z) };
    alter(Stage::Edge(&mut edge));
    for row in rows(Table::Blob, 1)? {
        edge::assign(&mut grid.block(row), &edge, &mut limbs);
    }
    for (n, row) in rows(Table::Powers, QUARTERS)?.into_iter().enumerate() {
        let last = n + 1 == QUARTERS;
        let uses = [groups, if last { groups } else { 0 }, u64::from(!last)];
        quarters[n].assign(&mut grid.block(row), n as u64, uses, &mut limbs);
    }
    let pairs = steps.len().div_ceil(RUNS);
    for (n, row) in rows(Table::Slots, QUARTERS * pairs)?.into_iter().enumerate() {
        let (pair, quarter) = (n / QUARTERS, n % QUARTERS);
        let run = |i: usize| steps.get(RUNS * pair + i).map(|step| step.run(quarter));
        runs::assign(&mut grid.block(row), std::array::from_fn(run), quarter, &quarters);
    }
    for (n, row) in rows(Table::Horner, steps.len())?.into_iter().enumerate() {
        horner::assign(&mut grid.block(row), steps.get(n), &quarters, &mut limbs);
    }
    for (n, row) in rows(Table::Split, trace.owners.len())?.into_iter().enumerate() {
        let record = trace.owners.get(n).map(|o| (n as u64, o.record, o.parts));
        split::assign(&mut grid.block(row), record, trace.l2, &mut limbs);
    }
    let mut looked_up = [0; 1024];
    for (n, row) in rows(Table::Limbs, limbs.len())?.into_iter().enumerate() {
        limbs.assign(&mut grid.block(row), n, &mut looked_up);
    }
    let counts = looked_up.chunks(bits10::ENTRIES).enumerate();
    for ((n, counts), row) in counts.zip(rows(Table::Bits10, bits10::BLOCKS)?) {
        bits10::assign(&mut grid.block(row), n, counts);
    }
    let to = trace.to;
    Ok(Written { from, to, limbs: limbs.len(), out_of_range: limbs.out_of_range })
}

/// `z` in pieces: what is above 127 bits counts to the third one.
fn z_pieces(z: u128) -> Pieces<Fr> {
    let low = z & ((1 << 120) - 1);
    Pieces([wide(low), wide(z >> 120 & 127), wide(z >> 127), Fr::zero()])
}

/// Horner's rule from the last group to the first; steps by group, and the value from the first on.
fn steps(
    trace: &BlobTrace,
    quarters: &[Quarter],
    alter: &mut dyn FnMut(Stage<'_>),
) -> (Vec<Step>, Pieces<Fr>) {
    let mut before = trace.to;
    let mut steps = Vec::new();
    for (group, words) in trace.words.chunks(GROUP_SLOTS).enumerate().rev() {
        let mut reduction = Reduction::of(&horner::products(words, &before, quarters));
        alter(Stage::Group { group, reduction: &mut reduction });
        steps.push(Step { group: group as u64, words: words.to_vec(), before, reduction });
        before = reduction.value;
    }
    steps.reverse();
    (steps, before)
}
