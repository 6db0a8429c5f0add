//! Amounts as people write them.

/// Units of ether, with the zeros that each stands for.
const UNITS: [(&str, usize); 3] = [("gwei", 9), ("eth", 18), ("wei", 0)];

/// Reads `1.5eth`, `20gwei`, `7wei`, or a number of smallest units.
pub(crate) fn read(text: &str) -> Result<u128, String> {
    let unit = UNITS.iter().find_map(|(unit, zeros)| Some((text.strip_suffix(unit)?, *zeros)));
    let (number, zeros) = unit.unwrap_or((text, 0));
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let bad = || {
        format!("{text:?} is no amount: give one such as 1.5eth, 20gwei or a number of the smallest unit")
    };
    let dot = number.contains('.');
    if whole.is_empty() || !digits(whole) || !digits(part) || dot && part.is_empty() {
        return Err(bad());
    }
    if part.len() > zeros {
        return Err(format!("{text:?} has a part of the smallest unit: leave out some digits"));
    }
    let all = format!("{whole}{part}{}", "0".repeat(zeros - part.len()));
    all.parse().map_err(|_| format!("{text:?} is above 2^128"))
}

/// An amount of a token for people: of token 0 in ether, of others in the smallest unit.
pub(crate) fn shown(amount: u128, token: u16) -> String {
    if token != 0 {
        return format!("{amount} of token {token}");
    }
    let (_, zeros) = UNITS[1];
    let text = format!("{amount:0>width$}", width = zeros + 1);
    let (whole, part) = text.split_at(text.len() - zeros);
    match part.trim_end_matches('0') {
        "" => format!("{whole} eth"),
        part => format!("{whole}.{part} eth"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, amount) in [
            ("0", 0),
            ("7", 7),
            ("7wei", 7),
            ("20gwei", 20_000_000_000),
            ("1.5gwei", 1_500_000_000),
            ("1eth", 1_000_000_000_000_000_000),
            ("0.000000000000000001eth", 1),
            ("340282366920938463463374607431768211455", u128::MAX),
        ] {
            assert_eq!(read(text), Ok(amount), "{text}");
        }
        for text in [
            "",
            "eth",
            ".5eth",
            "1.eth",
            "1.5",
            "1.5wei",
            "-1",
            "1e3",
            "1 eth",
            "0x10",
            "+1",
            "1,5eth",
            "0.0000000000000000001eth",
            "340282366920938463463374607431768211456",
            "400000000000000000000eth",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_are_shown_in_ether() {
        assert_eq!(shown(0, 0), "0 eth");
        assert_eq!(shown(1, 0), "0.000000000000000001 eth");
        assert_eq!(shown(1_500_000_000_000_000_000, 0), "1.5 eth");
        assert_eq!(shown(20_000_000_000_000_000_000, 0), "20 eth");
        assert_eq!(shown(5, 3), "5 of token 3");
    }
}
