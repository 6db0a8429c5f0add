//! Deadlines and delays of the L1 contracts, in seconds (protocol section 10.1).

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// In which a queue entry must be in a proven block; else anybody may begin exodus.
pub const QUEUE_DEADLINE: u64 = 7 * DAY;
/// From a block's finality to the moment when nothing delays its exits any more, nor departures.
pub const MAX_RELEASE_DELAY: u64 = 3 * DAY;
/// From a request to the moment when leaving is in the user's own hands.
pub const EXIT_TIME: u64 = QUEUE_DEADLINE + MAX_RELEASE_DELAY;
/// By which a block's time may lie behind L1's at its commit.
pub const MAX_CLOCK_LAG: u64 = DAY;
/// After which anybody may take back a commit that was not proven.
pub const PROVE_DEADLINE: u64 = DAY;
/// Without a final block, or with a waiting entry, after which anybody may bring blocks.
pub const OPERATOR_DEADLINE: u64 = 3 * DAY;
/// For which a policy that was replaced is still good for blocks.
pub const POLICY_GRACE: u64 = 6 * HOUR;
/// That the council has to answer an alarm; after that, exodus.
pub const ALARM_DEADLINE: u64 = 3 * DAY;
/// Between the announcement of a change and the change.
pub const UPGRADE_DELAY: u64 = EXIT_TIME + 35 * DAY;
/// Between the announcement of a report about a broken receipt and the report.
pub const REPORT_DELAY: u64 = 10 * MINUTE;
/// Between the announcement that a bond leaves and its withdrawal.
pub const BOND_DELAY: u64 = 24 * DAY;
/// After which an announced change that was not made is void.
pub const UPGRADE_GRACE: u64 = 14 * DAY;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Every constant of `Times.sol`, computed as Solidity does.
    fn solidity() -> BTreeMap<String, u64> {
        let text = include_str!("../../verifier-contract/contracts/Times.sol");
        let mut values = BTreeMap::new();
        for line in text.lines() {
            let Some(rest) = line.trim().strip_prefix("uint256 internal constant ") else {
                continue;
            };
            let (name, sum) = rest.trim_end_matches(';').split_once(" = ").unwrap();
            let term = |term: &str| match term.split_once(' ') {
                Some((n, "days")) => n.parse::<u64>().unwrap() * DAY,
                Some((n, "hours")) => n.parse::<u64>().unwrap() * HOUR,
                Some((n, "minutes")) => n.parse::<u64>().unwrap() * MINUTE,
                _ => values[term],
            };
            let value = sum.split(" + ").map(term).sum();
            values.insert(name.to_owned(), value);
        }
        values
    }

    #[test]
    fn the_contract_has_the_same_times() {
        let solidity = solidity();
        for (name, value) in [
            ("QUEUE_DEADLINE", QUEUE_DEADLINE),
            ("MAX_RELEASE_DELAY", MAX_RELEASE_DELAY),
            ("EXIT_TIME", EXIT_TIME),
            ("MAX_CLOCK_LAG", MAX_CLOCK_LAG),
            ("PROVE_DEADLINE", PROVE_DEADLINE),
            ("OPERATOR_DEADLINE", OPERATOR_DEADLINE),
            ("POLICY_GRACE", POLICY_GRACE),
            ("ALARM_DEADLINE", ALARM_DEADLINE),
            ("UPGRADE_DELAY", UPGRADE_DELAY),
            ("UPGRADE_GRACE", UPGRADE_GRACE),
            ("REPORT_DELAY", REPORT_DELAY),
            ("BOND_DELAY", BOND_DELAY),
        ] {
            assert_eq!(solidity[name], value, "{name}");
        }
    }
}
