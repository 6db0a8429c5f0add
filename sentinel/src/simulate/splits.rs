//! What is for tuning and what for measuring.

use serde::{Deserialize, Serialize};

use super::{Plan, Rows, SimulateError, Traffic};

/// The committed splits.
const COMMITTED: &str = include_str!("splits.json");

/// All splits, and the budget to which thresholds are tuned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splits {
    /// Changes with every change of the file: figures of different versions do not compare.
    pub version: u32,
    /// How many honest operations of a million may be held where thresholds are set.
    pub false_quarantines_per_million: u64,
    /// The splits.
    pub splits: Vec<Split>,
}

/// One split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Its name.
    pub name: String,
    /// Whether thresholds may be set on it. A split for measuring never tunes.
    pub tune: bool,
    /// Its traffic.
    pub plan: Plan,
}

impl Splits {
    /// The committed ones.
    ///
    /// # Errors
    /// [`SimulateError::Splits`] if the file does not read.
    pub fn committed() -> Result<Self, SimulateError> {
        Ok(serde_json::from_str(COMMITTED)?)
    }

    /// The committed ones with everyday traffic of another length; attacks and events stay as many.
    ///
    /// # Errors
    /// [`SimulateError::Splits`] if the file does not read.
    pub fn of_length(operations: usize) -> Result<Self, SimulateError> {
        let mut splits = Self::committed()?;
        splits.splits.iter_mut().for_each(|split| split.plan.operations = operations);
        Ok(splits)
    }

    /// A split by name.
    ///
    /// # Errors
    /// [`SimulateError::NoSuchSplit`].
    pub fn get(&self, name: &str) -> Result<&Split, SimulateError> {
        let found = self.splits.iter().find(|split| split.name == name);
        found.ok_or_else(|| SimulateError::NoSuchSplit(name.to_owned()))
    }
}

impl Split {
    /// Its traffic.
    ///
    /// # Errors
    /// Those of [`Traffic::new`].
    pub fn traffic(&self, rows: &Rows) -> Result<Traffic, SimulateError> {
        Traffic::new(rows, &self.plan)
    }

    /// Refuses to tune where nothing may be tuned.
    ///
    /// # Errors
    /// [`SimulateError::NoTuning`].
    pub fn may_tune(&self) -> Result<(), SimulateError> {
        match self.tune {
            true => Ok(()),
            false => Err(SimulateError::NoTuning(self.name.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::simulate::Family;

    #[test]
    fn every_family_is_either_tuned_or_unseen_and_no_seed_is_used_twice() {
        let splits = Splits::committed().unwrap();
        let tuned = |tune| {
            let of = splits.splits.iter().filter(move |s| s.tune == tune);
            of.flat_map(|s| s.plan.families.clone()).collect::<BTreeSet<Family>>()
        };
        let unseen: BTreeSet<_> = tuned(false).difference(&tuned(true)).copied().collect();
        let named = splits.get("unseen").unwrap().plan.families.iter().copied().collect();
        assert_eq!(unseen, named);
        assert_eq!(unseen.len() + tuned(true).len(), Family::ALL.len());
        let seeds: BTreeSet<u64> = splits.splits.iter().map(|s| s.plan.seed).collect();
        assert_eq!(seeds.len(), splits.splits.len());
        assert!(splits.get("seen").unwrap().may_tune().is_err());
        assert!(splits.get("tuning").unwrap().may_tune().is_ok());
        assert!(splits.get("other").is_err());
        assert_eq!(Splits::of_length(7).unwrap().splits[1].plan.operations, 7);
    }
}
