//! Records to slots and coefficients, and back.
//!
//! Slots of a batch: one for each L2 record, then four for each owner record, then zeros up to a
//! multiple of [`GROUP_SLOTS`]. Coefficient `i` of a batch is `slot_2i + 2^120 slot_(2i+1)`. The
//! coefficients of the batches follow one another from the lowest power up, so what is missing at
//! the end of the last blob is zeros. A batch may begin in one blob and end in the next.

use ark_ff::{AdditiveGroup, BigInt, PrimeField};

use super::{
    BlobError, Scalar, GROUP, GROUP_SLOTS, MAX_ELEMENTS, OWNER_PART, OWNER_SLOTS,
    SLOTS_PER_ELEMENT, SLOT_BITS,
};
use crate::data::BatchData;
use crate::field;
use crate::records::Section;

/// Low 120 bits.
const SLOT_MASK: u128 = (1 << SLOT_BITS) - 1;

/// What blobs hold of one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobRecords {
    /// L2 records, 15 bytes each.
    pub l2: Vec<Vec<u8>>,
    /// Owner records, 52 bytes each.
    pub owners: Vec<Vec<u8>>,
}

/// Slots of a batch that hold records, from its numbers of records by section.
#[must_use]
pub fn used_slots(counts: [u64; 4]) -> u64 {
    let [_, l2, _, owners] = counts;
    l2.saturating_add(owners.saturating_mul(OWNER_SLOTS as u64))
}

/// Groups of a batch. A batch without L2 records has none.
#[must_use]
pub fn groups(counts: [u64; 4]) -> u64 {
    used_slots(counts).div_ceil(GROUP_SLOTS as u64)
}

/// The slots of a batch, zeros at the end included.
///
/// # Errors
/// [`BlobError::Record`].
pub fn slots(batch: &BatchData) -> Result<Vec<u128>, BlobError> {
    let mut slots = Vec::new();
    for record in batch.section(Section::L2) {
        slots.push(number(sized("L2", Section::L2, record)?));
    }
    for record in batch.section(Section::Owners) {
        let record = sized("owner", Section::Owners, record)?;
        slots.extend(record.chunks(OWNER_PART).map(number));
    }
    slots.resize(slots.len().next_multiple_of(GROUP_SLOTS), 0);
    Ok(slots)
}

fn sized<'r>(
    what: &'static str,
    section: Section,
    record: &'r [u8],
) -> Result<&'r [u8], BlobError> {
    let (expected, got) = (section.record_len(), record.len());
    match expected == got {
        true => Ok(record),
        false => Err(BlobError::Record { what, expected, got }),
    }
}

/// At most 16 big-endian bytes as a number.
fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |x, b| x << 8 | u128::from(*b))
}

/// The coefficients of a block's polynomial, from the lowest power up.
///
/// # Errors
/// [`BlobError::Full`] if they do not fit the blobs of a block, [`BlobError::Record`].
pub fn coefficients(batches: &[BatchData]) -> Result<Vec<Scalar>, BlobError> {
    let mut out = Vec::new();
    for batch in batches {
        out.extend(slots(batch)?.chunks_exact(SLOTS_PER_ELEMENT).map(|s| element(s[0], s[1])));
    }
    match out.len() {
        elements if elements > MAX_ELEMENTS => {
            Err(BlobError::Full { elements, most: MAX_ELEMENTS })
        }
        _ => Ok(out),
    }
}

/// The element of two slots.
#[must_use]
pub fn element(low: u128, high: u128) -> Scalar {
    Scalar::from(low) + Scalar::from(high) * Scalar::from(1u128 << SLOT_BITS)
}

/// The two slots of an element, if it has no more than 240 bits.
fn slots_of(element: &Scalar) -> Option<[u128; 2]> {
    let BigInt([a, b, c, d]) = element.into_bigint();
    let low = u128::from(a) | u128::from(b) << 64;
    let high = u128::from(c) | u128::from(d) << 64;
    // Bits 120 to 127 belong to the second slot.
    let fits = high >> (2 * SLOT_BITS - 128) == 0;
    fits.then_some([low & SLOT_MASK, low >> SLOT_BITS | high << (128 - SLOT_BITS)])
}

