//! Proofs of diligence: pay for who executes the chain again, also when nothing happens.
//!
//! An epoch's digest is taken over states in the middle of its execution that are never posted. Only who
//! executed the epoch knows it. The seed is drawn when the epoch is over, and the answer is bound to
//! seed and watcher, so neither an old answer nor one of another watcher is right.

use super::{Cause, Payment, Registry, RewardError};
use bastion_protocol::{hash::keccak, Index};

/// `keccak256("bastion.diligence.v1" || epoch || seed || watcher || digest)`.
#[must_use]
pub fn answer(epoch: u64, seed: &[u8; 32], watcher: &Index, digest: &[u8; 32]) -> [u8; 32] {
    keccak(&[b"bastion.diligence.v1", &epoch.to_be_bytes(), seed, &watcher.to_be_bytes(), digest])
}

/// The grades of an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grades {
    /// What right answers earned: the pot by stake.
    pub paid: Vec<Payment>,
    /// What wrong answers burned.
    pub fined: Vec<(Index, u128)>,
}

impl Registry {
    /// Takes a watcher's answer for the epoch before this one.
    ///
    /// # Errors
    /// [`RewardError::Epoch`] outside that time, [`RewardError::Answered`] for a second one,
    /// [`RewardError::Stake`] below the least stake.
    pub fn answer(
        &mut self,
        watcher: Index,
        epoch: u64,
        answer: [u8; 32],
        now: u64,
    ) -> Result<(), RewardError> {
        self.at(now)?;
        let (needed, at) = (self.params.stake, self.params.epoch(now));
        let expected = epoch.saturating_add(1);
        if at != expected {
            return Err(RewardError::Epoch { what: "answers", epoch, expected, now: at });
        }
        let stake = self.known(&watcher)?;
        let free = stake.usable();
        if free + stake.locked < needed {
            return Err(RewardError::Stake { watcher, free, needed });
        }
        if self.answers.contains_key(&(epoch, watcher)) {
            return Err(RewardError::Answered { watcher, epoch });
        }
        self.tick(now);
        self.answers.insert((epoch, watcher), answer);
        Ok(())
    }

    /// Grades the answers for an epoch by its proven digest: right ones share the pot by stake, wrong
    /// ones are fined. Epochs are graded in order; one that is left out pays nobody.
    ///
    /// # Errors
    /// [`RewardError::Epoch`] while answers are taken, [`RewardError::Graded`].
    pub fn grade(
        &mut self,
        epoch: u64,
        seed: &[u8; 32],
        digest: &[u8; 32],
        now: u64,
    ) -> Result<Grades, RewardError> {
        self.at(now)?;
        let (at, expected) = (self.params.epoch(now), epoch.saturating_add(2));
        if at < expected {
            return Err(RewardError::Epoch { what: "grades", epoch, expected, now: at });
        }
        if epoch < self.next_grade {
            return Err(RewardError::Graded { epoch });
        }
        self.tick(now);
        self.next_grade = epoch.saturating_add(1);
        let later = self.answers.split_off(&(self.next_grade, 0));
        let given = std::mem::replace(&mut self.answers, later);
        let given = given.into_iter().filter(|((of, _), _)| *of == epoch);
        let right = |w: &Index, a: &[u8; 32]| *a == answer(epoch, seed, w, digest);
        let (good, bad): (Vec<_>, Vec<_>) =
            given.map(|((_, w), a)| (w, right(&w, &a))).partition(|(_, right)| *right);
        let fined = bad.into_iter().map(|(w, _)| (w, self.fine(&w))).collect();
        Ok(Grades { paid: self.share_pot(epoch, good.into_iter().map(|(w, _)| w)), fined })
    }

    fn share_pot(&mut self, epoch: u64, good: impl Iterator<Item = Index>) -> Vec<Payment> {
        let stakes = good.map(|w| (w, self.stake(&w))).map(|(w, s)| (w, s.free + s.locked));
        let stakes: Vec<(Index, u128)> = stakes.collect();
        let mut left: u128 = stakes.iter().map(|(_, s)| s).sum();
        let mut pot = self.params.diligence_pot.min(self.books.pool);
        let mut paid = Vec::with_capacity(stakes.len());
        for (to, stake) in stakes {
            let part = part(pot, stake, left);
            (pot, left) = (pot - part, left - stake);
            let amount = self.spend(epoch, part, 0);
            paid.push(Payment { to, amount, cause: Cause::Diligence });
        }
        paid
    }

    fn fine(&mut self, watcher: &Index) -> u128 {
        let fine = self.params.diligence_fine;
        let Some(stake) = self.watchers.get_mut(watcher) else { return 0 };
        let fine = fine.min(stake.free);
        stake.free -= fine;
        self.books.stakes -= fine;
        self.books.burned += fine;
        fine
    }
}

/// `pot x stake / whole`, rounded down. Numbers too large to multiply are halved together first.
fn part(pot: u128, stake: u128, whole: u128) -> u128 {
    let (mut stake, mut whole) = (stake, whole);
    while whole > 0 {
        if let Some(product) = pot.checked_mul(stake) {
            return (product / whole).min(pot);
        }
        (stake, whole) = (stake / 2, whole / 2);
    }
    0
}
