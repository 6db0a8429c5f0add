use super::freedom::clearings;
use super::operator::{guess, Played};
use super::*;
use crate::meter::{BASE, QUOTE};
use crate::{post, solve, verify, Auction, Clearing, Posted, Terms};

const SCENARIO: Scenario = Scenario { seed: 11, blocks: 16, users: 10 };

fn report() -> &'static MarketReport {
    static REPORT: std::sync::OnceLock<MarketReport> = std::sync::OnceLock::new();
    REPORT.get_or_init(|| market(SCENARIO).unwrap())
}

fn extracted(place: Place, strategy: Strategy) -> i128 {
    report().row(place, strategy).unwrap().extracted
}

/// The order of orders decides nothing in an auction: not a unit.
#[test]
fn reordering_extracts_nothing_from_an_auction() {
    for place in [Place::Auction, Place::BlindAuction] {
        let honest = report().row(place, Strategy::Honest).unwrap();
        let reordered = report().row(place, Strategy::Reorder).unwrap();
        assert_eq!(&Row { strategy: Strategy::Honest, ..reordered.clone() }, honest);
    }
    for place in [Place::Book, Place::Pool] {
        let row = report().row(place, Strategy::Reorder).unwrap();
        assert!(report().hundredths(place, row.extracted) > 100, "{}", report());
    }
}

/// Who sees nothing gains nothing by a guess, on average over both sides; who sees the orders does, on every venue.
#[test]
fn insertion_needs_information() {
    let mut rng = Rng::new(12);
    let mut mark = Mark { quote: 2_000_000_000, base: 1_000_000_000 };
    let (mut gain, mut worse) = (0, 0);
    for _ in 0..100 {
        let round = Round::next(&mut rng, mark, 10).unwrap();
        mark = round.mark;
        let venue = Place::BlindAuction.venue(&round);
        let mut guesses = Rng::new(0);
        let honest = play(Place::BlindAuction, Strategy::Honest, &round, &mut guesses).unwrap();
        let own = |played: Played| played.gain(Agent::Operator, mark).unwrap();
        let both = [BASE, QUOTE].map(|sell| own(guess(&venue, &round, sell).unwrap()));
        let more = both[0] + both[1] - 2 * own(honest);
        worse += usize::from(more < 0);
        gain += more;
    }
    assert!(gain < 0 && worse > 50, "{gain}, {worse} of 100 rounds");
    for place in [Place::Book, Place::Pool, Place::Auction] {
        assert!(extracted(place, Strategy::Insert) > 0, "{place}");
    }
}

/// A free choice is worth something; the larger the bond, the less.
#[test]
fn a_bond_takes_the_gain_of_withholding() {
    let with = |bond| extracted(Place::BlindAuction, Strategy::Withhold { bond });
    assert!(with(0) > 0, "{}", report());
    assert!(with(0) >= with(50) && with(50) >= with(100), "{}", report());
    assert!(with(100) < with(0) / 2, "{}", report());
}

/// An operator that sees what it does is never worse off by it, and gains less on the auction, but by leaving orders
/// out: that is for receipts and for blind orders to prevent.
#[test]
fn an_auction_leaves_the_operator_less() {
    for row in &report().rows {
        let guesses = row.place == Place::BlindAuction
            && matches!(row.strategy, Strategy::Insert | Strategy::Censor);
        let pays = matches!(row.strategy, Strategy::Withhold { .. });
        assert!(guesses || pays || row.extracted >= 0, "{row:?}");
    }
    for strategy in [Strategy::Reorder, Strategy::Insert] {
        for other in [Place::Book, Place::Pool] {
            let parts = |place| report().hundredths(place, extracted(place, strategy));
            assert!(parts(Place::Auction) < parts(other), "{strategy} {other}\n{}", report());
        }
    }
    let [plain, blind] =
        [Place::Auction, Place::BlindAuction].map(|place| extracted(place, Strategy::Censor));
    assert!(plain > 0 && blind < plain / 4, "{}", report());
}

/// Everything that the search calls a clearing keeps the rule, and there is more than one.
#[test]
fn other_prices_keep_the_rule() {
    let mut rng = Rng::new(5);
    let mut most = 0;
    for _ in 0..8 {
        let mark = Mark { quote: 2_000_000_000, base: 1_000_000_000 };
        let round = Round::next(&mut rng, mark, 10).unwrap();
        let crate::meter::Venue::Uniform(uniform) = round.block.uniform(Terms::default()) else {
            panic!("an auction")
        };
        let orders = round.orders.iter().map(|(_, swap)| swap).chain(&uniform.makers);
        let auction = Auction::new(orders.map(|s| s.order).collect(), uniform.terms).unwrap();
        let found = clearings(&auction, post(&auction, &solve(&auction)));
        for posted in &found {
            let Posted { quotes, fractions, fills, surplus } = posted.clone();
            verify(&auction, &Clearing { quotes, fractions, fills, surplus }).unwrap();
        }
        let different = found.iter().filter(|posted| posted.fills != found[0].fills).count();
        most = most.max(different);
    }
    assert!(most > 0);
}

/// What one has, another one gave; and the same seed gives the same.
#[test]
fn nothing_is_made_or_lost() {
    let report = market(Scenario { seed: 4, blocks: 4, users: 6 }).unwrap();
    assert_eq!(report, market(report.scenario).unwrap());
    assert_ne!(report, market(Scenario { seed: 5, ..report.scenario }).unwrap());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<MarketReport>(&text).unwrap(), report);
    assert_eq!(report.to_string().lines().count(), 2 + report.rows.len());
    let rows: usize = Place::ALL.iter().map(|place| place.strategies().len()).sum();
    assert_eq!(report.rows.len(), rows);
}
