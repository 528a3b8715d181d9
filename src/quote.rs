//! Texts from outside, as messages repeat them: on one line, of limited length, and without characters that change how
//! the text around them is shown; and as words of a command that a message gives. Pure.

/// The longest part of a text that a message repeats, in characters: most ARNs are shorter.
const LONGEST: usize = 200;

/// A text as a message repeats it. What cannot be shown is escaped as in Rust, and what is cut off leaves `…`.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        quoted.push('…');
    }
    quoted
}

/// A text as one word of a command for a Unix shell: in quotes, unless no character of it means anything to a shell.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_short_and_shows_what_is_in_it() {
        assert_eq!(
            quoted("arn:aws:kms:eu-west-1:111122223333:key/1-2"),
            "arn:aws:kms:eu-west-1:111122223333:key/1-2"
        );
        assert_eq!(quoted("a\u{202e}b\r\n\0\u{1b}[2J"), "a\\u{202e}b\\r\\n\\0\\u{1b}[2J");
        assert_eq!(quoted(&"ü".repeat(1_000_000)), format!("{}…", "ü".repeat(200)));
    }

    #[test]
    fn a_word_of_a_command_stays_one_word() {
        for (text, word) in [
            ("arn:aws:kms:eu-west-1:1:key/1-2", "arn:aws:kms:eu-west-1:1:key/1-2"),
            ("", "''"),
            ("*x y", "'*x y'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
