//! Windows of signed digits, and points sorted by digit.

use super::classes::{Class, Entry};

/// Widest window.
const MAX_BITS: u32 = 17;

/// The scalars of a class, ready to be cut. Digit `w` stands for `digit · 2^(bits·w)` and is from
/// `-2^(bits-1)` to `2^(bits-1)`.
#[derive(Debug)]
pub(super) struct Windows {
    /// Magnitudes with `2^(bits-1)` added in each window but the last, so that no carry goes from
    /// window to window when digits are read.
    entries: Vec<Entry>,
    bits: u32,
    count: u32,
}

/// Points of one window by bucket. Bucket `i` is that of digit `i + 1`.
#[derive(Debug)]
pub(super) struct Sorted {
    /// Twice the number of the base, and 1 if it is to be negated.
    pub(super) bases: Vec<u32>,
    /// Where each bucket begins, and where the last one ends.
    pub(super) starts: Vec<u32>,
}

impl Windows {
    /// Chooses the width.
    pub(super) fn new(class: Class) -> Self {
        let (bits, count) = width(class.entries.len(), class.bits);
        let mut entries = class.entries;
        for entry in &mut entries {
            for window in 0..count - 1 {
                add_bit(&mut entry.magnitude, window * bits + bits - 1);
            }
        }
        Self { entries, bits, count }
    }

    /// Number of windows.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Bits of a window.
    pub(super) fn bits(&self) -> u32 {
        self.bits
    }

    /// Number of buckets.
    pub(super) fn buckets(&self) -> usize {
        1 << (self.bits - 1)
    }

    fn digit(&self, entry: &Entry, window: u32) -> i32 {
        let at = window * self.bits;
        let (limb, offset) = ((at / 64) as usize, at % 64);
        let x = &entry.magnitude;
        let mut digit = x.get(limb).map_or(0, |x| x >> offset);
        if offset > 0 {
            digit |= x.get(limb + 1).map_or(0, |x| x << (64 - offset));
        }
        let digit = (digit & ((1 << self.bits) - 1)) as i32;
        match window + 1 < self.count {
            true => digit - (1 << (self.bits - 1)),
            false => digit,
        }
    }

    /// The points of a window, sorted by counting.
    pub(super) fn sorted(&self, window: u32) -> Sorted {
        let digits: Vec<i32> = self.entries.iter().map(|e| self.digit(e, window)).collect();
        // One more than buckets: digit 0 has its place first and is cut off.
        let mut starts = vec![0_u32; self.buckets() + 2];
        for digit in &digits {
            starts[digit.unsigned_abs() as usize + 1] += 1;
        }
        let zeros = starts[1];
        starts[1] = 0;
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut bases = vec![0; self.entries.len() - zeros as usize];
        for (entry, digit) in self.entries.iter().zip(digits) {
            if digit != 0 {
                let next = &mut starts[digit.unsigned_abs() as usize];
                bases[*next as usize] = entry.base ^ u32::from(digit < 0);
                *next += 1;
            }
        }
        // Each start has moved to the next one's place.
        starts.pop();
        Sorted { bases, starts }
    }
}

/// Additions of points, roughly, that so many scalars of so many bits take.
pub fn additions(scalars: usize, bits: u32) -> usize {
    cost(scalars, bits, width(scalars, bits).0)
}

fn cost(scalars: usize, bits: u32, width: u32) -> usize {
    // A bucket takes two additions in the running sums, and these are dearer.
    (bits + 1).div_ceil(width) as usize * (scalars + (3 << (width - 1)))
}

/// Bits of a window, and how many there are: the least additions.
fn width(scalars: usize, bits: u32) -> (u32, u32) {
    let best = (2..=MAX_BITS).min_by_key(|width| cost(scalars, bits, *width));
    let best = best.unwrap_or(2);
    (best, (bits + 1).div_ceil(best))
}

fn add_bit(x: &mut [u64; 4], bit: u32) {
    let (mut limb, mut add) = ((bit / 64) as usize, 1 << (bit % 64));
    while let Some(x) = x.get_mut(limb) {
        let overflow;
        (*x, overflow) = x.overflowing_add(add);
        if !overflow {
            break;
        }
        (limb, add) = (limb + 1, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(magnitudes: &[[u64; 4]], bits: u32, copies: usize) -> Class {
        let entries = magnitudes.iter().cycle().take(copies * magnitudes.len());
        let entries = entries
            .enumerate()
            .map(|(i, magnitude)| Entry { magnitude: *magnitude, base: 2 * i as u32 });
        Class { entries: entries.collect(), bits }
    }

    #[test]
    fn digits_sum_to_the_scalar_and_points_stand_in_their_buckets() {
        let largest = [u64::MAX, u64::MAX, u64::MAX, (1 << 61) - 1];
        for (magnitudes, bits) in [
            (vec![[1, 0, 0, 0]], 1),
            (vec![[0xffff, 0, 0, 0], [0x8000, 0, 0, 0], [1, 0, 0, 0]], 16),
            (vec![largest, [0, 0, 0, 1 << 60], [5, 6, 7, 8]], 253),
        ] {
            for copies in [1, 40, 3_000] {
                let windows = Windows::new(class(&magnitudes, bits, copies));
                for (i, magnitude) in magnitudes.iter().enumerate() {
                    // Sums modulo 2^64, 2^128, ... would hide errors: compare as fractions.
                    let mut sum = 0.0_f64;
                    let mut low = 0_u64;
                    for w in (0..windows.count()).rev() {
                        let digit = windows.digit(&windows.entries[i], w);
                        assert!(digit.unsigned_abs() as usize <= windows.buckets());
                        sum = sum * f64::from(1 << windows.bits()) + f64::from(digit);
                        low = (low << windows.bits()).wrapping_add_signed(i64::from(digit));
                    }
                    let expected =
                        magnitude.iter().rev().fold(0.0, |x, l| x * 2_f64.powi(64) + *l as f64);
                    assert!((sum - expected).abs() <= 1e-9 * expected);
                    assert_eq!(low, magnitude[0]);
                }
                for w in 0..windows.count() {
                    let sorted = windows.sorted(w);
                    assert_eq!(sorted.starts.len(), windows.buckets() + 1);
                    assert_eq!(*sorted.starts.last().unwrap() as usize, sorted.bases.len());
                    for (bucket, range) in sorted.starts.windows(2).enumerate() {
                        for base in &sorted.bases[range[0] as usize..range[1] as usize] {
                            let entry = &windows.entries[(base / 2) as usize];
                            let digit = windows.digit(entry, w);
                            assert_eq!(digit.unsigned_abs() as usize, bucket + 1);
                            assert_eq!(digit < 0, base % 2 == 1);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn windows_are_wider_for_more_scalars_and_one_does_for_small_ones() {
        assert!(width(1 << 10, 253).0 < width(1 << 19, 253).0);
        assert_eq!(width(1 << 19, 1).1, 1);
        assert_eq!(width(1 << 19, 16).1, 1);
    }
}
