//! Patterns of ARNs with `*` and `?`, as the properties take them.

/// Whether a text matches a pattern: `*` stands for any run, `?` for one character. Takes time linear in the
/// text for each star, and never backtracks further than the last one.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (mut rest_of_pattern, mut rest_of_text) = (pattern, text);
    // Where to go back to: behind the last star, and one character further into the text.
    let mut star: Option<(&str, &str)> = None;
    loop {
        let mut in_pattern = rest_of_pattern.chars();
        let mut in_text = rest_of_text.chars();
        match (in_pattern.next(), in_text.next()) {
            (Some('*'), _) => {
                rest_of_pattern = in_pattern.as_str();
                star = Some((rest_of_pattern, rest_of_text));
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                (rest_of_pattern, rest_of_text) = (in_pattern.as_str(), in_text.as_str());
            }
            (None, None) => return true,
            _ => {
                let Some((behind, from)) = star else { return false };
                let mut further = from.chars();
                if further.next().is_none() {
                    return false;
                }
                (rest_of_pattern, rest_of_text) = (behind, further.as_str());
                star = Some((behind, further.as_str()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("*", "anything", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("arn:*:role/break-glass-*", "arn:aws:iam::111122223333:role/break-glass-1", true),
            ("arn:*:role/break-glass-*", "arn:aws:iam::111122223333:role/app", false),
            ("*a*b", "xaxxb", true),
            ("*a*b", "xaxxbc", false),
            ("App", "app", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_are_no_trap() {
        assert!(!matches(&"*a".repeat(60), &"a".repeat(50)));
        assert!(!matches(&format!("{}b", "*a".repeat(200)), &"a".repeat(5000)));
    }
}
