//! Texts that other people choose, made safe for logs and alerts.
//!
//! Callers choose their user agent and the name of their session. Such a text must not forge a line of the log,
//! change the direction of the text around it, or be of any length.

use std::fmt;

use serde_json::Value;

/// The longest such text, in characters. The rest is cut off.
const LONGEST: usize = 256;
/// The longest line for the log, in characters. It has space for a sentence with two such texts.
const LONGEST_LINE: usize = 640;

/// A text on one line, of limited length, without characters that control its display.
pub(super) fn log_safe(text: &str) -> String {
    text.chars().filter(|c| !controls_display(*c)).take(LONGEST).collect()
}

/// The same for a value that should be a text; `None` if it is something else, or if nothing is left of it.
pub(super) fn log_safe_text(value: Option<&Value>) -> Option<String> {
    value?.as_str().map(log_safe).filter(|text| !text.is_empty())
}

/// A sentence with such texts in it.
pub(super) fn log_safe_line(sentence: fmt::Arguments<'_>) -> String {
    sentence.to_string().chars().filter(|c| !controls_display(*c)).take(LONGEST_LINE).collect()
}

/// Control characters, line separators, and the invisible ones that set the direction of text.
fn controls_display(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_cannot_forge_a_line_or_change_the_direction() {
        assert_eq!(log_safe("curl\r\n{\"level\":\"INFO\"}\u{1b}[2J"), "curl{\"level\":\"INFO\"}[2J");
        assert_eq!(log_safe("Alice\u{202E}ecilA\u{2028}\u{FEFF}"), "AliceecilA");
        assert_eq!(log_safe("Zoë 日本"), "Zoë 日本");
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(log_safe(&"ü".repeat(1000)), "ü".repeat(256));
        assert_eq!(log_safe_line(format_args!("{}", "x".repeat(5000))).len(), LONGEST_LINE);
    }

    #[test]
    fn an_empty_text_and_other_values_are_absent() {
        assert_eq!(log_safe_text(Some(&json!("a"))), Some("a".to_owned()));
        for value in [json!(null), json!(7), json!(["a"]), json!(""), json!("\n")] {
            assert_eq!(log_safe_text(Some(&value)), None, "{value}");
        }
        assert_eq!(log_safe_text(None), None);
    }
}
