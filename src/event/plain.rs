//! Text of strangers, made fit for logs and alerts.
//!
//! User agents and names of sessions are whatever their callers choose. None may forge a line of the log, turn
//! the text around it, or be as long as it likes.

use std::fmt;

use serde_json::Value;

/// The longest text of a stranger that is kept, in characters.
const LONGEST: usize = 256;
/// The longest line for the log, in characters: a sentence around two such texts.
const LONGEST_LINE: usize = 640;

/// A text on one line, without characters that steer its display, and of bearable length.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !steers(*c)).take(LONGEST).collect()
}

/// The same for a value that ought to be a text; `None` where it is none, or nothing is left of it.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(plain).filter(|text| !text.is_empty())
}

/// A sentence about texts of strangers.
pub(super) fn line(sentence: fmt::Arguments<'_>) -> String {
    sentence.to_string().chars().filter(|c| !steers(*c)).take(LONGEST_LINE).collect()
}

/// Control characters, line separators, and the invisible ones that set the direction of text.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stranger_cannot_forge_a_line_or_turn_the_text() {
        assert_eq!(plain("curl\r\n{\"level\":\"INFO\"}\u{1b}[2J"), "curl{\"level\":\"INFO\"}[2J");
        assert_eq!(plain("Alice\u{202E}ecilA\u{2028}\u{FEFF}"), "AliceecilA");
        assert_eq!(plain("Zoë 日本"), "Zoë 日本");
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(plain(&"ü".repeat(1000)), "ü".repeat(256));
        assert_eq!(line(format_args!("{}", "x".repeat(5000))).len(), LONGEST_LINE);
    }

    #[test]
    fn what_is_no_text_or_empty_is_nothing() {
        assert_eq!(text(Some(&json!("a"))), Some("a".to_owned()));
        for value in [json!(null), json!(7), json!(["a"]), json!(""), json!("\n")] {
            assert_eq!(text(Some(&value)), None, "{value}");
        }
        assert_eq!(text(None), None);
    }
}
