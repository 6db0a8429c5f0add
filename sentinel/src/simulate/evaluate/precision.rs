//! Scores by how many operations have them, and what follows.

/// How many operations had each score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scores([u64; 1001]);

impl Default for Scores {
    fn default() -> Self {
        Self([0; 1001])
    }
}

impl Scores {
    /// Counts an operation. Scores above 1000 count as 1000.
    pub fn add(&mut self, score: u16) {
        self.0[usize::from(score.min(1000))] += 1;
    }

    /// Counts the operations of others too.
    pub fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(n, m)| *n += m);
    }

    /// How many there are.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Average precision: the sum over all thresholds, from the highest down, of the growth of recall
    /// times the precision there. Operations of one score come together, so ties gain nothing. A score
    /// of 0 is "nothing found" and never counts as found. 0 without positives.
    #[must_use]
    pub fn average_precision(positives: &Self, negatives: &Self) -> f64 {
        let all = positives.all();
        let (mut right, mut wrong, mut sum) = (0, 0, 0.0);
        for (new, false_ones) in positives.0.iter().zip(negatives.0).skip(1).rev() {
            right += new;
            wrong += false_ones;
            if *new > 0 {
                sum += *new as f64 / all as f64 * (right as f64 / (right + wrong) as f64);
            }
        }
        sum
    }

    /// The lowest threshold that holds at most `per_million` of a million of these; 1001 if each holds
    /// more. Never 0.
    #[must_use]
    pub fn threshold(&self, per_million: u64) -> u16 {
        let most = u128::from(self.all()) * u128::from(per_million) / 1_000_000;
        let mut above: u128 = 0;
        for score in (1..=1000u16).rev() {
            above += u128::from(self.0[usize::from(score)]);
            if above > most {
                return score + 1;
            }
        }
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(of: &[u16]) -> Scores {
        let mut scores = Scores::default();
        of.iter().for_each(|s| scores.add(*s));
        scores
    }

    /// Against figures by hand, which scikit-learn's `average_precision_score` gives too.
    #[test]
    fn average_precision_is_the_known_one() {
        for (positives, negatives, expected) in [
            // Ranks 1, 3: (1/1 + 2/3) / 2.
            (vec![800, 350], vec![400, 100], 5.0 / 6.0),
            // Ranks 1, 2, 5: (1 + 1 + 3/5) / 3.
            (vec![900, 800, 500], vec![700, 600, 400], 13.0 / 15.0),
            // A tie of two and two, then one: 2/3 x 2/4 + 1/3 x 3/5.
            (vec![500, 500, 100], vec![500, 500], 2.0 / 6.0 + 3.0 / 15.0),
            (vec![1000, 1], vec![0, 0, 0], 1.0),
            (vec![0, 0], vec![5], 0.0),
            (vec![], vec![5], 0.0),
        ] {
            let got = Scores::average_precision(&scores(&positives), &scores(&negatives));
            assert!((got - expected).abs() < 1e-12, "{positives:?} {got} {expected}");
        }
    }

    #[test]
    fn thresholds_keep_their_budget() {
        let honest = scores(&[0, 0, 0, 0, 0, 0, 10, 20, 30, 1000]);
        for (budget, threshold) in [(0, 1001), (100_000, 31), (200_000, 21), (400_000, 1)] {
            assert_eq!(honest.threshold(budget), threshold, "{budget}");
        }
        assert_eq!(scores(&[0, 0]).threshold(0), 1);
    }
}
