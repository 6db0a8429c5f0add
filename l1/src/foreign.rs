//! Words of somebody else, fit to be shown. A node may say anything: text without end, sequences that
//! command a terminal, the key that it was asked with.

/// Characters of a text that are kept.
const KEPT: usize = 1_000;

/// The text's characters but for those that are not seen: space as plain spaces, and no control
/// characters, nor those that change the direction of writing or have no width.
pub(crate) fn plain(text: &str) -> impl Iterator<Item = char> + '_ {
    let unseen = |c: &char| {
        c.is_control()
            || matches!(*c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(*c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    let space = |c: char| if c.is_whitespace() { ' ' } else { c };
    text.chars().map(space).filter(move |c| !unseen(c))
}

/// A text without secrets and without characters that are not seen, and not long. The secrets are
/// [`plain`], longest first.
pub(crate) fn tame(text: &str, secrets: &[String]) -> String {
    // Of a secret that begins within what is looked at but ends outside it, a part would stay: this
    // much at the end may be one.
    let longest = secrets.iter().map(|s| s.chars().count()).max().unwrap_or(0);
    let mut characters = plain(text);
    let looked_at: String = characters.by_ref().take(KEPT + longest).collect();
    let whole = characters.next().is_none();
    let blank = |text: String, secret: &String| text.replace(secret.as_str(), "***");
    let scrubbed = secrets.iter().fold(looked_at, blank);
    let count = scrubbed.chars().count();
    let sure = if whole { count } else { count.saturating_sub(longest) };
    scrubbed.chars().take(sure.min(KEPT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_commands_a_terminal() {
        for (text, shown) in [
            ("\u{1b}[2J\u{1b}]0;title\u{7}gone", "[2J]0;titlegone"),
            ("one\r\ntwo\tthree\u{2028}four", "one  two three four"),
            ("a\u{202e}b\u{200b}c\u{9b}31md\u{0}", "abc31md"),
            ("é漢 plain", "é漢 plain"),
        ] {
            assert_eq!(tame(text, &[]), shown);
        }
        assert_eq!(tame(&"é".repeat(1 << 20), &[]).chars().count(), KEPT);
    }

    #[test]
    fn no_part_of_a_secret_stays_wherever_it_stands() {
        let secrets = ["0123456789abcdef".to_string(), "hunter2".to_string()];
        for before in KEPT - 40..KEPT + 40 {
            for secret in ["0123456789abcdef", "0123\u{1b}456789\u{0}abcdef", "hunter2"] {
                // What is taken out before it may move it into what is shown.
                for first in ["", "hunter2 ", "0123456789abcdef ".repeat(10).as_str()] {
                    let text = format!("{first}{}{secret}{}", "x".repeat(before), "y".repeat(50));
                    let shown = tame(&text, &secrets);
                    assert!(!shown.contains("01") && !shown.contains("hu"), "{before}: {shown}");
                    assert!(shown.chars().count() <= KEPT);
                }
            }
        }
    }
}