/// The records of a block's batches, whose numbers of records by section stand in calldata.
///
/// A key hash of a proven block may stand as itself or with multiples of `p` added: the circuit
/// fixes what it is modulo `p`. It is read modulo `p`, so that nobody can post what nobody reads.
///
/// # Errors
/// [`BlobError::Short`], [`BlobError::Wide`], [`BlobError::Slot`], [`BlobError::Padding`] and
/// [`BlobError::Trailing`].
pub fn decode(coefficients: &[Scalar], counts: &[[u64; 4]]) -> Result<Vec<BlobRecords>, BlobError> {
    let needed = counts.iter().fold(0u64, |sum, c| sum.saturating_add(groups(*c)));
    let needed = usize::try_from(needed).unwrap_or(usize::MAX).saturating_mul(GROUP);
    let got = coefficients.len();
    let (posted, trailing) =
        coefficients.split_at_checked(needed).ok_or(BlobError::Short { needed, got })?;
    if let Some(n) = trailing.iter().position(|c| *c != Scalar::ZERO) {
        return Err(BlobError::Trailing { element: needed + n });
    }
    let mut slots = Vec::with_capacity(posted.len() * SLOTS_PER_ELEMENT);
    for (element, coefficient) in posted.iter().enumerate() {
        slots.extend(slots_of(coefficient).ok_or(BlobError::Wide { element })?);
    }
    let mut rest = slots.as_slice();
    let batches = counts.iter().enumerate();
    batches.map(|(batch, counts)| decode_batch(batch, *counts, &mut rest)).collect()
}

/// One batch from the front of `slots`, which hold all of it.
fn decode_batch(
    batch: usize,
    counts: [u64; 4],
    slots: &mut &[u128],
) -> Result<BlobRecords, BlobError> {
    let len = groups(counts) as usize * GROUP_SLOTS;
    let (own, rest) = slots.split_at(len.min(slots.len()));
    *slots = rest;
    let (l2, rest) = own.split_at((counts[Section::L2 as usize] as usize).min(own.len()));
    let owners = counts[Section::Owners as usize] as usize * OWNER_SLOTS;
    let (owners, padding) = rest.split_at(owners.min(rest.len()));
    let at = l2.len();
    if let Some(n) = padding.iter().position(|slot| *slot != 0) {
        return Err(BlobError::Padding { batch, slot: at + owners.len() + n });
    }
    let bits = 8 * OWNER_PART as u32;
    if let Some(n) = owners.iter().position(|slot| slot >> bits != 0) {
        return Err(BlobError::Slot { batch, slot: at + n, bits });
    }
    Ok(BlobRecords {
        l2: l2.iter().map(|slot| slot.to_be_bytes()[1..].to_vec()).collect(),
        owners: owners.chunks_exact(OWNER_SLOTS).map(owner).collect(),
    })
}

