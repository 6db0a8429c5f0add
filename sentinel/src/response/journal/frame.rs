//! Frames of a journal.

use bastion_protocol::hash::keccak;

use super::MAX_FRAME;
use crate::response::ResponseError;

/// Bytes before a frame's body.
pub(super) const HEAD: usize = 8;
/// Bytes after it.
const SUM: usize = 16;

fn head(number: u64, length: u32) -> [u8; HEAD] {
    let sum =
        keccak(&[b"bastion-sentinel/journal/head", &number.to_be_bytes(), &length.to_be_bytes()]);
    let mut out = [0; HEAD];
    out[..4].copy_from_slice(&length.to_be_bytes());
    out[4..].copy_from_slice(&sum[..4]);
    out
}

fn sum(number: u64, body: &[u8]) -> [u8; SUM] {
    let full = keccak(&[b"bastion-sentinel/journal/body", &number.to_be_bytes(), body]);
    std::array::from_fn(|i| full[i])
}

/// A frame with its checksums.
pub(super) fn frame(number: u64, body: &[u8]) -> Result<Vec<u8>, ResponseError> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_FRAME);
    let length = length.ok_or_else(|| ResponseError::Encode {
        why: format!("{} bytes in one frame, of {MAX_FRAME} at most", body.len()),
    })?;
    Ok([&head(number, length)[..], body, &sum(number, body)].concat())
}

/// The records of a body, or nothing if their lengths do not add up.
pub(super) fn split(mut body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    while !body.is_empty() {
        let (length, rest) = body.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (record, rest) = rest.split_at_checked(length)?;
        records.push(record.to_vec());
        body = rest;
    }
    Some(records)
}

/// What stands at the start of some bytes.
pub(super) enum Next<'a> {
    Whole(&'a [u8], usize),
    Torn,
    Bad(&'static str),
}

pub(super) fn next(number: u64, bytes: &[u8]) -> Next<'_> {
    let Some((found, rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Next::Torn;
    };
    let length = u32::from_be_bytes([found[0], found[1], found[2], found[3]]);
    if *found != head(number, length) {
        // A file system may have made the file longer before it wrote the bytes.
        return match bytes.iter().all(|b| *b == 0) {
            true => Next::Torn,
            false => Next::Bad("the head of a frame has a wrong checksum"),
        };
    }
    let length = length as usize;
    let Some((body, rest)) = rest.split_at_checked(length) else {
        return Next::Torn;
    };
    match rest.split_first_chunk::<SUM>() {
        None => Next::Torn,
        Some((found, _)) if *found == sum(number, body) => Next::Whole(body, HEAD + length + SUM),
        Some((_, [])) => Next::Torn,
        Some(_) => Next::Bad("a frame has a wrong checksum"),
    }
}
