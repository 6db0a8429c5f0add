//! What the rules of a set ask of an operation, each value once.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::Rule;
use crate::features::{Feature, View};
use crate::SentinelError;

/// What the values of a set may cost for one operation, in looks at the 32 movements of an account.
pub const MAX_COST: u32 = 1024;

/// Where each value that costs something is kept while an operation is judged. Rules that ask for the same
/// feature over the same window share its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plan {
    /// For each rule the places of its features, by [`Feature`]; 0 for none, else one more than the place.
    rules: Vec<Vec<u16>>,
    places: usize,
}

impl Plan {
    /// The plan of rules, and what their values cost after each of them.
    fn new(rules: &[Rule]) -> (Self, Vec<u32>) {
        let mut places: BTreeMap<(Feature, u64), u16> = BTreeMap::new();
        let (mut rows, mut costs, mut sum) = (Vec::new(), Vec::new(), 0);
        for rule in rules {
            let mut row = vec![0; Feature::ALL.len()];
            let features = rule.condition.features();
            for feature in features.iter().copied().filter(|f| f.cost() > 0) {
                let window = if feature.has_window() { rule.spec.window } else { 0 };
                // A set has at most 256 rules of 64 features.
                let next = u16::try_from(places.len() + 1).unwrap_or(0);
                let place = places.entry((feature, window)).or_insert_with(|| {
                    sum += feature.cost();
                    next
                });
                row[feature as usize] = *place;
            }
            rows.push(row);
            costs.push(sum);
        }
        (Self { rules: rows, places: places.len() }, costs)
    }

    /// The plan of rules, whatever it costs.
    pub(super) fn unchecked(rules: &[Rule]) -> Self {
        Self::new(rules).0
    }

    /// The plan of rules.
    ///
    /// # Errors
    /// [`SentinelError::Costly`] if it costs more than [`MAX_COST`].
    pub(super) fn of(rules: &[Rule]) -> Result<Self, SentinelError> {
        let (plan, costs) = Self::new(rules);
        let Some(first) = costs.iter().position(|cost| *cost > MAX_COST) else {
            return Ok(plan);
        };
        let rule = rules.get(first).map(|rule| rule.spec.id.clone()).unwrap_or_default();
        let cost = costs.last().copied().unwrap_or_default();
        Err(SentinelError::Costly { rule, cost, most: MAX_COST })
    }

    fn place(&self, rule: usize, feature: Feature) -> Option<usize> {
        let place = self.rules.get(rule)?.get(feature as usize)?;
        usize::from(*place).checked_sub(1)
    }
}

/// The values of one operation. Those that cost something are computed once.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    view: &'a View<'a>,
    plan: &'a Plan,
    kept: Vec<Cell<Option<i128>>>,
}

impl<'a> Values<'a> {
    pub(super) fn new(view: &'a View<'a>, plan: &'a Plan) -> Self {
        Self { view, plan, kept: vec![Cell::new(None); plan.places] }
    }

    /// The value of a feature for a rule, by its number in the set, over its window.
    pub(crate) fn of(&self, rule: usize, feature: Feature, window: u64) -> i128 {
        let cell = self.plan.place(rule, feature).and_then(|place| self.kept.get(place));
        once(cell, || self.view.value(feature, window))
    }
}

fn once(cell: Option<&Cell<Option<i128>>>, compute: impl FnOnce() -> i128) -> i128 {
    if let Some(value) = cell.and_then(Cell::get) {
        return value;
    }
    let value = compute();
    if let Some(cell) = cell {
        cell.set(Some(value));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    /// Rules of one condition each, over windows in seconds.
    fn files(
        count: u64,
        condition: &str,
        window: impl Fn(u64) -> u64,
    ) -> BTreeMap<String, Vec<u8>> {
        let text = String::from_utf8(RuleSet::builtin_files().remove("fan-in.yaml").unwrap());
        let text = text.unwrap();
        let start = text.find("condition:").unwrap();
        let end = text.find("action:").unwrap();
        let one = |n: u64| {
            let id = format!("rule-{n:03}");
            let head = text[..start].replace("id: fan-in", &format!("id: {id}"));
            let middle = format!("condition: >-\n  {condition}\nwindow: {}\n", window(n));
            (format!("{id}.yaml"), format!("{head}{middle}{}", &text[end..]).into_bytes())
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn a_value_is_computed_once() {
        let cell = Cell::new(None);
        assert_eq!(once(Some(&cell), || 7), 7);
        assert_eq!(once(Some(&cell), || panic!("it is kept")), 7);
        assert_eq!((once(None, || 8), once(None, || 9)), (8, 9));
    }

    /// 256 rules that ask for the same value 60 times each have one place for it.
    #[test]
    fn equal_values_share_a_place() {
        let many = format!("9 in ({})", vec!["cycle"; 60].join(", "));
        let set = RuleSet::from_files(1, &files(256, &many, |_| 3600)).unwrap();
        let (plan, costs) = Plan::new(set.rules());
        assert_eq!((plan.places, costs.last()), (1, Some(&Feature::Cycle.cost())));
        // A window matters to what looks over one, and to nothing else.
        let set = RuleSet::from_files(1, &files(9, "known == 1 and to_peer == 1", |n| n + 1));
        assert_eq!(Plan::unchecked(set.unwrap().rules()).places, 10);
    }

    #[test]
    fn a_set_that_costs_too_much_is_refused() {
        let most = u64::from(MAX_COST / Feature::Cycle.cost());
        assert!(RuleSet::from_files(1, &files(most, "cycle == 9", |n| n + 1)).is_ok());
        match RuleSet::from_files(1, &files(most + 2, "cycle == 9", |n| n + 1)) {
            Err(SentinelError::Costly { rule, cost, most: MAX_COST }) => {
                let expected = MAX_COST + 2 * Feature::Cycle.cost();
                assert_eq!((rule, cost), (format!("rule-{most:03}"), expected));
            }
            other => panic!("{other:?}"),
        }
        let builtin = RuleSet::builtin().unwrap();
        let (_, costs) = Plan::new(builtin.rules());
        assert!(costs.last().is_some_and(|cost| *cost <= MAX_COST / 2), "{costs:?}");
    }
}
