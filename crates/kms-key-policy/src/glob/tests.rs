//! The matcher against the plain definition of wildcards.

use proptest::prelude::*;

use super::*;

/// Whether a pattern matches, by the table of all prefixes: slow and obvious.
fn by_definition(pattern: &str, value: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    let mut row = vec![false; value.len() + 1];
    row[0] = true;
    for symbol in pattern.chars() {
        let before = row.clone();
        for at in 0..row.len() {
            row[at] = match symbol {
                '*' => before[at] || (at > 0 && row[at - 1]),
                '?' => at > 0 && before[at - 1],
                c => at > 0 && before[at - 1] && value[at - 1] == c,
            };
        }
    }
    row[value.len()]
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let piece = |(at, c): (usize, char)| match c {
        '*' => Piece::Star,
        '?' => Piece::One,
        c => Piece::Text(Str::new(at, at + c.len_utf8())),
    };
    let mut pieces: Vec<Piece> = Vec::new();
    for piece in pattern.char_indices().map(piece) {
        let joined = match (pieces.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.join(text),
            _ => false,
        };
        if !joined {
            pieces.push(piece);
        }
    }
    pieces
}

fn by_matcher(pattern: &str, value: &str) -> bool {
    matches(&pieces(pattern), pattern, value)
}

#[test]
fn stars_take_any_run() {
    for (pattern, value) in
        [("*", ""), ("a*c", "ac"), ("a*c", "abbbc"), ("*ab*b", "abab"), ("**", "x"), ("*é*", "café!")]
    {
        assert!(by_matcher(pattern, value), "{pattern} {value}");
    }
    for (pattern, value) in [("a*c", "acd"), ("*ab*ab", "ab"), ("a*a", "a"), ("*?", "")] {
        assert!(!by_matcher(pattern, value), "{pattern} {value}");
    }
}

#[test]
fn a_question_mark_takes_one_character() {
    for (pattern, value) in
        [("?", "é"), ("a?c", "a€c"), ("*?b?*", "xabc"), ("*a?c*", "abdaxc"), ("??*", "ab")]
    {
        assert!(by_matcher(pattern, value), "{pattern} {value}");
    }
    for (pattern, value) in [("?", ""), ("?", "ab"), ("*a?c", "ac"), ("???*", "ab")] {
        assert!(!by_matcher(pattern, value), "{pattern} {value}");
    }
}

#[test]
fn long_patterns_with_gaps_are_found() {
    let gapped = "ab?d".repeat(40);
    let text = "abcd".repeat(40);
    assert!(by_matcher(&format!("*{gapped}*"), &format!("xx{text}yy")));
    assert!(!by_matcher(&format!("*{gapped}e*"), &format!("xx{text}yy")));
}

#[test]
fn no_pattern_is_slow() {
    let value = "a".repeat(32_000);
    for pattern in ["*a".repeat(10_000) + "b", "*a?".repeat(5_000) + "b", format!("*{}b", "a?".repeat(8_000))]
    {
        assert!(!by_matcher(&pattern, &value));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_keeps_to_the_definition(pattern in "[abé*?]{0,9}", value in "[abé]{0,12}") {
        prop_assert_eq!(by_matcher(&pattern, &value), by_definition(&pattern, &value));
    }

    #[test]
    fn segments_with_gaps_keep_to_the_definition(pattern in "\\*[ab?]{60,90}\\*?", value in "[ab]{60,150}") {
        prop_assert_eq!(by_matcher(&pattern, &value), by_definition(&pattern, &value));
    }
}
