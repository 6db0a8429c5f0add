//! The bus: one LogUp argument that ties all tables together.
//!
//! A tuple `(tag, t_1, .., t_n)` has the fingerprint `beta + tag + t_1 gamma + .. + t_n gamma^n`.
//! Every block adds `multiplicity / fingerprint` for each of its tuples to a running sum which
//! starts and ends at 0, so that each tuple's multiplicities cancel: what is consumed (negative) was
//! produced (positive). The challenges are drawn after all tuples are committed; the sum of
//! distinct poles is 0 only if every multiplicity is, except with probability at most
//! (tuples x longest tuple) / p, about 2^-227. The tag is the constant term, is never 0 and differs
//! per relation, so that no tuple of one relation (nor an all-zero row) is a member of another.

use crate::core::Expr;

/// The relations on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u64)]
pub enum Tag {
    /// `(index, exists, owner, token, nonce, balance, frozen_until, t)`: account memory.
    Account = 1,
    /// `(level, index, old, new)`: Merkle nodes that changed.
    Node = 2,
    /// `(a, b, compress(a, b))`.
    Hash = 3,
    /// `(v)` with `v < 2^40`.
    Range40 = 4,
    /// `(v)` with `v < 2^128`.
    Range128 = 5,
    /// `(packed, token, nonce, balance, frozen_until)`: the unique reading of a packed word.
    Unpack = 6,
    /// `(keyhash, msg)` was signed.
    Signature = 7,
    /// `(signature id, digit, x, y)`: multiples of `-A`.
    KeyMultiple = 8,
    /// `(digit, x, y)`: multiples of the base point.
    BaseMultiple = 9,
    /// `(signature id, half, x, y, h, s)`: state of a scalar multiplication after a half.
    Half = 10,
    /// `(i, position, Y_1, .., Y_4, n_1, .., n_4)`: state between operations.
    State = 11,
    /// `(time, r, m_domain, guardian, max_freeze, cooldown, fee_owner, mode, n)`: constants of the batch.
    Context = 12,
    /// `(token, amount, tat, tat', release_time)`: one use of the bridge limiter.
    Exit = 13,
    /// `(token, rate, burst_seconds, max_delay)` under the policy.
    Limits = 14,
    /// `(limits_root, time)`: what the policy and limiter tables need of the batch.
    PolicyContext = 15,
    /// `(base, d, x, y)`: `d` times a base, in limbs. Here and below: the block circuit.
    Multiple = 16,
    /// `(term, window, acc)`: digits of a scalar so far.
    Scalar = 17,
    /// `(v)` with `v < 2^16`.
    Chunk = 18,
    /// `(v)` with `v < 2^10`. Here and below: data in blobs.
    Bits10 = 19,
    /// `(e0, e1, e2, e3)`: pieces of 120, 7, 110 and 18 bits of a value below `2^255`.
    Value = 20,
    /// `(x, y)` with `x < 2^125` and `y < 2^126`.
    Quotient = 21,
    /// `(quarter, z_low, z_high, low, high)`: the power of `z` that a quarter of the multipliers begins
    /// at.
    Power = 22,
    /// `(quarter, low, high, ..)`: multipliers of eight slots.
    Multipliers = 23,
    /// `(quarter, low, high, ..)`: multipliers of the three words of a value.
    ValueMultipliers = 24,
    /// `(group, e0, e1, e2, e3)`: value of the polynomial's rest from this group on.
    Rest = 25,
    /// `(position, word)`: a slot of the batch in the blob.
    BlobWord = 26,
    /// `(number, keyhash, exit)`: an owner record of the batch.
    BlobOwner = 27,
    /// `(position)`: the first slot behind the L2 records.
    OwnersFrom = 28,
    /// `(z, n_l2, n_owners, from_low, from_high, to_low, to_high)`: what the blob is asked.
    Blob = 29,
    /// `(position, quarter, low, high)`: the words of a quarter of a group times the limbs of their
    /// multipliers.
    Sums = 30,
    /// `(number, value)`: a node of the order tree; number 0 is the chain over batches.
    Place = 31,
}

/// A tuple: its relation and entries.
#[derive(Clone, Debug)]
pub struct Tuple {
    /// The relation.
    pub tag: Tag,
    /// The entries.
    pub entries: Vec<Expr>,
}

impl Tuple {
    /// A tuple of relation `tag`.
    pub fn new(tag: Tag, entries: impl IntoIterator<Item = Expr>) -> Self {
        Self { tag, entries: entries.into_iter().collect() }
    }

    /// The fingerprint `beta + tag + gamma (t_1 + gamma (t_2 + ..))`.
    pub fn fingerprint(&self) -> Expr {
        let tail =
            self.entries.iter().rev().fold(Expr::zero(), |acc, entry| (acc + *entry) * Expr::Gamma);
        Expr::Beta + Expr::from(self.tag as u64) + tail
    }
}

/// A tuple with its multiplicity: positive produces, negative consumes.
#[derive(Clone, Debug)]
pub struct Term {
    /// Name of the rule or relation, unique in the block; stands in the table's README.
    pub name: String,
    /// How often the tuple is produced.
    pub multiplicity: Expr,
    /// The tuple.
    pub tuple: Tuple,
}

impl Term {
    /// Produces `tuple` `multiplicity` times.
    pub fn produce(name: impl Into<String>, multiplicity: Expr, tuple: Tuple) -> Self {
        Self { name: name.into(), multiplicity, tuple }
    }

    /// Consumes `tuple` `multiplicity` times.
    pub fn consume(name: impl Into<String>, multiplicity: Expr, tuple: Tuple) -> Self {
        Self { name: name.into(), multiplicity: -multiplicity, tuple }
    }
}

/// The step of the running sum from `row` to `row + 1` over `terms`:
/// `(s' - s) prod(c) - sum_i m_i prod_{j != i} c_j`.
pub fn step(row: i32, terms: &[Term]) -> Expr {
    let prints: Vec<Expr> = terms.iter().map(|t| t.tuple.fingerprint()).collect();
    let product = |skip: Option<usize>| {
        prints
            .iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != skip)
            .fold(Expr::one(), |acc, (_, c)| acc * *c)
    };
    let numerator: Expr =
        terms.iter().enumerate().map(|(i, t)| t.multiplicity * product(Some(i))).sum();
    (Expr::Sum(row + 1) - Expr::Sum(row)) * product(None) - numerator
}
