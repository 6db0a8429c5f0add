//! Data in blobs (EIP-4844): how the records of a block become the coefficients of a polynomial, and
//! the point at which its value is compared.
//!
//! L2 and owner records of a batch are laid out in slots of 120 bits ([`layout`]). Two slots make an
//! element, and the elements of all batches are the coefficients of one polynomial over the scalar field
//! of BLS12-381. Each blob has 4096 of them, and holds the values of the polynomial with these at the
//! 4096 roots of unity ([`transform`]). L1 records and exits stay in calldata, because the contract reads
//! them.
//!
//! | module | content |
//! |---|---|
//! | [`calldata`] | what calldata tell of such a block |
//! | [`layout`] | records to slots and coefficients, and back |
//! | [`point`] | the point of evaluation, and the value there as two limbs |
//! | [`transform`] | coefficients to the bytes of blobs, and back |

pub mod calldata;
pub mod layout;
pub mod point;
pub mod transform;

use ark_ff::{BigInt, Fp256, MontBackend, MontConfig, MontFp};

pub use calldata::Posted;
pub use layout::{coefficients, decode, slots, BlobRecords};
pub use point::{combine, evaluate, Claim};
pub use transform::{from_blob, from_blobs, to_blob, to_blobs, BLOB_BYTES};

/// Parameters of the scalar field of BLS12-381, from EIP-4844 (`BLS_MODULUS`,
/// `PRIMITIVE_ROOT_OF_UNITY`).
pub struct ScalarConfig;

// By hand: the derive macro asks for a feature `asm` of whoever uses it.
impl MontConfig<4> for ScalarConfig {
    const MODULUS: BigInt<4> =
        BigInt!("52435875175126190479447740508185965837690552500527637822603658699938581184513");
    const GENERATOR: Scalar = MontFp!("7");
    /// `7^((modulus - 1) / 2^32)`.
    const TWO_ADIC_ROOT_OF_UNITY: Scalar =
        MontFp!("10238227357739495823651030575849232062558860180284477541189508159991286009131");
}

/// The scalar field of BLS12-381: what elements of a blob are.
pub type Scalar = Fp256<MontBackend<ScalarConfig, 4>>;

/// Elements of a blob (EIP-4844, `FIELD_ELEMENTS_PER_BLOB`).
pub const ELEMENTS: usize = 4096;

/// Most blobs of a block: as many as a transaction may carry (EIP-7594, `MAX_BLOBS_PER_TX`).
pub const MAX_BLOBS: usize = 6;

/// Most elements of a block.
pub const MAX_ELEMENTS: usize = MAX_BLOBS * ELEMENTS;

/// Blobs that so many elements take. A block has one even if its batches take no elements.
#[must_use]
pub fn blobs_for(elements: u64) -> u64 {
    elements.div_ceil(ELEMENTS as u64).max(1)
}

/// Bits of a slot: an L2 record has 15 bytes.
pub const SLOT_BITS: u32 = 120;

/// Slots in an element: 240 bits, below the modulus of 255 bits whatever they hold.
pub const SLOTS_PER_ELEMENT: usize = 2;

/// Elements that the circuit takes in one step. A batch fills whole groups.
pub const GROUP: usize = 16;

/// Slots of a group.
pub const GROUP_SLOTS: usize = GROUP * SLOTS_PER_ELEMENT;

/// Slots of an owner record.
pub const OWNER_SLOTS: usize = 4;

/// Bytes of the part of an owner record that a slot holds: the record's 52 bytes in four parts.
pub const OWNER_PART: usize = 13;

/// Why records make no blob, or a blob has no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// More elements than there is room for.
    #[error("{elements} elements, and room for {most}: put fewer batches into the block")]
    Full {
        /// Elements that the batches take, or that were given.
        elements: usize,
        /// Elements that the blob has, or all blobs of a block.
        most: usize,
    },
    /// Another number of blobs than the batches take.
    #[error("{got} blobs, the counts of the batches ask for {needed}: compare counts and block")]
    Blobs {
        /// Blobs that the counts ask for.
        needed: u64,
        /// Blobs that there are.
        got: usize,
    },
    /// A record that does not have the length of its section.
    #[error("{what} record of {got} bytes, not {expected}: cut the data by section")]
    Record {
        /// Which records.
        what: &'static str,
        /// Bytes that it must have.
        expected: usize,
        /// Bytes that it has.
        got: usize,
    },
    /// Bytes of another length than a blob's.
    #[error("a blob of {got} bytes, not {expected}: fetch it anew")]
    Length {
        /// Bytes of a blob.
        expected: usize,
        /// Bytes that were given.
        got: usize,
    },
    /// A value of the blob that is not below the modulus.
    #[error("value {index} of the blob is not below the BLS12-381 scalar modulus: compare the blob with its versioned hash, L1 accepts none like it")]
    NotCanonical {
        /// Its number in the blob.
        index: usize,
    },
    /// Fewer coefficients than the counts ask for.
    #[error(
        "{got} coefficients, the counts of the batches ask for {needed}: compare counts and block"
    )]
    Short {
        /// Elements that the counts ask for.
        needed: usize,
        /// Elements that there are.
        got: usize,
    },
    /// A coefficient that two slots cannot make.
    #[error("coefficient {element} has more than 240 bits: this is no blob of a proven block")]
    Wide {
        /// Its number.
        element: usize,
    },
    /// A slot that holds more than its record has.
    #[error(
        "slot {slot} of batch {batch} has more than {bits} bits: this is no blob of a proven block"
    )]
    Slot {
        /// Number of the batch in the block.
        batch: usize,
        /// Number of the slot in the batch.
        slot: usize,
        /// Bits that it may have.
        bits: u32,
    },
    /// A slot behind the records of a batch that is not 0.
    #[error("slot {slot} of batch {batch} follows the last record and is not 0: compare counts and block")]
    Padding {
        /// Number of the batch in the block.
        batch: usize,
        /// Number of the slot in the batch.
        slot: usize,
    },
    /// A coefficient behind the last batch that is not 0.
    #[error("coefficient {element} follows the last batch and is not 0: compare counts and block")]
    Trailing {
        /// Its number.
        element: usize,
    },
    /// A value in limbs that is not the canonical one.
    #[error("limbs {low:#x} and {high:#x} are no value below the BLS12-381 scalar modulus: reduce the value, low limb 127 bits")]
    Limbs {
        /// The low limb.
        low: u128,
        /// The high limb.
        high: u128,
    },
}
