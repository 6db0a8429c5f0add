//! The public inputs of batch and block proofs (protocol section 7).

/// Number of public inputs.
pub const COUNT: usize = 16;

/// Public inputs, over whichever library's field elements the reader has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicInputs<F> {
    /// State root before.
    pub old_root: F,
    /// State root after.
    pub new_root: F,
    /// Order chain before.
    pub c_in: F,
    /// Order chain after.
    pub c_out: F,
    /// Word polynomial before.
    pub y_in: F,
    /// Word polynomial after.
    pub y_out: F,
    /// Policy in force.
    pub policy_root: F,
    /// Chain and contract.
    pub domain: F,
    /// Time of the batch.
    pub time: F,
    /// Evaluation point of the word polynomial.
    pub r: F,
    /// Evaluation point of the blob's polynomial; 0 for data in calldata.
    pub z: F,
    /// Where L2 and owner records are: 0 in calldata, 1 in a blob ([`crate::data::DataMode`]).
    pub mode: F,
    /// Value of the blob's polynomial from the batch on, low limb ([`crate::blob::point::limbs`]).
    pub blob_in_low: F,
    /// The same, high limb.
    pub blob_in_high: F,
    /// Value of the blob's polynomial behind the batch, low limb.
    pub blob_out_low: F,
    /// The same, high limb.
    pub blob_out_high: F,
}

/// Names, in the order of the instance column.
pub const NAMES: [&str; COUNT] = [
    "old_root",
    "new_root",
    "c_in",
    "c_out",
    "y_in",
    "y_out",
    "policy_root",
    "domain",
    "time",
    "r",
    "z",
    "mode",
    "blob_in_low",
    "blob_in_high",
    "blob_out_low",
    "blob_out_high",
];

/// Pairs (output of a batch, input of the next) that must be equal.
pub const LINKS: [(usize, usize); 5] = [(1, 0), (3, 2), (5, 4), (14, 12), (15, 13)];

/// Public inputs that all batches of a block share: policy root, domain, time, `r`, `z`, mode.
pub const SHARED: std::ops::Range<usize> = 6..12;

impl<F> PublicInputs<F> {
    /// In the order of the instance column.
    pub fn into_array(self) -> [F; COUNT] {
        let Self { old_root, new_root, c_in, c_out, y_in, y_out, .. } = self;
        let Self { policy_root, domain, time, r, z, mode, .. } = self;
        let Self { blob_in_low, blob_in_high, blob_out_low, blob_out_high, .. } = self;
        [
            old_root,
            new_root,
            c_in,
            c_out,
            y_in,
            y_out,
            policy_root,
            domain,
            time,
            r,
            z,
            mode,
            blob_in_low,
            blob_in_high,
            blob_out_low,
            blob_out_high,
        ]
    }

    /// Reads the instance column.
    pub fn from_array(inputs: [F; COUNT]) -> Self {
        let [old_root, new_root, c_in, c_out, y_in, y_out, rest @ ..] = inputs;
        let [policy_root, domain, time, r, z, mode, rest @ ..] = rest;
        let [blob_in_low, blob_in_high, blob_out_low, blob_out_high] = rest;
        Self {
            old_root,
            new_root,
            c_in,
            c_out,
            y_in,
            y_out,
            policy_root,
            domain,
            time,
            r,
            z,
            mode,
            blob_in_low,
            blob_in_high,
            blob_out_low,
            blob_out_high,
        }
    }

    /// The same inputs as elements of another library.
    pub fn map<G>(self, f: impl FnMut(F) -> G) -> PublicInputs<G> {
        PublicInputs::from_array(self.into_array().map(f))
    }
}

/// The first way in which `after` does not continue `before` within a block: the name of the input
/// of `after` that differs.
pub fn broken_link<F: PartialEq>(before: &[F], after: &[F]) -> Option<&'static str> {
    let shared = SHARED.map(|n| (n, n));
    let mut pairs = LINKS.into_iter().chain(shared);
    let broken = pairs.find(|(output, input)| before.get(*output) != after.get(*input));
    broken.map(|(_, input)| NAMES[input])
}

/// Whether batches make up a block: the first begins where the block does, each continues the one
/// before, the last ends where the block does.
pub fn make_up<'a, F: PartialEq + Clone + 'a>(
    block: &'a [F; COUNT],
    batches: impl IntoIterator<Item = &'a [F]>,
) -> bool {
    // What a batch before the first one would have put out.
    let mut start = block.clone();
    for (output, input) in LINKS {
        start[output] = block[input].clone();
    }
    let mut before: &[F] = &start;
    for batch in batches {
        if batch.len() != COUNT || broken_link(before, batch).is_some() {
            return false;
        }
        before = batch;
    }
    LINKS.iter().all(|(output, _)| before.get(*output) == Some(&block[*output]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_links_are_those_of_the_fields() {
        let inputs = PublicInputs::from_array(NAMES);
        assert_eq!(inputs.old_root, "old_root");
        assert_eq!(inputs.y_out, "y_out");
        assert_eq!(inputs.into_array(), NAMES);
        for (output, input) in LINKS {
            let [output, input] = [NAMES[output], NAMES[input]];
            let continues = [
                ("new_root", "old_root"),
                ("c_out", "c_in"),
                ("y_out", "y_in"),
                ("blob_out_low", "blob_in_low"),
                ("blob_out_high", "blob_in_high"),
            ];
            assert!(continues.contains(&(output, input)));
        }
        assert_eq!(NAMES[SHARED], ["policy_root", "domain", "time", "r", "z", "mode"]);
    }

    #[test]
    fn a_block_is_made_of_its_own_batches() {
        // A block of three batches: links are numbered, what is shared is 100.
        let batch = |n: usize| {
            let mut inputs = [100; COUNT];
            for (i, (output, input)) in LINKS.into_iter().enumerate() {
                inputs[input] = 10 * n + i;
                inputs[output] = 10 * (n + 1) + i;
            }
            inputs
        };
        let batches: Vec<[usize; COUNT]> = (0..3).map(batch).collect();
        let mut block = batches[0];
        for (output, _) in LINKS {
            block[output] = batches[2][output];
        }
        let made = |batches: &[[usize; COUNT]]| make_up(&block, batches.iter().map(|b| &b[..]));
        assert!(made(&batches));
        for n in 0..3 {
            for i in 0..COUNT {
                let mut other = batches.clone();
                other[n][i] += 1;
                assert!(!made(&other), "input {i} of batch {n}");
            }
            let mut fewer = batches.clone();
            fewer.remove(n);
            assert!(!made(&fewer));
        }
        assert!(!made(&[]));
        assert!(!make_up(&block, [&batches[0][..9]]));
    }

    #[test]
    fn every_link_is_named() {
        let before: [usize; COUNT] = std::array::from_fn(|n| n);
        let mut next = before;
        for (output, input) in LINKS {
            next[input] = before[output];
        }
        assert_eq!(broken_link(&before, &next), None);
        for n in 0..COUNT {
            let mut other = next;
            other[n] = 99;
            let output = LINKS.iter().any(|(output, _)| *output == n);
            let expected = (!output).then_some(NAMES[n]);
            assert_eq!(broken_link(&before, &other), expected);
        }
    }
}
