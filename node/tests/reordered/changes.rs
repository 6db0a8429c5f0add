//! What a dishonest operator may change in the order of operations.

use bastion_protocol::Kind;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::Rng;

use crate::orders::{Batches, Posted};

/// What is changed in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Two L2 operations of a batch change places.
    Swap,
    /// The L2 operations of a batch move on, the last ones to the front.
    Rotate,
    /// The L2 operations of a batch in any order.
    Permute,
    /// A quote and an order of a batch change places.
    QuoteWithOrder,
    /// An L2 operation goes to another batch.
    Move,
    /// L2 operations of two batches change places.
    Exchange,
    /// Two batches change places.
    Batches,
    /// The operations keep their order and are cut into batches elsewhere, with the counts that this gives.
    Cut,
    /// An operation stands there twice, and another one of its batch is missing.
    Duplicate,
    /// The two words of an order or a quote change places.
    Words,
    /// Words of one kind of two operations change places.
    Values,
    /// Two L1 operations change places.
    Requests,
}

impl Change {
    pub const ALL: [Self; 12] = [
        Self::Swap,
        Self::Rotate,
        Self::Permute,
        Self::QuoteWithOrder,
        Self::Move,
        Self::Exchange,
        Self::Batches,
        Self::Cut,
        Self::Duplicate,
        Self::Words,
        Self::Values,
        Self::Requests,
    ];

    pub fn apply(self, batches: &mut Batches, rng: &mut StdRng) {
        let batch = rng.gen_range(0..batches.len());
        let other = (batch + rng.gen_range(1..batches.len())) % batches.len();
        let signed = |batches: &Batches, b: usize| places(&batches[b], |op| !op.is_request());
        match self {
            Self::Swap => {
                let (a, b) = two(&signed(batches, batch), rng);
                batches[batch].swap(a, b);
            }
            Self::Rotate => {
                let from = signed(batches, batch)[0];
                let ops = &mut batches[batch][from..];
                let by = rng.gen_range(0..ops.len());
                ops.rotate_right(by);
            }
            Self::Permute => {
                let from = signed(batches, batch)[0];
                batches[batch][from..].shuffle(rng);
            }
            Self::QuoteWithOrder => {
                let of = |kind: Kind| places(&batches[batch], |op| op.kind == kind);
                let (quotes, orders) = (of(Kind::Quote), of(Kind::Order));
                let (a, b) = (*quotes.choose(rng).unwrap(), *orders.choose(rng).unwrap());
                batches[batch].swap(a, b);
            }
            Self::Move => {
                let from = *signed(batches, batch).choose(rng).unwrap();
                let op = batches[batch].remove(from);
                let to = signed(batches, other)[0];
                let to = rng.gen_range(to..=batches[other].len());
                batches[other].insert(to, op);
            }
            Self::Exchange => {
                let a = *signed(batches, batch).choose(rng).unwrap();
                let b = *signed(batches, other).choose(rng).unwrap();
                exchange(batches, (batch, a), (other, b));
            }
            Self::Batches => batches.swap(batch, other),
            Self::Cut => cut(batches, rng),
            Self::Duplicate => {
                let (a, b) = two(&(0..batches[batch].len()).collect::<Vec<_>>(), rng);
                batches[batch][a] = batches[batch][b].clone();
            }
            Self::Words => {
                let two_words =
                    places(&batches[batch], |op| matches!(op.kind, Kind::Order | Kind::Quote));
                let at = *two_words.choose(rng).unwrap();
                batches[batch][at].records.swap(0, 1);
            }
            Self::Values => {
                let all = everywhere(batches, |_| true);
                let a = *all.choose(rng).unwrap();
                let kind = batches[a.0][a.1].kind;
                let alike = everywhere(batches, |op| op.kind == kind);
                let b = *alike.choose(rng).unwrap();
                exchange_words(batches, a, b, rng);
            }
            Self::Requests => {
                let all = everywhere(batches, Posted::is_request);
                let (a, b) = two(&all, rng);
                exchange(batches, a, b);
            }
        }
        // Data have the L1 records of a batch first.
        batches.iter_mut().for_each(|ops| ops.sort_by_key(|op| !op.is_request()));
    }
}

fn places(ops: &[Posted], which: impl Fn(&Posted) -> bool) -> Vec<usize> {
    (0..ops.len()).filter(|i| which(&ops[*i])).collect()
}

fn everywhere(batches: &Batches, which: impl Fn(&Posted) -> bool) -> Vec<(usize, usize)> {
    let of = |b: usize| places(&batches[b], &which).into_iter().map(move |i| (b, i));
    (0..batches.len()).flat_map(of).collect()
}

/// Two different ones.
fn two<T: Copy>(of: &[T], rng: &mut StdRng) -> (T, T) {
    let a = rng.gen_range(0..of.len());
    let b = (a + rng.gen_range(1..of.len())) % of.len();
    (of[a], of[b])
}

fn exchange(batches: &mut Batches, a: (usize, usize), b: (usize, usize)) {
    let kept = batches[a.0][a.1].clone();
    batches[a.0][a.1] = std::mem::replace(&mut batches[b.0][b.1], kept);
}

/// Exchanges a word of two operations that have the same records.
fn exchange_words(batches: &mut Batches, a: (usize, usize), b: (usize, usize), rng: &mut StdRng) {
    let record = rng.gen_range(0..batches[a.0][a.1].records.len());
    let (section, bytes) = batches[a.0][a.1].records[record].clone();
    let widths = section.words();
    let word = rng.gen_range(0..widths.len());
    let start: usize = widths[..word].iter().sum();
    let place = start..start + widths[word];
    let kept = batches[b.0][b.1].records[record].1[place.clone()].to_vec();
    batches[b.0][b.1].records[record].1[place.clone()].copy_from_slice(&bytes[place.clone()]);
    batches[a.0][a.1].records[record].1[place].copy_from_slice(&kept);
}

/// Takes operations over the border between two batches, L1 or L2 operations.
fn cut(batches: &mut Batches, rng: &mut StdRng) {
    let first = rng.gen_range(0..batches.len() - 1);
    let requests: bool = rng.gen();
    let take = |ops: &mut Vec<Posted>| -> Vec<Posted> {
        let (taken, left) = ops.drain(..).partition(|op| op.is_request() == requests);
        *ops = left;
        taken
    };
    let mut all = take(&mut batches[first]);
    let before = all.len();
    all.append(&mut take(&mut batches[first + 1]));
    let others = (0..=all.len()).filter(|at| *at != before).collect::<Vec<_>>();
    let behind = all.split_off(*others.choose(rng).unwrap());
    batches[first].append(&mut all);
    batches[first + 1].extend(behind);
}
