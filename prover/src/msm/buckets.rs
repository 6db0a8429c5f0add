//! The sum of one window: each bucket's points as a tree, then the buckets by their digits.

use halo2_proofs::halo2curves::bn256::G1;
use halo2_proofs::halo2curves::group::Group;

use crate::lanes::prefetch;

use super::digits::{Sorted, Windows};
use super::pairs::Pairs;
use super::{Bases, Point};

/// Points whose trees are added side by side: as few as leave enough pairs on the upper levels.
const GROUP: usize = 1 << 14;
/// Points that are asked for before they are read: bases stand anywhere in memory.
const AHEAD: usize = 24;
/// Buckets up to which running sums are taken one by one.
const FEW: usize = 32;
/// Most stretches of buckets whose running sums are taken side by side.
const STRETCHES: usize = 1 << 9;

/// `Σ digit · base` of a window.
pub(super) fn sum(bases: &Bases, windows: &Windows, window: u32) -> G1 {
    let sorted = windows.sorted(window);
    if sorted.bases.is_empty() {
        return G1::identity();
    }
    let mut pairs = Pairs::new(bases.form);
    let buckets = filled(bases, &sorted, &mut pairs);
    weighted(bases, buckets, &mut pairs)
}

/// A piece of a bucket: whose it is, and how many points are left of it.
#[derive(Clone, Copy)]
struct Piece {
    bucket: usize,
    start: usize,
    len: usize,
}

/// The sum of each bucket.
fn filled(bases: &Bases, sorted: &Sorted, pairs: &mut Pairs) -> Vec<Point> {
    let mut buckets = vec![Point::IDENTITY; sorted.starts.len() - 1];
    let mut points = vec![Point::IDENTITY; GROUP];
    let mut group: Vec<Piece> = Vec::new();
    let mut filled = 0;
    for (bucket, range) in sorted.starts.windows(2).enumerate() {
        let (mut start, end) = (range[0] as usize, range[1] as usize);
        while start < end {
            let len = (end - start).min(GROUP - filled);
            group.push(Piece { bucket, start, len });
            (start, filled) = (start + len, filled + len);
            if filled == GROUP {
                add_group(bases, sorted, &mut group, &mut points, pairs, &mut buckets);
                filled = 0;
            }
        }
    }
    add_group(bases, sorted, &mut group, &mut points, pairs, &mut buckets);
    buckets
}

/// Adds the points of each piece of a group, and the sums to their buckets. Empties the group.
fn add_group(
    bases: &Bases,
    sorted: &Sorted,
    group: &mut Vec<Piece>,
    points: &mut [Point],
    pairs: &mut Pairs,
    buckets: &mut [Point],
) {
    let base = |at: usize| {
        let soon = sorted.bases.get(at + AHEAD);
        if let Some(soon) = soon.and_then(|base| bases.points.get((base >> 1) as usize)) {
            prefetch(soon);
        }
        let base = sorted.bases[at];
        bases.points[(base >> 1) as usize].negated_if(base & 1 == 1)
    };
    // The first level takes the bases themselves, the others what the one below has left.
    let mut to = 0;
    for piece in group.iter_mut() {
        let from = piece.start;
        piece.start = to;
        for i in 0..piece.len / 2 {
            pairs.add(&base(from + 2 * i), &base(from + 2 * i + 1), to, points);
            to += 1;
        }
        if piece.len % 2 == 1 {
            points[to] = base(from + piece.len - 1);
            to += 1;
        }
        piece.len = to - piece.start;
    }
    pairs.finish(points);
    while group.iter().any(|piece| piece.len > 1) {
        let mut to = 0;
        for piece in group.iter_mut() {
            // Sums go where points were that have been read.
            let from = piece.start;
            piece.start = to;
            for i in 0..piece.len / 2 {
                let (a, b) = (points[from + 2 * i], points[from + 2 * i + 1]);
                pairs.add(&a, &b, to, points);
                to += 1;
            }
            if piece.len % 2 == 1 {
                points[to] = points[from + piece.len - 1];
                to += 1;
            }
            piece.len = to - piece.start;
        }
        pairs.finish(points);
    }
    // Two pieces of one bucket stand in different groups: each place is met once.
    for piece in group.drain(..) {
        let before = buckets[piece.bucket];
        pairs.add(&before, &points[piece.start], piece.bucket, buckets);
    }
    pairs.finish(buckets);
}

/// `Σ (i + 1)·bucketᵢ`.
///
/// Buckets are cut into stretches of the same length. In each, the sum of the buckets from the end
/// on runs down, and the sum of these sums with it; the stretches' own weights are a running sum of
/// few terms.
fn weighted(bases: &Bases, buckets: Vec<Point>, pairs: &mut Pairs) -> G1 {
    let form = bases.form;
    let stretches = match buckets.len() {
        few if few <= FEW => 1,
        many => (many / 8).min(STRETCHES),
    };
    let length = buckets.len() / stretches;
    if stretches == 1 {
        let (mut running, mut total) = (G1::identity(), G1::identity());
        for bucket in buckets.iter().rev() {
            running += form.affine(bucket);
            total += running;
        }
        return total;
    }
    let mut running = vec![Point::IDENTITY; stretches];
    let mut total = vec![Point::IDENTITY; stretches];
    for offset in (0..length).rev() {
        for s in 0..stretches {
            let before = running[s];
            pairs.add(&before, &buckets[s * length + offset], s, &mut running);
        }
        pairs.finish(&mut running);
        for s in 0..stretches {
            let before = total[s];
            pairs.add(&before, &running[s], s, &mut total);
        }
        pairs.finish(&mut total);
    }
    // Stretch s adds s·length to the weights of its buckets.
    let (mut sum, mut above, mut offsets) = (G1::identity(), G1::identity(), G1::identity());
    for s in (0..stretches).rev() {
        sum += form.affine(&total[s]);
        offsets += above;
        above += form.affine(&running[s]);
    }
    let doublings = length.trailing_zeros();
    sum + (0..doublings).fold(offsets, |x, _| x.double())
}