/// The owner record of four slots, its key hash reduced modulo `p`.
fn owner(slots: &[u128]) -> Vec<u8> {
    let part = |slot: &u128| slot.to_be_bytes()[16 - OWNER_PART..].to_vec();
    let mut record: Vec<u8> = slots.iter().flat_map(part).collect();
    if let Some(keyhash) = record.first_chunk_mut::<32>() {
        *keyhash = field::to_bytes(&field::reduce(keyhash));
    }
    record
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ELEMENTS;
    use super::*;
    use crate::records::owner_record;
    use crate::{Address, Fr};

    fn batch(l2: Vec<u128>, owners: Vec<([u8; 32], [u8; 20])>) -> BatchData {
        let mut data = BatchData::default();
        data.records[Section::L2 as usize] =
            l2.into_iter().map(|word| (word & SLOT_MASK).to_be_bytes()[1..].to_vec()).collect();
        let owners =
            owners.into_iter().map(|(k, e)| owner_record(&(field::reduce(&k), Address(e))));
        data.records[Section::Owners as usize] = owners.collect();
        data
    }

    fn batches() -> impl Strategy<Value = Vec<BatchData>> {
        let records = prop::collection::vec(any::<u128>(), 0..70);
        let owners = prop::collection::vec(any::<([u8; 32], [u8; 20])>(), 0..12);
        prop::collection::vec((records, owners).prop_map(|(l2, owners)| batch(l2, owners)), 0..5)
    }

    fn counts(batches: &[BatchData]) -> Vec<[u64; 4]> {
        batches.iter().map(BatchData::counts).collect()
    }

    proptest! {
        #![proptest_config(crate::seed::config(64))]
        #[test]
        fn records_come_back(batches in batches(), trailing in 0usize..40) {
            let mut posted = coefficients(&batches).unwrap();
            prop_assert_eq!(posted.len() % GROUP, 0);
            posted.resize(posted.len() + trailing, Scalar::ZERO);
            let read = decode(&posted, &counts(&batches)).unwrap();
            for (batch, records) in batches.iter().zip(read) {
                prop_assert_eq!(batch.section(Section::L2), &records.l2);
                prop_assert_eq!(batch.section(Section::Owners), &records.owners);
            }
        }

        /// A changed coefficient is other records or an error, and never the same records.
        #[test]
        fn no_two_blobs_are_read_alike(
            batches in batches(), place: prop::sample::Index, change in 1u128.., shift in 0u32..127,
        ) {
            let honest = coefficients(&batches).unwrap();
            prop_assume!(!honest.is_empty());
            let mut other = honest.clone();
            let place = place.index(other.len());
            other[place] += Scalar::from(change) * element(0, 1 << (shift % 120));
            let counts = counts(&batches);
            let [read, honest] = [other, honest].map(|c| decode(&c, &counts));
            // Multiples of `p` in a key hash are the one exception, and chance does not hit them.
            prop_assert_ne!(read, honest);
        }

        #[test]
        fn elements_are_below_the_modulus_as_integers(low in any::<u128>(), high in any::<u128>()) {
            let slots = [low & SLOT_MASK, high & SLOT_MASK];
            prop_assert_eq!(slots_of(&element(slots[0], slots[1])), Some(slots));
        }
    }

    /// Written by hand, so that an order that is wrong on both sides shows.
    #[test]
    fn bytes_stand_as_in_the_protocol() {
        let data = batch(vec![0x3abc, 7], vec![([0x11; 32], [0x22; 20])]);
        let found = slots(&data).unwrap();
        let ones = |n: u32| (0..n).fold(0u128, |x, _| x << 8 | 0x11);
        let twos = |n: u32| (0..n).fold(0u128, |x, _| x << 8 | 0x22);
        assert_eq!(found[..6], [0x3abc, 7, ones(13), ones(13), ones(6) << 56 | twos(7), twos(13)]);
        assert_eq!(found.len(), GROUP_SLOTS);
        assert!(found[6..].iter().all(|slot| *slot == 0));
        assert_eq!(coefficients(&[data]).unwrap()[0], element(0x3abc, 7));
    }

    #[test]
    fn a_key_hash_is_read_modulo_the_field() {
        let keyhash = Fr::from(5u64);
        let record = owner_record(&(keyhash, Address([9; 20])));
        let mut raised = field::limbs_to_bytes(Fr::MODULUS);
        raised[31] += 5;
        let raised = [&raised[..], &[9; 20]].concat();
        let slots: Vec<u128> = raised.chunks(OWNER_PART).map(number).collect();
        assert_eq!(owner(&slots), record);
    }

    #[test]
    fn what_is_no_blob_of_a_block_is_refused() {
        let data = batch(vec![1, 2, 3], vec![([1; 32], [2; 20])]);
        let counts = [data.counts()];
        let honest = coefficients(std::slice::from_ref(&data)).unwrap();
        let with = |element: usize, value: Scalar| {
            let mut other = honest.clone();
            other.resize(20, Scalar::ZERO);
            other[element] = value;
            decode(&other, &counts)
        };
        let wide = Scalar::from(1u128 << 127) * Scalar::from(1u128 << 113);
        assert_eq!(with(1, wide), Err(BlobError::Wide { element: 1 }));
        // Three L2 slots, then four of the owner: slot 3 is the high half of element 1.
        let slot = BlobError::Slot { batch: 0, slot: 3, bits: 104 };
        assert_eq!(with(1, element(3, 1 << 104)), Err(slot));
        assert_eq!(with(3, element(0, 1)), Err(BlobError::Padding { batch: 0, slot: 7 }));
        assert_eq!(with(15, element(1, 0)), Err(BlobError::Padding { batch: 0, slot: 30 }));
        assert_eq!(with(16, element(1, 0)), Err(BlobError::Trailing { element: 16 }));
        let short = BlobError::Short { needed: 16, got: 15 };
        assert_eq!(decode(&honest[..15], &counts), Err(short));
        let huge = decode(&honest, &[[u64::MAX; 4]]);
        assert!(matches!(huge, Err(BlobError::Short { got: 16, .. })), "{huge:?}");

        let mut short = data.clone();
        short.records[Section::Owners as usize][0].pop();
        let error = BlobError::Record { what: "owner", expected: 52, got: 51 };
        assert_eq!(slots(&short), Err(error));
        let many = vec![batch(vec![1; 2034], vec![]); 25];
        let full = BlobError::Full { elements: 25 * 1024, most: MAX_ELEMENTS };
        assert_eq!(coefficients(&many), Err(full));
        // Four batches of the production shape fill a blob exactly, and so do six times as many six.
        assert_eq!(coefficients(&many[..4]).unwrap().len(), ELEMENTS);
        assert_eq!(coefficients(&many[..24]).unwrap().len(), MAX_ELEMENTS);
    }
}
