use super::*;
use proptest::prelude::*;

fn holds(text: &str) -> bool {
    let value = |feature| match feature {
        Feature::Amount => 100,
        Feature::Fee => -1,
        Feature::Kind => bastion_protocol::Kind::Withdraw as i128,
        _ => 0,
    };
    Condition::parse(text).unwrap().holds_with(&value)
}

#[test]
fn comparisons_and_connectives() {
    for (text, result) in [
        ("amount == 100", true),
        ("amount != 1_00", false),
        ("amount < 101 and fee == -1", true),
        ("amount > 100 or amount >= 100", true),
        ("not amount <= 99", true),
        ("not (amount == 100 and fee < 0)", false),
        ("kind == withdraw", true),
        ("kind in (transfer, transfer_new)", false),
        ("kind in (transfer, withdraw)", true),
        // `and` binds more tightly than `or`.
        ("amount == 100 or fee == 5 and fee == 6", true),
        ("(amount == 100 or fee == 5) and fee == 6", false),
        ("not not amount == 100", true),
    ] {
        assert_eq!(holds(text), result, "{text}");
    }
}

#[test]
fn what_is_no_condition_is_refused_with_its_place() {
    let deep = format!("{}amount == 1{}", "(".repeat(17), ")".repeat(17));
    let wide = vec!["amount == 1"; 40].join(" or ");
    let long = format!("amount == 1{}", " ".repeat(MAX_BYTES));
    for (text, at) in [
        ("", 0),
        ("amount", 6),
        ("amount = 1", 7),
        ("amuont == 1", 0),
        ("amount == ", 10),
        ("amount == 1 1", 12),
        ("amount == 1)", 11),
        ("(amount == 1", 12),
        ("amount == -fee", 11),
        ("amount in ()", 11),
        ("amount == 999999999999999999999999999999999999999999", 10),
        ("amount == 1 && fee == 1", 12),
        ("amount == ä", 10),
        (&deep, 16),
        (&wide, 0),
        (&long, MAX_BYTES),
    ] {
        match Condition::parse(text) {
            Err(SentinelError::Condition { at: found, .. }) => {
                assert!(found == at || text == wide, "{text}: {found}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn the_features_are_known() {
    let condition = Condition::parse("amount > fee and not (fee in (1, nonce))").unwrap();
    assert_eq!(condition.features(), [Feature::Amount, Feature::Fee, Feature::Nonce]);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        let _ = Condition::parse(&text);
    }

    #[test]
    fn no_tokens_make_the_parser_panic(
        words in prop::collection::vec(
            prop::sample::select(vec!["(", ")", "not", "and", "or", "in", "amount", "1", "<", ",", "-"]),
            0..80,
        ),
    ) {
        let _ = Condition::parse(&words.join(" "));
    }
}
