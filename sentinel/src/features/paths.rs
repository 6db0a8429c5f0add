//! Circles of payments, and indices that look alike.

use bastion_protocol::Index;

use crate::profile::Profile;
use crate::table::Table;

/// Most accounts whose payments are looked at for a circle.
const BUDGET: usize = 64;
/// Longest circle that is looked for.
const LONGEST: usize = 4;

/// Length of the shortest circle of payments since a time that a payment from `from` to `to` closes, or
/// 0. It looks at most at [`BUDGET`] accounts, the newest payments first.
pub(super) fn cycle(
    accounts: &Table<Index, Profile>,
    from: Index,
    to: Index,
    since_ms: u64,
) -> usize {
    let mut seen = vec![to];
    let mut level = 0..1;
    for length in 2..=LONGEST {
        let end = seen.len();
        for place in level.clone() {
            let Some(profile) = accounts.get(&seen[place]) else { continue };
            for event in profile.out.since(since_ms) {
                let Some(peer) = event.peer else { continue };
                if peer == from {
                    return length;
                }
                if seen.len() < BUDGET && !seen.contains(&peer) {
                    seen.push(peer);
                }
            }
        }
        level = end..seen.len();
    }
    0
}

/// Whether two indices differ by two neighbouring digits that are swapped.
pub(super) fn swapped(a: Index, b: Index) -> bool {
    let digits = |mut x: Index| {
        let mut all = [10u8; 10];
        for place in &mut all {
            // Below 10.
            *place = (x % 10) as u8;
            x /= 10;
        }
        all
    };
    let (a, b) = (digits(a), digits(b));
    let mut differ = (0..10).filter(|i| a[*i] != b[*i]);
    match (differ.next(), differ.next(), differ.next()) {
        (Some(i), Some(j), None) => j == i + 1 && a[i] == b[j] && a[j] == b[i],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Event;
    use bastion_protocol::Address;

    #[test]
    fn swapped_digits_are_found() {
        assert!(swapped(131_703, 131_073) && swapped(131_073, 131_703));
        for other in [131_073, 131_074, 131_370, 311_703, 131_702] {
            assert!(!swapped(131_073, other) || other == 131_703, "{other}");
        }
    }

    #[test]
    fn the_shortest_circle_counts() {
        let mut accounts: Table<Index, Profile> = Table::new(10);
        let mut pay = |from: Index, to: Index, at_ms| {
            let event = Event { at_ms, amount: 1, peer: Some(to), exit: Address::default() };
            accounts.touch(from, Profile::default).out.push(event);
        };
        pay(2, 3, 10);
        pay(3, 4, 20);
        pay(4, 1, 30);
        assert_eq!(cycle(&accounts, 1, 2, 0), 4);
        assert_eq!(cycle(&accounts, 1, 2, 15), 0);
        assert_eq!(cycle(&accounts, 1, 3, 15), 3);
        assert_eq!(cycle(&accounts, 1, 4, 15), 2);
        assert_eq!(cycle(&accounts, 9, 2, 0), 0);
    }
}
