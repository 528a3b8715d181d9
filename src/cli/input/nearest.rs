//! The name that somebody probably meant.

/// The candidate with the fewest edits from a word, if that is at most a third of the word's characters.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let scored = candidates.into_iter().map(|candidate| {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        (edits(&word, &letters), candidate)
    });
    let most = word.len().div_ceil(3);
    scored.filter(|(edits, _)| *edits <= most).min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// `; did you mean …?`, or nothing.
pub(super) fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The number of characters to insert, remove or replace (Levenshtein's distance).
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.iter().enumerate() {
        let mut next = vec![at + 1];
        for ((right, above_left), above) in other.iter().zip(&row).zip(row.iter().skip(1)) {
            let replaced = above_left + usize::from(left != right);
            let before = next.last().copied().unwrap_or_default();
            next.push(replaced.min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["SessionKey", "AuditKey", "Bucket"];
        for (word, expected) in [
            ("SessionKey", Some("SessionKey")),
            ("sessionkey", Some("SessionKey")),
            ("SesionKye", Some("SessionKey")),
            ("Audit", None),
            ("AuditKe", Some("AuditKey")),
            ("Topic", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names), expected, "{word}");
        }
        assert_eq!(edits(&['a', 'b', 'c'], &['b', 'c', 'd', 'e']), 3);
    }
}
