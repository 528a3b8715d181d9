//! The matcher against the definition of wildcards, and its time.

use proptest::prelude::*;

use super::matches_wildcards;
use definition::matches_by_definition;

#[path = "../../tests/it/wildcard_definition.rs"]
mod definition;

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
        assert_eq!(matches_wildcards(pattern, text), expected, "{pattern} on {text}");
    }
}

#[test]
fn stars_take_any_run() {
    for (pattern, value) in
        [("*", ""), ("a*c", "ac"), ("a*c", "abbbc"), ("*ab*b", "abab"), ("**", "x"), ("*é*", "café!")]
    {
        assert!(matches_wildcards(pattern, value), "{pattern} {value}");
    }
    for (pattern, value) in [("a*c", "acd"), ("*ab*ab", "ab"), ("a*a", "a"), ("*?", "")] {
        assert!(!matches_wildcards(pattern, value), "{pattern} {value}");
    }
}

#[test]
fn a_question_mark_takes_one_character() {
    for (pattern, value) in
        [("?", "é"), ("a?c", "a€c"), ("*?b?*", "xabc"), ("*a?c*", "abdaxc"), ("??*", "ab")]
    {
        assert!(matches_wildcards(pattern, value), "{pattern} {value}");
    }
    for (pattern, value) in [("?", ""), ("?", "ab"), ("*a?c", "ac"), ("???*", "ab")] {
        assert!(!matches_wildcards(pattern, value), "{pattern} {value}");
    }
}

#[test]
fn long_patterns_with_gaps_are_found() {
    let gapped = "ab?d".repeat(40);
    let text = "abcd".repeat(40);
    assert!(matches_wildcards(&format!("*{gapped}*"), &format!("xx{text}yy")));
    assert!(!matches_wildcards(&format!("*{gapped}e*"), &format!("xx{text}yy")));
}

#[test]
fn many_stars_match_in_linear_time() {
    assert!(!matches_wildcards(&"*a".repeat(60), &"a".repeat(50)));
    assert!(!matches_wildcards(&format!("{}b", "*a".repeat(200)), &"a".repeat(5000)));
}

#[test]
fn no_pattern_is_slow() {
    let value = "a".repeat(32_000);
    for pattern in ["*a".repeat(10_000) + "b", "*a?".repeat(5_000) + "b", format!("*{}b", "a?".repeat(8_000))]
    {
        assert!(!matches_wildcards(&pattern, &value));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_agrees_with_the_definition(pattern in "[abé*?]{0,9}", value in "[abé]{0,12}") {
        prop_assert_eq!(matches_wildcards(&pattern, &value), matches_by_definition(&pattern, &value));
    }

    #[test]
    fn segments_with_gaps_agree_with_the_definition(pattern in "\\*[ab?]{60,90}\\*?", value in "[ab]{60,150}") {
        prop_assert_eq!(matches_wildcards(&pattern, &value), matches_by_definition(&pattern, &value));
    }
}
